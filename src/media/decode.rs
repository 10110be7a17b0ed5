//! Packets in, frames out.

use std::ffi::CString;
use std::ptr;

use ffmpeg::{Frame, Packet, Rational, codec, ffi};
use ffmpeg_next as ffmpeg;

use super::Input;
use super::amr::Splitter;
use super::clock::{self, Clock, StreamTimes};
use super::colours::Tags;
use super::compat::{self, TimestampRules};
use super::error::{Poll, check, failed, non_null, poll};
use super::frame::empty_frame;
use super::jumps::Expected;
use super::number::{c, number, set_number};
use super::probe::frame_rate;
use super::stream::StreamType;
use crate::error::{Error, Result};
use crate::job::Ratio;

/// A decoder of one stream. Damaged packets are counted and passed over, as the `ffmpeg` program
/// does.
pub struct Decoder {
    context: codec::Context,
    // The container's pixel shape, which goes before the codec's; 0/1 where it tells none.
    pixel_aspect: Rational,
    clock: Box<dyn Clock>,
    damaged: u64,
    // Whether a frame's own time could not be right.
    guessed: bool,
    // The time of the last frame by its own words, and how many came that were due before it.
    last_pts: Option<i64>,
    disordered: u64,
    // Takes packets apart, where this libav needs that.
    splitter: Option<Splitter>,
}

impl Decoder {
    /// Opens the decoder of `stream` with `threads` codec threads.
    ///
    /// # Errors
    /// Where no decoder is linked or it refuses the stream's parameters.
    pub fn open(input: &Input, stream: usize, threads: usize) -> Result<Self> {
        Self::of(&StreamFacts::of(input, stream)?, threads)
    }

    /// As [`Decoder::open`], by the decoder of that name.
    ///
    /// # Errors
    /// As there.
    pub fn open_named(input: &Input, stream: usize, threads: usize, name: &str) -> Result<Self> {
        let mut facts = StreamFacts::of(input, stream)?;
        facts.decoder = CString::new(name).ok();
        Self::of(&facts, threads)
    }

    /// As [`Decoder::open`], for a thread that has no share in the input.
    ///
    /// # Errors
    /// As there.
    pub(super) fn of(facts: &StreamFacts, threads: usize) -> Result<Self> {
        // SAFETY: the codec description is static; the context is allocated
        // here and owned by the wrapper from then on; the parameters are read.
        let context = unsafe {
            let parameters = facts.parameters.as_ptr();
            let codec = match &facts.decoder {
                Some(name) => ffi::avcodec_find_decoder_by_name(name.as_ptr()),
                None => c::avcodec_find_decoder(number!((*parameters).codec_id)),
            };
            if codec.is_null() {
                return Err(Error::failed(format!(
                    "no decoder for stream {} is linked",
                    facts.stream
                )));
            }
            let raw = non_null(ffi::avcodec_alloc_context3(codec), "a decoder")?;
            let context = codec::Context::wrap(raw, None);
            check(
                ffi::avcodec_parameters_to_context(raw, parameters),
                "set up the decoder",
            )?;
            // The time base lets decoders trim encoder delay off the start and the end.
            (*raw).pkt_timebase = facts.time_base.into();
            if compat::timestamp_rules() == TimestampRules::Packets {
                // Newer ones have the codec's own rate among the parameters.
                (*raw).framerate = facts.average_rate.into();
            } else {
                // The program crops to the pixel since FFmpeg 6.1, and not only to
                // where rows are aligned in memory.
                (*raw).flags |= ffi::AV_CODEC_FLAG_UNALIGNED as i32;
            }
            (*raw).thread_count = threads.max(1) as i32;
            let pixels = super::bounds::get().pixels;
            (*raw).max_pixels = i64::try_from(pixels).unwrap_or(i64::MAX);
            check(
                ffi::avcodec_open2(raw, codec, ptr::null_mut()),
                "open the decoder",
            )?;
            context
        };
        let clock = clock_of(&context, facts);
        Ok(Self {
            context,
            pixel_aspect: facts.pixel_aspect,
            clock,
            damaged: 0,
            guessed: false,
            last_pts: None,
            disordered: 0,
            splitter: Splitter::of(&facts.parameters, facts.time_base),
        })
    }

    /// Decodes nothing but key frames from now on.
    pub fn take_key_frames(&mut self) {
        self.skip(ffi::AVDiscard::AVDISCARD_NONKEY);
    }

    /// Whether the packets that follow are passed over where no other frame refers
    /// to theirs. Not every decoder can tell.
    pub(super) fn skip_unreferenced(&mut self, skip: bool) {
        self.skip(if skip {
            ffi::AVDiscard::AVDISCARD_NONREF
        } else {
            ffi::AVDiscard::AVDISCARD_DEFAULT
        });
    }

