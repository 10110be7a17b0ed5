//! Runs jobs on N slots: the same code for every engine.
//!
//! The dispatcher orders, paces, reports by events, and cancels. It never asks
//! which engine it has.

mod cancel;
mod event;
mod experience;
mod queue;
mod spare;
mod tail;
mod terms;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

pub use cancel::Cancel;
pub use event::{Encoded, Event, PlannedResult};
pub use queue::Queue;
pub use spare::Spare;
pub use terms::{CpuLimit, OnError, Split, Terms};

use self::tail::Tail;

use crate::delivery;
use crate::engine::{Engine, Watch};
use crate::error::{Kind, Result};
use crate::job::{Failure, Job, Limits, Outcome, Progress, Verdict};
use crate::threads;

/// Progress events of one job are at least this far apart.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// Runs `jobs` and no more, and returns one outcome a job, in plan order, as `settle` returned
/// it. Else as [`dispatch`].
///
/// # Errors
/// As [`dispatch`].
pub fn dispatch_all(
    jobs: &[Job],
    engine: &dyn Engine,
    terms: &Terms,
    cancel: &Cancel,
    events: &Sender<Event>,
    settle: &(dyn Fn(Outcome) -> Outcome + Sync),
) -> Result<Vec<Outcome>> {
    let outcomes = Mutex::new(Vec::with_capacity(jobs.len()));
    let queue = Queue::of(jobs.iter().cloned());
    dispatch(&queue, engine, terms, cancel, events, &|outcome| {
        let outcome = settle(outcome);
        outcomes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(outcome.clone());
        outcome
    })?;
    let mut outcomes = outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|outcome| outcome.job);
    Ok(outcomes)
}

/// Runs the jobs of `queue` until it is closed and empty. Outcomes are not kept, so that a batch
/// may go on for ever.
///
/// The slot of a job gives its outcome to `settle`, which does what is left to do and may change
/// it by what came of that. Only then the job is reported as finished.
///
/// Events go to `events`; whether anyone listens does not matter. Once `cancel`
/// is set, running jobs stop and waiting ones are [`Verdict::Cancelled`].
///
/// # Errors
/// Where the threads cannot be started.
pub fn dispatch(
    queue: &Queue,
    engine: &dyn Engine,
    terms: &Terms,
    cancel: &Cancel,
    events: &Sender<Event>,
    settle: &(dyn Fn(Outcome) -> Outcome + Sync),
) -> Result<()> {
    let began = Instant::now();
    // Threads beyond the slots help jobs that can be split, unless they are rationed.
    let mut pool = threads::pool(terms.slots, "slot")?;
    let mut slots = pool.current_num_threads();
    queue.begin(cancel, |waiting| {
        if waiting.closed {
            slots = slots.min(waiting.jobs.max(1));
        }
        let _ = events.send(Event::BatchStarted {
            jobs: waiting.jobs,
            slots,
            engine: engine.name().to_owned(),
            duration_s: waiting.duration_s,
            cost: waiting.cost,
        });
    });
    if terms.cpu.is_some() && slots < pool.current_num_threads() {
        pool = threads::pool(slots, "slot")?;
    }
    let never_used = pool.current_num_threads().saturating_sub(slots);
    queue.spare().add(never_used.try_into().unwrap_or(0));
    let batch = Batch {
        queue,
        engine,
        cancel,
        events,
        began,
        duty: terms.duty(slots),
        // What is rationed is rationed by the slot.
        spare: terms.cpu.is_none().then(|| queue.spare()),
        limits: terms.limits,
        tail: Tail::new(terms, slots),
    };
    pool.broadcast(|slot| {
        while slot.index() < slots
            && let Some(job) = queue.next(cancel)
        {
            let outcome = settle(batch.run(&job, slot.index()));
            let failed = matches!(outcome.verdict, Verdict::Failed(_));
            if failed && terms.on_error == OnError::Stop {
                queue.stop();
            }
            batch.tell(Event::JobFinished {
                name: job.name.clone(),
                outcome,
            });
        }
    });
    let _ = events.send(Event::BatchFinished {
        wall_s: began.elapsed().as_secs_f64(),
    });
    Ok(())
}

/// What all slots share.
struct Batch<'a> {
    queue: &'a Queue,
    engine: &'a dyn Engine,
    cancel: &'a Cancel,
    events: &'a Sender<Event>,
    began: Instant,
    duty: f64,
    limits: Limits,
    // Slots without a job, where they may help.
    spare: Option<&'a Spare>,
    tail: Tail,
}

impl Batch<'_> {
    fn run(&self, job: &Job, slot: usize) -> Outcome {
        let start_s = self.began.elapsed().as_secs_f64();
        let verdict = if self.cancel.is_set() || self.queue.is_stopped() {
            Verdict::Cancelled
        } else {
            self.tell(Event::JobStarted {
                job: job.id,
                slot,
                name: job.name.clone(),
                duration_s: job.duration_s(),
                cost: job.cost,
                bytes_in: job.source_bytes(),
                at_s: start_s,
            });
            self.attempt(job, slot)
        };
        Outcome {
            job: job.id,
            slot,
            start_s,
            end_s: self.began.elapsed().as_secs_f64(),
            verdict,
        }
    }

    fn attempt(&self, job: &Job, slot: usize) -> Verdict {
        let began = Instant::now();
        let mut last = began;
        let job_s = self.queue.seconds(job);
        let spread = self.tail.begin(slot, job, job_s, self.queue.waiting_s());
        let mut report = |progress: Progress| {
            self.tail.advance(slot, job, began, progress);
            if last.elapsed() >= PROGRESS_EVERY {
                last = Instant::now();
                self.tell(Event::JobProgress {
                    job: job.id,
                    slot,
                    progress,
                });
            }
        };
        let mut watch = Watch::paced(self.cancel, &mut report, self.duty)
            .within(self.limits)
            .with_help(self.spare)
            .in_parts(spread.parts);
        let job = &match spread.codec_threads {
            Some(threads) => Cow::Owned(job.on_threads(threads)),
            None => Cow::Borrowed(job),
        };
        // A panic is a defect of ours; it must cost this job alone.
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            delivery::perform(self.engine, job, &mut watch)
        }));
        self.tail.end(slot);
        match attempt {
            Ok(Ok(done)) => {
                if spread.is_none() {
                    self.queue.learn(job, began.elapsed().as_secs_f64());
                }
                Verdict::Done(done)
            }
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
