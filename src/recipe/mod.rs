//! What a user wants of a source, and what that means for one source.
//!
//! A [`Recipe`] holds for a whole batch. [`resolve`] turns it, for the streams
//! of one file, into a [`Pipeline`]: the single description that linked libav
//! executes and that the `ffmpeg` argument list is written from.

mod pipeline;
mod resolve;
mod sound;

use serde::{Deserialize, Serialize};

use crate::job::Ratio;

pub use pipeline::{AudioTrack, EncoderSpec, Pipeline, Sink, VideoTrack};
pub use resolve::resolve;

/// What is to become of every source of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Recipe {
    /// Another video file.
    Transcode(Transcode),
    /// A folder of pictures.
    Frames(Frames),
}

/// H.264 (or what `video.encoder` names) and AAC in mp4.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcode {
    /// How pictures are encoded.
    pub video: Video,
    /// How sound is encoded.
    pub audio: Audio,
    /// Threads that each codec and filter of a job may use.
    pub codec_threads: CodecThreads,
}

/// Pictures taken out of a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frames {
    /// Distance between two pictures in seconds.
    pub every: Ratio,
    /// The pictures' format.
    pub format: PictureFormat,
    /// JPEG quality scale of libav: 2 (best) to 31; of no effect on PNG.
    pub quality: u8,
    /// Box that the pictures must fit, aspect kept.
    pub fit: Option<Size>,
    /// Threads that each codec and filter of a job may use.
    pub codec_threads: CodecThreads,
}

/// How pictures are encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// libav's name of the encoder, e.g. `libx264`.
    pub encoder: String,
    /// What rate control aims at.
    pub rate: Rate,
    /// The encoder's own speed preset, e.g. `medium`.
    pub speed: Option<String>,
    /// Box that the picture must fit, aspect kept; never enlarges.
    pub fit: Option<Size>,
    /// Constant frame rate; the source's timing where `None`.
    pub fps: Option<Ratio>,
}

/// How sound is encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audio {
    /// libav's name of the encoder, e.g. `aac`.
    pub encoder: String,
    /// Bits a second.
    pub bitrate: u64,
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

/// Formats that pictures are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureFormat {
    /// JPEG, file ending `jpg`.
    Jpeg,
    /// PNG, file ending `png`.
    Png,
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

impl Default for Video {
    fn default() -> Self {
        Self {
            encoder: "libx264".into(),
            rate: Rate::Quality(23.0),
            speed: Some("medium".into()),
            fit: None,
            fps: None,
        }
    }
}

impl Default for Audio {
    fn default() -> Self {
        Self {
            encoder: "aac".into(),
            bitrate: 128_000,
        }
    }
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            every: Ratio::new(1, 1),
            format: PictureFormat::Jpeg,
            quality: 3,
            fit: None,
            codec_threads: CodecThreads::default(),
        }
    }
}

impl PictureFormat {
    /// The file ending, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            PictureFormat::Jpeg => "jpg",
            PictureFormat::Png => "png",
        }
    }
}

impl Recipe {
    /// The recipe in a few words, e.g. `H.264 CRF 23 medium + AAC 128k`.
    pub fn words(&self) -> String {
        match self {
            Recipe::Transcode(transcode) => transcode.words(),
            Recipe::Frames(frames) => {
                format!(
                    "one {} picture every {} s",
                    frames.format.extension(),
                    frames.every.as_f64()
                )
            }
        }
    }
}

impl Transcode {
    fn words(&self) -> String {
        let codec = match self.video.encoder.as_str() {
            "libx264" => "H.264",
            "libx265" => "H.265",
            other => other,
        };
        let rate = match self.video.rate {
            Rate::Quality(crf) => format!("CRF {crf}"),
            Rate::Bitrate(bits) => format!("{} kb/s", bits / 1000),
        };
        let speed = self
            .video
            .speed
            .as_deref()
            .map(|speed| format!(" {speed}"))
            .unwrap_or_default();
        format!(
            "{codec} {rate}{speed} + {} {}k",
            self.audio.encoder.to_uppercase(),
            self.audio.bitrate / 1000
        )
    }
}
