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

use std::path::Path;

pub use dispatch::Dispatch;
pub use linked::Linked;
pub use load::{calibrate, run_load};
pub use program::Program;
pub use watch::Watch;

use crate::error::Error;
use crate::job::{Done, Job};

/// How a job is run. The dispatcher never asks which engine it has.
pub trait Engine: Sync {
    /// The engine's name in events.
    fn name(&self) -> &'static str;

    /// Runs `job` to its end, writing to `target`: the name of a file that does
    /// not exist yet, or an empty folder where the result is pictures. A load
    /// writes nothing.
    ///
    /// # Errors
    /// The reason, and the last lines that were said about this job.
    fn run(&self, job: &Job, target: &Path, watch: &mut Watch) -> Result<Done, JobError>;

    /// Does all that starting a media job costs, and nothing else.
    ///
    /// # Errors
    /// Where it cannot be started, or was cancelled.
    fn start_only(&self, watch: &mut Watch) -> Result<(), JobError>;
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
