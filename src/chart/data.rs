//! What is plotted: series of points taken from cells and samples, cleaned.

use crate::bench::results::{Cell, Comparison, Dispatch, Load, Results, Sample, Work};
use crate::bench::summary::units;
use std::collections::BTreeMap;

/// A quantity of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Wall time in seconds.
    Time,
    /// Wall time divided by workers, in seconds.
    TimePerWorker,
    /// Frames a second.
    Throughput,
    /// Jobs a second against one worker.
    Speedup,
    /// Peak memory of all processes in bytes.
    Memory,
}

/// One point of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Jobs at once.
    pub workers: usize,
    /// The median.
    pub mid: f64,
    /// Its 95 % interval, where there is one wider than nothing.
    pub interval: Option<[f64; 2]>,
    /// The quantity of every raw sample.
    pub raw: Vec<f64>,
}

impl Point {
    /// All values that must be inside the picture.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let interval = self.interval.into_iter().flatten();
        self.raw.iter().copied().chain(interval).chain([self.mid])
    }

    /// The point with every value divided by `unit`.
    pub fn divided(mut self, unit: f64) -> Point {
        self.mid /= unit;
        self.interval = self.interval.map(|ends| ends.map(|end| end / unit));
        self.raw.iter_mut().for_each(|value| *value /= unit);
        self
    }
}

/// One dispatch's points, by rising worker count.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// How the jobs were run.
    pub dispatch: Dispatch,
    /// At least one point.
    pub points: Vec<Point>,
}

/// The part of a run's results that is drawn: one number of codec threads.
pub struct View<'a> {
    results: &'a Results,
    codec_threads: usize,
}

impl<'a> View<'a> {
    /// A view of `results` at the codec threads that were asked for, or else
    /// at those that most cells have.
    pub fn new(results: &'a Results) -> Self {
        let asked = results.design.codec_threads;
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for cell in &results.cells {
            *counts.entry(cell.codec_threads).or_default() += 1;
        }
        let codec_threads = match counts.contains_key(&asked) {
            true => asked,
            false => counts
                .into_iter()
                .max_by_key(|(threads, count)| (*count, std::cmp::Reverse(*threads)))
                .map_or(asked, |(threads, _)| threads),
        };
        Self {
            results,
            codec_threads,
        }
    }

    /// The run.
    pub fn results(&self) -> &'a Results {
        self.results
    }

    /// Cores of the machine; `None` where they are not known.
    pub fn cores(&self) -> Option<usize> {
        Some(self.results.machine.cores).filter(|cores| *cores > 0)
    }

    /// Whether `work` has a time to show.
    pub fn has(&self, work: Work) -> bool {
        !self.series(work, Measure::Time).is_empty()
    }

    /// Every dispatch's points of one quantity; a dispatch without any is left out.
    pub fn series(&self, work: Work, measure: Measure) -> Vec<Series> {
        let series = Dispatch::ALL.into_iter().map(|dispatch| Series {
            dispatch,
            points: self.points(work, dispatch, measure),
        });
        series.filter(|series| !series.points.is_empty()).collect()
    }

    fn points(&self, work: Work, dispatch: Dispatch, measure: Measure) -> Vec<Point> {
        let cells = self.results.cells.iter().filter(|cell| {
            (cell.work, cell.dispatch) == (work, dispatch)
                && cell.codec_threads == self.codec_threads
                && cell.workers > 0
        });
        let points = cells.filter_map(|cell| {
            let point = self.point(cell, measure)?;
            Some((cell.workers, point))
        });
        let by_workers: BTreeMap<usize, Point> = points.collect();
        by_workers.into_values().collect()
    }

    fn point(&self, cell: &Cell, measure: Measure) -> Option<Point> {
        let mid = of_cell(cell, measure).filter(|value| usable(*value))?;
        let samples = self.samples(cell.work, cell.dispatch, cell.workers);
        let raw = samples.filter_map(|sample| self.of_sample(cell, sample, measure));
        Some(Point {
            workers: cell.workers,
            mid,
            interval: interval(cell, measure),
            raw: raw.filter(|value| usable(*value)).collect(),
        })
    }

    fn of_sample(&self, cell: &Cell, sample: &Sample, measure: Measure) -> Option<f64> {
        match measure {
            Measure::Memory => Some(sample.peak_memory_bytes as f64),
            Measure::Speedup => {
                let mut alone = self.samples(cell.work, cell.dispatch, 1);
                let alone = alone.find(|alone| alone.round == sample.round)?;
                Some(units(cell.work, cell.workers) * alone.wall_s / sample.wall_s)
            }
            _ => of_seconds(cell, sample.wall_s, measure),
        }
    }

    /// The raw samples of one cell, in the order in which they were taken.
    pub fn samples(
        &self,
        work: Work,
        dispatch: Dispatch,
        workers: usize,
    ) -> impl Iterator<Item = &'a Sample> {
        let codec_threads = self.codec_threads;
        self.results.samples.iter().filter(move |sample| {
            (sample.work, sample.dispatch) == (work, dispatch)
                && (sample.workers, sample.codec_threads) == (workers, codec_threads)
        })
    }

    /// Threads against every other dispatch at `workers`.
    pub fn comparisons(&self, work: Work, workers: usize) -> impl Iterator<Item = &'a Comparison> {
        let load = Load {
            work,
            codec_threads: self.codec_threads,
        };
        let at = move |found: &&Comparison| (found.load(), found.workers) == (load, workers);
        self.results.comparisons.iter().filter(at)
    }

    /// The comparison of threads with processes at `workers`, where there is one.
    pub fn comparison(&self, work: Work, workers: usize) -> Option<&'a Comparison> {
        self.comparisons(work, workers)
            .find(|found| (found.a, found.b) == (Dispatch::Threads, Dispatch::Processes))
    }

    /// The worker count to speak about, as [`Results::focus`].
    pub fn focus(&self, counts: &[usize]) -> Option<usize> {
        self.results.focus(counts)
    }
}

