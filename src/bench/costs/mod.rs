//! What a dispatch costs besides the work: the pros and cons that the original
//! exercise listed without a number, measured.

mod kill;
mod passing;
mod stops;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::matrix::Matrix;
use super::results::{Cell, Dispatch, Sample, Work};
use super::stats::median;
use crate::dispatch::Cancel;
use crate::error::{Kind, Result};

/// The name of [`Cost::cancel_ms`] in tables and notes.
pub const CANCEL: &str = "from cancel to stopped";

/// The name of [`Cost::crash`].
pub const CRASH: &str = "a crash in a job costs";

/// The name of [`Cost::frame_us`].
pub const PASSING: &str = "passing a 720p frame on";

/// What one dispatch costs besides the work; what was not measured is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// How jobs are run.
    pub dispatch: Dispatch,
    /// The load of which memory, stops and crashes are told.
    pub work: Work,
    /// Memory that each further worker takes: the median slope over worker counts.
    pub memory_per_worker_bytes: Option<f64>,
    /// Milliseconds that starting one job costs.
    pub start_ms: Option<f64>,
    /// Milliseconds from a cancel until all has stopped: median of a few.
    pub cancel_ms: Option<f64>,
    /// What it costs the others where what runs a job is killed.
    pub crash: Option<Crash>,
    /// Microseconds that passing one 720p frame to another worker takes.
    pub frame_us: Option<f64>,
    /// What more workers than cores change.
    pub beyond: Option<Beyond>,
}

/// What it costs the others where what runs a job is killed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Crash {
    /// Jobs that there were.
    pub jobs: usize,
    /// Those that are without a result.
    pub lost: usize,
    /// Seconds by which the others ended later than undisturbed; `None` where none went on.
    pub delay_s: Option<f64>,
}

/// What more workers than cores change, against as many as cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beyond {
    /// As many workers as cores, or the nearest below.
    pub from: usize,
    /// The most that were measured.
    pub to: usize,
    /// CPU time for the same work, against that at `from`: 1 is the same.
    pub cpu_ratio: f64,
    /// Wall time for the same work, against that at `from`: 1 is the same.
    pub time_ratio: f64,
}

/// What there is to measure costs by.
pub(super) struct Asked<'a> {
    pub matrix: &'a Matrix,
    pub samples: &'a [Sample],
    pub cells: &'a [Cell],
    pub start_ms: &'a BTreeMap<(Work, Dispatch), f64>,
    /// What is left of the budget.
    pub left_s: f64,
}

impl Asked<'_> {
    /// The load that tells most of a dispatch among those that were measured.
    fn work(&self) -> Option<Work> {
        self.matrix.options().works.first().copied()
    }
}

/// What each dispatch costs; a value that could not be measured is left out, and
/// why goes to `notes`.
///
/// # Errors
/// Where `cancel` was set.
pub(super) fn measure(
    asked: &Asked,
    notes: &mut Vec<String>,
    cancel: &Cancel,
) -> Result<Vec<Cost>> {
    let Some(work) = asked.work() else {
        return Ok(vec![]);
    };
    let stops = stops::Stops::plan(asked, work, notes);
    let mut costs = vec![];
    for dispatch in asked.matrix.options().dispatches.iter().copied() {
        let cells: Vec<&Cell> = asked
            .cells
            .iter()
            .filter(|cell| (cell.work, cell.dispatch) == (work, dispatch))
            .collect();
        costs.push(Cost {
            dispatch,
            work,
            memory_per_worker_bytes: memory_per_worker(&cells),
            start_ms: asked.start_ms.get(&(work, dispatch)).copied(),
            cancel_ms: or_note((CANCEL, dispatch), stops.cancel_ms(dispatch, cancel), notes)?,
            crash: match stops.crashes {
                true => or_note((CRASH, dispatch), stops.crash(dispatch, cancel), notes)?,
                false => None,
            },
            frame_us: or_note(
                (PASSING, dispatch),
                passing::frame_us(dispatch, cancel),
                notes,
            )?,
            beyond: beyond(&cells, crate::values::cores()),
        });
    }
    Ok(costs)
}

