//! Before any time counts: caches are filled, outputs are compared, and the
//! cost of starting a job is measured.

use std::fs;
use std::path::Path;

use super::compare::Known;
use super::encoders::{self, Encoder};
use super::equal::{self, differences};
use super::matrix::Matrix;
use super::results::{Dispatch, Load, Output, Work};
use super::startup::{StartUp, empty_cpu_s};
use super::stats::median;
use crate::dispatch::Cancel;
use crate::engine::{Watch, Workers};
use crate::error::Result;
use crate::job::{Job, Limits, Work as JobWork};
use crate::plan::Refused;

/// Once this share of the budget is used up, nothing is repeated to warm up.
pub(super) const MOST_WARM_UP: f64 = 0.1;

/// Runs of one cell after which it is not waited any longer for two that agree.
const MOST_RUNS: usize = 3;

/// Two runs in a row agree where their times are within this share of each other.
const AGREE: f64 = 0.05;

/// What the times of a cell's first runs say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Warmth {
    /// One more run is needed.
    Cold,
    /// The last two agree.
    Warm,
    /// Two that agree are not waited for any longer.
    Unsteady,
}

/// Whether a cell that took `times` so far is warm.
pub(super) fn warmth(times: &[f64]) -> Warmth {
    match times {
        [.., a, b] if a.max(*b) <= (1.0 + AGREE) * a.min(*b) => Warmth::Warm,
        times if times.len() >= MOST_RUNS => Warmth::Unsteady,
        _ => Warmth::Cold,
    }
}

/// What the warm-up brought to light.
#[derive(Debug, Default)]
pub(super) struct Warm {
    pub known: Known,
    pub outputs: Vec<Output>,
    pub encoders: Vec<Encoder>,
    pub notes: Vec<String>,
    /// Loads and dispatches of which no two runs agreed.
    pub cold: usize,
}

impl Warm {
    /// What is known before anything ran.
    pub fn new(matrix: &Matrix) -> Self {
        let refused = matrix.refused.iter();
        let all_on = matrix.options().all_on.map(|really| {
            format!(
                "A against A: whatever their names, all dispatches ran on {}",
                really.name()
            )
        });
        Self {
            known: Known {
                io_ms: matrix.options().io_ms as f64,
                cpu_ms: matrix.options().cpu_ms as f64,
                clips_s: matrix.clips_s(),
                ..Known::default()
            },
            outputs: vec![],
            encoders: Encoder::all(matrix.options()),
            notes: refused.map(Refused::told).chain(all_on).collect(),
            cold: 0,
        }
    }

    /// Notes how many cells the warm-up left before two runs agreed.
    pub fn tell_of_cold(&mut self) {
        if self.cold > 0 {
            self.notes.push(format!(
                "for {} of the loads and dispatches, the warm-up ended before two runs in a row \
                 were within {:.0} % of each other",
                self.cold,
                100.0 * AGREE
            ));
        }
    }

    /// Measures the CPU time of cells without work, at the fewest and the most
    /// workers; between them it lies on the line.
    pub fn measure_empty_cells(&mut self, matrix: &Matrix, cancel: &Cancel) -> Result<()> {
        let (counts, dispatches) = (&matrix.options().workers, &matrix.options().dispatches);
        let (Some(&fewest), Some(&most)) = (counts.iter().min(), counts.iter().max()) else {
            return Ok(());
        };
        for dispatch in dispatches {
            let really = matrix.really(*dispatch);
            let first = empty_cpu_s(really, fewest, cancel)?;
            let slope = match most - fewest {
                0 => 0.0,
                more => (empty_cpu_s(really, most, cancel)? - first) / more as f64,
            };
            let of = |workers| first + slope * (workers - fewest) as f64;
            let empty = counts.iter().map(|n| ((*dispatch, *n), of(*n)));
            self.known.empty_cpu_s.extend(empty);
        }
        Ok(())
    }

    /// Measures what starting one job costs in each dispatch.
    pub fn measure_starts(&mut self, matrix: &Matrix, cancel: &Cancel) -> Result<()> {
        for dispatch in &matrix.options().dispatches {
            let engine = matrix.really(*dispatch).engine(Limits::default())?;
            let start = StartUp::measure(engine.as_ref(), cancel)?;
            for work in &matrix.options().works {
                let starts = &mut self.known.start_ms;
                starts.insert((*work, *dispatch), start.of(*work));
            }
        }
        Ok(())
    }

