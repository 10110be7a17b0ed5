//! When enough rounds were measured.
//!
//! Whoever looks after each round and stops at the first narrow interval picks
//! the samples that are narrow by chance, and their intervals hold less often
//! than they say: at 2 % of noise, 7 in 100 comparisons of A against A then
//! seem to differ. So there are few looks, and none before an interval is more
//! than the range of its rounds.

use super::results::{Comparison, Verdict};

/// A comparison is settled once its interval is within this share of the ratio.
pub(super) const TIGHT: f64 = 0.015;

/// Rounds after which it is looked whether all is settled.
pub(super) const LOOKS: [usize; 2] = [12, 18];

/// More rounds than this change little.
pub(super) const MOST_ROUNDS: usize = 24;

/// Whether measuring may end after so many `rounds`, with `comparisons` of them.
pub(super) fn is_enough(rounds: usize, comparisons: &[Comparison]) -> bool {
    rounds >= MOST_ROUNDS || (LOOKS.contains(&rounds) && !comparisons.iter().any(is_wide))
}

/// Whether more rounds could settle a comparison.
pub(super) fn is_wide(comparison: &Comparison) -> bool {
    let [lo, hi] = comparison.ci95;
    (hi - lo) / 2.0 > TIGHT * comparison.ratio
        && !matches!(
            comparison.verdict,
            Verdict::Void | Verdict::TooSmallToMeasure
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::compare::{Known, comparisons};
    use crate::bench::results::{Dispatch, Sample, Work};
    use statrs::distribution::{ContinuousCDF, Normal};

    /// One run of A against A: what is concluded once the rule ends it.
    fn concluded(noise: &Normal, random: &mut fastrand::Rng) -> Verdict {
        let mut samples: Vec<Sample> = Vec::new();
        for round in 1.. {
            for dispatch in [Dispatch::Threads, Dispatch::Processes] {
                let drawn = noise.inverse_cdf(random.f64().clamp(1e-9, 1.0 - 1e-9));
                let cell = (Work::Transcode, dispatch, 1);
                samples.push(Sample::timed(cell, round, drawn.exp()));
            }
            if !LOOKS.contains(&round) && round < MOST_ROUNDS {
                continue;
            }
            let found = comparisons(&samples, &Known::default());
            if is_enough(round, &found) {
                return found[0].verdict;
            }
        }
        Verdict::NoDifferenceShown
    }

    #[test]
    fn a_against_a_raises_at_most_5_false_alarms_in_100_when_the_rule_ends_the_run() {
        for spread in [0.015, 0.025] {
            let noise = Normal::new(0.0, spread).unwrap();
            let mut random = fastrand::Rng::with_seed(20_250_103);
            let alarms = (0..1000)
                .filter(|_| {
                    let verdict = concluded(&noise, &mut random);
                    matches!(verdict, Verdict::AFaster | Verdict::BFaster)
                })
                .count();
            println!("A against A to the rule's end, {spread}: {alarms} of 1000");
            // 5 in 100, and two standard deviations of what 1,000 runs can tell.
            assert!(alarms <= 50 + 14, "{spread}: {alarms} of 1000");
        }
    }

    #[test]
    fn what_cannot_be_settled_by_rounds_is_not_waited_for() {
        let samples: Vec<Sample> = (1..=12)
            .flat_map(|round| {
                [Dispatch::Threads, Dispatch::Processes].map(|dispatch| {
                    let wall_s = 1.0 + (round % 5) as f64 * f64::from(dispatch as u8);
                    Sample::timed((Work::Frames, dispatch, 1), round, wall_s)
                })
            })
            .collect();
        let found = comparisons(&samples, &Known::default());
        assert!(!is_enough(12, &found) && !is_enough(11, &[]));
        let known = Known {
            equal_output: [((samples[0].load(), Dispatch::Processes), false)].into(),
            ..Known::default()
        };
        assert!(is_enough(12, &comparisons(&samples, &known)));
    }
}
