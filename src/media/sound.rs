//! Sound that the program puts together itself, on its way into a file.

use ffmpeg::{Frame, Packet, Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::encode::Setup;
use super::error::check;
use super::filter::rescale;
use super::frame::empty_frame;
use super::{Encoder, Graph};
use crate::error::{Error, Result};
use crate::recipe::AudioWay;

/// An encoder of sound that is given as samples.
pub struct Sound {
    graph: Graph,
    encoder: Encoder,
    rate: u32,
    // The next sample's number.
    next: i64,
}

impl Sound {
    /// Opens the encoder of `way` for 16-bit samples of left and right in turn, `rate`
    /// a second of each.
    ///
    /// # Errors
    /// Where the encoder is missing, or refuses the samples.
    pub fn open(way: &AudioWay, rate: u32, setup: Setup) -> Result<Self> {
        super::init();
        let example = frame(&[0, 0], rate, 0)?;
        // A rate that is no number of C was refused just now.
        let tick = Rational::new(1, rate as i32);
        let mut graph = Graph::new(&example, tick, Rational::new(0, 1), &way.filter, 1)?;
        let encoder = Encoder::audio(&way.encoder, &graph, setup)?;
        if let Some(samples) = encoder.frame_size() {
            graph.set_frame_size(samples);
        }
        Ok(Self {
            graph,
            encoder,
            rate,
            next: 0,
        })
    }

    /// The encoder, for a muxer.
    pub fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Encodes the samples that follow, and hands each packet to `take`.
    ///
    /// # Errors
    /// Where encoding fails, and what `take` fails with.
    pub fn encode(
        &mut self,
        samples: &[i16],
        take: impl FnMut(Packet) -> Result<()>,
    ) -> Result<()> {
        if samples.is_empty() {
            return Ok(());
        }
        self.graph
            .push(&mut frame(samples, self.rate, self.next)?)?;
        self.next += (samples.len() / 2) as i64;
        self.filtered(take)
    }

    /// Encodes what is left.
    ///
    /// # Errors
    /// As [`Sound::encode`].
    pub fn finish(&mut self, mut take: impl FnMut(Packet) -> Result<()>) -> Result<()> {
        self.graph.close(self.next)?;
        self.filtered(&mut take)?;
        self.encoder.encode(None, take)
    }

    fn filtered(&mut self, mut take: impl FnMut(Packet) -> Result<()>) -> Result<()> {
        while let Some(mut frame) = self.graph.ready()? {
            let (from, to) = (self.graph.time_base(), self.encoder.time_base());
            frame.set_pts(frame.pts().map(|pts| rescale(pts, from, to)));
            self.encoder.encode(Some(&mut frame), &mut take)?;
        }
        Ok(())
    }
}

/// A stretch of stereo sound that begins at sample `pts`.
fn frame(samples: &[i16], rate: u32, pts: i64) -> Result<Frame> {
    if samples.is_empty() || !samples.len().is_multiple_of(2) {
        return Err(Error::failed(
            "sound has as much on the left as on the right",
        ));
    }
    let too_much = |error| Error::failed("sound is too long for a frame").because(error);
    let count = i32::try_from(samples.len() / 2).map_err(too_much)?;
    let rate = i32::try_from(rate).map_err(too_much)?;
    let mut frame = empty_frame()?;
    // SAFETY: the frame is valid and empty; libav allocates by its fields at least
    // two bytes for each sample of both channels, which lie in one plane.
    unsafe {
        let raw = frame.as_mut_ptr();
        (*raw).format = ffi::AVSampleFormat::AV_SAMPLE_FMT_S16 as i32;
        (*raw).sample_rate = rate;
        (*raw).nb_samples = count;
        ffi::av_channel_layout_default(&mut (*raw).ch_layout, 2);
        check(ffi::av_frame_get_buffer(raw, 0), "allocate sound")?;
        let to = (*raw).data[0].cast::<i16>();
        std::ptr::copy_nonoverlapping(samples.as_ptr(), to, samples.len());
    }
    frame.set_pts(Some(pts));
    Ok(frame)
}
