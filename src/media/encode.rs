//! Frames in, packets out. Transcodes, pictures, samples and films are encoded here.

use std::ffi::{CStr, CString};
use std::ptr;

use ffmpeg::{Frame, Packet, Rational, codec, ffi};
use ffmpeg_next as ffmpeg;
use xxhash_rust::xxh3::xxh3_64;

use super::Graph;
use super::colours::Tags;
use super::compat;
use super::error::{Poll, check, non_null, poll};
use super::number::{c, number, set_number};
use super::options::options;
use super::stream::bytes;
use crate::error::{Error, Result};
use crate::recipe::EncoderSpec;

/// An opened encoder.
pub struct Encoder {
    context: codec::Context,
    // Set on each frame where the encoder works at a constant quantiser.
    qscale: Option<i32>,
    stage: Stage,
    // Whether the next frame is to be a key frame.
    key_next: bool,
    // What is added to the decoding times, once the first packet tells whether they are right.
    dts_shift: Option<i64>,
}

/// No encoder holds a frame back for the sake of so many seconds of later ones.
const LONGEST_DELAY_S: i64 = 3600;

/// How far an encoder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Working,
    Drained,
}

/// The clock of a video encoder.
#[derive(Debug, Clone, Copy)]
pub struct VideoTiming {
    /// Time base of the frames' timestamps.
    pub time_base: Rational,
    /// Nominal frame rate.
    pub frame_rate: Rational,
}

impl Encoder {
    /// Opens a video encoder for frames like `first`.
    ///
    /// # Errors
    /// Where the encoder is missing, or refuses the frames or an option.
    pub fn video(
        spec: &EncoderSpec,
        first: &Frame,
        timing: VideoTiming,
        setup: Setup,
    ) -> Result<Self> {
        Self::open(spec, setup, |context| {
            // SAFETY: both are valid for the length of the call.
            unsafe {
                let frame = first.as_ptr();
                (*context).width = (*frame).width;
                (*context).height = (*frame).height;
                (*context).sample_aspect_ratio = (*frame).sample_aspect_ratio;
                set_number!((*context).pix_fmt, (*frame).format);
                (*context).time_base = timing.time_base.into();
                (*context).framerate = timing.frame_rate.into();
                Tags::of(first).describe(context);
                let location = number!((*frame).chroma_location);
                set_number!((*context).chroma_sample_location, location);
                (*context).field_order = field_order(first, number!((*context).codec_id));
                compat::set_alpha_mode(context, first);
                compat::keep_frame_durations(context);
                compat::set_global_side_data(context, first)
            }
        })
    }

    /// Opens an audio encoder for what `graph` gives.
    ///
    /// # Errors
    /// As [`Encoder::video`].
    pub fn audio(spec: &EncoderSpec, graph: &Graph, setup: Setup) -> Result<Self> {
        Self::open(spec, setup, |context| {
            let sink = graph.sink();
            // SAFETY: the sink belongs to a graph that is configured and borrowed; its layout
            // is copied.
            unsafe {
                let sound = ffi::AVMediaType::AVMEDIA_TYPE_AUDIO as i32;
                if c::av_buffersink_get_type(sink) != sound {
                    return Err(Error::failed("a filter gives no sound to encode"));
                }
                let format = ffi::av_buffersink_get_format(sink);
                set_number!((*context).sample_fmt, format);
                if format == ffi::AVSampleFormat::AV_SAMPLE_FMT_S32 as i32 {
                    // As many as FLAC and PCM of 24 bits keep.
                    (*context).bits_per_raw_sample = 24;
                }
                (*context).sample_rate = ffi::av_buffersink_get_sample_rate(sink);
                (*context).time_base = ffi::AVRational {
                    num: 1,
                    den: (*context).sample_rate,
                };
                check(
                    ffi::av_buffersink_get_ch_layout(sink, &mut (*context).ch_layout),
                    "set the channels",
                )?;
            }
            Ok(())
        })
    }

