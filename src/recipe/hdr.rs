//! High dynamic range (HDR): which streams have it, which results can carry it, and the filters
//! that turn it into BT.709.

use serde::{Deserialize, Serialize};

use super::{Track, Video, VideoWay, Way};
use crate::job::{Colour, StreamInfo, StreamKind};
use crate::media;

/// Filters that tone mapping needs, and that an FFmpeg may have been built without.
pub const FILTERS: [&str; 2] = ["zscale", "tonemap"];

/// What becomes of high dynamic range (HDR) of the kinds HLG and PQ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Hdr {
    /// Tone-map to BT.709 where the result has fewer than 10 bits.
    #[default]
    Auto,
    /// Keep HDR, also in 8 bits, which looks washed out.
    Keep,
    /// Tone-map to BT.709 always.
    Tonemap,
}

/// The user's choice, and what the engine lacks for it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HdrRule {
    /// The user's choice.
    pub choice: Hdr,
    /// Those of [`FILTERS`] that the engine lacks; a property of the machine, not of the recipe.
    #[serde(skip)]
    pub missing: Vec<&'static str>,
}

impl From<Hdr> for HdrRule {
    fn from(choice: Hdr) -> Self {
        let missing = vec![];
        Self { choice, missing }
    }
}

/// The colours of an HDR stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct HighRange {
    colour: Colour,
    pixel_format: String,
    depth: u32,
    /// Its brightest pixel in cd/m²; 0 where unknown.
    brightest: u32,
}

/// PQ (SMPTE ST 2084) and HLG (ARIB STD-B67) by libav's names of their transfer characteristics.
const PQ: &str = "smpte2084";
const HLG: &str = "arib-std-b67";

/// Results of this depth or more carry HDR.
const ENOUGH_BITS: u32 = 10;

/// Luminance of white in results: what `zscale` takes for 1.0, in cd/m².
const WHITE: u32 = 100;
/// The brightest pixel of HLG as `zscale` reads it, and of PQ where nothing else is known.
const USUAL_BRIGHTEST: u32 = 1000;
/// The most that PQ can store.
const MOST_BRIGHTEST: u32 = 10_000;

/// Matrices and primaries that `zscale` of every supported version reads.
const MATRICES: [&str; 8] = [
    "bt709",
    "fcc",
    "bt470bg",
    "smpte170m",
    "ycgco",
    "bt2020nc",
    "bt2020c",
    "ictcp",
];
const PRIMARIES: [&str; 9] = [
    "bt709",
    "bt470m",
    "bt470bg",
    "smpte170m",
    "smpte240m",
    "film",
    "bt2020",
    "smpte431",
    "smpte432",
];

/// Pixel formats that `zscale` writes; others are converted afterwards.
const WRITTEN: [&str; 14] = [
    "yuv420p",
    "yuv422p",
    "yuv444p",
    "yuv420p10le",
    "yuv422p10le",
    "yuv444p10le",
    "yuv420p12le",
    "yuv422p12le",
    "yuv444p12le",
    "yuva420p",
    "yuva444p10le",
    "gbrp",
    "gbrap",
    "gbrp10le",
];

/// Descriptions of brightness that frames carry and that are wrong once they are SDR, as the
/// filter `sidedata` names them. The numbers are those of Dolby Vision, which have no names.
const DESCRIPTIONS: [&str; 5] = [
    "MASTERING_DISPLAY_METADATA",
    "CONTENT_LIGHT_LEVEL",
    "DYNAMIC_HDR_PLUS",
    "23",
    "24",
];

impl HighRange {
    /// The colours of `stream`, if it is HDR.
    pub(super) fn of(stream: &StreamInfo) -> Option<Self> {
        let StreamKind::Video {
            pixel_format,
            depth,
            ..
        } = &stream.kind
        else {
            return None;
        };
        let colour = &stream.details.colour;
        [PQ, HLG].contains(&colour.transfer.as_str()).then(|| Self {
            colour: colour.clone(),
            pixel_format: pixel_format.clone(),
            depth: *depth,
            brightest: stream.details.brightest,
        })
    }

