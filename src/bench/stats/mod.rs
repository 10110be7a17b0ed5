//! Medians, and the intervals that a handful of noisy rounds allows.
//!
//! # Why not the bootstrap alone
//! A benchmark has 4 to 12 rounds a cell. There the percentile bootstrap of a
//! median (Efron & Tibshirani, *An Introduction to the Bootstrap*, 1993,
//! chapter 13) is too narrow: at 7 rounds it cuts the extreme round off either
//! side, and what is left holds the true median in 87.5 % of all cases, not in
//! 95 %. So the interval here is the bootstrap's, **widened** to the exact
//! interval between two order statistics where that is wider, which at small n
//! is always (Thompson, "On confidence ranges for the median", *Annals of
//! Mathematical Statistics* 7, 1936; David & Nagaraja, *Order Statistics*,
//! 3rd edition, section 7.1). It is the sign test turned into an interval: it
//! asks only that rounds are independent, not for normal noise, not for
//! symmetry, and one slow outlier moves it by one rank at most.
//!
//! The exact signed-rank (Hodges-Lehmann) interval is shorter in clean noise,
//! but needs symmetric differences, and a single slow round spoils it up to 11
//! rounds; the order statistics bear one from 9 rounds on. They grow shorter
//! in steps, at 6, 9 and 12 rounds: 8 rounds show no more than 6 do.
//!
//! # Too few rounds
//! The widest such interval is the whole range, with a confidence of
//! 1 − 2^(1−n): 93.75 % at 5 rounds, 96.9 % at 6. Below [`MIN_ROUNDS`] no
//! 95 % statement exists, and [`Interval::confidence`] says so.

mod unpaired;

use statrs::distribution::{Binomial, DiscreteCDF};
use statrs::statistics::{Data, OrderStatistics};

pub use unpaired::unpaired_ratio;

/// The confidence that a conclusion needs.
pub const CONFIDENCE: f64 = 0.95;

/// The fewest rounds from which a 95 % statement about a median follows.
pub const MIN_ROUNDS: usize = 6;

/// Bootstrap resamples: the Monte Carlo error of a 2.5 % tail is then 0.35 points.
const RESAMPLES: usize = 2_000;

/// Every interval is drawn from the same seed, so that the same samples give the same report.
const SEED: u64 = 0x0072_7573_6865_7321;

/// Where a median lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end, in the unit of the values.
    pub lo: f64,
    /// Upper end, in the unit of the values.
    pub hi: f64,
    /// How often such an interval holds the true median at least, 0 to 1.
    pub confidence: f64,
}

/// The ratio of two times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeRatio {
    /// Time of a divided by time of b; no unit.
    pub ratio: f64,
    /// Where the median ratio lies.
    pub interval: Interval,
    /// Rounds in which both times were usable; of two runs, those of the shorter one.
    pub rounds: usize,
}

/// The median of the finite values, in their unit; `None` where there are none.
pub fn median(values: &[f64]) -> Option<f64> {
    let finite = finite(values);
    (!finite.is_empty()).then(|| Data::new(finite).median())
}

/// Median absolute deviation from the median, in the unit of the values.
///
/// Not scaled: for normal noise the standard deviation is 1.4826 times this
/// (Rousseeuw & Croux, *JASA* 88, 1993).
pub fn mad(values: &[f64]) -> Option<f64> {
    let centre = median(values)?;
    let distances: Vec<f64> = values.iter().map(|value| (value - centre).abs()).collect();
    median(&distances)
}

/// The interval of the median of the finite values; `None` where there are none.
///
/// See the [module](self) for the method. With fewer than [`MIN_ROUNDS`]
/// values it is their range, and its confidence is below [`CONFIDENCE`].
pub fn median_interval(values: &[f64]) -> Option<Interval> {
    let mut sorted = finite(values);
    sorted.sort_by(f64::total_cmp);
    let exact = order_statistic_interval(&sorted)?;
    let (lo, hi) = bootstrap_of_median(&sorted)?;
    Some(Interval {
        lo: exact.lo.min(lo),
        hi: exact.hi.max(hi),
        confidence: exact.confidence,
    })
}

