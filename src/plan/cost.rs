//! What a job will cost, as far as its source's container and its recipe tell.

use crate::job::{MediaInfo, StreamInfo, StreamKind};
use crate::recipe::{Choose, Pipeline, VideoWay, Way};

// All in nanoseconds of a core, measured with x264 at its usual speed on cores of 2023.
// Other encoders, speeds and machines are further off, and by about one factor.

/// Opening and closing files and codecs, and making sure of the result.
const START: f64 = 2e7;
/// Decoding a pixel.
const DECODE: f64 = 3.0;
/// Encoding a pixel of a picture that is full of details and movement.
const ENCODE: f64 = 38.0;
/// Tone-mapping a pixel: mostly `zscale`, on numbers of 32 bits.
const TONE_MAP: f64 = 13.0;
/// Encoding a second of sound.
const SOUND: f64 = 8e6;
/// Taking a byte as it is.
const COPY: f64 = 2.0;

/// Where a source spends so many bits on a pixel, encoding it costs half of
/// [`ENCODE`]: what it says in few bits repeats itself, and is encoded quickly.
/// Fits seven clips of 0.009 to 0.093 bits a pixel within a third, but for one
/// of them; without it, they are as far apart as 1 from 6.
const HALF_BITS: f64 = 0.03;

/// Bits a pixel, where nothing tells how long a source is.
const USUAL_BITS: f64 = 0.05;
/// Bytes a second of sound without pictures, where nothing tells how long it is.
const USUAL_BYTES: f64 = 16_000.0;

/// Only so few pictures are key frames.
const KEY_FRAMES: f64 = 0.02;

/// What the work of `pipeline` on a source of so many bytes costs, and of what
/// kind it is: jobs of one kind are off by the same factor.
pub(super) fn cost(info: &MediaInfo, pipeline: &Pipeline, bytes: u64) -> (f64, String) {
    let video = info
        .main_video()
        .and_then(|stream| Film::of(info, stream, bytes));
    let length_s = info.duration_s.unwrap_or_else(|| match &video {
        Some(film) => film.length_s,
        None => bytes as f64 / USUAL_BYTES,
    });
    let tracks = || pipeline.products.iter().flat_map(|product| &product.tracks);
    let ways = tracks().map(|track| match (&track.way, &video) {
        (Way::Video(way), Some(film)) => film.encoding(way),
        (Way::Audio(_), _) => SOUND * length_s,
        _ => 0.0,
    });
    let decodes = tracks().any(|track| matches!(track.way, Way::Video(_)));
    let decoding = match &video {
        Some(film) if decodes && pipeline.key_frames_only => DECODE * film.pixels * KEY_FRAMES,
        Some(film) if decodes => DECODE * film.pixels,
        _ => 0.0,
    };
    let cost = START + COPY * bytes as f64 + decoding + ways.sum::<f64>();
    (cost, kind(info, pipeline))
}

/// What is read, and by what it is encoded.
fn kind(info: &MediaInfo, pipeline: &Pipeline) -> String {
    let video = info.main_video().map_or("", |stream| &stream.codec);
    let tracks = pipeline.products.iter().flat_map(|product| &product.tracks);
    let encoders: Vec<&str> = tracks.filter_map(|track| track.way.encoder()).collect();
    format!("{video} → {}", encoders.join(" "))
}

/// The pictures of a source.
struct Film {
    /// All of them together.
    pixels: f64,
    /// How long they are shown, in seconds.
    length_s: f64,
    width: f64,
    /// A pixel, as H.264 would need them.
    bits: f64,
}

impl Film {
    fn of(info: &MediaInfo, stream: &StreamInfo, bytes: u64) -> Option<Self> {
        let StreamKind::Video {
            width,
            height,
            frame_rate,
            ..
        } = &stream.kind
        else {
            return None;
        };
        let (width, height) = (f64::from(*width), f64::from(*height));
        let rate = match frame_rate.is_positive() {
            true => frame_rate.as_f64().min(240.0),
            false => 25.0,
        };
        let all_bits = 8.0 * bytes as f64;
        let a_second = (rate * width * height).max(1.0);
        let Some(length_s) = info.duration_s.filter(|length_s| *length_s > 0.0) else {
            let pixels = all_bits / USUAL_BITS;
            return Some(Self {
                pixels,
                length_s: pixels / a_second,
                width,
                bits: USUAL_BITS,
            });
        };
        let bit_rate = stream.bit_rate.map(|rate| rate as f64);
        let bits = bit_rate.unwrap_or(all_bits / length_s) / a_second;
        Some(Self {
            pixels: length_s * a_second,
            length_s,
            width,
            bits: bits * efficiency(&stream.codec),
        })
    }

