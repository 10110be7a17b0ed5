//! What a dispatch costs besides the work: the pros and cons that the original
//! exercise listed without a number, measured.

mod kill;
mod passing;
mod scaling;
mod stops;

use serde::{Deserialize, Serialize};

pub use self::scaling::Beyond;
use self::scaling::{beyond, memory_per_worker};
use super::compare::Known;
use super::matrix::Matrix;
use super::results::{Dispatch, Load, Sample, Work};
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
    /// Memory that each further worker takes: the slope over worker counts, median over rounds.
    pub memory_per_worker_bytes: Option<f64>,
    /// Its 95 % interval; `None` where there were too few rounds for one.
    #[serde(default)]
    pub memory_per_worker_ci95: Option<[f64; 2]>,
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

/// What there is to measure costs by.
pub(super) struct Asked<'a> {
    pub matrix: &'a Matrix,
    pub samples: &'a [Sample],
    pub known: &'a Known,
    /// What is left of the budget.
    pub left_s: f64,
}

impl Asked<'_> {
    /// The load that tells most of a dispatch among those that were measured.
    fn load(&self) -> Option<Load> {
        self.matrix.options().loads().first().copied()
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
    let Some(load) = asked.load() else {
        return Ok(vec![]);
    };
    let stops = stops::Stops::plan(asked, load, notes);
    let mut costs = vec![];
    for dispatch in asked.matrix.options().dispatches.iter().copied() {
        let own = |s: &&Sample| (s.load(), s.dispatch) == (load, dispatch);
        let samples: Vec<&Sample> = asked.samples.iter().filter(own).collect();
        let memory = memory_per_worker(&samples);
        costs.push(Cost {
            dispatch,
            work: load.work,
            memory_per_worker_bytes: memory.map(|(bytes, _)| bytes),
            memory_per_worker_ci95: memory.and_then(|(_, interval)| interval),
            start_ms: asked.known.start_ms.get(&(load.work, dispatch)).copied(),
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
            beyond: beyond(&samples, asked.known, crate::values::cores()),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

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
}
