//! What audio encoders take: sample format, rate and channels.

/// What one encoder takes.
struct Taken {
    /// The sample format, by libav's name.
    format: &'static str,
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

fn taken_by(encoder: &str) -> Taken {
    match encoder {
        "aac" => Taken {
            format: "fltp",
            rates: AAC_RATES,
        },
        "libmp3lame" => Taken {
            format: "fltp",
            rates: MP3_RATES,
        },
        // Opus works at 48 kHz inside (RFC 6716, section 2).
        "libopus" => Taken {
            format: "flt",
            rates: &[],
        },
        "pcm_s16le" => Taken {
            format: "s16",
            rates: AAC_RATES,
        },
        "flac" => Taken {
            format: "s16",
            rates: AAC_RATES,
        },
        _ => Taken {
            format: "fltp",
            rates: &[],
        },
    }
}

/// The `aformat` arguments that make a source fit `encoder`: `rate` in Hz,
/// `layout` by libav's name.
pub(super) fn format_for(encoder: &str, rate: u32, channels: u32, layout: &str) -> String {
    let taken = taken_by(encoder);
    let rate = if taken.rates.contains(&rate) {
        rate
    } else {
        48_000
    };
    // `5.1(side)` is `5.1` with other names for two speakers.
    let base = layout.split('(').next().unwrap_or_default();
    let most = if encoder == "libmp3lame" { 2 } else { 8 };
    let layout = match channels {
        1 => "mono",
        3.. if channels <= most => LAYOUTS
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

    #[test]
    fn a_source_that_fits_keeps_its_rate_and_channels() {
        assert_eq!(
            format_for("aac", 44_100, 6, "5.1(side)"),
            "sample_fmts=fltp:sample_rates=44100:channel_layouts=5.1"
        );
    }

    #[test]
    fn what_does_not_fit_is_made_to() {
        assert_eq!(
            format_for("libopus", 44_100, 1, "mono"),
            "sample_fmts=flt:sample_rates=48000:channel_layouts=mono"
        );
        assert!(
            format_for("libmp3lame", 96_000, 6, "5.1").ends_with("48000:channel_layouts=stereo")
        );
        assert!(
            format_for("aac", 6_000, 2, "2 channels").ends_with("48000:channel_layouts=stereo")
        );
    }
}
