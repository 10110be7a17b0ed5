//! Jobs that wait for a slot, and slots that wait for a job.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crossbeam_channel::Sender;

use super::cancel::{Cancel, Wake};
use super::event::Event;
use super::experience::Experience;
use super::spare::Spare;
use crate::job::Job;

/// Jobs that wait for a slot, the longest first, so that no long one is left
/// running alone at the end (longest processing time first: Graham 1969); equally
/// long ones in the order in which they came. How long one takes is told by its
/// predicted cost, and by what the batch has shown so far of its kind.
///
/// It may grow while a batch runs, until it is closed.
#[derive(Debug, Default)]
pub struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    spare: Spare,
}

#[derive(Debug, Default)]
struct State {
    // By kind: how kinds compare changes while the batch runs, within one nothing does.
    waiting: BTreeMap<String, Line>,
    experience: Experience,
    pushed: u64,
    // Whether what comes now comes later than the batch's beginning.
    begun: bool,
    closed: bool,
    stopped: bool,
}

/// Jobs of one kind that wait.
#[derive(Debug, Default)]
struct Line {
    jobs: BinaryHeap<Waiting>,
    // Of all of them: each job that begins asks for it.
    cost: f64,
}

/// What waits at one moment.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub(super) struct Totals {
    pub jobs: usize,
    pub duration_s: f64,
    pub cost: f64,
    /// Whether no more can come.
    pub closed: bool,
}

impl Queue {
    /// An empty queue that grows until it is closed.
    pub fn open() -> Self {
        Self::default()
    }

    /// A queue of `jobs` and no more.
    pub fn of(jobs: impl IntoIterator<Item = Job>) -> Self {
        let queue = Self::default();
        let mut state = queue.0.lock();
        for job in jobs {
            state.push(job);
        }
        state.closed = true;
        drop(state);
        queue
    }

    /// Adds `job`, and tells `events` of it where the batch has begun; whether
    /// it was taken, which a closed queue does not do.
    pub fn push(&self, job: Job, events: &Sender<Event>) -> bool {
        let mut state = self.0.lock();
        if state.closed {
            return false;
        }
        // Under the lock, so that no slot tells of its start before.
        if state.begun {
            let _ = events.send(Event::added(&job));
        }
        state.push(job);
        self.0.changed.notify_one();
        true
    }

    /// Lets the slots end once all that waits is done.
    pub fn close(&self) {
        self.0.lock().closed = true;
        self.0.changed.notify_all();
    }

    /// Closes the queue; what waits is not to be started any more.
    pub fn stop(&self) {
        let mut state = self.0.lock();
        (state.closed, state.stopped) = (true, true);
        self.0.changed.notify_all();
    }

    /// Whether what waits is not to be started.
    pub fn is_stopped(&self) -> bool {
        self.0.lock().stopped
    }

    /// Lets `tell` know what waits; what comes from now on is told one by one.
    pub(super) fn begin(&self, cancel: &Cancel, tell: impl FnOnce(Totals)) {
        cancel.wakes(&self.0);
        let mut state = self.0.lock();
        state.begun = true;
        tell(state.totals());
    }

    /// Seconds that all jobs that wait take on one slot, as far as one can tell.
    pub(super) fn waiting_s(&self) -> f64 {
        let state = self.0.lock();
        let lines = state.waiting.iter();
        lines
            .map(|(kind, line)| state.experience.seconds(kind, line.cost))
            .sum()
    }

    /// Seconds that `job` takes on one slot, as far as one can tell.
    pub(super) fn seconds(&self, job: &Job) -> f64 {
        self.0.lock().experience.seconds(&job.kind, job.cost)
    }

    /// `job` took so many seconds on one slot.
    pub(super) fn learn(&self, job: &Job, seconds: f64) {
        let mut state = self.0.lock();
        state.experience.learn(&job.kind, job.cost, seconds);
    }

    /// Slots that wait for a job, or that will get none any more.
    pub(super) fn spare(&self) -> &Spare {
        &self.0.spare
    }