/// The median ratio a ∕ b over rounds, with its interval.
///
/// Works on ln(a ∕ b): a drift that slows a whole round cancels, and swapping
/// a and b gives exactly the reciprocal. Rounds in which a time is not a
/// positive number are left out; `None` where no round is left.
pub fn paired_ratio(rounds: &[(f64, f64)]) -> Option<TimeRatio> {
    let logs: Vec<f64> = rounds
        .iter()
        .filter_map(|&(a, b)| log_ratio(a, b))
        .collect();
    let interval = median_interval(&logs)?;
    Some(TimeRatio {
        ratio: median(&logs)?.exp(),
        interval: Interval {
            lo: interval.lo.exp(),
            hi: interval.hi.exp(),
            confidence: interval.confidence,
        },
        rounds: logs.len(),
    })
}

/// Whether a number is a time that a clock can have measured.
pub fn is_time(seconds: f64) -> bool {
    seconds.is_normal() && seconds > 0.0
}

fn log_ratio(a: f64, b: f64) -> Option<f64> {
    // A ratio that overflows either way round is no measurement.
    let usable = is_time(a) && is_time(b) && is_time(a / b) && is_time(b / a);
    usable.then(|| (a / b).ln())
}

fn finite(values: &[f64]) -> Vec<f64> {
    values
        .iter()
        .copied()
        .filter(|value| value.is_finite())
        .collect()
}

/// Between the r-th smallest and the r-th largest value, with the largest r
/// that keeps 95 %; the range where none does.
fn order_statistic_interval(sorted: &[f64]) -> Option<Interval> {
    let n = sorted.len();
    let signs = Binomial::new(0.5, u64::try_from(n).ok()?).ok()?;
    // The median lies below the r-th smallest value (index r − 1) where at
    // most r − 1 values fall below it.
    let miss = |index: usize| 2.0 * signs.cdf(index as u64);
    let index = (0..n / 2)
        .take_while(|&index| miss(index) <= 1.0 - CONFIDENCE)
        .last()
        .unwrap_or(0);
    Some(Interval {
        lo: *sorted.get(index)?,
        hi: *sorted.get(n - 1 - index)?,
        confidence: (1.0 - miss(index)).max(0.0),
    })
}