/// The worker counts that any of `series` has, rising.
pub fn counts(series: &[Series]) -> Vec<usize> {
    let points = series.iter().flat_map(|series| &series.points);
    let mut counts: Vec<usize> = points.map(|point| point.workers).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// What can be drawn: a number from 0 up to more than any machine measures.
pub fn usable(value: f64) -> bool {
    (0.0..=1e18).contains(&value)
}

fn of_cell(cell: &Cell, measure: Measure) -> Option<f64> {
    match measure {
        Measure::Time => Some(cell.median_s),
        Measure::TimePerWorker => Some(cell.median_s / cell.workers as f64),
        Measure::Throughput => cell.throughput_fps,
        Measure::Speedup => cell.speedup,
        Measure::Memory => Some(cell.peak_memory_bytes as f64).filter(|bytes| *bytes > 0.0),
    }
}

/// What `value` seconds would be in terms of `measure`, in the way in which the
/// cell's own figure follows from its median time.
fn of_seconds(cell: &Cell, seconds: f64, measure: Measure) -> Option<f64> {
    match measure {
        Measure::Time => Some(seconds),
        Measure::TimePerWorker => Some(seconds / cell.workers as f64),
        Measure::Throughput => Some(of_cell(cell, measure)? * cell.median_s / seconds),
        // That of one worker varies, too.
        Measure::Speedup | Measure::Memory => None,
    }
}

fn interval(cell: &Cell, measure: Measure) -> Option<[f64; 2]> {
    let [a, b] = match measure {
        Measure::Speedup => cell.speedup_ci95?,
        _ => {
            let [lo, hi] = cell.ci95_s.map(|end| of_seconds(cell, end, measure));
            [lo?, hi?]
        }
    };
    let wide = usable(a) && usable(b) && a != b;
    wide.then(|| [a.min(b), a.max(b)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;

    #[test]
    fn values_that_are_not_numbers_are_left_out() {
        let mut results = fixture::two_cores();
        results.cells[0].median_s = f64::NAN;
        results.cells[1].ci95_s = [f64::NAN, f64::INFINITY];
        results.samples[0].wall_s = -1.0;
        let view = View::new(&results);
        for measure in [Measure::Time, Measure::Throughput, Measure::Speedup] {
            for work in fixture::WORKS {
                for series in view.series(work, measure) {
                    let points = series.points.iter();
                    assert!(points.flat_map(Point::values).all(usable));
                }
            }
        }
    }

    #[test]
    fn a_speed_up_has_its_own_interval_and_none_at_one_worker() {
        let results = fixture::two_cores();
        let series = View::new(&results).series(Work::Transcode, Measure::Speedup);
        let points = &series[0].points;
        assert_eq!(points[0].interval, None);
        assert!(points[0].raw.iter().all(|value| *value == 1.0));
        let cell = results
            .cell(results.lead(Work::Transcode), series[0].dispatch, 2)
            .unwrap();
        assert_eq!(points[1].interval, cell.speedup_ci95);
    }

    #[test]
    fn points_rise_by_workers_whatever_the_order_of_cells() {
        let mut results = fixture::two_cores();
        results.cells.reverse();
        let view = View::new(&results);
        let series = view.series(Work::Transcode, Measure::Time);
        assert_eq!(counts(&series), [1, 2, 3]);
        assert!(series[0].points.is_sorted_by_key(|point| point.workers));
    }

    #[test]
    fn the_focus_is_the_cores_or_the_nearest_count_below() {
        let mut results = fixture::two_cores();
        assert_eq!(View::new(&results).focus(&[1, 2, 3]), Some(2));
        results.machine.cores = 6;
        assert_eq!(View::new(&results).focus(&[1, 4, 8]), Some(4));
        assert_eq!(View::new(&results).focus(&[8, 16]), Some(8));
        results.machine.cores = 0;
        assert_eq!(View::new(&results).focus(&[1, 4, 8]), Some(8));
        assert_eq!(View::new(&results).focus(&[]), None);
    }

    #[test]
    fn cells_of_other_codec_threads_are_not_mixed_in() {
        let mut results = fixture::two_cores();
        let mut other = results.cells[0].clone();
        other.codec_threads = 4;
        other.median_s = 99.0;
        results.cells.push(other);
        let view = View::new(&results);
        let series = view.series(results.cells[0].work, Measure::Time);
        assert!(series.iter().flat_map(|s| &s.points).all(|p| p.mid < 99.0));
    }
}
