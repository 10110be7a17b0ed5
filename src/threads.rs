//! Threads, as many as the system gives: a limit of it is no reason to stop.

use std::sync::OnceLock;

use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// A pool of `threads`, or of as many as the system gives; the threads have names that begin
/// with `name`.
///
/// # Errors
/// If not one can be started.
pub fn pool(threads: usize, name: &'static str) -> Result<ThreadPool> {
    let mut wanted = threads.max(1);
    loop {
        let built = ThreadPoolBuilder::new()
            .num_threads(wanted)
            .thread_name(move |number| format!("{name}-{number}"))
            .build();
        match built {
            Err(_) if wanted > 1 => wanted /= 2,
            built => {
                return built.map_err(|error| cannot_start().because(error));
            }
        }
    }
}

/// The pool that parallel iterators outside a dispatcher's own pool run on, a thread for each
/// core. rayon's global pool panics where it cannot be started, and belongs to the host program.
///
/// # Errors
/// If not one thread can be started.
pub fn shared() -> Result<&'static ThreadPool> {
    static SHARED: OnceLock<ThreadPool> = OnceLock::new();
    match SHARED.get() {
        Some(pool) => Ok(pool),
        None => {
            let pool = pool(crate::values::cores(), "core")?;
            Ok(SHARED.get_or_init(|| pool))
        }
    }
}

/// Runs `work` on this thread; what it spawns runs on the pool that this thread belongs to, or
/// on the shared one.
///
/// # Errors
/// As [`shared`], and those of `work`.
pub fn scope<'scope, T>(work: impl FnOnce(&Scope<'scope>) -> Result<T>) -> Result<T> {
    match rayon::current_thread_index() {
        Some(_) => rayon::in_place_scope(work),
        None => shared()?.in_place_scope(work),
    }
}

/// Why nothing can be done at once.
pub fn cannot_start() -> Error {
    Error::failed("cannot start a thread")
        .cure("raise the limit of processes (`ulimit -u`) or of memory")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::thread;

    use super::*;

    #[test]
    fn a_pool_has_the_threads_that_the_system_gives() {
        assert_eq!(pool(2, "slot").unwrap().current_num_threads(), 2);
        assert_eq!(pool(0, "slot").unwrap().current_num_threads(), 1);
        let cores = crate::values::cores();
        assert_eq!(shared().unwrap().current_num_threads(), cores);
    }

    #[test]
    fn what_a_scope_spawns_runs_on_the_pool_of_its_thread() {
        let name = || {
            let spawned = Mutex::new(None);
            scope(|scope| {
                scope.spawn(|_| {
                    *spawned.lock().unwrap() = thread::current().name().map(String::from)
                });
                Ok(())
            })
            .unwrap();
            spawned.into_inner().unwrap().unwrap()
        };
        assert!(name().starts_with("core-"));
        assert_eq!(pool(1, "slot").unwrap().install(name), "slot-0");
    }
}
