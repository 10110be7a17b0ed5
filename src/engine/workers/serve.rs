//! The worker's side. Each task runs in a copy of the worker that is made for
//! it and ends with it: it begins with libav loaded, sees no trace of another
//! task, gives back all of its memory, and a crash is its own.
//!
//! The worker itself opens no media. Where the process of a task dies, the
//! worker dies of the same cause: so there is one way of dying to look at.

use std::io::{self, BufReader, PipeReader, PipeWriter, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, WaitStatus};

use super::protocol::{self, Answer, Found, Request, Task, VERSION};
use crate::dispatch::Cancel;
use crate::engine::{Engine, JobError, Linked, Watch, child, parent};
use crate::error::{Error, Result, Told};
use crate::job::Progress;
use crate::media::verify::Evidence;
use crate::media::{self, fork};

/// Progress is told at most so often.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);

/// How the line begins that tells of progress; all others end a task.
const PROGRESS: &[u8] = b"{\"progress\":";

/// Takes tasks from stdin and answers on stdout, until stdin ends.
///
/// # Errors
/// Where the other side speaks another version or no such language, or is gone.
pub fn serve() -> Result<()> {
    fork::close_inherited();
    let broken = |error: io::Error| Error::failed("a worker has lost its program").because(error);
    let (input, mut output) = pipes().map_err(broken)?;
    let mut input = BufReader::new(std::fs::File::from(input));
    media::init();
    media::log::aloud();
    without_core_dumps();
    let hello: Option<Request> = protocol::read(&mut input).map_err(broken)?;
    protocol::write(&mut output, &Answer::Hello { version: VERSION }).map_err(broken)?;
    match hello {
        Some(Request::Hello { version: VERSION }) => {}
        Some(Request::Hello { version }) => return Err(other_version(version)),
        Some(Request::Do(_)) => return Err(Error::usage("the first line is no hello")),
        None => return Ok(()),
    }
    while let Some(request) = protocol::read(&mut input).map_err(broken)? {
        let Request::Do(task) = request else {
            return Err(Error::usage("a second hello"));
        };
        let answer = carry_out(&task, &mut output).map_err(broken)?;
        output.write_all(&answer).map_err(broken)?;
    }
    Ok(())
}

/// What to say where the two sides are of different versions.
pub(super) fn other_version(other: u32) -> Error {
    Error::usage(format!(
        "the program and its worker speak different versions: {VERSION} here, {other} there"
    ))
    .cure("install rushes whole, and start it again")
}

/// Stdin and stdout, taken away from where libraries would find them: what they
/// print goes to stderr.
fn pipes() -> io::Result<(OwnedFd, std::fs::File)> {
    let away = |file: std::os::fd::BorrowedFd| rustix::io::fcntl_dupfd_cloexec(file, 3);
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let input = away(std::os::fd::AsFd::as_fd(&stdin))?;
    let output = away(std::os::fd::AsFd::as_fd(&stdout))?;
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((input, output.into()))
}

/// A crash is told by its signal; its memory is no file to leave lying around.
fn without_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = rustix::process::setrlimit(Resource::Core, none);
}

/// Has `task` done in a process of its own, and gives the line that ends it.
fn carry_out(task: &Task, output: &mut impl Write) -> io::Result<Vec<u8>> {
    // What was said before is about another one.
    eprintln!("{}", child::NEXT);
    let worker = std::process::id();
    let mut forked = fork::fork(|pipe| perform(worker, task, pipe))?;
    let answer = relay(&mut forked.output, output);
    let status = forked.wait()?;
    if !status.exited() || status.exit_status() != Some(0) {
        die_of(status);
    }
    answer?.ok_or_else(|| io::Error::other("a task ended without an answer"))
}

/// Passes progress on as it comes; gives the line that comes last, which is not
/// to be told before its process has ended.
fn relay(from: &mut PipeReader, to: &mut impl Write) -> io::Result<Option<Vec<u8>>> {
    let mut from = BufReader::new(from);
    let mut last = None;
    while let Some(line) = protocol::read_line(&mut from)? {
        if last.is_some() {
            return Err(io::Error::other("a task goes on after its answer"));
        }
        if line.starts_with(PROGRESS) {
            to.write_all(&line)?;
        } else {
            last = Some(line);
        }
    }
    Ok(last)
}

/// Ends this process as another one ended.
fn die_of(status: WaitStatus) -> ! {
    let signal = status.terminating_signal().and_then(Signal::from_named_raw);
    if let Some(signal) = signal {
        let _ = rustix::process::kill_process(rustix::process::getpid(), signal);
        // Where it does not end at once, it is about to.
        std::thread::sleep(Duration::from_secs(1));
    }
    std::process::exit(status.exit_status().unwrap_or(1))
}

/// The process of one task.
fn perform(worker: u32, task: &Task, mut pipe: PipeWriter) -> i32 {
    if parent::end_with(worker).is_none() {
        return 1;
    }
    let mut told = Instant::now();
    let mut report = |progress: Progress| {
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            // Where nobody listens, this process is about to be ended.
            let _ = protocol::write(&mut pipe, &Answer::Progress(progress));
        }
    };
    // Nobody sets it: a task is stopped by ending its process.
    let never = Cancel::new();
    let answer = match attempt(task, &mut Watch::new(&never, &mut report)) {
        Ok(found) => Answer::Done(found),
        Err(JobError { error, log }) => Answer::Failed {
            error: Told::from(&error),
            log,
        },
    };
    match protocol::write(&mut pipe, &answer) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

fn attempt(task: &Task, watch: &mut Watch) -> Result<Found, JobError> {
    Ok(match task {
        Task::Start => {
            watch.advance(Progress::default())?;
            Found::Started
        }
        Task::Run { job, targets } => Found::Ran(Linked.run(job, targets, watch)?),
        Task::Probe { source } => Found::Probed(Linked.probe(source, watch)?),
        Task::Survey(job) => Found::Survey(Linked.survey(job, watch)?),
        Task::DeadStreams(job) => Found::DeadStreams(Linked.dead_streams(job, watch)?),
        Task::Verify(known) => {
            let evidence = Evidence {
                job: &known.job,
                product: &known.product,
                frames: known.frames,
                survey: &known.survey,
                damaged: &known.damaged,
            };
            Found::Checked(Linked.verify(&known.path, &evidence, watch)?)
        }
    })
}
