//! The ways of running jobs, by name.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Engine, Program, Threads, Workers};
use crate::error::Result;
use crate::job::Limits;
use crate::media::bounds;

/// How jobs are run.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Dispatch {
    /// On threads of one process, through linked libav.
    Threads,
    /// As one subprocess a job.
    Processes,
    /// In a pool of processes with linked libav.
    Workers,
}

impl Dispatch {
    /// All dispatches in reporting order.
    pub const ALL: [Dispatch; 3] = [Dispatch::Threads, Dispatch::Processes, Dispatch::Workers];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Dispatch::Threads => "threads",
            Dispatch::Processes => "processes",
            Dispatch::Workers => "workers",
        }
    }

    /// The engine that runs jobs so, each within `limits`; from now on, this
    /// process takes no other media.
    ///
    /// # Errors
    /// Where a program that it needs is missing.
    pub fn engine(self, limits: Limits) -> Result<Box<dyn Engine>> {
        bounds::set(limits);
        Ok(match self {
            Dispatch::Threads => Box::new(Threads::find(limits)?),
            Dispatch::Processes => Box::new(Program::find(limits)?),
            Dispatch::Workers => Box::new(Workers::find(limits)?),
        })
    }
}
