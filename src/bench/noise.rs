//! What disturbs a measurement, looked for and told. Nothing is left out for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::results::{Dispatch, Load, Sample};
use super::stats::{MIN_ROUNDS, mad, median};

/// What disturbed a run, as far as it can be seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Share of the cores' time that others used while cells ran, where the system tells.
    pub others_share: Option<f64>,
    /// Runs in which that was more than [`QUIET`].
    pub disturbed_runs: usize,
    /// Runs far slower or faster than their cell's others.
    pub outliers: usize,
    /// Those of them that were a cell's first, and slower.
    pub slow_first_runs: usize,
    /// Lowest and highest median clock rate of a round, where the system tells.
    pub clock_mhz: Option<[f64; 2]>,
}

/// What others may use of the cores before it is told.
pub const QUIET: f64 = 0.05;

/// Below this, busy time is not told from its rounding: a few of the kernel's ticks.
const TICKS_S: f64 = 0.05;

/// How far the clock rate may move before it is told.
const STEADY: f64 = 0.05;

/// A run is an outlier at so many robust standard deviations from its cell's
/// median (Iglewicz & Hoaglin, *How to Detect and Handle Outliers*, 1993).
const FAR: f64 = 3.5;

/// The standard deviation of normal noise in units of its MAD.
const SIGMA: f64 = 1.4826;

/// Looks for what disturbed `samples` on a machine of so many `cores`.
pub fn look(samples: &[Sample], cores: usize) -> Noise {
    let shares: Vec<(f64, f64)> = samples
        .iter()
        .filter_map(|sample| others_and_all(sample, cores))
        .collect();
    let all: f64 = shares.iter().map(|share| share.1).sum();
    let others: f64 = shares.iter().map(|share| share.0).sum();
    let far = outliers(samples);
    Noise {
        others_share: (all > 0.0).then(|| others / all),
        disturbed_runs: shares
            .iter()
            .filter(|(s, of)| *s > (QUIET * of).max(TICKS_S))
            .count(),
        outliers: far.len(),
        slow_first_runs: far.iter().filter(|(first, slow)| *first && *slow).count(),
        clock_mhz: clock_rates(samples),
    }
}

/// CPU seconds of others while a cell's process ran, and those that the cores had.
fn others_and_all(sample: &Sample, cores: usize) -> Option<(f64, f64)> {
    let all = sample.process_s? * cores as f64;
    // What is counted in ticks may end beyond what there was.
    Some((sample.others_s?.min(all), all))
}

/// Of each outlier whether it was its cell's first run, and whether it was slower.
fn outliers(samples: &[Sample]) -> Vec<(bool, bool)> {
    let mut cells: BTreeMap<(Load, Dispatch, usize), Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        let place = (sample.load(), sample.dispatch, sample.workers);
        cells.entry(place).or_default().push(sample);
    }
    let mut found = Vec::new();
    for runs in cells.values().filter(|runs| runs.len() >= MIN_ROUNDS) {
        let times: Vec<f64> = runs.iter().map(|run| run.wall_s).collect();
        let (Some(centre), Some(mad)) = (median(&times), mad(&times)) else {
            continue;
        };
        let far = |run: &&&Sample| (run.wall_s - centre).abs() > FAR * SIGMA * mad;
        let runs = runs.iter().filter(|_| mad > 0.0).filter(far);
        found.extend(runs.map(|run| (run.round == 1, run.wall_s > centre)));
    }
    found
}

fn clock_rates(samples: &[Sample]) -> Option<[f64; 2]> {
    let mut rounds: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        if let Some(mhz) = sample.clock_mhz {
            rounds.entry(sample.round).or_default().push(mhz);
        }
    }
    let rates: Vec<f64> = rounds.values().filter_map(|rates| median(rates)).collect();
    let lowest = rates.iter().copied().reduce(f64::min)?;
    let highest = rates.iter().copied().reduce(f64::max)?;
    Some([lowest, highest])
}

