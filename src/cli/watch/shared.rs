//! What is under way, and what became of what arrived: told by the slots, asked for by the watcher.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::job::{Outcome, Verdict};
use crate::report::words;

/// What the slots and the watcher share.
#[derive(Default)]
pub(super) struct Shared {
    // Sources on which work is under way, by their jobs.
    busy: Mutex<HashMap<usize, PathBuf>>,
    tally: Mutex<Tally>,
}

impl Shared {
    pub fn busy(&self) -> MutexGuard<'_, HashMap<usize, PathBuf>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A job is not under way any more.
    pub fn ended(&self, outcome: &Outcome) {
        self.busy().remove(&outcome.job);
        self.tally().add(outcome);
    }
}

/// What became of all that arrived: a few numbers, however long it goes on.
#[derive(Debug, Default)]
pub(super) struct Tally {
    done: usize,
    pub failed: usize,
    pub skipped: usize,
    bytes: u64,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        match &outcome.verdict {
            Verdict::Done(done) => {
                self.done += 1;
                self.bytes += done.bytes;
            }
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Cancelled => {}
        }
    }

    pub fn words(&self, time: Duration) -> String {
        format!(
            "{} done, {} failed, {} skipped, {} written in {}",
            self.done,
            self.failed,
            self.skipped,
            words::bytes(self.bytes),
            words::duration(time.as_secs_f64())
        )
    }
}
