//! One track of a product: what becomes of its stream's packets or frames.

use ffmpeg::{Frame, Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::chain::{Chain, FilePort, Stamped};
use super::copy::Copier;
use super::decode::Decoder;
use super::events::Events;
use super::filter::rescale;
use super::jumps::Expected;
use super::probe::frame_rate;
use super::subtitle::Subtitles;
use super::{Input, Muxer, Origin};
use crate::error::Result;
use crate::recipe::{Medium, Product, Track as Plan, Way};

/// One track of a product.
pub(super) struct Track<'a> {
    /// The product's position in the pipeline.
    pub product: usize,
    /// The track's position in the product.
    index: usize,
    plan: &'a Plan,
    work: Work,
    // Of subtitles whose container must know when they end.
    events: Option<Events>,
}

enum Work {
    Copy(Copier),
    // The file is written with the header.
    Attach,
    Text(Subtitles),
    Code(Box<Chain>),
}

impl<'a> Track<'a> {
    /// Sets up track `index` of `product`, and describes its stream to `output` as far as it is
    /// known.
    pub(super) fn open(
        input: &Input,
        (product, plan): (usize, &'a Product),
        index: usize,
        threads: usize,
        output: &mut Muxer,
    ) -> Result<Self> {
        let ends_events = plan.sink.ends_events();
        let plan = &plan.tracks[index];
        let origin = Origin::of(input, plan.stream)?;
        let work = match &plan.way {
            Way::Copy(_) => {
                output.copied(index, plan.tag.as_deref(), &origin)?;
                Work::Copy(Copier::new(input, plan.stream)?)
            }
            Way::Attach { name, mime } => {
                output.attached(index, &origin, (name, mime))?;
                Work::Attach
            }
            Way::Subtitle { encoder } => {
                let header = output.wants_global_header();
                let text = Subtitles::open(input, plan.stream, encoder, header)?;
                output.subtitled(index, &text, &origin)?;
                Work::Text(text)
            }
            Way::Video(way) => {
                let rate = frame_rate(input, plan.stream);
                Work::Code(Box::new(Chain::video(rate, way, threads)))
            }
            Way::Audio(way) => Work::Code(Box::new(Chain::audio(way, threads))),
        };
        let is_text = plan.way.medium() == Medium::Subtitle;
        let events = (is_text && ends_events).then(Events::default);
        Ok(Self {
            product,
            index,
            plan,
            work,
            events,
        })
    }

    fn port<'b>(&self, input: &'b Input, output: &'b mut Muxer) -> Result<FilePort<'b>>
    where
        'a: 'b,
    {
        Ok(FilePort {
            output,
            index: self.index,
            track: self.plan,
            origin: Origin::of(input, self.plan.stream)?,
        })
    }

    /// The source's stream.
    pub(super) fn source(&self) -> usize {
        self.plan.stream
    }

    /// Whether it is the first of its product.
    pub(super) fn is_main(&self) -> bool {
        self.index == 0
    }

    /// Whether it is the first of the product at that position.
    pub(super) fn is_main_of(&self, product: usize) -> bool {
        self.product == product && self.is_main()
    }

    /// Whether the stream must be decoded for it.
    pub(super) fn decodes(&self) -> bool {
        matches!(self.work, Work::Code(_))
    }

    /// Sound is known before its first frame: its stream is described at once,
    /// so that pictures need not wait for it.
    pub(super) fn begin(
        &mut self,
        decoder: &Decoder,
        input: &Input,
        output: &mut Muxer,
    ) -> Result<()> {
        let mut port = self.port(input, output)?;
        match &mut self.work {
            Work::Code(chain) => chain.begin(decoder, &mut port),
            _ => Ok(()),
        }
    }

    /// Takes a packet that needs no decoding.
    pub(super) fn packet(&mut self, packet: &Packet, output: &mut Muxer) -> Result<()> {
        let index = self.index;
        let events = &mut self.events;
        let write = |packet| write(events, packet, index, output);
        match &mut self.work {
            Work::Copy(copier) => copier.take(packet)?.map_or(Ok(()), write),
            Work::Text(text) => text.take(packet, write),
            Work::Attach | Work::Code(_) => Ok(()),
        }
    }

    /// When the next packet is due, where it takes packets as they are.
    pub(super) fn expected(&self) -> Option<Expected> {
        match &self.work {
            Work::Copy(copier) => copier.expected(),
            _ => None,
        }
    }

    /// Takes a decoded frame.
    pub(super) fn frame(
        &mut self,
        frame: &mut Frame,
        stamp: Stamped,
        input: &Input,
        output: &mut Muxer,
    ) -> Result<()> {
        let mut port = self.port(input, output)?;
        match &mut self.work {
            Work::Code(chain) => chain.take(frame, stamp, &mut port),
            _ => Ok(()),
        }
    }

    /// Takes the end of its stream, at `end` in the stream's ticks, and that of
    /// the film in microseconds.
    pub(super) fn drain(
        &mut self,
        (end, film_end_us): (i64, i64),
        input: &Input,
        output: &mut Muxer,
    ) -> Result<()> {
        let index = self.index;
        let mut port = self.port(input, output)?;
        match &mut self.work {
            Work::Code(chain) => chain.drain(end, &mut port),
            Work::Text(text) => {
                let events = &mut self.events;
                text.drain(|packet| write(events, packet, index, output))
            }
            Work::Copy(_) | Work::Attach => Ok(()),
        }?;
        let ticks = match &self.work {
            Work::Text(text) => text.time_base(),
            _ => input.time_base(self.plan.stream),
        };
        let end = rescale(film_end_us, Rational(1, 1_000_000), ticks);
        let last = self.events.as_mut().and_then(|events| events.end(end));
        last.map_or(Ok(()), |packet| output.write(index, packet))
    }

    /// Ends without what its encoder still holds.
    pub(super) fn abandon(&mut self) {
        if let Work::Code(chain) = &mut self.work {
            chain.abandon();
        }
    }

    /// Frames or packets handed over so far.
    pub(super) fn written(&self) -> u64 {
        match &self.work {
            Work::Copy(copier) => copier.taken(),
            Work::Code(chain) => chain.frames(),
            Work::Attach | Work::Text(_) => 0,
        }
    }

    /// Position of the last frame or packet in seconds.
    pub(super) fn position_s(&self) -> f64 {
        match &self.work {
            Work::Copy(copier) => copier.position_s(),
            Work::Code(chain) => chain.position_s(),
            Work::Attach | Work::Text(_) => 0.0,
        }
    }

    /// Whether it is encoded video of which no frame ever came.
    pub(super) fn is_dead(&self) -> bool {
        matches!(&self.work, Work::Code(chain) if !chain.has_begun())
    }

    /// Subtitles that could not be decoded.
    pub(super) fn damaged(&self) -> u64 {
        match &self.work {
            Work::Text(text) => text.damaged(),
            _ => 0,
        }
    }
}

/// Writes a packet, or those events whose ends it shows.
fn write(
    events: &mut Option<Events>,
    packet: Packet,
    index: usize,
    output: &mut Muxer,
) -> Result<()> {
    match events {
        Some(events) => {
            let mut known = events.take(packet);
            known.try_for_each(|event| output.write(index, event))
        }
        None => output.write(index, packet),
    }
}
