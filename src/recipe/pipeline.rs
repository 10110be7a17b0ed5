//! Recipes resolved for one source: which streams, through which filters,
//! into which encoders, into which files. Both engines follow it to the letter.

use serde::{Deserialize, Serialize};

use super::Choose;
use crate::draw::sheet::SheetPlan;
use crate::job::{Held, Property, Ratio, StreamInfo};

/// What happens to one source: it is read and decoded once, whatever the number of results.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The demuxer found by the probe; the only one that may open the source.
    pub input_format: String,
    /// Whether its streams show what they are only beyond what is usually read of a file.
    #[serde(default)]
    pub starts_late: bool,
    /// Whether times that the container lacks are to be made up from the order of decoding.
    pub generate_pts: bool,
    /// Streams whose times are none, and the rates of their frames, where they have one.
    #[serde(default)]
    pub untimed: Vec<(usize, Option<Ratio>)>,
    /// Whether nothing but key frames is decoded.
    pub key_frames_only: bool,
    /// Names of the source's tags that results are to have, too, in lower case.
    pub tags: Vec<String>,
    /// The stream that has the tags of the whole file, where the container has them there.
    #[serde(default)]
    pub tags_stream: Option<usize>,
    /// How many chapters the source has.
    #[serde(default)]
    pub chapters: usize,
    /// The results.
    pub products: Vec<Product>,
    /// Threads that each codec and filter may use; at least 1.
    pub codec_threads: usize,
}

/// One result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Its streams in order; the picture that frames are counted of comes first.
    pub tracks: Vec<Track>,
    /// Where encoded packets go.
    pub sink: Sink,
    /// What of the source does not arrive.
    pub dropped: Vec<Dropped>,
    /// What else the user should know of it, e.g. that it is not transparent any more.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The same with the source's own streams, where these are to be kept
    /// instead of a result that is not smaller.
    pub kept: Option<Box<Product>>,
}

/// One stream on its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// The source's stream.
    pub stream: usize,
    /// The four letters that name the codec in the file, where not the muxer's own choice.
    pub tag: Option<String>,
    /// libav's disposition flags; `None` keeps the muxer's defaults.
    #[serde(default)]
    pub disposition: Option<i32>,
    /// Names of the source's tags that are wrong for the result.
    #[serde(default)]
    pub forgotten: Vec<String>,
    /// Tags that it gets besides the source's, or instead of those of the same name.
    #[serde(default)]
    pub tags: Vec<(String, String)>,
    /// Properties that the result must have.
    #[serde(default)]
    pub held: Vec<Held>,
    /// What happens to it.
    pub way: Way,
}

impl Track {
    /// A track of stream `stream` without the source's disposition.
    pub fn new(stream: usize, way: Way) -> Self {
        Self {
            stream,
            tag: None,
            disposition: None,
            forgotten: vec![],
            tags: vec![],
            held: vec![],
            way,
        }
    }

    /// Whether the result must have a description of pictures that its source's stream has.
    pub fn has_extras(&self) -> bool {
        let is_extra = |held: &Held| matches!(held.property, Property::Extra(_));
        self.held.iter().any(is_extra)
    }

    /// Whether HDR becomes SDR in it.
    pub fn becomes_sdr(&self) -> bool {
        matches!(&self.way, Way::Video(way) if way.tone_maps())
    }

    /// A track of `stream` with its disposition; re-encoding removes its statistics tags.
    pub(super) fn of(stream: &StreamInfo, way: Way) -> Self {
        let forgotten = match way.is_copy() {
            true => vec![],
            false => stream.details.statistics.clone(),
        };
        Self {
            disposition: Some(stream.details.disposition),
            forgotten,
            ..Self::new(stream.index, way)
        }
    }
}

