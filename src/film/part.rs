//! The parts of a film: slides that are encoded by themselves. Each begins with a key frame,
//! and none of its frames refers to one of another part.

use std::ops::Range;
use std::sync::Arc;

use super::timeline::{Span, Timeline};
use super::{Film, Shot};

/// No part is shorter in seconds, but the last, or one of many slides: an encoder takes some
/// hundredths of a second to begin, and looks ahead within its part only.
const LEAST_S: f64 = 2.0;

/// No part has more slides: each is a picture that is kept until its part is encoded.
const MOST_SLIDES: usize = 4;

/// A slide with what is seen of it.
pub(super) struct Shown<'f> {
    /// Its position in the film.
    pub number: usize,
    pub shot: Arc<Shot<'f>>,
    pub span: Span,
    /// Where the transition to the next one begins.
    pub alone_until: u64,
}

/// Slides one after the other.
pub(super) struct Part<'f> {
    /// Its position, from 0.
    pub number: usize,
    /// At least one.
    pub slides: Vec<Shown<'f>>,
    /// Into which the last of them goes over.
    pub next: Option<Arc<Shot<'f>>>,
}

impl<'f> Part<'f> {
    /// The film's frames that it has.
    pub(super) fn frames(&self) -> Range<u64> {
        let start = self.slides.first().map_or(0, |slide| slide.span.start);
        start..self.slides.last().map_or(start, |slide| slide.span.end)
    }

    /// Each slide with the one that it goes over into.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&Shown<'f>, Option<&Shot<'f>>)> {
        let following = self.slides.iter().skip(1).map(|slide| &slide.shot);
        let following = following.chain(&self.next).map(Some);
        let following = following.chain(std::iter::repeat(None));
        let pairs = self.slides.iter().zip(following);
        pairs.map(|(slide, next)| (slide, next.map(Arc::as_ref)))
    }
}

