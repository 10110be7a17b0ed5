//! Slides in, a verified file out.
//!
//! A thread draws slides ahead and cuts the film into parts; encoders work on these side by
//! side; what they made is written in order. A slide that stands still is one picture, which
//! all of its frames refer to. Frames that move, or go over into others, are drawn on all cores.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::Scope;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};

use super::output::Output;
use super::part::{Part, cut};
use super::reel::{Call, Encoders, Projector, Reel};
use super::timeline::Timeline;
use super::{Audience, Film};
use crate::delivery;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::media::heap;
use crate::media::verify::verify_film;
use crate::threads;

/// What became of a film.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Its frames.
    pub frames: u64,
    /// Slides that were left out.
    pub left_out: usize,
}

/// A picture of a film is larger, in bytes: two encoders of 1920×1080 kept a hundred MiB of them.
const LARGE: u64 = 1 << 20;

/// How often it is told how far it is.
const TOLD_EVERY: Duration = Duration::from_millis(50);

/// Renders `film` to `target`, whatever file has that name: 4:2:0, bt709, its index in front, a
/// key frame and a chapter a slide, as far as its format has these.
///
/// # Errors
/// Where the film cannot be encoded or written, no slide can be drawn, the system cannot read
/// a picture, the audience ends it, or `cancel` was set; then nothing is left behind.
pub fn render(
    film: &Film,
    target: &Path,
    cancel: &Cancel,
    audience: &mut dyn Audience,
) -> Result<Made> {
    render_as(film, (target, true), cancel, audience)
}

/// As [`render`]; a file that has the target's name goes only with `overwrite`.
///
/// # Errors
/// As [`render`], and where such a file has appeared.
pub fn render_as(
    film: &Film,
    (target, overwrite): (&Path, bool),
    cancel: &Cancel,
    audience: &mut dyn Audience,
) -> Result<Made> {
    let mut made = None;
    heap::give_back_from(LARGE);
    delivery::place(target, overwrite, |part| {
        let output = Output::create(film, part, cancel)?;
        let ended = Stage::new(film, cancel).run(output, audience)?;
        let heard_s = ended.frames as f64 / film.rate.as_f64();
        let heard_s = film.music.as_ref().map(|_| heard_s);
        verify_film(part, ended.frames, heard_s, cancel)?;
        made = Some(ended);
        Ok(())
    })?;
    made.ok_or_else(|| Error::failed("the film was not made"))
}

/// What the threads tell.
enum Event {
    /// Slide `.0` cannot be drawn.
    Lost(usize, Error),
    /// Some of a part is encoded.
    Reel(Reel),
    /// One cannot be.
    Failed(Error),
}

/// What all threads share.
struct Stage<'a, 'f> {
    film: &'a Film<'f>,
    cancel: &'a Cancel,
    encoders: Encoders,
    // Frames that were encoded.
    shown: AtomicU64,
    // Whether all are to stop.
    ended: AtomicBool,
}

impl<'a, 'f> Stage<'a, 'f> {
    fn new(film: &'a Film<'f>, cancel: &'a Cancel) -> Self {
        Self {
            film,
            cancel,
            encoders: Encoders::of(film),
            shown: AtomicU64::new(0),
            ended: AtomicBool::new(false),
        }
    }

    fn run(&self, output: Output, audience: &mut dyn Audience) -> Result<Made> {
        let shown: &Call = &|| self.show_one();
        let global_header = output.wants_global_header();
        std::thread::scope(|scope| {
            // One that is drawn, one at each encoder, and one that waits for those before it.
            let (permit, permits) = bounded(self.encoders.at_once + 2);
            let (give, parts) = bounded(0);
            let (tell, events) = unbounded();
            let script = Script {
                parts: give,
                permits,
                events: tell.clone(),
            };
            spawn(scope, "slides", move || self.draw_all(&script))?;
            for _ in 0..self.encoders.at_once {
                let (parts, tell) = (parts.clone(), tell.clone());
                spawn(scope, "encoder", move || {
                    let take = |reel| drop(tell.send(Event::Reel(reel)));
                    let told: (&Call, &dyn Fn(Reel)) = (shown, &take);
                    let projector = Projector::new(self.film, self.encoders, global_header, told);
                    encode_all(projector, &parts, &tell);
                })?;
            }
            drop((parts, tell));
            let ended = self.write_all(output, &events, &permit, audience);
            self.ended.store(true, Ordering::Relaxed);
            ended
        })
    }

