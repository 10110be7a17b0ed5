//! Runs a program with all its children under ptrace, and makes one system call of them fail.
//!
//! A seccomp filter stops the calls of one class, in every thread of every process; all others
//! run at full speed. The program is started through this one (see [`shim`]), which installs
//! the filter: so no code runs between `fork` and `exec`, and none of it is unsafe.

use std::collections::HashSet;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill, raise};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter};

use crate::calls::{CLASSES, Class, Fault, class, known};
use crate::registers::Call;
use crate::site::Site;
use crate::watchdog::Watchdog;

/// The first argument of [`shim`].
pub const SHIM: &str = "--start-filtered";

/// How long processes may outlive the program.
const SOON: Duration = Duration::from_secs(5);

/// One fault: the `nth` call of `class`, counted from 1 over all processes.
#[derive(Clone, Copy)]
pub struct Injection {
    pub class: &'static Class,
    pub fault: Fault,
    pub nth: u64,
}

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Code(i32),
    Signal(Signal),
}

/// What was seen of a run.
pub struct Traced {
    pub end: End,
    /// All calls, if they were recorded.
    pub calls: Vec<(&'static Class, Site)>,
    /// The call that failed first; none if the run has fewer calls.
    pub hit: Option<Site>,
    /// What processes did when they were killed for being too slow.
    pub hung: Option<String>,
    /// Processes ran on after the program had ended.
    pub outlived: Option<String>,
}

/// What to do with the calls.
#[derive(Clone, Copy)]
pub enum Task {
    Record,
    Inject(Injection),
}

/// Starts `arguments[1..]` with a filter for the classes that `arguments[0]` names.
pub fn shim(arguments: &[String]) -> ExitCode {
    let started = arguments
        .split_first()
        .ok_or_else(|| io::Error::other("no arguments"));
    let error = started.and_then(|(names, command)| {
        let filter = filter(names)?;
        // Until this is traced; without a tracer, the calls would fail.
        raise(Signal::SIGSTOP)?;
        apply_filter(&filter).map_err(io::Error::other)?;
        Err::<(), _>(Command::new(&command[0]).args(&command[1..]).exec())
    });
    eprintln!("cannot start: {error:?}");
    ExitCode::from(120)
}

fn filter(names: &str) -> io::Result<BpfProgram> {
    let classes = CLASSES
        .iter()
        .filter(|class| names == "all" || names == class.name);
    let numbers = classes.flat_map(|class| class.calls.iter().map(|(_, number)| *number));
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let (allow, stop) = (SeccompAction::Allow, SeccompAction::Trace(0));
    SeccompFilter::new(
        numbers.map(|number| (number, vec![])).collect(),
        allow,
        stop,
        arch,
    )
    .and_then(BpfProgram::try_from)
    .map_err(io::Error::other)
}

/// Runs `command` to its end, and all processes that it starts.
pub fn run(mut command: Command, task: Task, late: Duration) -> io::Result<Traced> {
    let child = command.spawn()?;
    let root = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    let flags = WaitPidFlag::WUNTRACED | WaitPidFlag::__WALL;
    if !matches!(waitpid(root, Some(flags))?, WaitStatus::Stopped(..)) {
        return Err(io::Error::other("the program did not start"));
    }
    let options = Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_TRACESECCOMP
        | Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(root, options)?;
    kill(root, Signal::SIGCONT)?;
    let watchdog = Watchdog::start(root, Instant::now() + late);
    let mut tree = Tree::new(root, task, watchdog);
    tree.follow()?;
    Ok(tree.traced())
}

/// The command that starts `program` through [`shim`].
pub fn command(own: &Path, task: Task, program: &Path) -> Command {
    let classes = match task {
        Task::Record => "all",
        Task::Inject(injection) => injection.class.name,
    };
    let mut command = Command::new(own);
    command.args([SHIM, classes]).arg(program);
    command
}

struct Tree {
    root: Pid,
    task: Task,
    watchdog: Watchdog,
    /// Whether the program itself runs, and not the shim.
    armed: bool,
    count: u64,
    end: Option<End>,
    calls: Vec<(&'static Class, Site)>,
    hit: Option<Site>,
    /// Calls that are done before they return an error.
    fail_at_end: HashSet<Pid>,
}

impl Tree {
    fn new(root: Pid, task: Task, watchdog: Watchdog) -> Self {
        Self {
            root,
            task,
            watchdog,
            armed: false,
            count: 0,
            end: None,
            calls: vec![],
            hit: None,
            fail_at_end: HashSet::new(),
        }
    }

