//! Sample format, sample rate and channel layout for an audio encoder.

use crate::media::{self, SampleFormat, SoundOffer};

/// Bits that a sample of unknown depth gets where the encoder is lossless.
const USUAL_BITS: u32 = 16;

/// FLAC and ALAC keep the upper 24 of 32 bits.
const MOST_BITS: u32 = 24;

/// The speakers of `stereo`, and the two channels that carry a matrix mix for them.
const STEREO: u64 = 0x3;
const DOWNMIX: u64 = 0x6000_0000;

/// The pair of speakers behind the listener, and the pair beside.
const BACK: u64 = 0x30;
const SIDE: u64 = 0x600;
const BACK_CENTRE: u64 = 0x100;
const LFE: u64 = 0x8;

/// Layouts from which the nearest is chosen.
const KNOWN: [&str; 22] = [
    "mono",
    "stereo",
    "2.1",
    "3.0",
    "3.0(back)",
    "3.1",
    "4.0",
    "quad",
    "quad(side)",
    "4.1",
    "5.0",
    "5.0(side)",
    "5.1",
    "5.1(side)",
    "6.0",
    "6.1",
    "7.0",
    "7.1",
    "hexagonal",
    "octagonal",
    "7.1(wide)",
    "hexadecagonal",
];

/// Layouts for which AAC has a channel configuration (ISO/IEC 14496-3, table 1.19), and those
/// of its own descriptions that decoders read back: libav's encoder writes more of them, and
/// its decoder finds no speakers in those.
const AAC: [&str; 10] = [
    "mono",
    "stereo",
    "3.0",
    "4.0",
    "5.0",
    "5.1",
    "7.1",
    "2.1",
    "3.0(back)",
    "quad",
];

/// The layouts of Opus and Vorbis (RFC 7845, section 5.1.1.2). Their encoders take others
/// of as many channels, and then label them as these.
const VORBIS: [&str; 8] = ["mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"];

/// What a source's samples are like.
pub(super) struct Samples<'a> {
    /// Samples a second.
    pub rate: u32,
    /// Number of channels.
    pub channels: u32,
    /// Layout by libav's name.
    pub layout: &'a str,
    /// Bits of a sample; 0 where unknown.
    pub bits: u32,
}

/// An encoder's input, chosen for a source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fitted {
    /// The arguments of `aformat`.
    pub format: String,
    /// Number of channels that are encoded.
    pub channels: u32,
    /// What is lost on the way, in words.
    pub lost: Vec<String>,
}

/// Chooses the format, rate and layout of `encoder` that lose the least of `source`.
pub(super) fn fit(encoder: &str, source: &Samples) -> Fitted {
    let offer = media::sound_offer(encoder);
    let format = sample_format(&offer, source.bits);
    let rate = sample_rate(encoder, &offer, source.rate);
    let taken = Taken::by(encoder, &offer, |layout| {
        media::encoder_takes_layout(encoder, format.name, rate, layout)
    });
    let given = media::layout_mask(source.layout).or_else(|| media::usual_layout(source.channels));
    // libav has no default layout for more than eight channels.
    let nearest = given.map_or(Nearest::Mixed(STEREO), |given| taken.nearest(given));
    let (Nearest::Whole(layout) | Nearest::Mixed(layout)) = nearest;
    let name = media::layout_of(layout);
    let mixed = matches!(nearest, Nearest::Mixed(_)).then(|| {
        let Samples {
            channels, layout, ..
        } = source;
        format!(
            "{channels} channels ({layout}) are mixed down to {name}, as {encoder} takes no more"
        )
    });
    Fitted {
        format: format!(
            "sample_fmts={}:sample_rates={rate}:channel_layouts={name}",
            format.name
        ),
        channels: layout.count_ones(),
        lost: mixed
            .into_iter()
            .chain(lost_bits(encoder, &offer, format, source.bits))
            .collect(),
    }
}

