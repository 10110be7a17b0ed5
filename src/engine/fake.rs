//! An engine that follows a script: for the dispatcher's own tests.

use std::path::PathBuf;

use super::{Engine, JobError, Ran, Watch, run_load};
use crate::error::Error;
use crate::job::{Job, Load};

/// What the fake does with one job.
#[derive(Debug, Clone)]
pub struct Script {
    /// How long the job takes.
    pub milliseconds: u64,
    end: End,
}

#[derive(Debug, Clone)]
enum End {
    Done,
    Fail(String),
    Panic,
}

impl Script {
    /// A job that takes so long and succeeds.
    pub fn done(milliseconds: u64) -> Self {
        Self {
            milliseconds,
            end: End::Done,
        }
    }

    /// A job that fails at once with this reason.
    pub fn failing(reason: &str) -> Self {
        Self {
            milliseconds: 0,
            end: End::Fail(reason.to_owned()),
        }
    }

    /// A job that hits a defect of ours.
    pub fn panicking() -> Self {
        Self {
            milliseconds: 0,
            end: End::Panic,
        }
    }
}

/// The engine; job `n` follows script `n`.
#[derive(Debug)]
pub struct Fake(Vec<Script>);

impl Fake {
    /// An engine for `scripts.len()` jobs.
    pub fn new(scripts: Vec<Script>) -> Self {
        Self(scripts)
    }
}

impl Engine for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn run(&self, job: &Job, _: &[PathBuf], watch: &mut Watch) -> Result<Ran, JobError> {
        let script = &self.0[job.id];
        run_load(
            Load::Io {
                milliseconds: script.milliseconds,
            },
            watch,
        )?;
        match &script.end {
            End::Done => Ok(Ran::default()),
            End::Fail(reason) => Err(Error::failed(reason.clone()).into()),
            End::Panic => panic!("scripted"),
        }
    }

    fn start_only(&self, _: &mut Watch) -> Result<(), JobError> {
        Ok(())
    }
}
