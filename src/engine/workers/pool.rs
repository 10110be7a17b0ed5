//! The workers that are there: as many as run at once, started when they are needed.

use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;

use super::standby;
use super::worker::{Worker, prepare};
use crate::engine::{child, sandbox};
use crate::error::{Error, Result};
use crate::job::{Limits, SandboxMode};

/// Idle workers, and the way to more.
pub(super) struct Pool {
    program: PathBuf,
    child: PathBuf,
    limits: Limits,
    idle: Mutex<Vec<Worker>>,
    starter: Sender<Order>,
}

/// A command to start, and where its process goes.
type Order = (Command, Sender<std::io::Result<Child>>);

impl Pool {
    /// Finds the programs; starts nothing.
    ///
    /// # Errors
    /// Where one of them is missing, or the system has no sandbox as demanded.
    pub(super) fn find(limits: Limits) -> Result<Self> {
        check(limits.sandbox)?;
        Ok(Self {
            program: child::beside("rushes")?,
            child: child::program()?,
            limits,
            idle: Mutex::default(),
            starter: starter()?,
        })
    }

    /// An idle worker, or a new one; not the one with the number `other_than`.
    ///
    /// # Errors
    /// Where none can be started.
    pub(super) fn take(&self, other_than: Option<u64>) -> Result<Worker> {
        loop {
            let taken = {
                let mut idle = self.idle();
                let is_another = |worker: &Worker| Some(worker.number) != other_than;
                let found = idle.iter().rposition(is_another);
                found.map(|place| idle.remove(place))
            };
            let Some(mut worker) = taken else {
                return self.start();
            };
            if worker.lives() {
                return Ok(worker);
            }
        }
    }

    /// A new worker: one that stands by, or one that comes up while this returns.
    ///
    /// # Errors
    /// Where none can be started.
    pub(super) fn start(&self) -> Result<Worker> {
        if let Some(standing) = standby::take() {
            return Worker::standing(standing, self.limits);
        }
        let failed = || Error::failed("cannot start a worker");
        let mut command = child::command(&self.child, "run");
        command.arg(&self.program).arg("worker");
        let ends = prepare(&mut command).map_err(|error| failed().because(error))?;
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let _ = self.starter.send((command, sender));
        let started = receiver.recv().map_err(|error| failed().because(error))?;
        Worker::started(
            started.map_err(|error| failed().because(error))?,
            ends,
            self.limits,
        )
    }

    /// Takes a worker back for whoever comes next.
    pub(super) fn give_back(&self, worker: Worker) {
        if worker.is_fresh() {
            self.idle().push(worker);
        } else {
            worker.dismiss();
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // All are told before one is waited for.
        let ending: Vec<_> = self.idle().drain(..).map(Worker::dismiss).collect();
        drop(ending);
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

/// Whether the system has the sandbox that `mode` demands.
///
/// # Errors
/// Names what is missing.
fn check(mode: SandboxMode) -> Result<()> {
    match sandbox::strength().missing() {
        Some(missing) if mode == SandboxMode::Require => {
            Err(Error::usage("--sandbox require: there is no whole sandbox")
                .because(missing)
                .cure("use --sandbox try, which takes what the system has"))
        }
        _ => Ok(()),
    }
}

/// The thread that starts all workers: the system ends a process with the
/// thread that started it, and those of slots come and go.
fn starter() -> Result<Sender<Order>> {
    let (sender, orders) = crossbeam_channel::unbounded::<Order>();
    std::thread::Builder::new()
        .name("workers".into())
        .spawn(move || {
            for (mut command, reply) in orders {
                let _ = reply.send(command.spawn());
            }
        })
        .map_err(|error| Error::failed("cannot start a thread").because(error))?;
    Ok(sender)
}
