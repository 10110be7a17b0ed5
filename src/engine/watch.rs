//! Progress and cancel are one thing: who reports progress learns whether to go on.

use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::Progress;

/// Watches one running job.
pub struct Watch<'a> {
    cancel: &'a Cancel,
    report: &'a mut dyn FnMut(Progress),
}

impl<'a> Watch<'a> {
    /// Reports to `report` until `cancel` is set.
    pub fn new(cancel: &'a Cancel, report: &'a mut dyn FnMut(Progress)) -> Self {
        Self { cancel, report }
    }

    /// Tells how far the job is.
    ///
    /// # Errors
    /// Where the job must stop.
    pub fn advance(&mut self, progress: Progress) -> Result<()> {
        if self.cancel.is_set() {
            return Err(Error::interrupted());
        }
        (self.report)(progress);
        Ok(())
    }

    /// The flag, for code that waits elsewhere.
    pub fn cancel(&self) -> &Cancel {
        self.cancel
    }
}
