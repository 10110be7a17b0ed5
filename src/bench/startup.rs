//! What it costs to start a job that does nothing.

use std::time::Instant;

use super::results::Work;
use super::stats::median;
use crate::dispatch::Cancel;
use crate::engine::{Engine, Watch};
use crate::error::Result;
use crate::job::{self, Job, Load};

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
        let nothing = Job {
            id: 0,
            name: String::new(),
            work: job::Work::Load(Load::Io { milliseconds: 0 }),
            cost: 0.0,
            kind: String::new(),
        };
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

fn typical_ms(mut start: impl FnMut() -> Result<()>) -> Result<f64> {
    let mut trials = Vec::with_capacity(TRIALS);
    for _ in 0..TRIALS {
        let began = Instant::now();
        start()?;
        trials.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(&trials).unwrap_or(0.0))
}