/// The format that keeps the source's bits in the least room; for encoders with loss, the
/// most exact one.
fn sample_format(offer: &SoundOffer, bits: u32) -> SampleFormat {
    let wanted = if bits == 0 { USUAL_BITS } else { bits };
    let whole = offer.formats.iter().filter(|format| !format.is_float);
    let (deep, shallow): (Vec<&SampleFormat>, Vec<_>) =
        whole.partition(|format| format.bits >= wanted);
    // Of equals, the encoder's first choice.
    let least = deep.into_iter().min_by_key(|format| format.bits);
    let most = shallow.into_iter().rev().max_by_key(|format| format.bits);
    let float = offer.formats.iter().find(|format| format.is_float);
    let chosen = match offer.lossless {
        true => least.or(most).or(float),
        false => float.or(least).or(most),
    };
    chosen.copied().unwrap_or(SampleFormat {
        name: "fltp",
        bits: 32,
        is_float: true,
    })
}

/// The source's own rate, or the next above it, or the highest.
fn sample_rate(encoder: &str, offer: &SoundOffer, source: u32) -> u32 {
    // Opus works at 48 kHz inside (RFC 6716, section 2).
    if encoder == "libopus" {
        return 48_000;
    }
    let above = offer.rates.iter().filter(|rate| **rate >= source).min();
    let nearest = above.or(offer.rates.iter().max());
    nearest.copied().unwrap_or(source)
}

/// A warning if a lossless encoder stores fewer bits per sample than the source has.
fn lost_bits(encoder: &str, offer: &SoundOffer, format: SampleFormat, bits: u32) -> Option<String> {
    let kept = match offer.coded_bits {
        0 => format.bits.min(MOST_BITS),
        coded => coded,
    };
    (offer.lossless && bits > kept)
        .then(|| format!("samples of {bits} bits become samples of {kept} in {encoder}"))
}

/// A layout that an encoder takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nearest {
    /// It has a place for every channel of the source.
    Whole(u64),
    /// Channels of the source are mixed.
    Mixed(u64),
}

/// The layouts that an encoder takes.
struct Taken<Trial> {
    /// These; players know them best.
    listed: Vec<u64>,
    /// Whether others are taken, where the list is not all.
    trial: Option<Trial>,
}

impl<Trial: Fn(u64) -> bool> Taken<Trial> {
    fn by(encoder: &str, offer: &SoundOffer, trial: Trial) -> Self {
        let (listed, is_all) = match encoder {
            "aac" => (masks(&AAC).collect(), true),
            "libopus" | "opus" | "libvorbis" | "vorbis" => (masks(&VORBIS).collect(), true),
            _ => (offer.layouts.clone(), !offer.layouts.is_empty()),
        };
        Self {
            listed,
            trial: (!is_all).then_some(trial),
        }
    }

    fn takes(&self, layout: u64) -> bool {
        self.listed.contains(&layout) || self.trial.as_ref().is_some_and(|trial| trial(layout))
    }

    /// The source's layout, or one of the same speakers, or the smallest that has a place for
    /// each channel, or the largest that the encoder takes.
    fn nearest(&self, source: u64) -> Nearest {
        let same = [source, twin(source)];
        let listed = same.iter().find(|layout| self.listed.contains(layout));
        if let Some(layout) = listed.or_else(|| same.iter().find(|layout| self.takes(**layout))) {
            return Nearest::Whole(*layout);
        }
        let known = || masks(&KNOWN).filter(|layout| self.takes(*layout));
        let smallest = |lacks: &dyn Fn(u64) -> u64| {
            let has_all = |layout: &u64| lacks(placed(*layout)) == 0;
            known().filter(has_all).min_by_key(|one| one.count_ones())
        };
        let source_placed = placed(source);
        let exact = smallest(&|layout| source_placed & !layout);
        // What comes from behind can come from both speakers there, if they have nothing else
        // to play. Those for low frequencies are not among them.
        let speakers = |layout: u64| (layout & !LFE).count_ones();
        let between = || {
            smallest(&|layout| match layout & BACK {
                BACK if source & BACK == 0 && speakers(layout) >= speakers(source) => {
                    source_placed & !layout & !BACK_CENTRE
                }
                _ => source_placed & !layout,
            })
        };
        if let Some(layout) = exact.or_else(between) {
            return Nearest::Whole(layout);
        }
        let fits = |layout: &u64| layout.count_ones() <= source.count_ones();
        let largest = known().filter(fits).max_by_key(|one| one.count_ones());
        Nearest::Mixed(largest.unwrap_or(STEREO))
    }
}

