//! What a comparison of two dispatches, or of two runs, may conclude.
//!
//! Every comparison is judged by itself, at 95 %. Whoever reads twenty of them
//! must expect one that is wrong.

use super::results::Verdict;
use super::stats::{CONFIDENCE, TimeRatio, paired_ratio};

/// How many times the cost of starting a job its work must be.
///
/// At 10 the start adds a tenth to the time. Whatever is found below that is
/// for the most part the price of starting, which the original exercise took
/// for the speed of processes.
pub const WORK_PER_START: f64 = 10.0;

/// One job's work and what it costs to start it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JobSize {
    /// Milliseconds that one job takes without being started: CPU time of
    /// transcode, frames and cpu, the wait of io (which needs no CPU time,
    /// and still hides a start-up that is short against it).
    pub work_ms: f64,
    /// Milliseconds by which starting a job costs more in one dispatch than
    /// in the other. What both pay alike does not bias the comparison.
    pub start_ms: f64,
    /// Whether the amount of work was ours to choose, as in the reference
    /// loads. Then more of it must be chosen until the start does not matter.
    /// A user's own clips are what they are: their start is part of their cost.
    pub chosen: bool,
}

impl JobSize {
    /// Whether the start weighs on the time.
    pub fn start_matters(&self) -> bool {
        self.work_ms < WORK_PER_START * self.start_ms
    }

    /// Whether a comparison would measure the start in place of the work.
    pub fn is_too_small(&self) -> bool {
        self.chosen && self.start_matters()
    }
}

/// What is known about two dispatches, a and b, at the same load and worker count.
#[derive(Debug, Clone, Copy)]
pub struct Contest<'a> {
    /// Wall times of a and b in seconds, one pair a round.
    pub rounds: &'a [(f64, f64)],
    /// Size of a job; `None` where it is not known, and then not judged.
    pub size: Option<JobSize>,
    /// Whether both gave the same output; `None` where a load has none.
    pub equal_output: Option<bool>,
}

/// What follows from a [`Contest`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Decision {
    /// What may be concluded.
    pub verdict: Verdict,
    /// Time of a ∕ time of b over paired rounds, with its interval.
    pub measured: TimeRatio,
    /// Size of a job, as given.
    pub size: Option<JobSize>,
}

/// Decides a comparison; `None` where no round holds a time of both.
///
/// The first that holds: outputs differ → void; work below
/// [`WORK_PER_START`] × start → too small; the interval is a 95 % one and
/// leaves out 1 → one is faster; else no difference is shown.
pub fn decide(contest: &Contest) -> Option<Decision> {
    Some(judge(
        paired_ratio(contest.rounds)?,
        contest.size,
        contest.equal_output,
    ))
}

