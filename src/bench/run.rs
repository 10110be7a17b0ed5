//! Warm-up, rounds in random order, and what follows from them.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use super::cell::{self, Spec};
use super::compare::{Known, comparisons};
use super::equal::differences;
use super::matrix::{CellKey, Matrix};
use super::results::{Comparison, Design, Dispatch, Results, Sample, VERSION, Verdict, Work};
use super::startup::StartUp;
use super::stats::MIN_ROUNDS;
use super::summary::summarise;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::Limits;
use crate::measure::machine;
use crate::recipe::Recipe;

/// A comparison is settled once its interval is within this share of the ratio.
const TIGHT: f64 = 0.015;

/// More rounds than this change nothing.
const MOST_ROUNDS: usize = 30;

/// What a run is doing; for bars and lines.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A cell is run to warm up and to compare outputs.
    WarmUp(CellKey),
    /// Outputs of two dispatches are compared.
    Compare(Work),
    /// A cell is measured.
    Measure {
        /// The round, from 1.
        round: usize,
        /// The cell.
        cell: CellKey,
        /// Share of the budget that is used up, 0 to 1.
        used: f64,
    },
}

/// Measures all cells of `matrix`; `told` hears of each step.
///
/// # Errors
/// Where a cell cannot be run, or `cancel` was set.
pub fn run(matrix: &Matrix, cancel: &Cancel, told: &mut dyn FnMut(&Step)) -> Result<Results> {
    let mut run = Run::new(matrix, cancel);
    run.warm_up(told)?;
    run.measure(told)?;
    Ok(run.results())
}

/// A random order in which the dispatches of one load and worker count follow
/// each other, so that a machine whose speed drifts is the same for both.
fn shuffle(cells: &mut [CellKey], random: &mut fastrand::Rng) {
    random.shuffle(cells);
    let mut seats: Vec<(Work, usize)> =
        cells.iter().map(|cell| (cell.work, cell.workers)).collect();
    let mut seen = Vec::new();
    seats.retain(|seat| {
        !seen.contains(seat) && {
            seen.push(*seat);
            true
        }
    });
    cells.sort_by_key(|cell| {
        seats
            .iter()
            .position(|seat| *seat == (cell.work, cell.workers))
    });
}

struct Run<'a> {
    matrix: &'a Matrix,
    cancel: &'a Cancel,
    began: Instant,
    started: String,
    // Seconds that each cell took as a whole, for the budget.
    takes_s: HashMap<CellKey, f64>,
    known: Known,
    samples: Vec<Sample>,
    rounds: usize,
    notes: Vec<String>,
}

impl<'a> Run<'a> {
    fn new(matrix: &'a Matrix, cancel: &'a Cancel) -> Self {
        let options = matrix.options();
        let known = Known {
            io_ms: options.io_ms as f64,
            clips_s: matrix.clips_s(),
            ..Known::default()
        };
        let refused = matrix.refused.iter();
        Self {
            matrix,
            cancel,
            began: Instant::now(),
            started: jiff::Zoned::now()
                .strftime("%Y-%m-%dT%H:%M:%S%:z")
                .to_string(),
            takes_s: HashMap::new(),
            known,
            samples: vec![],
            rounds: 0,
            notes: refused
                .map(|file| format!("left out '{}': {}", file.source.display(), file.reason))
                .collect(),
        }
    }

    /// One run of every cell at the smallest worker count: caches are filled,
    /// times are estimated, and outputs are compared before any time counts.
    fn warm_up(&mut self, told: &mut dyn FnMut(&Step)) -> Result<()> {
        let options = self.matrix.options();
        let first = options.workers.iter().copied().min().unwrap_or(1);
        for work in options.works.clone() {
            for dispatch in options.dispatches.clone() {
                let cell = CellKey {
                    work,
                    dispatch,
                    workers: first,
                };
                told(&Step::WarmUp(cell));
                self.run_cell(cell, Some(&self.matrix.kept_folder(cell)))?;
            }
            if !work.one_job_a_worker() {
                told(&Step::Compare(work));
                self.compare_outputs(work, first)?;
            }
        }
        for dispatch in &options.dispatches {
            let start =
                StartUp::measure(dispatch.engine(Limits::default())?.as_ref(), self.cancel)?;
            for work in &options.works {
                self.known
                    .start_ms
                    .insert((*work, *dispatch), start.of(*work));
            }
        }
        Ok(())
    }

