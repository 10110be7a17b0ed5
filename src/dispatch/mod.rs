//! Runs jobs on N slots: the same code for every engine.
//!
//! The dispatcher orders, reports by events, and cancels. It never asks which
//! engine it has.

mod cancel;
mod event;
mod queue;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

pub use cancel::Cancel;
pub use event::Event;

use crate::delivery;
use crate::engine::{Engine, Watch};
use crate::error::{Error, Kind, Result};
use crate::job::{Failure, Job, Outcome, Progress, Verdict};
use queue::Queue;

/// Progress events of one job are at least this far apart.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Runs `jobs` on `slots` threads and returns one outcome a job, in plan order.
///
/// Events go to `events`; whether anyone listens does not matter. Once `cancel`
/// is set, running jobs stop and waiting ones are [`Verdict::Cancelled`].
///
/// # Errors
/// Where the threads cannot be started.
pub fn dispatch(
    jobs: &[Job],
    engine: &dyn Engine,
    slots: usize,
    cancel: &Cancel,
    events: &Sender<Event>,
) -> Result<Vec<Outcome>> {
    let slots = slots.clamp(1, jobs.len().max(1));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(slots)
        .thread_name(|slot| format!("slot-{slot}"))
        .build()
        .map_err(|error| Error::failed(format!("cannot start {slots} threads")).because(error))?;
    let batch = Batch {
        queue: Queue::costliest_first(jobs),
        engine,
        cancel,
        events,
        began: Instant::now(),
    };
    let _ = events.send(Event::BatchStarted {
        jobs: jobs.len(),
        slots,
        engine: engine.name().to_owned(),
        // Not `sum`, which begins at -0.0.
        duration_s: jobs
            .iter()
            .filter_map(Job::duration_s)
            .fold(0.0, |sum, length| sum + length),
    });
    let outcomes = Mutex::new(Vec::with_capacity(jobs.len()));
    pool.broadcast(|slot| {
        while let Some(job) = batch.queue.next() {
            let outcome = batch.run(job, slot.index());
            outcomes
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner())
                .push(outcome);
        }
    });
    let _ = events.send(Event::BatchFinished {
        wall_s: batch.began.elapsed().as_secs_f64(),
    });
    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    outcomes.sort_by_key(|outcome| outcome.job);
    Ok(outcomes)
}

/// What all slots share.
struct Batch<'a> {
    queue: Queue<'a>,
    engine: &'a dyn Engine,
    cancel: &'a Cancel,
    events: &'a Sender<Event>,
    began: Instant,
}

impl Batch<'_> {
    fn run(&self, job: &Job, slot: usize) -> Outcome {
        let start_s = self.began.elapsed().as_secs_f64();
        let verdict = if self.cancel.is_set() {
            Verdict::Cancelled
        } else {
            self.tell(Event::JobStarted {
                job: job.id,
                slot,
                name: job.name.clone(),
                duration_s: job.duration_s(),
                at_s: start_s,
            });
            self.attempt(job, slot)
        };
        let outcome = Outcome {
            job: job.id,
            slot,
            start_s,
            end_s: self.began.elapsed().as_secs_f64(),
            verdict,
        };
        self.tell(Event::JobFinished {
            name: job.name.clone(),
            outcome: outcome.clone(),
        });
        outcome
    }

    fn attempt(&self, job: &Job, slot: usize) -> Verdict {
        let mut last = Instant::now();
        let mut report = |progress: Progress| {
            if last.elapsed() >= PROGRESS_EVERY {
                last = Instant::now();
                self.tell(Event::JobProgress {
                    job: job.id,
                    slot,
                    progress,
                });
            }
        };
        let mut watch = Watch::new(self.cancel, &mut report);
        // A panic is a defect of ours; it must cost this job alone.
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            delivery::perform(self.engine, job, &mut watch)
        }));
        match attempt {
            Ok(Ok(done)) => Verdict::Done(done),
            Ok(Err(failure))
                if self.cancel.is_set() && failure.error.kind() == Kind::Interrupted =>
            {
                Verdict::Cancelled
            }
            Ok(Err(failure)) => Verdict::Failed(Failure {
                reason: failure.error.line(),
                log: failure.log,
            }),
            Err(_) => Verdict::Failed(Failure {
                reason: "a defect of rushes stopped this job → report it with the lines above"
                    .into(),
                log: vec![],
            }),
        }
    }

    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }
}

#[cfg(test)]
mod tests;
