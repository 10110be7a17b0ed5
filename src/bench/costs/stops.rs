//! How long a cancel takes, and what a crash costs the others.
//!
//! Both run the shortest of the jobs, twice as many as cores: a cancel in the
//! middle of one, and a kill of what runs one. Threads cannot be killed alone,
//! so there it is the program; that is a cell in a process of its own, too.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::kill::{Killed, killed_after};
use super::{Asked, Crash};
use crate::bench::cell::{self, Report, Spec};
use crate::bench::matrix::CellKey;
use crate::bench::results::{Dispatch, Load};
use crate::bench::stats::median;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::{Job, Work as JobWork};
use crate::measure::Usage;
use crate::values;

/// How often a cancel is tried.
const CANCELS: usize = 3;

/// How far into the first job a cancel comes.
const INTO_JOB: f64 = 0.4;

/// How far into the batch a kill comes; earlier where it came too late.
const INTO_BATCH: [f64; 3] = [0.4, 0.25, 0.1];

/// What the batches of all dispatches may take where the budget is spent.
const MOST_S: f64 = 15.0;

/// How many times as long as it should a batch may take, and how much longer:
/// some encoders hang where they are stopped.
const PATIENCE: (f64, Duration) = (5.0, Duration::from_secs(30));

/// What is stopped, and how long it takes.
pub(super) struct Stops<'a> {
    asked: &'a Asked<'a>,
    jobs: Vec<Job>,
    workers: usize,
    patience: Duration,
    /// Seconds that the shortest of the jobs takes in each dispatch.
    shortest_s: BTreeMap<Dispatch, f64>,
    /// Whether there is time for crashes; where not, that is noted once.
    pub crashes: bool,
}

impl<'a> Stops<'a> {
    pub fn plan(asked: &'a Asked<'a>, load: Load, notes: &mut Vec<String>) -> Self {
        let workers = values::cores().max(2);
        let takes_s = job_times(asked, load);
        let mut jobs = jobs(asked, load, workers);
        let seconds = |job: &Job| takes_s.get(&job.name).copied().unwrap_or(0.0);
        jobs.sort_by(|a, b| seconds(a).total_cmp(&seconds(b)));
        jobs.truncate(2 * workers);
        let all_s: f64 = jobs.iter().map(seconds).sum();
        let dispatches = &asked.matrix.options().dispatches;
        // Undisturbed and disturbed.
        let batches_s = 2.0 * dispatches.len() as f64 * all_s / workers as f64;
        let crashes = batches_s <= asked.left_s.max(MOST_S);
        if !crashes {
            notes.push(format!(
                "what a crash costs was not measured: its batches would take {batches_s:.0} s, \
                 which the budget does not have"
            ));
        }
        let shortest = jobs.iter().map(seconds).fold(f64::INFINITY, f64::min);
        Self {
            asked,
            workers,
            patience: Duration::try_from_secs_f64(PATIENCE.0 * all_s)
                .unwrap_or(Duration::MAX)
                .saturating_add(PATIENCE.1),
            shortest_s: dispatches
                .iter()
                .map(|dispatch| (*dispatch, shortest))
                .collect(),
            jobs,
            crashes,
        }
    }

    /// Median milliseconds from a cancel until all has stopped.
    ///
    /// # Errors
    /// Also where the jobs ended before it came.
    pub fn cancel_ms(&self, dispatch: Dispatch, cancel: &Cancel) -> Result<f64> {
        let into_s = INTO_JOB * self.shortest_s.get(&dispatch).copied().unwrap_or(0.1);
        let mut spec = Spec::of(dispatch, self.workers, self.jobs.clone());
        spec.stop_after_ms = Some((1000.0 * into_s.min(2.0)) as u64);
        let mut trials = vec![];
        for _ in 0..CANCELS {
            let (report, _) = self.tried(&spec, cancel)?;
            trials.extend(report.stopped_in_s.map(|seconds| 1000.0 * seconds));
        }
        median(&trials).ok_or_else(|| Error::failed("the jobs ended before the cancel came"))
    }

