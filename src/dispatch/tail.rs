//! Which job would keep a slot at work after all others are through.

use std::sync::atomic::{AtomicU64, Ordering};

use super::terms::{Split, Terms};
use crate::job::{Job, PartLength, Progress};

/// Films are cut where that spares at least this share of their time.
const WORTH: f64 = 0.1;

/// What is left to be done on each slot, in units of cost.
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

    /// `job` begins on `slot` while jobs of the cost `waiting` wait: the length
    /// of its parts, where it is to be cut.
    pub(super) fn begin(&self, slot: usize, job: &Job, waiting: f64) -> Option<PartLength> {
        let others = self.left() + waiting;
        self.set(slot, job.cost);
        match self.split {
            Split::Never => None,
            Split::Seconds(least_s) => Some(PartLength::Seconds(least_s)),
            Split::Auto => self
                .is_tail(job.cost, others)
                .then_some(PartLength::Guided {
                    threads: self.slots,
                }),
        }
    }

    /// `job` is so far.
    pub(super) fn advance(&self, slot: usize, job: &Job, progress: Progress) {
        if let Some(duration_s) = job.duration_s().filter(|length| *length > 0.0) {
            let left = 1.0 - (progress.position_s / duration_s).clamp(0.0, 1.0);
            self.set(slot, job.cost * left);
        }
    }

    /// The job of `slot` is done.
    pub(super) fn end(&self, slot: usize) {
        self.set(slot, 0.0);
    }

    /// Whether a job would end later by more than it is worth than all would
    /// that share the work evenly.
    fn is_tail(&self, cost: f64, others: f64) -> bool {
        let even = (cost + others) / self.slots as f64;
        cost > 0.0 && (cost - even) / cost > WORTH
    }

    fn left(&self) -> f64 {
        let bits = self.left.iter().map(|slot| slot.load(Ordering::Relaxed));
        bits.map(f64::from_bits).sum()
    }

    fn set(&self, slot: usize, cost: f64) {
        if let Some(left) = self.left.get(slot) {
            left.store(cost.to_bits(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::job;
    use super::*;
    use crate::dispatch::CpuLimit;

    fn begins(tail: &Tail, slot: usize, cost: f64, waiting: f64) -> bool {
        tail.begin(slot, &job(slot, cost), waiting).is_some()
    }

    #[test]
    fn the_last_job_alone_and_one_longer_than_all_others_are_cut() {
        let two = || Tail::new(&Terms::on(2), 2);
        assert!(begins(&two(), 0, 5.0, 0.0), "alone");
        assert!(begins(&two(), 0, 6.0, 4.0), "longer than all others");
        assert!(!begins(&two(), 0, 5.0, 5.0), "as long as all others");
        let tail = two();
        assert!(!begins(&tail, 0, 5.0, 10.0), "three equal ones");
        assert!(!begins(&tail, 1, 5.0, 5.0));
        tail.end(0);
        tail.set(1, 0.5);
        assert!(begins(&tail, 0, 5.0, 0.0), "the third");
    }

    #[test]
    fn nothing_is_cut_on_one_slot_or_where_that_is_not_wanted() {
        assert!(!begins(&Tail::new(&Terms::on(1), 1), 0, 5.0, 0.0));
        let rationed = Terms {
            cpu: Some(CpuLimit {
                cores: 1.0,
                threads_per_job: 1,
            }),
            ..Terms::on(2)
        };
        assert!(!begins(&Tail::new(&rationed, 2), 0, 5.0, 0.0));
        let never = Terms {
            split: Split::Never,
            ..Terms::on(2)
        };
        assert!(!begins(&Tail::new(&never, 2), 0, 5.0, 0.0));
        let always = Terms {
            split: Split::Seconds(2.0),
            ..Terms::on(1)
        };
        assert!(begins(&Tail::new(&always, 1), 0, 5.0, 9.0));
    }
}
