//! Samples in; cells, comparisons, fits and the capacity out.

use std::collections::BTreeMap;

use super::best::best_workers;
use super::compare::{Known, comparisons, pairs};
use super::fit::{Point, fit};
use super::results::{Capacity, Cell, Comparison, Dispatch, Fit, Sample, Work};
use super::stats::{is_time, median, median_interval, paired_ratio};

/// What samples of one cell have in common: their series, and workers.
type Place = (Series, usize);

/// Everything that follows from the samples, in reporting order.
///
/// Samples without a positive wall time are left out.
pub fn summarise(
    samples: &[Sample],
    known: &Known,
) -> (Vec<Cell>, Vec<Comparison>, Vec<Fit>, Option<Capacity>) {
    let cells = cells(samples);
    let fits = fits(&cells, samples);
    let capacity = capacity(&cells, &fits, known.clips_s);
    (cells, comparisons(samples, known), fits, capacity)
}

fn cells(samples: &[Sample]) -> Vec<Cell> {
    let mut groups: BTreeMap<Place, Vec<&Sample>> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| is_time(sample.wall_s)) {
        let place = (
            (sample.work, sample.dispatch, sample.codec_threads),
            sample.workers,
        );
        groups.entry(place).or_default().push(sample);
    }
    let mut cells: Vec<Cell> = groups
        .into_iter()
        .filter_map(|(place, samples)| cell(place, &samples))
        .collect();
    set_speedups(&mut cells, samples);
    cells
}

fn cell(place: Place, samples: &[&Sample]) -> Option<Cell> {
    let ((work, dispatch, codec_threads), workers) = place;
    let all = |of: fn(&Sample) -> f64| samples.iter().map(|s| of(s)).collect::<Vec<f64>>();
    let walls = all(|s| s.wall_s);
    let median_s = median(&walls)?;
    let interval = median_interval(&walls)?;
    let frames = median(&all(|s| s.frames as f64)).filter(|frames| *frames > 0.0);
    Some(Cell {
        work,
        dispatch,
        workers,
        codec_threads,
        n: walls.len(),
        median_s,
        ci95_s: [interval.lo, interval.hi],
        throughput_fps: frames.map(|frames| frames / median_s),
        speedup: None,
        speedup_ci95: None,
        efficiency: None,
        peak_memory_bytes: median(&all(|s| s.peak_memory_bytes as f64)).unwrap_or(0.0) as u64,
        cpu_s: median(&all(|s| s.user_s + s.sys_s)).unwrap_or(0.0),
    })
}

/// Work done in a cell, in units of what one worker alone does in a cell: the
/// same whatever the worker count, or one job a worker.
pub(crate) fn units(work: Work, workers: usize) -> f64 {
    if work.one_job_a_worker() {
        workers as f64
    } else {
        1.0
    }
}

/// Rate against one worker of the same dispatch in the same rounds, where that was measured.
fn set_speedups(cells: &mut [Cell], samples: &[Sample]) {
    for cell in cells {
        let alone = times((series(cell), 1), samples);
        let own = times((series(cell), cell.workers), samples);
        let Some(found) = paired_ratio(&pairs(alone, own)) else {
            continue;
        };
        let units = units(cell.work, cell.workers);
        let speedup = units * found.ratio;
        cell.speedup = Some(speedup);
        cell.speedup_ci95 = (cell.workers != 1)
            .then(|| [found.interval.lo, found.interval.hi].map(|end| units * end));
        cell.efficiency = (cell.workers > 0).then(|| speedup / cell.workers as f64);
    }
}

/// The rounds of a cell with their wall times.
pub(super) fn times((series, workers): (Series, usize), samples: &[Sample]) -> Vec<(usize, f64)> {
    let of = |s: &&Sample| (s.work, s.dispatch, s.codec_threads) == series && s.workers == workers;
    let own = samples.iter().filter(of);
    own.map(|s| (s.round, s.wall_s)).collect()
}

