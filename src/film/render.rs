//! Slides in, a verified file out.
//!
//! A thread draws the next slide while this one is encoded; a slide that stands
//! still is one picture, which all of its frames refer to. Frames that move, or go
//! over into others, are drawn on all cores.

use std::ops::Range;
use std::path::Path;

use crossbeam_channel::{Receiver, Sender};
use rayon::prelude::*;

use super::output::{Beginning, Output};
use super::repeats::repeats;
use super::timeline::{Span, Timeline};
use super::{Audience, Film, Shot};
use crate::delivery;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::media::verify::verify_film;
use crate::media::{Chapter, Picture};
use crate::values;

/// What became of a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Its frames.
    pub frames: u64,
    /// Slides that were left out.
    pub left_out: usize,
}

/// Renders `film` to `target`: 4:2:0, bt709, its index in front, a key frame and a
/// chapter a slide, as far as its format has these.
///
/// # Errors
/// Where the film cannot be encoded or written, no slide can be drawn, the audience
/// ends it, or `cancel` was set; then nothing is left behind.
pub fn render(
    film: &Film,
    target: &Path,
    cancel: &Cancel,
    audience: &mut dyn Audience,
) -> Result<Made> {
    let mut made = None;
    delivery::place(target, |part| {
        // One that waits at most: with those on screen there are four.
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let ended = std::thread::scope(|scope| {
            std::thread::Builder::new()
                .name("slides".into())
                .spawn_scoped(scope, move || draw_all(film, &sender))
                .map_err(|error| Error::failed("cannot start a thread").because(error))?;
            let slides = Drawn {
                receiver,
                left_out: 0,
            };
            Projector::start(film, slides, part, cancel, audience)?.run()
        })?;
        let heard_s = ended.frames as f64 / film.rate.as_f64();
        let heard_s = film.music.as_ref().map(|_| heard_s);
        verify_film(part, ended.frames, heard_s, cancel)?;
        made = Some(ended);
        Ok(())
    })?;
    made.ok_or_else(|| Error::failed("the film was not made"))
}

/// So many slides an encoder is told of at once: it keeps a list of them, which it
/// searches for every frame and writes into the file.
const OUTLOOK: usize = 300;

/// The slides from `number` on that an encoder is to be told of, and which of their
/// frames repeat the one before, if all of them can be drawn.
fn outlook(film: &Film, number: usize, timeline: &Timeline) -> (Range<usize>, Vec<Range<u64>>) {
    let slides = &film.slides[number..];
    let runs = repeats(slides, timeline.clone(), film.rate).take(OUTLOOK);
    let told = number..number + slides.len().min(OUTLOOK);
    (told, runs.flatten().collect())
}

type Drawing<'f> = (usize, Result<Shot<'f>>);

/// Draws slide after slide until nobody wants more.
fn draw_all<'f>(film: &Film<'f>, sender: &Sender<Drawing<'f>>) {
    for (number, slide) in film.slides.iter().enumerate() {
        if sender.send((number, (slide.draw)())).is_err() {
            return;
        }
    }
}

/// The slides as they are drawn.
struct Drawn<'f> {
    receiver: Receiver<Drawing<'f>>,
    left_out: usize,
}

impl<'f> Drawn<'f> {
    /// The next one that could be drawn, with its number.
    fn next(&mut self, audience: &mut dyn Audience) -> Result<Option<(usize, Shot<'f>)>> {
        for (number, drawn) in &self.receiver {
            match drawn {
                Ok(shot) => return Ok(Some((number, shot))),
                Err(error) => {
                    audience.lost(number, error)?;
                    self.left_out += 1;
                }
            }
        }
        Ok(None)
    }
}