    /// The next job; waits where there is none yet. `None` at the end: of a
    /// closed queue, or where `cancel` is set. Jobs that must not be started
    /// come out, too, so that each of them is told of.
    pub(super) fn next(&self, cancel: &Cancel) -> Option<Job> {
        let mut state = self.0.lock();
        loop {
            if cancel.is_set() {
                // What came now would be left lying.
                state.closed = true;
            }
            if let Some(job) = state.pop() {
                return Some(job);
            }
            self.0.spare.add(1);
            if state.closed {
                return None;
            }
            state = self
                .0
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            self.0.spare.add(-1);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Shared {
    fn wake(&self) {
        // Under the lock: a slot that looked before the flag was set is waiting by now.
        let _held = self.lock();
        self.changed.notify_all();
    }
}

impl State {
    fn push(&mut self, job: Job) {
        let order = Reverse(self.pushed);
        self.pushed += 1;
        let line = self.waiting.entry(job.kind.clone()).or_default();
        line.cost += job.cost;
        line.jobs.push(Waiting { job, order });
    }

    /// The longest one.
    fn pop(&mut self) -> Option<Job> {
        let first = self.waiting.values().filter_map(|line| line.jobs.peek());
        let longest = first.max_by(|a, b| {
            let by_length = self.seconds(a).total_cmp(&self.seconds(b));
            by_length.then_with(|| a.order.cmp(&b.order))
        })?;
        let kind = longest.job.kind.clone();
        let line = self.waiting.get_mut(&kind)?;
        let next = line.jobs.pop()?.job;
        line.cost -= next.cost;
        if line.jobs.is_empty() {
            self.waiting.remove(&kind);
        }
        Some(next)
    }

    fn all(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.values().flat_map(|line| &line.jobs)
    }

    fn seconds(&self, waiting: &Waiting) -> f64 {
        let job = &waiting.job;
        self.experience.seconds(&job.kind, job.cost)
    }

    fn totals(&self) -> Totals {
        let closed = self.closed;
        let none = Totals {
            closed,
            ..Totals::default()
        };
        self.all().fold(none, |sum, waiting| Totals {
            jobs: sum.jobs + 1,
            duration_s: sum.duration_s + waiting.job.duration_s().unwrap_or(0.0),
            cost: sum.cost + waiting.job.cost,
            closed,
        })
    }
}

#[derive(Debug)]
struct Waiting {
    job: Job,
    order: Reverse<u64>,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.job
            .cost
            .total_cmp(&other.job.cost)
            .then_with(|| self.order.cmp(&other.order))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Waiting {}

#[cfg(test)]
mod tests {
    use super::super::tests::job;
    use super::*;

    fn order(queue: &Queue) -> Vec<usize> {
        let cancel = Cancel::new();
        std::iter::from_fn(|| queue.next(&cancel))
            .map(|job| job.id)
            .collect()
    }

    #[test]
    fn the_costliest_comes_first_and_equal_ones_as_they_came() {
        let costs = [2.0, 1.0, 9.0, 2.0, 2.0];
        let jobs = costs.iter().enumerate().map(|(id, cost)| job(id, *cost));
        assert_eq!(order(&Queue::of(jobs)), [2, 0, 3, 4, 1]);
    }

    #[test]
    fn what_the_batch_has_shown_of_a_kind_goes_before_what_was_predicted() {
        let of_kind = |id, cost, kind: &str| Job {
            kind: kind.into(),
            ..job(id, cost)
        };
        let second = 1e9;
        let queue = Queue::of([
            of_kind(0, 10.0 * second, "still"),
            of_kind(1, 8.0 * second, "lively"),
            of_kind(2, 2.0 * second, "still"),
            of_kind(3, 1.0 * second, "lively"),
        ]);
        let cancel = Cancel::new();
        let longest = queue.next(&cancel).unwrap();
        assert_eq!(longest.id, 0);
        assert_eq!(queue.waiting_s(), 11.0);
        queue.learn(&longest, 1.0);
        assert_eq!(queue.next(&cancel).unwrap().id, 1);
        queue.learn(&of_kind(1, 8.0 * second, "lively"), 32.0);
        assert!(queue.waiting_s() > 3.0);
        assert_eq!(order(&queue), [3, 2]);
    }

    #[test]
    fn what_comes_before_the_beginning_is_counted_and_what_comes_later_is_told() {
        let (events, told) = crossbeam_channel::unbounded();
        let queue = Queue::open();
        assert!(queue.push(job(0, 3.0), &events));
        let mut totals = Totals::default();
        queue.begin(&Cancel::new(), |all| totals = all);
        assert_eq!((totals.jobs, totals.cost, totals.closed), (1, 3.0, false));
        assert!(told.is_empty());
        assert!(queue.push(job(1, 5.0), &events));
        let event = told.try_recv().unwrap();
        assert!(matches!(event, Event::JobAdded { job: 1, .. }), "{event:?}");
    }

    #[test]
    fn a_closed_queue_takes_no_more() {
        let (events, told) = crossbeam_channel::unbounded();
        let queue = Queue::of([job(0, 1.0)]);
        queue.begin(&Cancel::new(), |_| {});
        assert!(!queue.push(job(1, 1.0), &events));
        assert!(told.is_empty());
        assert_eq!(order(&queue), [0]);
    }

    #[test]
    fn a_waiting_slot_gets_what_comes_later_and_ends_when_the_queue_is_closed() {
        let (events, _) = crossbeam_channel::unbounded();
        let queue = Queue::open();
        std::thread::scope(|scope| {
            let slot = scope.spawn(|| order(&queue));
            assert!(queue.push(job(7, 1.0), &events));
            queue.close();
            assert_eq!(slot.join().unwrap(), [7]);
        });
    }

    #[test]
    fn a_stop_wakes_a_slot_that_waits_for_a_job() {
        let cancel = Cancel::new();
        let queue = Queue::open();
        queue.begin(&cancel, |_| {});
        std::thread::scope(|scope| {
            let slot = scope.spawn(|| queue.next(&cancel).is_none());
            cancel.set();
            assert!(slot.join().unwrap());
        });
        let (events, _) = crossbeam_channel::unbounded();
        assert!(!queue.push(job(0, 1.0), &events), "nobody would run it");
    }
}
