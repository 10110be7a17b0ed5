//! `results.json`, version 1: everything a benchmark run found.
//!
//! Units are in the field names. A field may be added; none is renamed.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

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

    /// What `comparison` says; where there are several, with whom threads are compared.
    pub fn said(&self, comparison: &Comparison) -> String {
        if self.design.dispatches.len() > 2 {
            format!("against {}, {}", comparison.b.name(), comparison.sentence)
        } else {
            comparison.sentence.clone()
        }
    }
}

/// The values that samples have, rising, each once.
fn each<T: Ord>(samples: &[Sample], of: fn(&Sample) -> T) -> Vec<T> {
    let values: std::collections::BTreeSet<T> = samples.iter().map(of).collect();
    values.into_iter().collect()
}

/// The machine of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
pub struct Machine {
    /// Host name.
    pub host: String,
    /// Operating system and kernel.
    pub os: String,
    /// Processor model as the system names it.
    pub cpu: String,
    /// Logical cores this process may use.
    pub cores: usize,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// What sets the processor's clock rate, such as `performance`, where the system tells.
    #[serde(default)]
    pub governor: Option<String>,
}

/// The FFmpeg of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
pub struct Ffmpeg {
    /// Version of the linked libraries, e.g. `5.1.9`.
    pub linked: String,
    /// First line of `ffmpeg -version`, where the program was found.
    pub program: Option<String>,
    /// Whether linked libraries and program have the same version.
    pub same_version: bool,
    /// What the linked libraries were configured with.
    #[serde(default)]
    pub configuration: String,
    /// The encoders that made the results.
    #[serde(default)]
    pub encoders: Vec<Encoder>,
}

/// What a run was asked to do.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
pub struct Design {
    /// The loads.
    pub works: Vec<Work>,
    /// The dispatches.
    pub dispatches: Vec<Dispatch>,
    /// The worker counts.
    pub workers: Vec<usize>,
    /// Codec threads a job.
    pub codec_threads: usize,
    /// Rounds that were completed after the warm-up.
    pub rounds: usize,
    /// Seed of the order of cells within rounds.
    pub seed: u64,
    /// Time allowed, in seconds.
    pub budget_s: f64,
    /// Milliseconds of one core that a `cpu` job takes.
    pub cpu_ms: u64,
    /// Milliseconds that an `io` job waits.
    pub io_ms: u64,
    /// Iterations of the reference computation that take `cpu_ms` on one idle core.
    pub cpu_iterations: u64,
    /// File names of the clips, without folders.
    pub clips: Vec<String>,
    /// Length of all clips together, in seconds.
    pub clips_s: f64,
    /// What is known of each clip.
    #[serde(default)]
    pub clip_facts: Vec<Clip>,
    /// Words for what a transcode job does, e.g. `H.264 CRF 23 medium + AAC 128k`.
    pub recipe: String,
    /// Words for what a frames job does.
    #[serde(default)]
    pub frames_recipe: String,
    /// Hashes over all that a transcode and a frames job do: words do not tell everything.
    #[serde(default)]
    pub settings: [String; 2],
}

impl Design {
    /// What a transcode job does, so that no two of them are told alike.
    pub fn transcode_settings(&self) -> String {
        exact(&self.recipe, &self.settings[0])
    }

    /// What a frames job does, so that no two of them are told alike.
    pub fn frames_settings(&self) -> String {
        exact(&self.frames_recipe, &self.settings[1])
    }
}

fn exact(words: &str, hash: &str) -> String {
    match hash.is_empty() {
        true => words.to_owned(),
        false => format!("{words} ({hash})"),
    }
}

/// What a cell does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Every clip to H.264 + AAC: strong scaling, the same clips whatever the worker count.
    Transcode,
    /// Pictures out of every clip: strong scaling.
    Frames,
    /// A pure computation, one job a worker: weak scaling, as in the original exercise.
    Cpu,
    /// A wait, one job a worker: weak scaling, as in the original exercise.
    Io,
}

impl Work {
    /// All loads in reporting order.
    pub const ALL: [Work; 4] = [Work::Transcode, Work::Frames, Work::Cpu, Work::Io];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Work::Transcode => "transcode",
            Work::Frames => "frames",
            Work::Cpu => "cpu",
            Work::Io => "io",
        }
    }

    /// Whether every worker brings its own job (weak scaling), as the reference loads do.
    pub fn one_job_a_worker(self) -> bool {
        matches!(self, Work::Cpu | Work::Io)
    }
}

/// One measurement of one cell.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Sample {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub dispatch: Dispatch,
    /// Jobs at once.
    pub workers: usize,
    /// Codec threads a job.
    pub codec_threads: usize,
    /// Round, from 1.
    pub round: usize,
    /// From the first job's start to the last one's end, by a monotonic clock.
    pub wall_s: f64,
    /// User CPU time of the cell's process and its children.
    pub user_s: f64,
    /// System CPU time of the cell's process and its children.
    pub sys_s: f64,
    /// Peak of the proportional set size summed over the cell's processes.
    pub peak_memory_bytes: u64,
    /// Jobs done.
    pub jobs: usize,
    /// Video frames encoded or pictures written; 0 for the reference loads.
    pub frames: u64,
    /// Bytes written by the jobs.
    #[serde(default)]
    pub output_bytes: u64,
    /// What the kernel counted besides.
    #[serde(default)]
    pub kernel: Kernel,
    /// CPU seconds that others used meanwhile, where the system tells.
    #[serde(default)]
    pub others_s: Option<f64>,
    /// Mean clock rate of the cores at its end, where the system tells.
    #[serde(default)]
    pub clock_mhz: Option<f64>,
    /// Start and end of every job, in seconds since the cell's first start.
    #[serde(default)]
    pub lanes: Vec<Lane>,
}

impl Sample {
    /// A wall time alone: what else is not known is 0, with one codec thread and one job a worker.
    pub fn timed(cell: (Work, Dispatch, usize), round: usize, wall_s: f64) -> Self {
        let (work, dispatch, workers) = cell;
        Self {
            work,
            dispatch,
            workers,
            codec_threads: 1,
            round,
            wall_s,
            user_s: 0.0,
            sys_s: 0.0,
            peak_memory_bytes: 0,
            jobs: workers,
            frames: 0,
            output_bytes: 0,
            kernel: Kernel::default(),
            others_s: None,
            clock_mhz: None,
            lanes: Vec::new(),
        }
    }
}

/// When one job ran, and in which slot.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Lane {
    /// The job's name.
    pub job: String,
    /// Slot that ran it, from 0.
    pub slot: usize,
    /// Start in seconds since the first job's start.
    pub start_s: f64,
    /// End in seconds since the first job's start.
    pub end_s: f64,
}

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
    /// Jobs a second at the median, against one worker of the same dispatch; 1 at one worker.
    pub speedup: Option<f64>,
    /// Speed-up divided by workers.
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
    /// Amdahl's law, where it fits.
    pub amdahl: Option<Amdahl>,
    /// The Universal Scalability Law, where it fits.
    pub usl: Option<Usl>,
    /// Worker count of the highest throughput.
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
    /// Seconds of video transcoded a second.
    pub realtime_factor: f64,
    /// The factor's 95 % interval; with too few rounds their range.
    #[serde(default)]
    pub ci95: [f64; 2],
    /// The factor rounded down: that many live streams keep up.
    pub jobs_in_real_time: u64,
}