    /// What it costs the others where what runs a job is killed.
    ///
    /// # Errors
    /// Also where no kill hit a job.
    pub fn crash(&self, dispatch: Dispatch, cancel: &Cancel) -> Result<Crash> {
        let spec = Spec::of(dispatch, self.workers, self.jobs.clone());
        let (undisturbed, usage) = self.tried(&spec, cancel)?;
        let start_s = (usage.wall.as_secs_f64() - undisturbed.wall_s).max(0.0);
        for into in INTO_BATCH {
            let after = Duration::from_secs_f64(start_s + into * undisturbed.wall_s);
            let killed = within(after.saturating_add(self.patience), cancel, |cancel| {
                killed_after(&spec, after, cancel)
            });
            let done = self.done();
            self.asked.matrix.clear()?;
            let crash = match killed? {
                Killed::Nothing => continue,
                Killed::All => Crash {
                    jobs: self.jobs.len(),
                    lost: self.jobs.len() - done,
                    delay_s: None,
                },
                Killed::One(report) => Crash {
                    jobs: self.jobs.len(),
                    lost: report.failures.len(),
                    delay_s: Some(report.wall_s - undisturbed.wall_s),
                },
            };
            return Ok(crash);
        }
        Err(Error::failed("no kill hit a job while it ran"))
    }

    fn tried(&self, spec: &Spec, cancel: &Cancel) -> Result<(Report, Usage)> {
        let tried = within(self.patience, cancel, |cancel| cell::try_run(spec, cancel));
        self.asked.matrix.clear()?;
        tried
    }

    /// Jobs whose results are in place.
    fn done(&self) -> usize {
        let is_done = |job: &&Job| match &job.work {
            JobWork::Media(media) => media.targets.iter().all(|target| target.exists()),
            JobWork::Load(_) => false,
        };
        self.jobs.iter().filter(is_done).count()
    }
}

/// What `run` returns, unless it takes longer than `patience`: then it is cancelled.
fn within<T: Send>(
    patience: Duration,
    cancel: &Cancel,
    run: impl FnOnce(&Cancel) -> Result<T>,
) -> Result<T> {
    let (own, done) = (Cancel::new(), Cancel::new());
    let result = std::thread::scope(|scope| {
        scope.spawn(|| {
            let began = Instant::now();
            while !done.is_set() {
                if cancel.is_set() || began.elapsed() > patience {
                    own.set();
                    return;
                }
                done.sleep(Duration::from_millis(50));
            }
        });
        let result = run(&own);
        done.set();
        result
    });
    match own.is_set() && !cancel.is_set() {
        true => Err(Error::failed(format!(
            "the batch had not ended after {:.0} s",
            patience.as_secs_f64()
        ))),
        false => result,
    }
}

/// The jobs of `load`; where each worker brings its own, more of the same.
fn jobs(asked: &Asked, load: Load, workers: usize) -> Vec<Job> {
    let key = CellKey {
        load,
        dispatch: Dispatch::Threads,
        workers: 2 * workers,
    };
    asked.matrix.spec(key).jobs
}

/// Median seconds of each job, by name, at one worker or else any count.
fn job_times(asked: &Asked, load: Load) -> BTreeMap<String, f64> {
    let mut times: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let samples = || asked.samples.iter().filter(|sample| sample.load() == load);
    let least = samples().map(|sample| sample.workers).min();
    for sample in samples().filter(|sample| Some(sample.workers) == least) {
        for lane in &sample.lanes {
            let seconds = lane.end_s - lane.start_s;
            times.entry(lane.job.clone()).or_default().push(seconds);
        }
    }
    let median = |(name, times): (String, Vec<f64>)| Some((name, median(&times)?));
    times.into_iter().filter_map(median).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_does_not_end_is_cancelled_and_told_and_no_interruption() {
        let wait = |cancel: &Cancel| -> Result<()> {
            while !cancel.is_set() {
                cancel.sleep(Duration::from_millis(50));
            }
            Err(Error::interrupted())
        };
        let hung = within(Duration::from_millis(10), &Cancel::new(), wait).unwrap_err();
        assert!(hung.line().contains("had not ended"), "{}", hung.line());
        let stop = Cancel::new();
        stop.set();
        let stopped = within(Duration::from_secs(60), &stop, wait).unwrap_err();
        assert_eq!(stopped.kind(), crate::error::Kind::Interrupted);
        let whole = within(Duration::from_secs(60), &Cancel::new(), |_| Ok(3));
        assert_eq!(whole.unwrap(), 3);
    }
}