    fn open(
        spec: &EncoderSpec,
        setup: Setup,
        describe: impl FnOnce(*mut ffi::AVCodecContext) -> Result<()>,
    ) -> Result<Self> {
        let name = CString::new(spec.name.as_str())
            .map_err(|error| Error::usage("an encoder's name holds a zero byte").because(error))?;
        // SAFETY: the codec description is static; the context is allocated
        // here and owned by the wrapper from then on.
        let (codec, context) = unsafe {
            let codec = ffi::avcodec_find_encoder_by_name(name.as_ptr());
            if codec.is_null() {
                return Err(Error::failed(format!(
                    "the linked FFmpeg has no encoder '{}'",
                    spec.name
                ))
                .cure("`rushes doctor` lists the encoders that are there"));
            }
            let raw = non_null(ffi::avcodec_alloc_context3(codec), "an encoder")?;
            (codec, codec::Context::wrap(raw, None))
        };
        let mut encoder = Self {
            context,
            qscale: spec.qscale.map(|q| i32::from(q) * ffi::FF_QP2LAMBDA),
            stage: Stage::Fresh,
            key_next: false,
            dts_shift: None,
        };
        encoder.configure(setup);
        // SAFETY: the context is valid and not yet open.
        let raw = unsafe { encoder.context.as_mut_ptr() };
        describe(raw)?;
        let options = options(spec.options_here())?;
        // SAFETY: the dictionary goes in and what was not used comes out, freed by its owner.
        let left = unsafe {
            let mut dictionary = options.disown();
            let code = ffi::avcodec_open2(raw, codec, &mut dictionary);
            let left = ffmpeg::Dictionary::own(dictionary);
            check(code, &format!("open the encoder '{}'", spec.name))?;
            left
        };
        match left.iter().next() {
            Some((key, value)) => Err(Error::failed(format!(
                "the encoder '{}' knows no option {key}={value}",
                spec.name
            ))),
            None => Ok(encoder),
        }
    }

    fn configure(&mut self, setup: Setup) {
        // SAFETY: the context is valid and not yet open.
        unsafe {
            let raw = self.context.as_mut_ptr();
            (*raw).thread_count = setup.threads.max(1) as i32;
            if setup.global_header {
                (*raw).flags |= ffi::AV_CODEC_FLAG_GLOBAL_HEADER as i32;
            }
            if setup.bit_exact {
                (*raw).flags |= ffi::AV_CODEC_FLAG_BITEXACT as i32;
            }
            if let Some(quality) = self.qscale {
                (*raw).flags |= ffi::AV_CODEC_FLAG_QSCALE as i32;
                (*raw).global_quality = quality;
            }
        }
    }

    /// Encodes `frame` (`None` drains), whose pts is in [`Encoder::time_base`],
    /// and hands each packet to `take`.
    ///
    /// # Errors
    /// Where encoding fails, and what `take` fails with.
    pub fn encode(
        &mut self,
        frame: Option<&mut Frame>,
        mut take: impl FnMut(Packet) -> Result<()>,
    ) -> Result<()> {
        let stage = match frame {
            Some(_) => Stage::Working,
            None => Stage::Drained,
        };
        let frame = match frame {
            Some(frame) if self.fits(frame) => self.prepare(frame),
            Some(_) => {
                return Err(Error::failed(
                    "a frame is not what its encoder was opened for",
                ));
            }
            None => ptr::null(),
        };
        self.stage = stage;
        // SAFETY: the context is open and takes such frames; a null frame asks for the rest.
        let code = unsafe { ffi::avcodec_send_frame(self.context.as_mut_ptr(), frame) };
        check(code, "encode a frame")?;
        loop {
            let mut packet = Packet::empty();
            // SAFETY: both are valid; libav fills the packet.
            let code = unsafe {
                use ffmpeg::codec::packet::Mut;
                ffi::avcodec_receive_packet(self.context.as_mut_ptr(), packet.as_mut_ptr())
            };
            let result = if code < 0 {
                Err(ffmpeg::Error::from(code))
            } else {
                Ok(())
            };
            match poll(result, "encode")? {
                Poll::Ready => {
                    self.mend_dts(&mut packet);
                    take(packet)?;
                }
                Poll::NeedInput | Poll::End => return Ok(()),
            }
        }
    }

    /// x265 counts decoding times from the time of a frame that comes late in a
    /// clip; where the clip is shorter, from whatever memory held. So the first
    /// one is far off, and all others by just as much.
    fn mend_dts(&mut self, packet: &mut Packet) {
        let (Some(pts), Some(dts)) = (packet.pts(), packet.dts()) else {
            return;
        };
        let most = self.ticks(LONGEST_DELAY_S);
        let shift = *self.dts_shift.get_or_insert_with(|| {
            let is_right = pts
                .checked_sub(dts)
                .is_some_and(|ahead| (0..=most).contains(&ahead));
            if is_right { 0 } else { pts.wrapping_sub(dts) }
        });
        packet.set_dts(Some(dts.wrapping_add(shift)));
    }

