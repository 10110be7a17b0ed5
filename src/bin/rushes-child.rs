//! What `rushes` starts for one job of `--dispatch processes`. It links no
//! libav, so that starting it costs what starting a small process costs.
//!
//! `rushes-child PARENT cpu ITERATIONS` and `rushes-child PARENT io
//! MILLISECONDS` run a reference load; `rushes-child PARENT run PROGRAM
//! ARGUMENT…` becomes that program. In any case the process ends with the one
//! that started it, whose id is PARENT: also when that is killed.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

#[path = "../engine/reference.rs"]
mod reference;

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
        (Some("run"), _) => {
            // Comes back only where it failed.
            let error = Command::new(amount).args(rest).exec();
            eprintln!("cannot start '{}': {error}", amount.display());
            return ExitCode::from(127);
        }
        _ => return usage(),
    };
    ExitCode::SUCCESS
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
    eprintln!(
        "usage: rushes-child PARENT cpu ITERATIONS | io MILLISECONDS | run PROGRAM ARGUMENT…"
    );
    ExitCode::from(2)
}
