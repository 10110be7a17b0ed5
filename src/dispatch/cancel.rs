//! One flag that stops everything, and wakes whoever waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

/// Asks running work to stop; cheap to copy and to ask.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cause: AtomicUsize,
    waiting: Mutex<Vec<Weak<dyn Wake>>>,
    set: Condvar,
}

/// Something in which threads wait, and that looks at the flag once woken.
pub(super) trait Wake: Send + Sync {
    /// Wakes all of them.
    fn wake(&self);
}

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
        let _ = self.0.cause.compare_exchange(
            0,
            signal.unsigned_abs() as usize + 1,
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
        // Taken after the flag is set: who looked before that is asleep by now.
        let waiting = self.waiting();
        self.0.set.notify_all();
        for wake in waiting.iter().filter_map(Weak::upgrade) {
            wake.wake();
        }
    }

    /// Whether a stop was asked for.
    pub fn is_set(&self) -> bool {
        self.0.cause.load(Ordering::Relaxed) != 0
    }

    /// The signal that asked for the stop, where one did.
    pub fn signal(&self) -> Option<i32> {
        match self.0.cause.load(Ordering::Relaxed) {
            0 | 1 => None,
            signal => i32::try_from(signal - 1).ok(),
        }
    }

    /// Sleeps for `length`, or until a stop is asked for.
    pub fn sleep(&self, length: Duration) {
        let _ = self
            .0
            .set
            .wait_timeout_while(self.waiting(), length, |_| !self.is_set());
    }

    /// Has `waiting` woken when a stop is asked for, as long as it lives.
    pub(super) fn wakes<W: Wake + 'static>(&self, waiting: &Arc<W>) {
        let mut all = self.waiting();
        all.retain(|other| other.strong_count() > 0);
        let waiting: Weak<W> = Arc::downgrade(waiting);
        all.push(waiting);
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Weak<dyn Wake>>> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_cause_stays() {
        let cancel = Cancel::new();
        assert_eq!((cancel.is_set(), cancel.signal()), (false, None));
        cancel.set_by_signal(15);
        cancel.set_by_signal(2);
        assert_eq!((cancel.is_set(), cancel.signal()), (true, Some(15)));
    }

    #[test]
    fn a_sleep_of_a_year_ends_when_a_stop_is_asked_for() {
        let cancel = Cancel::new();
        let sleeper = cancel.clone();
        let year = Duration::from_secs(365 * 24 * 3600);
        let asleep = std::thread::spawn(move || sleeper.sleep(year));
        cancel.set();
        asleep.join().unwrap();
        // One that is set already does not sleep at all.
        cancel.sleep(year);
    }
}
