//! What follows a decoder: filter graph → encoder → output.

use ffmpeg::{Frame, Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::colours::Colours;
use super::compat;
use super::decode::Decoder;
use super::encode::{Encoded, Setup};
use super::error::Poll;
use super::filter::{Shape, rescale};
use super::frame::same_frame;
use super::last_shown::{self, LastShown};
use super::{Encoder, Graph, Muxer, Origin, VideoTiming, bounds};
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::recipe::{AudioWay, EncoderSpec, Track, VideoWay};

/// A frame's time base, and whether nobody needs the frame after this.
#[derive(Clone, Copy)]
pub(super) struct Stamped {
    pub time_base: Rational,
    pub is_last_use: bool,
}

/// Where a chain's packets go.
pub(super) trait Port {
    /// Whether the encoder must keep its header out of the packets.
    fn wants_global_header(&self) -> bool;

    /// Learns what the packets will be of; called once, before the first.
    ///
    /// # Errors
    /// Where that cannot be taken.
    fn describe(&mut self, encoded: Encoded) -> Result<()>;

    /// Takes a packet, its timestamps in the encoder's time base.
    ///
    /// # Errors
    /// Where it cannot be taken.
    fn write(&mut self, packet: Packet) -> Result<()>;
}

/// A stream of a file.
pub(super) struct FilePort<'a> {
    pub output: &'a mut Muxer,
    pub index: usize,
    pub track: &'a Track,
    pub origin: Origin<'a>,
}

impl Port for FilePort<'_> {
    fn wants_global_header(&self) -> bool {
        self.output.wants_global_header()
    }

    fn describe(&mut self, encoded: Encoded) -> Result<()> {
        let tag = self.track.tag.as_deref();
        self.output
            .encoded(self.index, &encoded, tag, Some(self.origin))
    }

    fn write(&mut self, packet: Packet) -> Result<()> {
        self.output.write(self.index, packet)
    }
}

/// One encoded track's way.
pub(super) struct Chain {
    medium: Medium,
    filter: String,
    spec: EncoderSpec,
    threads: usize,
    graph: Option<(Shape, Graph)>,
    encoder: Option<Encoder>,
    // Size of the first filtered picture; later ones are scaled to it.
    fixed_size: Option<(i32, i32)>,
    // Colours that the encoder takes; once it is open, those of the first frame.
    colours: Colours,
    frames: u64,
    // Frames in the present graph: one goes in, one comes out, but where they are repeated.
    inside: i64,
    begin_s: Option<f64>,
    position_s: f64,
    // Pictures a second that a frame becomes, where it is repeated, and when the last one began.
    repeats: Option<f64>,
    last_s: Option<f64>,
    time_base: Rational,
    last: LastShown,
}

/// What is encoded, and what its encoder needs for that.
#[derive(Clone, Copy)]
enum Medium {
    /// Pictures; the encoder's time base, and libav's guess of the source's frame rate.
    Video { time_base: Ratio, frame_rate: Ratio },
    /// Sound.
    Audio,
}

impl Chain {
    /// `frame_rate` is libav's guess of the source's.
    pub(super) fn video(frame_rate: Ratio, way: &VideoWay, threads: usize) -> Self {
        let filter = match way.orient.as_str() {
            "" => way.filter.clone(),
            orient => format!("{orient},{}", way.filter),
        };
        let medium = Medium::Video {
            time_base: way.time_base,
            frame_rate,
        };
        Self {
            repeats: way.repeats(),
            colours: Colours::of_encoder(&way.encoder.name),
            ..Self::new(medium, filter, &way.encoder, threads)
        }
    }

    pub(super) fn audio(way: &AudioWay, threads: usize) -> Self {
        Self::new(Medium::Audio, way.filter.clone(), &way.encoder, threads)
    }

