//! Jobs on a thread of this process, through linked libav.

use std::path::PathBuf;

use super::{Engine, JobError, Ran, Watch, run_load, turn};
use crate::job::{Job, Progress, Work};
use crate::media;

/// The linked engine; has no state, since every job has its own contexts.
#[derive(Debug, Clone, Copy, Default)]
pub struct Linked;

impl Engine for Linked {
    fn name(&self) -> &'static str {
        "threads"
    }

    fn run(&self, job: &Job, targets: &[PathBuf], watch: &mut Watch) -> Result<Ran, JobError> {
        match &job.work {
            Work::Load(load) => Ok(run_load(*load, watch)?),
            Work::Media(media) => {
                let _turn = turn::take(&media.pipeline, watch)?;
                let (result, log) = media::log::capture(|| media::run(media, targets, watch));
                match result {
                    Ok(ran) => Ok(Ran { log, ..ran }),
                    Err(error) => Err(JobError { error, log }),
                }
            }
        }
    }

    /// A thread of this process has nothing to start.
    fn start_only(&self, watch: &mut Watch) -> Result<(), JobError> {
        Ok(watch.advance(Progress::default())?)
    }
}
