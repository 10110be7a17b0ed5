//! One process and all that it starts, run to its end and accounted for.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use wait4::Wait4;

use super::memory::family_bytes;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// Time between two looks at the memory: short against a cell, long against
/// the look itself (about half a millisecond a process).
const LOOK_EVERY: Duration = Duration::from_millis(60);

/// Time to the first look, and then twice as long to each next one up to
/// `LOOK_EVERY`, so that a short cell is seen, too.
const FIRST_LOOK: Duration = Duration::from_millis(2);

/// What a process and its descendants used.
#[derive(Debug, Clone)]
pub struct Usage {
    /// How it ended.
    pub status: ExitStatus,
    /// From before its start to after its end.
    pub wall: Duration,
    /// User CPU time, descendants included.
    pub user: Duration,
    /// System CPU time, descendants included.
    pub system: Duration,
    /// Highest sum of proportional set sizes seen; where the system tells none, the largest resident set.
    pub peak_memory_bytes: u64,
}

/// Runs `command`, writes `input` to its stdin (and keeps that open until the
/// end: its closing tells the child that this process is gone), and returns
/// what it wrote to stdout and what it used.
///
/// # Errors
/// Where it cannot be started or waited for, or `cancel` was set.
pub fn run_measured(
    mut command: Command,
    input: &[u8],
    cancel: &Cancel,
) -> Result<(Vec<u8>, Usage)> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0);
    let broken =
        |error: std::io::Error| Error::failed("cannot run a measured process").because(error);
    let began = Instant::now();
    let mut child = command.spawn().map_err(broken)?;
    let (mut stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let (ended, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    let process = child.id();
    let (output, used) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| look(process, &ended, &peak, cancel));
        if let Some(stdin) = &mut stdin {
            // A child that ends at once shows in its status.
            let _ = stdin.write_all(input).and_then(|()| stdin.flush());
        }
        let mut output = Vec::new();
        let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut output));
        let used = child.wait4();
        ended.store(true, Ordering::Relaxed);
        looking.thread().unpark();
        (read.map(|_| output), used)
    });
    let wall = began.elapsed();
    if cancel.is_set() {
        return Err(Error::interrupted());
    }
    let used = used.map_err(broken)?;
    let usage = Usage {
        status: used.status,
        wall,
        user: used.rusage.utime,
        system: used.rusage.stime,
        // Where the system tells no proportional sizes, the largest resident set is what is left.
        peak_memory_bytes: match peak.into_inner() {
            0 => used.rusage.maxrss,
            seen => seen,
        },
    };
    Ok((output.map_err(broken)?, usage))
}

/// Looks at the family's memory until it ended, and passes a stop on.
fn look(process: u32, ended: &AtomicBool, peak: &AtomicU64, cancel: &Cancel) {
    let (mut told, mut pause) = (false, FIRST_LOOK);
    while !ended.load(Ordering::Relaxed) {
        if cancel.is_set() && !told {
            told = true;
            if let Some(group) = i32::try_from(process).ok().and_then(Pid::from_raw) {
                let _ = kill_process_group(group, Signal::TERM);
            }
        }
        std::thread::park_timeout(pause);
        pause = (pause * 2).min(LOOK_EVERY);
        peak.fetch_max(family_bytes(process), Ordering::Relaxed);
    }
}
