//! What a comparison of two dispatches, or of two runs, may conclude, and the words for it.
//!
//! "a faster by x %" means **time of b ∕ time of a − 1**: in the time in which
//! b does 100 jobs, a does 100 + x. The advantage of b is the same with the
//! two swapped, so no number depends on who is named first.
//!
//! Every comparison is judged by itself, at 95 %. Whoever reads twenty of them
//! must expect one that is wrong.

use super::results::Verdict;
use super::stats::{CONFIDENCE, MIN_ROUNDS, TimeRatio, paired_ratio};

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

/// The decision in words, e.g. `threads faster by 12.3 % (10.1–14.6)`.
pub fn sentence(decision: &Decision, a: &str, b: &str) -> String {
    let TimeRatio {
        ratio, interval, ..
    } = decision.measured;
    match decision.verdict {
        Verdict::AFaster => {
            let times = [1.0 / interval.hi, 1.0 / interval.lo];
            faster(a, 1.0 / ratio, times) + &share_of_start(decision.size)
        }
        Verdict::BFaster => {
            faster(b, ratio, [interval.lo, interval.hi]) + &share_of_start(decision.size)
        }
        Verdict::NoDifferenceShown => no_difference(&decision.measured),
        Verdict::TooSmallToMeasure => too_small(decision.size),
        Verdict::Void => void("the outputs differ"),
    }
}

/// A comparison of two that did not do the same, and why.
pub fn void(why: &str) -> String {
    format!("void: {why}")
}

/// `times` is how many times as fast the winner is: above 1, as its interval is.
fn faster(winner: &str, times: f64, interval: [f64; 2]) -> String {
    let percent = |times: f64| 100.0 * (times - 1.0);
    let [lo, hi] = interval.map(percent);
    // As many decimals as it takes for the lower end not to read as nothing.
    let decimals = match lo {
        _ if percent(times) >= 100.0 => 0,
        lo if lo >= 0.05 => 1,
        lo if lo >= 0.005 => 2,
        _ => 3,
    };
    format!(
        "{winner} faster by {:.decimals$} % ({lo:.decimals$}–{hi:.decimals$})",
        percent(times),
    )
}

/// Where the start is a good part of a job, whoever reads of a winner must know.
fn share_of_start(size: Option<JobSize>) -> String {
    match size {
        Some(size) if size.start_matters() => format!(
            ", {} ms of start-up to {} ms of work",
            short(size.start_ms),
            short(size.work_ms)
        ),
        _ => String::new(),
    }
}

fn no_difference(measured: &TimeRatio) -> String {
    if measured.interval.confidence < CONFIDENCE {
        let rounds = match measured.rounds {
            1 => "1 round is".into(),
            n => format!("{n} rounds are"),
        };
        return format!("no difference shown: {rounds} too few, use at least {MIN_ROUNDS}");
    }
    let advantage = measured.interval.hi.max(1.0 / measured.interval.lo) - 1.0;
    // Rounded up: the interval must lie within what the sentence says.
    let percent = (1000.0 * advantage - 1e-6).ceil().max(0.0) / 10.0;
    format!("no difference shown (within {percent:.1} %)")
}

fn too_small(size: Option<JobSize>) -> String {
    let Some(size) = size else {
        return "too small to measure".into();
    };
    format!(
        "too small to measure: {} ms of work against {} ms of start-up; use at least {} ms",
        short(size.work_ms),
        short(size.start_ms),
        round_up(WORK_PER_START * size.start_ms),
    )
}

fn short(ms: f64) -> String {
    let decimals = if ms < 0.1 { 3 } else { usize::from(ms < 100.0) };
    format!("{ms:.decimals$}")
}

