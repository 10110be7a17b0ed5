//! The order in which jobs start.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::job::Job;

/// Jobs waiting for a slot.
pub(super) struct Queue<'a> {
    order: Vec<&'a Job>,
    next: AtomicUsize,
}

impl<'a> Queue<'a> {
    /// The costliest job first, so that no long one is left running alone at
    /// the end (longest processing time first: Graham 1969); equal costs in plan order.
    pub(super) fn costliest_first(jobs: &'a [Job]) -> Self {
        let mut order: Vec<_> = jobs.iter().collect();
        order.sort_by(|a, b| b.cost.total_cmp(&a.cost));
        Self {
            order,
            next: AtomicUsize::new(0),
        }
    }

    /// The next job to start.
    pub(super) fn next(&self) -> Option<&'a Job> {
        self.order
            .get(self.next.fetch_add(1, Ordering::Relaxed))
            .copied()
    }
}
