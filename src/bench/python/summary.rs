//! What follows from Python's samples.

use super::{How, Python, PythonCell, PythonComparison, PythonSample};
use crate::bench::compare::pairs;
use crate::bench::results::Work;
use crate::bench::sentence::sentence;
use crate::bench::stats::{median, median_interval};
use crate::bench::verdict::{Contest, JobSize, decide};

impl Python {
    /// The same with what follows from its samples.
    #[must_use]
    pub fn summarised(mut self, sizes_ms: impl Fn(Work) -> u64) -> Self {
        let mut keys: Vec<_> = self.samples.iter().map(|s| (s.work, s.workers)).collect();
        keys.sort_unstable();
        keys.dedup();
        let cells = keys
            .iter()
            .flat_map(|(work, workers)| How::ALL.map(|how| self.cell(*work, how, *workers)));
        self.cells = cells.flatten().collect();
        let compared = |(work, workers): &(Work, usize)| {
            self.compared((*work, *workers), sizes_ms(*work) as f64)
        };
        self.comparisons = keys.iter().filter_map(compared).collect();
        self
    }

    fn times(&self, work: Work, how: How, workers: usize) -> Vec<(usize, f64)> {
        let of = |s: &&PythonSample| (s.work, s.how, s.workers) == (work, how, workers);
        let samples = self.samples.iter().filter(of);
        samples
            .map(|sample| (sample.round, sample.wall_s))
            .collect()
    }

    fn cell(&self, work: Work, how: How, workers: usize) -> Option<PythonCell> {
        let times = self.times(work, how, workers);
        let walls: Vec<f64> = times.iter().map(|time| time.1).collect();
        let interval = median_interval(&walls)?;
        Some(PythonCell {
            work,
            how,
            workers,
            n: walls.len(),
            median_s: median(&walls)?,
            ci95_s: [interval.lo, interval.hi],
        })
    }

    fn compared(&self, (work, workers): (Work, usize), work_ms: f64) -> Option<PythonComparison> {
        let alone = How::ALL.map(|how| self.cell(work, how, 1).map(|cell| cell.median_s));
        let size = match alone {
            [Some(threads), Some(processes)] => Some(JobSize {
                work_ms,
                start_ms: 1000.0 * (processes - threads).abs(),
                chosen: true,
            }),
            _ => None,
        };
        let [threads, processes] = How::ALL.map(|how| self.times(work, how, workers));
        let decision = decide(&Contest {
            rounds: &pairs(threads, processes),
            size,
            equal_output: None,
        })?;
        let interval = decision.measured.interval;
        Some(PythonComparison {
            work,
            workers,
            ratio: decision.measured.ratio,
            ci95: [interval.lo, interval.hi],
            verdict: decision.verdict,
            sentence: sentence(&decision, How::Threads.title(), How::Processes.title()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Verdict;

    #[test]
    fn rounds_in_which_one_lock_makes_threads_wait_are_told_as_such() {
        let sample = |how, workers, round, wall_s| PythonSample {
            work: Work::Cpu,
            how,
            workers,
            round,
            wall_s,
            user_s: 0.0,
            sys_s: 0.0,
            peak_memory_bytes: 0,
        };
        let samples = (1..=8).flat_map(|round| {
            [
                sample(How::Threads, 1, round, 0.300),
                sample(How::Processes, 1, round, 0.304),
                sample(How::Threads, 2, round, 0.600),
                sample(How::Processes, 2, round, 0.304),
            ]
        });
        let python = Python {
            samples: samples.collect(),
            ..Python::default()
        };
        let python = python.summarised(|_| 300);
        assert_eq!(python.cells.len(), 4);
        let found = &python.comparisons[1];
        assert_eq!((found.workers, found.verdict), (2, Verdict::BFaster));
        assert!(
            found
                .sentence
                .starts_with("Python processes faster by 97.4 %")
        );
    }
}
