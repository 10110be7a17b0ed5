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

#[path = "../engine/parent.rs"]
mod parent;
#[path = "../engine/reference.rs"]
mod reference;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [parent, kind, amount, rest @ ..] = arguments.as_slice() else {
        return usage();
    };
    let Some(parent) = number(parent).and_then(|id| u32::try_from(id).ok()) else {
        return usage();
    };
    if parent::end_with(parent).is_none() {
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

fn usage() -> ExitCode {
    eprintln!(
        "usage: rushes-child PARENT cpu ITERATIONS | io MILLISECONDS | run PROGRAM ARGUMENT…"
    );
    ExitCode::from(2)
}