fn fits(cells: &[Cell], samples: &[Sample]) -> Vec<Fit> {
    cells
        .chunk_by(|a, b| series(a) == series(b))
        .filter_map(|cells| {
            let points: Vec<Point> = cells.iter().map(point).collect();
            let first = cells.first()?;
            let best = best_workers(cells, samples)?;
            Some(fit((first.load(), first.dispatch), &points, best))
        })
        .collect()
}

/// Load, dispatch, codec threads: what cells that differ in worker counts have in common.
type Series = (Work, Dispatch, usize);

pub(super) fn series(cell: &Cell) -> Series {
    (cell.work, cell.dispatch, cell.codec_threads)
}

fn point(cell: &Cell) -> Point {
    Point {
        workers: cell.workers,
        rate: units(cell.work, cell.workers) / cell.median_s,
    }
}

/// From the fastest of the transcode cells that the fits call best.
fn capacity(cells: &[Cell], fits: &[Fit], clips_s: f64) -> Option<Capacity> {
    let is_best = |cell: &&Cell| {
        fits.iter().any(|fit| {
            (fit.load(), fit.dispatch, fit.best_workers)
                == (cell.load(), cell.dispatch, cell.workers)
        })
    };
    let best = cells
        .iter()
        .filter(|cell| cell.work == Work::Transcode)
        .filter(is_best)
        .min_by(|a, b| a.median_s.total_cmp(&b.median_s))?;
    let realtime_factor = clips_s / best.median_s;
    is_time(realtime_factor).then_some(Capacity {
        dispatch: best.dispatch,
        workers: best.workers,
        codec_threads: best.codec_threads,
        realtime_factor,
        ci95: [clips_s / best.ci95_s[1], clips_s / best.ci95_s[0]],
        // That many are shown to keep up.
        jobs_in_real_time: (clips_s / best.ci95_s[1]).floor() as u64,
    })
}

