//! What a probe found out about a media file.

use serde::{Deserialize, Serialize};

use super::Ratio;

/// A media file as its container describes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// The demuxer's name, e.g. `mov,mp4,m4a,3gp,3g2,mj2`.
    pub format: String,
    /// Length in seconds, where the container tells.
    pub duration_s: Option<f64>,
    /// Whether that is but a guess by the size.
    pub duration_is_guessed: bool,
    /// Bits a second of the whole, where the container tells.
    pub bit_rate: Option<u64>,
    /// Names of the whole file's tags, e.g. `title`.
    pub tags: Vec<String>,
    /// How many chapters it has.
    #[serde(default)]
    pub chapters: usize,
    /// Whether its streams show what they are only beyond what is usually read of a file.
    #[serde(default)]
    pub starts_late: bool,
    /// The streams in file order.
    pub streams: Vec<StreamInfo>,
}

/// One stream of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StreamInfo {
    /// Position in the file.
    pub index: usize,
    /// What it carries.
    pub kind: StreamKind,
    /// The codec's name, e.g. `h264`.
    pub codec: String,
    /// Whether a decoder for it is linked.
    pub decodable: bool,
    /// Whether it is the container's choice among its kind.
    pub is_default: bool,
    /// Length in seconds, where the container tells.
    pub duration_s: Option<f64>,
    /// Bits a second, where the container or the codec tells.
    pub bit_rate: Option<u64>,
    /// Whether some packets are to be decoded and not shown, by an edit list:
    /// only what decodes them can leave them out.
    pub is_edited: bool,
    /// Properties that a result must keep, or that a warning must name.
    #[serde(default)]
    pub details: Details,
}

/// Properties of a stream besides its format.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Details {
    /// libav's disposition flags: default, forced, commentary, …
    pub disposition: i32,
    /// Names of those flags that mark it for people, e.g. `forced`.
    #[serde(default)]
    pub marks: Vec<String>,
    /// The name that players list it by; empty where it has none.
    #[serde(default)]
    pub title: String,
    /// Its language as the container stores it; empty where that is unknown.
    #[serde(default)]
    pub language: String,
    /// The timecode of its first frame; empty where it has none.
    #[serde(default)]
    pub timecode: String,
    /// Whether it is one picture for all of the file's length, such as a poster.
    pub is_still: bool,
    /// When it ends, in seconds from the file's beginning, if the container stores that.
    pub end_s: Option<f64>,
    /// Whether its frames are stored in another order than that in which they are shown.
    pub reorders: bool,
    /// Descriptions of its pictures that not every container has a place for.
    pub extras: Vec<Extra>,
    /// The name of the file that it was before it was attached; empty where there was none.
    #[serde(default)]
    pub file_name: String,
    /// Names of tags that describe what it holds besides title and language, in lower case.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Names of tags that hold numbers of these very packets, such as `BPS`.
    pub statistics: Vec<String>,
    /// Whether nothing is lost without it: what it holds is among the file's tags or chapters,
    /// too, or it is a hint track for streaming servers.
    pub is_dispensable: bool,
    /// Whether its times are such that no clock shows them.
    #[serde(default)]
    pub is_untimed: bool,
    /// The container's four letters for what it holds, such as `gpmd`; empty where it has none.
    pub tag: String,
    /// How the numbers of its pixels are to be read.
    #[serde(default)]
    pub colour: Colour,
    /// Its brightest pixel in cd/m², as container or frames describe it; 0 where unknown.
    #[serde(default)]
    pub brightest: u32,
    /// Its profile of Dolby Vision; 0 where it has none.
    #[serde(default)]
    pub dolby_profile: u8,
}

/// libav's name of the transfer characteristic PQ (SMPTE ST 2084).
pub const PQ: &str = "smpte2084";
/// libav's name of the transfer characteristic HLG (ARIB STD-B67).
pub const HLG: &str = "arib-std-b67";

/// A colour description by libav's names; each is empty where it is unspecified or unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Colour {
    /// Whether all values are used or only those of television: `pc` or `tv`.
    pub range: String,
    /// The colours of red, green and blue, e.g. `bt709` or `bt2020`.
    pub primaries: String,
    /// How brightness is stored, e.g. `bt709`, `smpte2084` (PQ) or `arib-std-b67` (HLG).
    pub transfer: String,
    /// How luma and chroma are made of red, green and blue, e.g. `bt709` or `bt2020nc`.
    pub matrix: String,
    /// Where a chroma sample lies among its luma samples, e.g. `left` or `topleft`.
    pub chroma_location: String,
}

/// A description of pictures that not every container has a place for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extra {
    /// How a picture lies on a sphere: 360° and 180° video.
    Projection,
    /// Which parts of a picture, or which pictures, are for which eye.
    Stereo3d,
    /// Dolby Vision's profile and layers.
    DolbyVision,
    /// The display that HDR was mastered on (SMPTE ST 2086).
    MasteringDisplay,
    /// The brightest pixel and the brightest frame of HDR (CTA-861.3).
    LightLevel,
}

