//! The kinds of files that a film can be, and how each is encoded.

use clap::ValueEnum;

use crate::job::Ratio;
use crate::recipe::{Audio, Container, Rate, Sink, Size, Video};

/// A film's file format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// H.264 and AAC: plays nearly everywhere.
    #[default]
    Mp4,
    /// VP9 and Opus: smaller, slower to make.
    Webm,
    /// Pictures that move where no film can be; without sound, of 256 colours.
    Gif,
}

/// What a film is encoded as.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// The file's format.
    pub format: Format,
    /// The encoder's constant quality; lower is better. None for GIF.
    pub quality: f32,
    /// Average bits a second of the pictures, in place of a constant quality.
    pub bitrate: Option<u64>,
    /// Bits a second of the sound, where other than usual.
    pub sound_bitrate: Option<u64>,
    /// The encoder's own speed preset; for VP9, 0 (slow) to 8.
    pub speed: String,
}

/// Frames that each of several encoders looks ahead.
const SHARED_LOOKAHEAD: u64 = 12;

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mp4, Self::Webm, Self::Gif];

    /// The file ending, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Webm => "webm",
            Self::Gif => "gif",
        }
    }

    /// libav's name of the encoder of pictures.
    pub fn encoder(self) -> &'static str {
        match self {
            Self::Mp4 => "libx264",
            Self::Webm => "libvpx-vp9",
            Self::Gif => "gif",
        }
    }

    /// How sound is encoded; `None` where there can be none.
    pub fn audio(self) -> Option<Audio> {
        let (encoder, bitrate) = match self {
            Self::Mp4 => ("aac", 192_000),
            Self::Webm => ("libopus", 160_000),
            Self::Gif => return None,
        };
        Some(Audio {
            encoder: encoder.into(),
            bitrate: Some(bitrate),
            ..Audio::default()
        })
    }

    /// The filters between a film's pictures and the encoder, where it takes others.
    pub(super) fn filter(self) -> Option<&'static str> {
        // Each picture gets its own colours: those of a whole film are known at its end.
        // The pattern of dots stays where it is, so that what stands still costs nothing.
        (self == Self::Gif).then_some(
            "scale=in_color_matrix=bt709:in_range=tv:flags=bicubic+accurate_rnd,format=rgb32,\
             split[a][b];[a]palettegen=stats_mode=single[p];\
             [b][p]paletteuse=new=1:dither=bayer:bayer_scale=4",
        )
    }

    /// The muxer with its options.
    pub(super) fn muxer(self) -> (String, Vec<(String, String)>) {
        let container = match self {
            Self::Mp4 => Container::Mp4,
            Self::Webm => Container::Webm,
            Self::Gif => return ("gif".into(), vec![]),
        };
        match container.sink(false) {
            Sink::File { muxer, mut options } => {
                if self == Self::Webm {
                    // Opus begins before 0 with what decoders skip. The file tells that by itself;
                    // the pictures need not wait for it.
                    options.push(("avoid_negative_ts".into(), "disabled".into()));
                }
                (muxer, options)
            }
            Sink::Pictures { .. } => (container.muxer().into(), vec![]),
        }
    }
}

impl Encoding {
    /// The usual of `format`.
    pub fn usual(format: Format) -> Self {
        let (quality, speed) = match format {
            Format::Mp4 => (20.0, "medium"),
            Format::Webm => (32.0, "4"),
            Format::Gif => (0.0, ""),
        };
        Self {
            format,
            quality,
            bitrate: None,
            sound_bitrate: None,
            speed: speed.into(),
        }
    }

    /// How sound is encoded; `None` where there can be none.
    pub fn audio(&self) -> Option<Audio> {
        let audio = self.format.audio()?;
        Some(Audio {
            bitrate: self.sound_bitrate.or(audio.bitrate),
            ..audio
        })
    }

    /// Whether parts of a film can be encoded by themselves and joined: not where a picture
    /// depends on all before it, as by filters, or by a bit rate to keep to.
    pub(super) fn can_be_cut(&self) -> bool {
        self.format.filter().is_none() && self.bitrate.is_none()
    }

