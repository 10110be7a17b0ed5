//! High dynamic range (HDR): which streams have it, which results can carry it, and the filters
//! that turn it into BT.709.

use serde::{Deserialize, Serialize};

use super::{Colours, Track, Video, VideoWay, Way};
use crate::job::{Colour, PQ, StreamInfo};
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
        let (pixel_format, depth) = stream.pixels()?;
        stream.is_hdr().then(|| Self {
            colour: stream.details.colour.clone(),
            pixel_format: pixel_format.to_owned(),
            depth,
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
                 colours of the result are wrong (--preset remux copies it)"
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
    let (pixel_format, depth) = stream.pixels()?;
    let format = video.pixel_format(pixel_format, depth);
    let is_encoded = matches!(track.way, Way::Video(_));
    is_encoded.then(|| video.hdr.note(stream, &format))?
}

impl VideoWay {
    /// Whether HDR becomes SDR on the way.
    pub fn tone_maps(&self) -> bool {
        self.colours == Colours::ToneMapped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Fields, HLG, Ratio, StreamKind};

    fn stream(transfer: &str, pixel_format: &str) -> StreamInfo {
        let kind = StreamKind::Video {
            width: 1920,
            height: 1080,
            frame_rate: Ratio::new(25, 1),
            sample_aspect: Ratio::new(1, 1),
            orient: String::new(),
            pixel_format: pixel_format.into(),
            alpha: false,
            depth: media::pixel_depth(pixel_format),
            fields: Fields::Progressive,
            light: None,
        };
        let mut stream = StreamInfo::of_kind(kind, "hevc");
        stream.details.colour.transfer = transfer.into();
        stream
    }

    fn range(stream: &StreamInfo) -> HighRange {
        HighRange::of(stream).unwrap()
    }

    #[test]
    fn hdr_is_recognised_by_its_transfer_alone() {
        for transfer in ["smpte2084", "arib-std-b67"] {
            assert!(HighRange::of(&stream(transfer, "yuv420p10le")).is_some());
        }
        for transfer in ["", "bt709", "bt2020-10", "linear"] {
            assert_eq!(HighRange::of(&stream(transfer, "yuv420p10le")), None);
        }
    }

    #[test]
    fn results_of_8_bits_are_tone_mapped_and_deeper_ones_where_that_is_asked_for() {
        for (choice, in_8_bits, in_10_bits) in [
            (Hdr::Auto, true, false),
            (Hdr::Keep, false, false),
            (Hdr::Tonemap, true, true),
        ] {
            let rule = HdrRule::from(choice);
            assert_eq!(rule.tone_maps("yuv420p"), in_8_bits, "{choice:?}");
            assert_eq!(rule.tone_maps("rgb24"), in_8_bits, "{choice:?}");
            assert_eq!(rule.tone_maps("yuv420p10le"), in_10_bits, "{choice:?}");
        }
    }

    #[test]
    fn the_user_is_warned_of_every_change_that_can_be_seen() {
        let (hlg, sdr) = (
            stream("arib-std-b67", "yuv420p10le"),
            stream("bt709", "yuv420p10le"),
        );
        let note = |choice: Hdr, format| HdrRule::from(choice).note(&hlg, format);
        let holds = |note: Option<String>, words: &str| note.unwrap().contains(words);
        assert!(holds(note(Hdr::Auto, "yuv420p"), "HDR (HLG) becomes SDR"));
        assert!(holds(note(Hdr::Tonemap, "yuv420p10le"), "becomes SDR"));
        assert!(holds(note(Hdr::Keep, "yuv420p"), "washed out"));
        assert_eq!(note(Hdr::Auto, "yuv420p10le"), None);
        assert_eq!(note(Hdr::Keep, "yuv420p10le"), None);
        assert_eq!(HdrRule::default().note(&sdr, "yuv420p"), None);
        let mut dolby = hlg.clone();
        dolby.details.dolby_profile = 5;
        assert!(holds(
            HdrRule::default().note(&dolby, "yuv420p"),
            "profile 5"
        ));
    }

    #[test]
    fn missing_filters_leave_hdr_as_it_is_and_are_named() {
        let hlg = stream("arib-std-b67", "yuv420p10le");
        let rule = HdrRule {
            choice: Hdr::Tonemap,
            missing: FILTERS.to_vec(),
        };
        assert!(!rule.tone_maps("yuv420p") && !rule.forbids_copies(Some(&range(&hlg))));
        for format in ["yuv420p", "yuv420p10le"] {
            let note = rule.note(&hlg, format).unwrap();
            assert!(note.contains("zscale and tonemap"), "{note}");
        }
    }

    #[test]
    fn what_the_source_does_not_say_is_that_of_bt_2020() {
        let mut pq = stream("smpte2084", "yuv420p10le");
        let usual = "zscale=tin=smpte2084:min=bt2020nc:pin=bt2020:rin=tv:";
        assert!(range(&pq).filters("yuv420p", true).starts_with(usual));
        pq.details.colour.matrix = "ipt-c2".into();
        pq.details.colour.primaries = "reserved".into();
        assert!(range(&pq).filters("yuv420p", true).starts_with(usual));
        pq.details.colour.matrix = "bt709".into();
        pq.details.colour.primaries = "smpte432".into();
        pq.details.colour.range = "pc".into();
        let own = "zscale=tin=smpte2084:min=bt709:pin=smpte432:rin=pc:";
        assert!(range(&pq).filters("yuv420p", true).starts_with(own));
        let rgb = "zscale=tin=smpte2084:pin=bt2020:rin=pc:";
        let planes = range(&stream("smpte2084", "gbrp10le"));
        assert!(planes.filters("yuv420p", true).starts_with(rgb));
    }

    #[test]
    fn the_peak_is_that_of_the_metadata_within_what_pq_can_hold() {
        let mut pq = stream("smpte2084", "yuv420p10le");
        for (brightest, peak) in [(0, 10.0), (400, 4.0), (1, 1.0), (u32::MAX, 100.0)] {
            pq.details.brightest = brightest;
            assert!((range(&pq).peak() - peak).abs() < 1e-9, "{brightest}");
        }
        pq.details.colour.transfer = HLG.into();
        assert!((range(&pq).peak() - 10.0).abs() < 1e-9);
    }

    #[test]
    fn odd_sizes_lose_their_subsampled_chroma_first() {
        let odd = range(&stream("smpte2084", "yuv420p10le")).filters("gbrp", false);
        assert!(odd.starts_with("format=yuv444p10le,zscale"), "{odd}");
        let deep = range(&stream("smpte2084", "yuv422p12le")).filters("gbrap", false);
        assert!(deep.starts_with("format=yuva444p16le,zscale"), "{deep}");
        let whole = range(&stream("smpte2084", "yuv444p10le")).filters("gbrp", false);
        assert!(whole.starts_with("zscale"), "{whole}");
    }

    #[test]
    fn formats_that_zscale_does_not_write_are_converted_after_it() {
        let hlg = range(&stream("arib-std-b67", "yuv420p10le"));
        assert!(hlg.filters("yuv420p", true).contains("format=yuv420p,"));
        let nv12 = hlg.filters("nv12", true);
        assert!(nv12.contains("format=yuv444p10le,"), "{nv12}");
        assert!(nv12.ends_with("scale=flags=bicubic"), "{nv12}");
        assert!(hlg.filters("rgb24", true).contains("format=gbrp,"));
    }
}
