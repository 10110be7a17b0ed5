//! The reference loads of the original exercise: a computation and a wait.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::Watch;
use crate::error::Result;
use crate::job::{Done, Load, Progress};

/// Steps between two looks at the watch: a few milliseconds.
const CHUNK: u64 = 1 << 20;

/// Runs a load on this thread.
///
/// # Errors
/// Where it was cancelled.
pub fn run_load(load: Load, watch: &mut Watch) -> Result<Done> {
    match load {
        Load::Cpu { iterations } => compute(iterations, watch)?,
        Load::Io { milliseconds } => wait(Duration::from_millis(milliseconds), watch)?,
    }
    Ok(Done::default())
}

fn compute(iterations: u64, watch: &mut Watch) -> Result<()> {
    let (mut done, mut state) = (0, 1);
    while done < iterations {
        let chunk = CHUNK.min(iterations - done);
        state = steps(black_box(state), done, chunk);
        done += chunk;
        watch.advance(Progress::default())?;
    }
    black_box(state);
    Ok(())
}

/// The computation of the original exercise: r ← (r²·i + 2·r·i² + 3) mod 10,000,000.
fn steps(mut r: u64, first: u64, count: u64) -> u64 {
    for i in first..first + count {
        // Both factors below 10^7, so that no product leaves 64 bits.
        let i = i % 1000;
        r = (r * r % 10_000_000 * i + 2 * r * i * i + 3) % 10_000_000;
    }
    r
}

fn wait(length: Duration, watch: &mut Watch) -> Result<()> {
    let end = Instant::now() + length;
    loop {
        watch.advance(Progress::default())?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

/// Iterations of [`Load::Cpu`] that take about `milliseconds` of one idle core:
/// the fastest of several short runs counts, since a disturbance only slows.
pub fn calibrate(milliseconds: u64) -> u64 {
    const TRIAL: u64 = 4 << 20;
    let fastest = (0..7)
        .map(|_| {
            let began = Instant::now();
            black_box(steps(black_box(1), 0, TRIAL));
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
