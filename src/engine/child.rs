//! A child process that is watched: progress read line by line, the end of its
//! stderr kept, and the whole process group paused and stopped
//! on request.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, TrySendError};
use rustix::process::{Pid, Signal, kill_process_group};

use super::process::Process;
use super::sandbox::{self, Sandbox};
use super::{JobError, Watch};
use crate::error::{Error, Result};
use crate::job::Progress;
use crate::threads;

/// Lines of stderr that are kept.
const KEPT: usize = 20;
/// The longest line that is read whole.
const LONGEST_LINE: u64 = 4096;
/// A line on stderr from which on what is said is about something else.
pub(super) const NEXT: &str = "\u{1e}";
/// A line on stderr with which all is said about something.
pub(super) const ENDED: &str = "\u{1f}";
/// How long a child may take to end once asked to.
pub(super) const GRACE: Duration = Duration::from_millis(500);
/// How often the flag is looked at while the child says nothing.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// How often it is looked whether a child reads or writes.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Finds the small program `rushes-child`, which is installed beside this one.
///
/// # Errors
/// Where it is missing.
pub(super) fn program() -> Result<PathBuf> {
    beside("rushes-child")
}

/// Finds the program `name`, which is installed beside this one.
///
/// # Errors
/// Where it is missing.
pub(super) fn beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()
        .map_err(|error| Error::failed("cannot find the running program").because(error))?;
    // Cargo keeps tests and benches one folder below the programs.
    let mut places = own
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name));
    places.find(|path| path.is_file()).ok_or_else(|| {
        let beside = own.with_file_name(name);
        Error::usage(format!("there is no '{}'", beside.display())).cure(
            "install rushes whole: `cargo install --path .` puts both programs into one folder",
        )
    })
}

/// A command that ends with this process, also when this one is killed: what
/// follows `kind` is for `child`, as [`program`] found it.
pub(super) fn command(child: &Path, kind: &str) -> Command {
    let mut command = Command::new(child);
    command.arg(std::process::id().to_string()).arg(kind);
    command
}

/// As [`command`] of a program that is to take no more than `memory` bytes, in `sandbox`
/// if there is one.
pub(super) fn sandboxed(child: &Path, memory: u64, sandbox: Option<&Sandbox>) -> Command {
    let mut command = match sandbox {
        Some(_) => command(child, "sandboxed"),
        None => command(child, "limited"),
    };
    command.arg(memory.to_string());
    if let Some(sandbox) = sandbox {
        command.args(sandbox.arguments(sandbox::strength()));
    }
    command
}

/// Runs `command`, which people know as `name`, to its end; each line of its stdout goes to
/// `progress`, and where that returns a value, on to the watch; lines of its stderr are counted by
/// `tally`.
///
/// # Errors
/// Where it cannot start, ends badly, or was cancelled.
pub(super) fn run(
    name: &str,
    mut command: Command,
    watch: &mut Watch,
    mut progress: impl FnMut(&str) -> Option<Progress>,
    tally: fn(&str) -> Option<Complaint>,
) -> Result<Said, JobError> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command
        .spawn()
        .map_err(|error| Error::failed(format!("cannot start {name}")).because(error))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut child = Group(Process::Program(child));
    let no_thread = |error: io::Error| threads::cannot_start().because(error);
    let said = said_on(stderr, tally).map_err(no_thread)?;
    let lines = lines_of(stdout).map_err(no_thread)?;
    let watched = follow(&lines, &child, watch, &mut progress);
    if watched.is_err() {
        child.stop();
    }
    // One that closed its stdout may go on.
    let watched = watched.and_then(|last| end(&mut child, last, watch));
    let status = child
        .0
        .wait()
        .map_err(|error| Error::failed(format!("lost {name}")).because(error))?;
    // Any process of the group that is left, and could still write there, ends.
    child.signal(Signal::KILL);
    let said = said.recv_timeout(GRACE * 10).unwrap_or_default();
    watched.map_err(|error| JobError { error, log: vec![] })?;
    if status.success() {
        return Ok(said);
    }
    let log: Vec<String> = said.tail.into();
    Err(JobError {
        error: ended_badly(name, status, &log),
        log,
    })
}

/// Waits until `child` ends, or its job must stop; then it is stopped.
fn end(child: &mut Group, last: Progress, watch: &mut Watch) -> Result<()> {
    while child.lives() {
        if let Err(error) = watch.advance_holding(last, || child.hold()) {
            child.stop();
            return Err(error);
        }
        thread::sleep(TICK / 20);
    }
    Ok(())
}

