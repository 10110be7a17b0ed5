//! One flag that stops everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Asks running work to stop; cheap to copy and to ask.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicUsize>);

impl Cancel {
    /// A flag that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a stop.
    pub fn set(&self) {
        self.set_by_signal(0);
    }

    /// Asks for a stop on behalf of a signal, whose number becomes part of the exit code.
    pub fn set_by_signal(&self, signal: i32) {
        // The first cause stays.
        let _ = self.0.compare_exchange(
            0,
            signal.unsigned_abs() as usize + 1,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }

    /// Whether a stop was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// The signal that asked for the stop, where one did.
    pub fn signal(&self) -> Option<i32> {
        match self.0.load(Ordering::Relaxed) {
            0 | 1 => None,
            signal => i32::try_from(signal - 1).ok(),
        }
    }
}
