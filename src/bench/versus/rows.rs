//! What two runs measured in the cells that both have.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::NAMES;
use super::differs::clips;
use crate::bench::results::{Dispatch, Output, Results, Sample, Verdict, Work};
use crate::bench::sentence::{sentence, void};
use crate::bench::stats::{median, unpaired_ratio};
use crate::bench::verdict::{Decision, judge};

/// One cell in both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub dispatch: Dispatch,
    /// Jobs at once.
    pub workers: usize,
    /// Median wall time of the first run.
    pub a_s: f64,
    /// Median wall time of the second run.
    pub b_s: f64,
    /// Time of the first ∕ time of the second; of `cpu`, time a step.
    pub ratio: f64,
    /// Its 95 % interval.
    pub ci95: [f64; 2],
    /// What may be concluded.
    pub verdict: Verdict,
    /// The same in words.
    pub sentence: String,
    /// Whether both runs' outputs decode to the same; `None` where there are none.
    pub equal_output: Option<bool>,
}

/// The cells that both of `runs` have.
pub(super) fn rows([a, b]: [&Results; 2]) -> Vec<Row> {
    Pair { a, b }.rows()
}

struct Pair<'a> {
    a: &'a Results,
    b: &'a Results,
}

/// Load, dispatch, workers.
type Place = (Work, Dispatch, usize);

impl Pair<'_> {
    fn both<T>(&self, of: impl Fn(&Results) -> T) -> [T; 2] {
        [of(self.a), of(self.b)]
    }

    fn rows(&self) -> Vec<Row> {
        let [a, b] = self.both(times);
        a.iter()
            .filter_map(|(place, a)| self.row(*place, a, b.get(place)?))
            .collect()
    }

    fn row(&self, place: Place, a: &[f64], b: &[f64]) -> Option<Row> {
        let (work, dispatch, workers) = place;
        // What takes 300 ms here is another number of steps than there.
        let step = |results: &Results| match (work, results.design.cpu_iterations) {
            (Work::Cpu, steps) if steps > 0 => steps as f64,
            _ => 1.0,
        };
        let [of_a, of_b] = self.both(step);
        let each = |times: &[f64], of: f64| -> Vec<f64> { times.iter().map(|t| t / of).collect() };
        let measured = unpaired_ratio(&each(a, of_a), &each(b, of_b))?;
        let why = self.void(work);
        let decision = judge(measured, None, why.as_ref().map(|_| false));
        Some(Row {
            work,
            dispatch,
            workers,
            a_s: median(a)?,
            b_s: median(b)?,
            ratio: measured.ratio,
            ci95: [measured.interval.lo, measured.interval.hi],
            verdict: decision.verdict,
            sentence: told(&decision, why.as_deref()),
            equal_output: self.equal_output(work, dispatch),
        })
    }

    /// Why the two did not do the same work, where they did not.
    fn void(&self, work: Work) -> Option<String> {
        match work {
            Work::Transcode | Work::Frames | Work::Remux => {
                let [a, b] = self.both(clips);
                (a != b).then(|| "the clips differ".into())
            }
            Work::Cpu => {
                let [a, b] = self.both(|results| results.design.cpu_iterations > 0);
                (a != b).then(|| "the length of one computation is not known".into())
            }
            Work::Io => {
                let [a, b] = self.both(|results| results.design.io_ms);
                (a != b).then(|| format!("the waits differ, {a} ms and {b} ms"))
            }
        }
    }

    fn output<'a>(&self, results: &'a Results, place: (Work, Dispatch)) -> Option<&'a Output> {
        let mut outputs = results.outputs.iter();
        outputs.find(|output| (output.work, output.dispatch) == place)
    }

    fn equal_output(&self, work: Work, dispatch: Dispatch) -> Option<bool> {
        let place = (work, dispatch);
        let (a, b) = (self.output(self.a, place)?, self.output(self.b, place)?);
        Some(a.hash == b.hash)
    }
}

fn told(decision: &Decision, void_for: Option<&str>) -> String {
    match void_for {
        Some(why) => void(why),
        None => sentence(decision, NAMES[0], NAMES[1]),
    }
}

/// The wall times of each cell at the codec threads that were asked for.
fn times(results: &Results) -> BTreeMap<Place, Vec<f64>> {
    let mut times: BTreeMap<Place, Vec<f64>> = BTreeMap::new();
    let asked = |sample: &&Sample| sample.codec_threads == results.design.codec_threads;
    for sample in results.samples.iter().filter(asked) {
        let place = (sample.work, sample.dispatch, sample.workers);
        times.entry(place).or_default().push(sample.wall_s);
    }
    times
}
