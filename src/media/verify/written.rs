//! A result, opened once: what its header says, what its packets say, and whether they decode.

use std::path::Path;

use super::wrong;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::MediaInfo;
use crate::media::Input;
use crate::media::decode::Decoder;
use crate::media::probe::describe;
use crate::media::survey::{Survey, read_all};

/// So many packets from the last key frame on tell whether what an encoder made can be
/// decoded: it is all of one kind, and that all of it was written is known from reading it.
/// A GOP may be of ten seconds: decoding it took a fifteenth of the time of a short clip.
pub(super) const ENOUGH: usize = 24;

/// Audio is decoded from this long before its last packet on. An audio decoder
/// drops what it needs to settle (80 ms of Opus), and a container cuts the last
/// packet off where the audio ends within it: FFmpeg 9.0 gives no frame of it then.
const AUDIO_BEFORE_US: i64 = 500_000;

/// What is decoded of a stream.
#[derive(Clone, Copy)]
pub(super) enum Stretch {
    /// All of it.
    Whole,
    /// What comes from the key frame before the last packet's time on.
    Last {
        /// No more packets than this.
        at_most: usize,
    },
}

/// What decoding a stretch came to.
pub(super) struct Decoded {
    /// Frames.
    pub(super) frames: u64,
    /// Packets that could not be decoded.
    pub(super) damaged: u64,
    /// Frames of video whose times are before those of frames shown earlier.
    pub(super) disordered: u64,
}

pub(super) fn undecodable(stream: usize) -> Error {
    wrong(format!("stream {stream} does not decode"))
}

/// A file that was written, read to its end.
pub(super) struct Written<'a> {
    path: &'a Path,
    // Opening a file decodes pictures to learn what its streams are: once is enough.
    input: Input,
    pub(super) info: MediaInfo,
    pub(super) survey: Survey,
}

impl<'a> Written<'a> {
    /// # Errors
    /// Where it cannot be opened, or that was cancelled.
    pub(super) fn open(path: &'a Path, cancel: &Cancel) -> Result<Self> {
        Self::read(path, cancel).map_err(|error| wrong("it does not open").because(error))
    }

    fn read(path: &'a Path, cancel: &Cancel) -> Result<Self> {
        let mut input = Input::open(path, None, cancel)?;
        let info = describe(&input);
        let streams: Vec<usize> = (0..info.streams.len()).collect();
        let survey = read_all(&mut input, &streams, cancel)?;
        Ok(Self {
            path,
            input,
            info,
            survey,
        })
    }

    /// Decodes a stretch of a stream.
    ///
    /// # Errors
    /// Where it has no decoder, cannot be read, or that was cancelled.
    pub(super) fn decode(
        &mut self,
        stream: usize,
        stretch: Stretch,
        cancel: &Cancel,
    ) -> Result<Decoded> {
        let mut left = self.go_to(stream, stretch, cancel)?;
        let input = &mut self.input;
        let mut decoder = Decoder::open(input, stream, 1)?;
        let mut frames = 0;
        while left > 0
            && let Some(packet) = input.read()?
        {
            if packet.stream() == stream {
                left -= 1;
                decoder.decode(Some(packet), |_, _| {
                    frames += 1;
                    Ok(())
                })?;
            }
            if cancel.is_set() {
                return Err(Error::interrupted());
            }
        }
        decoder.decode(None, |_, _| {
            frames += 1;
            Ok(())
        })?;
        Ok(Decoded {
            frames,
            damaged: decoder.damaged(),
            disordered: decoder.disordered(),
        })
    }

