//! What a user wants of a source, and what that means for one source.
//!
//! A [`Recipe`] holds for a whole batch. [`resolve`] turns it, for the streams
//! of one file, into a [`Pipeline`]: the single description that linked libav
//! executes and that the `ffmpeg` argument list is written from.

mod alpha;
mod choose;
mod container;
mod cut;
mod encoder;
mod frames;
mod hdr;
mod inventory;
mod language;
mod music;
mod pictures;
mod pipeline;
mod pixels;
mod preset;
mod resolve;
mod shape;
mod sound;
mod streams;
pub mod tags;
mod video;

use serde::{Deserialize, Serialize};

use crate::job::Ratio;

pub use choose::{Choose, Times};
pub use container::Container;
pub use frames::{Frames, Grid, Pick, PictureFormat};
pub use hdr::{FILTERS as TONE_MAPPING_FILTERS, Hdr, HdrRule};
pub use music::{MUSIC_CHANNELS, MUSIC_RATE, music, samples};
pub use pipeline::{
    AudioWay, Colours, Dropped, DroppedBy, EncoderSpec, Gathered, Medium, Pipeline, Product, Sheet,
    Sink, Track, VideoWay, Way,
};
pub use pixels::knows_crf;
pub use preset::{Preset, Presets};
pub use resolve::resolve;
pub use streams::tells_times;
pub use video::ENCODE_INSTEAD;

/// What is to become of every source of a batch.
#[expect(
    clippy::large_enum_variant,
    reason = "there are a handful of recipes in a run"
)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Recipe {
    /// Another file of video or sound.
    Transcode(Transcode),
    /// A folder of pictures.
    Frames(Frames),
}

/// A file with the source's streams, encoded or copied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transcode {
    /// The preset's name; names the results' folder where there are several.
    pub name: String,
    /// The file's format.
    pub container: Container,
    /// What becomes of pictures; they are left out where `None`.
    pub video: Option<Video>,
    /// What becomes of sound; it is left out where `None`.
    pub audio: Option<Audio>,
    /// Whether the source's streams are kept where the result is not smaller.
    pub keep_smaller: bool,
    /// Threads that each codec and filter of a job may use.
    pub codec_threads: CodecThreads,
}

/// How pictures are encoded, or that they are not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// libav's name of the encoder, e.g. `libx264`.
    pub encoder: String,
    /// What rate control aims at; the encoder's own choice where `None`.
    pub rate: Option<Rate>,
    /// The encoder's own speed preset, e.g. `medium`.
    pub speed: Option<String>,
    /// Further options of the encoder.
    pub options: Vec<(String, String)>,
    /// Box that the picture must fit, aspect kept; never enlarges. Its longer side is for the
    /// longer side of the picture.
    pub fit: Option<Size>,
    /// Constant frame rate; the source's timing where `None`.
    pub fps: Option<Ratio>,
    /// Whether pictures of two fields become whole.
    pub deinterlace: Deinterlace,
    /// What becomes of high dynamic range.
    pub hdr: HdrRule,
    /// Pixel formats to choose from by libav's names: the first of the source's depth.
    /// Where there are none, `yuv420p`; where the encoder takes none of them, what it takes.
    pub pixels: Vec<String>,
    /// Which streams are not encoded.
    pub copy: Copying<VideoFits>,
}

/// Whether pictures of two fields become whole: players show them with combs
/// at whatever moves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Deinterlace {
    /// Those that are marked; others pass untouched.
    #[default]
    Auto,
    /// All, marked or not.
    On,
    /// None.
    Off,
}

/// How sound is encoded, or that it is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audio {
    /// libav's name of the encoder, e.g. `aac`.
    pub encoder: String,
    /// Bits a second; the encoder's own choice where `None`.
    pub bitrate: Option<u64>,
    /// Further options of the encoder.
    pub options: Vec<(String, String)>,
    /// Which streams are not encoded.
    pub copy: Copying<AudioFits>,
}

/// Which streams are taken as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Copying<T> {
    /// None: all are encoded.
    Never,
    /// Those that are already what the recipe wants.
    Fitting(T),
    /// All; one that the container cannot hold is refused.
    Always,
}

/// Video streams that need no encoding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoFits {
    /// Codecs by libav's names, e.g. `h264`.
    pub codecs: Vec<String>,
    /// Pixel formats by libav's names.
    pub pixels: Vec<String>,
    /// At most so many bits a pixel, where no bit rate is asked for.
    pub bits_per_pixel: Option<f64>,
}

