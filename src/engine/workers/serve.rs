//! The worker's side: one task after the other, on the one thread that it has.
//!
//! It opens no files: it asks for them, and gets them as descriptors. Where it
//! crashes, that costs the task alone.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit};

use super::protocol::{self, Answer, Found, Request, Task, VERSION};
use super::socket::Socket;
use super::worker::MOST_MEMORY;
use crate::dispatch::{Cancel, Spare};
use crate::engine::sandbox::{Sandbox, Strength};
use crate::engine::{Engine, JobError, Linked, Watch, captured, child};
use crate::error::{Error, Result, Told};
use crate::job::{Limits, Progress, SandboxMode};
use crate::media::files::{self, Access};
use crate::media::verify::Evidence;
use crate::media::{self, bounds, fstat, heap, inherited, pulse};

/// Progress is told at most so often.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);

/// That a task goes on is told at most so often.
const ALIVE_EVERY: Duration = Duration::from_millis(50);

/// After tasks that took so long, memory is given back to the system: the next one would
/// get the free pieces in between, and need more besides. Getting pages anew costs
/// little beside such a task, and much beside small ones.
const LONG: Duration = Duration::from_secs(1);

/// Closes what other processes had open when this one was started or copied.
#[allow(unsafe_code, reason = "a system call on files that are nobody's here")]
fn close_inherited() {
    // SAFETY: a worker serves before it opens anything. What the program had opened for other
    // workers before this one was copied is forgotten (`standby`), and never dropped here.
    unsafe { inherited::close() };
}

/// Takes tasks from stdin and answers on stdout, until stdin ends.
///
/// # Errors
/// Where the other side speaks another version or no such language, or is gone.
pub(crate) fn serve() -> Result<()> {
    close_inherited();
    heap::keep(MOST_MEMORY);
    let _ = rustix::thread::set_name(c"rushes worker");
    let broken = |error: io::Error| Error::failed("a worker has lost its program").because(error);
    let mut link = Link::take().map_err(broken)?;
    media::init();
    media::log::aloud();
    without_core_dumps();
    let hello = link.hear().map_err(broken)?;
    let strength = match &hello {
        Some(Request::Hello {
            version: VERSION,
            limits,
        }) => keep_within(limits.unwrap_or_default()),
        _ => Strength::default(),
    };
    link.say(&Answer::Hello {
        version: VERSION,
        files: strength.files,
        calls: strength.calls,
    })
    .map_err(broken)?;
    match hello {
        Some(Request::Hello {
            version: VERSION, ..
        }) => {}
        Some(Request::Hello { version, .. }) => return Err(other_version(version)),
        Some(_) => return Err(Error::usage("the first line is no hello")),
        None => return Ok(()),
    }
    let link = Arc::new(Mutex::new(link));
    let opening = Arc::clone(&link);
    files::open_by(Box::new(move |path, access| {
        lock(&opening).open(path, access)
    }));
    let beating = Arc::clone(&link);
    let mut told = Instant::now();
    pulse::listen(Box::new(move || {
        if told.elapsed() >= ALIVE_EVERY {
            told = Instant::now();
            // Where nobody listens, this process is about to be ended.
            let _ = lock(&beating).say(&Answer::Alive);
        }
    }));
    loop {
        let request = lock(&link).hear().map_err(broken)?;
        match request {
            Some(Request::Do(task)) => carry_out(&task, &link).map_err(broken)?,
            // The job that was meant has just ended.
            Some(Request::Threads(_)) => {}
            Some(_) => return Err(Error::usage("a line is not what is due")),
            None => return Ok(()),
        }
    }
}

/// What to say where the two sides are of different versions.
pub(super) fn other_version(other: u32) -> Error {
    Error::usage(format!(
        "the program and its worker speak different versions: {VERSION} here, {other} there"
    ))
    .cure("install rushes whole, and start it again")
}

/// A crash is told by its signal; its memory is no file to leave lying around.
fn without_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    let _ = rustix::process::setrlimit(Resource::Core, none);
}

/// Takes no media beyond `limits`, opens nothing that is not handed over, and
/// takes no more memory: that of the worker
/// itself is little, and one that keeps much is replaced by a fresh one.
pub fn keep_within(limits: Limits) -> Strength {
    bounds::set(limits);
    #[cfg(target_os = "linux")]
    {
        let most = Some(limits.memory);
        let most = Rlimit {
            current: most,
            maximum: most,
        };
        // What can be written to, and not merely reserved; where the system
        // has a lower limit already, that is kept.
        let _ = rustix::process::setrlimit(Resource::Data, most);
    }
    if limits.sandbox == SandboxMode::Off {
        return Strength::default();
    }
    fstat::answer();
    Sandbox::of_a_worker(limits.trust).enter()
}

/// The way to the program.
struct Link {
    input: BufReader<Socket>,
    output: File,
    // How many threads may work on the present job, as was heard last.
    threads: usize,
}

