//! A batch of which one job's process is killed while it runs.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::bench::cell::{self, Report, Spec};
use crate::bench::results::Dispatch;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::measure::busiest_child;

/// What a kill has hit.
pub(super) enum Killed {
    /// It came too late, or there was nothing to kill.
    Nothing,
    /// The program with all of its jobs.
    All,
    /// What ran one job; the others went on.
    One(Report),
}

/// Runs `spec` and kills, so long after the start, what runs one of its jobs.
pub(super) fn killed_after(spec: &Spec, after: Duration, cancel: &Cancel) -> Result<Killed> {
    let broken = |error| Error::failed("cannot run a batch to kill").because(error);
    let mut command = cell::command(spec)?;
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = command.spawn().map_err(broken)?;
    // It stays open to the end: its closing would stop the batch.
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &mut stdin {
        let _ = stdin.write_all(&cell::line(spec)?);
    }
    cancel.sleep(after);
    let killed = kill_one(spec.dispatch, child.id());
    let group = pid(child.id());
    let mut output = vec![];
    if let Some(stdout) = &mut child.stdout {
        let reading = read_until_cancelled(stdout, group, cancel);
        output = reading.map_err(broken)?;
    }
    let _ = child.wait();
    drop(stdin);
    if cancel.is_set() {
        return Err(Error::interrupted());
    }
    let report: Option<Report> = serde_json::from_slice(&output).ok();
    Ok(match (killed, spec.dispatch, report) {
        (false, ..) => Killed::Nothing,
        (true, _, None) => Killed::All,
        (true, Dispatch::Threads, Some(_)) => Killed::Nothing,
        // There a kill costs the job; where none was lost, it hit what had ended.
        (true, Dispatch::Processes, Some(report)) if report.failures.is_empty() => Killed::Nothing,
        (true, _, Some(report)) => Killed::One(report),
    })
}

fn pid(process: u32) -> Option<Pid> {
    i32::try_from(process).ok().and_then(Pid::from_raw)
}

/// Reads all of `from`; where `cancel` is set meanwhile, `group` is ended.
fn read_until_cancelled(
    from: &mut impl Read,
    group: Option<Pid>,
    cancel: &Cancel,
) -> std::io::Result<Vec<u8>> {
    let done = Cancel::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.is_set() {
                if let (true, Some(group)) = (cancel.is_set(), group) {
                    let _ = kill_process_group(group, Signal::KILL);
                    return;
                }
                done.sleep(Duration::from_millis(50));
            }
        });
        let mut bytes = vec![];
        let read = from.read_to_end(&mut bytes);
        done.set();
        read.map(|_| bytes)
    })
}

/// Kills what runs one of the jobs of the batch in `process`; whether there was such.
fn kill_one(dispatch: Dispatch, process: u32) -> bool {
    // There may be a moment between two jobs.
    const PATIENCE: Duration = Duration::from_secs(2);
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        let victim = match dispatch {
            Dispatch::Threads => Some(process),
            Dispatch::Processes | Dispatch::Workers => busiest_child(process),
        };
        if let Some(victim) = victim.and_then(pid) {
            return kill_process(victim, Signal::KILL).is_ok();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}
