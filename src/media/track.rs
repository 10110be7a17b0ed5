//! One stream's way: decoder → filter graph → encoder → sink.

use std::path::PathBuf;

use ffmpeg::{Frame, Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::decode::Decoder;
use super::encode::Setup;
use super::error::Poll;
use super::filter::{Shape, rescale};
use super::mux::payload;
use super::{Encoder, Graph, Input, Muxer, VideoTiming};
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::recipe::{EncoderSpec, Sink};

/// Where a track's packets go.
pub(super) enum Output {
    /// A stream of a file.
    File(Muxer),
    /// Files of their own, numbered from 1.
    Pictures {
        folder: PathBuf,
        extension: String,
        written: u64,
        bytes: u64,
    },
}

impl Output {
    fn wants_global_header(&self) -> bool {
        match self {
            Self::File(muxer) => muxer.wants_global_header(),
            Self::Pictures { .. } => false,
        }
    }

    fn stream_ready(
        &mut self,
        index: usize,
        encoder: &Encoder,
        input: &Input,
        source: usize,
    ) -> Result<()> {
        match self {
            Self::File(muxer) => muxer.stream_ready(index, encoder, Some((input, source))),
            Self::Pictures { .. } => Ok(()),
        }
    }

    fn write(&mut self, index: usize, packet: Packet) -> Result<()> {
        match self {
            Self::File(muxer) => muxer.write(index, packet),
            Self::Pictures {
                folder,
                extension,
                written,
                bytes,
            } => {
                *written += 1;
                let path = folder.join(Sink::picture_name(*written, extension));
                *bytes += packet.size() as u64;
                std::fs::write(&path, payload(&packet)).map_err(|error| {
                    Error::failed(format!("cannot write '{}'", path.display())).because(error)
                })
            }
        }
    }

    /// Bytes handed over so far.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::File(muxer) => muxer.bytes(),
            Self::Pictures { bytes, .. } => *bytes,
        }
    }
}

/// What kind of stream a track carries, and what its encoder needs for that.
#[derive(Debug, Clone, Copy)]
pub(super) enum Medium {
    /// Pictures; the encoder's time base, and libav's guess of the source's frame rate.
    Video { time_base: Ratio, frame_rate: Ratio },
    /// Sound.
    Audio,
}

/// Where one stream comes from, what it passes through, and where it goes.
pub(super) struct Route<'a> {
    /// The source's stream.
    pub source: usize,
    /// The output's stream.
    pub index: usize,
    /// What it carries.
    pub medium: Medium,
    /// The filters, as one description.
    pub filter: String,
    /// The encoder.
    pub encoder: &'a EncoderSpec,
    /// Threads that codecs and filters may use.
    pub threads: usize,
}

/// One stream on its way.
pub(super) struct Track<'a> {
    source: usize,
    decoder: Decoder,
    chain: Chain<'a>,
}

impl<'a> Track<'a> {
    /// Opens the decoder; the rest follows with the first frame.
    pub(super) fn open(input: &Input, route: Route<'a>) -> Result<Self> {
        Ok(Self {
            source: route.source,
            decoder: Decoder::open(input, route.source, route.threads)?,
            chain: Chain {
                route,
                graph: None,
                encoder: None,
                fixed_size: None,
                frames: 0,
                position_s: 0.0,
            },
        })
    }

    /// The source's stream.
    pub(super) fn source(&self) -> usize {
        self.source
    }

    /// Takes a packet of its stream; `None` drains decoder, filters and encoder.
    pub(super) fn take(
        &mut self,
        packet: Option<Packet>,
        input: &Input,
        output: &mut Output,
    ) -> Result<()> {
        let Self {
            source,
            decoder,
            chain,
        } = self;
        let last = packet.is_none();
        decoder.decode(packet, |frame, time_base| {
            chain.decoded(&frame, time_base, (input, *source), output)
        })?;
        if last {
            chain.drain(decoder.end(), (input, *source), output)
        } else {
            Ok(())
        }
    }

    /// Frames encoded so far.
    pub(super) fn frames(&self) -> u64 {
        self.chain.frames
    }

    /// Position of the last encoded frame in seconds.
    pub(super) fn position_s(&self) -> f64 {
        self.chain.position_s
    }

    /// Packets that could not be decoded.
    pub(super) fn damaged(&self) -> u64 {
        self.decoder.damaged()
    }