    /// Draws slide after slide, and hands on parts as fast as they are wanted.
    fn draw_all(&self, script: &Script<'f>) {
        let slides = self.film.slides.iter().enumerate();
        let slides = slides.take_while(|_| !self.ended.load(Ordering::Relaxed));
        let drawn = slides.filter_map(|(number, slide)| match (slide.draw)() {
            Ok(shot) => Some((number, shot)),
            Err(error) => {
                let _ = script.events.send(Event::Lost(number, error));
                None
            }
        });
        cut(self.film, drawn, |part| {
            script.permits.recv().is_ok() && script.parts.send(part).is_ok()
        });
    }

    /// One frame more; fails where there are to be no more.
    fn show_one(&self) -> Result<()> {
        if self.cancel.is_set() || self.ended.load(Ordering::Relaxed) {
            return Err(Error::interrupted());
        }
        self.shown.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Writes what the threads tell of, part by part.
    fn write_all(
        &self,
        mut output: Output,
        events: &Receiver<Event>,
        permit: &Sender<()>,
        audience: &mut dyn Audience,
    ) -> Result<Made> {
        let (mut waiting, mut next) = (BTreeMap::<usize, Vec<Reel>>::new(), 0);
        let (mut lost, mut all, mut told) = (vec![], self.film.frames(), 0);
        audience.progress(0, all);
        while permit.try_send(()).is_ok() {}
        loop {
            match events.recv_timeout(TOLD_EVERY) {
                // A film without it would look complete to the next run.
                Ok(Event::Lost(_, error)) if error.is_no_damage() => return Err(error),
                Ok(Event::Lost(number, error)) => {
                    audience.lost(number, error)?;
                    lost.push(number);
                    all = self.frames_without(&lost);
                }
                Ok(Event::Reel(reel)) => waiting.entry(reel.number).or_default().push(reel),
                Ok(Event::Failed(error)) => return Err(error),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            while let Some(reels) = waiting.remove(&next) {
                for reel in reels {
                    if output.add(reel)? {
                        next += 1;
                        let _ = permit.try_send(());
                    }
                }
            }
            let done = self.shown.load(Ordering::Relaxed);
            if done > told {
                told = done;
                audience.progress(done, all.max(done));
            }
        }
        let frames = output.frames();
        if frames == 0 {
            return Err(Error::failed(
                "a film needs at least one picture, and there is none that can be read",
            ));
        }
        output.finish()?;
        Ok(Made {
            frames,
            left_out: lost.len(),
        })
    }

    /// Slides that are left out make the film shorter.
    fn frames_without(&self, lost: &[usize]) -> u64 {
        let slides = self.film.slides.iter().enumerate();
        let left = slides.filter(|(number, _)| !lost.contains(number));
        Timeline::length(self.film.rate, left.map(|(_, slide)| slide.seconds))
    }
}

fn spawn<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let thread = std::thread::Builder::new().name(name.into());
    let spawned = thread.spawn_scoped(scope, work);
    spawned
        .map(drop)
        .map_err(|error| threads::cannot_start().because(error))
}

/// Where the thread that draws finds whether another part is wanted, and hands it to.
struct Script<'f> {
    parts: Sender<Part<'f>>,
    permits: Receiver<()>,
    events: Sender<Event>,
}

/// Encodes what comes until nothing more does, or nobody wants it.
fn encode_all<'f>(
    mut projector: Projector<'_, 'f>,
    parts: &Receiver<Part<'f>>,
    events: &Sender<Event>,
) {
    for part in parts {
        if let Err(error) = projector.encode(&part) {
            let _ = events.send(Event::Failed(error));
            return;
        }
    }
}
