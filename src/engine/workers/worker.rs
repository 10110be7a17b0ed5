//! The program's side of one worker.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::Receiver;

use super::allowed_files::{AllowedFiles, Size};
use super::bounds;
use super::inbox::{Arrived, Inbox};
use super::protocol::{self, Answer, Request, VERSION};
use super::serve::other_version;
use super::socket;
use super::standby::Standing;
use crate::engine::Watch;
use crate::engine::child::{GRACE, Group, Said, TICK, said_on};
use crate::engine::process::Process;
use crate::engine::sandbox::{self, Strength};
use crate::error::{Error, Result};
use crate::job::{Limits, SandboxMode};
use crate::threads;

/// What libav may leak a task stays little; a fresh worker costs a twentieth of
/// a second, which is nothing against so many tasks.
const MOST_TASKS: usize = 1000;

/// Between tasks, a worker that only had small ones takes some 30 megabytes.
/// One that keeps so much had large ones, which take far longer than starting
/// another, and what it keeps is of no use to others.
pub(super) const MOST_MEMORY: u64 = 256 << 20;

/// A running worker process.
pub(super) struct Worker {
    /// No other worker of this process has this number.
    pub(super) number: u64,
    child: Group,
    input: UnixStream,
    answers: Inbox,
    said: Receiver<Said>,
    greeted: bool,
    limits: Limits,
    tasks: usize,
}

/// The number of the next worker.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Why a task has no answer.
pub(super) enum NoAnswer {
    /// It is to stop.
    Stopped(Error),
    /// The worker is gone, or says what is no answer.
    Died,
    /// No other worker would be better.
    Unfit(Error),
    /// It is not in the sandbox that others are in.
    Exposed,
}

/// How a worker ended, and what was last said.
pub(super) struct Death {
    pub(super) status: Option<ExitStatus>,
    pub(super) log: Vec<String>,
}

/// The program's ends of the two ways to a worker.
pub(super) struct Ends {
    /// On which lines, and files with them, are sent to its stdin.
    input: UnixStream,
    /// On which what it says on its stdout arrives.
    output: UnixStream,
}

/// The worker's ends of them.
pub(super) struct Theirs {
    pub(super) stdin: OwnedFd,
    pub(super) stdout: OwnedFd,
}

/// Both ends of the ways to a worker.
///
/// # Errors
/// Where there are too many open files.
pub(super) fn ends() -> io::Result<(Ends, Theirs)> {
    let (input, stdin) = UnixStream::pair()?;
    let (output, stdout) = UnixStream::pair()?;
    let theirs = Theirs {
        stdin: stdin.into(),
        stdout: stdout.into(),
    };
    Ok((Ends { input, output }, theirs))
}

/// Makes `command` one of a worker: in a process group of its own, with sockets as stdin and
/// stdout.
///
/// # Errors
/// Where there are too many open files.
pub(super) fn prepare(command: &mut Command) -> io::Result<Ends> {
    let (ours, Theirs { stdin, stdout }) = ends()?;
    command
        .stdin(stdin)
        .stdout(stdout)
        .stderr(Stdio::piped())
        .process_group(0);
    Ok(ours)
}

impl Worker {
    /// The worker that was started as `child`, by a command as [`prepare`] makes it.
    ///
    /// # Errors
    /// Where it cannot be talked to.
    pub(super) fn started(mut child: Child, ends: Ends, limits: Limits) -> Result<Self> {
        let stderr = child.stderr.take();
        Self::new(Process::Program(child), ends, stderr, limits)
    }

    /// The one that stood by.
    ///
    /// # Errors
    /// Where it cannot be talked to.
    pub(super) fn standing(standing: Standing, limits: Limits) -> Result<Self> {
        Self::new(
            standing.process,
            standing.ends,
            Some(standing.stderr),
            limits,
        )
    }