/// What turns slides into frames.
struct Projector<'a, 'f> {
    film: &'a Film<'f>,
    slides: Drawn<'f>,
    first: Option<(usize, Shot<'f>)>,
    output: Output<'a>,
    audience: &'a mut dyn Audience,
    // The slides that the encoder knows of and that are still to come.
    told: Range<usize>,
    // The frames there will be.
    all: u64,
}

impl<'a, 'f> Projector<'a, 'f> {
    fn start(
        film: &'a Film<'f>,
        mut slides: Drawn<'f>,
        part: &Path,
        cancel: &'a Cancel,
        audience: &'a mut dyn Audience,
    ) -> Result<Self> {
        let Some((number, first)) = slides.next(audience)? else {
            return Err(Error::failed(
                "a film needs at least one picture, and there is none that can be read",
            ));
        };
        let (told, repeats) = outlook(film, number, &Timeline::new(film.rate));
        let beginning = Beginning {
            like: &first.at(0.0)?,
            repeats: &repeats,
        };
        Ok(Self {
            output: Output::create(film, part, beginning, cancel)?,
            told,
            first: Some((number, first)),
            all: film.frames(),
            film,
            slides,
            audience,
        })
    }

    fn run(mut self) -> Result<Made> {
        let mut timeline = Timeline::new(self.film.rate);
        let mut current = self.first.take();
        while let Some((number, shot)) = current {
            self.look_ahead(number, &shot, &timeline)?;
            let span = timeline.next(self.film.slides[number].seconds);
            self.chapter(number, span)?;
            current = self.slide(number, &shot, span)?;
        }
        let frames = self.output.frames();
        self.output.finish()?;
        Ok(Made {
            frames,
            left_out: self.slides.left_out,
        })
    }

    /// Sees to it that the encoder knows when slide `number` and those after it stand still.
    fn look_ahead(&mut self, number: usize, shot: &Shot, timeline: &Timeline) -> Result<()> {
        // Where slides were left out, all that was told is of another time.
        if self.told.start != number || self.told.is_empty() {
            let (told, repeats) = outlook(self.film, number, timeline);
            self.told = told;
            let beginning = Beginning {
                like: &shot.at(0.0)?,
                repeats: &repeats,
            };
            self.output.begin_again(self.film, beginning)?;
        }
        self.told.start += 1;
        Ok(())
    }

    /// Shows a slide and its transition to the next one, which is given back.
    fn slide(
        &mut self,
        number: usize,
        shot: &Shot,
        span: Span,
    ) -> Result<Option<(usize, Shot<'f>)>> {
        let (transition, rate) = (self.film.slides[number].transition, self.film.rate);
        let alone = span.transition_start(transition, rate);
        let since = |start: u64, frame: u64| (frame as f64 - start as f64) / rate.as_f64();
        self.output.key_next();
        self.show(span.start..alone, |frame| shot.at(since(span.start, frame)))?;
        let next = self.slides.next(self.audience)?;
        self.count_again(number, span, next.as_ref().map(|(number, _)| *number));
        let Some((_, other)) = &next else {
            // The last one stands to the end.
            self.show(alone..span.end, |frame| shot.at(since(span.start, frame)))?;
            return Ok(next);
        };
        self.show(alone..span.end, |frame| {
            let both = (
                &shot.at(since(span.start, frame))?,
                &other.at(since(span.end, frame))?,
            );
            transition.frame(both, frame - alone, span.end - alone)
        })?;
        Ok(next)
    }

    /// Slides that were left out make the film shorter.
    fn count_again(&mut self, number: usize, span: Span, next: Option<usize>) {
        if self.slides.left_out > 0 {
            let rest = next.map_or(&[][..], |next| &self.film.slides[next.max(number)..]);
            let rest = rest.iter().map(|slide| slide.seconds);
            self.all = span.end + Timeline::length(self.film.rate, rest);
        }
    }

    /// Shows what `draw` gives for each of `frames`.
    fn show(
        &mut self,
        frames: Range<u64>,
        draw: impl Fn(u64) -> Result<Picture> + Sync,
    ) -> Result<()> {
        let at_once = values::cores().max(1) * 2;
        for first in frames.clone().step_by(at_once) {
            let some = first..frames.end.min(first + at_once as u64);
            let drawn: Vec<Picture> = some.into_par_iter().map(&draw).collect::<Result<_>>()?;
            for picture in &drawn {
                self.output.show(picture)?;
                let done = self.output.frames();
                self.audience.progress(done, self.all.max(done));
            }
        }
        Ok(())
    }

    fn chapter(&mut self, number: usize, span: Span) -> Result<()> {
        let (start_ms, end_ms) = span.ms(self.film.rate);
        self.output.chapter(&Chapter {
            start_ms,
            end_ms,
            title: self.film.slides[number].title.clone(),
        })
    }
}
