//! Which frames of a film repeat the one before.

use std::ops::Range;

use super::Slide;
use super::timeline::{Span, Timeline};
use crate::job::Ratio;

/// No shorter run is worth a word to the encoder.
const LEAST: u64 = 5;

/// The runs of such frames in `slides`, of which the first is the next of `timeline` and
/// the last ends the film; counted from the first one's beginning.
pub(super) fn repeats(
    slides: &[Slide],
    mut timeline: Timeline,
    rate: Ratio,
) -> impl Iterator<Item = Vec<Range<u64>>> {
    let origin = timeline.frames();
    slides.iter().enumerate().map(move |(place, slide)| {
        let span = timeline.next(slide.seconds);
        let alone = match place + 1 == slides.len() {
            true => span.end,
            false => span.transition_start(slide.transition, rate),
        };
        let runs = of_slide(slide, Span { end: alone, ..span }, rate);
        let since = |run: Range<u64>| run.start - origin..run.end - origin;
        runs.into_iter().map(since).collect()
    })
}

/// The runs of a slide while it is seen alone.
fn of_slide(slide: &Slide, alone: Span, rate: Ratio) -> Vec<Range<u64>> {
    let Span { start, end } = alone;
    let runs = match &slide.moves {
        None => [start + 1..end, end..end],
        Some(moves) => {
            let frames = |seconds: f64| (seconds.max(0.0) * rate.as_f64()).ceil() as u64;
            let (first, last) = (frames(*moves.start()), frames(*moves.end()));
            [start + 1..(start + first).min(end), start + last + 1..end]
        }
    };
    let is_worth = |run: &Range<u64>| run.end.saturating_sub(run.start) >= LEAST;
    runs.into_iter().filter(is_worth).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::film::transition::{Easing, Kind, Transition};

    const RATE: Ratio = Ratio::new(30, 1);

    fn slide(moves: Option<std::ops::RangeInclusive<f64>>) -> Slide<'static> {
        Slide {
            title: String::new(),
            seconds: 3.0,
            transition: Transition {
                kind: Kind::Fade,
                seconds: 0.5,
                easing: Easing::Linear,
            },
            moves,
            draw: Box::new(|| Err(Error::failed("not drawn"))),
        }
    }

    fn runs(slides: &[Slide], timeline: Timeline) -> Vec<Range<u64>> {
        repeats(slides, timeline, RATE).flatten().collect()
    }

    #[test]
    fn a_slide_repeats_from_its_second_frame_up_to_its_transition_and_the_last_to_the_end() {
        let slides = [slide(None), slide(None)];
        assert_eq!(runs(&slides, Timeline::new(RATE)), [1..75, 91..180]);
        let mut timeline = Timeline::new(RATE);
        timeline.next(7.0);
        assert_eq!(runs(&slides, timeline), [1..75, 91..180]);
    }

    #[test]
    fn a_slide_that_moves_repeats_before_and_after() {
        let slides = [slide(Some(0.0..=1.0)), slide(Some(-0.5..=1.5))];
        assert_eq!(runs(&slides, Timeline::new(RATE)), [31..75, 136..180]);
        let slides = [slide(Some(1.0..=2.95)), slide(Some(1.0..=1.5))];
        assert_eq!(
            runs(&slides, Timeline::new(RATE)),
            [1..30, 91..120, 136..180]
        );
    }
}