impl Link {
    /// Stdin and stdout, taken away from where libraries would find them: what
    /// they print goes to stderr.
    fn take() -> io::Result<Self> {
        let away = |file: BorrowedFd| rustix::io::fcntl_dupfd_cloexec(file, 3);
        let input: OwnedFd = away(io::stdin().as_fd())?;
        let output = away(io::stdout().as_fd())?;
        rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
        rustix::stdio::dup2_stdout(io::stderr())?;
        Ok(Self {
            input: BufReader::new(Socket::from(input)),
            output: output.into(),
            threads: 1,
        })
    }

    fn hear(&mut self) -> io::Result<Option<Request>> {
        protocol::read(&mut self.input)
    }

    /// How many threads may work on the present job, by all that was said so far.
    fn threads(&mut self) -> usize {
        while self
            .input
            .get_ref()
            .has_more(!self.input.buffer().is_empty())
        {
            match self.hear() {
                Ok(Some(Request::Threads(threads))) => self.threads = threads.max(1),
                // Whatever else is said now, the next one who listens finds out.
                _ => break,
            }
        }
        self.threads
    }

    fn say(&mut self, answer: &Answer) -> io::Result<()> {
        protocol::write(&mut self.output, answer)
    }

    /// Asks for a file.
    fn open(&mut self, path: &Path, access: Access) -> io::Result<File> {
        self.say(&Answer::Open {
            path: path.to_owned(),
            access,
        })?;
        loop {
            match self.hear()? {
                Some(Request::Opened { error: None }) => {
                    let file = self.input.get_mut().next_file();
                    return file.ok_or_else(|| io::Error::other("no file came with the answer"));
                }
                Some(Request::Opened { error: Some(code) }) => {
                    return Err(io::Error::from_raw_os_error(code));
                }
                Some(Request::Threads(threads)) => self.threads = threads.max(1),
                _ => return Err(io::Error::other("a file was asked for in vain")),
            }
        }
    }
}

fn carry_out(task: &Task, link: &Mutex<Link>) -> io::Result<()> {
    // What was said before is about another one.
    writeln!(io::stderr(), "{}", child::NEXT)?;
    let (threads, parts) = match task {
        Task::Run { threads, parts, .. } => (*threads, *parts),
        _ => (1, None),
    };
    let began = Instant::now();
    let mut told = began;
    let (spare, mut lent) = (Spare::default(), threads);
    spare.lend(1, threads);
    lock(link).threads = threads;
    let mut report = |progress: Progress| {
        if told.elapsed() >= PROGRESS_EVERY {
            told = Instant::now();
            let mut link = lock(link);
            // Where nobody listens, this process is about to be ended.
            let _ = link.say(&Answer::Progress(progress));
            let threads = link.threads();
            spare.lend(lent, threads);
            lent = threads;
        }
    };
    // Nobody sets it: a task is stopped by ending the worker.
    let never = Cancel::new();
    let mut watch = Watch::new(&never, &mut report)
        .with_help(Some(&spare))
        .in_parts(parts);
    let answer = match attempt(task, &mut watch) {
        Ok(found) => Answer::Done(found),
        Err(JobError { error, log }) => {
            // Libraries may have said more there.
            writeln!(io::stderr(), "{}", child::ENDED)?;
            Answer::Failed {
                error: Told::from(&error),
                log,
            }
        }
    };
    lock(link).say(&answer)?;
    if began.elapsed() >= LONG {
        heap::give_back();
    }
    Ok(())
}

fn lock(link: &Mutex<Link>) -> MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

fn attempt(task: &Task, watch: &mut Watch) -> Result<Found, JobError> {
    Ok(match task {
        Task::Start => {
            watch.advance(Progress::default())?;
            Found::Started
        }
        Task::Run { job, targets, .. } => Found::Ran(Linked.run(job, targets, watch)?),
        Task::Probe { source } => Found::Probed(Linked.probe(source, watch)?),
        Task::Survey(job) => Found::Survey(Linked.survey(job, watch)?),
        Task::DeadStreams(job) => Found::DeadStreams(Linked.dead_streams(job, watch)?),
        Task::Best(job) => Found::Best(Linked.best_ms(job, watch)?),
        Task::Cover {
            job,
            stream,
            target,
        } => {
            let format = &job.pipeline.input_format;
            captured(|| media::cover(&job.source, format, *stream, target, watch.cancel()))?;
            Found::Written
        }
        Task::Digest { path } => {
            let content = captured(|| media::hash::content(path, watch.cancel()))?;
            Found::Digest(content.digest())
        }
        Task::Decode { path } => {
            Found::Decoded(captured(|| media::intact::damage(path, watch.cancel()))?)
        }
        Task::Likeness { path, job } => {
            Found::Likeness(captured(|| media::likeness(path, job, watch.cancel()))?)
        }
        Task::Compare { a, b } => {
            Found::Difference(captured(|| media::difference(a, b, watch.cancel()))?)
        }
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