/// What happens to one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Way {
    /// Its packets are taken as they are.
    Copy(Medium),
    /// A picture attached to the source becomes a file attached to the result.
    Attach {
        /// The attached file's name.
        name: String,
        /// Its media type, e.g. `image/jpeg`.
        mime: String,
    },
    /// Pictures are decoded, filtered and encoded.
    Video(VideoWay),
    /// Sound is decoded, filtered and encoded.
    Audio(AudioWay),
    /// Subtitles of text are decoded and encoded.
    Subtitle {
        /// libav's name of the encoder, e.g. `mov_text`.
        encoder: String,
    },
}

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Medium {
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
    /// Subtitles.
    Subtitle,
    /// A picture or a file attached to the whole.
    Attached,
}

/// The way of a video stream that is encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoWay {
    /// libav's name of the decoder of pictures that are taken out, where not libav's own choice.
    #[serde(default)]
    pub decoder: Option<String>,
    /// Filters that turn the decoded picture upright. The `ffmpeg` program
    /// applies the same ones unasked, so they are kept apart.
    pub orient: String,
    /// Which frames go on.
    pub choose: Choose,
    /// The filters of the recipe, ending in the encoder's pixel format.
    pub filter: String,
    /// The encoder.
    pub encoder: EncoderSpec,
    /// The encoder's time base.
    pub time_base: Ratio,
    /// Distance between two pictures in seconds at most: of source or result, whichever is longer.
    pub frame_s: f64,
    /// Pictures a second, where frames are repeated and left out to have so many.
    pub rate: Option<Ratio>,
    /// What becomes of the description of its colours.
    #[serde(default)]
    pub colours: Colours,
}

/// What becomes of the description of a stream's colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colours {
    /// It stays.
    Kept,
    /// Red, green and blue become luma and chroma, or the other way round.
    #[default]
    Converted,
    /// HDR becomes BT.709.
    ToneMapped,
}

impl VideoWay {
    /// At how many pictures a second a frame is repeated for as long as it is
    /// shown; given times are as many as they are.
    pub fn repeats(&self) -> Option<f64> {
        match &self.choose {
            Choose::Times(times) if times.marks.is_none() => Some(1.0 / times.unit.as_f64()),
            Choose::Times(_) => None,
            _ => self.rate.map(Ratio::as_f64),
        }
    }
}

/// The way of an audio stream that is encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AudioWay {
    /// libav's name of the source's codec; empty where there is no source.
    #[serde(default)]
    pub source_codec: String,
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
    /// Width of what it encodes, where that is planned.
    #[serde(default)]
    pub width: Option<u32>,
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
    /// One file a picture, numbered from 1, in a folder.
    Pictures {
        /// Their file ending, without a dot.
        extension: String,
        /// What becomes of that folder.
        gathered: Gathered,
    },
}

impl Sink {
    /// Whether each subtitle in it ends at a time that must be known. A block of
    /// Matroska may have no length, and lasts until the next.
    pub fn ends_events(&self) -> bool {
        matches!(self, Self::File { muxer, .. } if muxer != "matroska" && muxer != "webm")
    }
}

/// What becomes of a folder of pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Gathered {
    /// It is the result.
    Folder,
    /// Its only picture is the result.
    Picture,
    /// They are drawn on a contact sheet.
    Sheet(Sheet),
}

/// How a contact sheet is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its pictures and its box.
    pub plan: SheetPlan,
    /// What is told of the source below its name.
    pub details: Vec<String>,
    /// From RGBA to what the encoder takes.
    pub filter: String,
    /// The encoder.
    pub encoder: EncoderSpec,
}

/// A stream of the source that does not arrive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The source's stream.
    pub stream: usize,
    /// What it is, e.g. `subtitle (hdmv_pgs_subtitle)`.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Whose doing that is.
    pub by: DroppedBy,
}

/// Whose doing it is that a stream does not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DroppedBy {
    /// The recipe's: that is what was asked for.
    Recipe,
    /// The container's: another would hold it.
    Container,
    /// The source's: it cannot be decoded.
    Source,
}