    fn ticks(&self, seconds: i64) -> i64 {
        // SAFETY: the context is open.
        let base = unsafe { (*self.context.as_ptr()).time_base };
        super::filter::rescale(seconds, Rational::new(1, 1), base.into())
    }

    /// Has the next frame encoded as a key frame; x264 takes `forced-idr` for
    /// one that nothing refers across.
    pub fn key_next(&mut self) {
        self.key_next = true;
    }

    /// Whether a frame has data of the size and format that the encoder was opened for: encoders
    /// read what these say, without a look at the frame's own.
    fn fits(&self, frame: &Frame) -> bool {
        // SAFETY: both are valid.
        unsafe {
            let (context, raw) = (self.context.as_ptr(), frame.as_ptr());
            if frame.is_empty() {
                return false;
            }
            if (*context).width > 0 {
                let own = (
                    (*context).width,
                    (*context).height,
                    number!((*context).pix_fmt),
                );
                own == ((*raw).width, (*raw).height, (*raw).format)
            } else {
                let channels = (*context).ch_layout.nb_channels;
                let own = (
                    channels,
                    (*context).sample_rate,
                    number!((*context).sample_fmt),
                );
                let given = (*raw).ch_layout.nb_channels;
                (*raw).nb_samples > 0 && own == (given, (*raw).sample_rate, (*raw).format)
            }
        }
    }

    /// The decoder's picture type must not become the encoder's.
    fn prepare(&mut self, frame: &mut Frame) -> *const ffi::AVFrame {
        // SAFETY: the frame is valid and ours alone; only its properties are written.
        unsafe {
            let raw = frame.as_mut_ptr();
            let kind = match std::mem::take(&mut self.key_next) {
                true => ffi::AVPictureType::AV_PICTURE_TYPE_I,
                false => ffi::AVPictureType::AV_PICTURE_TYPE_NONE,
            };
            set_number!((*raw).pict_type, kind as i32);
            if let Some(quality) = self.qscale {
                (*raw).quality = quality;
            }
            raw
        }
    }

    /// Time base of frames and packets.
    pub fn time_base(&self) -> Rational {
        self.context.time_base()
    }

    /// Nominal frame rate; 0/1 for sound.
    pub fn frame_rate(&self) -> Rational {
        self.context.frame_rate()
    }

    /// Samples that each audio frame but the last must have; `None` where any number will do.
    pub fn frame_size(&self) -> Option<u32> {
        // SAFETY: an open context has a codec.
        let (size, capabilities) = unsafe {
            let raw = self.context.as_ptr();
            ((*raw).frame_size, (*(*raw).codec).capabilities as u32)
        };
        (size > 0 && capabilities & ffi::AV_CODEC_CAP_VARIABLE_FRAME_SIZE == 0)
            .then_some(size as u32)
    }

    /// What its packets are of.
    ///
    /// # Errors
    /// Where memory is out.
    pub fn encoded(&self) -> Result<Encoded> {
        let mut parameters = codec::Parameters::new();
        // SAFETY: the context is open; libav copies what it tells.
        let sample_aspect = unsafe {
            let context = self.context.as_ptr();
            non_null(parameters.as_mut_ptr(), "a stream's parameters")?;
            let code = ffi::avcodec_parameters_from_context(parameters.as_mut_ptr(), context);
            check(code, "describe a stream")?;
            (*context).sample_aspect_ratio.into()
        };
        Ok(Encoded {
            parameters,
            time_base: self.time_base(),
            frame_rate: self.frame_rate(),
            sample_aspect,
        })
    }
}

/// What the packets of an encoder are of: all that a muxer must know.
pub struct Encoded {
    pub(super) parameters: codec::Parameters,
    /// Of the packets' timestamps.
    pub(super) time_base: Rational,
    /// Nominal; 0/1 for sound.
    pub(super) frame_rate: Rational,
    /// The shape of a sample; 0/1 where it is not known.
    pub(super) sample_aspect: Rational,
}

