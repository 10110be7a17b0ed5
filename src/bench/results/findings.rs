//! What follows from the samples of a run.

use serde::{Deserialize, Serialize};

use super::design::one;
use super::{Dispatch, Work};

/// The summary of one cell.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Cell {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub dispatch: Dispatch,
    /// Jobs at once.
    pub workers: usize,
    /// Codec threads a job.
    pub codec_threads: usize,
    /// Number of samples.
    pub n: usize,
    /// Median wall time.
    pub median_s: f64,
    /// 95 % bootstrap interval of the median.
    pub ci95_s: [f64; 2],
    /// Frames a second at the median; `None` for the reference loads.
    pub throughput_fps: Option<f64>,
    /// Jobs a second against one worker of the same dispatch, median over paired rounds; 1 at one
    /// worker.
    pub speedup: Option<f64>,
    /// Its 95 % interval; `None` at one worker, where it is 1 by definition.
    #[serde(default)]
    pub speedup_ci95: Option<[f64; 2]>,
    /// Speed-up divided by workers, as its interval may be.
    pub efficiency: Option<f64>,
    /// Median of the peak memory.
    #[serde(default)]
    pub peak_memory_bytes: u64,
    /// Median of user + system CPU time.
    #[serde(default)]
    pub cpu_s: f64,
}

/// Two dispatches at the same load and worker count.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Comparison {
    /// What was done.
    pub work: Work,
    /// Jobs at once.
    pub workers: usize,
    /// Codec threads a job.
    #[serde(default = "one")]
    pub codec_threads: usize,
    /// The first dispatch.
    pub a: Dispatch,
    /// The second dispatch.
    pub b: Dispatch,
    /// Time of `a` divided by time of `b`: median over paired rounds.
    pub ratio: f64,
    /// 95 % bootstrap interval of the ratio.
    pub ci95: [f64; 2],
    /// What may be concluded.
    pub verdict: Verdict,
    /// The verdict as a sentence, e.g. `threads faster by 12.3 % (10.1–14.6)`.
    #[serde(default)]
    pub sentence: String,
    /// Whether both dispatches were shown to give the same output; `None` where a load has none.
    #[serde(default)]
    pub equal_output: Option<bool>,
}

/// What a comparison may conclude.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// `a` is faster.
    AFaster,
    /// `b` is faster.
    BFaster,
    /// The data do not show a difference.
    NoDifferenceShown,
    /// The work is within reach of the cost of starting it.
    TooSmallToMeasure,
    /// The two did not do the same work.
    Void,
}

/// Scalability models fitted to one load and dispatch.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Fit {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub dispatch: Dispatch,
    /// Codec threads a job.
    #[serde(default = "one")]
    pub codec_threads: usize,
    /// Amdahl's law, where it fits.
    pub amdahl: Option<Amdahl>,
    /// The Universal Scalability Law, where it fits.
    pub usl: Option<Usl>,
    /// Worker count of the highest throughput, or a smaller one that is shown to be at most 3 %
    /// slower.
    pub best_workers: usize,
}

/// Speed-up(n) = 1 / (serial + (1 − serial) / n).
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Amdahl {
    /// The part of the work that does not run in parallel, 0 to 1.
    pub serial: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// What it leaves unexplained.
    #[serde(default)]
    pub residuals: Vec<Residual>,
}

/// Throughput(n) = lambda·n / (1 + sigma·(n − 1) + kappa·n·(n − 1)).
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Usl {
    /// Throughput of one worker.
    pub lambda: f64,
    /// Contention.
    pub sigma: f64,
    /// Crosstalk.
    pub kappa: f64,
    /// Coefficient of determination.
    pub r2: f64,
    /// What it leaves unexplained.
    #[serde(default)]
    pub residuals: Vec<Residual>,
}

/// How far a measured value lies from its model's.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Residual {
    /// Jobs at once.
    pub workers: usize,
    /// Measured ∕ model − 1.
    pub share: f64,
}

/// How many such jobs run at once in real time.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Capacity {
    /// How they are run.
    pub dispatch: Dispatch,
    /// At which worker count.
    pub workers: usize,
    /// Codec threads a job.
    #[serde(default = "one")]
    pub codec_threads: usize,
    /// Seconds of video transcoded a second.
    pub realtime_factor: f64,
    /// The factor's 95 % interval; with too few rounds their range.
    #[serde(default)]
    pub ci95: [f64; 2],
    /// The lower end of the interval, rounded down: that many live streams keep up.
    pub jobs_in_real_time: u64,
}
