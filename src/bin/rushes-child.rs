//! What `rushes` starts for one job of `--dispatch processes`. It links no
//! libav, so that starting it costs what starting a small process costs.
//!
//! `rushes-child PARENT cpu ITERATIONS` and `rushes-child PARENT io
//! MILLISECONDS` run a reference load; `rushes-child PARENT run PROGRAM
//! ARGUMENT…` becomes that program. With `fenced MEMORY N READ… N START… N
//! WRITE… PROGRAM ARGUMENT…` it does so behind a fence, and takes no more than
//! so many bytes of memory. In any case the process ends with the one that
//! started it, whose id is PARENT: also when that is killed.

#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

#[path = "../engine/fence.rs"]
mod fence;
#[path = "../engine/reference.rs"]
mod reference;

use fence::Fence;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [parent, kind, amount, rest @ ..] = arguments.as_slice() else {
        return usage();
    };
    let Some(parent) = number(parent) else {
        return usage();
    };
    if end_with_parent(parent).is_none() {
        return ExitCode::FAILURE;
    }
    match (kind.to_str(), number(amount)) {
        (Some("cpu"), Some(iterations)) => reference::compute(iterations, || true),
        (Some("io"), Some(ms)) => reference::wait(Duration::from_millis(ms), || true),
        (Some("run"), _) => return become_program(amount, rest),
        (Some("fenced"), Some(memory)) => {
            let Some((fence, [program, arguments @ ..])) = fence_of(rest) else {
                return usage();
            };
            limit_memory(memory);
            fence.close();
            return become_program(program, arguments);
        }
        _ => return usage(),
    };
    ExitCode::SUCCESS
}

fn become_program(program: &OsStr, arguments: &[OsString]) -> ExitCode {
    // Comes back only where it failed.
    let error = Command::new(program).args(arguments).exec();
    tell(&format!("cannot start '{}': {error}", program.display()));
    ExitCode::from(127)
}

/// The fence that three lists of paths tell of, each with its length before it,
/// and what comes after them.
fn fence_of(arguments: &[OsString]) -> Option<(Fence, &[OsString])> {
    let (read, rest) = list(arguments)?;
    let (start, rest) = list(rest)?;
    let (write, rest) = list(rest)?;
    Some((Fence { read, start, write }, rest))
}

fn list(arguments: &[OsString]) -> Option<(Vec<PathBuf>, &[OsString])> {
    let (count, rest) = arguments.split_first()?;
    let count = usize::try_from(number(count)?).ok()?;
    let (paths, rest) = rest.split_at_checked(count)?;
    Some((paths.iter().map(PathBuf::from).collect(), rest))
}

/// Memory that can be written to, and is not merely reserved.
fn limit_memory(most: u64) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let most = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        // Where the system has a lower limit already, that is kept.
        let _ = setrlimit(Resource::Data, most);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = most;
}

fn number(text: &OsStr) -> Option<u64> {
    text.to_str()?.parse().ok()
}

/// Asks the system to kill this process when its parent dies; `None` where it is dead already.
fn end_with_parent(parent: u64) -> Option<()> {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let now = rustix::process::getppid()?.as_raw_nonzero().get();
    (u64::from(now.unsigned_abs()) == parent).then_some(())
}

fn usage() -> ExitCode {
    tell(
        "usage: rushes-child PARENT cpu ITERATIONS | io MILLISECONDS | run PROGRAM ARGUMENT… \
         | fenced MEMORY N READ… N START… N WRITE… PROGRAM ARGUMENT…",
    );
    ExitCode::from(2)
}

/// Says so where somebody listens.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
