//! What is done in an output folder, so that a second run does not do it again.
//!
//! `OUT/.rushes/journal` grows by a line a result, each made durable before
//! anyone relies on it. It is never the only thing that keeps a result: a
//! journal that is lost, torn or spoilt costs work, and no file.

mod claim;
mod content;
mod folder;
mod known;
mod line;
mod lock;
mod stamp;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

pub use claim::FileClaim;
pub use content::Content;
pub use known::Known;
pub use line::{Placed, Record};
pub use stamp::{Fingerprint, Stamp};

use crate::error::{Error, Result};
use claim::Claim;
use folder::Folder;
use rustix::fs::OFlags;

/// The folder below an output folder that holds journal and lock.
pub const FOLDER: &str = ".rushes";

/// The journal of an output folder in which this run alone works.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    known: RwLock<Known>,
    // Lines that wait to be written: the thread that gets at the file writes all of them.
    waiting: Mutex<Vec<u8>>,
    file: Mutex<Tail>,
    claim: Claim,
}

/// The journal's file in [`FOLDER`], and the one that is to replace it.
const FILE: &str = "journal";
const NEW: &str = "journal.new";

#[derive(Debug)]
struct Tail {
    file: File,
    whole: u64,
}

/// What is known of the results in `output`, read without a lock and a trace.
pub fn peek(output: &Path) -> Known {
    // One that cannot be read costs work; opening it reports that.
    read_only(output).unwrap_or_default()
}

/// What is known of the results in `output`, where a run has put any.
///
/// # Errors
/// Where none has, and where the journal cannot be read.
pub fn read_only(output: &Path) -> Result<Known> {
    let bytes = Folder::find(output).and_then(|folder| read(&folder));
    match bytes {
        Ok(bytes) => Ok(Known::parse(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let shown = output.display();
            Err(
                Error::usage(format!("rushes has put no results into '{shown}'"))
                    .cure("name the folder that was given to -o, or to --replace"),
            )
        }
        Err(error) => Err(unusable(&output.join(FOLDER).join(FILE), error)),
    }
}

/// Whether another run works in `folder`.
pub fn is_busy(folder: &Path) -> bool {
    claim::holder(folder).is_some()
}

/// # Errors
/// If another run works in a folder above `output`, which may not be there yet.
pub fn refuse_above(output: &Path) -> Result<()> {
    claim::refuse_above(output)
}

/// Waits for the run in `folder`, which is below the output folder of this run. One that has
/// just started gives way.
///
/// # Errors
/// If it was there first.
pub fn wait_for(folder: &Path) -> Result<()> {
    claim::wait_for(folder)
}

impl Journal {
    /// Opens the journal of `output`, and keeps other runs out as long as it lives.
    ///
    /// # Errors
    /// If another run works there or above, and if it cannot be read or written.
    pub fn open(output: &Path) -> Result<Self> {
        let path = output.join(FOLDER);
        let make = || Folder::make(output).map_err(|error| unusable(&path, error));
        let claim = Claim::take(make()?, output)?;
        let path = path.join(FILE);
        let (known, file) = open(&make()?).map_err(|error| unusable(&path, error))?;
        Ok(Self {
            path,
            known: RwLock::new(known),
            waiting: Mutex::default(),
            file: Mutex::new(file),
            claim,
        })
    }

    /// Keeps other runs out of `folder`, to which results go; looks at it once. Returns the
    /// folder that it is reached through, if that is a link and was not claimed before.
    ///
    /// # Errors
    /// If another run works there.
    pub fn claim(&self, folder: &Path) -> Result<Option<PathBuf>> {
        self.claim.extend(folder)
    }

    /// Whether another run works in `folder`, which may be claimed by this one.
    pub fn is_taken(&self, folder: &Path) -> bool {
        is_busy(folder) && !self.claim.holds(folder)
    }

    /// What is known now.
    pub fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds `records`; they are on the disk when this returns. Those of several
    /// threads that come at once share one wait for the disk.
    ///
    /// # Errors
    /// Where they cannot be written; they are tried again with the next ones.
    pub fn append(&self, records: &[Record]) -> Result<()> {
        let unwritten = |error: io::Error| {
            Error::failed(format!("cannot write '{}'", self.path.display())).because(error)
        };
        let mut text = Vec::new();
        for record in records {
            let line = line::write(record).map_err(|error| unwritten(error.into()))?;
            text.extend(line.into_bytes());
        }
        locked(&self.waiting).extend(text);
        self.flush().map_err(unwritten)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            known.insert(record.clone());
        }
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let mut tail = locked(&self.file);
        let text = std::mem::take(&mut *locked(&self.waiting));
        // Otherwise another thread has written it meanwhile.
        if text.is_empty() {
            return Ok(());
        }
        let written = tail.write(&text);
        if written.is_err() {
            // Half a line would spoil the next one.
            let _ = tail.file.set_len(tail.whole);
            locked(&self.waiting).splice(0..0, text);
        }
        written
    }
}

impl Tail {
    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.write_all(text)?;
        self.file.sync_data()?;
        self.whole += text.len() as u64;
        Ok(())
    }
}

