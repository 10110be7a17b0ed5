//! The commands that the program starts itself with: not for people.

use super::Ending;
use crate::bench::cell;
use crate::dispatch::Cancel;
use crate::engine::workers;
use crate::error::Result;

pub(super) fn run_cell(cancel: &Cancel) -> Result<Ending> {
    cell::serve(cancel)?;
    Ok(Ending::Done)
}

pub(super) fn run_worker() -> Result<Ending> {
    workers::serve()?;
    Ok(Ending::Done)
}