/// The 2.5 % and 97.5 % quantiles of the medians of resamples.
fn bootstrap_of_median(values: &[f64]) -> Option<(f64, f64)> {
    if values.is_empty() {
        return None;
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut resample = vec![0.0; values.len()];
    let medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            for slot in &mut resample {
                *slot = values[random.usize(..values.len())];
            }
            Data::new(resample.as_mut_slice()).median()
        })
        .collect();
    let mut medians = Data::new(medians);
    let tail = (1.0 - CONFIDENCE) / 2.0;
    Some((medians.quantile(tail), medians.quantile(1.0 - tail)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use statrs::distribution::{ContinuousCDF, LogNormal};

    #[test]
    fn the_median_and_the_mad_ignore_an_outlier_and_what_is_no_number() {
        let values = [1.0, 2.0, 3.0, 4.0, 1000.0, f64::NAN, f64::INFINITY];
        assert_eq!(median(&values), Some(3.0));
        assert_eq!(mad(&values), Some(1.0));
        assert_eq!(median(&[1.0, 2.0]), Some(1.5));
        assert_eq!(median(&[]), None);
        assert_eq!(mad(&[f64::NAN]), None);
    }

    #[test]
    fn six_rounds_are_the_fewest_that_carry_95_percent() {
        let confidence = |n: usize| {
            let values: Vec<f64> = (0..n).map(|i| i as f64).collect();
            median_interval(&values).unwrap().confidence
        };
        assert!(confidence(MIN_ROUNDS - 1) < CONFIDENCE);
        for n in MIN_ROUNDS..60 {
            assert!(confidence(n) >= CONFIDENCE, "{n}: {}", confidence(n));
        }
    }

    #[test]
    fn the_ends_are_the_order_statistics_of_the_published_table() {
        // Rank of the lower end at 95 %, David & Nagaraja and any table of the sign test.
        for (n, rank) in [
            (6, 1),
            (8, 1),
            (9, 2),
            (11, 2),
            (12, 3),
            (15, 4),
            (20, 6),
            (30, 10),
        ] {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            let interval = order_statistic_interval(&values).unwrap();
            assert_eq!(
                (interval.lo, interval.hi),
                (f64::from(rank), f64::from(n + 1 - rank)),
                "n = {n}"
            );
        }
    }

    #[test]
    fn the_bootstrap_alone_would_be_too_narrow_at_seven_rounds() {
        let noise = LogNormal::new(0.0, 0.05).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        let (mut bootstrap, mut widened) = (0, 0);
        for _ in 0..1000 {
            let values: Vec<f64> = (0..7)
                .map(|_| noise.inverse_cdf(random.f64().clamp(1e-9, 1.0 - 1e-9)))
                .collect();
            let (lo, hi) = bootstrap_of_median(&values).unwrap();
            bootstrap += usize::from((lo..=hi).contains(&1.0));
            let interval = median_interval(&values).unwrap();
            widened += usize::from((interval.lo..=interval.hi).contains(&1.0));
        }
        assert!(bootstrap < 910, "{bootstrap}");
        assert!(widened >= 950, "{widened}");
    }

    #[test]
    fn a_drift_over_rounds_cancels_in_the_paired_ratio() {
        let rounds: Vec<(f64, f64)> = (1..=8)
            .map(|i| (2.0 * f64::from(i), f64::from(i)))
            .collect();
        let found = paired_ratio(&rounds).unwrap();
        assert!((found.ratio - 2.0).abs() < 1e-12);
        assert!(found.interval.hi - found.interval.lo < 1e-12);
        assert_eq!(found.rounds, 8);
    }

    #[test]
    fn rounds_without_two_times_are_left_out() {
        let rounds = [
            (1.0, f64::NAN),
            (0.0, 1.0),
            (-1.0, 1.0),
            (1e300, 1e-300),
            (3.0, 2.0),
        ];
        let found = paired_ratio(&rounds).unwrap();
        assert_eq!(found.rounds, 1);
        assert!((found.ratio - 1.5).abs() < 1e-12);
        assert!(found.interval.confidence < 1e-9);
        assert_eq!(paired_ratio(&rounds[..4]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_median_lies_in_its_interval_and_the_interval_within_the_range(
            values in prop::collection::vec(-1e9..1e9f64, 1..40)
        ) {
            let centre = median(&values).unwrap();
            let interval = median_interval(&values).unwrap();
            prop_assert!(interval.lo <= centre && centre <= interval.hi);
            prop_assert!(values.iter().any(|&value| value <= interval.lo));
            prop_assert!(values.iter().any(|&value| value >= interval.hi));
        }

        #[test]
        fn any_numbers_at_all_are_survived(
            rounds in prop::collection::vec((any::<f64>(), any::<f64>()), 0..12)
        ) {
            let firsts: Vec<f64> = rounds.iter().map(|round| round.0).collect();
            let _ = (median(&firsts), mad(&firsts), median_interval(&firsts));
            if let Some(found) = paired_ratio(&rounds) {
                prop_assert!(found.ratio.is_finite() && found.ratio > 0.0);
            }
        }

        #[test]
        fn swapping_the_two_gives_the_reciprocal(
            rounds in prop::collection::vec((0.01..100.0f64, 0.01..100.0f64), 6..12)
        ) {
            let swapped: Vec<_> = rounds.iter().map(|&(a, b)| (b, a)).collect();
            let (found, back) = (paired_ratio(&rounds).unwrap(), paired_ratio(&swapped).unwrap());
            prop_assert!((found.ratio * back.ratio - 1.0).abs() < 1e-9);
        }
    }
}
