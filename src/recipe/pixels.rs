//! What video encoders take: pixel formats, time bases, and how they are told a quality.

use super::Video;
use crate::job::Ratio;
use crate::media;

impl Video {
    /// The pixel format to encode, by libav's name, for pictures of the format
    /// `source` with `depth` bits a component.
    ///
    /// Of the offered ones it is the first that keeps the depth, else the deepest.
    /// Where the encoder takes none of them, it is that of its own which loses least.
    pub fn pixel_format(&self, source: &str, depth: u32) -> String {
        let taken = media::encoder_pixel_formats(&self.encoder);
        let takes = |name: &&str| taken.is_empty() || taken.contains(name);
        let usual = [usual_format(&self.encoder)];
        let offered: Vec<&str> = match self.pixels.as_slice() {
            [] => usual.into_iter().filter(takes).collect(),
            own => own.iter().map(String::as_str).filter(takes).collect(),
        };
        let depth_of = |name: &&&str| media::pixel_depth(name);
        let chosen = offered
            .iter()
            .find(|name| depth_of(name) >= depth)
            .or_else(|| offered.iter().max_by_key(depth_of))
            .copied();
        let alpha = media::has_alpha(source);
        chosen
            .or_else(|| media::nearest_pixel_format(&taken, source, alpha))
            .unwrap_or(usual[0])
            .to_owned()
    }
}

/// What nearly everything plays; pictures of JPEG take all values that there are.
fn usual_format(encoder: &str) -> &'static str {
    match encoder {
        "mjpeg" => "yuvj420p",
        _ => "yuv420p",
    }
}

/// Whether `--crf` means something to an encoder.
pub fn knows_crf(encoder: &str) -> bool {
    media::encoder_has_option(encoder, "crf")
}

/// The constant quantiser of encoders that know no `crf` and would else aim at
/// 200 kb/s, whatever the picture: hardly worse to look at than the source.
pub(super) fn usual_quantiser(encoder: &str) -> Option<u8> {
    const BY_QUANTISER: [&str; 11] = [
        "flv1",
        "h263",
        "h263p",
        "mjpeg",
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
        "msmpeg4v2",
        "msmpeg4v3",
        "wmv1",
        "wmv2",
    ];
    let codec = media::codec_of_encoder(encoder);
    BY_QUANTISER.contains(&codec.as_str()).then_some(3)
}

/// Time base for frames of that rate: the smallest multiple of the rate's numerator
/// that is at least 90,000 ticks a second, or as near to that as the encoder goes.
/// Constant frame rates are exact in it, and any other timestamp is within 6 µs (8 µs).
pub(super) fn fine_time_base(encoder: &str, frame_rate: Ratio) -> Ratio {
    const TICKS: i32 = 90_000;
    let most = most_ticks(encoder);
    if !frame_rate.is_positive() || frame_rate.num > most.min(1_000_000) {
        return Ratio::new(1, most.min(TICKS));
    }
    let factor = (TICKS + frame_rate.num - 1) / frame_rate.num;
    let factor = factor.min(most / frame_rate.num);
    Ratio::new(1, frame_rate.num * factor)
}

/// Ticks a second at most. MPEG-4 counts them in 16 bits (ISO/IEC 14496-2,
/// `vop_time_increment_resolution`).
fn most_ticks(encoder: &str) -> i32 {
    match media::codec_of_encoder(encoder).as_str() {
        "mpeg4" => 65_535,
        _ => i32::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(encoder: &str, pixels: &[&str], source: &str, depth: u32) -> String {
        let video = Video {
            encoder: encoder.into(),
            pixels: pixels.iter().map(|name| (*name).to_owned()).collect(),
            ..Video::default()
        };
        video.pixel_format(source, depth)
    }

    #[test]
    fn of_the_offered_formats_it_is_the_first_of_the_sources_depth() {
        let both = ["yuv420p", "yuv420p10le"];
        assert_eq!(format("libx264", &both, "yuv420p", 8), "yuv420p");
        assert_eq!(format("libx264", &both, "yuv422p10le", 10), "yuv420p10le");
        assert_eq!(format("libx264", &both, "yuv444p12le", 12), "yuv420p10le");
        assert_eq!(format("libx264", &[], "yuv422p10le", 10), "yuv420p");
    }

    #[test]
    fn an_encoder_that_takes_none_of_them_gets_what_loses_least() {
        assert_eq!(format("prores_ks", &[], "yuv420p", 8), "yuv422p10le");
        assert_eq!(format("prores_ks", &[], "yuva420p", 8), "yuva444p10le");
        assert_eq!(
            format("prores_ks", &["yuv420p"], "yuv444p", 8),
            "yuv444p10le"
        );
        assert_eq!(format("mjpeg", &[], "yuv420p", 8), "yuvj420p");
        // Whose encoder is not linked is told of elsewhere.
        assert_eq!(format("none_such", &[], "", 8), "yuv420p");
    }

    #[test]
    fn the_time_base_holds_constant_rates_exactly() {
        for (encoder, rate, ticks) in [
            ("libx264", (25, 1), 90_000),
            ("libx264", (24_000, 1001), 96_000),
            ("libx264", (30_000, 1001), 90_000),
            ("mpeg4", (25, 1), 65_525),
            ("mpeg4", (24_000, 1001), 48_000),
            ("mpeg4", (60_000, 1001), 60_000),
        ] {
            let base = fine_time_base(encoder, Ratio::new(rate.0, rate.1));
            assert_eq!(base, Ratio::new(1, ticks));
            assert_eq!(i64::from(ticks) * i64::from(rate.1) % i64::from(rate.0), 0);
        }
        let unknown = Ratio::new(0, 1);
        assert_eq!(fine_time_base("libx264", unknown), Ratio::new(1, 90_000));
        assert_eq!(fine_time_base("mpeg4", unknown), Ratio::new(1, 65_535));
        let odd = Ratio::new(1_000_000, 33_333);
        assert_eq!(fine_time_base("mpeg4", odd), Ratio::new(1, 65_535));
    }
}