impl Noise {
    /// What of it a reader must know, of so many `runs`.
    pub fn told(&self, runs: usize) -> Vec<String> {
        let mut told = Vec::new();
        if let Some(share) = self.others_share.filter(|share| *share > QUIET) {
            told.push(format!(
                "others used {:.0} % of the cores while cells ran ({} of {runs} runs were disturbed): \
                 times are longer and intervals wider than on a quiet machine",
                100.0 * share,
                self.disturbed_runs
            ));
        }
        if let Some([lowest, highest]) = self.clock_mhz
            && highest > lowest * (1.0 + STEADY)
        {
            told.push(format!(
                "the clock rate moved between {lowest:.0} and {highest:.0} MHz from round to round"
            ));
        }
        if self.slow_first_runs > 0 {
            told.push(format!(
                "{} of the first runs were far slower than those after them: the warm-up did not fill every cache",
                self.slow_first_runs
            ));
        }
        // A few in a hundred are what noise is like.
        if self.outliers * 20 > runs {
            told.push(format!(
                "{} of {runs} runs are outliers, more than {FAR} robust standard deviations from their cell's median; \
                 none is left out",
                self.outliers
            ));
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Work;

    /// Ten rounds of one cell with small noise, the first one at `first_s`.
    fn rounds(first_s: f64) -> Vec<Sample> {
        let one = |round: usize| {
            let wall_s = 1.0 + 0.01 * (round % 3) as f64;
            Sample {
                process_s: Some(wall_s),
                others_s: Some(0.02),
                clock_mhz: Some(2000.0),
                ..Sample::timed((Work::Cpu, Dispatch::Threads, 1), round, wall_s)
            }
        };
        let mut samples: Vec<Sample> = (1..=10).map(one).collect();
        samples[0].wall_s = first_s;
        samples
    }

    #[test]
    fn a_quiet_steady_run_is_told_nothing_of() {
        let samples = rounds(1.01);
        let noise = look(&samples, 2);
        assert!(noise.others_share.unwrap() < 0.011);
        assert_eq!(noise.told(samples.len()), Vec::<String>::new());
    }

    #[test]
    fn a_slow_first_run_is_found_among_its_cells_runs() {
        let noise = look(&rounds(1.5), 2);
        assert_eq!((noise.outliers, noise.slow_first_runs), (1, 1));
        assert!(noise.told(10)[0].contains("first runs"));
        // A fast one is an outlier, and no sign of cold caches.
        assert_eq!(look(&rounds(0.5), 2).slow_first_runs, 0);
    }

    #[test]
    fn too_few_runs_or_equal_ones_have_no_outliers() {
        assert_eq!(look(&rounds(9.0)[..5], 2).outliers, 0);
        let mut same = rounds(1.0);
        same.iter_mut().for_each(|sample| sample.wall_s = 1.0);
        same[3].wall_s = 1.1;
        assert_eq!(look(&same, 2).outliers, 0);
    }

    #[test]
    fn load_from_others_and_a_moving_clock_are_told() {
        let mut samples = rounds(1.0);
        for sample in &mut samples[5..] {
            sample.others_s = Some(1.0);
            sample.clock_mhz = Some(1500.0);
        }
        let noise = look(&samples, 2);
        assert_eq!(noise.disturbed_runs, 5);
        let told = noise.told(10).join("\n");
        assert!(
            told.contains("others used 25 %") && told.contains("5 of 10"),
            "{told}"
        );
        assert!(told.contains("between 1500 and 2000 MHz"), "{told}");
    }

    #[test]
    fn others_never_used_more_than_the_cores_had_and_single_ticks_disturb_nothing() {
        // A cell of 1 ms of work whose process takes 200 ms.
        let run = |others_s| Sample {
            process_s: Some(0.2),
            others_s: Some(others_s),
            ..Sample::timed((Work::Cpu, Dispatch::Threads, 1), 1, 0.001)
        };
        let noise = look(&[run(0.03), run(0.01)], 2);
        assert!((noise.others_share.unwrap() - 0.05).abs() < 1e-9);
        assert_eq!(noise.disturbed_runs, 0);
        let noise = look(&[run(0.41), run(0.45)], 2);
        assert_eq!((noise.others_share, noise.disturbed_runs), (Some(1.0), 2));
    }

    #[test]
    fn what_the_system_does_not_tell_is_not_made_up() {
        let samples = [Sample::timed((Work::Io, Dispatch::Workers, 1), 1, 0.3)];
        let noise = look(&samples, 2);
        assert_eq!((noise.others_share, noise.clock_mhz), (None, None));
    }
}
