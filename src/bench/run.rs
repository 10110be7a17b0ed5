//! Warm-up, rounds in random order, and what follows from them.

use super::budget::Budget;
use super::cell;
use super::compare::comparisons;
use super::costs;
use super::matrix::{CellKey, Matrix};
use super::noise;
use super::python::Python;
use super::results::{Clip, Comparison, Cost, Ffmpeg, Results, Sample, VERSION, Work};
use super::resume;
use super::stopping::{MOST_ROUNDS, TIGHT, is_enough, is_wide};
use super::summary::summarise;
use super::turn::{Turn, shuffle, turns};
use super::warm_up::{Judge, MOST_WARM_UP, Warm, Warmth, warmth};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::measure::machine;

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
        cell: Turn,
        /// Share of the budget that is used up, 0 to 1.
        used: f64,
    },
    /// It is measured what a dispatch costs besides the work.
    Costs,
}

/// Whoever follows a run.
pub trait Follow {
    /// Hears of each step.
    fn step(&mut self, step: &Step);

    /// Keeps what is there after each round, in case that there is no next one.
    ///
    /// # Errors
    /// Where it cannot; then the run ends.
    fn keep(&mut self, results: &Results) -> Result<()>;
}

/// Measures all cells of `matrix`, and goes on from `before` where there is such.
///
/// # Errors
/// Where a cell cannot be run, or `cancel` was set.
pub fn run(
    matrix: &Matrix,
    before: Option<Results>,
    cancel: &Cancel,
    follow: &mut dyn Follow,
) -> Result<Results> {
    let mut run = Run::new(matrix, cancel)?;
    let encoders = before.as_ref().map(|before| before.ffmpeg.encoders.clone());
    if let Some(before) = before {
        run.go_on(before);
    }
    run.warm_up(follow)?;
    resume::check_encoders(&encoders.unwrap_or_default(), &run.warm.encoders)?;
    run.measure(follow)?;
    run.measure_costs(follow)?;
    Ok(run.results())
}

struct Run<'a> {
    matrix: &'a Matrix,
    cancel: &'a Cancel,
    budget: Budget,
    started: String,
    clips: Vec<Clip>,
    warm: Warm,
    python: Option<Python>,
    samples: Vec<Sample>,
    costs: Vec<Cost>,
    rounds: usize,
    notes: Vec<String>,
}

impl<'a> Run<'a> {
    fn new(matrix: &'a Matrix, cancel: &'a Cancel) -> Result<Self> {
        let options = matrix.options();
        let budget = Budget::new(options.budget_s);
        let meet = |program: &std::path::PathBuf| Python::meet(program, options.cpu_ms, cancel);
        Ok(Self {
            matrix,
            cancel,
            budget,
            started: jiff::Zoned::now()
                .strftime("%Y-%m-%dT%H:%M:%S%:z")
                .to_string(),
            clips: matrix.clip_facts()?,
            warm: Warm::new(matrix),
            python: options.python.as_ref().map(meet).transpose()?,
            samples: vec![],
            costs: vec![],
            rounds: 0,
            notes: vec![],
        })
    }

    fn go_on(&mut self, before: Results) {
        self.started = before.started;
        self.rounds = before.design.rounds;
        self.samples = before.samples;
        self.samples.retain(|sample| sample.round <= self.rounds);
        if before.python.is_some() {
            self.python = before.python;
        }
    }

    /// One run of every load and dispatch at the smallest worker count, and some
    /// at the largest: caches are filled, times are estimated, and outputs are
    /// compared before any time counts.
    fn warm_up(&mut self, follow: &mut dyn Follow) -> Result<()> {
        let options = self.matrix.options();
        let workers = options.workers.iter().copied().min().unwrap_or(1);
        let judge = Judge::new(self.matrix, self.cancel)?;
        for load in options.loads() {
            for dispatch in options.dispatches.clone() {
                let cell = CellKey {
                    load,
                    dispatch,
                    workers,
                };
                follow.step(&Step::WarmUp(cell));
                self.run_cell(cell)?;
                self.matrix.keep(load, dispatch)?;
                self.repeat(cell, follow)?;
            }
            if !load.work.one_job_a_worker() {
                follow.step(&Step::Compare(load.work));
                self.warm.compare_outputs(&judge, load)?;
            }
        }
        self.warm.tell_of_cold();
        self.warm.measure_empty_cells(self.matrix, self.cancel)?;
        self.warm.measure_starts(self.matrix, self.cancel)
    }

    /// Runs of `cell` at the largest worker count until two agree, within bounds.
    fn repeat(&mut self, cell: CellKey, follow: &mut dyn Follow) -> Result<()> {
        let most = self.matrix.options().workers.iter().copied().max();
        let workers = most.unwrap_or(cell.workers);
        let cell = CellKey { workers, ..cell };
        let mut times = vec![];
        while warmth(&times) == Warmth::Cold && self.budget.used() < MOST_WARM_UP {
            follow.step(&Step::WarmUp(cell));
            times.push(self.run_cell(cell)?.wall_s);
            self.matrix.clear()?;
        }
        self.warm.cold += usize::from(warmth(&times) != Warmth::Warm);
        Ok(())
    }

