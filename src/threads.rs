//! Threads, as many as the system gives: a limit of it is no reason to stop.

use std::error::Error as _;
use std::sync::OnceLock;

use crossbeam_channel::{Sender, bounded};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{Error, Result};

/// How many threads can be started beside those that run, `most` at most.
fn affordable(most: usize) -> usize {
    let (hold, held) = bounded::<()>(0);
    let mut threads = Vec::with_capacity(most);
    for _ in 0..most {
        let held = held.clone();
        // It ends once nothing more can be sent.
        match std::thread::Builder::new().spawn(move || held.recv()) {
            Ok(thread) => threads.push(thread),
            Err(_) => break,
        }
    }
    let started = threads.len();
    end(hold, threads);
    started
}

fn end<T>(hold: Sender<()>, threads: Vec<std::thread::JoinHandle<T>>) {
    drop(hold);
    for thread in threads {
        let _ = thread.join();
    }
}

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

/// Gives parallel iterators their threads, in the first call. Without it, they panic where the
/// system gives fewer threads than there are cores.
///
/// # Errors
/// If not one can be started.
pub fn prepare() -> Result<()> {
    static IS_PREPARED: OnceLock<bool> = OnceLock::new();
    let is_prepared = IS_PREPARED.get_or_init(|| {
        // rayon tries once, and with this number or with none.
        let threads = affordable(crate::values::cores());
        let built = ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .build_global();
        // An error without a cause: somebody else gave them their threads before.
        threads > 0 && built.map_or_else(|error| error.source().is_none(), |()| true)
    });
    match is_prepared {
        true => Ok(()),
        false => Err(cannot_start()),
    }
}

/// Why nothing can be done at once.
pub fn cannot_start() -> Error {
    Error::failed("cannot start a thread")
        .cure("raise the limit of processes (`ulimit -u`) or of memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_that_parallel_iterators_have_already_will_do() {
        use rayon::prelude::*;

        assert_eq!((0..100).into_par_iter().sum::<u32>(), 4950);
        prepare().unwrap();
    }

    #[test]
    fn what_the_system_gives_is_what_there_is_to_work_with() {
        assert_eq!(affordable(3), 3);
        assert_eq!(affordable(0), 0);
        assert_eq!(pool(2, "slot").unwrap().current_num_threads(), 2);
        prepare().unwrap();
        prepare().unwrap();
    }
}