fn masks<'a>(names: &'a [&'a str]) -> impl Iterator<Item = u64> + 'a {
    names.iter().filter_map(|name| media::layout_mask(name))
}

/// The same layout with side speakers for back speakers, or back for side: codecs disagree on
/// their names, as in `5.1` and `5.1(side)`.
fn twin(layout: u64) -> u64 {
    match (layout & BACK, layout & SIDE) {
        (BACK, 0) => layout & !BACK | SIDE,
        (0, SIDE) => layout & !SIDE | BACK,
        _ => placed(layout),
    }
}

/// A layout with its side speakers named back speakers if it has no others behind, and a matrix
/// mix named stereo: layouts that compare equal here sound the same.
fn placed(layout: u64) -> u64 {
    let layout = match layout & DOWNMIX {
        DOWNMIX => layout & !DOWNMIX | STEREO,
        _ => layout,
    };
    match (layout & BACK, layout & SIDE) {
        (0, SIDE) => layout & !SIDE | BACK,
        _ => layout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(encoder: &str, rate: u32, channels: u32, layout: &str) -> Fitted {
        let source = Samples {
            rate,
            channels,
            layout,
            bits: 0,
        };
        fit(encoder, &source)
    }

    fn layout(encoder: &str, layout: &str) -> String {
        let mask = media::layout_mask(layout).unwrap();
        let fitted = fitted(encoder, 48_000, mask.count_ones(), layout);
        let (_, name) = fitted.format.rsplit_once('=').unwrap();
        match fitted.lost.is_empty() {
            true => name.to_owned(),
            false => format!("{name}, mixed"),
        }
    }

    fn format_of_bits(encoder: &str, bits: u32) -> String {
        let source = Samples {
            rate: 48_000,
            channels: 2,
            layout: "stereo",
            bits,
        };
        fit(encoder, &source).format
    }

    #[test]
    fn a_source_that_fits_keeps_its_rate_and_channels() {
        let fitted = fitted("aac", 44_100, 6, "5.1(side)");
        assert_eq!(
            fitted.format,
            "sample_fmts=fltp:sample_rates=44100:channel_layouts=5.1"
        );
        assert_eq!((fitted.channels, fitted.lost), (6, vec![]));
    }

    #[test]
    fn no_channel_is_lost_where_the_encoder_has_a_place_for_it() {
        for (encoder, source, wanted) in [
            ("aac", "quad", "quad"),
            ("aac", "quad(side)", "quad"),
            ("aac", "3.1", "5.1"),
            ("aac", "4.1", "5.1"),
            ("aac", "6.1", "7.1"),
            ("aac", "6.0", "7.1"),
            ("aac", "hexagonal", "5.1, mixed"),
            ("aac", "downmix", "stereo"),
            ("libopus", "quad", "quad"),
            ("libopus", "quad(side)", "quad"),
            ("libopus", "2.1", "5.1"),
            ("libopus", "4.0", "6.1"),
            ("libopus", "5.1(side)", "5.1"),
            ("flac", "quad", "quad"),
            ("flac", "6.1", "6.1"),
            ("flac", "4.1", "4.1"),
            ("pcm_s16le", "quad", "quad"),
            ("pcm_s24le", "hexadecagonal", "hexadecagonal"),
            ("ac3", "quad", "quad"),
            ("alac", "5.1(side)", "5.1"),
        ] {
            assert_eq!(layout(encoder, source), wanted, "{encoder} of {source}");
        }
    }

    #[test]
    fn channels_that_have_no_place_are_mixed_and_that_is_said() {
        for (encoder, source, wanted) in [
            ("libmp3lame", "5.1", "stereo, mixed"),
            ("mp2", "quad", "stereo, mixed"),
            ("ac3", "7.1", "5.1, mixed"),
            ("libopus", "7.1(wide)", "7.1, mixed"),
        ] {
            let found = layout(encoder, source);
            let is_right = found == wanted || encoder == "ac3" && found == "5.1(side), mixed";
            assert!(is_right, "{encoder} of {source}: {found}");
        }
        let told = fitted("libmp3lame", 48_000, 6, "5.1").lost;
        assert_eq!(
            told,
            ["6 channels (5.1) are mixed down to stereo, as libmp3lame takes no more"]
        );
    }

    #[test]
    fn channels_of_no_named_speakers_have_the_usual_ones() {
        let format = fitted("aac", 48_000, 6, "6 channels").format;
        assert!(format.ends_with("channel_layouts=5.1"), "{format}");
        let format = fitted("aac", 48_000, 2, "2 channels").format;
        assert!(format.ends_with("channel_layouts=stereo"), "{format}");
    }

    #[test]
    fn a_rate_that_the_encoder_lacks_becomes_the_next_above_or_the_highest() {
        for (encoder, rate, wanted) in [
            ("aac", 44_100, 44_100),
            ("aac", 6_000, 7_350),
            ("aac", 192_000, 96_000),
            ("libmp3lame", 96_000, 48_000),
            ("libopus", 44_100, 48_000),
            ("ac3", 22_050, 32_000),
            ("flac", 192_000, 192_000),
            ("pcm_s16le", 96_000, 96_000),
            ("pcm_s16le", 11_127, 11_127),
        ] {
            let format = fitted(encoder, rate, 2, "stereo").format;
            let wanted = format!(":sample_rates={wanted}:");
            assert!(format.contains(&wanted), "{encoder} {rate}: {format}");
        }
    }

    #[test]
    fn samples_keep_their_bits_where_the_encoder_can() {
        let cases = [
            ("flac", 0, "s16"),
            ("flac", 16, "s16"),
            ("flac", 24, "s32"),
            ("alac", 0, "s16p"),
            ("alac", 24, "s32p"),
            ("mp2", 24, "s16"),
            ("pcm_s16le", 24, "s16"),
            ("pcm_s24le", 16, "s32"),
            ("pcm_s32le", 32, "s32"),
            ("pcm_f32le", 32, "flt"),
            ("aac", 24, "fltp"),
        ];
        for (encoder, bits, wanted) in cases {
            let wanted = format!("sample_fmts={wanted}:");
            let format = format_of_bits(encoder, bits);
            assert!(format.starts_with(&wanted), "{encoder} {bits}: {format}");
        }
    }

    #[test]
    fn bits_that_are_lost_are_told() {
        let lost = |encoder: &str, bits| {
            let source = Samples {
                rate: 48_000,
                channels: 2,
                layout: "stereo",
                bits,
            };
            fit(encoder, &source).lost
        };
        assert_eq!(
            lost("pcm_s16le", 24),
            ["samples of 24 bits become samples of 16 in pcm_s16le"]
        );
        assert_eq!(
            lost("flac", 32),
            ["samples of 32 bits become samples of 24 in flac"]
        );
        assert!(lost("flac", 24).is_empty() && lost("pcm_s32le", 32).is_empty());
        assert!(lost("aac", 24).is_empty(), "it is lossy anyhow");
    }
}
