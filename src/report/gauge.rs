//! How far a batch is: what its events add up to, as numbers.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::dispatch::Event;
use crate::job::{Outcome, Progress};

/// What the events of a batch add up to. Work is counted in predicted cost, of
/// a running job the share that it has gone through; not in numbers of files.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    /// Jobs so far known.
    pub jobs: usize,
    /// Jobs that ran to their end, whatever came of them.
    pub ended: usize,
    /// Jobs that never started.
    pub not_started: usize,
    /// Bytes of the sources of finished jobs.
    pub bytes_in: u64,
    /// Bytes of their results.
    pub bytes_out: u64,
    cost: f64,
    done_cost: f64,
    media_s: f64,
    running: HashMap<usize, Running>,
    // Time in which at least one job ran: a watched folder may be quiet for days.
    busy: Duration,
    busy_since: Option<Instant>,
}

/// A job that runs.
#[derive(Debug)]
pub(super) struct Running {
    pub name: String,
    duration_s: f64,
    cost: f64,
    bytes_in: u64,
    since: Instant,
    progress: Progress,
}

impl Running {
    /// The share of its source that it has gone through.
    pub(super) fn share(&self) -> f64 {
        self.progress.share(self.duration_s)
    }

    /// Frames a second.
    pub(super) fn fps(&self, now: Instant) -> f64 {
        per_second(self.progress.frames as f64, now - self.since)
    }

    /// Seconds of video a second.
    pub(super) fn speed(&self, now: Instant) -> f64 {
        per_second(self.progress.position_s, now - self.since)
    }

    /// Seconds that it will still take at its own speed, where that can be told.
    fn left_s(&self, now: Instant) -> Option<f64> {
        self.progress.left_s(self.duration_s, now - self.since)
    }
}

impl Gauge {
    /// Takes in what happened at `now`.
    pub(super) fn event(&mut self, event: &Event, now: Instant) {
        match event {
            Event::BatchStarted { jobs, cost, .. } => {
                (self.jobs, self.cost) = (*jobs, *cost);
            }
            Event::JobAdded { cost, .. } => {
                self.jobs += 1;
                self.cost += cost;
            }
            Event::JobStarted {
                job,
                name,
                duration_s,
                cost,
                bytes_in,
                ..
            } => {
                self.busy_since.get_or_insert(now);
                let running = Running {
                    name: name.clone(),
                    duration_s: duration_s.unwrap_or(0.0),
                    cost: *cost,
                    bytes_in: bytes_in.unwrap_or(0),
                    since: now,
                    progress: Progress::default(),
                };
                self.running.insert(*job, running);
            }
            Event::JobProgress { job, progress, .. } => {
                if let Some(running) = self.running.get_mut(job) {
                    running.progress = *progress;
                }
            }
            Event::JobFinished { outcome, .. } => self.finished(outcome, now),
            Event::SourceRefused { .. }
            | Event::SourceSkipped { .. }
            | Event::SourceReplaced { .. }
            | Event::JobPlanned { .. }
            | Event::BatchFinished { .. } => {}
        }
    }

    fn finished(&mut self, outcome: &Outcome, now: Instant) {
        let Some(running) = self.running.remove(&outcome.job) else {
            self.not_started += 1;
            return;
        };
        self.ended += 1;
        match outcome.done() {
            Some(done) => {
                self.done_cost += running.cost;
                self.media_s += done.media_s;
                self.bytes_in += running.bytes_in;
                self.bytes_out += done.bytes;
            }
            // Neither work that was done nor work that is left.
            None => self.cost -= running.cost,
        }
        if self.running.is_empty()
            && let Some(since) = self.busy_since.take()
        {
            self.busy += now - since;
        }
    }

    /// A job that runs.
    pub(super) fn running(&self, job: usize) -> Option<&Running> {
        self.running.get(&job)
    }

    /// Whether there is nothing to do.
    pub(super) fn is_idle(&self) -> bool {
        self.ended + self.not_started == self.jobs
    }

