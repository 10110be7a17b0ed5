//! How a job is run: by linked libav, by the `ffmpeg` program, or by a script of a test.

mod argv;
mod child;
mod complaints;
mod dispatch;
#[cfg(test)]
pub mod fake;
pub mod ffmpeg;
mod linked;
mod load;
mod pace;
mod process;
mod program;
mod reference;
mod refusals;
pub mod sandbox;
mod threads;
mod turn;
mod watch;
pub mod workers;

use std::fmt::Debug;
use std::path::{Path, PathBuf};

pub use dispatch::Dispatch;
pub use linked::Linked;
pub use load::{calibrate, run_load};
pub use program::Program;
pub use threads::Threads;
pub use watch::Watch;
pub use workers::Workers;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::job::{Job, MediaInfo, MediaJob};
use crate::media::survey::Survey;
use crate::media::verify::{Checked, Evidence};
use crate::media::{self, log};

/// How a job is run. The dispatcher never asks which engine it has.
///
/// Whatever opens a source or a result is one of its methods, so that an engine
/// may keep this process away from media. Those that only look do so through
/// linked libav on the calling thread, where an engine has no other way.
pub trait Engine: Sync + Debug {
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

    /// Gets ready for `jobs`, so many of them at once, where that is done once
    /// and not for each; in a batch, planning has done so.
    ///
    /// # Errors
    /// Where that cannot be done.
    fn prepare(&self, _jobs: &[Job], _slots: usize, _watch: &mut Watch) -> Result<(), JobError> {
        Ok(())
    }

    /// Whether this engine has what all `jobs` need; asked once, before the first starts.
    ///
    /// # Errors
    /// Where something is missing, such as an encoder; says how to get it.
    fn check(&self, _jobs: &[Job]) -> crate::error::Result<()> {
        Ok(())
    }

    /// Whether it has the filter of that name.
    fn has_filter(&self, name: &str) -> bool {
        media::has_filter(name)
    }

    /// What `source` holds, by its container's own words.
    ///
    /// # Errors
    /// Where it cannot be opened as media.
    fn probe(&self, source: &Path, watch: &mut Watch) -> Result<Probed, JobError> {
        let (result, log) = log::capture(|| media::probe(source, watch.cancel()));
        match result {
            Ok(info) => Ok(Probed { info, log }),
            Err(error) => Err(JobError { error, log }),
        }
    }

    /// What the packets of a job's source say.
    ///
    /// # Errors
    /// Where it cannot be opened.
    fn survey(&self, job: &MediaJob, watch: &mut Watch) -> Result<Survey, JobError> {
        let streams = job.pipeline.streams();
        let format = Some(job.pipeline.input_format.as_str());
        captured(|| media::survey::survey(&job.source, format, &streams, watch.cancel()))
    }

    /// The streams of a job's source that it encodes as video, and of which no
    /// picture can be decoded.
    ///
    /// # Errors
    /// Where it cannot be opened.
    fn dead_streams(&self, job: &MediaJob, watch: &mut Watch) -> Result<Vec<usize>, JobError> {
        captured(|| media::dead_streams(job, watch.cancel()))
    }

    /// The time in milliseconds of the picture that stands best for a job's source.
    ///
    /// # Errors
    /// Where it cannot be opened, or no picture in it can be decoded.
    fn best_ms(&self, job: &MediaJob, watch: &mut Watch) -> Result<u64, JobError> {
        captured(|| media::pictures::best_ms(job, watch.cancel()))
    }

    /// Holds the result at `path` against what is known of it.
    ///
    /// # Errors
    /// What is wrong with it, and what was said about it.
    fn verify(
        &self,
        path: &Path,
        evidence: &Evidence,
        watch: &mut Watch,
    ) -> Result<Checked, JobError> {
        captured(|| media::verify::verify(path, evidence, watch.cancel()))
    }
}

/// Runs `look` on this thread; where it fails, with what libav said meanwhile.
fn captured<T>(look: impl FnOnce() -> crate::Result<T>) -> Result<T, JobError> {
    let (result, log) = log::capture(look);
    result.map_err(|error| JobError { error, log })
}

/// What a source holds, and what libav said when it was opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// What it holds.
    pub info: MediaInfo,
    /// The last lines that libav said about it.
    pub log: Vec<String>,
}

/// What an engine knows of a job that it ran.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// The times of the pictures in seconds, in the order of their numbers, where they are what was
    /// made.
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
