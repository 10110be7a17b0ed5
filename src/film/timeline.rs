//! When a slide is seen, counted in frames.

use super::transition::Transition;
use crate::job::Ratio;

/// Turns seconds into frames, slide after slide. A slide begins at the frame next to
/// its time, so that many slides are no longer than they say.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    rate: Ratio,
    seconds: f64,
    frames: u64,
}

/// The frames of one slide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    /// Its first frame.
    pub start: u64,
    /// The first frame of the next slide.
    pub end: u64,
}

impl Timeline {
    pub(super) fn new(rate: Ratio) -> Self {
        Self {
            rate,
            seconds: 0.0,
            frames: 0,
        }
    }

    /// The next slide, of so many seconds and of one frame at least.
    pub(super) fn next(&mut self, seconds: f64) -> Span {
        self.seconds += seconds.max(0.0);
        let start = self.frames;
        let due = (self.seconds * self.rate.as_f64()).round() as u64;
        self.frames = due.max(start + 1);
        let end = self.frames;
        Span { start, end }
    }

    /// Frames of slides of so many seconds each.
    pub(super) fn length(rate: Ratio, seconds: impl Iterator<Item = f64>) -> u64 {
        let mut timeline = Self::new(rate);
        for seconds in seconds {
            timeline.next(seconds);
        }
        timeline.frames
    }
}

impl Span {
    /// Where the transition to the next slide begins: it takes the last frames, but
    /// the first frame always shows the slide alone.
    pub(super) fn transition_start(self, transition: Transition, rate: Ratio) -> u64 {
        let frames = (transition.seconds.max(0.0) * rate.as_f64()).round() as u64;
        self.end - frames.min(self.end - self.start - 1)
    }

    /// Start and end in milliseconds.
    pub(super) fn ms(self, rate: Ratio) -> (i64, i64) {
        let ms = |frame: u64| (frame as f64 * 1000.0 / rate.as_f64()).round() as i64;
        (ms(self.start), ms(self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::film::transition::{Easing, Kind};

    const RATE: Ratio = Ratio::new(30, 1);

    #[test]
    fn slides_follow_each_other_and_do_not_drift() {
        let rate = Ratio::new(30_000, 1001);
        let mut timeline = Timeline::new(rate);
        let spans: Vec<Span> = (0..1000).map(|_| timeline.next(1.0)).collect();
        assert!(spans.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(spans[999].end, 29_970);
        assert_eq!(spans[999].ms(rate).1, 999_999);
        let all = Timeline::length(rate, std::iter::repeat_n(1.0, 1000));
        assert_eq!(all, 29_970);
    }

    #[test]
    fn a_slide_has_a_frame_however_short_it_is_and_is_seen_alone_once() {
        let mut timeline = Timeline::new(RATE);
        let span = timeline.next(0.0);
        assert_eq!((span.start, span.end), (0, 1));
        let fade = Transition {
            kind: Kind::Fade,
            seconds: 9.0,
            easing: Easing::Smooth,
        };
        assert_eq!(span.transition_start(fade, RATE), 1);
        let span = timeline.next(3.0);
        assert_eq!(span.transition_start(fade, RATE), span.start + 1);
    }
}
