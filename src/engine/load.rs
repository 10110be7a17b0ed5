//! The reference loads of the original exercise on a thread of this process.

use std::time::{Duration, Instant};

use super::reference::{compute, wait};
use super::{Ran, Watch};
use crate::error::{Error, Result};
use crate::job::{Load, Progress};

/// Runs a load on this thread.
///
/// # Errors
/// Where it was cancelled.
pub fn run_load(load: Load, watch: &mut Watch) -> Result<Ran> {
    let go_on = || watch.advance(Progress::default()).is_ok();
    let ended = match load {
        Load::Cpu { iterations } => compute(iterations, go_on),
        Load::Io { milliseconds } => wait(Duration::from_millis(milliseconds), go_on),
    };
    if ended {
        Ok(Ran::default())
    } else {
        Err(Error::interrupted())
    }
}

/// Iterations of [`Load::Cpu`] that take about `milliseconds` of one idle core:
/// the fastest of several short runs counts, since a disturbance only slows.
pub fn calibrate(milliseconds: u64) -> u64 {
    const TRIAL: u64 = 4 << 20;
    let fastest = (0..7)
        .map(|_| {
            let began = Instant::now();
            compute(TRIAL, || true);
            began.elapsed()
        })
        .min()
        .unwrap_or(Duration::from_millis(1));
    let a_second = TRIAL as f64 / fastest.as_secs_f64().max(1e-9);
    (a_second * milliseconds as f64 / 1000.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::Cancel;

    #[test]
    fn a_calibrated_load_takes_the_order_of_time_asked_for() {
        let iterations = calibrate(50);
        let began = Instant::now();
        let cancel = Cancel::new();
        run_load(
            Load::Cpu { iterations },
            &mut Watch::new(&cancel, &mut |_| {}),
        )
        .unwrap();
        // A sanity bound, not a timing: a wrong unit would be off by 1000.
        assert!(began.elapsed() > Duration::from_millis(10));
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_cancelled_load_stops() {
        let cancel = Cancel::new();
        cancel.set();
        let mut report = |_| {};
        let mut watch = Watch::new(&cancel, &mut report);
        assert!(
            run_load(
                Load::Io {
                    milliseconds: 600_000
                },
                &mut watch
            )
            .is_err()
        );
        assert!(
            run_load(
                Load::Cpu {
                    iterations: u64::MAX
                },
                &mut watch
            )
            .is_err()
        );
    }
}