/// What a stream carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum StreamKind {
    /// Moving pictures.
    Video {
        /// Coded width in pixels.
        width: u32,
        /// Coded height in pixels.
        height: u32,
        /// Best guess of the frame rate; 0/1 where unknown.
        frame_rate: Ratio,
        /// Width of a sample to its height as stored; 0/1 where the source does not tell.
        sample_aspect: Ratio,
        /// Filters that turn a decoded picture upright, e.g. `transpose=clock`; empty where it is.
        orient: String,
        /// Pixel format by libav's name, e.g. `yuv420p`; empty where unknown.
        pixel_format: String,
        /// Whether pictures may be transparent in places. VP8 and VP9 hold that apart,
        /// and their pixel format does not tell.
        #[serde(default)]
        alpha: bool,
        /// Bits of a colour component; 8 where unknown.
        depth: u32,
        /// Whether pictures are made of two fields.
        fields: Fields,
        /// How bright it is meant, where its pictures alone tell.
        light: Option<Light>,
    },
    /// A still picture attached to the file, such as a cover.
    Cover,
    /// Sound.
    Audio {
        /// Samples a second.
        sample_rate: u32,
        /// Number of channels.
        channels: u32,
        /// Layout by libav's name, e.g. `stereo`.
        layout: String,
        /// Bits of a sample; 0 where unknown, as where a lossy codec has none.
        #[serde(default)]
        bits: u32,
    },
    /// Subtitles.
    Subtitle {
        /// Whether they are text, and no pictures.
        text: bool,
    },
    /// A file, such as a font.
    Attachment,
    /// Anything else.
    Other,
}

/// Whether pictures are whole, or made of two fields that were taken one after the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fields {
    /// Nothing tells before they are decoded.
    #[default]
    Unknown,
    /// Whole.
    Progressive,
    /// Two fields.
    Interlaced,
}

/// How bright a film of high dynamic range is meant (SMPTE ST 2086, CTA-861.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Light {
    /// The screen that it was made on: x and y of green, blue, red and white in
    /// 0.00002, most and least luminance in 0.0001 cd/m².
    pub display: [u32; 10],
    /// Its brightest pixel in cd/m²; 0 where unknown.
    pub most: u32,
    /// Its brightest picture on average in cd/m²; 0 where unknown.
    pub mean: u32,
}

#[cfg(test)]
impl StreamInfo {
    /// The first stream of a file, of this kind and codec, with nothing else known of it.
    pub fn of_kind(kind: StreamKind, codec: &str) -> Self {
        Self {
            index: 0,
            kind,
            codec: codec.into(),
            decodable: true,
            is_default: true,
            duration_s: None,
            bit_rate: None,
            is_edited: false,
            details: Details::default(),
        }
    }
}

impl StreamInfo {
    /// Whether this is a video stream in its own right (no cover).
    pub fn is_video(&self) -> bool {
        matches!(self.kind, StreamKind::Video { .. })
    }

    /// Whether its pictures are shown turned by a quarter: their stored width is their height.
    pub fn is_turned(&self) -> bool {
        matches!(&self.kind, StreamKind::Video { orient, .. } if orient.contains("transpose"))
    }

    /// Its pixel format by libav's name, and the bits of a component, if it is video.
    pub fn pixels(&self) -> Option<(&str, u32)> {
        match &self.kind {
            StreamKind::Video {
                pixel_format,
                depth,
                ..
            } => Some((pixel_format, *depth)),
            _ => None,
        }
    }

    /// Whether it is video of high dynamic range.
    pub fn is_hdr(&self) -> bool {
        self.is_video() && [PQ, HLG].contains(&self.details.colour.transfer.as_str())
    }

    /// Whether this is an audio stream.
    pub fn is_audio(&self) -> bool {
        matches!(self.kind, StreamKind::Audio { .. })
    }
}

impl MediaInfo {
    /// The video stream that a player would show: of the decodable ones that move, the default
    /// one, else the largest, else the first.
    pub fn main_video(&self) -> Option<&StreamInfo> {
        let pixels = |stream: &StreamInfo| match stream.kind {
            StreamKind::Video { width, height, .. } => u64::from(width) * u64::from(height),
            _ => 0,
        };
        self.streams
            .iter()
            .filter(|stream| stream.is_video() && stream.decodable)
            .max_by_key(|stream| {
                (
                    !stream.details.is_still,
                    // Of one without a size, nothing may have been sent.
                    pixels(stream) > 0,
                    stream.is_default,
                    pixels(stream),
                    std::cmp::Reverse(stream.index),
                )
            })
    }

    /// When the last of these streams ends, in seconds from the file's beginning: others may go
    /// on. If the end of one is unknown, the length of the file, which is also the upper bound:
    /// an edit list may hide a part of a stream.
    pub fn end_s(&self, streams: &[usize]) -> Option<f64> {
        let ends = streams.iter().map(|index| {
            let stream = self.streams.get(*index)?;
            stream.details.end_s
        });
        let ends: Option<Vec<f64>> = ends.collect();
        let last = ends.and_then(|ends| ends.into_iter().reduce(f64::max));
        match (last, self.duration_s) {
            (Some(last), Some(whole)) => Some(last.min(whole)),
            (last, whole) => last.or(whole),
        }
    }

    /// Bits a second of a stream; of the whole where its own is unknown.
    pub fn bit_rate_of(&self, stream: &StreamInfo) -> Option<u64> {
        stream.bit_rate.or(self.bit_rate)
    }

    /// All audio streams that can be decoded.
    pub fn audio(&self) -> impl Iterator<Item = &StreamInfo> {
        self.streams
            .iter()
            .filter(|stream| stream.is_audio() && stream.decodable)
    }
}
