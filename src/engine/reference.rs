//! The two reference loads themselves, free of everything else: the program
//! and its small child `rushes-child` both compile this file.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Steps between two questions whether to go on: a few milliseconds.
const CHUNK: u64 = 1 << 20;

/// A pause between two questions whether to go on.
const NAP: Duration = Duration::from_millis(50);

/// Computes `iterations` steps, as long as `go_on` says so; whether it came to the end.
pub fn compute(iterations: u64, mut go_on: impl FnMut() -> bool) -> bool {
    let (mut done, mut state) = (0, 1);
    while done < iterations {
        let chunk = CHUNK.min(iterations - done);
        state = steps(black_box(state), done, chunk);
        done += chunk;
        if !go_on() {
            return false;
        }
    }
    black_box(state);
    true
}

/// Waits for `length`, as long as `go_on` says so; whether it came to the end.
pub fn wait(length: Duration, mut go_on: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + length;
    while go_on() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(NAP));
    }
    false
}

/// The computation of the original exercise: r ← (r²·i + 2·r·i² + 3) mod 10,000,000.
fn steps(mut r: u64, first: u64, count: u64) -> u64 {
    for i in first..first + count {
        // Small enough that no product leaves 64 bits.
        let i = i % 1000;
        r = (r * r % 10_000_000 * i + 2 * r * i * i + 3) % 10_000_000;
    }
    r
}