/// Watches `child` for as long as it has its stdout open; returns how far it is.
fn follow(
    lines: &Receiver<String>,
    child: &Group,
    watch: &mut Watch,
    progress: &mut impl FnMut(&str) -> Option<Progress>,
) -> Result<Progress> {
    let mut last = Progress::default();
    let (mut looked, mut read) = (Instant::now(), child.bytes_read());
    loop {
        match lines.recv_timeout(TICK) {
            Ok(line) => last = progress(&line).unwrap_or(last),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(last),
        }
        // One that reads is at work, though no frame of it may be wanted.
        if looked.elapsed() > LOOK_EVERY {
            looked = Instant::now();
            let now = child.bytes_read();
            if now != read {
                read = now;
                watch.moved();
            }
        }
        watch.advance_holding(last, || child.hold())?;
    }
}

/// How a process ended.
pub(super) fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match signal_hook::low_level::signal_name(signal) {
            Some(name) => format!("signal {name}"),
            None => format!("signal {signal}"),
        },
        (None, None) => "no exit code".into(),
    }
}

fn ended_badly(name: &str, status: ExitStatus, log: &[String]) -> Error {
    let error = Error::failed(format!("{name} failed with {}", how(status)));
    match cause(log) {
        Some(line) => error.because(line.to_owned()),
        None => error,
    }
}

/// The last line that says something: after the cause, ffmpeg tells what it is giving up.
pub(super) fn cause(log: &[String]) -> Option<&str> {
    const GIVING_UP: [&str; 2] = ["Conversion failed!", "Error initializing output stream "];
    let says = |line: &&String| !GIVING_UP.iter().any(|words| line.starts_with(words));
    log.iter().rfind(says).or(log.last()).map(String::as_str)
}

/// A child that leads a process group of its own; no member outlives this value.
pub(super) struct Group(Process);

impl Group {
    /// The group that `child` leads.
    pub(super) fn of(child: Process) -> Self {
        Self(child)
    }

    /// Bytes that the child has read so far; 0 where the system tells none.
    fn bytes_read(&self) -> u64 {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.0.id())).unwrap_or_default();
        let read = io.lines().find_map(|line| line.strip_prefix("rchar: "));
        read.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
    }

    #[cfg(target_os = "linux")]
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Waits for the end of one that is about to end, and ends what is left of it after `grace`.
    pub(super) fn end_within(&mut self, grace: Duration) -> Option<ExitStatus> {
        self.await_end(grace);
        self.signal(Signal::KILL);
        self.0.wait().ok()
    }

    fn await_end(&mut self, grace: Duration) -> bool {
        let asked = Instant::now();
        while asked.elapsed() < grace {
            if !self.lives() {
                return true;
            }
            std::thread::sleep(TICK / 20);
        }
        false
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, signal);
        }
    }

    /// Has the group stand still until the returned value is dropped, however that happens.
    pub(super) fn hold(&self) -> Held<'_> {
        self.signal(Signal::STOP);
        Held(self)
    }

    /// Terminate → grace → kill.
    pub(super) fn stop(&mut self) {
        self.signal(Signal::TERM);
        if !self.await_end(GRACE) {
            self.signal(Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.lives() {
            self.signal(Signal::KILL);
            let _ = self.0.wait();
        }
    }
}

/// A group that stands still; it goes on once this is dropped.
pub(super) struct Held<'a>(&'a Group);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.signal(Signal::CONT);
    }
}

/// The lines of a pipe, read by a thread that ends with the pipe.
///
/// # Errors
/// If the thread cannot be started.
fn lines_of(pipe: Option<impl Read + Send + 'static>) -> io::Result<Receiver<String>> {
    let (sender, receiver) = crossbeam_channel::bounded(64);
    if let Some(pipe) = pipe {
        let read = move || each_line(pipe, |line| sender.send(line).is_ok());
        thread::Builder::new().name("stdout".into()).spawn(read)?;
    }
    Ok(receiver)
}

/// What a line on stderr reports, of all that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Complaint {
    /// A packet of this stream that could not be decoded, or not whole.
    Damage(usize),
    /// An error of the system while the source was read, in its words.
    Unreadable(&'static str),
}

/// What a child said on stderr.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The last lines.
    pub tail: VecDeque<String>,
    /// How many lines reported each of what is counted.
    pub counts: BTreeMap<Complaint, u64>,
}

/// Kinds of complaints that are counted: a file has fewer streams.
const MOST_COMPLAINTS: usize = 10_000;