    /// So many encoders work side by side at most on a film of that size: x264 keeps the
    /// frames that it looks ahead at, and some more, of 3½ bytes a pixel.
    pub(super) fn at_once(&self, size: Size) -> usize {
        /// Bytes that all of them may keep.
        const KEPT: u64 = 320 << 20;
        let frames = SHARED_LOOKAHEAD + 8;
        let each = frames * u64::from(size.width) * u64::from(size.height) * 7 / 2;
        match self.can_be_cut() && !self.looks_far() {
            true => usize::try_from(KEPT / each.max(1)).unwrap_or(1).max(1),
            false => 1,
        }
    }

    /// Whether its encoder wants to look further ahead than several could.
    fn looks_far(&self) -> bool {
        let near = [
            "ultrafast",
            "superfast",
            "veryfast",
            "faster",
            "fast",
            "medium",
        ];
        self.format == Format::Mp4 && !near.contains(&&*self.speed)
    }

    /// How many frames x264 is to look ahead, where its preset would have it look further: it
    /// keeps them, of 7 MiB each at 1920×1080, and a film is to take less than half a GiB.
    fn lookahead(&self, at_once: usize) -> Option<u64> {
        match (at_once, &*self.speed) {
            (1, "medium") => Some(30),
            (2.., "faster" | "fast" | "medium") => Some(SHARED_LOOKAHEAD),
            _ => None,
        }
    }

    /// The encoder of pictures, `rate` a second, one of so many at work. Key frames are where
    /// slides begin, so that players find chapters at once, and now and then within long ones; GOPs
    /// are closed.
    pub fn video(&self, rate: Ratio, at_once: usize) -> Video {
        let far = (rate.as_f64() * 10.0).round().max(1.0).to_string();
        let lookahead = self.lookahead(at_once).map(|frames| frames.to_string());
        let mut options: Vec<(&str, &str)> = match self.format {
            Format::Mp4 => {
                let mut options = vec![("g", &*far), ("sc_threshold", "0"), ("forced-idr", "1")];
                options.extend(lookahead.as_deref().map(|frames| ("rc-lookahead", frames)));
                options
            }
            Format::Webm => vec![
                ("g", &far),
                ("deadline", "good"),
                ("cpu-used", &self.speed),
                ("row-mt", "1"),
                ("tile-columns", "2"),
            ],
            Format::Gif => vec![],
        };
        // Where there is no bit rate to keep to, VP9 wants to be told so.
        let unbound = self.format == Format::Webm && self.bitrate.is_none();
        options.extend(unbound.then_some(("b", "0")));
        let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        Video {
            encoder: self.format.encoder().into(),
            speed: (self.format == Format::Mp4).then(|| self.speed.clone()),
            rate: (self.format != Format::Gif).then_some(match self.bitrate {
                Some(bits) => Rate::Bitrate(bits),
                None => Rate::Quality(self.quality),
            }),
            options: options.into_iter().map(own).collect(),
            ..Video::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_films_and_those_of_slow_presets_have_fewer_encoders_at_once() {
        let at_once = |format, speed: &str, width, height| {
            let encoding = Encoding {
                speed: speed.into(),
                ..Encoding::usual(format)
            };
            encoding.at_once(Size { width, height })
        };
        assert_eq!(at_once(Format::Mp4, "medium", 1920, 1080), 2);
        assert_eq!(at_once(Format::Mp4, "medium", 1280, 720), 5);
        assert_eq!(at_once(Format::Mp4, "medium", 3840, 2160), 1);
        assert_eq!(at_once(Format::Mp4, "slow", 640, 360), 1);
        assert_eq!(at_once(Format::Webm, "4", 1920, 1080), 2);
        assert_eq!(at_once(Format::Gif, "", 640, 360), 1);
    }

    #[test]
    fn encoders_that_share_memory_look_less_far_ahead() {
        let told = |speed: &str, at_once| {
            let encoding = Encoding {
                speed: speed.into(),
                ..Encoding::usual(Format::Mp4)
            };
            let options = encoding.video(Ratio::new(30, 1), at_once).options;
            let mut ahead = options.into_iter().filter(|(key, _)| key == "rc-lookahead");
            ahead.next().map(|(_, frames)| frames)
        };
        assert_eq!(told("medium", 1).as_deref(), Some("30"));
        assert_eq!(told("medium", 2).as_deref(), Some("12"));
        assert_eq!(told("veryfast", 2), None);
        assert_eq!(told("slow", 1), None);
    }
}