/// Cuts `film` into parts, of which slides were drawn as `drawn` gives them, by number, and
/// hands each to `take` until that gives `false`.
pub(super) fn cut<'f>(
    film: &Film<'f>,
    drawn: impl Iterator<Item = (usize, Shot<'f>)>,
    mut take: impl FnMut(Part<'f>) -> bool,
) {
    let mut timeline = Timeline::new(film.rate);
    let mut drawn = drawn
        .map(|(number, shot)| (number, Arc::new(shot)))
        .peekable();
    let (mut parts, mut slides) = (0, vec![]);
    while let Some((number, shot)) = drawn.next() {
        let slide = &film.slides[number];
        let span = timeline.next(slide.seconds);
        let next = drawn.peek().map(|(_, shot)| Arc::clone(shot));
        let alone_until = match next {
            Some(_) => span.transition_start(slide.transition, film.rate),
            // The last one stands to the end.
            None => span.end,
        };
        slides.push(Shown {
            number,
            shot,
            span,
            alone_until,
        });
        let part = Part {
            number: parts,
            slides,
            next,
        };
        if part.next.is_some() && is_short(&part.frames(), part.slides.len(), film) {
            slides = part.slides;
            continue;
        }
        (parts, slides) = (parts + 1, vec![]);
        if !take(part) {
            return;
        }
    }
}

/// How many parts `film` has, if all of its slides can be drawn.
pub(super) fn count(film: &Film) -> usize {
    let mut timeline = Timeline::new(film.rate);
    let (mut parts, mut start, mut slides) = (0, 0, 0);
    for slide in &film.slides {
        let span = timeline.next(slide.seconds);
        slides += 1;
        if !is_short(&(start..span.end), slides, film) {
            (parts, start, slides) = (parts + 1, span.end, 0);
        }
    }
    parts + usize::from(slides > 0)
}

/// Whether a part of so many frames and slides goes on with the next slide.
fn is_short(frames: &Range<u64>, slides: usize, film: &Film) -> bool {
    let least = LEAST_S * film.rate.as_f64();
    ((frames.end - frames.start) as f64) < least && slides < MOST_SLIDES
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::error::Error;
    use crate::film::Slide;
    use crate::film::format::{Encoding, Format};
    use crate::film::transition::{Easing, Kind, Transition};
    use crate::job::Ratio;
    use crate::media::still;
    use crate::recipe::Size;

    pub fn film(seconds: &[f64]) -> Film<'static> {
        let slide = |seconds: &f64| Slide {
            title: String::new(),
            seconds: *seconds,
            transition: Transition {
                kind: Kind::Fade,
                seconds: 0.5,
                easing: Easing::Linear,
            },
            moves: None,
            draw: Box::new(|| Err(Error::failed("not drawn"))),
        };
        Film {
            title: String::new(),
            slides: seconds.iter().map(slide).collect(),
            size: Size {
                width: 64,
                height: 36,
            },
            rate: Ratio::new(30, 1),
            encoding: Encoding::usual(Format::Mp4),
            music: None,
        }
    }

    /// A part's slides by number, with the frames at which each is seen alone.
    type Slides = Vec<(usize, u64, u64)>;

    /// Slides of these numbers as they are drawn.
    pub fn stills<'f>(numbers: &[usize]) -> impl Iterator<Item = (usize, Shot<'f>)> {
        let shot = || Shot::Still(still(64, 36, &[0; 64 * 36 * 4]).unwrap());
        numbers.iter().map(move |number| (*number, shot()))
    }

    fn parts(film: &Film, drawn: &[usize]) -> Vec<Slides> {
        let mut parts = vec![];
        cut(film, stills(drawn), |part| {
            assert_eq!(part.number, parts.len());
            let alone = part.slides.iter();
            let alone = alone.map(|slide| (slide.number, slide.span.start, slide.alone_until));
            parts.push(alone.collect());
            true
        });
        parts
    }

    #[test]
    fn a_part_is_of_whole_slides_and_no_shorter_than_two_seconds_but_the_last() {
        let film = film(&[3.0, 1.0, 0.5, 0.5, 2.0, 0.2]);
        let parts = parts(&film, &[0, 1, 2, 3, 4, 5]);
        let expected = [
            vec![(0, 0, 75)],
            vec![(1, 90, 105), (2, 120, 121), (3, 135, 136)],
            vec![(4, 150, 195)],
            vec![(5, 210, 216)],
        ];
        assert_eq!(parts, expected);
        assert_eq!(count(&film), 4);
    }

    #[test]
    fn many_short_slides_are_many_parts_so_that_few_pictures_wait() {
        let film = film(&[0.1; 10]);
        let parts = parts(&film, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        let slides: Vec<usize> = parts.iter().map(Vec::len).collect();
        assert_eq!(slides, [4, 4, 2]);
        assert_eq!(count(&film), 3);
    }

    #[test]
    fn slides_that_are_left_out_are_in_no_part_and_the_last_one_left_stands_to_its_end() {
        let film = film(&[3.0; 4]);
        let expected = [vec![(1, 0, 75)], vec![(2, 90, 180)]];
        assert_eq!(parts(&film, &[1, 2]), expected);
        assert_eq!(parts(&film, &[]), Vec::<Slides>::new());
    }

    #[test]
    fn each_slide_goes_over_into_the_next_one_of_this_part_or_of_the_next() {
        let film = film(&[1.0, 1.0, 1.0]);
        let shot = || Shot::Still(still(64, 36, &[0; 64 * 36 * 4]).unwrap());
        let drawn = (0..3).map(|number| (number, shot()));
        let mut next = vec![];
        cut(&film, drawn, |part| {
            next.extend(
                part.pairs()
                    .map(|(slide, next)| (slide.number, next.is_some())),
            );
            true
        });
        assert_eq!(next, [(0, true), (1, true), (2, false)]);
    }
}
