//! What has its turn in a round, and in which order.

use std::fmt;

use super::matrix::{CellKey, Matrix};
use super::python::{How, PythonKey};
use super::results::Work;

/// Load, codec threads, workers.
type Seat = (Work, usize, usize);

/// What has its turn in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Turn {
    /// A cell of the matrix.
    Cell(CellKey),
    /// The same load in Python.
    Python(PythonKey),
}

impl Turn {
    /// Load and workers: what is compared has both in common. Python has no codecs.
    pub fn seat(&self) -> Seat {
        match self {
            Turn::Cell(key) if key.load.work.has_codecs() => {
                (key.load.work, key.load.codec_threads, key.workers)
            }
            Turn::Cell(key) => (key.load.work, 1, key.workers),
            Turn::Python(key) => (key.work, 1, key.workers),
        }
    }

    /// Whether the two differ in nothing but the worker count.
    pub(super) fn is_like(&self, other: &Turn) -> bool {
        match (self, other) {
            (Turn::Cell(a), Turn::Cell(b)) => (a.load, a.dispatch) == (b.load, b.dispatch),
            (Turn::Python(a), Turn::Python(b)) => (a.work, a.how) == (b.work, b.how),
            _ => false,
        }
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Turn::Cell(key) => key.fmt(f),
            Turn::Python(key) => key.fmt(f),
        }
    }
}

/// Everything that has its turn in a round; `python` tells whether Python has.
pub(super) fn turns(matrix: &Matrix, python: bool) -> Vec<Turn> {
    let mut turns: Vec<Turn> = matrix.cells().into_iter().map(Turn::Cell).collect();
    if python {
        let mut seats: Vec<_> = turns.iter().map(Turn::seat).collect();
        seats.dedup();
        let loads = seats.into_iter().filter(|seat| seat.0.one_job_a_worker());
        turns.extend(loads.flat_map(|(work, _, workers)| {
            How::ALL.map(|how| Turn::Python(PythonKey { work, how, workers }))
        }));
    }
    turns
}

/// A random order in which the dispatches of one load and worker count follow
/// each other, so that a machine whose speed drifts is the same for both.
pub(super) fn shuffle(turns: &mut [Turn], random: &mut fastrand::Rng) {
    random.shuffle(turns);
    let mut seats: Vec<Seat> = turns.iter().map(Turn::seat).collect();
    let mut seen = Vec::new();
    seats.retain(|seat| {
        !seen.contains(seat) && {
            seen.push(*seat);
            true
        }
    });
    turns.sort_by_key(|turn| seats.iter().position(|seat| *seat == turn.seat()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::{Dispatch, Load};

    fn all_turns() -> Vec<Turn> {
        let mut turns = vec![];
        for work in Work::ALL {
            for workers in 1..=3 {
                turns.extend(Dispatch::ALL.map(|dispatch| {
                    Turn::Cell(CellKey {
                        load: Load {
                            work,
                            codec_threads: 1,
                        },
                        dispatch,
                        workers,
                    })
                }));
                turns.extend(How::ALL.map(|how| Turn::Python(PythonKey { work, how, workers })));
            }
        }
        turns
    }

    #[test]
    fn what_is_compared_is_measured_side_by_side_in_an_order_that_varies() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut orders = vec![];
        for _ in 0..20 {
            let mut order = all_turns();
            shuffle(&mut order, &mut random);
            for side_by_side in order.chunks(Dispatch::ALL.len() + How::ALL.len()) {
                let first = side_by_side[0].seat();
                assert!(side_by_side.iter().all(|turn| turn.seat() == first));
            }
            orders.push(order);
        }
        let begins = |wanted: &dyn Fn(&Turn) -> bool| orders.iter().any(|order| wanted(&order[0]));
        for dispatch in Dispatch::ALL {
            assert!(begins(
                &|turn| matches!(turn, Turn::Cell(key) if key.dispatch == dispatch)
            ));
        }
        assert!(begins(&|turn| matches!(turn, Turn::Python(_))));
        assert!(orders.windows(2).all(|two| two[0] != two[1]));
    }
}
