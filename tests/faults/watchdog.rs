//! Ends processes that run too long, from a thread of its own: the tracer waits for them.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

pub struct Watchdog {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Threads and processes; the system takes either for the signal.
    alive: BTreeSet<Pid>,
    limit: Instant,
    program_ended: bool,
    finished: bool,
    over: bool,
    hung: Option<String>,
    outlived: Option<String>,
}

impl Watchdog {
    /// Watches `root`, and what is added, until `limit`.
    pub fn start(root: Pid, limit: Instant) -> Self {
        let state = State {
            alive: BTreeSet::from([root]),
            limit,
            program_ended: false,
            finished: false,
            over: false,
            hung: None,
            outlived: None,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let thread = std::thread::spawn({
            let shared = shared.clone();
            move || shared.watch()
        });
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// Whether `pid` may run: after [`Self::kill_all`] and after the limit, none may.
    pub fn add(&self, pid: Pid) -> bool {
        let mut state = self.shared.state();
        state.alive.insert(pid);
        !state.over
    }

    pub fn remove(&self, pid: Pid) {
        self.shared.state().alive.remove(&pid);
    }

    /// What is left of the tree has time until `limit`.
    pub fn program_ended(&self, limit: Instant) {
        let mut state = self.shared.state();
        state.limit = state.limit.min(limit);
        state.program_ended = true;
        self.shared.changed.notify_one();
    }

    pub fn kill_all(&self) {
        self.shared.state().kill_all();
    }

    /// What hung, and what outlived the program.
    pub fn findings(self) -> (Option<String>, Option<String>) {
        let mut state = self.shared.state();
        (state.hung.take(), state.outlived.take())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.shared.state().finished = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) {
        let mut state = self.state();
        while !state.finished {
            let left = state.limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.end();
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn end(&mut self) {
        let seen: Vec<String> = self.alive.iter().map(|pid| describe(*pid)).collect();
        let seen = Some(seen.join("; "));
        match self.program_ended {
            true => self.outlived = seen,
            false => self.hung = seen,
        }
        self.kill_all();
    }

    fn kill_all(&mut self) {
        self.over = true;
        for pid in &self.alive {
            let _ = kill(*pid, Signal::SIGKILL);
        }
    }
}

/// A process or thread, its name, and the system call in which it waits.
fn describe(pid: Pid) -> String {
    let read = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let call = read("syscall");
    let number = call.split(' ').next().unwrap_or_default();
    format!("{pid} {} in call {number}", read("comm").trim_end())
}
