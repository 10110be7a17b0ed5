//! One cell of the matrix in a process of its own, so that its time, CPU and
//! memory are its own. The specification comes as one JSON line on stdin, the
//! report goes as one JSON line to stdout.

use std::io::{BufRead, Read, Write};
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::results::{Dispatch, Lane};
use crate::dispatch::{Cancel, Split, Terms, dispatch_all};
use crate::engine::Watch;
use crate::error::{Error, Result};
use crate::job::{Job, Limits, Outcome, Verdict};
use crate::measure::{Usage, run_measured};

/// What a cell's process is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spec {
    /// How the jobs are run.
    pub dispatch: Dispatch,
    /// Jobs at once.
    pub workers: usize,
    /// The jobs.
    pub jobs: Vec<Job>,
    /// After how many milliseconds they are to be stopped.
    #[serde(default)]
    pub stop_after_ms: Option<u64>,
    /// Size of the frames that are only to be taken from stdin, in place of any jobs.
    #[serde(default)]
    pub take_frames_of: Option<usize>,
}

impl Spec {
    /// Runs `jobs` to their end.
    pub fn of(dispatch: Dispatch, workers: usize, jobs: Vec<Job>) -> Self {
        Self {
            dispatch,
            workers,
            jobs,
            stop_after_ms: None,
            take_frames_of: None,
        }
    }
}

/// What a cell's process has to say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// From the first job's start to the last one's end, in seconds.
    pub wall_s: f64,
    /// Frames encoded or pictures written.
    pub frames: u64,
    /// Bytes written.
    pub output_bytes: u64,
    /// When each job ran.
    pub lanes: Vec<Lane>,
    /// Reasons of failed jobs.
    pub failures: Vec<String>,
    /// Seconds from the moment at which the jobs were to be stopped until they were.
    #[serde(default)]
    pub stopped_in_s: Option<f64>,
}

/// A fresh process of this program that takes `spec` as a [`line()`] on its stdin.
///
/// # Errors
/// Where the program cannot be found.
pub fn command(spec: &Spec) -> Result<Command> {
    let own = std::env::current_exe()
        .map_err(|error| Error::failed("cannot find the running program").because(error))?;
    let mut command = Command::new(own);
    command.args(arguments(spec));
    Ok(command)
}

/// The arguments of such a process.
pub fn arguments(spec: &Spec) -> [String; 3] {
    // They stand by from the beginning, as those of `convert`.
    let workers = match spec.dispatch {
        Dispatch::Workers => spec.workers.min(spec.jobs.len()),
        Dispatch::Threads | Dispatch::Processes => 0,
    };
    ["cell".into(), "--workers".into(), workers.to_string()]
}

/// What such a process is told.
///
/// # Errors
/// Where it cannot be put in words.
pub fn line(spec: &Spec) -> Result<Vec<u8>> {
    let mut line = serde_json::to_vec(spec)
        .map_err(|error| Error::failed("cannot describe a cell").because(error))?;
    line.push(b'\n');
    Ok(line)
}

/// Runs `spec` in a fresh process of this program.
///
/// # Errors
/// Where the process cannot be run or a job failed, or `cancel` was set.
pub fn run(spec: &Spec, cancel: &Cancel) -> Result<(Report, Usage)> {
    let (report, usage) = try_run(spec, cancel)?;
    match report.failures.first() {
        Some(reason) => Err(Error::failed("a job of a cell failed").because(reason.clone())),
        None => Ok((report, usage)),
    }
}

/// The same, where jobs may fail.
///
/// # Errors
/// Where the process cannot be run, or `cancel` was set.
pub fn try_run(spec: &Spec, cancel: &Cancel) -> Result<(Report, Usage)> {
    let (output, usage) = run_measured(command(spec)?, &line(spec)?, cancel)?;
    let report: Report = serde_json::from_slice(&output).map_err(|error| {
        Error::failed(format!(
            "a cell's process ended without a report ({})",
            usage.status
        ))
        .because(error)
    })?;
    Ok((report, usage))
}

