//! `threads` against every other dispatch, at the same load and worker count.

use std::collections::BTreeMap;

use super::results::{Comparison, Dispatch, Load, Sample, Work};
use super::sentence::sentence;
use super::stats::{is_time, median};
use super::verdict::{Contest, JobSize, decide};

/// What a run knows besides its samples.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Milliseconds that starting one job of a load costs in a dispatch, measured.
    ///
    /// Where neither side of a comparison has one, it is estimated for the
    /// reference loads (see [`comparisons`]) and not judged for the others.
    pub start_ms: BTreeMap<(Work, Dispatch), f64>,
    /// Whether a dispatch gave the same output as `threads` did.
    pub equal_output: BTreeMap<(Load, Dispatch), bool>,
    /// Milliseconds that an `io` job waits; 0 where unknown.
    pub io_ms: f64,
    /// Milliseconds of one core that a `cpu` job takes; 0 where unknown.
    pub cpu_ms: f64,
    /// CPU seconds of a cell of so many workers whose jobs do nothing.
    pub empty_cpu_s: BTreeMap<(Dispatch, usize), f64>,
    /// Length of all transcoded clips together, in seconds; 0 where unknown.
    pub clips_s: f64,
}

impl Known {
    /// CPU seconds that starting the cell of `sample` took; 0 where unknown.
    pub fn start_cpu_s(&self, sample: &Sample) -> f64 {
        let cell = (sample.dispatch, sample.workers);
        self.empty_cpu_s.get(&cell).copied().unwrap_or(0.0)
    }
}

/// The samples of one dispatch in a comparison.
type Side<'a> = Vec<&'a Sample>;

/// Compares `threads` with every other dispatch that was measured beside it.
///
/// Rounds are paired by number. The size of a job is what was asked for of
/// `cpu` and `io`. Of clips it is the CPU time a job of the dispatch that needs
/// less of it, without that of a cell whose jobs do nothing: starting is no work.
/// Where neither is known, as in the original's data, it is the wall time of one
/// job at one worker; where the start was not measured either, that of a
/// reference load is the difference between the two wall times at one worker,
/// where both do the same single job and can differ by nothing else.
pub fn comparisons(samples: &[Sample], known: &Known) -> Vec<Comparison> {
    let mut places: Vec<Place> = samples.iter().map(|s| (s.load(), s.workers)).collect();
    places.sort_unstable();
    places.dedup();
    places
        .into_iter()
        .flat_map(|place| {
            Dispatch::ALL
                .into_iter()
                .filter(|&b| b != Dispatch::Threads)
                .filter_map(move |b| compare(samples, known, place, b))
        })
        .collect()
}

/// Load and workers.
type Place = (Load, usize);

fn compare(samples: &[Sample], known: &Known, place: Place, b: Dispatch) -> Option<Comparison> {
    let a = Dispatch::Threads;
    let (load, workers) = place;
    let Load {
        work,
        codec_threads,
    } = load;
    let at = |dispatch, workers| side(samples, (load, workers), dispatch);
    let equal_output = known.equal_output.get(&(load, b)).copied();
    let decision = decide(&Contest {
        rounds: &pairs(times(&at(a, workers)), times(&at(b, workers))),
        size: job_size(
            known,
            (work, b),
            [at(a, workers), at(b, workers)],
            [at(a, 1), at(b, 1)],
        ),
        equal_output,
    })?;
    let interval = decision.measured.interval;
    Some(Comparison {
        work,
        workers,
        codec_threads,
        a,
        b,
        ratio: decision.measured.ratio,
        ci95: [interval.lo, interval.hi],
        verdict: decision.verdict,
        sentence: sentence(&decision, a.name(), b.name()),
        equal_output,
    })
}

fn side<'a>(samples: &'a [Sample], place: Place, dispatch: Dispatch) -> Side<'a> {
    samples
        .iter()
        .filter(|s| (s.load(), s.workers) == place && s.dispatch == dispatch)
        .collect()
}

/// The rounds of a side with their wall times.
fn times(side: &Side) -> Vec<(usize, f64)> {
    side.iter().map(|s| (s.round, s.wall_s)).collect()
}

/// Wall times of the rounds that both sides completed, in the order of rounds.
pub(super) fn pairs(a: Vec<(usize, f64)>, b: Vec<(usize, f64)>) -> Vec<(f64, f64)> {
    let (a, b): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (a.into_iter().collect(), b.into_iter().collect());
    a.into_iter()
        .filter_map(|(round, wall_s)| Some((wall_s, *b.get(&round)?)))
        .collect()
}

/// `alone` is the same comparison at one worker.
fn job_size(
    known: &Known,
    (work, b): (Work, Dispatch),
    sides: [Side; 2],
    alone: [Side; 2],
) -> Option<JobSize> {
    let alone_ms = alone.map(|side| median_ms(&side, |s| s.wall_s));
    let asked_ms = |ms: f64| Some(ms).filter(|ms| *ms > 0.0).or(smaller(alone_ms));
    let work_ms = match work {
        Work::Io => asked_ms(known.io_ms),
        Work::Cpu => asked_ms(known.cpu_ms),
        _ => smaller(sides.map(|side| work_ms_a_job(known, &side))),
    }?;
    let start_of = |dispatch| known.start_ms.get(&(work, dispatch)).copied();
    let start_ms = match (start_of(Dispatch::Threads), start_of(b), alone_ms) {
        (None, None, [Some(a), Some(b)]) if work.one_job_a_worker() => (a - b).abs(),
        (None, None, _) => return None,
        (a, b, _) => (a.unwrap_or(0.0) - b.unwrap_or(0.0)).abs(),
    };
    Some(JobSize {
        work_ms,
        start_ms,
        chosen: work.one_job_a_worker(),
    })
}

