//! In which frames of a film nothing moves.

use std::ops::{Range, RangeInclusive};

use crate::job::Ratio;

/// No shorter run is worth a word to the encoder.
const LEAST: u64 = 5;

/// `run`, where it is long enough.
pub(super) fn worth_telling(run: Range<u64>) -> Option<Range<u64>> {
    (run.end.saturating_sub(run.start) >= LEAST).then_some(run)
}

/// The runs of frames that repeat the one before among those at which a slide is seen `alone`, which `moves` at
/// these seconds since its beginning.
pub(super) fn repeats(
    alone: Range<u64>,
    moves: Option<&RangeInclusive<f64>>,
    rate: Ratio,
) -> impl Iterator<Item = Range<u64>> {
    let Range { start, end } = alone;
    let runs = match moves {
        None => [start + 1..end, end..end],
        Some(moves) => {
            let frames = |seconds: f64| (seconds.max(0.0) * rate.as_f64()).ceil() as u64;
            let (first, last) = (frames(*moves.start()), frames(*moves.end()));
            [start + 1..(start + first).min(end), start + last + 1..end]
        }
    };
    runs.into_iter().filter_map(worth_telling)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Ratio = Ratio::new(30, 1);

    /// First frames and those after the last.
    fn runs(alone: Range<u64>, moves: Option<RangeInclusive<f64>>) -> Vec<(u64, u64)> {
        let runs = repeats(alone, moves.as_ref(), RATE);
        runs.map(|run| (run.start, run.end)).collect()
    }

    #[test]
    fn a_slide_repeats_from_its_second_frame_up_to_its_transition() {
        assert_eq!(runs(0..75, None), [(1, 75)]);
        assert_eq!(runs(90..95, None), []);
    }

    #[test]
    fn a_slide_that_moves_repeats_before_and_after() {
        assert_eq!(runs(0..75, Some(0.0..=1.0)), [(31, 75)]);
        assert_eq!(runs(90..180, Some(-0.5..=1.5)), [(136, 180)]);
        assert_eq!(runs(0..75, Some(1.0..=2.95)), [(1, 30)]);
        assert_eq!(runs(90..180, Some(1.0..=1.5)), [(91, 120), (136, 180)]);
    }
}