impl Said {
    fn count(&mut self, complaint: Complaint) {
        if self.counts.len() < MOST_COMPLAINTS || self.counts.contains_key(&complaint) {
            *self.counts.entry(complaint).or_default() += 1;
        }
    }
}

/// What is said on a pipe, sent once it is closed, or all is said; `tally` finds what a
/// line reports.
///
/// # Errors
/// If the thread that reads it cannot be started.
pub(super) fn said_on(
    pipe: Option<impl Read + Send + 'static>,
    tally: fn(&str) -> Option<Complaint>,
) -> io::Result<Receiver<Said>> {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    let unread = receiver.clone();
    // What was said about something else, and nobody asked for, makes room.
    let send = move |mut said| {
        while let Err(TrySendError::Full(again)) = sender.try_send(said) {
            let _ = unread.try_recv();
            said = again;
        }
        true
    };
    if let Some(pipe) = pipe {
        let thread = thread::Builder::new().name("stderr".into());
        thread.spawn(move || {
            let mut said = Said::default();
            each_line(pipe, |line| {
                if line == NEXT {
                    said = Said::default();
                    return true;
                }
                if line == ENDED {
                    return send(std::mem::take(&mut said));
                }
                if let Some(complaint) = tally(&line) {
                    said.count(complaint);
                }
                if said.tail.len() == KEPT {
                    said.tail.pop_front();
                }
                said.tail.push_back(line);
                true
            });
            send(said);
        })?;
    }
    Ok(receiver)
}

fn each_line(pipe: impl Read, mut take: impl FnMut(String) -> bool) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
        {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                if !text.is_empty() && !take(text) {
                    return;
                }
            }
        }
    }
}

// Elsewhere nothing tells of a process that stands still.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use crate::dispatch::Cancel;

    fn sleeper() -> Group {
        let mut command = Command::new("sleep");
        let child = command.arg("600").process_group(0).spawn().unwrap();
        Group(Process::Program(child))
    }

    /// The letter by which the system tells what a process does: `T` where it is stopped.
    fn state(pid: u32) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let (_, rest) = stat.rsplit_once(')').unwrap();
        rest.trim_start().chars().next().unwrap()
    }

    fn becomes(pid: u32, wanted: impl Fn(char) -> bool) -> bool {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            if wanted(state(pid)) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }

    #[test]
    fn the_cause_is_the_last_line_that_says_something() {
        let log = |lines: &[&str]| {
            lines
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>()
        };
        let cause_of = |lines: &[&str]| cause(&log(lines)).map(str::to_owned);
        let full = "av_interleaved_write_frame(): No space left on device";
        assert_eq!(
            cause_of(&["first", full, "Conversion failed!"]),
            Some(full.into())
        );
        assert_eq!(
            cause_of(&["Conversion failed!"]),
            Some("Conversion failed!".into())
        );
        assert_eq!(cause_of(&[]), None);
    }

    #[test]
    fn a_held_child_stands_still_and_runs_again_once_it_is_released() {
        let child = sleeper();
        let held = child.hold();
        assert!(becomes(child.0.id(), |state| state == 'T'));
        drop(held);
        assert!(becomes(child.0.id(), |state| state != 'T'));
    }

    #[test]
    fn a_held_child_ends_with_its_group() {
        let child = sleeper();
        let pid = child.0.id();
        let held = child.hold();
        assert!(becomes(pid, |state| state == 'T'));
        // As where a panic unwinds.
        drop(held);
        drop(child);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn a_child_in_a_long_pause_is_stopped_at_once_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("pid");
        let mut command = Command::new("sh");
        command.args(["-c", "echo $$ > \"$0\"; exec sleep 600"]);
        command.arg(&told);
        let cancel = Cancel::new();
        std::thread::scope(|scope| {
            let job = scope.spawn(|| {
                let mut report = |_| {};
                // The first pause is of 50 seconds at least.
                let mut watch = Watch::paced(&cancel, &mut report, 0.001);
                run("sh", command, &mut watch, |_| None, |_| None).is_err()
            });
            let mut pid = None;
            while pid.is_none() {
                pid = std::fs::read_to_string(&told)
                    .ok()
                    .and_then(|text| text.trim().parse::<u32>().ok());
            }
            let pid = pid.unwrap();
            let stood_still = becomes(pid, |state| state == 'T');
            cancel.set();
            assert!(job.join().unwrap());
            assert!(stood_still);
            assert!(!Path::new(&format!("/proc/{pid}")).exists());
        });
    }
}