    /// Rounds of all cells, each round in an order of its own, until the
    /// comparisons are settled or the budget is spent.
    fn measure(&mut self, follow: &mut dyn Follow) -> Result<()> {
        let options = self.matrix.options();
        let mut random = fastrand::Rng::with_seed(options.seed);
        let mut turns = turns(self.matrix, self.python.is_some());
        // The order goes on where it was stopped.
        for _ in 0..self.rounds {
            shuffle(&mut turns, &mut random);
        }
        let first = self.rounds;
        while self.rounds < options.rounds.unwrap_or(MOST_ROUNDS) {
            // One round is measured in any case.
            if self.rounds > first && !self.budget.has_room_for(&turns) {
                self.note_budget();
                break;
            }
            if options.rounds.is_none() && is_enough(self.rounds, &self.comparisons()) {
                break;
            }
            shuffle(&mut turns, &mut random);
            self.round(&turns, follow)?;
            follow.keep(&self.results())?;
        }
        Ok(())
    }

    /// Measures each of `turns` once; one that is not whole leaves nothing.
    fn round(&mut self, turns: &[Turn], follow: &mut dyn Follow) -> Result<()> {
        let options = self.matrix.options();
        let round = self.rounds + 1;
        let mut samples = vec![];
        let mut of_python = vec![];
        for turn in turns {
            follow.step(&Step::Measure {
                round,
                cell: *turn,
                used: self.budget.used(),
            });
            match (turn, &self.python, &options.python) {
                (Turn::Cell(cell), ..) => {
                    let sample = self.run_cell(*cell)?;
                    self.matrix.clear()?;
                    samples.push(Sample { round, ..sample });
                }
                (Turn::Python(key), Some(python), Some(program)) => {
                    let terms = (options.io_ms, round);
                    let (sample, usage) = python.measure(program, *key, terms, self.cancel)?;
                    self.budget.took(*turn, usage.wall);
                    of_python.push(sample);
                }
                (Turn::Python(_), ..) => {}
            }
        }
        self.samples.extend(samples);
        if let Some(python) = &mut self.python {
            python.samples.extend(of_python);
        }
        self.rounds = round;
        Ok(())
    }

    fn measure_costs(&mut self, follow: &mut dyn Follow) -> Result<()> {
        follow.step(&Step::Costs);
        let asked = costs::Asked {
            matrix: self.matrix,
            samples: &self.samples,
            known: &self.warm.known,
            left_s: self.budget.left_s(),
        };
        self.costs = costs::measure(&asked, &mut self.notes, self.cancel)?;
        Ok(())
    }

    fn note_budget(&mut self) {
        let mut wide = self.comparisons();
        wide.retain(is_wide);
        if !wide.is_empty() {
            let several = self.matrix.options().codec_threads.len() > 1;
            let told = |c: &Comparison| {
                let threads = c.load().threads_told(several);
                format!("{}{threads} at {}", c.work.name(), c.workers)
            };
            let mut list: Vec<String> = wide.iter().map(told).collect();
            list.dedup();
            self.notes.push(format!(
                "the budget of {:.0} s was spent after {} rounds; intervals wider than ±{:.1} %: {} \
                 (bench --resume goes on)",
                self.matrix.options().budget_s,
                self.rounds,
                TIGHT * 100.0,
                list.join(", ")
            ));
        }
    }

    fn comparisons(&self) -> Vec<Comparison> {
        comparisons(&self.samples, &self.warm.known)
    }

    /// Runs a cell; what it wrote stays where it is.
    fn run_cell(&mut self, cell: CellKey) -> Result<Sample> {
        let spec = self.matrix.spec(cell);
        let (report, usage) = cell::run(&spec, self.cancel).map_err(|error| {
            if self.cancel.is_set() {
                Error::interrupted()
            } else {
                Error::failed(format!("{cell} failed")).because(error)
            }
        })?;
        self.budget.took(Turn::Cell(cell), usage.wall);
        Ok(Sample {
            codec_threads: cell.load.codec_threads,
            process_s: Some(usage.wall.as_secs_f64()),
            user_s: usage.user.as_secs_f64(),
            sys_s: usage.system.as_secs_f64(),
            peak_memory_bytes: usage.peak_memory_bytes,
            jobs: spec.jobs.len(),
            frames: report.frames,
            output_bytes: report.output_bytes,
            kernel: usage.kernel,
            others_s: usage.others.map(|time| time.as_secs_f64()),
            clock_mhz: usage.clock_mhz,
            lanes: report.lanes,
            ..Sample::timed(
                (cell.load.work, cell.dispatch, cell.workers),
                0,
                report.wall_s,
            )
        })
    }

    fn results(&self) -> Results {
        let options = self.matrix.options();
        let (cells, comparisons, fits, capacity) = summarise(&self.samples, &self.warm.known);
        let machine = machine::machine();
        let noise = noise::look(&self.samples, machine.cores);
        let mut notes = self.warm.notes.clone();
        notes.extend(noise.told(self.samples.len()));
        notes.extend(self.notes.iter().cloned());
        let python = self.python.clone().map(|python| {
            python.summarised(|work| match work {
                Work::Io => options.io_ms,
                _ => options.cpu_ms,
            })
        });
        Results {
            version: VERSION,
            rushes: env!("CARGO_PKG_VERSION").into(),
            started: self.started.clone(),
            machine,
            ffmpeg: Ffmpeg {
                encoders: self.warm.encoders.clone(),
                ..machine::ffmpeg()
            },
            design: self.matrix.design(self.rounds, self.clips.clone()),
            samples: self.samples.clone(),
            cells,
            comparisons,
            fits,
            capacity,
            outputs: self.warm.outputs.clone(),
            costs: self.costs.clone(),
            python,
            noise,
            notes,
        }
    }
}
