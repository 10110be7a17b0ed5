//! The time that a run may take, and whether another round fits into it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::turn::Turn;

/// The share of the budget that is kept for what is measured after the rounds.
const KEPT_FOR_COSTS: f64 = 0.05;

/// The time that a run may take, from now on.
pub(super) struct Budget {
    began: Instant,
    seconds: f64,
    // Seconds that each cell took as a whole, last time.
    takes_s: HashMap<Turn, f64>,
}

impl Budget {
    pub fn new(seconds: f64) -> Self {
        Self {
            began: Instant::now(),
            seconds,
            takes_s: HashMap::new(),
        }
    }

    /// `turn` took so long as a whole.
    pub fn took(&mut self, turn: Turn, time: Duration) {
        self.takes_s.insert(turn, time.as_secs_f64());
    }

    /// The share that is used up, 0 to 1.
    pub fn used(&self) -> f64 {
        (self.elapsed_s() / self.seconds).min(1.0)
    }

    /// Seconds that are left; below 0 where it is overdrawn.
    pub fn left_s(&self) -> f64 {
        self.seconds - self.elapsed_s()
    }

    /// Whether one more round of `turns` fits, and leaves what is kept.
    pub fn has_room_for(&self, turns: &[Turn]) -> bool {
        let round_s: f64 = turns.iter().map(|turn| self.estimate_s(turn)).sum();
        round_s <= (1.0 - KEPT_FOR_COSTS) * self.seconds - self.elapsed_s()
    }

    fn elapsed_s(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// What a cell took last time, or what the one like it at another worker count took.
    fn estimate_s(&self, turn: &Turn) -> f64 {
        let alike = || {
            let mut alike = self.takes_s.iter().filter(|(other, _)| other.is_like(turn));
            alike.next().map(|(_, seconds)| *seconds)
        };
        let taken = self.takes_s.get(turn).copied();
        taken.or_else(alike).unwrap_or(1.0)
    }
}
