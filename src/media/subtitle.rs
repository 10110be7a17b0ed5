//! Subtitles of text from one codec to another.
//!
//! The rules are those of `do_subtitle_out` of FFmpeg 5.1's `ffmpeg.c`.

use std::ffi::CString;
use std::ptr;

use ffmpeg::codec::packet::Ref;
use ffmpeg::{Packet, Rational, codec, ffi};
use ffmpeg_next as ffmpeg;

use super::Input;
use super::error::{check, failed, non_null};
use super::filter::rescale;
use super::number::c;
use crate::error::{Error, Result};

/// Subtitle encoders count in microseconds.
const MICROS: Rational = Rational(1, 1_000_000);
const MILLIS: Rational = Rational(1, 1000);

/// The largest encoded subtitle.
const MOST_BYTES: usize = 1 << 20;

/// A decoder and an encoder of text, one into the other.
pub(super) struct Subtitles {
    decoder: codec::Context,
    encoder: codec::Context,
    damaged: u64,
}

impl Subtitles {
    /// For `stream`, into the codec of the encoder `name`.
    pub(super) fn open(
        input: &Input,
        stream: usize,
        name: &str,
        global_header: bool,
    ) -> Result<Self> {
        let decoder = open_decoder(input, stream)?;
        let encoder = open_encoder(&decoder, name, global_header)?;
        Ok(Self {
            decoder,
            encoder,
            damaged: 0,
        })
    }

    /// The encoder, for the muxer to take the stream's parameters from.
    pub(super) fn encoder(&self) -> &codec::Context {
        &self.encoder
    }

    /// Time base of the packets.
    pub(super) fn time_base(&self) -> Rational {
        MICROS
    }

    /// Packets that could not be decoded.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Hands the subtitle of `packet`, encoded anew, to `take`: all that it shows
    /// at once in one packet, as every encoder but that of ASS wants it, which no
    /// container asks for.
    pub(super) fn take(
        &mut self,
        packet: &Packet,
        take: impl FnOnce(Packet) -> Result<()>,
    ) -> Result<()> {
        match self.decode(packet)? {
            Some(mut text) => take(self.encode(&mut text.0)?),
            None => Ok(()),
        }
    }

    /// Hands what the decoder still holds to `take`: a caption of television is
    /// only complete with what follows it. One empty packet asks for it, as in the
    /// program: that decoder gives its last caption as often as it is asked.
    pub(super) fn drain(&mut self, take: impl FnOnce(Packet) -> Result<()>) -> Result<()> {
        // SAFETY: an open context has a codec, whose description is static.
        let capabilities = unsafe { (*(*self.decoder.as_ptr()).codec).capabilities };
        match capabilities as u32 & ffi::AV_CODEC_CAP_DELAY {
            0 => Ok(()),
            _ => self.take(&Packet::empty(), take),
        }
    }

    fn decode(&mut self, packet: &Packet) -> Result<Option<Text>> {
        // SAFETY: a zeroed subtitle is an empty one; libav fills it, and
        // `Text` frees what it allocates; the packet is only read.
        unsafe {
            let mut text = Text(std::mem::zeroed());
            let mut got = 0;
            let code = ffi::avcodec_decode_subtitle2(
                self.decoder.as_mut_ptr(),
                &mut text.0,
                &mut got,
                packet.as_ptr().cast_mut(),
            );
            if code < 0 {
                self.damaged += 1;
                return Ok(None);
            }
            let shows = got != 0 && text.0.num_rects > 0;
            Ok((shows && text.0.pts != ffi::AV_NOPTS_VALUE).then_some(text))
        }
    }

