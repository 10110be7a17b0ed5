//! In which frames of a film nothing moves.

use std::ops::{Range, RangeInclusive};

use super::part::Part;
use super::transition::Kind;
use super::{Film, Shot, Slide};
use crate::job::Ratio;

/// No shorter run is worth a word to the encoder.
const LEAST: u64 = 5;

/// The runs of such frames in `part`, counted from its first one: those that repeat the one
/// before, and those of fades from one still picture to another.
pub(super) fn calm(film: &Film, part: &Part) -> Vec<Range<u64>> {
    let origin = part.frames().start;
    let runs = part.pairs().flat_map(|(slide, next)| {
        let Slide {
            moves, transition, ..
        } = &film.slides[slide.number];
        let alone = slide.span.start..slide.alone_until;
        let fades = match (transition.kind, &*slide.shot, next) {
            (Kind::Fade, Shot::Still(_), Some(Shot::Still(_))) => slide.span.end,
            _ => slide.alone_until,
        };
        let repeated = repeats(alone, moves.as_ref(), film.rate);
        repeated.chain(worth_telling(slide.alone_until..fades))
    });
    runs.map(|run| run.start - origin..run.end - origin)
        .collect()
}

/// `run`, where it is long enough.
fn worth_telling(run: Range<u64>) -> Option<Range<u64>> {
    (run.end.saturating_sub(run.start) >= LEAST).then_some(run)
}

/// The runs of frames that repeat the one before among those at which a slide is seen `alone`,
/// which `moves` at these seconds since its beginning.
fn repeats(
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
    use crate::film::part::cut;
    use crate::film::part::tests::{film, stills};

    const RATE: Ratio = Ratio::new(30, 1);

    /// First frames and those after the last.
    fn runs(alone: Range<u64>, moves: Option<RangeInclusive<f64>>) -> Vec<(u64, u64)> {
        let runs = repeats(alone, moves.as_ref(), RATE);
        runs.map(|run| (run.start, run.end)).collect()
    }

    #[test]
    fn nothing_moves_in_a_fade_of_stills_and_something_does_where_one_pushes_the_other() {
        let mut film = film(&[3.0, 3.0, 3.0]);
        let all = |film: &Film| -> Vec<(u64, u64)> {
            let mut found = vec![];
            cut(film, stills(&[0, 1, 2]), |part| {
                found.extend(calm(film, &part).iter().map(|run| (run.start, run.end)));
                true
            });
            found
        };
        // Three parts of 90 frames; after the last slide there is nothing to fade into.
        let fades = [(1, 75), (75, 90), (1, 75), (75, 90), (1, 90)];
        assert_eq!(all(&film), fades);
        film.slides[1].transition.kind = Kind::Push;
        assert_eq!(all(&film), [(1, 75), (75, 90), (1, 75), (1, 90)]);
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
