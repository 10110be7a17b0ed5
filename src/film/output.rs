//! Pictures and music into one file, by the same encoder and muxer as transcodes.

use std::ops::Range;
use std::path::Path;

use super::Film;
use super::music::Player;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::media::{
    Chapter, Encoded, Encoder, Frame, Graph, Muxer, Picture, Setup, Sound, VideoTiming,
};
use crate::recipe::{EncoderSpec, MUSIC_RATE, music};
use crate::values;

/// A film being written.
pub(super) struct Output<'a> {
    filter: Option<Graph>,
    encoder: Encoder,
    encoded: Encoded,
    setup: Setup,
    sound: Option<(Sound, Player<'a>)>,
    muxer: Muxer,
    rate: Ratio,
    cancel: Cancel,
    frames: u64,
}

/// What holds for an encoder from its first frame on.
#[derive(Clone, Copy)]
pub(super) struct Beginning<'a> {
    /// A picture of the film.
    pub like: &'a Picture,
    /// Frames that repeat the one before, counted from the first.
    pub repeats: &'a [Range<u64>],
}

/// The file's streams.
const PICTURES: usize = 0;
const MUSIC: usize = 1;

impl<'a> Output<'a> {
    /// Begins `film` as the file `part`.
    pub(super) fn create(
        film: &'a Film,
        part: &Path,
        first: Beginning,
        cancel: &Cancel,
    ) -> Result<Self> {
        let format = film.encoding.format;
        let (name, options) = format.muxer();
        let heard = film.music.as_ref().zip(film.encoding.audio());
        let streams = 1 + usize::from(heard.is_some());
        let mut muxer = Muxer::create(part, &name, &options, streams, cancel)?;
        muxer.set_tag("title", &film.title);
        let setup = Setup {
            threads: threads(),
            global_header: muxer.wants_global_header(),
            bit_exact: false,
        };
        let (filter, encoder) = pictures(film, first, setup)?;
        let encoded = encoder.encoded()?;
        muxer.encoded(PICTURES, &encoded, None, None)?;
        let sound = match heard {
            Some((played, audio)) => {
                let sound = Sound::open(&music(&audio), MUSIC_RATE, setup)?;
                muxer.encoded(MUSIC, &sound.encoder().encoded()?, None, None)?;
                Some((sound, Player::new(played, film.seconds())))
            }
            None => None,
        };
        Ok(Self {
            filter,
            encoder,
            encoded,
            setup,
            sound,
            muxer,
            rate: film.rate,
            cancel: cancel.clone(),
            frames: 0,
        })
    }

    /// Frames so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Goes on with an encoder that knows of other repeats, at a frame that nothing refers
    /// across; with the same one, where it heeds none.
    pub(super) fn begin_again(&mut self, film: &Film, first: Beginning) -> Result<()> {
        if !spec(film, self.setup.threads).heeds_repeats() {
            return Ok(());
        }
        self.encode(None)?;
        let (_, encoder) = pictures(film, first, self.setup)?;
        if !encoder.encoded()?.is_as(&self.encoded) {
            let what = "two encoders of the same settings write different headers";
            return Err(Error::failed(what).cure("report it; --format webm does without"));
        }
        self.encoder = encoder;
        Ok(())
    }

    /// Has the next frame found at once by players.
    pub(super) fn key_next(&mut self) {
        self.encoder.key_next();
    }

    /// Shows `picture` for a frame, and has the music follow.
    pub(super) fn show(&mut self, picture: &Picture) -> Result<()> {
        if self.cancel.is_set() {
            return Err(Error::interrupted());
        }
        let mut frame: Frame = picture.at(self.frames as i64)?;
        match &mut self.filter {
            Some(filter) => {
                filter.push(&frame)?;
                self.filtered()?;
            }
            None => self.encode(Some(&mut frame))?,
        }
        self.frames += 1;
        let (until, muxer) = (self.sample(), &mut self.muxer);
        match &mut self.sound {
            Some((sound, player)) => player.follow(until, |samples| {
                sound.encode(samples, |packet| muxer.write(MUSIC, packet))
            }),
            None => Ok(()),
        }
    }

    /// The sample of music at which the next frame begins.
    fn sample(&self) -> u64 {
        let (num, den) = (self.rate.num.max(1) as u64, self.rate.den.max(1) as u64);
        let samples = self.frames * den * u64::from(MUSIC_RATE);
        (samples + num / 2) / num
    }

    fn encode(&mut self, frame: Option<&mut Frame>) -> Result<()> {
        let muxer = &mut self.muxer;
        self.encoder
            .encode(frame, |packet| muxer.write(PICTURES, packet))
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

    /// The muxer takes chapters until it finishes: which slides there are is known by then.
    pub(super) fn chapter(&mut self, chapter: &Chapter) -> Result<()> {
        self.muxer.add_chapter(chapter)
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> Result<()> {
        if let Some(filter) = &mut self.filter {
            filter.close(self.frames as i64)?;
        }
        self.filtered()?;
        self.encode(None)?;
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

/// Frames wait for those before them while they are encoded: with half as many
/// threads again as there are cores, none of these does.
fn threads() -> usize {
    let cores = values::cores();
    cores + (cores / 2).max(1)
}

fn spec(film: &Film, threads: usize) -> EncoderSpec {
    film.encoding.video(film.rate).encoder_spec(threads)
}

/// What takes pictures from `first` on.
fn pictures(film: &Film, first: Beginning, setup: Setup) -> Result<(Option<Graph>, Encoder)> {
    let Beginning { like, repeats } = first;
    let timing = VideoTiming {
        time_base: Ratio::new(film.rate.den, film.rate.num).into(),
        frame_rate: film.rate.into(),
    };
    let mut spec = spec(film, setup.threads);
    spec.tell_repeats(repeats);
    spec.width = Some(like.size().0);
    let open = |like: &Picture| Encoder::video(&spec, &like.at(0)?, timing, setup);
    match film.encoding.format.filter() {
        Some(filter) => {
            let (base, rate) = (timing.time_base, timing.frame_rate);
            let graph = Graph::new(&like.at(0)?, base, rate, filter, setup.threads)?;
            Ok((Some(graph), open(&like.share()?.filtered(filter)?)?))
        }
        None => Ok((None, open(like)?)),
    }
}