/// What was measured; where it could not be, nothing, and why goes to `notes`.
/// Only that the run is to stop stays an error.
fn or_note<T>(
    (what, dispatch): (&str, Dispatch),
    measured: Result<T>,
    notes: &mut Vec<String>,
) -> Result<Option<T>> {
    match measured {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == Kind::Interrupted => Err(error),
        Err(error) => {
            notes.push(format!(
                "'{what}' was not measured on {}: {}",
                dispatch.name(),
                error.line()
            ));
            Ok(None)
        }
    }
}

/// The median of the slopes between all pairs of worker counts (Theil and Sen).
fn memory_per_worker(cells: &[&Cell]) -> Option<f64> {
    let mut slopes = vec![];
    for a in cells.iter().filter(|cell| cell.peak_memory_bytes > 0) {
        for b in cells
            .iter()
            .filter(|b| b.workers > a.workers && b.peak_memory_bytes > 0)
        {
            let more = b.peak_memory_bytes as f64 - a.peak_memory_bytes as f64;
            slopes.push(more / (b.workers - a.workers) as f64);
        }
    }
    median(&slopes)
}

fn beyond(cells: &[&Cell], cores: usize) -> Option<Beyond> {
    let within = cells.iter().filter(|cell| cell.workers <= cores);
    let from = within.max_by_key(|cell| cell.workers)?;
    let to = cells.iter().filter(|cell| cell.workers > cores);
    let to = to.max_by_key(|cell| cell.workers)?;
    let work = |cell: &Cell| match cell.work.one_job_a_worker() {
        true => cell.workers as f64,
        false => 1.0,
    };
    let ratio = |of: fn(&Cell) -> f64| {
        let ratio = (of(to) / work(to)) / (of(from) / work(from));
        ratio.is_finite().then_some(ratio)
    };
    Some(Beyond {
        from: from.workers,
        to: to.workers,
        cpu_ratio: ratio(|cell| cell.cpu_s)?,
        time_ratio: ratio(|cell| cell.median_s)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;
    use crate::error::Error;

    #[test]
    fn memory_is_the_slope_over_workers_and_one_odd_cell_does_not_move_it_far() {
        let results = fixture::eight_cores();
        let mut cells: Vec<Cell> = results.cells;
        cells.retain(|c| (c.work, c.dispatch) == (Work::Transcode, Dispatch::Threads));
        for cell in &mut cells {
            cell.peak_memory_bytes = 1000 + 50 * cell.workers as u64;
        }
        cells[3].peak_memory_bytes = 9000;
        let cells: Vec<&Cell> = cells.iter().collect();
        assert_eq!(memory_per_worker(&cells), Some(50.0));
        assert_eq!(memory_per_worker(&cells[..1]), None);
    }

    #[test]
    fn a_value_that_could_not_be_measured_leaves_the_others_and_is_told_with_its_reason() {
        let mut notes = vec![];
        let on = |what| (what, Dispatch::Processes);
        let failed = Error::failed("cannot pass a frame").because("broken pipe");
        let found: Option<f64> = or_note(on(PASSING), Err(failed), &mut notes).unwrap();
        assert_eq!(found, None);
        let found = or_note(on(CANCEL), Ok(3.0), &mut notes).unwrap();
        assert_eq!(found, Some(3.0));
        let told = "'passing a 720p frame on' was not measured on processes: \
                    cannot pass a frame: broken pipe";
        assert_eq!(notes, [told]);
        let stopped: Result<f64> = Err(Error::interrupted());
        assert!(or_note(on(CRASH), stopped, &mut notes).is_err());
    }

    #[test]
    fn beyond_the_cores_is_told_where_there_is_such_a_count() {
        let results = fixture::two_cores();
        let cells: Vec<&Cell> = results
            .cells
            .iter()
            .filter(|c| (c.work, c.dispatch) == (Work::Cpu, Dispatch::Threads))
            .collect();
        let found = beyond(&cells, 2).unwrap();
        assert_eq!((found.from, found.to), (2, 3));
        assert!(found.cpu_ratio > 0.0 && found.time_ratio > 0.0);
        assert_eq!(beyond(&cells, 3), None);
    }
}