/// Samples for tests.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// A sample without CPU time, memory and frames, at one codec thread.
    pub(crate) fn sample(
        work: Work,
        dispatch: Dispatch,
        workers: usize,
        round: usize,
        wall_s: f64,
    ) -> Sample {
        Sample::timed((work, dispatch, workers), round, wall_s)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::sample;
    use super::*;
    use proptest::prelude::*;

    /// Six rounds of one load on threads, with the wall time a function of workers.
    fn run(work: Work, workers: &[usize], wall_s: fn(f64) -> f64) -> Vec<Sample> {
        (1..=6)
            .flat_map(|round| {
                workers.iter().map(move |&n| {
                    let wall_s = wall_s(n as f64) * (1.0 + 0.001 * round as f64);
                    Sample {
                        frames: 300,
                        peak_memory_bytes: 1000,
                        user_s: 3.0,
                        sys_s: 1.0,
                        ..sample(work, Dispatch::Threads, n, round, wall_s)
                    }
                })
            })
            .collect()
    }

    #[test]
    fn the_same_clips_in_half_the_time_are_a_speedup_of_two() {
        let samples = run(Work::Transcode, &[1, 2], |n| 6.0 / n);
        let (cells, ..) = summarise(&samples, &Known::default());
        assert_eq!(cells.len(), 2);
        assert!((cells[1].speedup.unwrap() - 2.0).abs() < 1e-9);
        assert!((cells[1].efficiency.unwrap() - 1.0).abs() < 1e-9);
        assert!((cells[1].throughput_fps.unwrap() - 100.0).abs() < 1.0);
        assert_eq!((cells[1].n, cells[1].cpu_s), (6, 4.0));
        assert_eq!(cells[1].peak_memory_bytes, 1000);
    }

    #[test]
    fn a_job_a_worker_in_the_same_time_is_a_speedup_of_as_many() {
        let samples = run(Work::Io, &[1, 3], |_| 0.5);
        let (cells, _, fits, _) = summarise(&samples, &Known::default());
        assert!((cells[1].speedup.unwrap() - 3.0).abs() < 1e-9);
        assert_eq!(fits[0].best_workers, 3);
    }

    #[test]
    fn a_speed_up_holds_the_noise_of_one_worker_too_and_is_one_by_definition_there() {
        let walls = [6.0, 6.6, 5.4, 6.0, 6.3, 5.7];
        let mut samples: Vec<Sample> = (1..=6)
            .map(|n| sample(Work::Transcode, Dispatch::Threads, 1, n, walls[n - 1]))
            .collect();
        samples.extend((1..=6).map(|n| sample(Work::Transcode, Dispatch::Threads, 2, n, 3.0)));
        let (cells, ..) = summarise(&samples, &Known::default());
        assert_eq!((cells[0].speedup, cells[0].speedup_ci95), (Some(1.0), None));
        let [lo, hi] = cells[1].speedup_ci95.unwrap();
        assert!(
            (lo - 1.8).abs() < 1e-9 && (hi - 2.2).abs() < 1e-9,
            "{lo}–{hi}"
        );
    }

    #[test]
    fn without_the_one_worker_cell_there_is_no_speedup() {
        let samples = run(Work::Cpu, &[2, 3], |_| 0.5);
        let (cells, ..) = summarise(&samples, &Known::default());
        assert!(cells.iter().all(|cell| cell.speedup.is_none()));
        assert!(cells.iter().all(|cell| cell.efficiency.is_none()));
    }

    #[test]
    fn capacity_is_the_length_of_the_clips_over_the_longest_plausible_time_rounded_down() {
        let known = Known {
            clips_s: 20.0,
            ..Known::default()
        };
        let samples = run(Work::Transcode, &[1, 2, 3], |n| 6.0 / n.min(2.0));
        let capacity = summarise(&samples, &known).3.unwrap();
        assert_eq!((capacity.workers, capacity.jobs_in_real_time), (2, 6));
        assert_eq!(summarise(&samples, &Known::default()).3, None);
        // 7.6 at the median, 4.8 where it goes badly.
        let walls = [1.0, 1.0, 1.0, 1.0, 1.0, 1.6];
        let samples: Vec<Sample> = (1..=6)
            .map(|n| sample(Work::Transcode, Dispatch::Threads, 1, n, walls[n - 1]))
            .collect();
        let known = Known {
            clips_s: 7.6,
            ..Known::default()
        };
        assert_eq!(summarise(&samples, &known).3.unwrap().jobs_in_real_time, 4);
    }

    #[test]
    fn codec_threads_are_never_mixed_in_one_cell() {
        let mut samples = run(Work::Transcode, &[1, 2], |n| 6.0 / n);
        let more: Vec<Sample> = samples
            .iter()
            .map(|s| Sample {
                codec_threads: 2,
                ..s.clone()
            })
            .collect();
        samples.extend(more);
        let (cells, _, fits, _) = summarise(&samples, &Known::default());
        assert_eq!((cells.len(), fits.len()), (4, 2));
    }

    #[test]
    fn no_samples_give_an_empty_summary() {
        assert_eq!(
            summarise(&[], &Known::default()),
            (vec![], vec![], vec![], None)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_samples_are_survived_and_can_be_written_and_read_back(
            drawn in prop::collection::vec(
                (0..4usize, 0..2usize, 0..4usize, 0..3usize, any::<f64>(), any::<f64>()), 0..30
            )
        ) {
            let samples: Vec<Sample> = drawn
                .into_iter()
                .map(|(work, dispatch, workers, round, wall_s, user_s)| Sample {
                    user_s,
                    ..sample(Work::ALL[work], Dispatch::ALL[dispatch], workers, round, wall_s)
                })
                .collect();
            let (cells, comparisons, ..) = summarise(&samples, &Known::default());
            for cell in &cells {
                prop_assert!(cell.median_s > 0.0 && cell.n > 0);
            }
            for comparison in &comparisons {
                let text = serde_json::to_string(comparison).unwrap();
                prop_assert!(serde_json::from_str::<Comparison>(&text).is_ok(), "{text}");
            }
        }
    }
}