    /// Compares what the cells of `work` have left in their folders, and looks at
    /// how large and how good it is.
    pub fn compare_outputs(&mut self, judge: &Judge, load: Load) -> Result<()> {
        let folder = |dispatch| judge.matrix.kept_folder(load, dispatch);
        let dispatches = &judge.matrix.options().dispatches;
        let mut seen: Option<Output> = None;
        for dispatch in dispatches.iter().copied().filter(|d| folder(*d).exists()) {
            let is_first = seen.is_none();
            let same = !is_first
                && self.is_equal(
                    judge,
                    (load, dispatch),
                    [&folder(dispatches[0]), &folder(dispatch)],
                )?;
            let output = match &seen {
                // The same pictures are as good, and need no second look.
                Some(first) if same => Output {
                    dispatch,
                    bytes: equal::size(&folder(dispatch)),
                    ..first.clone()
                },
                _ => judge.look((load, dispatch), &folder(dispatch))?,
            };
            encoders::read(&mut self.encoders, &folder(dispatch), dispatch);
            seen.get_or_insert_with(|| output.clone());
            self.outputs.push(output);
        }
        for dispatch in dispatches {
            let _ = fs::remove_dir_all(folder(*dispatch));
        }
        Ok(())
    }

    /// Whether `dispatch` gave what the first one did. It counts for the
    /// verdicts where that is `threads`, with which all are compared.
    fn is_equal(
        &mut self,
        judge: &Judge,
        (load, dispatch): (Load, Dispatch),
        folders: [&Path; 2],
    ) -> Result<bool> {
        let found = differences(&judge.workers, folders, judge.cancel)?;
        self.known
            .equal_output
            .insert((load, dispatch), found.is_empty());
        let several = judge.matrix.options().codec_threads.len() > 1;
        let threads = load.threads_told(several);
        let (work, name) = (load.work.name(), dispatch.name());
        self.notes.extend(found.iter().map(|difference| {
            let file = difference.file.display();
            format!(
                "void: {work}{threads} of {file} on {name}: {}",
                difference.what
            )
        }));
        Ok(found.is_empty())
    }
}

/// Looks at what was made, with one pool of workers for all of it.
pub(super) struct Judge<'a> {
    matrix: &'a Matrix,
    workers: Workers,
    cancel: &'a Cancel,
}

impl<'a> Judge<'a> {
    /// Of what the cells of `matrix` make.
    pub fn new(matrix: &'a Matrix, cancel: &'a Cancel) -> Result<Self> {
        Ok(Self {
            matrix,
            workers: Workers::find(Limits::default())?,
            cancel,
        })
    }

    fn look(&self, (load, dispatch): (Load, Dispatch), folder: &Path) -> Result<Output> {
        let ssim = match load.work {
            Work::Transcode => self.likeness(load, folder)?,
            _ => None,
        };
        Ok(Output {
            work: load.work,
            codec_threads: load.codec_threads,
            dispatch,
            bytes: equal::size(folder),
            hash: equal::digest(&self.workers, folder, self.cancel)?,
            ssim,
        })
    }

    /// Mean similarity of the transcoded clips below `folder` to their sources.
    fn likeness(&self, load: Load, folder: &Path) -> Result<Option<f64>> {
        let mut untold = |_| {};
        let mut watch = Watch::new(self.cancel, &mut untold);
        let mut found = vec![];
        for job in self.matrix.jobs(load) {
            let Job {
                work: JobWork::Media(media),
                ..
            } = &job
            else {
                continue;
            };
            let made = media.targets.first();
            let made = made.and_then(|target| target.strip_prefix(self.matrix.cell_folder()).ok());
            if let Some(made) = made {
                let path = folder.join(made);
                let own = self.workers.likeness(&path, media, &mut watch);
                found.extend(own.map_err(|failure| failure.error)?);
            }
        }
        let mean = found.iter().sum::<f64>() / found.len().max(1) as f64;
        Ok(median(&found).map(|_| mean))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_warm_once_two_runs_in_a_row_agree_and_is_not_waited_for_for_ever() {
        assert_eq!(warmth(&[]), Warmth::Cold);
        assert_eq!(warmth(&[2.0]), Warmth::Cold);
        assert_eq!(warmth(&[2.0, 1.0]), Warmth::Cold);
        assert_eq!(warmth(&[2.0, 1.0, 1.04]), Warmth::Warm);
        assert_eq!(warmth(&[1.04, 1.0]), Warmth::Warm);
        assert_eq!(warmth(&[2.0, 1.0, 1.5]), Warmth::Unsteady);
    }
}
