//! How a job is run: by linked libav, by the `ffmpeg` program, or by a script of a test.

mod argv;
mod child;
mod dispatch;
#[cfg(test)]
pub mod fake;
mod linked;
mod load;
mod pace;
mod program;
mod reference;
mod watch;

use std::path::PathBuf;

pub use dispatch::Dispatch;
pub use linked::Linked;
pub use load::{calibrate, run_load};
pub use program::Program;
pub use watch::Watch;

use crate::error::Error;
use crate::job::Job;
use crate::media::survey::Survey;

/// How a job is run. The dispatcher never asks which engine it has.
pub trait Engine: Sync {
    /// The engine's name in events.
    fn name(&self) -> &'static str;

    /// Runs `job` to its end, writing to `targets`, one a product: the name of
    /// a file that does not exist yet, or an empty folder where the result is
    /// pictures. A load writes nothing.
    ///
    /// # Errors
    /// The reason, and the last lines that were said about this job.
    fn run(&self, job: &Job, targets: &[PathBuf], watch: &mut Watch) -> Result<Ran, JobError>;

    /// Does all that starting a media job costs, and nothing else.
    ///
    /// # Errors
    /// Where it cannot be started, or was cancelled.
    fn start_only(&self, watch: &mut Watch) -> Result<(), JobError>;
}

/// What an engine knows of a job that it ran.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ran {
    /// Frames encoded, packets copied or pictures written of each product's
    /// first track; `None` where the engine cannot tell.
    pub frames: Vec<Option<u64>>,
    /// Seconds of the source that were gone through; containers may claim anything.
    pub media_s: f64,
    /// Streams of the source with the number of packets that could not be decoded.
    pub damaged: Vec<(usize, u64)>,
    /// What was read of the source, where the engine reads it itself.
    pub survey: Option<Survey>,
    /// The last lines that libav or ffmpeg said meanwhile.
    pub log: Vec<String>,
    /// The times of the pictures in seconds, in the order of their numbers, where they are what was made.
    pub pictures: Vec<f64>,
}

/// Why a job failed, and what was said about it.
#[derive(Debug)]
pub struct JobError {
    /// The reason.
    pub error: Error,
    /// The last lines that libav or ffmpeg said about this job.
    pub log: Vec<String>,
}

impl From<Error> for JobError {
    fn from(error: Error) -> Self {
        Self { error, log: vec![] }
    }
}
