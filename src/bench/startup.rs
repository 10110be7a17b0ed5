//! What it costs to start a job that does nothing, and a cell of such jobs.

use std::time::Instant;

use super::cell::{self, Spec};
use super::jobs::load_job;
use super::results::{Dispatch, Work};
use super::stats::median;
use crate::dispatch::Cancel;
use crate::engine::{Engine, Watch};
use crate::error::Result;
use crate::job::{Job, Load};

/// Repetitions; the median counts.
const TRIALS: usize = 9;

/// Milliseconds that starting one job costs on an engine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartUp {
    load_ms: f64,
    media_ms: f64,
}

impl StartUp {
    /// Measures `engine`: a load that does nothing, and the start of a media job.
    ///
    /// # Errors
    /// Where a program cannot be started, or `cancel` was set.
    pub fn measure(engine: &dyn Engine, cancel: &Cancel) -> Result<Self> {
        let nothing = nothing(0);
        let mut report = |_| {};
        let mut watch = Watch::new(cancel, &mut report);
        Ok(Self {
            load_ms: typical_ms(|| {
                let done = engine.run(&nothing, &[], &mut watch);
                done.map(drop).map_err(|failure| failure.error)
            })?,
            media_ms: typical_ms(|| {
                engine
                    .start_only(&mut watch)
                    .map_err(|failure| failure.error)
            })?,
        })
    }

    /// What starting one job of `work` costs.
    pub fn of(&self, work: Work) -> f64 {
        if work.one_job_a_worker() {
            self.load_ms
        } else {
            self.media_ms
        }
    }
}

/// A job that does nothing.
fn nothing(id: usize) -> Job {
    load_job(id, Work::Io, Load::Io { milliseconds: 0 })
}

/// CPU seconds of a cell whose workers have one job each that does nothing:
/// the less of two runs, since what disturbs only adds.
///
/// # Errors
/// Where the cell cannot be run, or `cancel` was set.
pub(super) fn empty_cpu_s(dispatch: Dispatch, workers: usize, cancel: &Cancel) -> Result<f64> {
    let jobs = (0..workers).map(nothing).collect();
    let spec = Spec::of(dispatch, workers, jobs);
    let mut least = f64::INFINITY;
    for _ in 0..2 {
        let (_, usage) = cell::run(&spec, cancel)?;
        least = least.min((usage.user + usage.system).as_secs_f64());
    }
    Ok(least)
}

fn typical_ms(mut start: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut trials = Vec::with_capacity(TRIALS);
    for _ in 0..TRIALS {
        let began = Instant::now();
        start()?;
        trials.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(&trials).unwrap_or(0.0))
}