    fn new(
        child: Process,
        ends: Ends,
        stderr: Option<impl Read + Send + 'static>,
        limits: Limits,
    ) -> Result<Self> {
        let Ends { mut input, output } = ends;
        let child = Group::of(child);
        let said =
            said_on(stderr, |_| None).map_err(|error| threads::cannot_start().because(error))?;
        let answers = Inbox::of(output, TICK)
            .map_err(|error| Error::failed("a worker cannot be talked to").because(error))?;
        // One that ended at once shows when it is first asked.
        let hello = Request::Hello {
            version: VERSION,
            limits: Some(limits),
        };
        let _ = protocol::write(&mut input, &hello);
        // One that does not read is not waited for without looking at limits meanwhile.
        input
            .set_write_timeout(Some(TICK))
            .map_err(|error| Error::failed("a worker cannot be talked to").because(error))?;
        Ok(Self {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            child,
            input,
            answers,
            said,
            greeted: false,
            limits,
            tasks: 0,
        })
    }

    /// Has the task in `line` done with the files that it is alloweded, and gives
    /// its last answer.
    ///
    /// # Errors
    /// Where it has none; then this worker is of no use any more.
    pub(super) fn ask(
        &mut self,
        line: &[u8],
        allowed: &AllowedFiles,
        watch: &mut Watch,
    ) -> Result<Answer, NoAnswer> {
        self.tasks += 1;
        if self.greeted && self.answers.has_more() {
            // What it says before it is asked is no answer.
            return Err(NoAnswer::Died);
        }
        self.send(line, None, watch)?;
        let mut last = watch.last();
        // Another worker may have been told before.
        let mut hands = 0;
        let mut size = Size::of(allowed);
        loop {
            self.lend(&mut hands, watch)?;
            match self.next_answer() {
                // Said once.
                Ok(Arrived::Answer(Answer::Hello { .. })) if self.greeted => {
                    return Err(NoAnswer::Died);
                }
                Ok(Arrived::Answer(Answer::Hello {
                    version,
                    files,
                    calls,
                })) => self.greet(version, Strength { files, calls })?,
                Ok(Arrived::Answer(_)) if !self.greeted => return Err(NoAnswer::Died),
                Ok(Arrived::Answer(Answer::Open { path, access })) => {
                    self.hand_over(allowed.open(&path, access), watch)?;
                }
                Ok(Arrived::Answer(Answer::Progress(progress))) => {
                    watch.moved();
                    last = progress;
                }
                Ok(Arrived::Answer(Answer::Alive)) => watch.moved(),
                Ok(Arrived::Answer(answer)) => {
                    last.bytes = size.now();
                    watch.check(last).map_err(NoAnswer::Stopped)?;
                    return Ok(answer);
                }
                Ok(Arrived::Nothing) => {}
                Ok(Arrived::End) => return Err(NoAnswer::Died),
                Err(error) => return Err(error),
            }
            last.bytes = size.lately();
            watch
                .advance_holding(last, || self.child.hold())
                .map_err(NoAnswer::Stopped)?;
        }
    }

    /// What the worker says next, as far as it can be believed.
    fn next_answer(&mut self) -> Result<Arrived, NoAnswer> {
        let arrived = self.answers.next().map_err(|_| NoAnswer::Died)?;
        if let Arrived::Answer(answer) = &arrived {
            bounds::check(answer, &self.limits).map_err(|what| {
                NoAnswer::Unfit(Error::failed(format!(
                    "its worker gave {what} that no file can have; what the worker said is not used"
                ))
                .cure("leave the file out: it may be made to do harm"))
            })?;
        }
        Ok(arrived)
    }

    /// Tells how many threads may work on its job, where that is not as before.
    fn lend(&mut self, before: &mut usize, watch: &mut Watch) -> Result<(), NoAnswer> {
        if watch.part_length().is_none() {
            // Whatever else it is, its threads were counted when it began.
            return Ok(());
        }
        let now = watch.hands();
        if now == *before {
            return Ok(());
        }
        *before = now;
        let line = protocol::line(&Request::Threads(now)).map_err(|_| NoAnswer::Died)?;
        self.send(&line, None, watch)
    }