fn read(folder: &Folder) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    folder.open(FILE, OFlags::RDONLY)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the journal in `folder`, mends it, and opens it for appending.
fn open(folder: &Folder) -> io::Result<(Known, Tail)> {
    let bytes = match read(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        other => other?,
    };
    let known = Known::parse(&bytes);
    let mut whole = known::whole(&bytes) as u64;
    if known.is_mostly_stale() {
        let compact = known.compact()?;
        replace(folder, &compact)?;
        whole = compact.len() as u64;
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND;
    let file = folder.open(FILE, flags)?;
    file.set_len(whole)?;
    file.sync_all()?;
    folder.sync()?;
    Ok((known, Tail { file, whole }))
}

fn replace(folder: &Folder, bytes: &[u8]) -> io::Result<()> {
    // A killed run may have left one, and anything else of that name is not written to.
    folder.remove(NEW.as_ref())?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
    let mut file = folder.open(NEW, flags)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    folder.rename(NEW, FILE)
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unusable(path: &Path, error: io::Error) -> Error {
    let cure = match error.kind() {
        io::ErrorKind::InvalidInput => "remove it, or choose another folder with -o",
        _ => "it holds what is done here: make it writable, or choose another folder with -o",
    };
    Error::usage(format!("cannot use '{}'", path.display()))
        .because(error)
        .cure(cure)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn record(target: &str, size: u64) -> Record {
        let stamp = Stamp {
            size,
            modified_ns: Some(1),
        };
        Record {
            target: target.into(),
            source: "a".into(),
            path: "/a".into(),
            source_stamp: stamp,
            recipe: Fingerprint(7),
            placed: Placed {
                stamp,
                content: Some(Content(9)),
                salvaged: true,
                dropped: false,
            },
        }
    }

    fn journal(output: &Path) -> PathBuf {
        output.join(".rushes/journal")
    }

    #[test]
    fn what_was_appended_is_there_when_it_is_opened_again() {
        let output = tempfile::tempdir().unwrap();
        let first = Journal::open(output.path()).unwrap();
        first.append(&[record("a", 1), record("b", 2)]).unwrap();
        assert_eq!(
            first.known().of_target(Path::new("b")),
            Some(&record("b", 2))
        );
        drop(first);
        let known = peek(output.path());
        assert_eq!(known.of_target(Path::new("a")), Some(&record("a", 1)));
    }

    #[test]
    fn a_torn_end_is_cut_off_before_the_next_line() {
        let output = tempfile::tempdir().unwrap();
        Journal::open(output.path())
            .unwrap()
            .append(&[record("a", 1)])
            .unwrap();
        let mut bytes = fs::read(journal(output.path())).unwrap();
        let whole = bytes.clone();
        bytes.extend(&whole[..whole.len() / 2]);
        fs::write(journal(output.path()), bytes).unwrap();
        let again = Journal::open(output.path()).unwrap();
        again.append(&[record("b", 2)]).unwrap();
        let known = peek(output.path());
        assert_eq!(known.records().count(), 2);
        let bytes = fs::read(journal(output.path())).unwrap();
        assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 2);
    }

    #[test]
    fn a_journal_that_says_one_thing_often_shrinks_when_it_is_opened() {
        let output = tempfile::tempdir().unwrap();
        for size in 0..10 {
            Journal::open(output.path())
                .unwrap()
                .append(&[record("a", size)])
                .unwrap();
        }
        let lines = fs::read_to_string(journal(output.path()))
            .unwrap()
            .lines()
            .count();
        assert!(lines <= 3, "{lines}");
        let known = peek(output.path());
        assert_eq!(known.of_target(Path::new("a")), Some(&record("a", 9)));
        assert!(!journal(output.path()).with_extension("new").exists());
    }

    #[test]
    fn looking_leaves_no_trace() {
        let output = tempfile::tempdir().unwrap();
        assert!(peek(output.path()).is_empty());
        assert!(!is_busy(output.path()));
        assert_eq!(fs::read_dir(output.path()).unwrap().count(), 0);
    }

    #[test]
    fn nothing_is_written_through_links_in_its_folder() {
        let root = tempfile::tempdir().unwrap();
        let victim = root.path().join("victim");
        for planted in [".rushes/lock", ".rushes/journal", ".rushes/journal.new"] {
            let output = root.path().join(planted.replace('/', "-"));
            // Stale, so that it is written again.
            fs::create_dir_all(output.join(FOLDER)).unwrap();
            fs::write(journal(&output), b"garbage\ngarbage\n").unwrap();
            fs::write(&victim, b"precious").unwrap();
            let _ = fs::remove_file(output.join(planted));
            std::os::unix::fs::symlink(&victim, output.join(planted)).unwrap();
            let opened = Journal::open(&output);
            if planted.ends_with("new") {
                opened.unwrap();
            } else {
                let report = opened.unwrap_err().report();
                assert!(
                    report.contains(planted) && report.contains("remove it"),
                    "{report}"
                );
            }
            assert!(peek(&output).is_empty());
            assert_eq!(fs::read(&victim).unwrap(), b"precious");
        }
        let (output, other) = (root.path().join("out"), root.path().join("other"));
        for folder in [&output, &other] {
            fs::create_dir(folder).unwrap();
        }
        std::os::unix::fs::symlink(&other, output.join(FOLDER)).unwrap();
        let report = Journal::open(&output).unwrap_err().report();
        assert!(report.contains("it is a link"), "{report}");
        assert_eq!(fs::read_dir(other).unwrap().count(), 0);
    }

    #[test]
    fn lines_of_many_threads_are_all_there_and_whole() {
        let output = tempfile::tempdir().unwrap();
        let journal = Journal::open(output.path()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let journal = &journal;
                scope.spawn(move || {
                    for number in 0..20 {
                        let name = format!("{thread}-{number}");
                        journal.append(&[record(&name, number)]).unwrap();
                    }
                });
            }
        });
        assert_eq!(peek(output.path()).records().count(), 160);
    }
}
