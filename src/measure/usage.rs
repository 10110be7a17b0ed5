//! One process and all that it starts, run to its end and accounted for.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use wait4::Wait4;

use super::memory::Peak;
use super::others;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// Time between two looks at the memory: short against a cell, long against
/// the look itself (about a tenth of a millisecond a process).
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The longest time between two looks, where they take long.
const LOOK_AT_LEAST_EVERY: Duration = Duration::from_millis(200);

/// Time to the first look, and then twice as long to each next one up to
/// `LOOK_EVERY`, so that a short cell is seen, too.
const FIRST_LOOK: Duration = Duration::from_millis(4);

/// Time that a process has to end by itself once it is asked to.
const GRACE: Duration = Duration::from_secs(10);

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
    /// Highest sum of proportional set sizes seen; where the system tells none, the largest
    /// resident set.
    pub peak_memory_bytes: u64,
    /// What the kernel counted besides, descendants included.
    pub kernel: Kernel,
    /// CPU time that others used meanwhile, where the system tells.
    pub others: Option<Duration>,
    /// Mean clock rate of the cores at its end, where the system tells.
    pub clock_mhz: Option<f64>,
}

/// What the kernel counts of processes besides their time and memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kernel {
    /// Times that one had to wait for something.
    pub voluntary_switches: u64,
    /// Times that one had to make way for another.
    pub involuntary_switches: u64,
    /// Pages that came without reading.
    pub minor_faults: u64,
    /// Pages that had to be read.
    pub major_faults: u64,
    /// Bytes that were read from disks: what is cached is not.
    pub read_bytes: u64,
    /// Bytes that were written to disks, or are to be.
    pub written_bytes: u64,
}

/// Size of the blocks that the kernel counts reads and writes in.
const BLOCK: u64 = 512;

impl Kernel {
    /// Of all children that have ended so far.
    fn of_children() -> Self {
        let Ok(used) = getrusage(UsageWho::RUSAGE_CHILDREN) else {
            return Self::default();
        };
        let count = |number| u64::try_from(number).unwrap_or(0);
        Self {
            voluntary_switches: count(used.voluntary_context_switches()),
            involuntary_switches: count(used.involuntary_context_switches()),
            minor_faults: count(used.minor_page_faults()),
            major_faults: count(used.major_page_faults()),
            read_bytes: count(used.block_reads()).saturating_mul(BLOCK),
            written_bytes: count(used.block_writes()).saturating_mul(BLOCK),
        }
    }

    /// What was added since `before`.
    fn since(self, before: Self) -> Self {
        Self {
            voluntary_switches: self
                .voluntary_switches
                .saturating_sub(before.voluntary_switches),
            involuntary_switches: self
                .involuntary_switches
                .saturating_sub(before.involuntary_switches),
            minor_faults: self.minor_faults.saturating_sub(before.minor_faults),
            major_faults: self.major_faults.saturating_sub(before.major_faults),
            read_bytes: self.read_bytes.saturating_sub(before.read_bytes),
            written_bytes: self.written_bytes.saturating_sub(before.written_bytes),
        }
    }
}

/// CPU time of this process itself.
fn own_time() -> Duration {
    let Ok(used) = getrusage(UsageWho::RUSAGE_SELF) else {
        return Duration::ZERO;
    };
    let time = used.user_time() + used.system_time();
    let seconds = time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Duration::from_secs_f64(seconds.max(0.0))
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
    let (children, own, busy) = (Kernel::of_children(), own_time(), others::busy());
    let began = Instant::now();
    let mut child = command.spawn().map_err(broken)?;
    let (mut stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let ended = AtomicBool::new(false);
    let process = child.id();
    let (output, used, peak) = std::thread::scope(|scope| {
        let looking = scope.spawn(|| look(process, &ended, cancel));
        if let Some(stdin) = &mut stdin {
            // A child that ends at once shows in its status.
            let _ = stdin.write_all(input).and_then(|()| stdin.flush());
        }
        let mut output = Vec::new();
        let read = stdout.map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut output));
        let used = child.wait4();
        ended.store(true, Ordering::Relaxed);
        looking.thread().unpark();
        (read.map(|_| output), used, looking.join().unwrap_or(0))
    });
    let wall = began.elapsed();
    if cancel.is_set() {
        return Err(Error::interrupted());
    }
    let used = used.map_err(broken)?;
    let ours = own_time().saturating_sub(own) + used.rusage.utime + used.rusage.stime;
    let busy = others::busy().and_then(|after| after.checked_sub(busy?));
    let usage = Usage {
        status: used.status,
        wall,
        user: used.rusage.utime,
        system: used.rusage.stime,
        // Where the system tells no proportional sizes, the largest resident set is what is left.
        peak_memory_bytes: match peak {
            0 => used.rusage.maxrss,
            seen => seen,
        },
        kernel: Kernel::of_children().since(children),
        others: busy.and_then(|busy| others::by_others(busy, ours)),
        clock_mhz: others::clock_mhz(),
    };
    Ok((output.map_err(broken)?, usage))
}

/// Looks at the family's memory until it ended, and passes a stop on; returns
/// the peak in bytes.
fn look(process: u32, ended: &AtomicBool, cancel: &Cancel) -> u64 {
    let group = i32::try_from(process).ok().and_then(Pid::from_raw);
    let (mut peak, mut pause) = (Peak::of(process), FIRST_LOOK);
    let mut told: Option<Instant> = None;
    loop {
        let rest = match pause < LOOK_EVERY {
            // A short cell has no more than these.
            true => Duration::ZERO,
            false => peak.rest().min(LOOK_AT_LEAST_EVERY),
        };
        std::thread::park_timeout(pause.max(rest));
        if ended.load(Ordering::Relaxed) {
            return peak.bytes();
        }
        pause = (pause * 2).min(LOOK_EVERY);
        peak.look();
        let signal = match told {
            None => Signal::TERM,
            // What does not hear is not waited for.
            Some(since) if since.elapsed() > GRACE => Signal::KILL,
            Some(_) => continue,
        };
        if let (true, Some(group)) = (cancel.is_set(), group) {
            told = told.or(Some(Instant::now()));
            let _ = kill_process_group(group, signal);
        }
    }
}