/// Decides on a ratio that was measured in whatever way; else as [`decide`].
pub fn judge(measured: TimeRatio, size: Option<JobSize>, equal_output: Option<bool>) -> Decision {
    let interval = measured.interval;
    let conclusive = interval.confidence >= CONFIDENCE;
    let verdict = if equal_output == Some(false) {
        Verdict::Void
    } else if size.is_some_and(|size| size.is_too_small()) {
        Verdict::TooSmallToMeasure
    } else if conclusive && interval.hi < 1.0 {
        Verdict::AFaster
    } else if conclusive && interval.lo > 1.0 {
        Verdict::BFaster
    } else {
        Verdict::NoDifferenceShown
    };
    Decision {
        verdict,
        measured,
        size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::stats::{MIN_ROUNDS, unpaired_ratio};
    use statrs::distribution::{ContinuousCDF, Normal};

    /// Noise of one wall time, as a factor.
    #[derive(Clone, Copy)]
    struct Noise {
        /// Standard deviation of the logarithm.
        spread: f64,
        /// How many of a hundred runs are disturbed: 10 to 100 % slower.
        outliers: f64,
    }

    const CLEAN: Noise = Noise {
        spread: 0.01,
        outliers: 0.0,
    };
    const DISTURBED: Noise = Noise {
        spread: 0.01,
        outliers: 5.0,
    };
    const ROUGH: Noise = Noise {
        spread: 0.08,
        outliers: 15.0,
    };
    const COUNTS: [usize; 9] = [4, 5, 6, 7, 8, 9, 10, 11, 12];

    impl Noise {
        fn draw(self, random: &mut fastrand::Rng) -> f64 {
            let normal = Normal::new(0.0, self.spread).unwrap();
            let usual = normal
                .inverse_cdf(random.f64().clamp(1e-12, 1.0 - 1e-12))
                .exp();
            let disturbed = random.f64() * 100.0 < self.outliers;
            usual
                * if disturbed {
                    1.1 + 0.9 * random.f64()
                } else {
                    1.0
                }
        }
    }

    /// How many of 1,000 comparisons find a faster one, where b takes `slower` times as long.
    fn found(rounds: usize, a: Noise, b: Noise, slower: f64) -> usize {
        let mut random = fastrand::Rng::with_seed(20_250_101);
        let conclusive = |_: &usize| {
            // The machine drifts from round to round, for both alike.
            let pairs: Vec<(f64, f64)> = (0..rounds)
                .map(|_| {
                    let machine = 2.0 + 0.2 * random.f64();
                    let (first, second) = (a.draw(&mut random), b.draw(&mut random));
                    (machine * first, machine * slower * second)
                })
                .collect();
            let decision = decide(&Contest {
                rounds: &pairs,
                size: None,
                equal_output: None,
            });
            matches!(
                decision.unwrap().verdict,
                Verdict::AFaster | Verdict::BFaster
            )
        };
        (0..1000).filter(conclusive).count()
    }

    #[test]
    fn a_against_a_raises_at_most_5_false_alarms_in_100_at_any_count_and_noise() {
        for (name, a, b) in [
            ("clean", CLEAN, CLEAN),
            ("disturbed", DISTURBED, DISTURBED),
            ("rough", ROUGH, ROUGH),
            (
                "unequal",
                CLEAN,
                Noise {
                    outliers: 0.0,
                    ..ROUGH
                },
            ),
        ] {
            for rounds in COUNTS {
                let alarms = found(rounds, a, b, 1.0);
                println!("A against A, {name}, {rounds} rounds: {alarms} of 1000");
                assert!(alarms <= 50, "{name}, {rounds} rounds: {alarms} of 1000");
            }
        }
    }

    #[test]
    fn two_runs_of_the_same_raise_at_most_5_false_alarms_in_100_and_3_percent_are_found() {
        let found = |rounds: [usize; 2], [a, b]: [Noise; 2], slower: f64| {
            let mut random = fastrand::Rng::with_seed(20_250_102);
            let mut run = |rounds, noise: Noise, slower: f64| -> Vec<f64> {
                (0..rounds)
                    .map(|_| slower * noise.draw(&mut random))
                    .collect()
            };
            let conclusive = |_: &usize| {
                let measured = unpaired_ratio(&run(rounds[0], a, 1.0), &run(rounds[1], b, slower));
                let verdict = judge(measured.unwrap(), None, None).verdict;
                matches!(verdict, Verdict::AFaster | Verdict::BFaster)
            };
            (0..1000).filter(conclusive).count()
        };
        let spread = Noise {
            outliers: 0.0,
            ..ROUGH
        };
        for noise in [[CLEAN; 2], [DISTURBED; 2], [ROUGH; 2], [CLEAN, spread]] {
            for rounds in [[6, 6], [6, 12], [9, 9], [12, 6], [12, 12]] {
                let alarms = found(rounds, noise, 1.0);
                println!("two runs, {rounds:?} rounds: {alarms} of 1000");
                assert!(alarms <= 50, "{rounds:?} rounds: {alarms} of 1000");
            }
        }
        assert!(found([9, 9], [CLEAN; 2], 1.03) >= 950);
        assert!(found([9, 9], [DISTURBED; 2], 1.03) >= 800);
    }

    #[test]
    fn a_true_difference_of_3_percent_in_1_percent_noise_is_found() {
        for rounds in COUNTS {
            let clean = found(rounds, CLEAN, CLEAN, 1.03);
            let disturbed = found(rounds, DISTURBED, DISTURBED, 1.03);
            println!("3 %, {rounds} rounds: {clean} clean, {disturbed} disturbed of 1000");
            match rounds {
                ..MIN_ROUNDS => assert_eq!(clean, 0),
                MIN_ROUNDS..9 => assert!(clean >= 800, "{rounds} rounds: {clean}"),
                _ => assert!(
                    clean >= 950 && disturbed >= 800,
                    "{rounds} rounds: {clean}, {disturbed}"
                ),
            }
        }
    }

    #[test]
    fn work_of_ten_starts_is_enough_and_the_suggestion_is_too() {
        let size = |work_ms| JobSize {
            work_ms,
            start_ms: 57.8,
            chosen: true,
        };
        assert!(size(577.9).is_too_small());
        assert!(!size(578.0).is_too_small());
        assert!(!size(600.0).is_too_small());
    }

    #[test]
    fn without_a_pair_there_is_nothing_to_decide() {
        let contest = Contest {
            rounds: &[(1.0, f64::NAN)],
            size: None,
            equal_output: None,
        };
        assert_eq!(decide(&contest), None);
    }
}
