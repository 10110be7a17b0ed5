//! What the program and its workers say to each other: a JSON object a line.
//! `docs/worker.md` shows each.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::engine::{Probed, Ran};
use crate::error::Told;
use crate::job::{Job, Limits, MediaJob, PartLength, Progress, os_path, os_paths};
use crate::media::files::Access;
use crate::media::survey::Survey;
use crate::media::verify::Checked;
use crate::recipe::Product;

/// The version spoken here: another one is refused.
pub const VERSION: u32 = 2;

/// The longest line in bytes. A job with a thousand streams takes a megabyte;
/// what is longer is no message, and is not read on.
pub const LONGEST: u64 = 16 << 20;

/// What the program says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// The first line: what is spoken.
    Hello {
        /// Its version.
        version: u32,
        /// What each task may cost; as usual where nothing is said.
        limits: Option<Limits>,
    },
    /// Something to do; answered before the next is sent.
    Do(Task),
    /// So many threads may work on the parts of the present job from now on.
    Threads(usize),
    /// A file was opened, which comes with this line (`SCM_RIGHTS`); or it was not.
    Opened {
        /// The system's number of the error.
        error: Option<i32>,
    },
}

/// Something that a worker is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Nothing but what starting a job costs.
    Start,
    /// Runs a job, writing to these targets.
    Run {
        /// The job.
        job: Job,
        /// Temporary names of its results.
        #[serde(with = "os_paths")]
        targets: Vec<PathBuf>,
        /// How many threads may work on it; at least 1.
        threads: usize,
        /// How long its parts are to be, where it is to be done in parts.
        parts: Option<PartLength>,
    },
    /// Looks into a source.
    Probe {
        /// The source.
        #[serde(with = "os_path")]
        source: PathBuf,
    },
    /// Reads the packets of a job's source.
    Survey(Arc<MediaJob>),
    /// Looks for streams of a job's source without a picture.
    DeadStreams(Arc<MediaJob>),
    /// Looks for the picture that stands best for a job's source.
    Best(Arc<MediaJob>),
    /// Writes a picture that is attached to a job's source to a file.
    Cover {
        /// The job.
        job: Arc<MediaJob>,
        /// Position of the picture's stream.
        stream: usize,
        /// The file.
        #[serde(with = "os_path")]
        target: PathBuf,
    },
    /// Holds a result against what is known of it.
    Verify(Box<Verification>),
    /// Decodes a result, and hashes what there is to see of it.
    Digest {
        /// The result.
        #[serde(with = "os_path")]
        path: PathBuf,
    },
    /// Decodes all of a file.
    Decode {
        /// The file.
        #[serde(with = "os_path")]
        path: PathBuf,
    },
    /// Scores a result against a job's source.
    Likeness {
        /// The result.
        #[serde(with = "os_path")]
        path: PathBuf,
        /// The job.
        job: Arc<MediaJob>,
    },
    /// Decodes two results, and holds them against each other.
    Compare {
        /// The one.
        #[serde(with = "os_path")]
        a: PathBuf,
        /// The other.
        #[serde(with = "os_path")]
        b: PathBuf,
    },
}

/// A result, and what is known of it: see [`crate::media::verify::Evidence`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Verification {
    /// The result.
    #[serde(with = "os_path")]
    pub path: PathBuf,
    /// The job.
    pub job: MediaJob,
    /// What was to be made.
    pub product: Product,
    /// Frames that went into its first track, where known.
    pub frames: Option<u64>,
    /// What was read of the source.
    pub survey: Survey,
    /// Streams of the source with the number of packets that could not be decoded.
    pub damaged: Vec<(usize, u64)>,
}

/// What a worker says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The first line: what is spoken, and what sandbox the worker is in. It ends where that is
    /// another version.
    Hello {
        /// Its version.
        version: u32,
        /// Whether other files are out of its reach.
        files: bool,
        /// Whether it is left nothing but the system calls of its work.
        calls: bool,
    },
    /// A file is wanted; answered by [`Request::Opened`].
    Open {
        /// Its name.
        #[serde(with = "os_path")]
        path: PathBuf,
        /// What for.
        access: Access,
    },
    /// How far the task is; told as it goes on.
    Progress(Progress),
    /// The task goes on, whether that shows as progress or not.
    Alive,
    /// The task is done.
    Done(Found),
    /// The task failed; the worker is there for the next.
    Failed {
        /// Why.
        error: Told,
        /// The last lines that libav said about it.
        log: Vec<String>,
    },
}

