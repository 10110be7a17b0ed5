//! Slides in, a verified file out.
//!
//! A thread draws the next slide while this one is encoded; a slide that stands
//! still is one picture, which all of its frames refer to.

use std::path::Path;

use crossbeam_channel::{Receiver, Sender};
use rayon::prelude::*;

use super::timeline::{Span, Timeline};
use super::{Audience, Film};
use crate::delivery;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::media::verify::verify_film;
use crate::media::{Chapter, Encoder, Frame, Muxer, Picture, Setup, VideoTiming};
use crate::recipe::Video;
use crate::values;

/// What became of a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Its frames.
    pub frames: u64,
    /// Slides that were left out.
    pub left_out: usize,
}

/// Renders `film` to `target`: H.264 yuv420p in mp4, bt709, faststart, a key frame
/// and a chapter a slide.
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
        verify_film(part, ended.frames, cancel)?;
        made = Some(ended);
        Ok(())
    })?;
    made.ok_or_else(|| Error::failed("the film was not made"))
}

type Drawing = (usize, Result<Picture>);

/// Draws slide after slide until nobody wants more.
fn draw_all(film: &Film, sender: &Sender<Drawing>) {
    for (number, slide) in film.slides.iter().enumerate() {
        if sender.send((number, (slide.draw)())).is_err() {
            return;
        }
    }
}

/// The slides as they are drawn.
struct Drawn {
    receiver: Receiver<Drawing>,
    left_out: usize,
}

impl Drawn {
    /// The next one that could be drawn.
    fn next(&mut self, audience: &mut dyn Audience) -> Result<Option<(usize, Picture)>> {
        for (number, drawn) in &self.receiver {
            match drawn {
                Ok(picture) => return Ok(Some((number, picture))),
                Err(error) => {
                    audience.lost(number, error)?;
                    self.left_out += 1;
                }
            }
        }
        Ok(None)
    }
}

/// What turns slides into packets.
struct Projector<'a, 'f> {
    film: &'a Film<'f>,
    slides: Drawn,
    first: Option<(usize, Picture)>,
    encoder: Encoder,
    muxer: Muxer,
    cancel: &'a Cancel,
    audience: &'a mut dyn Audience,
    // The next frame's number, and the frames there will be.
    frame: u64,
    all: u64,
}

impl<'a, 'f> Projector<'a, 'f> {
    fn start(
        film: &'a Film<'f>,
        mut slides: Drawn,
        part: &Path,
        cancel: &'a Cancel,
        audience: &'a mut dyn Audience,
    ) -> Result<Self> {
        let Some((number, first)) = slides.next(audience)? else {
            return Err(Error::failed(
                "a film needs at least one picture, and there is none that can be read",
            ));
        };
        let options = [("movflags".to_owned(), "+faststart".to_owned())];
        let mut muxer = Muxer::create(part, "mp4", &options, 1, cancel)?;
        muxer.set_tag("title", &film.title);
        let threads = values::cores();
        let setup = Setup {
            threads,
            global_header: muxer.wants_global_header(),
            bit_exact: false,
        };
        let timing = VideoTiming {
            time_base: crate::job::Ratio::new(film.rate.den, film.rate.num).into(),
            frame_rate: film.rate.into(),
        };
        let spec = video(film).encoder_spec(threads);
        let encoder = Encoder::video(&spec, &first.at(0)?, timing, setup)?;
        muxer.encoded(0, &encoder.encoded()?, None, None)?;
        Ok(Self {
            first: Some((number, first)),
            all: film.frames(),
            film,
            slides,
            encoder,
            muxer,
            cancel,
            audience,
            frame: 0,
        })
    }

    fn run(mut self) -> Result<Made> {
        let mut timeline = Timeline::new(self.film.rate);
        let mut current = self.first.take();
        while let Some((number, picture)) = current {
            let span = timeline.next(self.film.slides[number].seconds);
            self.chapter(number, span)?;
            current = self.slide(number, &picture, span)?;
        }
        let muxer = &mut self.muxer;
        self.encoder.encode(None, |packet| muxer.write(0, packet))?;
        self.muxer.finish()?;
        Ok(Made {
            frames: self.frame,
            left_out: self.slides.left_out,
        })
    }

    /// Shows a slide and its transition to the next one, which is given back.
    fn slide(
        &mut self,
        number: usize,
        picture: &Picture,
        span: Span,
    ) -> Result<Option<(usize, Picture)>> {
        let transition = self.film.slides[number].transition;
        let alone = span.transition_start(transition, self.film.rate);
        self.encoder.key_next();
        while self.frame < alone {
            self.show(picture)?;
        }
        let next = self.slides.next(self.audience)?;
        self.count_again(number, span, next.as_ref().map(|(number, _)| *number));
        let Some((_, other)) = &next else {
            // The last one stands to the end.
            while self.frame < span.end {
                self.show(picture)?;
            }
            return Ok(next);
        };
        let all = span.end - alone;
        let at_once = values::cores().max(1) as u64 * 2;
        while self.frame < span.end {
            let from = self.frame - alone;
            let frames: Vec<Picture> = (from..all.min(from + at_once))
                .into_par_iter()
                .map(|number| transition.frame((picture, other), number, all))
                .collect::<Result<_>>()?;
            for frame in &frames {
                self.show(frame)?;
            }
        }
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

    fn show(&mut self, picture: &Picture) -> Result<()> {
        if self.cancel.is_set() {
            return Err(Error::interrupted());
        }
        let mut frame: Frame = picture.at(self.frame as i64)?;
        let muxer = &mut self.muxer;
        self.encoder
            .encode(Some(&mut frame), |packet| muxer.write(0, packet))?;
        self.frame += 1;
        self.audience.progress(self.frame, self.all.max(self.frame));
        Ok(())
    }

    /// The muxer takes chapters until it finishes: which slides there are is known by then.
    fn chapter(&mut self, number: usize, span: Span) -> Result<()> {
        let (start_ms, end_ms) = span.ms(self.film.rate);
        self.muxer.add_chapter(&Chapter {
            start_ms,
            end_ms,
            title: self.film.slides[number].title.clone(),
        })
    }
}

/// Key frames where slides begin, so that players find chapters at once, and now and
/// then within long ones; GOPs are closed.
fn video(film: &Film) -> Video {
    let far = (film.rate.as_f64() * 10.0).round().max(1.0);
    let options = [
        ("g", far.to_string()),
        ("sc_threshold", "0".into()),
        ("forced-idr", "1".into()),
    ];
    Video {
        encoder: "libx264".into(),
        speed: Some(film.speed.clone()),
        rate: Some(film.quality),
        options: options
            .map(|(key, value): (&str, String)| (key.to_owned(), value))
            .to_vec(),
        ..Video::default()
    }
}
