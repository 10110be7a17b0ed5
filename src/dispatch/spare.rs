//! Slots that have no job: their cores may help with those of others.

use std::sync::atomic::{AtomicIsize, Ordering};

/// How many slots have nothing to do; lent out to jobs that can be shared.
#[derive(Debug, Default)]
pub struct Spare(AtomicIsize);

impl Spare {
    /// So many more slots have nothing to do; or so many fewer.
    pub fn add(&self, slots: isize) {
        self.0.fetch_add(slots, Ordering::Relaxed);
    }

    /// There were so many slots in all, and now there are so many.
    pub fn lend(&self, before: usize, now: usize) {
        let count = |slots| isize::try_from(slots).unwrap_or(isize::MAX);
        self.add(count(now).saturating_sub(count(before)));
    }

    /// What a job that holds so many is to hold now: all that are free besides,
    /// or fewer where there are jobs for them again.
    pub fn adjust(&self, held: usize) -> usize {
        let mut now = held;
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
                let most = isize::try_from(held).unwrap_or(isize::MAX);
                let taken = free.max(-most);
                now = held.saturating_add_signed(taken);
                (taken != 0).then(|| free - taken)
            });
        now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_gets_what_is_free_and_gives_back_what_is_wanted_again() {
        let spare = Spare::default();
        assert_eq!(spare.adjust(0), 0);
        spare.add(3);
        assert_eq!(spare.adjust(0), 3);
        assert_eq!(spare.adjust(0), 0, "the first has them all");
        // A job came for one of these slots.
        spare.add(-1);
        assert_eq!(spare.adjust(0), 0, "who has none gives none");
        assert_eq!(spare.adjust(3), 2);
        assert_eq!(spare.adjust(2), 2);
        spare.add(-5);
        assert_eq!(spare.adjust(2), 0, "no more than it has");
    }
}
