//! Packets in, frames out.

use std::ptr;

use ffmpeg::{Frame, Packet, Rational, codec, ffi};
use ffmpeg_next as ffmpeg;

use super::Input;
use super::error::{Poll, check, failed, non_null, poll};
use super::frame::empty_frame;
use crate::error::{Error, Result};

/// A decoder of one stream. Damaged packets are counted and passed over, as the `ffmpeg` program does.
pub struct Decoder {
    context: codec::Context,
    time_base: Rational,
    // The container's pixel shape, which goes before the codec's; 0/1 where it tells none.
    pixel_aspect: Rational,
    damaged: u64,
}

impl Decoder {
    /// Opens the decoder of `stream` with `threads` codec threads.
    ///
    /// # Errors
    /// Where no decoder is linked or it refuses the stream's parameters.
    pub fn open(input: &Input, stream: usize, threads: usize) -> Result<Self> {
        let source = input
            .context()
            .stream(stream)
            .ok_or_else(|| Error::failed(format!("there is no stream {stream}")))?;
        let parameters = source.parameters();
        // SAFETY: the codec description is static; the context is allocated
        // here and owned by the wrapper from then on; the parameters are read.
        let context = unsafe {
            let codec = ffi::avcodec_find_decoder((*parameters.as_ptr()).codec_id);
            if codec.is_null() {
                return Err(Error::failed(format!(
                    "no decoder for stream {stream} is linked"
                )));
            }
            let raw = non_null(ffi::avcodec_alloc_context3(codec), "a decoder")?;
            let context = codec::Context::wrap(raw, None);
            check(
                ffi::avcodec_parameters_to_context(raw, parameters.as_ptr()),
                "set up the decoder",
            )?;
            // The time base lets decoders trim encoder delay off the start and the end.
            (*raw).pkt_timebase = source.time_base().into();
            (*raw).framerate = source.avg_frame_rate().into();
            (*raw).thread_count = threads.max(1) as i32;
            check(
                ffi::avcodec_open2(raw, codec, ptr::null_mut()),
                "open the decoder",
            )?;
            context
        };
        // SAFETY: the stream lives as long as the opened input.
        let pixel_aspect = unsafe { (*source.as_ptr()).sample_aspect_ratio }.into();
        Ok(Self {
            context,
            time_base: source.time_base(),
            pixel_aspect,
            damaged: 0,
        })
    }

    /// The stream's time base: that of the frames' timestamps.
    pub fn time_base(&self) -> Rational {
        self.time_base
    }

    /// Packets that could not be decoded so far.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Frame rate by the container's average; for the length of frames that do not tell theirs.
    pub fn frame_rate(&self) -> Rational {
        self.context.frame_rate()
    }

    /// Decodes `packet` (`None` drains) and hands each frame, with its best
    /// timestamp as pts, to `take`.
    ///
    /// # Errors
    /// What `take` fails with, and what is no damage of the data.
    pub fn decode(
        &mut self,
        packet: Option<&Packet>,
        mut take: impl FnMut(Frame) -> Result<()>,
    ) -> Result<()> {
        // All frames are received after each packet, so a full decoder cannot refuse one.
        match self.send(packet) {
            Ok(()) | Err(ffmpeg::Error::Eof) => {}
            Err(error) => self.count_damage(error)?,
        }
        loop {
            let mut frame = empty_frame()?;
            // SAFETY: both pointers are owned and valid.
            let code = unsafe {
                ffi::avcodec_receive_frame(self.context.as_mut_ptr(), frame.as_mut_ptr())
            };
            let result = if code < 0 {
                Err(ffmpeg::Error::from(code))
            } else {
                Ok(())
            };
            match result {
                Err(error) if is_damage(error) => self.count_damage(error)?,
                result => match poll(result, "decode")? {
                    Poll::NeedInput | Poll::End => return Ok(()),
                    Poll::Ready => {
                        frame.set_pts(frame.timestamp());
                        if self.pixel_aspect.numerator() != 0 {
                            // SAFETY: the frame is valid and ours alone.
                            unsafe {
                                (*frame.as_mut_ptr()).sample_aspect_ratio = self.pixel_aspect.into()
                            };
                        }
                        take(frame)?;
                    }
                },
            }
        }
    }

    fn send(&mut self, packet: Option<&Packet>) -> std::result::Result<(), ffmpeg::Error> {
        use ffmpeg::codec::packet::Ref;
        let raw = packet.map_or(ptr::null(), Ref::as_ptr);
        // SAFETY: the context is open; a null packet asks for the rest.
        let code = unsafe { ffi::avcodec_send_packet(self.context.as_mut_ptr(), raw) };
        if code < 0 {
            Err(ffmpeg::Error::from(code))
        } else {
            Ok(())
        }
    }

    fn count_damage(&mut self, error: ffmpeg::Error) -> Result<()> {
        if !is_damage(error) {
            return Err(failed("decode", error));
        }
        self.damaged += 1;
        Ok(())
    }
}

/// Errors that a damaged packet causes, as against a broken machine.
fn is_damage(error: ffmpeg::Error) -> bool {
    !matches!(
        error,
        ffmpeg::Error::Eof
            | ffmpeg::Error::Exit
            | ffmpeg::Error::Other {
                errno: ffmpeg::error::EAGAIN | ffmpeg::error::ENOMEM
            }
    )
}