    /// Waits for the end of all processes.
    fn follow(&mut self) -> nix::Result<()> {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            match waitpid(None, Some(flags)) {
                Ok(status) => self.take(status),
                Err(Errno::ECHILD) => return Ok(()),
                // The status holds a signal that `nix` has no name for.
                Err(Errno::EINTR | Errno::EINVAL) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take(&mut self, status: WaitStatus) {
        // A process may be gone at any moment: then there is nothing to do with it.
        let _ = match status {
            WaitStatus::Exited(pid, code) => {
                self.ended(pid, End::Code(code));
                Ok(())
            }
            WaitStatus::Signaled(pid, signal, _) => {
                self.ended(pid, End::Signal(signal));
                Ok(())
            }
            WaitStatus::PtraceEvent(pid, _, event) => self.event(pid, event),
            WaitStatus::PtraceSyscall(pid) => self.end_of_call(pid),
            WaitStatus::Stopped(pid, signal) => ptrace::cont(pid, signal),
            _ => Ok(()),
        };
    }

    fn ended(&mut self, pid: Pid, end: End) {
        self.watchdog.remove(pid);
        if pid == self.root {
            self.end = Some(end);
            self.watchdog.program_ended(Instant::now() + SOON);
        }
    }

    fn event(&mut self, pid: Pid, event: i32) -> nix::Result<()> {
        match event {
            // A group that is to stand still runs on: only its speed changes.
            libc::PTRACE_EVENT_STOP if !self.watchdog.add(pid) => {
                return kill(pid, Signal::SIGKILL);
            }
            // Only the program itself runs `exec` before it is armed.
            libc::PTRACE_EVENT_EXEC => self.armed = true,
            libc::PTRACE_EVENT_SECCOMP if self.armed => return self.call(pid),
            _ => {}
        }
        ptrace::cont(pid, None)
    }

    /// A call that is about to be done.
    fn call(&mut self, pid: Pid) -> nix::Result<()> {
        let call = Call::of(pid)?;
        let Some((class, name)) = known(call.number()) else {
            return ptrace::cont(pid, None);
        };
        if never_fails(pid, &call) {
            return ptrace::cont(pid, None);
        }
        self.count += 1;
        match self.task {
            Task::Record => self.calls.push((class, Site::of(pid, &call, name))),
            Task::Inject(injection) if injection.is_due(self.count) => {
                if self.hit.is_none() {
                    self.hit = Some(Site::of(pid, &call, name));
                }
                return self.inject(pid, call, injection.fault);
            }
            Task::Inject(_) => {}
        }
        ptrace::cont(pid, None)
    }

    fn inject(&mut self, pid: Pid, call: Call, fault: Fault) -> nix::Result<()> {
        let number = match fault {
            Fault::Error(_, number) => number,
            Fault::Burst(..) => libc::EIO,
            Fault::NoMemory => libc::ENOMEM,
            Fault::Short => {
                call.halve(pid)?;
                return ptrace::cont(pid, None);
            }
            Fault::Kill => {
                self.watchdog.kill_all();
                return Ok(());
            }
        };
        // The system closes the descriptor also where it reports an error.
        if call.number() == libc::SYS_close {
            self.fail_at_end.insert(pid);
            return ptrace::syscall(pid, None);
        }
        // It reports an error by the old end of the heap; 0 is below every new one.
        let result = match call.number() {
            libc::SYS_brk => 0,
            _ => i64::from(-number),
        };
        call.skip(pid, result)?;
        ptrace::cont(pid, None)
    }

    /// A call that is done.
    fn end_of_call(&mut self, pid: Pid) -> nix::Result<()> {
        if self.fail_at_end.remove(&pid)
            && let Task::Inject(injection) = self.task
            && let Fault::Error(_, number) = injection.fault
        {
            Call::of(pid)?.end_with(pid, i64::from(-number))?;
        }
        ptrace::cont(pid, None)
    }

    fn traced(self) -> Traced {
        let (hung, outlived) = self.watchdog.findings();
        Traced {
            end: self.end.unwrap_or(End::Signal(Signal::SIGKILL)),
            calls: self.calls,
            hit: self.hit,
            hung,
            outlived,
        }
    }
}

/// Calls that fail on no system, so that nobody is prepared for it.
fn never_fails(pid: Pid, call: &Call) -> bool {
    match call.number() {
        // It only asks where the heap ends.
        libc::SYS_brk => call.argument(0) == 0,
        // No file system is asked when a folder is closed.
        libc::SYS_close => {
            let number = call.argument(0) as i32;
            Path::new(&format!("/proc/{pid}/fd/{number}")).is_dir()
        }
        _ => false,
    }
}

impl End {
    pub fn of(status: ExitStatus) -> Self {
        let signal = status
            .signal()
            .and_then(|signal| Signal::try_from(signal).ok());
        match status.code() {
            Some(code) => Self::Code(code),
            None => Self::Signal(signal.unwrap_or(Signal::SIGKILL)),
        }
    }
}

impl Injection {
    fn is_due(&self, count: u64) -> bool {
        count >= self.nth && count - self.nth < self.fault.length()
    }

    /// From `CLASS/FAULT/N`.
    pub fn parse(words: &[&str]) -> Option<Self> {
        let [name, fault, nth] = words else {
            return None;
        };
        let class = class(name)?;
        let fault = *class.faults.iter().find(|known| known.name() == *fault)?;
        let nth = nth.parse().ok()?;
        Some(Self { class, fault, nth })
    }
}

impl std::fmt::Display for Injection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.class.name, self.fault.name(), self.nth)
    }
}
