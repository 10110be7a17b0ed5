//! The pulse of a job: a beat for each packet that is read or written, for
//! whoever must know that it has not come to a standstill.

use std::cell::RefCell;

/// Is called at each beat.
pub type Listener = Box<dyn FnMut()>;

thread_local! {
    static LISTENER: RefCell<Option<Listener>> = const { RefCell::new(None) };
}

/// From now on, `listener` is told of each beat of this thread's jobs.
pub fn listen(listener: Listener) {
    LISTENER.set(Some(listener));
}

pub(super) fn beat() {
    LISTENER.with_borrow_mut(|listener| {
        if let Some(listener) = listener {
            listener();
        }
    });
}