    fn hand_over(&mut self, file: io::Result<File>, watch: &mut Watch) -> Result<(), NoAnswer> {
        let code = |error: &io::Error| error.raw_os_error().unwrap_or(libc::EIO);
        let error = file.as_ref().err().map(code);
        let line = protocol::line(&Request::Opened { error }).map_err(|_| NoAnswer::Died)?;
        self.send(&line, file.ok().as_ref(), watch)
    }

    /// Sends `line` with `file`, for as long as the job may go on.
    fn send(
        &mut self,
        line: &[u8],
        mut file: Option<&File>,
        watch: &mut Watch,
    ) -> Result<(), NoAnswer> {
        let mut left = line;
        while !left.is_empty() {
            let sent = match file {
                Some(file) => socket::send(&self.input, left, file),
                None => self.input.write(left),
            };
            match sent {
                Ok(0) => return Err(NoAnswer::Died),
                // The file has arrived with the first byte.
                Ok(sent) => (left, file) = (&left[sent..], None),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                        watch.wait().map_err(NoAnswer::Stopped)?;
                    }
                    _ => return Err(NoAnswer::Died),
                },
            }
        }
        Ok(())
    }

    /// Takes note of the first line. A worker without the sandbox that others are in is given
    /// no task.
    fn greet(&mut self, version: u32, strength: Strength) -> Result<(), NoAnswer> {
        self.greeted = true;
        if version != VERSION {
            return Err(NoAnswer::Unfit(other_version(version)));
        }
        match self.limits.sandbox == SandboxMode::Off || strength.covers(sandbox::strength()) {
            true => Ok(()),
            false => Err(NoAnswer::Exposed),
        }
    }

    /// What it and its libraries said on stderr about a task that failed.
    pub(super) fn said(&self) -> Vec<String> {
        let said = self.said.recv_timeout(GRACE).unwrap_or_default();
        said.tail.into()
    }

    /// Whether it may have another task.
    pub(super) fn is_fresh(&self) -> bool {
        self.tasks < MOST_TASKS && self.is_small()
    }

    #[cfg(target_os = "linux")]
    fn is_small(&self) -> bool {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id()));
        let pages = statm.ok().and_then(|statm| {
            let resident = statm.split_whitespace().nth(1)?;
            resident.parse::<u64>().ok()
        });
        let page = rustix::param::page_size() as u64;
        pages.is_some_and(|pages| pages * page < MOST_MEMORY)
    }

    #[cfg(not(target_os = "linux"))]
    fn is_small(&self) -> bool {
        true
    }

    /// Whether it is still there.
    pub(super) fn lives(&mut self) -> bool {
        self.child.lives()
    }

    /// Ends it in the middle of its task: terminate → grace → kill.
    pub(super) fn stop(mut self) -> Death {
        self.child.stop();
        self.bury()
    }

    /// Lets it end, since there is nothing more to do; [`Worker::bury`] waits for that.
    pub(super) fn dismiss(self) -> Dismissed {
        drop(self.input);
        Dismissed(self.child)
    }

    /// Takes leave of one that died, or that speaks no sense.
    pub(super) fn bury(self) -> Death {
        let Self {
            mut child,
            input,
            answers,
            said,
            ..
        } = self;
        drop(input);
        let status = child.end_within(GRACE);
        drop(answers);
        // Whoever could still write there is dead.
        let said = said.recv_timeout(GRACE).unwrap_or_default();
        Death {
            status,
            log: said.tail.into(),
        }
    }
}

/// A worker that is about to end.
pub(super) struct Dismissed(Group);

impl Drop for Dismissed {
    fn drop(&mut self) {
        // Waited for, so that what it used counts as used by this process's children.
        self.0.end_within(GRACE);
    }
}
