//! `results.json`, version 1: everything a benchmark run found.
//!
//! Units are in the field names. A field may be added; none is renamed.

mod design;
mod findings;
mod sample;

use serde::{Deserialize, Serialize};

pub(in crate::bench) use self::design::one;
pub use self::design::{Design, Ffmpeg, Load, Machine, Work, loads};
pub use self::findings::{Amdahl, Capacity, Cell, Comparison, Fit, Residual, Usl, Verdict};
pub use self::sample::{Lane, Sample};
use super::compare::Known;
pub use super::costs::{Beyond, Cost, Crash};
pub use super::encoders::Encoder;
pub use super::facts::{Clip, Output};
pub use super::noise::Noise;
pub use super::python::Python;
use super::summary::summarise;
pub use crate::engine::Dispatch;
pub use crate::measure::Kernel;

/// The version that [`Results::version`] holds.
pub const VERSION: u32 = 1;

/// A whole benchmark run.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Results {
    /// Format version of this document: [`VERSION`].
    pub version: u32,
    /// Version of the program that wrote it.
    pub rushes: String,
    /// When the run started: RFC 3339 with offset.
    pub started: String,
    /// The machine it ran on.
    pub machine: Machine,
    /// The FFmpeg it ran with.
    pub ffmpeg: Ffmpeg,
    /// What was asked for.
    pub design: Design,
    /// Every raw measurement, in the order in which they were taken.
    pub samples: Vec<Sample>,
    /// One summary a cell.
    pub cells: Vec<Cell>,
    /// `threads` against the other dispatches at equal worker counts.
    pub comparisons: Vec<Comparison>,
    /// Scalability models a load and dispatch.
    pub fits: Vec<Fit>,
    /// How many such jobs the machine runs at once in real time.
    pub capacity: Option<Capacity>,
    /// What each dispatch made of the clips before times were taken.
    #[serde(default)]
    pub outputs: Vec<Output>,
    /// What each dispatch costs besides the work: its pros and cons.
    #[serde(default)]
    pub costs: Vec<Cost>,
    /// The reference loads in Python, where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<Python>,
    /// What disturbed the measuring, as far as it can be seen.
    #[serde(default)]
    pub noise: Noise,
    /// What a reader must know besides: voided comparisons, noise, what did not fit the budget.
    pub notes: Vec<String>,
}

impl Results {
    /// What follows from `samples` of a run that nothing else is known about.
    pub fn of_times(samples: Vec<Sample>) -> Self {
        let (cells, comparisons, fits, capacity) = summarise(&samples, &Known::default());
        Self {
            version: VERSION,
            rushes: env!("CARGO_PKG_VERSION").into(),
            started: String::new(),
            machine: Machine::default(),
            ffmpeg: Ffmpeg::default(),
            design: Design {
                works: each(&samples, |sample| sample.work),
                dispatches: each(&samples, |sample| sample.dispatch),
                workers: each(&samples, |sample| sample.workers),
                codec_threads: 1,
                rounds: samples.iter().map(|sample| sample.round).max().unwrap_or(0),
                ..Design::default()
            },
            samples,
            cells,
            comparisons,
            fits,
            capacity,
            outputs: Vec::new(),
            costs: Vec::new(),
            python: None,
            noise: Noise::default(),
            notes: Vec::new(),
        }
    }

    /// The summary of one cell.
    pub fn cell(&self, load: Load, dispatch: Dispatch, workers: usize) -> Option<&Cell> {
        let place = (load, dispatch, workers);
        let mut cells = self.cells.iter();
        cells.find(|cell| (cell.load(), cell.dispatch, cell.workers) == place)
    }

    /// `work` at the codec threads of which charts tell.
    pub fn lead(&self, work: Work) -> Load {
        Load {
            work,
            codec_threads: self.design.codec_threads,
        }
    }

    /// The worker count to speak about: as many as cores, or the nearest below,
    /// or the fewest; the most where the cores are not known.
    pub fn focus(&self, counts: &[usize]) -> Option<usize> {
        let cores = match self.machine.cores {
            0 => usize::MAX,
            cores => cores,
        };
        let below = counts.iter().filter(|count| **count <= cores).max();
        below.or(counts.iter().min()).copied()
    }

    /// What `comparison` says; where there are several, of whom.
    pub fn said(&self, comparison: &Comparison) -> String {
        if self.design.dispatches.len() > 2 {
            let Comparison { a, b, sentence, .. } = comparison;
            format!("{} against {}: {sentence}", a.name(), b.name())
        } else {
            comparison.sentence.clone()
        }
    }
}

macro_rules! has_load {
    ($($has:ident),*) => {
        $(impl $has {
            /// What is done, and with how many codec threads.
            pub fn load(&self) -> Load {
                Load {
                    work: self.work,
                    codec_threads: self.codec_threads,
                }
            }
        })*
    };
}

has_load!(Sample, Cell, Comparison, Fit, Output);

/// The values that samples have, rising, each once.
fn each<T: Ord>(samples: &[Sample], of: fn(&Sample) -> T) -> Vec<T> {
    let values: std::collections::BTreeSet<T> = samples.iter().map(of).collect();
    values.into_iter().collect()
}