    fn encode(&mut self, text: &mut ffi::AVSubtitle) -> Result<Packet> {
        // Encoders want a beginning of 0: what precedes it goes to the time.
        let begin =
            text.pts
                .saturating_add(rescale(i64::from(text.start_display_time), MILLIS, MICROS));
        text.pts = begin;
        // All ones say that the end is unknown.
        text.end_display_time = match text.end_display_time {
            u32::MAX => 0,
            end => end.saturating_sub(text.start_display_time),
        };
        text.start_display_time = 0;
        let mut buffer = vec![0_u8; MOST_BYTES];
        // SAFETY: the context is open, the subtitle valid, the buffer's length passed on.
        let size = unsafe {
            ffi::avcodec_encode_subtitle(
                self.encoder.as_mut_ptr(),
                buffer.as_mut_ptr(),
                buffer.len() as i32,
                text,
            )
        };
        let size = check(size, "encode a subtitle")? as usize;
        let mut packet = Packet::copy(&buffer[..size]);
        packet.set_pts(Some(begin));
        packet.set_dts(Some(begin));
        packet.set_duration(rescale(i64::from(text.end_display_time), MILLIS, MICROS));
        packet.set_flags(ffmpeg::codec::packet::Flags::KEY);
        Ok(packet)
    }
}

/// A decoded subtitle; frees what libav allocated for it.
struct Text(ffi::AVSubtitle);

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: the subtitle is empty or was filled by libav.
        unsafe { ffi::avsubtitle_free(&mut self.0) };
    }
}

fn open_decoder(input: &Input, stream: usize) -> Result<codec::Context> {
    let source = input.existing_stream(stream)?;
    // SAFETY: the description is static; the context is allocated here and owned by the
    // wrapper from then on; the parameters live while the source is borrowed, and are read.
    unsafe {
        let description = c::avcodec_find_decoder(source.codec());
        if description.is_null() {
            return Err(Error::failed(format!(
                "no decoder for stream {stream} is linked"
            )));
        }
        let raw = non_null(ffi::avcodec_alloc_context3(description), "a decoder")?;
        let context = codec::Context::wrap(raw, None);
        check(
            ffi::avcodec_parameters_to_context(raw, source.parameters()),
            "set up the decoder",
        )?;
        (*raw).pkt_timebase = source.time_base().into();
        check(
            ffi::avcodec_open2(raw, description, ptr::null_mut()),
            "open the decoder",
        )?;
        Ok(context)
    }
}

fn open_encoder(
    decoder: &codec::Context,
    name: &str,
    global_header: bool,
) -> Result<codec::Context> {
    let c_name = CString::new(name)
        .map_err(|error| Error::usage("an encoder's name holds a zero byte").because(error))?;
    // SAFETY: as for the decoder; the header is copied into memory of libav's,
    // with the padding that it asks for, and freed with the context.
    unsafe {
        let description = ffi::avcodec_find_encoder_by_name(c_name.as_ptr());
        if description.is_null() {
            return Err(Error::failed(format!(
                "the linked FFmpeg has no encoder '{name}'"
            )));
        }
        let raw = non_null(ffi::avcodec_alloc_context3(description), "an encoder")?;
        let context = codec::Context::wrap(raw, None);
        (*raw).time_base = MICROS.into();
        (*raw).pkt_timebase = MICROS.into();
        if global_header {
            (*raw).flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
        }
        let from = decoder.as_ptr();
        (*raw).width = (*from).width;
        (*raw).height = (*from).height;
        let size = (*from).subtitle_header_size;
        if !(*from).subtitle_header.is_null() && size > 0 {
            let header = non_null(ffi::av_mallocz(size as usize + 1), "a header")?.cast::<u8>();
            ptr::copy_nonoverlapping((*from).subtitle_header, header, size as usize);
            (*raw).subtitle_header = header;
            (*raw).subtitle_header_size = size;
        }
        let code = ffi::avcodec_open2(raw, description, ptr::null_mut());
        if code < 0 {
            return Err(failed(
                &format!("open the encoder '{name}'"),
                ffmpeg::Error::from(code),
            ));
        }
        Ok(context)
    }
}