    fn skip(&mut self, discard: ffi::AVDiscard) {
        // SAFETY: the context is open; decoders look at this before each packet.
        unsafe { set_number!((*self.context.as_mut_ptr()).skip_frame, discard as i32) };
    }

    /// Forgets all that came before, for a packet from elsewhere in the stream.
    pub(super) fn restart(&mut self) {
        // SAFETY: the context is open.
        unsafe { ffi::avcodec_flush_buffers(self.context.as_mut_ptr()) };
        self.clock.restart();
    }

    /// Gives frames, too, of which the decoder is not sure that they are right,
    /// and marks them: those after a key frame in the middle are, mostly.
    pub(super) fn show_all(&mut self) {
        // SAFETY: the context is open; decoders look at this at each frame.
        unsafe {
            (*self.context.as_mut_ptr()).flags |= ffi::AV_CODEC_FLAG_OUTPUT_CORRUPT as i32;
        }
    }

    /// By how many frames decoding and showing differ in their order, as far as the decoder knows
    /// it.
    pub(super) fn reordered(&self) -> usize {
        // SAFETY: the context is open.
        unsafe { (*self.context.as_ptr()).has_b_frames }.max(0) as usize
    }

    /// Whether a frame got another time than its packet had, since that could not be right.
    pub(super) fn has_guessed(&self) -> bool {
        self.guessed
    }

    /// The frame rate as far as the decoder knows it.
    pub(super) fn frame_rate(&self) -> Rational {
        self.context.frame_rate()
    }

    /// An empty frame of the shape that frames of sound will have, and their
    /// time base; none where the decoder does not know it yet.
    ///
    /// # Errors
    /// Where memory is out.
    pub(super) fn example(&self) -> Result<Option<(Frame, Rational)>> {
        let mut frame = empty_frame()?;
        // SAFETY: the context is open; its layout is copied into the frame, which is ours alone.
        unsafe {
            let (raw, context) = (frame.as_mut_ptr(), self.context.as_ptr());
            let format = number!((*context).sample_fmt);
            let known = format != ffi::AVSampleFormat::AV_SAMPLE_FMT_NONE as i32
                && (*context).sample_rate > 0
                && (*context).ch_layout.nb_channels > 0;
            if !known {
                return Ok(None);
            }
            (*raw).format = format;
            (*raw).sample_rate = (*context).sample_rate;
            check(
                ffi::av_channel_layout_copy(&mut (*raw).ch_layout, &(*context).ch_layout),
                "set the channels",
            )?;
        }
        let time_base = clock::sample_time_base(&frame);
        Ok(Some((frame, time_base)))
    }

    /// Where the last frame ends, as the filter graph of the stream expects it.
    pub fn end(&self) -> i64 {
        self.clock.end()
    }

    /// When the next packet is due, where the decoder's progress decides that.
    pub(super) fn expected(&self) -> Option<Expected> {
        self.clock.expected()
    }

    /// Frames of video so far whose own times are before those of frames shown earlier.
    pub(super) fn disordered(&self) -> u64 {
        self.disordered
    }

    /// Packets that could not be decoded so far, and frames of which parts are guessed.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Decodes `packet` (`None` drains) and hands each frame, stamped, with the
    /// time base of its stamp (the stream's for pictures, a sample for sound) to `take`.
    ///
    /// # Errors
    /// What `take` fails with, and what is no damage of the data.
    pub fn decode(
        &mut self,
        packet: Option<Packet>,
        mut take: impl FnMut(Frame, Rational) -> Result<()>,
    ) -> Result<()> {
        match (packet, &self.splitter) {
            (Some(packet), Some(splitter)) => {
                for packet in splitter.split(packet) {
                    self.decode_one(Some(packet), &mut take)?;
                }
                Ok(())
            }
            (packet, _) => self.decode_one(packet, &mut take),
        }
    }

    fn decode_one(
        &mut self,
        packet: Option<Packet>,
        take: &mut impl FnMut(Frame, Rational) -> Result<()>,
    ) -> Result<()> {
        let packet = self.clock_in(packet);
        // One without data would be taken for the end.
        if packet.as_ref().is_none_or(|packet| packet.size() > 0) {
            // All frames are received after each packet, so a full decoder cannot refuse one.
            match self.send(packet.as_ref()) {
                Ok(()) | Err(ffmpeg::Error::Eof) => {}
                Err(error) => self.count_damage(error)?,
            }
        }
        while let Some((frame, time_base)) = self.receive()? {
            take(frame, time_base)?;
        }
        self.clock.packet_done(self.context.frame_rate());
        Ok(())
    }

