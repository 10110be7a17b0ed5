//! The sound of a film: what its files are decoded to, and how it is encoded.

use super::sound::{Samples, fit};
use super::{Audio, AudioWay, EncoderSpec, Pipeline, Product, Sink, Track, Way};
use crate::job::{MediaInfo, StreamKind};

/// Samples a second of each of the two channels.
pub const MUSIC_RATE: u32 = 48_000;

/// Left and right.
pub const MUSIC_CHANNELS: usize = 2;

/// The sound of `source` as bare 16-bit samples, left and right in turn: its default
/// track, or else its first. `None` where none can be decoded. What is after
/// `seconds` is left out.
pub fn samples(source: &MediaInfo, seconds: f64) -> Option<Pipeline> {
    let sounds = || {
        source.streams.iter().filter(|stream| {
            stream.decodable
                && matches!(
                    stream.kind,
                    StreamKind::Audio {
                        sample_rate: 1..,
                        ..
                    }
                )
        })
    };
    let default = sounds().find(|stream| stream.is_default);
    let stream = default.or_else(|| sounds().next())?.index;
    let way = AudioWay {
        source_codec: String::new(),
        filter: format!("{},atrim=end={seconds}", filter("pcm_s16le")),
        encoder: EncoderSpec {
            name: "pcm_s16le".into(),
            options: vec![],
            qscale: None,
            width: None,
        },
    };
    Some(Pipeline {
        input_format: source.format.clone(),
        starts_late: source.starts_late,
        generate_pts: false,
        untimed: vec![],
        key_frames_only: false,
        tags: vec![],
        tags_stream: None,
        chapters: 0,
        products: vec![Product {
            tracks: vec![Track::new(stream, Way::Audio(way))],
            sink: Sink::File {
                muxer: "s16le".into(),
                options: vec![],
            },
            dropped: vec![],
            notes: vec![],
            kept: None,
        }],
        codec_threads: 1,
    })
}

/// The way of such samples into a film.
pub fn music(audio: &Audio) -> AudioWay {
    AudioWay {
        source_codec: String::new(),
        filter: filter(&audio.encoder),
        encoder: audio.encoder_spec(MUSIC_CHANNELS as u32),
    }
}

/// As for all sound that is encoded, but of one rate and two channels.
fn filter(encoder: &str) -> String {
    let samples = Samples {
        rate: MUSIC_RATE,
        channels: MUSIC_CHANNELS as u32,
        layout: "stereo",
        bits: 16,
    };
    format!(
        "aresample=async=1,aformat={}",
        fit(encoder, &samples).format
    )
}
