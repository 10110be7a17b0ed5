//! Which of the frames of a whole video become pictures.

use ffmpeg::{Frame, Rational};
use ffmpeg_next as ffmpeg;

use crate::error::Result;
use crate::job::{Limits, Ratio};
use crate::media::Graph;
use crate::media::bounds;
use crate::media::error::Poll;
use crate::media::filter::{Shape, rescale};
use crate::media::frame::same_frame;
use crate::recipe::{Choose, Times, VideoWay};

/// Takes the frames of a video in order, and gives those that become pictures, each with its time
/// in seconds.
pub(super) enum Chooser<'a> {
    All {
        ticks: Rational,
    },
    Filter {
        description: &'a str,
        ticks: Rational,
        frame_rate: Rational,
        graph: Option<(Shape, Graph)>,
    },
    Times(Shown<'a>),
}

impl<'a> Chooser<'a> {
    pub(super) fn new(way: &'a VideoWay, frame_rate: Rational) -> Self {
        let ticks = way.time_base.into();
        match &way.choose {
            Choose::All | Choose::Best | Choose::Spread(_) => Self::All { ticks },
            Choose::Filter(description) => Self::Filter {
                description,
                ticks,
                frame_rate,
                graph: None,
            },
            Choose::Times(times) => Self::Times(Shown::new(times, way.repeats())),
        }
    }

    /// Takes the next frame, its pts in `time_base`.
    pub(super) fn take(
        &mut self,
        frame: &Frame,
        time_base: Rational,
        give: &mut dyn FnMut(f64, &Frame) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::All { ticks } => give(seconds(frame, time_base, *ticks), frame),
            Self::Times(shown) => shown.take(frame, time_base, give),
            Self::Filter {
                description,
                ticks,
                frame_rate,
                graph,
            } => {
                let shape = Shape::of(frame);
                if graph.as_ref().is_none_or(|(of, _)| *of != shape) {
                    let made = Graph::new(frame, time_base, *frame_rate, description, 1)?;
                    *graph = Some((shape, made));
                }
                let Some((_, graph)) = graph else {
                    return Ok(());
                };
                graph.push(&mut same_frame(frame)?)?;
                pull(graph, *ticks, give)
            }
        }
    }

    /// Takes the end of the video, at `end` in `time_base`.
    pub(super) fn end(
        &mut self,
        end: i64,
        time_base: Rational,
        give: &mut dyn FnMut(f64, &Frame) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::All { .. } => Ok(()),
            Self::Times(shown) => shown.end(end, time_base, give),
            Self::Filter { graph, ticks, .. } => match graph {
                Some((_, graph)) => {
                    graph.close(end)?;
                    pull(graph, *ticks, give)
                }
                None => Ok(()),
            },
        }
    }

    /// Whether no later frame can become a picture.
    pub(super) fn is_done(&self) -> bool {
        matches!(self, Self::Times(shown) if shown.next_mark().is_none())
    }
}

fn pull(
    graph: &mut Graph,
    ticks: Rational,
    give: &mut dyn FnMut(f64, &Frame) -> Result<()>,
) -> Result<()> {
    loop {
        let (state, frame) = graph.pull()?;
        if state != Poll::Ready {
            return Ok(());
        }
        give(seconds(&frame, graph.time_base(), ticks), &frame)?;
    }
}

/// A frame's time in seconds, to the pictures' ticks.
fn seconds(frame: &Frame, time_base: Rational, ticks: Rational) -> f64 {
    rescale(frame.pts().unwrap_or(0), time_base, ticks) as f64 * f64::from(ticks)
}

/// The frames that are shown at given times, of frames in order.
pub(super) struct Shown<'a> {
    times: &'a Times,
    // How many times have been given.
    given: usize,
    // The last frame, and from when on it is shown.
    held: Option<(Instant, Frame)>,
    // Pictures a second that it becomes, where nothing else bounds their number.
    rate: Option<f64>,
    limits: Limits,
}

