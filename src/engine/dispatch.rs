//! The ways of running jobs, by name.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Engine, Linked, Program};
use crate::error::Result;

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
}

impl Dispatch {
    /// All dispatches in reporting order.
    pub const ALL: [Dispatch; 2] = [Dispatch::Threads, Dispatch::Processes];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Dispatch::Threads => "threads",
            Dispatch::Processes => "processes",
        }
    }

    /// The engine that runs jobs so.
    ///
    /// # Errors
    /// Where a program that it needs is missing.
    pub fn engine(self) -> Result<Box<dyn Engine>> {
        Ok(match self {
            Dispatch::Threads => Box::new(Linked),
            Dispatch::Processes => Box::new(Program::find()?),
        })
    }
}
