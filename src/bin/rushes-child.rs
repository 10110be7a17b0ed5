//! What `rushes` starts for one job of `--dispatch processes`. It links no
//! libav, so that starting it costs what starting a small process costs.
//!
//! `rushes-child PARENT cpu ITERATIONS` and `rushes-child PARENT io
//! MILLISECONDS` run a reference load; `rushes-child PARENT run PROGRAM
//! ARGUMENT…` becomes that program. With `limited MEMORY PROGRAM ARGUMENT…` it
//! does so, and takes at most MEMORY bytes; with `sandboxed MEMORY KIND
//! STRENGTH N READ… N START… N WRITE… PROGRAM ARGUMENT…` it does so in a sandbox, or ends
//! if that has not this strength. In any case the process ends with the one that
//! started it, whose id is PARENT: also when that is killed.

#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::time::Duration;

#[path = "../engine/reference.rs"]
mod reference;
#[path = "../engine/sandbox/mod.rs"]
mod sandbox;

use sandbox::Sandbox;

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
        (Some("limited"), Some(memory)) => {
            limit_memory(memory);
            return become_limited(rest);
        }
        (Some("sandboxed"), Some(memory)) => {
            let Some((sandbox, least, rest)) = Sandbox::of_arguments(rest) else {
                return usage();
            };
            limit_memory(memory);
            if !sandbox.enter().covers(least) {
                tell(
                    "the system did not put it into the sandbox that others are in (--sandbox off does without)",
                );
                return ExitCode::from(126);
            }
            return become_limited(rest);
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

fn become_limited(command: &[OsString]) -> ExitCode {
    match command {
        [program, arguments @ ..] => become_program(program, arguments),
        [] => usage(),
    }
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
         | limited MEMORY PROGRAM ARGUMENT… | sandboxed MEMORY KIND STRENGTH N READ… N START… \
         N WRITE… PROGRAM ARGUMENT…",
    );
    ExitCode::from(2)
}

/// Says so where somebody listens.
fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
