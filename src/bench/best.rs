//! The best worker count of a dispatch, and the best dispatch: neither is named
//! for a median alone.

use super::compare::pairs;
use super::results::{Cell, Results, Sample, Verdict, Work};
use super::stats::{CONFIDENCE, paired_ratio};
use super::summary::{series, times, units};
use super::verdict::{Contest, decide};

/// What fewer workers than the fastest may cost, in times its time, to be called best.
const LOSS: f64 = 1.03;

/// The worker count of the highest median throughput among `cells` of one
/// series, or the smallest one of which the rounds show that it is at most
/// 3 % slower. That it could be as fast is not enough: one slow round makes
/// an interval wide.
pub(super) fn best_workers(cells: &[Cell], samples: &[Sample]) -> Option<usize> {
    let rate = |cell: &Cell| units(cell.work, cell.workers) / cell.median_s;
    let fastest = cells.iter().max_by(|a, b| rate(a).total_cmp(&rate(b)))?;
    let is_as_good = |cell: &&Cell| {
        let each = |cell: &Cell| -> Vec<(usize, f64)> {
            let units = units(cell.work, cell.workers);
            let times = times((series(cell), cell.workers), samples).into_iter();
            times.map(|(round, time)| (round, time / units)).collect()
        };
        paired_ratio(&pairs(each(cell), each(fastest))).is_some_and(|found| {
            found.interval.confidence >= CONFIDENCE && found.interval.hi <= LOSS
        })
    };
    let fewer = cells.iter().filter(|cell| cell.workers < fastest.workers);
    let fewest = fewer.filter(is_as_good).map(|cell| cell.workers).min();
    fewest.or(Some(fastest.workers))
}

/// The fastest of all dispatches and codec threads, each at its best worker count.
#[derive(Debug, Clone, PartialEq)]
pub struct Winner<'a> {
    /// The cell of the lowest median time.
    pub cell: &'a Cell,
    /// Those of the others that it is not shown to be faster than.
    pub not_shown: Vec<&'a Cell>,
}

/// The winner of `work`, whose cells all do the same.
pub fn winner(results: &Results, work: Work) -> Option<Winner<'_>> {
    let fits = results.fits.iter().filter(|fit| fit.work == work);
    let cells: Vec<&Cell> = fits
        .filter_map(|fit| results.cell(fit.load(), fit.dispatch, fit.best_workers))
        .collect();
    let cell = *cells
        .iter()
        .min_by(|a, b| a.median_s.total_cmp(&b.median_s))?;
    let others = cells.iter().filter(|other| series(other) != series(cell));
    let open = others.filter(|other| !is_faster(results, cell, other));
    Some(Winner {
        cell,
        not_shown: open.copied().collect(),
    })
}

fn is_faster(results: &Results, a: &Cell, b: &Cell) -> bool {
    let made = |found: &&super::results::Comparison| {
        [(a.load(), a.dispatch), (b.load(), b.dispatch)].contains(&(found.load(), found.b))
    };
    let mut made = results.comparisons.iter().filter(made);
    let times = |cell: &Cell| times((series(cell), cell.workers), &results.samples);
    let decision = decide(&Contest {
        rounds: &pairs(times(a), times(b)),
        size: None,
        equal_output: Some(made.all(|found| found.equal_output != Some(false))),
    });
    decision.is_some_and(|decision| decision.verdict == Verdict::AFaster)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::compare::Known;
    use crate::bench::results::Dispatch;
    use crate::bench::summary::summarise;
    use crate::bench::summary::testing::sample;

    /// Rounds of transcodes on threads, of each worker count its times.
    fn run(times: &[(usize, &[f64])]) -> Vec<Sample> {
        let of = |(workers, times): &(usize, &[f64])| -> Vec<Sample> {
            let one = |(round, wall_s): (usize, &f64)| {
                sample(Work::Transcode, Dispatch::Threads, *workers, round, *wall_s)
            };
            times.iter().enumerate().map(one).collect()
        };
        times.iter().flat_map(of).collect()
    }

    fn best(times: &[(usize, &[f64])]) -> usize {
        summarise(&run(times), &Known::default()).2[0].best_workers
    }

    #[test]
    fn one_slow_round_does_not_make_one_worker_the_best_of_two() {
        let slow = [1.55, 1.55, 1.56, 1.54, 1.55, 3.05];
        assert_eq!(best(&[(1, &[3.0; 6]), (2, &slow)]), 2);
    }

    #[test]
    fn fewer_workers_are_best_where_they_are_shown_to_cost_at_most_3_percent() {
        assert_eq!(best(&[(1, &[3.0; 6]), (2, &[1.52; 6]), (3, &[1.50; 6])]), 2);
        assert_eq!(best(&[(2, &[1.56; 6]), (3, &[1.50; 6])]), 3);
        // Five rounds show nothing.
        assert_eq!(best(&[(2, &[1.52; 5]), (3, &[1.50; 5])]), 3);
    }

    #[test]
    fn a_winner_is_faster_than_those_that_it_is_shown_to_be_faster_than() {
        let mut samples = run(&[(1, &[3.0; 8])]);
        for (dispatch, times) in [
            (Dispatch::Processes, [3.3; 8]),
            (Dispatch::Workers, [2.9, 3.1, 2.9, 3.1, 3.1, 3.1, 2.9, 3.1]),
        ] {
            let own = run(&[(1, &times)]).into_iter();
            samples.extend(own.map(|sample| Sample { dispatch, ..sample }));
        }
        let mut results = Results::of_times(samples);
        let found = winner(&results, Work::Transcode).unwrap();
        assert_eq!(found.cell.dispatch, Dispatch::Threads);
        let open = |found: &Winner| -> Vec<Dispatch> {
            found.not_shown.iter().map(|cell| cell.dispatch).collect()
        };
        assert_eq!(open(&found), [Dispatch::Workers]);
        // Nobody is faster than what made something else.
        results.comparisons[0].equal_output = Some(false);
        let found = winner(&results, Work::Transcode).unwrap();
        assert_eq!(open(&found), [Dispatch::Processes, Dispatch::Workers]);
        assert_eq!(winner(&results, Work::Frames), None);
    }
}
