//! Jobs on a thread of this process; what they are made of is looked into by workers.

use std::path::{Path, PathBuf};

use super::{Engine, JobError, Linked, Probed, Ran, Watch, Workers};
use crate::error::{Error, Result};
use crate::job::{Job, Limits, SandboxMode};

/// The linked engine, behind workers that sort out what crashes whoever opens it.
#[derive(Debug)]
pub struct Threads {
    workers: Workers,
}

impl Threads {
    /// Finds the programs; workers are started when they are needed.
    ///
    /// # Errors
    /// Where one is missing, or a sandbox is demanded.
    pub fn find(limits: Limits) -> Result<Self> {
        if limits.sandbox == SandboxMode::Require {
            return Err(Error::usage(
                "--sandbox require: threads run jobs in the program itself, without a sandbox",
            )
            .cure("use --dispatch workers"));
        }
        Ok(Self {
            workers: Workers::find(limits)?,
        })
    }
}

impl Engine for Threads {
    fn name(&self) -> &'static str {
        Linked.name()
    }

    fn run(&self, job: &Job, targets: &[PathBuf], watch: &mut Watch) -> Result<Ran, JobError> {
        Linked.run(job, targets, watch)
    }

    fn start_only(&self, watch: &mut Watch) -> Result<(), JobError> {
        Linked.start_only(watch)
    }

    fn probe(&self, source: &Path, watch: &mut Watch) -> Result<Probed, JobError> {
        self.workers.probe(source, watch)
    }
}
