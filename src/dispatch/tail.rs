//! Which jobs would keep a slot at work after all others are through, and what
//! is done about it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::terms::{Split, Terms};
use crate::job::{Job, PartLength, Progress, Work};

/// A film is cut where it would end at this share of the time that all work takes,
/// or later: what is predicted is not exact, and a film in parts can be helped
/// with at its end, for next to nothing.
const NEAR: f64 = 0.75;

/// A job gets more threads for its codecs where it would end later by this share
/// of its own time: that costs more than cutting.
const WORTH: f64 = 0.1;

/// No film that is shorter is spread unasked, in seconds: what that spares is no wait,
/// and its bytes are the same each time.
const LEAST_S: f64 = 10.0;

/// How a job is spread over more than one thread.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Spread {
    /// How long its parts are, where it is to be cut.
    pub parts: Option<PartLength>,
    /// Threads for its codecs, where it needs more than was asked for.
    pub codec_threads: Option<usize>,
}

impl Spread {
    /// Whether it is done by one thread, as most are.
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }
}

/// What is left to be done on each slot, in seconds.
pub(super) struct Tail {
    split: Split,
    // Slots that may help each other.
    slots: usize,
    // Bits of an `f64` each.
    left: Vec<AtomicU64>,
}

impl Tail {
    /// For a batch of which `slots` jobs run at once.
    pub(super) fn new(terms: &Terms, slots: usize) -> Self {
        Self {
            split: terms.split,
            slots: terms.cpu.map_or(terms.slots.max(1), |_| 1),
            left: (0..slots).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// `job`, which takes so many seconds, begins on `slot` while jobs wait that
    /// take `waiting_s`: how it is to be spread.
    pub(super) fn begin(&self, slot: usize, job: &Job, job_s: f64, waiting_s: f64) -> Spread {
        let others_s = self.left_s() + waiting_s;
        self.set(slot, job_s);
        match self.split {
            Split::Never => Spread::default(),
            Split::Seconds(least_s) => Spread {
                parts: Some(PartLength::Seconds(least_s)),
                ..Spread::default()
            },
            Split::Auto => self.spread(job, job_s, others_s),
        }
    }

    /// `job` is so far, and began at `began`.
    pub(super) fn advance(&self, slot: usize, job: &Job, began: Instant, progress: Progress) {
        let duration_s = job.duration_s().unwrap_or(0.0);
        if let Some(left_s) = progress.left_s(duration_s, began.elapsed()) {
            self.set(slot, left_s);
        }
    }

    /// The job of `slot` is done.
    pub(super) fn end(&self, slot: usize) {
        self.set(slot, 0.0);
    }

    fn spread(&self, job: &Job, job_s: f64, others_s: f64) -> Spread {
        // All that share the work evenly would be through by then.
        let even_s = (job_s + others_s) / self.slots as f64;
        let none = Spread::default();
        let is_long = job.duration_s().is_some_and(|length_s| length_s >= LEAST_S);
        if self.slots == 1 || !is_long || job_s < NEAR * even_s || job_s <= 0.0 {
            return none;
        }
        if can_be_cut(job) {
            let threads = self.slots;
            return Spread {
                parts: Some(PartLength::Guided { threads }),
                ..none
            };
        }
        let is_worth_it = (job_s - even_s) / job_s > WORTH;
        // Its share of all slots.
        let threads = (job_s / even_s).ceil() as usize;
        Spread {
            codec_threads: is_worth_it.then(|| threads.clamp(2, self.slots)),
            ..none
        }
    }

    fn left_s(&self) -> f64 {
        let bits = self.left.iter().map(|slot| slot.load(Ordering::Relaxed));
        bits.map(f64::from_bits).sum()
    }

    fn set(&self, slot: usize, seconds: f64) {
        if let Some(left) = self.left.get(slot) {
            left.store(seconds.to_bits(), Ordering::Relaxed);
        }
    }
}

/// Whether a job is a film that loses nothing by being cut.
fn can_be_cut(job: &Job) -> bool {
    match &job.work {
        Work::Media(media) => media.pipeline.stream_to_cut(false).is_some(),
        Work::Load(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{film, job};
    use super::*;
    use crate::dispatch::CpuLimit;

    const CUT: Spread = Spread {
        parts: Some(PartLength::Guided { threads: 2 }),
        codec_threads: None,
    };

    const WIDE: Spread = Spread {
        parts: None,
        codec_threads: Some(2),
    };

    fn begins(tail: &Tail, slot: usize, seconds: f64, waiting_s: f64) -> Spread {
        tail.begin(slot, &film(60.0, None), seconds, waiting_s)
    }

    #[test]
    fn films_are_cut_that_may_be_the_last_ones() {
        let two = || Tail::new(&Terms::on(2), 2);
        assert_eq!(begins(&two(), 0, 5.0, 0.0), CUT, "alone");
        assert_eq!(begins(&two(), 0, 6.0, 4.0), CUT, "longer than all others");
        assert_eq!(begins(&two(), 0, 5.0, 5.0), CUT, "as long as all others");
        let tail = two();
        assert!(begins(&tail, 0, 5.0, 15.0).is_none(), "four equal ones");
        assert!(begins(&tail, 1, 5.0, 10.0).is_none());
        tail.set(0, 0.0);
        tail.set(1, 0.5);
        assert_eq!(begins(&tail, 0, 5.0, 5.0), CUT, "the last but one");
        tail.set(1, 0.0);
        assert_eq!(begins(&tail, 1, 5.0, 0.0), CUT, "the last one");
    }

    #[test]
    fn what_cannot_be_cut_gets_threads_where_a_slot_would_be_idle() {
        let begin = |slots, others_s| {
            let tail = Tail::new(&Terms::on(slots), slots);
            tail.begin(0, &film(60.0, Some("b")), 5.0, others_s)
        };
        assert_eq!(begin(2, 0.0), WIDE);
        assert_eq!(begin(2, 3.0), WIDE);
        assert!(begin(2, 5.0).is_none(), "the other slot has as much");
        let of_eight = |threads| Spread {
            codec_threads: Some(threads),
            ..WIDE
        };
        assert_eq!(begin(8, 0.0), of_eight(8));
        assert_eq!(begin(8, 5.0), of_eight(4), "half of the work");
    }

    #[test]
    fn short_films_are_left_as_they_are() {
        for option in [None, Some("b")] {
            let tail = Tail::new(&Terms::on(2), 2);
            assert!(tail.begin(0, &film(9.0, option), 5.0, 0.0).is_none());
        }
    }

    #[test]
    fn what_a_job_has_shown_of_its_speed_counts() {
        let tail = Tail::new(&Terms::on(2), 2);
        begins(&tail, 0, 100.0, 0.0);
        let began = Instant::now() - std::time::Duration::from_secs(10);
        let progress = Progress {
            position_s: 30.0,
            ..Progress::default()
        };
        tail.advance(0, &film(60.0, None), began, progress);
        assert!((9.9..10.5).contains(&tail.left_s()), "{}", tail.left_s());
    }

    #[test]
    fn nothing_is_spread_on_one_slot_or_where_that_is_not_wanted() {
        assert!(begins(&Tail::new(&Terms::on(1), 1), 0, 5.0, 0.0).is_none());
        let rationed = Terms {
            cpu: Some(CpuLimit {
                cores: 1.0,
                threads_per_job: 1,
            }),
            ..Terms::on(2)
        };
        assert!(begins(&Tail::new(&rationed, 2), 0, 5.0, 0.0).is_none());
        let never = Terms {
            split: Split::Never,
            ..Terms::on(2)
        };
        assert!(begins(&Tail::new(&never, 2), 0, 5.0, 0.0).is_none());
        let always = Terms {
            split: Split::Seconds(2.0),
            ..Terms::on(1)
        };
        let tail = Tail::new(&always, 1);
        let spread = tail.begin(0, &job(0, 5.0), 5.0, 9.0);
        assert_eq!(spread.parts, Some(PartLength::Seconds(2.0)));
    }
}