    fn name(&self) -> &'static str {
        match self.colour.transfer == PQ {
            true => "PQ",
            false => "HLG",
        }
    }

    /// The filters that turn frames into BT.709 of the pixel format `format`; both sides are even
    /// if `is_even`.
    ///
    /// Of the operators of `tonemap`, `hable` keeps detail in clouds where `mobius` and
    /// `reinhard` burn them out. It is also HandBrake's default, with the same white and without
    /// desaturation. The peak is given: left to the filter, it depends on what the version of
    /// FFmpeg hands to frames. `zscale` gets one thread: slices differ at their edges.
    pub(super) fn filters(&self, format: &str, is_even: bool) -> String {
        let alpha = if media::has_alpha(format) { "a" } else { "" };
        let (is_written, is_rgb) = (WRITTEN.contains(&format), media::is_rgb(format));
        let between = match is_rgb {
            true => format!("gbr{alpha}p"),
            false => format!("yuv{alpha}444p10le"),
        };
        let written = if is_written { format } else { &between };
        let colours = if is_rgb { "r=pc" } else { "m=bt709:r=tv" };
        let mut filters = vec![];
        filters.extend(self.whole_chroma(alpha).filter(|_| !is_even));
        filters.extend([
            format!(
                "zscale={}:t=linear:npl={WHITE}:p={}:threads=1",
                self.described(),
                self.primaries()
            ),
            format!("format=gbr{alpha}pf32le"),
            "zscale=p=bt709:threads=1".to_owned(),
            format!("tonemap=tonemap=hable:desat=0:peak={}", self.peak()),
            format!("zscale=t=bt709:{colours}:threads=1"),
            format!("format={written}"),
        ]);
        let deleted = |kind: &&str| format!("sidedata=mode=delete:type={kind}");
        filters.extend(DESCRIPTIONS.iter().map(deleted));
        if !is_written {
            filters.push("scale=flags=bicubic".to_owned());
        }
        filters.join(",")
    }

    /// The format without subsampled chroma, which `zscale` refuses at odd sizes.
    fn whole_chroma(&self, alpha: &str) -> Option<String> {
        let is_subsampled = media::chroma_shifts(&self.pixel_format) != (0, 0);
        let bits = if self.depth > 10 { "16" } else { "10" };
        is_subsampled.then(|| format!("format=yuv{alpha}444p{bits}le"))
    }

    /// How `zscale` is to read the source: tags may be missing, and it refuses to guess.
    fn described(&self) -> String {
        let transfer = &self.colour.transfer;
        let is_rgb = media::is_rgb(&self.pixel_format);
        let is_full = self.colour.range == "pc" || is_rgb || self.pixel_format.starts_with("yuvj");
        let matrix = known(&self.colour.matrix, &MATRICES).unwrap_or("bt2020nc");
        let matrix = match is_rgb {
            true => String::new(),
            false => format!(":min={matrix}"),
        };
        let range = if is_full { "pc" } else { "tv" };
        format!(
            "tin={transfer}{matrix}:pin={}:rin={range}",
            self.primaries()
        )
    }

    fn primaries(&self) -> &str {
        known(&self.colour.primaries, &PRIMARIES).unwrap_or("bt2020")
    }

    /// Its brightest pixel, where white is 1.
    fn peak(&self) -> f64 {
        let brightest = match (self.colour.transfer == PQ, self.brightest) {
            (true, 1..) => self.brightest.clamp(WHITE, MOST_BRIGHTEST),
            _ => USUAL_BRIGHTEST,
        };
        f64::from(brightest) / f64::from(WHITE)
    }
}

fn known<'a>(name: &'a str, names: &[&str]) -> Option<&'a str> {
    names.contains(&name).then_some(name)
}

impl HdrRule {
    /// Whether an HDR stream is tone-mapped for a result of the pixel format `format`.
    fn tone_maps(&self, format: &str) -> bool {
        let is_chosen = match self.choice {
            Hdr::Auto => !carries(format),
            Hdr::Keep => false,
            Hdr::Tonemap => true,
        };
        is_chosen && self.missing.is_empty()
    }

    /// The range of `stream` that is to be tone-mapped for `format`, if any.
    pub(super) fn mapped<'a>(
        &self,
        range: Option<&'a HighRange>,
        format: &str,
    ) -> Option<&'a HighRange> {
        range.filter(|_| self.tone_maps(format))
    }

    /// Whether a stream of that range must not be copied.
    pub(super) fn forbids_copies(&self, range: Option<&HighRange>) -> bool {
        range.is_some() && self.choice == Hdr::Tonemap && self.missing.is_empty()
    }

    /// What the user should know of `stream` re-encoded as `format`.
    pub(super) fn note(&self, stream: &StreamInfo, format: &str) -> Option<String> {
        let index = stream.index;
        if stream.details.dolby_profile == WITHOUT_BASE {
            return Some(format!(
                "stream {index}: Dolby Vision profile 5 has no base layer for other players: \
                 colours of the result are wrong"
            ));
        }
        let range = HighRange::of(stream)?;
        let name = range.name();
        if self.tone_maps(format) {
            return Some(format!(
                "stream {index}: HDR ({name}) becomes SDR (BT.709), tone-mapped"
            ));
        }
        if carries(format) && self.choice != Hdr::Tonemap {
            return None;
        }
        Some(match self.missing.as_slice() {
            [_, ..] if self.choice != Hdr::Keep => format!(
                "stream {index}: HDR ({name}) is not tone-mapped, and may look washed out: \
                 this FFmpeg lacks the filters {}",
                self.missing.join(" and ")
            ),
            _ => format!(
                "stream {index}: HDR ({name}) stays HDR in 8 bits, and looks washed out in most \
                 players (--hdr auto tone-maps it)"
            ),
        })
    }
}

/// A Dolby Vision profile whose frames are of no use to other players.
const WITHOUT_BASE: u8 = 5;

/// Whether results of that pixel format carry HDR.
fn carries(format: &str) -> bool {
    media::pixel_depth(format) >= ENOUGH_BITS
}

/// What the user should know of the range of a track of `stream`.
pub(super) fn note_of_track(video: &Video, stream: &StreamInfo, track: &Track) -> Option<String> {
    let StreamKind::Video {
        pixel_format,
        depth,
        ..
    } = &stream.kind
    else {
        return None;
    };
    let format = video.pixel_format(pixel_format, *depth);
    let is_encoded = matches!(track.way, Way::Video(_));
    is_encoded.then(|| video.hdr.note(stream, &format))?
}

impl VideoWay {
    /// Whether HDR becomes SDR on the way.
    pub fn tone_maps(&self) -> bool {
        self.filter.contains("tonemap=tonemap=")
    }
}
