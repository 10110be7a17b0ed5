//! How much of its time a job runs.

use std::time::{Duration, Instant};

/// A job runs at least so long before it pauses: shorter would cost more than it spares.
const STRETCH: Duration = Duration::from_millis(50);

/// Tells a job when to pause, and for how long, so that it runs a given share of its time.
///
/// It counts what really went by, so a long step is followed by a long pause.
#[derive(Debug)]
pub(super) struct Pace {
    // Pause for each unit of running; 0 where there is no limit.
    pause: f64,
    runs_since: Instant,
}

impl Pace {
    /// For a job that begins at `now` and may run `duty` of its time, above 0 and at most 1.
    pub(super) fn new(duty: f64, now: Instant) -> Self {
        let duty = duty.clamp(0.001, 1.0);
        Self {
            pause: (1.0 - duty) / duty,
            runs_since: now,
        }
    }

    /// The pause that is due at `now`.
    pub(super) fn due(&self, now: Instant) -> Option<Duration> {
        let ran = now.saturating_duration_since(self.runs_since);
        (self.pause > 0.0 && ran >= STRETCH).then(|| ran.mul_f64(self.pause))
    }

    /// The job runs again from `now` on.
    pub(super) fn resume(&mut self, now: Instant) {
        self.runs_since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The share of a made-up time in which a job ran that reports every `step`.
    fn share(duty: f64, step: Duration) -> f64 {
        let mut now = Instant::now();
        let mut pace = Pace::new(duty, now);
        let (mut ran, mut paused) = (Duration::ZERO, Duration::ZERO);
        for _ in 0..1000 {
            now += step;
            ran += step;
            if let Some(pause) = pace.due(now) {
                now += pause;
                paused += pause;
                pace.resume(now);
            }
        }
        ran.as_secs_f64() / (ran + paused).as_secs_f64()
    }

    #[test]
    fn a_job_runs_its_share_of_the_time_whatever_its_steps() {
        for duty in [0.01, 0.25, 0.5, 0.9] {
            for step in [1, 7, 50, 400].map(Duration::from_millis) {
                let share = share(duty, step);
                assert!((share / duty - 1.0).abs() < 0.1, "{duty} {step:?}: {share}");
            }
        }
    }

    #[test]
    fn a_job_without_a_limit_never_pauses() {
        assert_eq!(share(1.0, Duration::from_secs(10)), 1.0);
    }
}