    /// Whether a frame ever came out.
    pub(super) fn has_begun(&self) -> bool {
        self.chain.encoder.is_some()
    }
}

/// What follows the decoder.
struct Chain<'a> {
    route: Route<'a>,
    graph: Option<(Shape, Graph)>,
    encoder: Option<Encoder>,
    // Size of the first filtered picture; later ones are scaled to it.
    fixed_size: Option<(i32, i32)>,
    frames: u64,
    position_s: f64,
}

impl Chain<'_> {
    fn decoded(
        &mut self,
        frame: &Frame,
        time_base: Rational,
        source: (&Input, usize),
        output: &mut Output,
    ) -> Result<()> {
        let shape = Shape::of(frame);
        if self
            .graph
            .as_ref()
            .is_none_or(|(configured, _)| *configured != shape)
        {
            // What the old graph still holds ready is not lost.
            self.filtered(source, output)?;
            self.graph = Some((shape, self.configure(frame, time_base)?));
            if matches!(self.route.medium, Medium::Audio) {
                self.open_encoder(None, source, output)?;
            }
        }
        if let Some((_, graph)) = &mut self.graph {
            graph.push(frame)?;
        }
        self.filtered(source, output)
    }

    fn configure(&mut self, first: &Frame, time_base: Rational) -> Result<Graph> {
        let mut description = self.route.filter.clone();
        if let Some((width, height)) = self.fixed_size {
            description.push_str(&format!(",scale={width}:{height}:flags=bicubic"));
        }
        let rate = match self.route.medium {
            Medium::Video { frame_rate, .. } => frame_rate.into(),
            Medium::Audio => Rational::new(0, 1),
        };
        Graph::new(first, time_base, rate, &description, self.route.threads)
    }

    /// Encodes all that the graph has ready.
    fn filtered(&mut self, source: (&Input, usize), output: &mut Output) -> Result<()> {
        while let Some((_, graph)) = &mut self.graph {
            let (state, mut frame) = graph.pull()?;
            if state != Poll::Ready {
                break;
            }
            let graph_time = graph.time_base();
            if self.encoder.is_none() {
                self.open_encoder(Some(&frame), source, output)?;
            }
            let Some(encoder) = &mut self.encoder else {
                break;
            };
            let pts = frame
                .pts()
                .map(|pts| rescale(pts, graph_time, encoder.time_base()));
            frame.set_pts(pts);
            self.position_s = pts.unwrap_or(0) as f64 * f64::from(encoder.time_base());
            self.frames += 1;
            let index = self.route.index;
            encoder.encode(Some(&mut frame), |packet| output.write(index, packet))?;
        }
        Ok(())
    }

    /// Opens the encoder, for video by the first filtered frame, and fits the graph to it.
    fn open_encoder(
        &mut self,
        first: Option<&Frame>,
        source: (&Input, usize),
        output: &mut Output,
    ) -> Result<()> {
        let Some((_, graph)) = &mut self.graph else {
            return Ok(());
        };
        if self.encoder.is_none() {
            let setup = Setup {
                threads: self.route.threads,
                global_header: output.wants_global_header(),
                bit_exact: false,
            };
            let encoder = match (self.route.medium, first) {
                (Medium::Video { time_base, .. }, Some(first)) => {
                    // SAFETY: the frame is valid.
                    self.fixed_size =
                        Some(unsafe { ((*first.as_ptr()).width, (*first.as_ptr()).height) });
                    let timing = VideoTiming {
                        time_base: time_base.into(),
                        frame_rate: graph.frame_rate_or_25(),
                    };
                    Encoder::video(self.route.encoder, first, timing, setup)?
                }
                _ => Encoder::audio(self.route.encoder, graph, setup)?,
            };
            output.stream_ready(self.route.index, &encoder, source.0, source.1)?;
            self.encoder = Some(encoder);
        }
        if let Some(size) = self.encoder.as_ref().and_then(Encoder::frame_size) {
            graph.set_frame_size(size);
        }
        Ok(())
    }

    fn drain(&mut self, end: i64, source: (&Input, usize), output: &mut Output) -> Result<()> {
        if let Some((_, graph)) = &mut self.graph {
            graph.close(end)?;
        }
        self.filtered(source, output)?;
        let index = self.route.index;
        match &mut self.encoder {
            Some(encoder) => encoder.encode(None, |packet| output.write(index, packet)),
            None => Ok(()),
        }
    }
}