/// What came of a task, by its kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// Nothing, as was asked for.
    Started,
    /// A picture was written.
    Written,
    /// A job was run.
    Ran(Ran),
    /// What a source holds.
    Probed(Probed),
    /// What a source's packets say.
    Survey(Survey),
    /// Streams without a picture.
    DeadStreams(Vec<usize>),
    /// The best picture's time in milliseconds.
    Best(u64),
    /// What looking at a result brought to light.
    Checked(Checked),
    /// How two results differ, where they do.
    Difference(Option<String>),
    /// The hash of a result.
    Digest(u64),
    /// What is damaged in a file, in words.
    Decoded(Option<String>),
    /// The score of a result, where it has pictures.
    Likeness(Option<f64>),
}

/// `message` as a line.
///
/// # Errors
/// Where it is no data that JSON can hold, or too long.
pub fn line<T: Serialize>(message: &T) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    if line.len() as u64 > LONGEST {
        return Err(too_long());
    }
    Ok(line)
}

/// Writes `message`.
///
/// # Errors
/// As [`line()`], and where the other side is gone.
pub fn write<T: Serialize>(to: &mut impl Write, message: &T) -> io::Result<()> {
    to.write_all(&line(message)?)
}

/// Reads the next message; `None` at the end.
///
/// # Errors
/// Where a line is too long, torn, or no message.
pub fn read<T: DeserializeOwned>(from: &mut impl BufRead) -> io::Result<Option<T>> {
    match read_line(from)? {
        Some(line) => Ok(Some(serde_json::from_slice(&line)?)),
        None => Ok(None),
    }
}

/// Reads the next line, with its end; `None` at the end.
///
/// # Errors
/// Where it is too long or torn.
pub fn read_line(from: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    from.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
    match line.last() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if line.len() as u64 == LONGEST => Err(too_long()),
        Some(_) => Err(io::Error::other("a message ends in its middle")),
    }
}

fn too_long() -> io::Error {
    io::Error::other(format!("a message is longer than {LONGEST} bytes"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::error::Error;

    fn round_trip<T: Serialize + DeserializeOwned>(message: &T) {
        let line = line(message).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let read: T = read(&mut line.as_slice()).unwrap().unwrap();
        assert_eq!(
            serde_json::to_value(&read).unwrap(),
            serde_json::to_value(message).unwrap()
        );
    }

    fn answers() -> impl Strategy<Value = Answer> {
        let progress = (any::<u64>(), -1e12..1e12, any::<u64>()).prop_map(|(frames, at, bytes)| {
            Answer::Progress(Progress {
                frames,
                position_s: at,
                bytes,
            })
        });
        let failed = (
            any::<String>(),
            any::<Option<String>>(),
            any::<Vec<String>>(),
        );
        let failed = failed.prop_map(|(message, cure, log)| {
            let error = Error::failed(message);
            let error = match cure {
                Some(cure) => error.cure(cure),
                None => error,
            };
            Answer::Failed {
                error: Told::from(&error),
                log,
            }
        });
        let ran = (
            any::<Vec<Option<u64>>>(),
            any::<Vec<(usize, u64)>>(),
            0.0..1e9,
        );
        let ran = ran.prop_map(|(frames, damaged, media_s)| {
            Answer::Done(Found::Ran(Ran {
                frames,
                media_s,
                damaged,
                survey: Some(Survey::of(&[0, 3])),
                ..Ran::default()
            }))
        });
        prop_oneof![progress, failed, ran]
    }

    proptest! {
        #[test]
        fn an_answer_arrives_as_it_was_sent(answer in answers()) {
            round_trip(&answer);
        }

        #[test]
        fn a_name_of_any_bytes_arrives_as_it_was_sent(name in any::<Vec<u8>>()) {
            use std::os::unix::ffi::OsStringExt;
            let source = PathBuf::from(std::ffi::OsString::from_vec(name));
            let sent = line(&Request::Do(Task::Probe { source: source.clone() })).unwrap();
            let read: Option<Request> = read(&mut sent.as_slice()).unwrap();
            let is_same = matches!(read, Some(Request::Do(Task::Probe { source: read })) if read == source);
            prop_assert!(is_same);
        }

        #[test]
        fn garbage_is_an_error_and_no_message(garbage in any::<Vec<u8>>()) {
            let mut lines = garbage.as_slice();
            while !lines.is_empty() {
                let read: io::Result<Option<Answer>> = read(&mut lines);
                prop_assert!(read.is_err());
            }
        }

        #[test]
        fn a_torn_message_is_an_error(answer in answers(), share in 0.0..1.0) {
            let whole = line(&answer).unwrap();
            let torn = &whole[..(whole.len() as f64 * share) as usize];
            let read: io::Result<Option<Answer>> = read(&mut &*torn);
            prop_assert!(torn.is_empty() || read.is_err());
        }
    }

    #[test]
    fn a_line_without_end_is_not_read_on() {
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        assert!(read_line(&mut endless).is_err());
    }
}
