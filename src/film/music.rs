//! The music of a film: files one after the other, again from the first once all
//! were heard, faded in, and out at the film's end.
//!
//! Files are decoded as all untrusted media are: by workers that can reach nothing
//! else. What comes back is bare samples, which nothing has to interpret.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::delivery::Scratch;
use crate::dispatch::Cancel;
use crate::engine::{Dispatch, Engine, JobError, Watch};
use crate::error::{Error, Kind, Result};
use crate::job::{Job, Limits, MediaJob, Work};
use crate::media::verify::Depth;
use crate::recipe::{MUSIC_CHANNELS, MUSIC_RATE, samples};

/// How long music takes to come in, and to go; of a short film, a quarter at most.
const FADE_IN_S: f64 = 1.0;
const FADE_OUT_S: f64 = 2.0;

/// Samples of both channels that are worked on at once.
const BLOCK: u64 = 4096;

/// Bytes of a sample of both channels.
const SAMPLE: u64 = 2 * MUSIC_CHANNELS as u64;

/// Decoded music.
#[derive(Debug)]
pub struct Music(Vec<Piece>);

/// The samples of one file.
#[derive(Debug)]
struct Piece {
    // Has no name any more: it is gone with this process, however that ends.
    file: Scratch,
    samples: u64,
}

impl Music {
    /// Decodes `files`, as much of them as a film of this number of seconds can use, to files
    /// beside the `film`: there, the next run removes them if this one is killed.
    ///
    /// # Errors
    /// Names the file that cannot be read, or has no sound in it.
    pub fn decode(files: &[PathBuf], seconds: f64, film: &Path, cancel: &Cancel) -> Result<Self> {
        let engine = Dispatch::Workers.engine(Limits::default())?;
        let mut pieces = Vec::new();
        let mut left_s = seconds;
        for file in files {
            let scratch = Scratch::beside(film)?;
            let piece = Piece::decode(file, (left_s, scratch), engine.as_ref(), cancel)
                .map_err(|error| unusable(file, error))?;
            left_s = (left_s - piece.samples as f64 / f64::from(MUSIC_RATE)).max(0.001);
            pieces.push(piece);
        }
        Ok(Self(pieces))
    }
}

fn unusable(file: &Path, error: Error) -> Error {
    if error.kind() == Kind::Interrupted {
        return error;
    }
    Error::usage(format!("cannot use '{}' as music", file.display()))
        .because(error.line())
        .cure("give --music files that have sound in them, such as mp3, m4a, ogg or wav")
}

impl Piece {
    fn decode(
        source: &Path,
        (seconds, mut scratch): (f64, Scratch),
        engine: &dyn Engine,
        cancel: &Cancel,
    ) -> Result<Self> {
        let limits = Limits::default();
        let mut untold = |_| {};
        let mut watch = Watch::new(cancel, &mut untold).within(limits);
        let plain = |failure: JobError| failure.error;
        let read = |error| Error::failed("it cannot be read").because(error);
        let metadata = std::fs::metadata(source).map_err(read)?;
        if !metadata.is_file() {
            return Err(Error::failed("it is no file"));
        }
        let info = engine.probe(source, &mut watch).map_err(plain)?.info;
        let pipeline = samples(&info, seconds)
            .ok_or_else(|| Error::failed("there is no sound in it that can be decoded"))?;
        let job = Job {
            id: 0,
            name: source.display().to_string(),
            work: Work::Media(Arc::new(MediaJob {
                source: source.to_owned(),
                targets: vec![scratch.path().to_owned()],
                pipeline,
                duration_s: info.duration_s,
                claimed_s: None,
                verify: Depth::Quick,
                source_bytes: metadata.len(),
                overwrite: vec![],
                replace: false,
            })),
            cost: 0.0,
            kind: String::new(),
        };
        let targets = [scratch.path().to_owned()];
        engine.run(&job, &targets, &mut watch).map_err(plain)?;
        let samples = scratch.unname()?.metadata().map_err(read)?.len() / SAMPLE;
        match samples {
            0 => Err(Error::failed("there is no sound in it that can be decoded")),
            _ => Ok(Self {
                file: scratch,
                samples,
            }),
        }
    }
}

/// Music that is played from its beginning, sample by sample.
pub(super) struct Player<'a> {
    pieces: &'a [Piece],
    // The piece that is played, and its next sample.
    piece: usize,
    at: u64,
    // Samples played so far.
    played: u64,
    fade_in: u64,
    fade_out: u64,
}

impl<'a> Player<'a> {
    /// For a film of about so many seconds.
    pub(super) fn new(music: &'a Music, seconds: f64) -> Self {
        let fade = |most: f64| (most.min(seconds / 4.0) * f64::from(MUSIC_RATE)) as u64;
        Self {
            pieces: &music.0,
            piece: 0,
            at: 0,
            played: 0,
            fade_in: fade(FADE_IN_S),
            fade_out: fade(FADE_OUT_S),
        }
    }

    /// Plays on until sample `until`, but for what may have to be faded out, and hands
    /// the samples to `take`.
    ///
    /// # Errors
    /// Where the samples cannot be read, and what `take` fails with.
    pub(super) fn follow(
        &mut self,
        until: u64,
        mut take: impl FnMut(&[i16]) -> Result<()>,
    ) -> Result<()> {
        while self.played + BLOCK + self.fade_out <= until {
            self.block(BLOCK, None, &mut take)?;
        }
        Ok(())
    }

