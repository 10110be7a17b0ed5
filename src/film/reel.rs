//! Parts become packets: each by an encoder of its own, several side by side.

use std::ops::Range;

use ffmpeg_next::Packet;
use rayon::prelude::*;

use super::calm::calm;
use super::part::{Part, Shown, count};
use super::{Film, Shot};
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::media::{Chapter, Encoded, Encoder, Frame, Graph, Picture, Setup, VideoTiming};
use crate::{threads, values};

/// What was encoded of a part since the last one.
#[derive(Default)]
pub(super) struct Reel {
    /// The part's position.
    pub number: usize,
    /// What the packets are of, where an encoder has begun with it.
    pub encoded: Option<Encoded>,
    /// In the encoder's order; times are frames of the film.
    pub packets: Vec<Packet>,
    /// Frames that were shown.
    pub frames: u64,
    /// The part's slides, where it ends with this.
    pub chapters: Option<Vec<Chapter>>,
}

/// So many packets wait to be handed on: a part may be of an hour.
const PACKETS: usize = 100;

/// Called for each frame; fails where there are to be no more.
pub(super) type Call<'a> = dyn Fn() -> Result<()> + Sync + 'a;

/// How the encoders of a film share the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoders {
    /// So many at once.
    pub at_once: usize,
    /// Threads of each.
    pub threads: usize,
}

impl Encoders {
    pub(super) fn of(film: &Film) -> Self {
        let most = film.encoding.at_once(film.size).min(count(film));
        Self::sharing(values::cores(), most)
    }

    fn sharing(cores: usize, most: usize) -> Self {
        let at_once = most.clamp(1, cores.max(1));
        let threads = match at_once {
            // Frames wait for those before them while they are encoded: with half as many
            // threads again as there are cores, none of these does.
            1 => cores + (cores / 2).max(1),
            _ => cores.div_ceil(at_once),
        };
        Self { at_once, threads }
    }
}

/// How an encoder is opened.
pub(super) fn setup(global_header: bool, threads: usize) -> Setup {
    Setup {
        threads,
        global_header,
        bit_exact: false,
    }
}

/// Encodes one part after the other; others do so beside it.
pub(super) struct Projector<'a, 'f> {
    film: &'a Film<'f>,
    encoders: Encoders,
    setup: Setup,
    // Called for each frame.
    shown: &'a Call<'a>,
    // Takes what is encoded.
    take: &'a dyn Fn(Reel),
    // What goes on from part to part, where a film's frames depend on each other throughout.
    running: Option<Running>,
}

/// An encoder with what comes before it.
struct Running {
    filter: Option<Graph>,
    encoder: Encoder,
    // What is not handed on yet.
    reel: Reel,
}

