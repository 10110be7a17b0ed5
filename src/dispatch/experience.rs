//! What a batch has shown so far: how long jobs take, against what was predicted.

use std::collections::BTreeMap;

/// A predicted cost is about this many seconds each, as long as nothing is known.
const SECONDS_A_COST: f64 = 1e-9;

/// What is known without having seen it counts as much as so much cost that was seen:
/// one short job tells little of long ones.
const WEIGHT: f64 = 1e9;

/// How long jobs took, by their kinds.
#[derive(Debug, Default)]
pub(super) struct Experience {
    all: Seen,
    kinds: BTreeMap<String, Seen>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    seconds: f64,
    cost: f64,
}

impl Experience {
    /// A job of that kind and cost took so many seconds.
    pub(super) fn learn(&mut self, kind: &str, cost: f64, seconds: f64) {
        self.all.add(cost, seconds);
        let kind = self.kinds.entry(kind.to_owned()).or_default();
        kind.add(cost, seconds);
    }

    /// Seconds that a job of that kind and cost takes, as far as one can tell.
    pub(super) fn seconds(&self, kind: &str, cost: f64) -> f64 {
        let usual = self.all.rate(SECONDS_A_COST);
        let rate = self.kinds.get(kind).map_or(usual, |kind| kind.rate(usual));
        cost * rate
    }
}

impl Seen {
    fn add(&mut self, cost: f64, seconds: f64) {
        self.cost += cost;
        self.seconds += seconds;
    }

    /// Seconds a cost; `usual` without any experience.
    fn rate(self, usual: f64) -> f64 {
        (self.seconds + WEIGHT * usual) / (self.cost + WEIGHT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: f64 = 1e9;

    #[test]
    fn what_was_predicted_holds_until_something_is_seen() {
        let seen = Experience::default();
        assert_eq!(seen.seconds("h264", 3.0 * SECOND), 3.0);
    }

    #[test]
    fn a_kind_goes_by_its_own_and_others_by_all() {
        let mut seen = Experience::default();
        seen.learn("h264", 100.0 * SECOND, 300.0);
        let known = seen.seconds("h264", SECOND);
        assert!((2.9..3.0).contains(&known), "{known}");
        let unknown = seen.seconds("vp9", SECOND);
        assert!((2.9..3.0).contains(&unknown), "{unknown}");
        seen.learn("vp9", 100.0 * SECOND, 50.0);
        let known = seen.seconds("vp9", SECOND);
        assert!((0.5..0.6).contains(&known), "{known}");
    }

    #[test]
    fn one_short_job_does_not_turn_the_order_upside_down() {
        let mut seen = Experience::default();
        seen.learn("h264", 0.001 * SECOND, 0.1);
        let long = seen.seconds("h264", 10.0 * SECOND);
        assert!(long < 13.0, "{long}");
    }
}