    /// The next frame that is ready, stamped, and the time base of its stamp.
    fn receive(&mut self) -> Result<Option<(Frame, Rational)>> {
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
                    Poll::NeedInput | Poll::End => return Ok(None),
                    Poll::Ready => {
                        self.damaged += u64::from(is_corrupt(&frame));
                        let time_base = self.stamp(&mut frame);
                        return Ok(Some((frame, time_base)));
                    }
                },
            }
        }
    }

    fn clock_in(&mut self, mut packet: Option<Packet>) -> Option<Packet> {
        match &mut packet {
            Some(packet) => self.clock.packet_in(packet),
            None => self.clock.drain(),
        }
        packet
    }

    fn stamp(&mut self, frame: &mut Frame) -> Rational {
        if stream_type(&self.context) == StreamType::Video {
            self.guessed |= frame.pts().is_some() && frame.pts() != frame.timestamp();
            self.disordered += u64::from(frame.pts().is_some() && frame.pts() < self.last_pts);
            self.last_pts = frame.pts().or(self.last_pts);
            frame.set_pts(frame.timestamp());
            Tags::keep_known(frame);
        }
        let time_base = self.clock.stamp(frame, self.context.frame_rate());
        if self.pixel_aspect.numerator() != 0 {
            // SAFETY: the frame is valid and ours alone.
            unsafe { (*frame.as_mut_ptr()).sample_aspect_ratio = self.pixel_aspect.into() };
        }
        time_base
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

/// What there is to know of a stream before it is decoded.
#[derive(Clone)]
pub(super) struct StreamFacts {
    /// Its number.
    pub stream: usize,
    /// Its ticks.
    pub time_base: Rational,
    /// libav's guess of the frame rate, as the `ffmpeg` program takes it.
    pub frame_rate: Ratio,
    // The decoder's name, where not libav's own choice.
    decoder: Option<CString>,
    parameters: codec::Parameters,
    average_rate: Rational,
    pixel_aspect: Rational,
    // Whether the timestamps are guesses.
    unreliable: bool,
}

impl StreamFacts {
    /// Those of `stream` of `input`.
    ///
    /// # Errors
    /// Where there is none: a source can change after it was probed.
    pub(super) fn of(input: &Input, stream: usize) -> Result<Self> {
        let source = input.existing_stream(stream)?;
        Ok(Self {
            stream,
            time_base: source.time_base(),
            frame_rate: frame_rate(input, stream),
            decoder: None,
            parameters: source.copy_of_parameters()?,
            average_rate: source.average_rate(),
            pixel_aspect: source.sample_aspect(),
            unreliable: !input.has_own_timestamps(),
        })
    }
}

#[cfg(test)]
impl StreamFacts {
    /// Those of raw pictures of 64×64 pixels in 4:2:0, with such ticks.
    pub(super) fn example(time_base: Rational) -> Self {
        let mut parameters = codec::Parameters::new();
        // SAFETY: the parameters are valid and ours alone.
        unsafe {
            let raw = parameters.as_mut_ptr();
            (*raw).codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
            (*raw).codec_id = ffi::AVCodecID::AV_CODEC_ID_RAWVIDEO;
            (*raw).format = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i32;
            ((*raw).width, (*raw).height) = (64, 64);
        }
        Self {
            stream: 0,
            time_base,
            frame_rate: Ratio::new(25, 1),
            decoder: None,
            parameters,
            average_rate: Rational::new(25, 1),
            pixel_aspect: Rational::new(0, 1),
            unreliable: false,
        }
    }
}

fn clock_of(context: &codec::Context, facts: &StreamFacts) -> Box<dyn Clock> {
    let times = StreamTimes {
        time_base: facts.time_base,
        frame_rate: facts.average_rate,
        // SAFETY: the context is open.
        reorder_frames: i64::from(unsafe { (*context.as_ptr()).has_b_frames }),
        unreliable: facts.unreliable,
    };
    match stream_type(context) {
        StreamType::Audio => clock::for_audio(&times),
        _ => clock::for_video(&times),
    }
}

/// What a codec decodes.
fn stream_type(context: &codec::Context) -> StreamType {
    // SAFETY: the context is valid.
    StreamType::of(unsafe { number!((*context.as_ptr()).codec_type) })
}

/// Whether parts of a frame are guessed.
fn is_corrupt(frame: &Frame) -> bool {
    // SAFETY: the frame is valid.
    unsafe {
        let raw = frame.as_ptr();
        (*raw).decode_error_flags != 0 || (*raw).flags & ffi::AV_FRAME_FLAG_CORRUPT != 0
    }
}

/// Whether a frame was decoded without others.
pub(super) fn is_intra(frame: &Frame) -> bool {
    // SAFETY: the frame is valid.
    let kind = unsafe { number!((*frame.as_ptr()).pict_type) };
    kind == ffi::AVPictureType::AV_PICTURE_TYPE_I as i32
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