/// Opens the encoder of `spec` for a small picture of that pixel format and closes it again: shows,
/// before any work starts, whether it takes its options.
///
/// # Errors
/// Where it does not.
pub fn try_video_encoder(spec: &EncoderSpec, pixel_format: &str) -> Result<()> {
    let mut frame = example(pixel_format)?;
    let timing = VideoTiming {
        time_base: Rational::new(1, 25),
        frame_rate: Rational::new(25, 1),
    };
    let mut encoder = Encoder::video(spec, &frame, timing, Setup::default())?;
    encoder.encode(Some(&mut frame), |_| Ok(()))?;
    encoder.encode(None, |_| Ok(()))
}

/// SVT-AV1 waits for ever where it is closed before it was told of the end, and
/// where it is told of the end before it got a frame.
const WANTS_ITS_END: &CStr = c"libsvtav1";

impl Encoder {
    /// Ends without what it still holds, where another end would take seconds:
    /// for a process that is about to end itself.
    pub(super) fn abandon(mut self) {
        if self.waits_for_its_end() {
            self.keep_for_ever();
        }
    }

    fn waits_for_its_end(&mut self) -> bool {
        // SAFETY: the context is valid where it is not null; a codec has a static name, and is
        // gone where it did not open.
        let opened = unsafe {
            let context = self.context.as_mut_ptr();
            if context.is_null() || ffi::avcodec_is_open(context) == 0 {
                return false;
            }
            let codec = (*context).codec;
            (!codec.is_null()).then(|| CStr::from_ptr((*codec).name))
        };
        opened == Some(WANTS_ITS_END) && self.stage != Stage::Drained
    }

    fn keep_for_ever(&mut self) {
        // SAFETY: the context is replaced by an empty one, or by none, which is freed instead.
        unsafe {
            let raw = ffi::avcodec_alloc_context3(ptr::null());
            let empty = codec::Context::wrap(raw, None);
            std::mem::forget(std::mem::replace(&mut self.context, empty));
        }
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        if !self.waits_for_its_end() {
            return;
        }
        if self.stage == Stage::Working {
            // What is left is thrown away.
            let _ = self.encode(None, |_| Ok(()));
        } else {
            // Rather than waited for: there is one such at most a process.
            self.keep_for_ever();
        }
    }
}

impl Encoded {
    /// A hash, the same for all whose packets can stand in one stream.
    pub fn kind(&self) -> u64 {
        // SAFETY: the parameters are valid; extradata has the size that they say.
        let (header, shape) = unsafe {
            let raw = self.parameters.as_ptr();
            let header = bytes((*raw).extradata, (*raw).extradata_size);
            let codec = number!((*raw).codec_id);
            (header, [codec, (*raw).format, (*raw).width, (*raw).height])
        };
        let ratios = [self.time_base, self.sample_aspect].map(|ratio| [ratio.0, ratio.1]);
        let numbers = shape.into_iter().chain(ratios.into_iter().flatten());
        let mut all: Vec<u8> = numbers.flat_map(i32::to_le_bytes).collect();
        all.extend(header);
        xxh3_64(&all)
    }
}

/// A small picture of a pixel format.
fn example(pixel_format: &str) -> Result<Frame> {
    const SIDE: u32 = 128;
    let mut picture = super::still(SIDE, SIDE, &[0; (SIDE * SIDE * 4) as usize])?.at(0)?;
    let second = Rational::new(1, 1);
    let mut graph = Graph::new(
        &picture,
        second,
        second,
        &format!("format={pixel_format}"),
        1,
    )?;
    graph.push(&mut picture)?;
    Ok(graph.pull()?.1)
}

/// What an encoder must know besides its recipe.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup {
    /// Codec threads; 0 counts as 1.
    pub threads: usize,
    /// Whether the muxer keeps stream headers apart.
    pub global_header: bool,
    /// Whether the output must be the same on every machine.
    pub bit_exact: bool,
}

/// How a picture's fields are stored and shown, as the `ffmpeg` program tells encoders.
fn field_order(frame: &Frame, codec: i32) -> ffi::AVFieldOrder {
    use ffi::AVFieldOrder as Order;
    let (is_interlaced, top_first) = compat::fields(frame);
    let apart = codec == ffi::AVCodecID::AV_CODEC_ID_MJPEG as i32;
    match (is_interlaced, top_first) {
        (false, _) => Order::AV_FIELD_PROGRESSIVE,
        (true, true) if apart => Order::AV_FIELD_TT,
        (true, false) if apart => Order::AV_FIELD_BB,
        (true, true) => Order::AV_FIELD_TB,
        (true, false) => Order::AV_FIELD_BT,
    }
}
