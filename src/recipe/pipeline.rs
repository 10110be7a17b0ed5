//! A recipe resolved for one source: which streams, through which filters,
//! into which encoders, into which file. Both engines follow it to the letter.

use serde::{Deserialize, Serialize};

use crate::job::Ratio;

/// What happens to one source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The demuxer found by the probe; the only one that may open the source.
    pub input_format: String,
    /// The pictures.
    pub video: VideoTrack,
    /// The sound.
    pub audio: Vec<AudioTrack>,
    /// Where encoded packets go.
    pub sink: Sink,
    /// Threads that each codec and filter may use; at least 1.
    pub codec_threads: usize,
}

/// One video stream on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoTrack {
    /// The source's stream.
    pub stream: usize,
    /// Filters that turn the decoded picture upright. The `ffmpeg` program
    /// applies the same ones unasked, so they are kept apart.
    pub orient: String,
    /// The filters of the recipe, ending in the encoder's pixel format.
    pub filter: String,
    /// The encoder.
    pub encoder: EncoderSpec,
    /// The encoder's time base.
    pub time_base: Ratio,
}

/// One audio stream on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioTrack {
    /// The source's stream.
    pub stream: usize,
    /// The filters, ending in the encoder's sample format, rate and layout.
    pub filter: String,
    /// The encoder.
    pub encoder: EncoderSpec,
}

/// An encoder and its options, by the names that libav and the program share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncoderSpec {
    /// libav's name, e.g. `libx264`.
    pub name: String,
    /// Options in the order given, e.g. `("crf", "23")`.
    pub options: Vec<(String, String)>,
    /// Constant quantiser scale (`-q`), for encoders that take it.
    pub qscale: Option<u8>,
}

/// Where encoded packets go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Sink {
    /// One file.
    File {
        /// The muxer's name, e.g. `mp4`.
        muxer: String,
        /// The muxer's options.
        options: Vec<(String, String)>,
    },
    /// A folder with one file a picture, numbered from 1.
    Pictures {
        /// Their file ending, without a dot.
        extension: String,
    },
}

impl Sink {
    /// Name of picture `number` (from 1) in the folder.
    pub fn picture_name(number: u64, extension: &str) -> String {
        format!("{number:06}.{extension}")
    }

    /// The same names as a pattern of the `image2` muxer.
    pub fn picture_pattern(extension: &str) -> String {
        format!("%06d.{extension}")
    }
}
