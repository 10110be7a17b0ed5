//! The commands that the program starts itself with: not for people.

use super::Ending;
use crate::bench::cell;
use crate::dispatch::Cancel;
use crate::engine::workers;
use crate::error::Result;

/// One cell of a benchmark, told on stdin.
#[derive(Debug, clap::Args)]
pub(super) struct Cell {
    /// Workers that are to stand by.
    #[arg(long, default_value_t = 0)]
    pub workers: usize,
}

pub(super) fn run_cell(cancel: &Cancel) -> Result<Ending> {
    cell::serve(cancel)?;
    Ok(Ending::Done)
}

pub(super) fn run_worker() -> Result<Ending> {
    workers::serve()?;
    Ok(Ending::Done)
}