    /// Goes to where a stretch begins; how many packets it is of at most.
    fn go_to(&mut self, stream: usize, stretch: Stretch, cancel: &Cancel) -> Result<usize> {
        let last = self.survey.span(stream).and_then(|span| span.last_us);
        let is_audio = self
            .info
            .streams
            .get(stream)
            .is_some_and(|it| it.is_audio());
        let last = last.map(|last| {
            if is_audio {
                last - AUDIO_BEFORE_US
            } else {
                last
            }
        });
        let (last, at_most) = match stretch {
            Stretch::Last { at_most } if last.is_some() => (last, at_most),
            _ => (None, usize::MAX),
        };
        self.input.select(&[stream]);
        if !last.is_some_and(|last| self.input.seek_before(last)) {
            // Not every file can be brought back to its beginning.
            self.input = Input::open(self.path, Some(&self.info.format), cancel)?;
            self.input.select(&[stream]);
        }
        Ok(at_most)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::super::verify_film;
    use super::*;
    use crate::film::format::{Encoding, Format};
    use crate::film::transition::{Easing, Kind, Transition};
    use crate::film::{Audience, Film, Moving, Shot, Slide, render};
    use crate::job::Ratio;
    use crate::media::still;
    use crate::recipe::Size;

    const FRAMES: u64 = 60;
    const LAST: Stretch = Stretch::Last { at_most: ENOUGH };

    struct Nobody;

    impl Audience for Nobody {
        fn progress(&mut self, _: u64, _: u64) {}

        fn lost(&mut self, _: usize, error: Error) -> Result<()> {
            Err(error)
        }
    }

    /// A film of one GOP in which no two pictures are alike, with its bytes.
    fn film(folder: &Path) -> (PathBuf, Vec<u8>) {
        let (width, height) = (64, 48);
        let draw = move |seconds: f64| {
            let mut state = (seconds * 1000.0) as u32 | 1;
            let mut noise = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            };
            let pixels = (0..width * height).flat_map(|_| [noise(), noise(), noise(), 255]);
            still(width, height, &pixels.collect::<Vec<u8>>())
        };
        let slide = Slide {
            title: String::new(),
            seconds: 2.0,
            transition: Transition {
                kind: Kind::None,
                seconds: 0.0,
                easing: Easing::Linear,
            },
            moves: Some(0.0..=2.0),
            draw: Box::new(move || Ok(Shot::Moving(Moving::new(0.0..=2.0, draw)))),
        };
        let film = Film {
            title: String::new(),
            slides: vec![slide],
            size: Size { width, height },
            rate: Ratio::new(30, 1),
            encoding: Encoding::usual(Format::Mp4),
            music: None,
        };
        let path = folder.join("film.mp4");
        render(&film, &path, &Cancel::new(), &mut Nobody).unwrap();
        let bytes = fs::read(&path).unwrap();
        (path, bytes)
    }

    /// Zeroes in place of a share of the packets, which come last in the file.
    fn damaged(bytes: &[u8], share: std::ops::Range<f64>) -> Vec<u8> {
        let start = bytes.windows(4).position(|name| name == b"mdat").unwrap() + 4;
        let at = |share: f64| start + ((bytes.len() - start) as f64 * share) as usize;
        let mut damaged = bytes.to_vec();
        damaged[at(share.start)..at(share.end)].fill(0);
        damaged
    }

    fn of(path: &Path, stretch: Stretch) -> (u64, u64) {
        let mut written = Written::open(path, &Cancel::new()).unwrap();
        let decoded = written.decode(0, stretch, &Cancel::new()).unwrap();
        (decoded.frames, decoded.damaged)
    }

    fn refused(path: &Path) -> String {
        let checked = verify_film(path, FRAMES, None, &Cancel::new());
        checked.unwrap_err().chain()
    }

    #[test]
    fn what_is_whole_decodes_near_its_end_and_all_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, _) = film(folder.path());
        assert_eq!(of(&path, Stretch::Whole), (FRAMES, 0));
        assert_eq!(of(&path, LAST), (ENOUGH as u64, 0));
    }

    #[test]
    fn damage_near_the_last_key_frame_is_found_and_further_on_by_decoding_all() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = film(folder.path());
        fs::write(&path, damaged(&bytes, 0.1..0.3)).unwrap();
        assert!(of(&path, LAST).1 > 0);
        assert_eq!(
            refused(&path),
            "the result is not as planned: stream 0 does not decode"
        );
        fs::write(&path, damaged(&bytes, 0.9..1.0)).unwrap();
        assert!(of(&path, Stretch::Whole).1 > 0);
        let copied = Stretch::Last {
            at_most: usize::MAX,
        };
        assert!(of(&path, copied).1 > 0, "copies are decoded to their ends");
    }

    #[test]
    fn a_film_that_lacks_its_last_bytes_is_refused_by_reading_it() {
        let folder = tempfile::tempdir().unwrap();
        let (path, bytes) = film(folder.path());
        for missing in [1, 100, bytes.len() / 4] {
            fs::write(&path, &bytes[..bytes.len() - missing]).unwrap();
            let told = refused(&path);
            assert!(
                told.contains("the result is not as planned"),
                "{missing}: {told}"
            );
        }
    }
}