    /// Plays to the end, which is at sample `end`.
    ///
    /// # Errors
    /// As [`Player::follow`].
    pub(super) fn finish(
        &mut self,
        end: u64,
        mut take: impl FnMut(&[i16]) -> Result<()>,
    ) -> Result<()> {
        while self.played < end {
            let count = (end - self.played).min(BLOCK);
            self.block(count, Some(end), &mut take)?;
        }
        Ok(())
    }

    /// Plays so many samples.
    fn block(
        &mut self,
        count: u64,
        end: Option<u64>,
        take: &mut dyn FnMut(&[i16]) -> Result<()>,
    ) -> Result<()> {
        let mut samples = self.read(count)?;
        let numbers = self.played..;
        for (both, number) in samples.chunks_exact_mut(MUSIC_CHANNELS).zip(numbers) {
            let gain = self.gain(number, end);
            if gain < 1.0 {
                for sample in both {
                    *sample = (f64::from(*sample) * gain).round() as i16;
                }
            }
        }
        self.played += count;
        take(&samples)
    }

    /// How loud sample `number` is, from 0 to 1.
    fn gain(&self, number: u64, end: Option<u64>) -> f64 {
        let share = |at: u64, of: u64| match of {
            0 => 1.0,
            _ => (at as f64 / of as f64).min(1.0),
        };
        let smooth = |t: f64| t * t * (3.0 - 2.0 * t);
        let before_end = end.map_or(u64::MAX, |end| end.saturating_sub(number + 1));
        smooth(share(number, self.fade_in)) * smooth(share(before_end, self.fade_out))
    }

    /// The next samples, from piece to piece.
    fn read(&mut self, count: u64) -> Result<Vec<i16>> {
        let mut bytes = vec![0; (count * SAMPLE) as usize];
        let mut rest = &mut bytes[..];
        while !rest.is_empty() {
            let piece = &self.pieces[self.piece];
            let wanted = (rest.len() as u64 / SAMPLE).min(piece.samples - self.at);
            let (now, later) = rest.split_at_mut((wanted * SAMPLE) as usize);
            piece
                .file
                .file()
                .read_exact_at(now, self.at * SAMPLE)
                .map_err(|error| Error::failed("cannot read decoded music").because(error))?;
            rest = later;
            self.at += wanted;
            if self.at == piece.samples {
                self.at = 0;
                self.piece = (self.piece + 1) % self.pieces.len();
            }
        }
        let samples = bytes.chunks_exact(2);
        Ok(samples
            .map(|two| i16::from_le_bytes([two[0], two[1]]))
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn piece(samples: u64, level: i16) -> Piece {
        let folder = tempfile::tempdir().unwrap();
        let mut file = Scratch::beside(&folder.path().join("film.mp4")).unwrap();
        file.unname().unwrap();
        let both = [level, -level].map(i16::to_le_bytes).concat();
        file.file()
            .write_all(&both.repeat(samples as usize))
            .unwrap();
        Piece { file, samples }
    }

    /// All samples of the left channel of `seconds`, told of second by second.
    fn played(music: &Music, seconds: u64, planned_s: f64) -> Vec<i16> {
        let mut player = Player::new(music, planned_s);
        let mut left = Vec::new();
        let mut take = |samples: &[i16]| {
            left.extend(samples.iter().step_by(2));
            Ok(())
        };
        for second in 0..=seconds {
            player.follow(second * 48_000, &mut take).unwrap();
        }
        player.finish(seconds * 48_000, &mut take).unwrap();
        left
    }

    #[test]
    fn pieces_follow_each_other_and_begin_again_and_fade_at_both_ends() {
        let music = Music(vec![piece(48_000, 1000), piece(24_000, 3000)]);
        let left = played(&music, 12, 12.0);
        assert_eq!(left.len(), 12 * 48_000);
        assert!(left[0] == 0 && *left.last().unwrap() == 0);
        assert!(left[..48_000].is_sorted());
        let level = |at_s: f64| left[(at_s * 48_000.0) as usize];
        assert_eq!([1.2, 2.0, 2.7, 4.2].map(level), [3000, 1000, 3000, 3000]);
        assert!(level(11.0) < 1000 && level(11.9) < 60);
    }

    #[test]
    fn a_film_that_became_shorter_than_planned_fades_out_at_its_end_all_the_same() {
        let music = Music(vec![piece(7_001, 1000)]);
        let left = played(&music, 5, 300.0);
        assert_eq!(left.len(), 5 * 48_000);
        assert_eq!((left[48_000 * 2], *left.last().unwrap()), (1000, 0));
        assert!(left[48_000 * 3..].is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn a_film_of_a_frame_has_music_of_a_frame() {
        let music = Music(vec![piece(3, 1000)]);
        let mut player = Player::new(&music, 0.04);
        let mut count = 0;
        let mut take = |samples: &[i16]| {
            count += samples.len() / 2;
            Ok(())
        };
        player.finish(1920, &mut take).unwrap();
        assert_eq!(count, 1920);
    }
}
