//! What a run would measure, found out without making anything.

use serde::Serialize;

use super::jobs::{length_s, plans, refused};
use super::matrix::{CellKey, Options};
use super::results::{Dispatch, Results, Work};
use super::stopping::{LOOKS, MOST_ROUNDS};
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::plan::Refused;

/// What a run would measure.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Ahead {
    /// The loads.
    pub works: Vec<Work>,
    /// The dispatches.
    pub dispatches: Vec<Dispatch>,
    /// The worker counts.
    pub workers: Vec<usize>,
    /// Codec threads a job.
    pub codec_threads: Vec<usize>,
    /// Cells of a round.
    pub cells: usize,
    /// The fewest rounds that are asked for, and the most.
    pub rounds: [usize; 2],
    /// Time allowed, in seconds.
    pub budget_s: f64,
    /// Clips that every media cell works on; 0 where the samples are still to be made.
    pub clips: usize,
    /// Their length together, in seconds.
    pub clips_s: f64,
    /// Seconds of work in a round, where an earlier run in the same folder has all its cells.
    pub round_s: Option<f64>,
}

impl Ahead {
    /// What a run with `options` would measure, and the clips that it would leave out.
    ///
    /// # Errors
    /// Where clips are given, and none can be worked on.
    pub fn of(
        options: &Options,
        before: Option<&Results>,
        cancel: &Cancel,
    ) -> Result<(Self, Vec<Refused>)> {
        let mut ahead = Self {
            works: options.works.clone(),
            dispatches: options.dispatches.clone(),
            workers: options.workers.clone(),
            codec_threads: options.codec_threads.clone(),
            cells: options.cells().len(),
            rounds: match options.rounds {
                Some(rounds) => [rounds; 2],
                None => [LOOKS[0], MOST_ROUNDS],
            },
            budget_s: options.budget_s,
            round_s: before.and_then(|before| round_s(options, before)),
            ..Self::default()
        };
        if options.sources.is_empty() {
            return Ok((ahead, vec![]));
        }
        let plans = plans(options, &options.output, cancel)?;
        if let Some(plan) = plans.values().find(|plan| !plan.jobs.is_empty()) {
            ahead.clips = plan.jobs.len();
            ahead.clips_s = length_s(&plan.jobs, cancel)?;
        }
        Ok((ahead, refused(&plans)))
    }
}

/// What the cells of a round took in an earlier run; nothing where it lacks one of them.
fn round_s(options: &Options, before: &Results) -> Option<f64> {
    let took = |key: CellKey| {
        let cell = before.cell(key.load, key.dispatch, key.workers);
        cell.map(|cell| cell.median_s)
    };
    options.cells().into_iter().map(took).sum()
}