    /// The share of all work that is done, from 0 to 1.
    pub(super) fn share(&self) -> f64 {
        if self.cost > 0.0 {
            (self.done() / self.cost).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Seconds of video a second, over all slots.
    pub(super) fn speed(&self, now: Instant) -> f64 {
        let running = self.running.values();
        let running: f64 = running.map(|job| job.progress.position_s).sum();
        per_second(self.media_s + running, self.busy(now))
    }

    /// Seconds until all is done, where that can be told: what all slots need
    /// for the work left, but no less than one of them needs for its own.
    pub(super) fn left_s(&self, now: Instant) -> Option<f64> {
        let rate = per_second(self.done(), self.busy(now));
        let together = (self.cost - self.done()).max(0.0) / rate;
        let alone = self.running.values().filter_map(|job| job.left_s(now));
        (rate > 0.0).then(|| alone.fold(together, f64::max))
    }

    fn done(&self) -> f64 {
        let running = self.running.values();
        let running: f64 = running.map(|job| job.cost * job.share()).sum();
        self.done_cost + running
    }

    fn busy(&self, now: Instant) -> Duration {
        self.busy + self.busy_since.map_or(Duration::ZERO, |since| now - since)
    }
}

fn per_second(amount: f64, time: Duration) -> f64 {
    // In the first moments any rate would be a guess.
    if time < Duration::from_millis(200) {
        0.0
    } else {
        amount / time.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Done, Failure, Verdict};

    /// A batch in made-up time.
    struct Batch {
        gauge: Gauge,
        began: Instant,
    }

    impl Batch {
        /// Jobs of these costs; each is as long as it costs.
        fn of(costs: &[f64]) -> Self {
            let mut batch = Self {
                gauge: Gauge::default(),
                began: Instant::now(),
            };
            let started = Event::BatchStarted {
                jobs: costs.len(),
                slots: 2,
                engine: "fake".into(),
                duration_s: costs.iter().sum(),
                cost: costs.iter().sum(),
            };
            batch.tell(0, &started);
            batch
        }

        fn at(&self, second: u64) -> Instant {
            self.began + Duration::from_secs(second)
        }

        fn tell(&mut self, second: u64, event: &Event) {
            let now = self.at(second);
            self.gauge.event(event, now);
        }

        fn start(&mut self, second: u64, job: usize, cost: f64) {
            let event = Event::JobStarted {
                job,
                slot: job,
                name: "a".into(),
                duration_s: Some(cost),
                cost,
                bytes_in: Some(100),
                at_s: 0.0,
            };
            self.tell(second, &event);
        }

        fn progress(&mut self, second: u64, job: usize, position_s: f64) {
            let progress = Progress {
                frames: (position_s * 25.0) as u64,
                position_s,
                bytes: 0,
            };
            let slot = job;
            self.tell(
                second,
                &Event::JobProgress {
                    job,
                    slot,
                    progress,
                },
            );
        }

        fn end(&mut self, second: u64, job: usize, verdict: Verdict) {
            let outcome = Outcome {
                job,
                slot: job,
                start_s: 0.0,
                end_s: 0.0,
                verdict,
            };
            let name = "a".into();
            self.tell(second, &Event::JobFinished { name, outcome });
        }
    }

    fn done(media_s: f64) -> Verdict {
        Verdict::Done(Done {
            frames: 1,
            bytes: 40,
            media_s,
            ..Done::default()
        })
    }

    #[test]
    fn the_time_left_follows_the_work_left_and_not_the_number_of_files() {
        // One of two files is done, but only a tenth of the work.
        let mut batch = Batch::of(&[10.0, 90.0]);
        batch.start(0, 0, 10.0);
        batch.end(5, 0, done(10.0));
        assert_eq!(batch.gauge.share(), 0.1);
        assert_eq!(batch.gauge.left_s(batch.at(5)), Some(45.0));
        // A running job counts by its position.
        batch.start(5, 1, 90.0);
        batch.progress(25, 1, 40.0);
        assert_eq!(batch.gauge.share(), 0.5);
        assert_eq!(batch.gauge.left_s(batch.at(25)), Some(25.0));
        assert_eq!(batch.gauge.speed(batch.at(25)), 2.0);
        assert_eq!((batch.gauge.bytes_in, batch.gauge.bytes_out), (100, 40));
    }

    #[test]
    fn the_last_long_job_alone_tells_the_time_left() {
        let mut batch = Batch::of(&[50.0, 50.0]);
        batch.start(0, 0, 50.0);
        batch.start(0, 1, 50.0);
        batch.progress(10, 1, 10.0);
        batch.end(10, 0, done(50.0));
        // Both together did 6 a second; the one that is left does 1.
        assert_eq!(batch.gauge.left_s(batch.at(10)), Some(40.0));
    }

    #[test]
    fn a_failed_job_is_neither_work_done_nor_work_left() {
        let mut batch = Batch::of(&[80.0, 20.0]);
        batch.start(0, 0, 80.0);
        let (reason, log) = ("disk full".into(), vec![]);
        batch.end(1, 0, Verdict::Failed(Failure { reason, log }));
        assert_eq!(batch.gauge.share(), 0.0);
        batch.start(1, 1, 20.0);
        batch.progress(11, 1, 10.0);
        assert_eq!((batch.gauge.share(), batch.gauge.ended), (0.5, 1));
    }

    #[test]
    fn a_job_that_never_started_is_counted_apart() {
        let mut batch = Batch::of(&[80.0, 20.0]);
        batch.start(0, 0, 80.0);
        batch.end(1, 0, Verdict::Cancelled);
        assert!(!batch.gauge.is_idle());
        batch.end(1, 1, Verdict::Cancelled);
        assert_eq!((batch.gauge.ended, batch.gauge.not_started), (1, 1));
        assert!(batch.gauge.is_idle());
    }

    #[test]
    fn a_quiet_time_between_arrivals_does_not_count() {
        let mut batch = Batch::of(&[10.0]);
        batch.start(0, 0, 10.0);
        batch.end(10, 0, done(10.0));
        assert!(batch.gauge.is_idle());
        let (name, duration_s) = ("b".into(), Some(10.0));
        batch.tell(
            1000,
            &Event::JobAdded {
                job: 1,
                name,
                duration_s,
                cost: 10.0,
            },
        );
        assert!(!batch.gauge.is_idle());
        batch.start(1000, 1, 10.0);
        batch.progress(1005, 1, 5.0);
        assert_eq!(batch.gauge.speed(batch.at(1005)), 1.0);
        assert_eq!(batch.gauge.left_s(batch.at(1005)), Some(5.0));
    }
}
