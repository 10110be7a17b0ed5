//! Encoded parts and music into one file, by the same muxer as transcodes.

use std::path::Path;

use super::Film;
use super::music::Player;
use super::reel::{Reel, setup};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::media::{Muxer, Sound};
use crate::recipe::{MUSIC_RATE, music};

/// A film being written.
pub(super) struct Output<'a> {
    muxer: Muxer,
    // Of what kind all parts are, once the first is there.
    kind: Option<u64>,
    sound: Option<(Sound, Player<'a>)>,
    rate: Ratio,
    frames: u64,
}

/// The file's streams.
const PICTURES: usize = 0;
const MUSIC: usize = 1;

impl<'a> Output<'a> {
    /// Begins `film` as the file `part`.
    pub(super) fn create(film: &'a Film, part: &Path, cancel: &Cancel) -> Result<Self> {
        let format = film.encoding.format;
        let (name, options) = format.muxer();
        let heard = film.music.as_ref().zip(film.encoding.audio());
        let streams = 1 + usize::from(heard.is_some());
        let mut muxer = Muxer::create(part, &name, &options, streams, cancel)?;
        muxer.set_tag("title", &film.title);
        let sound = match heard {
            Some((played, audio)) => {
                let setup = setup(muxer.wants_global_header(), 1);
                let sound = Sound::open(&music(&audio), MUSIC_RATE, setup)?;
                muxer.encoded(MUSIC, &sound.encoder().encoded()?, None, None)?;
                Some((sound, Player::new(played, film.seconds())))
            }
            None => None,
        };
        Ok(Self {
            muxer,
            kind: None,
            sound,
            rate: film.rate,
            frames: 0,
        })
    }

    /// Whether encoders are to leave what decoders must know to the file's header.
    pub(super) fn wants_global_header(&self) -> bool {
        self.muxer.wants_global_header()
    }

    /// Frames so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Adds what was encoded of the next frames, and has the music follow; whether a part
    /// ends with it.
    pub(super) fn add(&mut self, reel: Reel) -> Result<bool> {
        match (self.kind, reel.encoded) {
            (None, Some(encoded)) => {
                self.muxer.encoded(PICTURES, &encoded, None, None)?;
                self.kind = Some(encoded.kind());
            }
            (Some(kind), Some(encoded)) if kind != encoded.kind() => {
                let what = "two encoders of the same settings write different headers";
                return Err(Error::failed(what).cure("report it; --format webm does without"));
            }
            _ => {}
        }
        for packet in reel.packets {
            self.muxer.write(PICTURES, packet)?;
        }
        self.frames += reel.frames;
        let (until, muxer) = (self.sample(), &mut self.muxer);
        if let Some((sound, player)) = &mut self.sound {
            player.follow(until, |samples| {
                sound.encode(samples, |packet| muxer.write(MUSIC, packet))
            })?;
        }
        // Which slides there are is known at the end: muxers that have some chapters when they
        // write their header take no more later.
        for chapter in reel.chapters.iter().flatten() {
            self.muxer.add_chapter(chapter)?;
        }
        Ok(reel.chapters.is_some())
    }

    /// The sample of music at which the next frame begins.
    fn sample(&self) -> u64 {
        let (num, den) = (self.rate.num.max(1) as u64, self.rate.den.max(1) as u64);
        let samples = self.frames * den * u64::from(MUSIC_RATE);
        (samples + num / 2) / num
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> Result<()> {
        let (end, muxer) = (self.sample(), &mut self.muxer);
        if let Some((sound, player)) = &mut self.sound {
            player.finish(end, |samples| {
                sound.encode(samples, |packet| muxer.write(MUSIC, packet))
            })?;
            sound.finish(|packet| muxer.write(MUSIC, packet))?;
        }
        self.muxer.finish()
    }
}
