//! What was measured.

use serde::{Deserialize, Serialize};

use super::{Dispatch, Kernel, Work};

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
    /// From before the start of the cell's process to after its end: what CPU time and others are
    /// of.
    #[serde(default)]
    pub process_s: Option<f64>,
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
            process_s: None,
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
