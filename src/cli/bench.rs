//! `rushes bench`.

use super::Ending;
use crate::dispatch::Cancel;
use crate::error::Result;

/// Measure threads against processes.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    pub(super) fn run(self, _cancel: &Cancel) -> Result<Ending> {
        Ok(Ending::Done)
    }
}