    fn new(medium: Medium, filter: String, spec: &EncoderSpec, threads: usize) -> Self {
        Self {
            medium,
            filter,
            spec: spec.clone(),
            threads,
            graph: None,
            encoder: None,
            fixed_size: None,
            colours: Colours::default(),
            frames: 0,
            inside: 0,
            begin_s: None,
            position_s: 0.0,
            repeats: None,
            last_s: None,
            time_base: Rational::new(0, 1),
            last: LastShown::default(),
        }
    }

    /// Opens the encoder of sound by what the decoder knows before its first frame.
    pub(super) fn begin(&mut self, decoder: &Decoder, port: &mut impl Port) -> Result<()> {
        if let (Medium::Audio, Some((example, time_base))) = (self.medium, decoder.example()?) {
            self.graph = Some((Shape::of(&example), self.configure(&example, time_base)?));
            self.open_encoder(None, port)?;
        }
        Ok(())
    }

    /// Filters and encodes a decoded frame.
    pub(super) fn take(
        &mut self,
        frame: &mut Frame,
        stamp: Stamped,
        port: &mut impl Port,
    ) -> Result<()> {
        self.time_base = stamp.time_base;
        self.check_repeats(frame.pts())?;
        let shape = Shape::of(frame);
        if self
            .graph
            .as_ref()
            .is_none_or(|(configured, _)| *configured != shape)
        {
            // What the old graph still holds ready is not lost.
            self.filtered(port)?;
            self.graph = Some((shape, self.configure(frame, stamp.time_base)?));
            self.inside = 0;
            if matches!(self.medium, Medium::Audio) {
                self.open_encoder(None, port)?;
            }
        }
        if let Some((_, graph)) = &mut self.graph {
            self.inside += 1;
            if stamp.is_last_use {
                graph.push(frame)?;
            } else {
                graph.push(&mut same_frame(frame)?)?;
            }
        }
        self.filtered(port)
    }

    /// A filter that repeats a frame up to the next one does so at once, and keeps all of them.
    fn check_repeats(&mut self, until: Option<i64>) -> Result<()> {
        if let (Some(rate), Some(until)) = (self.repeats, until) {
            let until_s = until as f64 * f64::from(self.time_base);
            // Before the first frame, there is none to repeat.
            if let Some(last_s) = self.last_s.replace(until_s) {
                bounds::get().check_repeats(last_s, until_s, rate)?;
            }
        }
        Ok(())
    }

    fn configure(&self, first: &Frame, time_base: Rational) -> Result<Graph> {
        let mut description = self.filter.clone();
        if let Some((width, height)) = self.fixed_size {
            description.push_str(&format!(",scale={width}:{height}:flags=bicubic"));
        }
        let colours = self.colours.filter();
        if !colours.is_empty() {
            description = format!("{description},{colours}");
        }
        let rate = match self.medium {
            Medium::Video { frame_rate, .. } => frame_rate.into(),
            Medium::Audio => Rational::new(0, 1),
        };
        Graph::new(first, time_base, rate, &description, self.threads)
    }

    /// Encodes all that the graph has ready.
    fn filtered(&mut self, port: &mut impl Port) -> Result<()> {
        while let Some((_, graph)) = &mut self.graph {
            let (state, mut frame) = graph.pull()?;
            if state != Poll::Ready {
                break;
            }
            let (graph_time, rate) = (graph.time_base(), graph.frame_rate());
            if self.encoder.is_none() {
                self.open_encoder(Some(&frame), port)?;
            }
            let Some(encoder) = &mut self.encoder else {
                break;
            };
            let pts = frame
                .pts()
                .map(|pts| rescale(pts, graph_time, encoder.time_base()));
            frame.set_pts(pts);
            let bases = (graph_time, encoder.time_base());
            compat::rescale_duration(&mut frame, bases, rate);
            self.position_s = pts.unwrap_or(0) as f64 * f64::from(encoder.time_base());
            self.begin_s.get_or_insert(self.position_s);
            self.frames += 1;
            self.inside -= 1;
            // Where frames are repeated, the last one is, too.
            let frame = match (self.medium, self.repeats) {
                (Medium::Video { .. }, None) => self.last.swap(frame),
                _ => Some(frame),
            };
            if let Some(mut frame) = frame {
                encoder.encode(Some(&mut frame), |packet| port.write(packet))?;
            }
        }
        Ok(())
    }

