//! What audio encoders take: sample format, rate and channels.

use crate::job::StreamInfo;

/// Bits of a sample that `s16` and encoders that know nothing deeper hold.
const USUAL_BITS: u32 = 16;

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

/// What one encoder takes.
struct Taken {
    /// The sample format, by libav's name.
    format: &'static str,
    /// Bits of a sample that it keeps, where it is without loss otherwise.
    bits: Option<u32>,
    /// Sample rates in Hz; any other source is resampled to 48 kHz.
    rates: &'static [u32],
}

/// ISO/IEC 14496-3, table 1.18.
const AAC_RATES: &[u32] = &[
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// ISO/IEC 11172-3 and 13818-3, and LAME's quarter rates.
const MP3_RATES: &[u32] = &[
    48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
];

/// Layouts that the encoders have a channel configuration for.
const LAYOUTS: [&str; 7] = ["mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"];

/// What `encoder` takes of samples of so many bits.
fn taken_by(encoder: &str, bits: u32) -> Taken {
    let (format, bits, rates) = match encoder {
        "aac" => ("fltp", None, AAC_RATES),
        "libmp3lame" => ("fltp", None, MP3_RATES),
        // Opus works at 48 kHz inside (RFC 6716, section 2).
        "libopus" => ("flt", None, &[][..]),
        "pcm_s16le" => ("s16", Some(USUAL_BITS), AAC_RATES),
        // Of `s32`, both keep the upper 24 bits.
        "pcm_s24le" => ("s32", Some(24), AAC_RATES),
        "flac" if bits > USUAL_BITS => ("s32", Some(24), AAC_RATES),
        "flac" => ("s16", Some(USUAL_BITS), AAC_RATES),
        _ => ("fltp", None, &[][..]),
    };
    Taken {
        format,
        bits,
        rates,
    }
}

/// What the user should know of a track of sound that comes out less deep.
pub(super) fn lost_bits(encoder: &str, bits: u32, stream: &StreamInfo) -> Option<String> {
    let kept = taken_by(encoder, bits).bits?;
    (bits > kept).then(|| {
        let index = stream.index;
        format!("stream {index}: samples of {bits} bits become samples of {kept} in {encoder}")
    })
}

/// The `aformat` arguments that make a source fit `encoder`.
pub(super) fn format_for(encoder: &str, source: &Samples) -> String {
    let taken = taken_by(encoder, source.bits);
    let rate = if taken.rates.contains(&source.rate) {
        source.rate
    } else {
        48_000
    };
    // `5.1(side)` is `5.1` with other names for two speakers.
    let base = source.layout.split('(').next().unwrap_or_default();
    let most = if encoder == "libmp3lame" { 2 } else { 8 };
    let layout = match source.channels {
        1 => "mono",
        3.. if source.channels <= most => LAYOUTS
            .into_iter()
            .find(|known| *known == base)
            .unwrap_or("stereo"),
        _ => "stereo",
    };
    format!(
        "sample_fmts={}:sample_rates={rate}:channel_layouts={layout}",
        taken.format
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(encoder: &str, rate: u32, channels: u32, layout: &str) -> String {
        let source = Samples {
            rate,
            channels,
            layout,
            bits: 0,
        };
        format_for(encoder, &source)
    }

    fn format_of_bits(encoder: &str, bits: u32) -> String {
        let source = Samples {
            rate: 48_000,
            channels: 2,
            layout: "stereo",
            bits,
        };
        format_for(encoder, &source)
    }

    #[test]
    fn a_source_that_fits_keeps_its_rate_and_channels() {
        assert_eq!(
            format("aac", 44_100, 6, "5.1(side)"),
            "sample_fmts=fltp:sample_rates=44100:channel_layouts=5.1"
        );
    }

    #[test]
    fn what_does_not_fit_is_made_to() {
        assert_eq!(
            format("libopus", 44_100, 1, "mono"),
            "sample_fmts=flt:sample_rates=48000:channel_layouts=mono"
        );
        assert!(format("libmp3lame", 96_000, 6, "5.1").ends_with("48000:channel_layouts=stereo"));
        assert!(format("aac", 6_000, 2, "2 channels").ends_with("48000:channel_layouts=stereo"));
    }

    #[test]
    fn samples_keep_their_bits_where_the_encoder_can() {
        let cases = [
            ("flac", 0, "s16"),
            ("flac", 16, "s16"),
            ("flac", 24, "s32"),
            ("pcm_s16le", 24, "s16"),
            ("pcm_s24le", 16, "s32"),
        ];
        for (encoder, bits, wanted) in cases {
            let wanted = format!("sample_fmts={wanted}:");
            let format = format_of_bits(encoder, bits);
            assert!(format.starts_with(&wanted), "{encoder} {bits}: {format}");
        }
    }
}