/// Audio streams that need no encoding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioFits {
    /// Codecs by libav's names, e.g. `aac`.
    pub codecs: Vec<String>,
    /// At most so many bits a second.
    pub bitrate: Option<u64>,
}

/// What rate control aims at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Rate {
    /// Constant quality on the encoder's CRF scale.
    Quality(f32),
    /// Average bits a second.
    Bitrate(u64),
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Size {
    /// The same, turned by a quarter.
    #[must_use]
    pub fn turned(self) -> Self {
        Self {
            width: self.height,
            height: self.width,
        }
    }

    /// Number of pixels.
    pub fn pixels(self) -> f64 {
        f64::from(self.width) * f64::from(self.height)
    }

    /// Whether both sides are even.
    pub(super) fn is_even(self) -> bool {
        self.width.is_multiple_of(2) && self.height.is_multiple_of(2)
    }
}

/// Threads that a codec may use; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodecThreads(pub usize);

impl Default for CodecThreads {
    /// One: the cheapest way to encode many files is one codec thread a job.
    fn default() -> Self {
        Self(1)
    }
}

impl Default for Transcode {
    /// H.264 and AAC in mp4, all encoded.
    fn default() -> Self {
        Self {
            name: "web".into(),
            container: Container::default(),
            video: Some(Video::default()),
            audio: Some(Audio::default()),
            keep_smaller: false,
            codec_threads: CodecThreads::default(),
        }
    }
}

impl Default for Video {
    fn default() -> Self {
        Self {
            encoder: "libx264".into(),
            rate: Some(Rate::Quality(23.0)),
            speed: Some("medium".into()),
            options: vec![],
            fit: None,
            fps: None,
            deinterlace: Deinterlace::default(),
            hdr: HdrRule::default(),
            pixels: vec![],
            copy: Copying::Never,
        }
    }
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            encoder: "aac".into(),
            bitrate: Some(128_000),
            options: vec![],
            copy: Copying::Never,
        }
    }
}

impl Recipe {
    /// The recipe in a few words, e.g. `H.264 CRF 23 medium + AAC 128k`.
    pub fn words(&self) -> String {
        match self {
            Recipe::Transcode(transcode) => transcode.words(),
            Recipe::Frames(frames) => frames.words(),
        }
    }

    /// The same for an engine that lacks `missing` of [`TONE_MAPPING_FILTERS`].
    #[must_use]
    pub fn lacking(mut self, missing: &[&'static str]) -> Self {
        let rule = match &mut self {
            Recipe::Transcode(transcode) => transcode.video.as_mut().map(|video| &mut video.hdr),
            Recipe::Frames(frames) => Some(&mut frames.hdr),
        };
        if let Some(rule) = rule {
            rule.missing = missing.to_vec();
        }
        self
    }

    /// Whether to copy all streams is what it is about.
    pub fn copies_all(&self) -> bool {
        let Recipe::Transcode(transcode) = self else {
            return false;
        };
        let video = transcode
            .video
            .as_ref()
            .is_some_and(|video| matches!(video.copy, Copying::Always));
        let audio = transcode
            .audio
            .as_ref()
            .is_some_and(|audio| matches!(audio.copy, Copying::Always));
        video || audio
    }
}

impl Transcode {
    fn words(&self) -> String {
        let video = self.video.as_ref().map(Video::words);
        let audio = self.audio.as_ref().map(Audio::words);
        let parts: Vec<String> = video.into_iter().chain(audio).collect();
        parts.join(" + ")
    }
}

impl Video {
    fn words(&self) -> String {
        let codec = match self.encoder.as_str() {
            "libx264" => "H.264",
            "libx265" => "H.265",
            "libsvtav1" => "AV1",
            other => other,
        };
        let rate = match self.rate {
            Some(Rate::Quality(crf)) => format!(" CRF {crf}"),
            Some(Rate::Bitrate(bits)) => format!(" {} kb/s", bits / 1000),
            None => String::new(),
        };
        let speed = self
            .speed
            .as_deref()
            .map(|speed| format!(" {speed}"))
            .unwrap_or_default();
        let whole = match self.deinterlace {
            Deinterlace::On => " deinterlaced",
            Deinterlace::Auto | Deinterlace::Off => "",
        };
        format!("{codec}{rate}{speed}{whole}")
    }
}

impl Audio {
    fn words(&self) -> String {
        let rate = self
            .bitrate
            .map(|bits| format!(" {}k", bits / 1000))
            .unwrap_or_default();
        format!("{}{rate}", self.encoder.to_uppercase())
    }
}
