//! The reference loads on Python's threads and processes, where one lock lets
//! only one thread at a time run Python: what that costs shows beside ours.

mod measure;
mod summary;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::measure::find;
use super::results::{Verdict, Work};

/// What Python was measured to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Python {
    /// `Python 3.11.2`.
    pub version: String,
    /// Steps of its computation that take `cpu_ms` on one idle core.
    pub cpu_steps: u64,
    /// Every measurement.
    pub samples: Vec<PythonSample>,
    /// One summary a cell.
    pub cells: Vec<PythonCell>,
    /// Its threads against its processes.
    pub comparisons: Vec<PythonComparison>,
}

/// How Python runs jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// On threads of one interpreter.
    Threads,
    /// In one forked interpreter a job.
    Processes,
}

impl How {
    /// Both.
    pub const ALL: [How; 2] = [How::Threads, How::Processes];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            How::Threads => "threads",
            How::Processes => "processes",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            How::Threads => "Python threads",
            How::Processes => "Python processes",
        }
    }
}

/// What one run of Python is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PythonKey {
    /// `cpu` or `io`.
    pub work: Work,
    /// How it runs the jobs.
    pub how: How,
    /// Jobs at once, one a worker.
    pub workers: usize,
}

impl fmt::Display for PythonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (work, how) = (self.work.name(), self.how.title());
        write!(f, "{work} on {how}, {} at once", self.workers)
    }
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PythonSample {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub how: How,
    /// Jobs at once.
    pub workers: usize,
    /// Round, from 1.
    pub round: usize,
    /// From before the first worker is started until the last one has ended.
    pub wall_s: f64,
    /// User CPU time of all its processes.
    pub user_s: f64,
    /// System CPU time of all its processes.
    pub sys_s: f64,
    /// Peak of the proportional set size summed over its processes.
    pub peak_memory_bytes: u64,
}

/// The summary of one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PythonCell {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub how: How,
    /// Jobs at once.
    pub workers: usize,
    /// Number of samples.
    pub n: usize,
    /// Median wall time.
    pub median_s: f64,
    /// 95 % interval of the median.
    pub ci95_s: [f64; 2],
}

/// Python's threads against its processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PythonComparison {
    /// What was done.
    pub work: Work,
    /// Jobs at once.
    pub workers: usize,
    /// Time of threads divided by time of processes.
    pub ratio: f64,
    /// 95 % interval of the ratio.
    pub ci95: [f64; 2],
    /// What may be concluded, of a for threads and b for processes.
    pub verdict: Verdict,
    /// The same in words.
    pub sentence: String,
}