    /// What encoding them one way costs.
    fn encoding(&self, way: &VideoWay) -> f64 {
        if way.choose != Choose::All {
            return 0.0;
        }
        let scale = match way.encoder.width {
            Some(width) if self.width > 0.0 => (f64::from(width) / self.width).powi(2),
            _ => 1.0,
        };
        let share = self.bits / (self.bits + HALF_BITS);
        let mapping = if way.tone_maps() { TONE_MAP } else { 0.0 };
        (ENCODE * share + mapping) * self.pixels * scale.min(1.0)
    }
}

/// How many bits H.264 would need for one of that codec, roughly.
fn efficiency(codec: &str) -> f64 {
    match codec {
        "hevc" | "vp9" | "av1" | "vvc" => 2.0,
        "mpeg1video" | "mpeg2video" | "mpeg4" | "h263" | "flv1" | "mjpeg" => 0.5,
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::{Fields, Ratio};
    use crate::recipe::{Recipe, Transcode, resolve};

    fn source(seconds: Option<f64>, bit_rate: u64) -> MediaInfo {
        MediaInfo {
            format: "mov,mp4,m4a,3gp,3g2,mj2".into(),
            duration_s: seconds,
            duration_is_guessed: false,
            bit_rate: None,
            tags: vec![],
            chapters: 0,
            starts_late: false,
            streams: vec![StreamInfo {
                index: 0,
                kind: StreamKind::Video {
                    width: 1280,
                    height: 720,
                    frame_rate: Ratio::new(25, 1),
                    sample_aspect: Ratio::new(1, 1),
                    orient: String::new(),
                    pixel_format: "yuv420p".into(),
                    depth: 8,
                    fields: Fields::Progressive,
                    light: None,
                    alpha: false,
                },
                codec: "h264".into(),
                decodable: true,
                is_default: true,
                duration_s: seconds,
                bit_rate: Some(bit_rate),
                is_edited: false,
                details: Default::default(),
            }],
        }
    }

    fn of(info: &MediaInfo, bytes: u64) -> f64 {
        let recipe = Recipe::Transcode(Transcode::default());
        let pipeline = resolve(&[&recipe], info).unwrap();
        cost(info, &pipeline, bytes).0
    }

    #[test]
    fn of_equally_long_films_the_one_with_more_bits_costs_more() {
        let (still, lively) = (
            of(&source(Some(5.0), 200_000), 1),
            of(&source(Some(5.0), 2_000_000), 1),
        );
        assert!((2.0..6.0).contains(&(lively / still)), "{still} {lively}");
    }

    #[test]
    fn twice_as_long_costs_twice_as_much() {
        let (one, two) = (
            of(&source(Some(60.0), 1_000_000), 1),
            of(&source(Some(120.0), 1_000_000), 1),
        );
        assert!((1.95..2.0).contains(&(two / one)), "{one} {two}");
    }

    #[test]
    fn a_film_whose_length_nobody_tells_is_not_taken_for_a_short_one() {
        let known = of(&source(Some(600.0), 1_000_000), 75_000_000);
        let unknown = of(&source(None, 1_000_000), 75_000_000);
        assert!((0.5..2.0).contains(&(unknown / known)), "{known} {unknown}");
    }

    #[test]
    fn a_sound_whose_length_nobody_tells_is_as_long_as_its_bytes_say() {
        let sound = StreamKind::Audio {
            sample_rate: 48000,
            channels: 2,
            layout: "stereo".into(),
            bits: 0,
        };
        let of = |seconds| {
            let info = MediaInfo {
                streams: vec![StreamInfo::of_kind(sound.clone(), "opus")],
                ..source(seconds, 0)
            };
            let recipe = Recipe::Transcode(Transcode {
                video: None,
                ..Transcode::default()
            });
            let pipeline = resolve(&[&recipe], &info).unwrap();
            cost(&info, &pipeline, 16_000_000).0
        };
        let (known, unknown) = (of(Some(1000.0)), of(None));
        assert!((0.5..2.0).contains(&(unknown / known)), "{known} {unknown}");
    }
}