impl<'a> Shown<'a> {
    fn new(times: &'a Times, rate: Option<f64>) -> Self {
        Self {
            times,
            given: 0,
            held: None,
            rate,
            limits: bounds::get(),
        }
    }

    fn next_mark(&self) -> Option<u64> {
        mark(self.times, self.given)
    }

    fn take(
        &mut self,
        frame: &Frame,
        time_base: Rational,
        give: &mut dyn FnMut(f64, &Frame) -> Result<()>,
    ) -> Result<()> {
        let from = Instant::new(frame.pts().unwrap_or(0), time_base);
        let frame = same_frame(frame)?;
        // Before the first frame, that is what is shown.
        let (since, held) = match self.held.take() {
            Some(held) => held,
            None => (Instant::new(0, time_base), same_frame(&frame)?),
        };
        self.give_between(since, from, &held, give)?;
        self.held = Some((from, frame));
        Ok(())
    }

    fn end(
        &mut self,
        end: i64,
        time_base: Rational,
        give: &mut dyn FnMut(f64, &Frame) -> Result<()>,
    ) -> Result<()> {
        match self.held.take() {
            Some((since, held)) => {
                self.give_between(since, Instant::new(end, time_base), &held, give)
            }
            None => Ok(()),
        }
    }

    fn give_between(
        &mut self,
        since: Instant,
        end: Instant,
        held: &Frame,
        give: &mut dyn FnMut(f64, &Frame) -> Result<()>,
    ) -> Result<()> {
        if let Some(rate) = self.rate {
            let (since_s, end_s) = (since.seconds(), end.seconds());
            self.limits.check_repeats(since_s, end_s, rate)?;
        }
        while let Some(mark) = self.next_mark()
            && Instant::of_mark(mark, self.times.unit).is_before(end)
        {
            give(self.times.seconds(mark), held)?;
            self.given += 1;
        }
        Ok(())
    }
}

/// The mark at that position, where there is one.
pub(super) fn mark(times: &Times, position: usize) -> Option<u64> {
    match &times.marks {
        Some(marks) => marks.get(position).copied(),
        None => Some(position as u64),
    }
}

/// An exact time: `ticks · num / den` seconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Instant {
    ticks: i128,
    num: i128,
    den: i128,
}

impl Instant {
    pub(super) fn new(ticks: i64, base: Rational) -> Self {
        Self {
            ticks: ticks.into(),
            num: base.numerator().into(),
            den: base.denominator().max(1).into(),
        }
    }

    pub(super) fn of_mark(mark: u64, unit: Ratio) -> Self {
        Self {
            ticks: mark.into(),
            num: unit.num.into(),
            den: unit.den.max(1).into(),
        }
    }

    fn seconds(self) -> f64 {
        self.ticks as f64 * self.num as f64 / self.den as f64
    }

    pub(super) fn is_before(self, other: Self) -> bool {
        self.ticks * self.num * other.den < other.ticks * other.num * self.den
    }

    /// The last tick of `base` that is not after it.
    pub(super) fn ticks_in(self, base: Rational) -> i64 {
        let (num, den) = (
            i128::from(base.numerator().max(1)),
            i128::from(base.denominator()),
        );
        let ticks = (self.ticks * self.num * den).div_euclid(self.den * num);
        i64::try_from(ticks).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_compared_exactly() {
        let third = Ratio::new(1, 3);
        let tick = Rational::new(1, 90_000);
        assert!(!Instant::of_mark(1, third).is_before(Instant::new(30_000, tick)));
        assert!(Instant::of_mark(1, third).is_before(Instant::new(30_001, tick)));
        assert_eq!(
            Instant::of_mark(1, third).ticks_in(Rational::new(1, 1000)),
            333
        );
        assert_eq!(
            Instant::of_mark(1000, third).ticks_in(Rational::new(1001, 30_000)),
            9990
        );
    }
}
