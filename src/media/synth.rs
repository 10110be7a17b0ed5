//! Clips made of FFmpeg's own sources: the samples.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use serde::Deserialize;

use super::encode::Setup;
use super::error::Poll;
use super::filter::rescale;
use super::{Encoder, Graph, Muxer, VideoTiming};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::recipe::EncoderSpec;

/// The recipe of one clip.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyntheticClip {
    /// File name.
    pub name: String,
    /// Filter graph that makes the pictures, e.g. `testsrc2=size=640x360:rate=25:duration=3`.
    pub video: String,
    /// Video encoder.
    pub vcodec: String,
    /// Options of the video encoder, `key = value`.
    #[serde(default)]
    pub voptions: std::collections::BTreeMap<String, String>,
    /// Filter graph that makes the sound.
    pub audio: String,
    /// Audio encoder.
    pub acodec: String,
    /// Options of the audio encoder.
    #[serde(default)]
    pub aoptions: std::collections::BTreeMap<String, String>,
    /// Muxer.
    pub muxer: String,
}

/// Writes `clip` to `path`; the same bytes for the same FFmpeg, whatever the machine.
///
/// # Errors
/// Where the linked FFmpeg lacks a source, an encoder or the muxer, or the file cannot be written.
pub fn synthesise(clip: &SyntheticClip, path: &Path, cancel: &Cancel) -> Result<()> {
    let exact = [("fflags".to_owned(), "+bitexact".to_owned())];
    let mut muxer = Muxer::create(path, &clip.muxer, &exact, 2, cancel)?;
    let mut video = Generator::new(
        &clip.video,
        spec(&clip.vcodec, &clip.voptions),
        true,
        &muxer,
    )?;
    let mut audio = Generator::new(
        &clip.audio,
        spec(&clip.acodec, &clip.aoptions),
        false,
        &muxer,
    )?;
    muxer.encoded(0, &video.encoder.encoded()?, None, None)?;
    muxer.encoded(1, &audio.encoder.encoded()?, None, None)?;
    // The earlier one goes on, so that the muxer has little to hold back.
    while !(video.ended && audio.ended) {
        let video_next = audio.ended || (!video.ended && video.position_s <= audio.position_s);
        let (generator, index) = if video_next {
            (&mut video, 0)
        } else {
            (&mut audio, 1)
        };
        generator.step(|packet| muxer.write(index, packet))?;
    }
    muxer.finish()
}

fn spec(name: &str, options: &std::collections::BTreeMap<String, String>) -> EncoderSpec {
    EncoderSpec {
        name: name.to_owned(),
        options: options
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        qscale: None,
        width: None,
    }
}

/// A source and its encoder.
struct Generator {
    graph: Graph,
    encoder: Encoder,
    next: Option<ffmpeg::Frame>,
    position_s: f64,
    ended: bool,
}

impl Generator {
    fn new(description: &str, spec: EncoderSpec, video: bool, muxer: &Muxer) -> Result<Self> {
        let mut graph = Graph::generator(description, video)?;
        let setup = Setup {
            threads: 1,
            global_header: muxer.wants_global_header(),
            bit_exact: true,
        };
        let (encoder, next) = if video {
            let (state, first) = graph.pull()?;
            if state != Poll::Ready {
                return Err(Error::failed(format!(
                    "the source '{description}' gives nothing"
                )));
            }
            let rate = graph.frame_rate_or_25();
            let timing = VideoTiming {
                time_base: rate.invert(),
                frame_rate: rate,
            };
            (Encoder::video(&spec, &first, timing, setup)?, Some(first))
        } else {
            (Encoder::audio(&spec, &graph, setup)?, None)
        };
        if let Some(size) = encoder.frame_size() {
            graph.set_frame_size(size);
        }
        Ok(Self {
            graph,
            encoder,
            next,
            position_s: 0.0,
            ended: false,
        })
    }

    fn step(&mut self, take: impl FnMut(ffmpeg::Packet) -> Result<()>) -> Result<()> {
        let mut frame = match self.next.take() {
            Some(first) => first,
            None => match self.graph.pull()? {
                (Poll::Ready, frame) => frame,
                _ => {
                    self.ended = true;
                    return self.encoder.encode(None, take);
                }
            },
        };
        let pts = rescale(
            frame.pts().unwrap_or(0),
            self.graph.time_base(),
            self.encoder.time_base(),
        );
        frame.set_pts(Some(pts));
        self.position_s = pts as f64 * f64::from(self.encoder.time_base());
        self.encoder.encode(Some(&mut frame), take)
    }
}
