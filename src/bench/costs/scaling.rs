//! What further workers take, and what those beyond the cores change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bench::compare::{Known, pairs};
use crate::bench::results::Sample;
use crate::bench::stats::{CONFIDENCE, Interval, median, median_interval, paired_ratio};
use crate::bench::summary::units;

/// What more workers than cores change, against as many as cores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beyond {
    /// As many workers as cores, or the nearest below.
    pub from: usize,
    /// The most that were measured.
    pub to: usize,
    /// CPU time for the same work, against that at `from`: 1 is the same. The start of
    /// the cells is not in it; `None` where that takes more than the work.
    pub cpu_ratio: Option<f64>,
    /// Its 95 % interval; `None` where there were too few rounds for one.
    #[serde(default)]
    pub cpu_ci95: Option<[f64; 2]>,
    /// Wall time for the same work, against that at `from`: 1 is the same.
    pub time_ratio: f64,
    /// Its 95 % interval.
    #[serde(default)]
    pub time_ci95: Option<[f64; 2]>,
}

/// A value and its 95 % interval, where there are rounds enough for one.
type Measured = (f64, Option<[f64; 2]>);

fn ci95(interval: Interval) -> Option<[f64; 2]> {
    (interval.confidence >= CONFIDENCE).then_some([interval.lo, interval.hi])
}

/// Bytes a worker: of each round the median of the slopes between all pairs of
/// worker counts (Theil and Sen), and of those the median.
pub(super) fn memory_per_worker(samples: &[&Sample]) -> Option<Measured> {
    let mut rounds: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
    for sample in samples.iter().filter(|s| s.peak_memory_bytes > 0) {
        let point = (sample.workers as f64, sample.peak_memory_bytes as f64);
        rounds.entry(sample.round).or_default().push(point);
    }
    let slopes: Vec<f64> = rounds.values().filter_map(|at| slope(at)).collect();
    let interval = median_interval(&slopes)?;
    Some((median(&slopes)?, ci95(interval)))
}

fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let mut slopes = vec![];
    for a in points {
        let more = points.iter().filter(|b| b.0 > a.0);
        slopes.extend(more.map(|b| (b.1 - a.1) / (b.0 - a.0)));
    }
    median(&slopes)
}

/// `samples` are those of one load and dispatch.
pub(super) fn beyond(samples: &[&Sample], known: &Known, cores: usize) -> Option<Beyond> {
    let counts = || samples.iter().map(|sample| sample.workers);
    let from = counts().filter(|count| *count <= cores).max()?;
    let to = counts().filter(|count| *count > cores).max()?;
    let at = |count: usize, of: &dyn Fn(&Sample) -> f64| -> Vec<(usize, f64)> {
        let own = samples.iter().filter(|sample| sample.workers == count);
        own.map(|s| (s.round, of(s) / units(s.work, s.workers)))
            .collect()
    };
    let ratio = |of: &dyn Fn(&Sample) -> f64| -> Option<Measured> {
        let rounds = pairs(at(to, of), at(from, of));
        let found = paired_ratio(&rounds).filter(|found| found.rounds == rounds.len())?;
        Some((found.ratio, ci95(found.interval)))
    };
    let cpu = ratio(&|sample| work_cpu_s(sample, known).unwrap_or(f64::NAN));
    let (time_ratio, time_ci95) = ratio(&|sample| sample.wall_s)?;
    Some(Beyond {
        from,
        to,
        cpu_ratio: cpu.map(|(ratio, _)| ratio),
        cpu_ci95: cpu.and_then(|(_, interval)| interval),
        time_ratio,
        time_ci95,
    })
}

/// CPU seconds of a cell's work alone; `None` where starting the cell takes more of it.
fn work_cpu_s(sample: &Sample, known: &Known) -> Option<f64> {
    let start = known.start_cpu_s(sample);
    let work = sample.user_s + sample.sys_s - start;
    (work > start).then_some(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::{Dispatch, Work};
    use crate::bench::summary::testing::sample;

    /// Six rounds of computations of 0.5 s at 1, 2 and 3 workers on threads,
    /// whose cells take 0.1 s of CPU time a worker to start.
    fn run(job_s: f64) -> (Vec<Sample>, Known) {
        let one = |round: usize, workers: usize| Sample {
            user_s: (job_s + 0.1) * workers as f64,
            peak_memory_bytes: 1000 + 50 * workers as u64 + (round % 3) as u64,
            ..sample(Work::Cpu, Dispatch::Threads, workers, round, 0.5)
        };
        let samples = (1..=6).flat_map(|round| (1..=3).map(move |n| one(round, n)));
        let starts = (1..=3).map(|n| ((Dispatch::Threads, n), 0.1 * n as f64));
        let known = Known {
            empty_cpu_s: starts.collect(),
            ..Known::default()
        };
        (samples.collect(), known)
    }

    #[test]
    fn memory_is_the_slope_over_workers_and_one_odd_round_does_not_move_it_far() {
        let (mut samples, _) = run(0.5);
        samples[2].peak_memory_bytes = 9000;
        let samples: Vec<&Sample> = samples.iter().collect();
        let (bytes, interval) = memory_per_worker(&samples).unwrap();
        let [lo, hi] = interval.unwrap();
        assert!((bytes - 50.0).abs() < 1e-9 && lo <= 50.0 && hi > 50.0);
        // Five rounds are too few for an interval of 95 %.
        let five: Vec<&Sample> = samples.iter().copied().filter(|s| s.round < 6).collect();
        assert_eq!(memory_per_worker(&five).unwrap().1, None);
        assert_eq!(beyond(&five, &Known::default(), 2).unwrap().time_ci95, None);
        assert_eq!(memory_per_worker(&samples[..1]), None);
    }

    #[test]
    fn beyond_the_cores_is_told_of_the_work_alone_where_there_is_such_a_count() {
        let (mut samples, mut known) = run(0.5);
        // A further worker that starts slowly is no work that takes more.
        known.empty_cpu_s.insert((Dispatch::Threads, 3), 0.4);
        for sample in samples.iter_mut().filter(|sample| sample.workers == 3) {
            sample.user_s += 0.1;
        }
        let samples: Vec<&Sample> = samples.iter().collect();
        let found = beyond(&samples, &known, 2).unwrap();
        assert_eq!((found.from, found.to), (2, 3));
        assert!((found.cpu_ratio.unwrap() - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.time_ratio - 2.0 / 3.0).abs() < 1e-9, "{found:?}");
        assert_eq!(beyond(&samples, &known, 3), None);
    }

    #[test]
    fn work_that_takes_less_than_the_start_of_its_cell_tells_nothing_of_cpu_time() {
        let (samples, known) = run(0.05);
        let samples: Vec<&Sample> = samples.iter().collect();
        let found = beyond(&samples, &known, 2).unwrap();
        assert_eq!((found.cpu_ratio, found.cpu_ci95), (None, None));
    }
}