/// The next round number that is not smaller: 578 → 600, 1050 → 1200.
fn round_up(ms: f64) -> f64 {
    const STEPS: [f64; 11] = [1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let decade = 10f64.powf(ms.log10().floor());
    STEPS
        .iter()
        .map(|step| step * decade)
        // A start of 5 ms must give 50, and not 60 for a rounding error.
        .find(|round| *round >= ms * (1.0 - 1e-9))
        .map_or(ms, |round| (round * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::stats::unpaired_ratio;
    use proptest::prelude::*;
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
    fn the_start_of_a_users_own_clips_counts_and_is_told() {
        let rounds: Vec<_> = (0..9)
            .map(|n| (1.0, 1.5 + 0.01 * f64::from(n % 3)))
            .collect();
        let size = Some(JobSize {
            work_ms: 150.0,
            start_ms: 70.0,
            chosen: false,
        });
        let decision = decide(&Contest {
            rounds: &rounds,
            size,
            equal_output: Some(true),
        })
        .unwrap();
        assert_eq!(decision.verdict, Verdict::AFaster);
        let words = sentence(&decision, "threads", "processes");
        assert!(
            words.ends_with("70.0 ms of start-up to 150 ms of work"),
            "{words}"
        );
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

    fn judged(rounds: &[(f64, f64)], size: Option<JobSize>, equal_output: Option<bool>) -> String {
        let decision = decide(&Contest {
            rounds,
            size,
            equal_output,
        });
        sentence(&decision.unwrap(), "threads", "processes")
    }

    /// Eight rounds in which b takes 1.101 to 1.146 times as long as a.
    fn b_slower() -> Vec<(f64, f64)> {
        [1.101, 1.11, 1.12, 1.123, 1.123, 1.13, 1.14, 1.146]
            .map(|b| (1.0, b))
            .to_vec()
    }

    #[test]
    fn the_faster_one_is_named_with_its_advantage_whoever_comes_first() {
        let rounds = b_slower();
        let swapped: Vec<_> = rounds.iter().map(|&(a, b)| (b, a)).collect();
        assert_eq!(
            judged(&rounds, None, Some(true)),
            "threads faster by 12.3 % (10.1–14.6)"
        );
        assert_eq!(
            judged(&swapped, None, Some(true)),
            "processes faster by 12.3 % (10.1–14.6)"
        );
    }

    #[test]
    fn twice_as_fast_is_faster_by_100_percent() {
        assert_eq!(
            judged(&[(1.0, 2.0); 6], None, None),
            "threads faster by 100 % (100–100)"
        );
    }

    #[test]
    fn a_difference_so_small_that_it_would_read_as_nothing_gets_more_decimals() {
        let rounds = [(1.0, 1.0002), (1.0, 1.0009)].repeat(4);
        assert!(judged(&rounds, None, None).contains("(0.02–0.09)"));
    }

    #[test]
    fn no_difference_says_how_large_one_could_have_been_hidden() {
        let rounds = [(1.0, 0.99), (1.0, 1.0205)].repeat(4);
        assert_eq!(
            judged(&rounds, None, None),
            "no difference shown (within 2.1 %)"
        );
    }

    #[test]
    fn five_rounds_show_nothing_however_far_apart() {
        assert_eq!(
            judged(&[(1.0, 5.0); 5], None, None),
            "no difference shown: 5 rounds are too few, use at least 6"
        );
        assert!(judged(&[(1.0, 5.0)], None, None).contains("1 round is too few"));
    }

    #[test]
    fn the_originals_first_row_measured_start_up() {
        let size = JobSize {
            work_ms: 0.27,
            start_ms: 57.8,
            chosen: true,
        };
        assert_eq!(
            judged(&[(0.000_27, 0.0578)], Some(size), None),
            "too small to measure: 0.3 ms of work against 57.8 ms of start-up; use at least 600 ms"
        );
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
    fn outputs_that_differ_void_even_a_clear_difference() {
        assert_eq!(
            judged(&b_slower(), None, Some(false)),
            "void: the outputs differ"
        );
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_suggested_work_is_never_too_small_itself(start_ms in 1e-3..1e6f64) {
            let suggested = round_up(WORK_PER_START * start_ms);
            prop_assert!(suggested >= WORK_PER_START * start_ms - 1e-3);
            prop_assert!(suggested <= 1.5 * WORK_PER_START * start_ms + 1e-3);
        }

        #[test]
        fn any_numbers_get_a_verdict_and_a_sentence(
            rounds in prop::collection::vec((any::<f64>(), any::<f64>()), 0..9),
            work_ms in any::<f64>(),
            start_ms in any::<f64>(),
        ) {
            let size = Some(JobSize { work_ms, start_ms, chosen: true });
            let contest = Contest { rounds: &rounds, size, equal_output: None };
            if let Some(decision) = decide(&contest) {
                prop_assert!(!sentence(&decision, "threads", "processes").is_empty());
            }
        }
    }
}
