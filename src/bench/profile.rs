//! Which dispatch and how many workers a run recommends for this machine.

use serde::{Deserialize, Serialize};

use super::results::{Dispatch, Results, Verdict, Work};
use super::stats::MIN_ROUNDS;

/// The version of the format.
pub const VERSION: u32 = 1;

/// What was found best on one machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Format version: [`VERSION`].
    pub version: u32,
    /// When it was measured: RFC 3339 with offset.
    pub measured: String,
    /// The processor that it holds for.
    pub cpu: String,
    /// As many cores it had.
    pub cores: usize,
    /// Threads that each codec of a job had.
    pub codec_threads: usize,
    /// For `convert`.
    pub convert: Option<Choice>,
    /// For `frames`.
    pub frames: Option<Choice>,
}

/// A way of running jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// How jobs are run.
    pub dispatch: Dispatch,
    /// Jobs at once.
    pub workers: usize,
}

/// On threads, a crash costs everything: they must be faster than what is safe
/// by more than this, and be shown to be.
const PRICE_OF_SAFETY: f64 = 1.05;

impl Profile {
    /// What `results` recommend; `None` where they show too little for any load.
    pub fn of(results: &Results) -> Option<Self> {
        let (convert, frames) = (
            choice(results, Work::Transcode),
            choice(results, Work::Frames),
        );
        (convert.is_some() || frames.is_some()).then(|| Self {
            version: VERSION,
            measured: results.started.clone(),
            cpu: results.machine.cpu.clone(),
            cores: results.machine.cores,
            codec_threads: results.design.codec_threads,
            convert,
            frames,
        })
    }

    /// The choice for `work`.
    pub fn choice(&self, work: Work) -> Option<Choice> {
        match work {
            Work::Transcode => self.convert,
            Work::Frames => self.frames,
            Work::Remux | Work::Cpu | Work::Io => None,
        }
    }
}

fn choice(results: &Results, work: Work) -> Option<Choice> {
    // What is chosen holds for the codec threads that the profile tells.
    let load = results.lead(work);
    let best = |dispatch| {
        let mut fits = results.fits.iter();
        let fit = fits.find(|fit| (fit.load(), fit.dispatch) == (load, dispatch))?;
        let cell = results.cell(load, dispatch, fit.best_workers)?;
        (cell.n >= MIN_ROUNDS).then_some(Choice {
            dispatch,
            workers: fit.best_workers,
        })
    };
    let safe = best(Dispatch::Workers).or_else(|| best(Dispatch::Processes));
    let (Some(threads), Some(safe)) = (best(Dispatch::Threads), safe) else {
        return safe.or_else(|| best(Dispatch::Threads));
    };
    let of_the_two = |found: &&super::results::Comparison| {
        found.load() == load && (found.b, found.workers) == (safe.dispatch, safe.workers)
    };
    let found = results.comparisons.iter().find(of_the_two);
    let worth_it = found.is_some_and(|found| {
        found.verdict == Verdict::AFaster && found.ci95[1] * PRICE_OF_SAFETY < 1.0
    });
    Some(match worth_it {
        // At the count that was compared, which may not be their own best.
        true => Choice {
            dispatch: threads.dispatch,
            ..safe
        },
        false => safe,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;
    use crate::bench::results::Fit;

    /// A run in which workers take so many times as long as threads.
    fn run(ratio: [f64; 2], verdict: Verdict) -> Results {
        let mut results = fixture::two_cores();
        results.fits = Dispatch::ALL
            .map(|dispatch| Fit {
                work: Work::Transcode,
                codec_threads: 1,
                dispatch,
                amdahl: None,
                usl: None,
                best_workers: 2,
            })
            .to_vec();
        for found in &mut results.comparisons {
            found.ci95 = ratio;
            found.verdict = verdict;
        }
        results
    }

    #[test]
    fn what_is_safe_is_chosen_unless_threads_are_shown_to_be_faster_by_more_than_5_percent() {
        let chosen = |ratio, verdict| {
            let profile = Profile::of(&run(ratio, verdict)).unwrap();
            assert_eq!(profile.frames, None);
            profile.convert.unwrap().dispatch
        };
        assert_eq!(chosen([0.90, 0.94], Verdict::AFaster), Dispatch::Threads);
        assert_eq!(chosen([0.90, 0.96], Verdict::AFaster), Dispatch::Workers);
        assert_eq!(
            chosen([0.80, 1.01], Verdict::NoDifferenceShown),
            Dispatch::Workers
        );
        assert_eq!(chosen([0.80, 0.90], Verdict::Void), Dispatch::Workers);
    }

    #[test]
    fn threads_are_chosen_at_the_count_at_which_they_were_compared() {
        let mut results = run([0.9, 0.94], Verdict::AFaster);
        results.fits[0].best_workers = 3;
        assert_eq!(results.fits[0].dispatch, Dispatch::Threads);
        let choice = Profile::of(&results).unwrap().convert.unwrap();
        assert_eq!((choice.dispatch, choice.workers), (Dispatch::Threads, 2));
    }

    #[test]
    fn too_few_rounds_recommend_nothing() {
        let mut results = run([0.9, 0.94], Verdict::AFaster);
        results
            .cells
            .iter_mut()
            .for_each(|cell| cell.n = MIN_ROUNDS - 1);
        assert_eq!(Profile::of(&results), None);
    }

    #[test]
    fn of_threads_and_processes_alone_processes_are_the_safe_ones() {
        let mut results = run([1.1, 1.2], Verdict::BFaster);
        results.fits.retain(|fit| fit.dispatch != Dispatch::Workers);
        let choice = Profile::of(&results).unwrap().convert.unwrap();
        assert_eq!(choice.dispatch, Dispatch::Processes);
    }
}
