//! Pictures of a source that is read from its beginning on.

use std::sync::atomic::{AtomicUsize, Ordering};

use ffmpeg_next::{Frame, Packet, Rational};
use rayon::Scope;

use super::chooser::Chooser;
use super::studio::Studio;
use crate::engine::Ran;
use crate::error::{Error, Result};
use crate::media::decode::Decoder;
use crate::media::frame::same_frame;
use crate::media::probe::frame_rate;
use crate::media::survey::Survey;
use crate::threads;

/// Takes all pictures of `studio`; idle threads of the pool finish them.
pub(super) fn run(studio: &Studio) -> Result<Ran> {
    let waiting = AtomicUsize::new(0);
    let ran = threads::scope(|scope| {
        let desk = Desk {
            studio,
            scope,
            waiting: &waiting,
            times: vec![],
        };
        Reading::run(studio, desk)
    });
    studio.ended(ran)
}

/// Hands chosen frames out to be finished.
struct Desk<'scope, 'env, 'a, 'w> {
    studio: &'scope Studio<'a, 'w>,
    scope: &'env Scope<'scope>,
    // Frames that no thread has taken up yet.
    waiting: &'scope AtomicUsize,
    // Those of the pictures so far, in seconds.
    times: Vec<f64>,
}

impl Desk<'_, '_, '_, '_> {
    /// Frames are large: no more wait than there are threads.
    fn give(&mut self, time_s: f64, frame: &Frame) -> Result<()> {
        self.times.push(time_s);
        let number = self.times.len() as u64;
        let threads = self.studio.threads;
        let (studio, waiting) = (self.studio, self.waiting);
        if threads < 2 || waiting.load(Ordering::Relaxed) >= threads {
            return studio.picture(&[number], frame);
        }
        let frame = same_frame(frame)?;
        waiting.fetch_add(1, Ordering::Relaxed);
        self.scope.spawn(move |_| {
            waiting.fetch_sub(1, Ordering::Relaxed);
            studio.help(|| studio.picture(&[number], &frame));
        });
        Ok(())
    }
}

/// A source being read, and what is chosen of it.
struct Reading<'scope, 'env, 'a, 'w> {
    desk: Desk<'scope, 'env, 'a, 'w>,
    decoder: Decoder,
    chooser: Chooser<'scope>,
    time_base: Rational,
    decoded: u64,
}

impl<'scope, 'env, 'a, 'w> Reading<'scope, 'env, 'a, 'w> {
    fn run(studio: &'scope Studio<'a, 'w>, desk: Desk<'scope, 'env, 'a, 'w>) -> Result<Ran> {
        let (mut input, decoder) = studio.open()?;
        let mut survey = Survey::of(&[studio.stream]);
        survey.start_us = input.start_us();
        let mut reading = Self {
            desk,
            decoder,
            chooser: Chooser::new(studio.way, frame_rate(&input, studio.stream).into()),
            time_base: input.time_base(studio.stream),
            decoded: 0,
        };
        let mut ended = false;
        while !ended && !reading.chooser.is_done() {
            let packet = match input.read() {
                Ok(packet) => packet,
                Err(error) if error.is_no_damage() => return Err(error),
                // What cannot be read on ends here; that is told as damage is.
                Err(error) => {
                    survey.ended_early = Some(error.chain());
                    None
                }
            };
            ended = packet.is_none();
            if let Some(packet) = &packet {
                if packet.stream() != studio.stream {
                    continue;
                }
                survey.note(packet, reading.time_base);
            }
            reading.take(packet)?;
            if let Some(expected) = reading.decoder.expected() {
                input.expect(studio.stream, expected);
            }
            studio.advance(survey.end_s())?;
        }
        survey.has_jumped = input.has_jumped();
        survey.damage = input.damage();
        Ok(reading.ran(survey, ended))
    }

    /// Decodes `packet`; `None` is the end.
    fn take(&mut self, packet: Option<Packet>) -> Result<()> {
        let Self {
            desk,
            decoder,
            chooser,
            time_base,
            decoded,
        } = self;
        let ended = packet.is_none();
        let mut give = |time_s: f64, frame: &Frame| desk.give(time_s, frame);
        decoder.decode(packet, |frame, time_base| {
            *decoded += 1;
            chooser.take(&frame, time_base, &mut give)
        })?;
        if !ended {
            return Ok(());
        }
        if *decoded == 0 {
            return Err(Error::failed("no picture in it could be decoded"));
        }
        chooser.end(decoder.end(), *time_base, &mut give)
    }

    fn ran(self, survey: Survey, ended: bool) -> Ran {
        let damaged = self.decoder.damaged();
        let stream = self.desk.studio.stream;
        Ran {
            frames: vec![Some(self.desk.times.len() as u64)],
            media_s: survey.end_s(),
            damaged: (damaged > 0)
                .then_some((stream, damaged))
                .into_iter()
                .collect(),
            survey: ended.then_some(survey),
            log: vec![],
            pictures: self.desk.times,
        }
    }
}
