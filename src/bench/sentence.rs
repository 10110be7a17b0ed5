//! The words for what a comparison concludes.
//!
//! "a faster by x %" means **time of b ∕ time of a − 1**: in the time in which
//! b does 100 jobs, a does 100 + x. The advantage of b is the same with the
//! two swapped, so no number depends on who is named first.

use super::results::Verdict;
use super::stats::{CONFIDENCE, MIN_ROUNDS, TimeRatio};
use super::verdict::{Decision, JobSize, WORK_PER_START};

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
    let decimals = decimals(percent(times), [lo, hi]);
    format!(
        "{winner} faster by {:.decimals$} % ({lo:.decimals$}–{hi:.decimals$})",
        percent(times),
    )
}

/// As many decimals as it takes for the lower end not to read as nothing, nor as the upper one.
fn decimals(percent: f64, [lo, hi]: [f64; 2]) -> usize {
    let fewest = usize::from(percent < 100.0);
    let tells = |decimals: &usize| {
        let written = |value: f64| format!("{value:.decimals$}");
        written(lo) != written(0.0) && (hi - lo < 1e-3 || written(lo) != written(hi))
    };
    (fewest..3).find(tells).unwrap_or(3)
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
    use crate::bench::verdict::{Contest, decide};
    use proptest::prelude::*;

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
        let narrow = [(1.0, 1.0111), (1.0, 1.0114)].repeat(4);
        assert!(judged(&narrow, None, None).contains("(1.11–1.14)"));
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
    fn outputs_that_differ_void_even_a_clear_difference() {
        assert_eq!(
            judged(&b_slower(), None, Some(false)),
            "void: the outputs differ"
        );
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
