//! Progress, pace and cancel are one thing: who reports progress learns whether to go on, and when.

use std::time::Instant;

use super::pace::Pace;
use crate::dispatch::{Cancel, Spare};
use crate::error::{Error, Result};
use crate::job::{Limits, PartLength, Progress};

/// Watches one running job.
pub struct Watch<'a> {
    cancel: &'a Cancel,
    report: &'a mut (dyn FnMut(Progress) + Send),
    pace: Pace,
    limits: Limits,
    began: Instant,
    last: Progress,
    // When the job last was seen to do something.
    moved: Instant,
    over: bool,
    length: Option<PartLength>,
    // Where slots are lent, and how many this job holds besides its own.
    spare: Option<&'a Spare>,
    held: usize,
}

impl<'a> Watch<'a> {
    /// Reports to `report` until `cancel` is set.
    pub fn new(cancel: &'a Cancel, report: &'a mut (dyn FnMut(Progress) + Send)) -> Self {
        Self::paced(cancel, report, 1.0)
    }

    /// As [`Watch::new`]; the job may run `duty` of its time, above 0 and at most 1.
    pub fn paced(
        cancel: &'a Cancel,
        report: &'a mut (dyn FnMut(Progress) + Send),
        duty: f64,
    ) -> Self {
        let now = Instant::now();
        Self {
            cancel,
            report,
            pace: Pace::new(duty, now),
            limits: Limits::default(),
            began: now,
            last: Progress::default(),
            moved: now,
            over: false,
            length: None,
            spare: None,
            held: 0,
        }
    }

    /// The same for a job that may cost so much.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same for a job with which slots may help that are spare.
    #[must_use]
    pub fn with_help(mut self, spare: Option<&'a Spare>) -> Self {
        self.spare = spare;
        self
    }

    /// The same for a job that is to be done in parts of that length, where it can be.
    #[must_use]
    pub fn in_parts(mut self, length: Option<PartLength>) -> Self {
        self.length = length;
        self
    }

    /// How long parts of the job are to be; `None` where it is not to be cut.
    pub fn part_length(&self) -> Option<PartLength> {
        self.length
    }

    /// How many threads may work on the job at this moment, its own included; those
    /// that are spare are its own from now on, until they are wanted again.
    pub fn hands(&mut self) -> usize {
        if let Some(spare) = self.spare {
            self.held = spare.adjust(self.held);
        }
        1 + self.held
    }

    /// How many threads may work on the job. On the dispatcher's own pool, those
    /// that have nothing else to do help, whenever that is.
    pub fn threads(&mut self) -> usize {
        match rayon::current_thread_index() {
            Some(_) => rayon::current_num_threads(),
            None => self.hands(),
        }
    }

    /// Whether the job went beyond a limit.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The job does something, whether that shows in its progress or not.
    pub(super) fn moved(&mut self) {
        self.moved = Instant::now();
    }

    /// The job is one that waits.
    pub(super) fn may_stand_still(&mut self) {
        self.limits.stall = std::time::Duration::MAX;
    }

    /// How far the job is, as it was told last.
    pub(super) fn last(&self) -> Progress {
        self.last
    }

    /// Tells how far the job is, and pauses where that is due.
    ///
    /// # Errors
    /// Where the job must stop.
    pub fn advance(&mut self, progress: Progress) -> Result<()> {
        self.moved();
        self.advance_holding(progress, || ())
    }

    /// As [`Watch::advance`], for a job that does not run on this thread: `hold`
    /// stops it for a pause, until what that returns is dropped.
    ///
    /// # Errors
    /// Where the job must stop.
    pub(super) fn advance_holding<Held>(
        &mut self,
        progress: Progress,
        hold: impl FnOnce() -> Held,
    ) -> Result<()> {
        self.go_on()?;
        if progress != self.last {
            self.last = progress;
            self.moved();
        }
        self.stay_within()?;
        (self.report)(progress);
        let Some(pause) = self.pace.due(Instant::now()) else {
            return Ok(());
        };
        let held = hold();
        self.cancel.sleep(pause);
        drop(held);
        self.pace.resume(Instant::now());
        self.moved();
        self.go_on()
    }

    /// How far the job is at its end.
    ///
    /// # Errors
    /// If that is beyond a limit.
    pub(super) fn check(&mut self, progress: Progress) -> Result<()> {
        self.last = progress;
        self.stay_within()
    }

    /// The job waits for others that work for it, and goes on waiting.
    ///
    /// # Errors
    /// Where the job must stop.
    pub(crate) fn wait(&mut self) -> Result<()> {
        self.go_on()?;
        self.stay_within()
    }

    fn stay_within(&mut self) -> Result<()> {
        let limits = &self.limits;
        let error = if self.last.bytes > limits.output {
            limits.too_large()
        } else if self.began.elapsed() > limits.time {
            limits.too_long()
        } else if self.moved.elapsed() > limits.stall {
            limits.stalled()
        } else {
            return Ok(());
        };
        self.over = true;
        Err(error)
    }

    /// The flag, for code that waits elsewhere.
    pub fn cancel(&self) -> &Cancel {
        self.cancel
    }

    fn go_on(&self) -> Result<()> {
        if self.cancel.is_set() {
            Err(Error::interrupted())
        } else {
            Ok(())
        }
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(spare) = self.spare {
            spare.add(self.held.try_into().unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_job_beyond_a_limit_is_stopped_with_the_limit_named() {
        let bytes = |bytes| Progress {
            bytes,
            ..Progress::default()
        };
        let nothing = Duration::ZERO;
        let usual = Limits::default;
        let output = Limits {
            output: 1000,
            ..usual()
        };
        let time = Limits {
            time: nothing,
            ..usual()
        };
        let stall = Limits {
            stall: nothing,
            ..usual()
        };
        for (limits, flag) in [
            (output, "--max-output"),
            (time, "--job-timeout"),
            (stall, "--stall-timeout"),
        ] {
            let cancel = Cancel::new();
            let mut report = |_| {};
            let mut watch = Watch::new(&cancel, &mut report).within(limits);
            let mut seen = |progress| watch.advance_holding(progress, || ());
            let first = seen(bytes(1000));
            std::thread::sleep(Duration::from_millis(1));
            let ended = first
                .and_then(|()| seen(bytes(1000)))
                .and_then(|()| seen(bytes(1001)));
            assert!(ended.unwrap_err().line().contains(flag), "{flag}");
            assert!(watch.is_over());
        }
    }

    #[test]
    fn what_is_held_for_a_pause_goes_on_after_it_and_a_stop_ends_the_longest_pause() {
        struct Held<'a>(&'a Cell<usize>);
        impl Drop for Held<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let (held, released) = (Cell::new(0), Cell::new(0));
        let hold = || {
            held.set(held.get() + 1);
            Held(&released)
        };
        let cancel = Cancel::new();
        let mut report = |_| {};
        let mut watch = Watch::paced(&cancel, &mut report, 0.5);
        while held.get() == 0 {
            watch.advance_holding(Progress::default(), hold).unwrap();
        }
        assert_eq!(released.get(), 1);

        // A thousand times as long as it ran: nearly a minute at least.
        let mut report = |_| {};
        let mut watch = Watch::paced(&cancel, &mut report, 0.001);
        std::thread::sleep(Duration::from_millis(60));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                cancel.set();
            });
            assert!(watch.advance_holding(Progress::default(), hold).is_err());
        });
        assert_eq!((held.get(), released.get()), (2, 2));
    }
}
