//! The command that the program starts itself with: not for people.

use super::Ending;
use crate::bench::cell;
use crate::dispatch::Cancel;
use crate::error::Result;

pub(super) fn run_cell(cancel: &Cancel) -> Result<Ending> {
    cell::serve(cancel)?;
    Ok(Ending::Done)
}