    fn compare_outputs(&mut self, work: Work, workers: usize) -> Result<()> {
        let folder = |dispatch| {
            self.matrix.kept_folder(CellKey {
                work,
                dispatch,
                workers,
            })
        };
        let reference = folder(Dispatch::Threads);
        let others = self
            .matrix
            .options()
            .dispatches
            .iter()
            .copied()
            .filter(|other| *other != Dispatch::Threads);
        let mut found = vec![];
        if reference.exists() {
            for other in others {
                found.push((other, differences(&reference, &folder(other), self.cancel)?));
            }
        }
        for (other, differences) in found {
            self.known
                .equal_output
                .insert((work, other), differences.is_empty());
            let name = other.name();
            self.notes.extend(differences.iter().map(|difference| {
                format!(
                    "void: {} of {} on {name}: {}",
                    work.name(),
                    difference.file.display(),
                    difference.what
                )
            }));
        }
        for dispatch in &self.matrix.options().dispatches {
            let _ = fs::remove_dir_all(folder(*dispatch));
        }
        Ok(())
    }

    /// Rounds of all cells, each round in an order of its own, until the
    /// comparisons are settled or the budget is spent.
    fn measure(&mut self, told: &mut dyn FnMut(&Step)) -> Result<()> {
        let options = self.matrix.options();
        let mut random = fastrand::Rng::with_seed(options.seed);
        let mut cells = self.matrix.cells();
        while self.rounds < MOST_ROUNDS {
            let left = options.budget_s - self.began.elapsed().as_secs_f64();
            if self.rounds > 0 && self.round_takes_s(&cells) > left {
                self.note_budget();
                break;
            }
            shuffle(&mut cells, &mut random);
            for cell in cells.clone() {
                let used = (self.began.elapsed().as_secs_f64() / options.budget_s).min(1.0);
                told(&Step::Measure {
                    round: self.rounds + 1,
                    cell,
                    used,
                });
                let sample = self.run_cell(cell, None)?;
                self.samples.push(Sample {
                    round: self.rounds + 1,
                    ..sample
                });
            }
            self.rounds += 1;
            if self.rounds >= MIN_ROUNDS && self.wide().is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn note_budget(&mut self) {
        let wide = self.wide();
        if !wide.is_empty() {
            let list = wide
                .iter()
                .map(|c| format!("{} at {}", c.work.name(), c.workers))
                .collect::<Vec<_>>();
            self.notes.push(format!(
                "the budget of {:.0} s was spent after {} rounds; intervals wider than ±{:.1} %: {}",
                self.matrix.options().budget_s,
                self.rounds,
                TIGHT * 100.0,
                list.join(", ")
            ));
        }
    }

    fn round_takes_s(&self, cells: &[CellKey]) -> f64 {
        cells.iter().map(|cell| self.estimate_s(*cell)).sum()
    }

    /// What a cell took last time, or what the one like it at another worker count took.
    fn estimate_s(&self, cell: CellKey) -> f64 {
        let alike = || {
            let mut alike = self
                .takes_s
                .iter()
                .filter(|(key, _)| key.work == cell.work && key.dispatch == cell.dispatch);
            alike.next().map(|(_, seconds)| *seconds)
        };
        self.takes_s
            .get(&cell)
            .copied()
            .or_else(alike)
            .unwrap_or(1.0)
    }

    /// Comparisons that are not yet settled.
    fn wide(&self) -> Vec<Comparison> {
        let is_wide = |comparison: &Comparison| {
            let [lo, hi] = comparison.ci95;
            (hi - lo) / 2.0 > TIGHT * comparison.ratio
                && !matches!(
                    comparison.verdict,
                    Verdict::Void | Verdict::TooSmallToMeasure
                )
        };
        comparisons(&self.samples, &self.known)
            .into_iter()
            .filter(is_wide)
            .collect()
    }

    fn run_cell(&mut self, cell: CellKey, keep: Option<&Path>) -> Result<Sample> {
        let folder = self.matrix.cell_folder();
        let spec: Spec = self.matrix.spec(cell);
        let (report, usage) = cell::run(&spec, self.cancel).map_err(|error| {
            if self.cancel.is_set() {
                Error::interrupted()
            } else {
                Error::failed(format!("{cell} failed")).because(error)
            }
        })?;
        match keep {
            Some(kept) if folder.exists() => fs::rename(&folder, kept),
            _ if folder.exists() => fs::remove_dir_all(&folder),
            _ => Ok(()),
        }
        .map_err(|error| {
            Error::failed(format!("cannot tidy up '{}'", folder.display())).because(error)
        })?;
        self.takes_s.insert(cell, usage.wall.as_secs_f64());
        Ok(Sample {
            work: cell.work,
            dispatch: cell.dispatch,
            workers: cell.workers,
            codec_threads: self.matrix.options().codec_threads,
            round: 0,
            wall_s: report.wall_s,
            user_s: usage.user.as_secs_f64(),
            sys_s: usage.system.as_secs_f64(),
            peak_memory_bytes: usage.peak_memory_bytes,
            jobs: spec.jobs.len(),
            frames: report.frames,
            output_bytes: report.output_bytes,
            lanes: report.lanes,
        })
    }

    fn results(self) -> Results {
        let options = self.matrix.options();
        let (cells, comparisons, fits, capacity) = summarise(&self.samples, &self.known);
        Results {
            version: VERSION,
            rushes: env!("CARGO_PKG_VERSION").into(),
            started: self.started,
            machine: machine::machine(),
            ffmpeg: machine::ffmpeg(),
            design: Design {
                works: options.works.clone(),
                dispatches: options.dispatches.clone(),
                workers: options.workers.clone(),
                codec_threads: options.codec_threads,
                rounds: self.rounds,
                seed: options.seed,
                budget_s: options.budget_s,
                cpu_ms: options.cpu_ms,
                io_ms: options.io_ms,
                cpu_iterations: self.matrix.cpu_iterations,
                clips: self.matrix.clips(),
                clips_s: self.matrix.clips_s(),
                recipe: Recipe::Transcode(options.transcode.clone()).words(),
            },
            samples: self.samples,
            cells,
            comparisons,
            fits,
            capacity,
            notes: self.notes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells() -> Vec<CellKey> {
        let mut cells = vec![];
        for work in Work::ALL {
            for workers in 1..=3 {
                cells.extend(Dispatch::ALL.map(|dispatch| CellKey {
                    work,
                    dispatch,
                    workers,
                }));
            }
        }
        cells
    }

    #[test]
    fn what_is_compared_is_measured_side_by_side_in_an_order_that_varies() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut orders = vec![];
        for _ in 0..20 {
            let mut order = cells();
            shuffle(&mut order, &mut random);
            for side_by_side in order.chunks(Dispatch::ALL.len()) {
                let place = |cell: &CellKey| (cell.work, cell.workers);
                let first = place(&side_by_side[0]);
                assert!(side_by_side.iter().all(|cell| place(cell) == first));
            }
            orders.push(order);
        }
        assert!(
            orders
                .iter()
                .any(|order| order[0].dispatch == Dispatch::Threads)
        );
        assert!(
            orders
                .iter()
                .any(|order| order[0].dispatch == Dispatch::Processes)
        );
        assert!(orders.windows(2).all(|two| two[0] != two[1]));
    }
}