impl<'a, 'f> Projector<'a, 'f> {
    /// For `film`. `shown` is called for each frame, and ends all where it fails; `take` gets
    /// what is encoded.
    pub(super) fn new(
        film: &'a Film<'f>,
        encoders: Encoders,
        global_header: bool,
        (shown, take): (&'a Call<'a>, &'a dyn Fn(Reel)),
    ) -> Self {
        Self {
            film,
            encoders,
            setup: setup(global_header, encoders.threads),
            shown,
            take,
            running: None,
        }
    }

    /// Encodes `part`.
    ///
    /// # Errors
    /// Where a picture cannot be drawn or encoded, and what `shown` fails with.
    pub(super) fn encode(&mut self, part: &Part<'f>) -> Result<()> {
        let mut running = match self.running.take() {
            Some(running) => running,
            None => self.begin(part)?,
        };
        running.reel.number = part.number;
        for (slide, next) in part.pairs() {
            running.encoder.key_next();
            let (start, rate) = (slide.span.start, self.film.rate);
            self.show(&mut running, start..slide.alone_until, |frame| {
                slide.shot.at(seconds(start, frame, rate))
            })?;
            if let Some(next) = next {
                self.go_over(&mut running, slide, next)?;
            }
        }
        let goes_on = part.next.is_some() && !self.film.encoding.can_be_cut();
        if !goes_on {
            running.finish(part.frames().end)?;
        }
        running.reel.chapters = Some(self.chapters(part));
        (self.take)(std::mem::take(&mut running.reel));
        self.running = goes_on.then_some(running);
        Ok(())
    }

    /// An encoder for `part`, which is told where that stands still.
    fn begin(&self, part: &Part) -> Result<Running> {
        let Some(first) = part.slides.first() else {
            return Err(Error::failed("a part of the film has no slide"));
        };
        let like = first.shot.at(0.0)?;
        let rate = self.film.rate;
        let timing = VideoTiming {
            time_base: Ratio::new(rate.den, rate.num).into(),
            frame_rate: rate.into(),
        };
        let video = self.film.encoding.video(rate, self.encoders.at_once);
        let mut spec = video.encoder_spec(self.setup.threads);
        if self.film.encoding.can_be_cut() {
            spec.tell_calm(&calm(self.film, part));
        }
        spec.width = Some(like.size().0);
        let open = |like: &Picture| Encoder::video(&spec, &like.at(0)?, timing, self.setup);
        let (filter, encoder) = match self.film.encoding.format.filter() {
            Some(filter) => {
                let (base, rate) = (timing.time_base, timing.frame_rate);
                let graph = Graph::new(&like.at(0)?, base, rate, filter, self.setup.threads)?;
                (Some(graph), open(&like.share()?.filtered(filter)?)?)
            }
            None => (None, open(&like)?),
        };
        let reel = Reel {
            encoded: Some(encoder.encoded()?),
            ..Reel::default()
        };
        Ok(Running {
            filter,
            encoder,
            reel,
        })
    }

    /// Shows the transition of `slide` into the next one.
    fn go_over(&self, running: &mut Running, slide: &Shown<'f>, next: &Shot<'f>) -> Result<()> {
        let (transition, rate) = (self.film.slides[slide.number].transition, self.film.rate);
        let (first, end) = (slide.alone_until, slide.span.end);
        self.show(running, first..end, |frame| {
            let both = (
                &slide.shot.at(seconds(slide.span.start, frame, rate))?,
                &next.at(seconds(end, frame, rate))?,
            );
            transition.frame(both, frame - first, end - first)
        })
    }

    /// Shows what `draw` gives for each of `frames`.
    fn show(
        &self,
        running: &mut Running,
        frames: Range<u64>,
        draw: impl Fn(u64) -> Result<Picture> + Sync,
    ) -> Result<()> {
        let at_once = values::cores().max(1) * 2;
        for first in frames.clone().step_by(at_once) {
            let some = first..frames.end.min(first + at_once as u64);
            let drawn = some.into_par_iter().map(&draw);
            let drawn: Result<Vec<Picture>> = threads::shared()?.install(|| drawn.collect());
            for (frame, picture) in (first..).zip(&drawn?) {
                (self.shown)()?;
                running.show(picture, frame)?;
            }
            if running.reel.packets.len() >= PACKETS {
                let number = running.reel.number;
                let next = Reel {
                    number,
                    ..Reel::default()
                };
                (self.take)(std::mem::replace(&mut running.reel, next));
            }
        }
        Ok(())
    }

    fn chapters(&self, part: &Part) -> Vec<Chapter> {
        let chapters = part.slides.iter().map(|slide| {
            let (start_ms, end_ms) = slide.span.ms(self.film.rate);
            Chapter {
                start_ms,
                end_ms,
                title: self.film.slides[slide.number].title.clone(),
            }
        });
        chapters.collect()
    }
}

/// From frame `start` to `frame`; below 0 before it.
fn seconds(start: u64, frame: u64, rate: Ratio) -> f64 {
    (frame as f64 - start as f64) / rate.as_f64()
}

impl Running {
    fn show(&mut self, picture: &Picture, number: u64) -> Result<()> {
        self.reel.frames += 1;
        let mut frame = picture.at(number as i64)?;
        match &mut self.filter {
            Some(filter) => {
                filter.push(&mut frame)?;
                self.filtered()
            }
            None => self.encode(Some(&mut frame)),
        }
    }

    /// Drains all, at the end of the film or of a part that ends before frame `end`.
    fn finish(&mut self, end: u64) -> Result<()> {
        if let Some(filter) = &mut self.filter {
            filter.close(end as i64)?;
        }
        self.filtered()?;
        self.encode(None)
    }

    fn filtered(&mut self) -> Result<()> {
        while let Some(filter) = &mut self.filter {
            let Some(mut frame) = filter.ready()? else {
                break;
            };
            self.encode(Some(&mut frame))?;
        }
        Ok(())
    }

    fn encode(&mut self, frame: Option<&mut Frame>) -> Result<()> {
        let packets = &mut self.reel.packets;
        self.encoder.encode(frame, |packet| {
            packets.push(packet);
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_share_all_cores_and_one_alone_has_a_thread_more() {
        let sharing = |cores, most| {
            let Encoders { at_once, threads } = Encoders::sharing(cores, most);
            (at_once, threads)
        };
        assert_eq!(sharing(2, 10), (2, 1));
        assert_eq!(sharing(2, 1), (1, 3));
        assert_eq!(sharing(8, 2), (2, 4));
        assert_eq!(sharing(5, 2), (2, 3));
        assert_eq!(sharing(1, 9), (1, 2));
        assert_eq!(sharing(4, 0), (1, 6));
    }
}