/// CPU time that a job takes besides what its cell takes without any work.
fn work_ms_a_job(known: &Known, side: &Side) -> Option<f64> {
    median_ms(side, cpu_s)?;
    let of_work = |sample: &Sample| {
        let work_s = cpu_s(sample) - known.start_cpu_s(sample);
        1000.0 * work_s.max(0.0) / sample.jobs as f64
    };
    let values: Vec<f64> = side.iter().map(|sample| of_work(sample)).collect();
    median(&values)
}

fn cpu_s(sample: &Sample) -> f64 {
    sample.user_s + sample.sys_s
}

fn median_ms(side: &Side, of: impl Fn(&Sample) -> f64) -> Option<f64> {
    let values: Vec<f64> = side.iter().map(|s| 1000.0 * of(s)).collect();
    median(&values).filter(|ms| is_time(*ms))
}

fn smaller(values: [Option<f64>; 2]) -> Option<f64> {
    values.into_iter().flatten().min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Verdict;
    use crate::bench::summary::testing::sample;

    /// Eight rounds of both dispatches at one worker: wall and CPU seconds of each.
    fn rounds(work: Work, threads: [f64; 2], processes: [f64; 2]) -> Vec<Sample> {
        let one = |dispatch, round, [wall_s, user_s]: [f64; 2]| Sample {
            user_s,
            jobs: 1,
            ..sample(work, dispatch, 1, round, wall_s)
        };
        (1..=8)
            .flat_map(|round| {
                [
                    one(Dispatch::Threads, round, threads),
                    one(Dispatch::Processes, round, processes),
                ]
            })
            .collect()
    }

    fn starting(work: Work, ms: f64) -> Known {
        Known {
            start_ms: [((work, Dispatch::Processes), ms)].into(),
            io_ms: 500.0,
            cpu_ms: 0.27,
            ..Known::default()
        }
    }

    #[test]
    fn times_are_paired_by_round_and_a_round_of_one_side_is_left_out() {
        let mut samples = rounds(Work::Transcode, [2.0, 2.0], [3.0, 3.0]);
        samples.reverse();
        samples.pop();
        let found = comparisons(&samples, &Known::default());
        assert_eq!(found.len(), 1);
        assert!((found[0].ratio - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(found[0].verdict, Verdict::AFaster);
        assert_eq!(found[0].sentence, "threads faster by 50.0 % (50.0–50.0)");
    }

    #[test]
    fn a_cpu_job_that_is_short_against_its_start_is_too_small() {
        // The CPU time is for the most part that of starting the cell.
        let samples = rounds(Work::Cpu, [0.000_27, 0.08], [0.0578, 0.13]);
        let found = comparisons(&samples, &starting(Work::Cpu, 57.8));
        assert_eq!(found[0].verdict, Verdict::TooSmallToMeasure);
        assert_eq!(
            found[0].sentence,
            "too small to measure: 0.3 ms of work against 57.8 ms of start-up; use at least 600 ms"
        );
    }

    #[test]
    fn a_wait_is_work_though_it_needs_no_cpu_time() {
        let samples = rounds(Work::Io, [0.5, 0.0002], [0.52, 0.01]);
        let found = comparisons(&samples, &starting(Work::Io, 20.0));
        assert_eq!(found[0].verdict, Verdict::AFaster);
        let found = comparisons(&samples, &starting(Work::Io, 57.8));
        assert_eq!(found[0].verdict, Verdict::TooSmallToMeasure);
        assert!(found[0].sentence.contains("500 ms of work"));
    }

    #[test]
    fn starting_the_cell_is_no_work_of_its_clips() {
        let samples = rounds(Work::Transcode, [1.0, 0.19], [2.0, 0.35]);
        let mut known = starting(Work::Transcode, 60.0);
        for (dispatch, cpu_s) in [(Dispatch::Threads, 0.08), (Dispatch::Processes, 0.09)] {
            known.empty_cpu_s.insert((dispatch, 1), cpu_s);
        }
        let told = &comparisons(&samples, &known)[0].sentence;
        assert!(
            told.ends_with("60.0 ms of start-up to 110 ms of work"),
            "{told}"
        );
    }

    #[test]
    fn without_a_measured_start_a_reference_load_shows_its_own_at_one_worker() {
        let samples = rounds(Work::Cpu, [0.000_27, 0.0], [0.0578, 0.0]);
        let found = comparisons(&samples, &Known::default());
        assert!(
            found[0]
                .sentence
                .contains("0.3 ms of work against 57.5 ms of start-up"),
            "{}",
            found[0].sentence
        );
        let long = rounds(Work::Cpu, [2.0, 0.0], [2.05, 0.0]);
        assert_eq!(
            comparisons(&long, &Known::default())[0].verdict,
            Verdict::AFaster
        );
    }

    fn once(work: Work) -> Load {
        Load {
            work,
            codec_threads: 1,
        }
    }

    #[test]
    fn unequal_output_voids_and_is_told() {
        let known = Known {
            equal_output: [((once(Work::Frames), Dispatch::Processes), false)].into(),
            ..Known::default()
        };
        let found = comparisons(&rounds(Work::Frames, [1.0, 1.0], [2.0, 1.0]), &known);
        assert_eq!(found[0].verdict, Verdict::Void);
        assert_eq!(found[0].equal_output, Some(false));
    }

    #[test]
    fn one_dispatch_alone_is_compared_with_nothing() {
        let mut samples = rounds(Work::Cpu, [1.0, 1.0], [1.0, 1.0]);
        samples.retain(|s| s.dispatch == Dispatch::Threads);
        assert_eq!(comparisons(&samples, &Known::default()), []);
    }
}