    /// Opens the encoder, for video by the first filtered frame, and fits the graph to it.
    fn open_encoder(&mut self, first: Option<&Frame>, port: &mut impl Port) -> Result<()> {
        let Some((_, graph)) = &mut self.graph else {
            return Ok(());
        };
        if self.encoder.is_none() {
            let setup = Setup {
                threads: self.threads,
                global_header: port.wants_global_header(),
                bit_exact: false,
            };
            let encoder = match (self.medium, first) {
                (Medium::Video { time_base, .. }, Some(first)) => {
                    // SAFETY: the frame is valid.
                    self.fixed_size =
                        Some(unsafe { ((*first.as_ptr()).width, (*first.as_ptr()).height) });
                    self.colours = std::mem::take(&mut self.colours).fixed_by(first);
                    let timing = VideoTiming {
                        time_base: time_base.into(),
                        frame_rate: graph.frame_rate_or_25(),
                    };
                    Encoder::video(&self.spec, first, timing, setup)?
                }
                _ => Encoder::audio(&self.spec, graph, setup)?,
            };
            port.describe(encoder.encoded()?)?;
            self.encoder = Some(encoder);
        }
        if let Some(size) = self.encoder.as_ref().and_then(Encoder::frame_size) {
            graph.set_frame_size(size);
        }
        Ok(())
    }

    /// The end of its stream, at `end` in the stream's ticks: nothing stays behind.
    pub(super) fn drain(&mut self, end: i64, port: &mut impl Port) -> Result<()> {
        self.check_repeats(Some(end))?;
        if let Some((_, graph)) = &mut self.graph {
            graph.close(end)?;
        }
        self.filtered(port)?;
        self.check_filter()?;
        let Some(encoder) = &mut self.encoder else {
            return Ok(());
        };
        let end = rescale(end, self.time_base, encoder.time_base());
        let last = std::mem::take(&mut self.last);
        let shown = last.shown(end);
        let mut rest = Vec::new();
        let mut keep = |packet| {
            rest.push(packet);
            Ok(())
        };
        if let Some(mut frame) = last.frame {
            encoder.encode(Some(&mut frame), &mut keep)?;
        }
        encoder.encode(None, keep)?;
        if let Some(shown) = shown {
            last_shown::lengthen(&mut rest, shown);
        }
        rest.into_iter().try_for_each(|packet| port.write(packet))
    }

    /// A filter that runs out of memory may lose a frame without an error.
    fn check_filter(&self) -> Result<()> {
        match (self.medium, self.repeats) {
            (Medium::Video { .. }, None) if self.inside > 0 => Err(Error::failed(format!(
                "the filters lost {} frames",
                self.inside
            ))
            .cure(
                "run the same command again, with fewer jobs at once (--jobs) if memory is short",
            )),
            _ => Ok(()),
        }
    }

    /// Ends without what the encoder still holds.
    pub(super) fn abandon(&mut self) {
        if let Some(encoder) = self.encoder.take() {
            encoder.abandon();
        }
    }

    /// Frames encoded so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Position of the last encoded frame in seconds.
    pub(super) fn position_s(&self) -> f64 {
        self.position_s
    }

    /// Seconds from the first encoded frame to the last.
    pub(super) fn length_s(&self) -> f64 {
        self.position_s - self.begin_s.unwrap_or(self.position_s)
    }

    /// Whether the encoder ever came up.
    pub(super) fn has_begun(&self) -> bool {
        self.encoder.is_some()
    }
}
