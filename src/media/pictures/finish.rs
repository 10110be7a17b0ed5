//! From a chosen frame to the bytes of a picture file.

use ffmpeg::{Frame, Packet, Rational};
use ffmpeg_next as ffmpeg;

use crate::error::{Error, Result};
use crate::media::encode::Setup;
use crate::media::filter::Shape;
use crate::media::frame::{Picture, empty_frame, same_frame};
use crate::media::mux::payload;
use crate::media::{Encoder, Graph, VideoTiming};
use crate::recipe::EncoderSpec;

/// Filters and encodes pictures one by one; kept from one to the next.
pub(super) struct Finisher {
    filter: String,
    spec: EncoderSpec,
    graph: Option<(Shape, Graph)>,
    encoder: Option<(Shape, Encoder)>,
    // Encoders want times that grow.
    pictures: i64,
}

/// Pictures have no clock; any will do.
const TICK: Rational = Rational(1, 25);

impl Finisher {
    pub(super) fn new(filter: &str, spec: &EncoderSpec) -> Self {
        Self {
            filter: filter.to_owned(),
            spec: spec.clone(),
            graph: None,
            encoder: None,
            pictures: 0,
        }
    }

    /// The bytes of the file that `frame` becomes.
    pub(super) fn bytes(&mut self, frame: &Frame) -> Result<Vec<u8>> {
        let mut filtered = self.filtered(frame)?;
        filtered.set_pts(Some(self.pictures));
        let shape = Shape::of(&filtered);
        if self.encoder.as_ref().is_none_or(|(of, _)| *of != shape) {
            let timing = VideoTiming {
                time_base: TICK,
                frame_rate: TICK.invert(),
            };
            let encoder = Encoder::video(&self.spec, &filtered, timing, Setup::default())?;
            self.encoder = Some((shape, encoder));
        }
        let mut packets: Vec<Packet> = Vec::new();
        if let Some((_, encoder)) = &mut self.encoder {
            encoder.encode(Some(&mut filtered), |packet| {
                packets.push(packet);
                Ok(())
            })?;
        }
        match packets.as_slice() {
            [packet] => Ok(payload(packet).to_vec()),
            _ => Err(Error::failed(format!(
                "the encoder '{}' does not give a picture for each frame",
                self.spec.name
            ))),
        }
    }

    fn filtered(&mut self, frame: &Frame) -> Result<Frame> {
        let mut frame = same_frame(frame)?;
        self.pictures += 1;
        frame.set_pts(Some(self.pictures));
        let shape = Shape::of(&frame);
        if self.graph.as_ref().is_none_or(|(of, _)| *of != shape) {
            let graph = Graph::new(&frame, TICK, TICK.invert(), &self.filter, 1)?;
            self.graph = Some((shape, graph));
        }
        let Some((_, graph)) = &mut self.graph else {
            return empty_frame();
        };
        graph.push(&mut frame)?;
        let mut filtered = graph.ready()?;
        if filtered.is_none() {
            // A filter waits for the next picture, of which it is to know nothing.
            graph.close(self.pictures + 1)?;
            filtered = graph.ready()?;
            self.graph = None;
        }
        let filtered = filtered.map_or_else(empty_frame, Ok)?;
        // SAFETY: the frame is valid.
        if unsafe { filtered.is_empty() } {
            return Err(Error::failed("a picture did not come out of its filters"));
        }
        Ok(filtered)
    }
}

/// The bytes of the file that a drawn picture becomes: 8-bit straight RGBA, `width × height × 4`
/// bytes.
///
/// # Errors
/// Where the bytes do not fit the size, or the encoder refuses the picture.
pub fn encode_rgba(
    (width, height): (u32, u32),
    rgba: &[u8],
    filter: &str,
    spec: &EncoderSpec,
) -> Result<Vec<u8>> {
    crate::media::init();
    let frame = Picture::from_rgba(width, height, rgba)?.at(0)?;
    Finisher::new(filter, spec).bytes(&frame)
}