impl Way {
    /// What the stream carries.
    pub fn medium(&self) -> Medium {
        match self {
            Way::Copy(medium) => *medium,
            Way::Attach { .. } => Medium::Attached,
            Way::Video(_) => Medium::Video,
            Way::Audio(_) => Medium::Audio,
            Way::Subtitle { .. } => Medium::Subtitle,
        }
    }

    /// The name of the encoder, where the stream is not taken as it is.
    pub fn encoder(&self) -> Option<&str> {
        match self {
            Way::Copy(_) | Way::Attach { .. } => None,
            Way::Video(way) => Some(&way.encoder.name),
            Way::Audio(way) => Some(&way.encoder.name),
            Way::Subtitle { encoder } => Some(encoder),
        }
    }

    /// Whether the stream is taken as it is.
    pub fn is_copy(&self) -> bool {
        matches!(self, Way::Copy(_) | Way::Attach { .. })
    }
}

impl Product {
    /// Whether a file of `format`, a demuxer's name, would get all of its
    /// streams into such a file again, and none of them changed.
    pub fn changes_nothing(&self, format: &str) -> bool {
        let same_container = match &self.sink {
            Sink::File { muxer, .. } => format.split(',').any(|name| name == muxer),
            Sink::Pictures { .. } => false,
        };
        same_container
            && self.dropped.is_empty()
            && self.tracks.iter().all(|track| track.way.is_copy())
    }

    /// Its tracks that carry `medium`.
    pub fn tracks_of(&self, medium: Medium) -> impl Iterator<Item = &Track> {
        self.tracks
            .iter()
            .filter(move |track| track.way.medium() == medium)
    }

    /// Whether an engine makes pictures of it, in a folder.
    pub fn is_pictures(&self) -> bool {
        matches!(self.sink, Sink::Pictures { .. })
    }

    /// What becomes of its pictures, where it is such.
    pub fn gathered(&self) -> Option<&Gathered> {
        match &self.sink {
            Sink::Pictures { gathered, .. } => Some(gathered),
            Sink::File { .. } => None,
        }
    }

    /// Whether its result is a folder.
    pub fn is_folder(&self) -> bool {
        self.gathered() == Some(&Gathered::Folder)
    }

    /// The way of its only track, where it is pictures.
    pub fn pictures(&self) -> Option<&VideoWay> {
        match (&self.sink, self.tracks.first().map(|track| &track.way)) {
            (Sink::Pictures { .. }, Some(Way::Video(way))) => Some(way),
            _ => None,
        }
    }
}

impl Pipeline {
    /// The source's streams that are read, each once, in ascending order.
    pub fn streams(&self) -> Vec<usize> {
        let tracks = self.products.iter().flat_map(|product| &product.tracks);
        let mut streams: Vec<usize> = tracks.map(|track| track.stream).collect();
        streams.sort_unstable();
        streams.dedup();
        streams
    }
}

impl Pipeline {
    /// The same without tracks of `streams`, of which nothing can be decoded;
    /// `None` where a result would lose what it is about.
    pub fn without(&self, streams: &[usize]) -> Option<Self> {
        let mut rest = self.clone();
        for product in &mut rest.products {
            if streams.contains(&product.tracks.first()?.stream) {
                return None;
            }
            for stream in streams {
                product.dropped.push(Dropped {
                    stream: *stream,
                    what: "video".into(),
                    reason: "no picture in it can be decoded".into(),
                    by: DroppedBy::Source,
                });
            }
            product
                .tracks
                .retain(|track| !streams.contains(&track.stream));
        }
        Some(rest)
    }
}

impl Sink {
    /// Lets the muxer write boxes that its standard does not define.
    pub(super) fn allow_unofficial(&mut self) {
        if let Sink::File { options, .. } = self {
            options.push(("strict".into(), "unofficial".into()));
        }
    }

    /// Name of picture `number` (from 1) in the folder.
    pub fn picture_name(number: u64, extension: &str) -> String {
        format!("{number:06}.{extension}")
    }
}