/// The child's side: reads a specification, runs it, writes the report.
///
/// # Errors
/// Where the specification cannot be read or the engine is missing.
pub fn serve(cancel: &Cancel) -> Result<()> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.map_err(|error| Error::failed("cannot read the cell's specification").because(error))?;
    let spec: Spec = serde_json::from_str(&line)
        .map_err(|error| Error::usage("no specification of a cell").because(error))?;
    if let Some(bytes) = spec.take_frames_of {
        return take_frames(bytes);
    }
    stop_with_parent(cancel);
    let engine = spec.dispatch.engine(Limits::default())?;
    let mut untold = |_| {};
    let mut watch = Watch::new(cancel, &mut untold);
    let ready = engine.prepare(&spec.jobs, spec.workers, &mut watch);
    ready.map_err(|failure| failure.error)?;
    let (events, _) = crossbeam_channel::bounded(0);
    // All dispatches are to do the same work.
    let terms = Terms {
        split: Split::Never,
        ..Terms::on(spec.workers)
    };
    let stopper = spec.stop_after_ms.map(|ms| stop_after(ms, cancel));
    let outcomes = dispatch_all(
        &spec.jobs,
        engine.as_ref(),
        &terms,
        cancel,
        &events,
        &|outcome| outcome,
    )?;
    let stopped_in_s = stopper.and_then(|stopper| stopper.get().map(Instant::elapsed));
    write(&Report {
        stopped_in_s: stopped_in_s.map(|time| time.as_secs_f64()),
        ..report(&spec.jobs, &outcomes)
    })
}

fn report(jobs: &[Job], outcomes: &[Outcome]) -> Report {
    let first = outcomes
        .iter()
        .map(|outcome| outcome.start_s)
        .fold(f64::INFINITY, f64::min);
    let last = outcomes
        .iter()
        .map(|outcome| outcome.end_s)
        .fold(0.0, f64::max);
    Report {
        wall_s: (last - first).max(0.0),
        frames: outcomes
            .iter()
            .filter_map(|outcome| outcome.done())
            .map(|done| done.frames)
            .sum(),
        output_bytes: outcomes
            .iter()
            .filter_map(|outcome| outcome.done())
            .map(|done| done.bytes)
            .sum(),
        lanes: outcomes
            .iter()
            .zip(jobs)
            .map(|(outcome, job)| Lane {
                job: job.name.clone(),
                slot: outcome.slot,
                start_s: outcome.start_s - first,
                end_s: outcome.end_s - first,
            })
            .collect(),
        failures: outcomes
            .iter()
            .zip(jobs)
            .filter_map(|(outcome, job)| match &outcome.verdict {
                Verdict::Failed(failure) => Some(format!("{}: {}", job.name, failure.reason)),
                Verdict::Cancelled => Some(format!("{}: stopped", job.name)),
                Verdict::Done(_) => None,
            })
            .collect(),
        stopped_in_s: None,
    }
}

fn write(report: &Report) -> Result<()> {
    let line = serde_json::to_string(report)
        .map_err(|error| Error::failed("cannot write the report").because(error))?;
    writeln!(std::io::stdout().lock(), "{line}")
        .map_err(|error| Error::failed("cannot write the report").because(error))
}

/// Sets `cancel` after so many milliseconds; then what is returned holds the moment.
fn stop_after(ms: u64, cancel: &Cancel) -> Arc<OnceLock<Instant>> {
    let stopped = Arc::new(OnceLock::new());
    let (cancel, told) = (cancel.clone(), Arc::clone(&stopped));
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(ms));
        let _ = told.set(Instant::now());
        cancel.set();
    });
    stopped
}

/// Takes frames of so many bytes from stdin, and answers each with a byte.
fn take_frames(bytes: usize) -> Result<()> {
    let lost = |error| Error::failed("cannot pass a frame").because(error);
    let (mut stdin, mut stdout) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut frame = vec![0; bytes];
    while stdin.read_exact(&mut frame).is_ok() {
        stdout
            .write_all(&frame[..1])
            .and_then(|()| stdout.flush())
            .map_err(lost)?;
    }
    Ok(())
}

/// Stdin stays open as long as the parent lives: where it closes, nobody wants the result.
fn stop_with_parent(cancel: &Cancel) {
    let cancel = cancel.clone();
    std::thread::spawn(move || {
        let mut rest = [0_u8; 64];
        while matches!(std::io::stdin().lock().read(&mut rest), Ok(count) if count > 0) {}
        cancel.set();
    });
}
