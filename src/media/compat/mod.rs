//! What differs between the supported FFmpeg versions, 5.1 to 9.0.
//!
//! This is the one place that asks for a version. What libav can be asked for at
//! run time (whether a filter has an option, which formats an encoder takes) is
//! asked for; the rest follows the headers that the program is built against
//! (`cfg(ffmpeg_…)`, set by `build.rs`). Each item names the change in FFmpeg's
//! `doc/APIchanges` or `Changelog` that it follows.

mod offers;

use std::ffi::CStr;
use std::sync::OnceLock;

use ffmpeg::{Rational, ffi};
use ffmpeg_next as ffmpeg;

pub(super) use offers::{
    encoder_colours, encoder_layouts, encoder_pixel_formats, encoder_sample_formats,
    encoder_sample_rates,
};

use super::error::non_null;
#[cfg(ffmpeg_8_1)]
use super::number::set_number;
use super::number::{c, number};
use super::stream::{Stream, bytes};
use crate::error::Result;

/// By which rules the `ffmpeg` program gives frames and packets their timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimestampRules {
    /// Up to FFmpeg 6.0: decoding times are predicted packet by packet, and frames follow them.
    Packets,
    /// Since FFmpeg 6.1: frames follow the decoder, packets the demuxer (the commits
    /// "fftools/ffmpeg: rework audio-decode timestamp handling" and those after it).
    Frames,
}

/// The rules of the program of the linked version.
pub(super) fn timestamp_rules() -> TimestampRules {
    // The libavcodec of FFmpeg 6.1.
    const FRAMES: u32 = (60 << 16) | (31 << 8);
    // SAFETY: returns a constant.
    if unsafe { ffi::avcodec_version() } >= FRAMES {
        TimestampRules::Frames
    } else {
        TimestampRules::Packets
    }
}

/// Whether the decoder of AMR takes one frame from a packet and passes over the rest of it.
///
/// That of 5.1 reports all of the packet as read (`amrnbdec.c`); the commit 319e8a49, in 6.1,
/// ended that.
pub(super) fn decodes_first_amr_frame_only() -> bool {
    timestamp_rules() == TimestampRules::Packets
}

/// Whether the filter of that name has an option of that name.
///
/// `buffer` takes `colorspace` and `range` since FFmpeg 7.0 and `alpha_mode` since
/// 8.1; without them, frames leave the graph without these properties.
pub(super) fn filter_has_option(filter: &CStr, option: &CStr) -> bool {
    // SAFETY: looks up a static description; with that flag, libav takes a place
    // that holds a pointer to a static class for an object of that class, and only reads.
    unsafe {
        let Some(filter) = ffi::avfilter_get_by_name(filter.as_ptr()).as_ref() else {
            return false;
        };
        if filter.priv_class.is_null() {
            return false;
        }
        let class = (&raw const filter.priv_class).cast_mut().cast();
        let flags = ffi::AV_OPT_SEARCH_FAKE_OBJ;
        !ffi::av_opt_find(class, option.as_ptr(), std::ptr::null(), 0, flags).is_null()
    }
}

/// Whether filter graphs negotiate colour matrix and range, as they do since FFmpeg 7.0.
pub(super) fn graphs_negotiate_colours() -> bool {
    static ASKED: OnceLock<bool> = OnceLock::new();
    *ASKED.get_or_init(|| filter_has_option(c"buffer", c"colorspace"))
}

/// Whether the muxer of mov writes how pictures lie on a sphere, and which eye they are for.
///
/// It does since FFmpeg 7.1.
pub fn mov_takes_projections() -> bool {
    cfg!(ffmpeg_7_1)
}

/// Whether the muxer of Matroska writes a stream's rotation.
///
/// It does since FFmpeg 7.1.
pub fn matroska_takes_rotation() -> bool {
    cfg!(ffmpeg_7_1)
}

/// Whether a frame holds two fields, and whether the top field is shown first.
///
/// `AVFrame.interlaced_frame` and `top_field_first` became flags in FFmpeg 6.1 and
/// are gone in 8.0.
#[cfg(ffmpeg_6_1)]
pub(super) fn fields(frame: &ffmpeg::Frame) -> (bool, bool) {
    // SAFETY: the frame is valid.
    let flags = unsafe { (*frame.as_ptr()).flags };
    let has = |flag: i32| flags & flag != 0;
    (
        has(ffi::AV_FRAME_FLAG_INTERLACED),
        has(ffi::AV_FRAME_FLAG_TOP_FIELD_FIRST),
    )
}

/// As above, by the fields that the flags replaced.
#[cfg(not(ffmpeg_6_1))]
pub(super) fn fields(frame: &ffmpeg::Frame) -> (bool, bool) {
    // SAFETY: the frame is valid.
    unsafe {
        let raw = frame.as_ptr();
        ((*raw).interlaced_frame != 0, (*raw).top_field_first != 0)
    }
}

/// Whether a frame's colours are multiplied by its transparency, by libav's number.
///
/// `AVFrame.alpha_mode` is new in FFmpeg 8.1.
#[cfg(ffmpeg_8_1)]
pub(super) fn alpha_mode(frame: &ffmpeg::Frame) -> Option<i32> {
    // SAFETY: the frame is valid.
    Some(unsafe { number!((*frame.as_ptr()).alpha_mode) })
}

/// As above: older frames do not tell.
#[cfg(not(ffmpeg_8_1))]
pub(super) fn alpha_mode(_frame: &ffmpeg::Frame) -> Option<i32> {
    None
}

/// Tells an encoder whether colours are multiplied by transparency, as its first frame does.
///
/// # Safety
/// The context is valid.
#[cfg(ffmpeg_8_1)]
pub(super) unsafe fn set_alpha_mode(context: *mut ffi::AVCodecContext, frame: &ffmpeg::Frame) {
    if let Some(mode) = alpha_mode(frame) {
        // SAFETY: the caller vouches.
        unsafe { set_number!((*context).alpha_mode, mode) };
    }
}

/// As above: older encoders do not ask.
///
/// # Safety
/// None: nothing is read.
#[cfg(not(ffmpeg_8_1))]
pub(super) unsafe fn set_alpha_mode(_context: *mut ffi::AVCodecContext, _frame: &ffmpeg::Frame) {}

/// Gives an encoder what its first frame says about the whole stream, such as the
/// mastering display: encoders write it into their headers.
///
/// `AVCodecContext.decoded_side_data` and the descriptions of side data are new
/// in FFmpeg 7.1. The display matrix stays away: what is encoded is upright.
///
/// # Errors
/// Where memory is out.
///
/// # Safety
/// The context is valid, and not yet open.
#[cfg(ffmpeg_7_1)]
pub(super) unsafe fn set_global_side_data(
    context: *mut ffi::AVCodecContext,
    frame: &ffmpeg::Frame,
) -> Result<()> {
    let matrix = ffi::AVFrameSideDataType::AV_FRAME_DATA_DISPLAYMATRIX as i32;
    // SAFETY: the frame is valid.
    let count = unsafe { (*frame.as_ptr()).nb_side_data }.max(0) as usize;
    for index in 0..count {
        // SAFETY: the frame has as many entries as it counts; descriptions are static; the
        // caller vouches for the context; libav shares the entry's buffer.
        let code = unsafe {
            let data = *(*frame.as_ptr()).side_data.add(index);
            let kind = number!((*data).type_);
            let description = c::av_frame_side_data_desc(kind).as_ref();
            let global = ffi::AVSideDataProps::AV_SIDE_DATA_PROP_GLOBAL as u32;
            let is_global = description.is_some_and(|about| about.props & global != 0);
            if !is_global || kind == matrix {
                continue;
            }
            ffi::av_frame_side_data_clone(
                &mut (*context).decoded_side_data,
                &mut (*context).nb_decoded_side_data,
                data,
                ffi::AV_FRAME_SIDE_DATA_FLAG_UNIQUE as u32,
            )
        };
        super::error::check(code, "describe a stream")?;
    }
    Ok(())
}

/// As above: older encoders do not look at it.
///
/// # Errors
/// None.
///
/// # Safety
/// None: nothing is read.
#[cfg(not(ffmpeg_7_1))]
pub(super) unsafe fn set_global_side_data(
    _context: *mut ffi::AVCodecContext,
    _frame: &ffmpeg::Frame,
) -> Result<()> {
    Ok(())
}

/// Has an encoder give its packets the durations of their frames.
///
/// `AV_CODEC_FLAG_FRAME_DURATION` is new in FFmpeg 6.0; the program sets it since 6.1.
///
/// # Safety
/// The context is valid and not yet open.
#[cfg(ffmpeg_6_1)]
pub(super) unsafe fn keep_frame_durations(context: *mut ffi::AVCodecContext) {
    // SAFETY: the caller vouches.
    unsafe { (*context).flags |= ffi::AV_CODEC_FLAG_FRAME_DURATION as i32 };
}

/// As above: older encoders leave durations to the muxer.
///
/// # Safety
/// None: nothing is read.
#[cfg(not(ffmpeg_6_1))]
pub(super) unsafe fn keep_frame_durations(_context: *mut ffi::AVCodecContext) {}

/// Converts a frame's duration between time bases; where it has none, that of one
/// frame at `frame_rate` takes its place.
#[cfg(ffmpeg_6_1)]
pub(super) fn rescale_duration(
    frame: &mut ffmpeg::Frame,
    (from, to): (Rational, Rational),
    frame_rate: Rational,
) {
    // SAFETY: the frame is valid and ours alone; the rest is computation.
    unsafe {
        let raw = frame.as_mut_ptr();
        if (*raw).duration == 0 && frame_rate.0 > 0 && frame_rate.1 > 0 {
            let one = ffi::AVRational {
                num: frame_rate.1,
                den: frame_rate.0,
            };
            (*raw).duration = ffi::av_rescale_q(1, one, from.into());
        }
        // In two steps, as the program does: seconds as a floating-point number, then ticks.
        let ticks = (*raw).duration as f64 * f64::from(from) / f64::from(to);
        (*raw).duration = ticks.round_ties_even() as i64;
    }
}

/// As above: older encoders do not look at it.
#[cfg(not(ffmpeg_6_1))]
pub(super) fn rescale_duration(
    _frame: &mut ffmpeg::Frame,
    (_from, _to): (Rational, Rational),
    _frame_rate: Rational,
) {
}

/// The frame rate by which the packets of a stream are counted that store no duration.
///
/// `AVCodecParameters.framerate` is new in FFmpeg 6.1.
#[cfg(ffmpeg_6_1)]
pub(super) fn packet_frame_rate(stream: Stream) -> Rational {
    // SAFETY: the parameters live while the source is borrowed.
    unsafe { (*stream.parameters()).framerate }.into()
}

/// As above, by the container's average.
#[cfg(not(ffmpeg_6_1))]
pub(super) fn packet_frame_rate(stream: Stream) -> Rational {
    stream.average_rate()
}

/// The fields that the last packet of a stream holds by its parser; 2 where that is unknown.
#[cfg(ffmpeg_6_1)]
pub(super) fn packet_fields(stream: Stream) -> i64 {
    // SAFETY: the parser lives with the stream, which is valid while the source is borrowed.
    let parser = unsafe { ffi::av_stream_get_parser(stream.raw()) };
    if parser.is_null() || !stream.codec_has(ffi::AV_CODEC_PROP_FIELDS as i32) {
        return 2;
    }
    // SAFETY: as above; it is not null.
    i64::from(unsafe { (*parser).repeat_pict }) + 1
}

/// As above: up to FFmpeg 6.0, copied streams were counted in frames.
#[cfg(not(ffmpeg_6_1))]
pub(super) fn packet_fields(_stream: Stream) -> i64 {
    2
}

/// One entry of a stream's side data: its kind by libav's number, and its bytes.
pub(super) type SideData<'a> = (i32, &'a [u8]);

/// A stream's side data: display matrix, mastering display, light levels, projection.
///
/// It moved from `AVStream` to `AVCodecParameters` in FFmpeg 6.1.
///
/// # Safety
/// The stream is valid, and its side data stays as it is, for as long as the result is used.
#[cfg(ffmpeg_6_1)]
pub(super) unsafe fn stream_side_data<'a>(stream: *const ffi::AVStream) -> Vec<SideData<'a>> {
    // SAFETY: the caller vouches; libav keeps as many entries as it counts.
    unsafe {
        let parameters = (*stream).codecpar;
        entries(
            (*parameters).coded_side_data,
            (*parameters).nb_coded_side_data,
        )
    }
}

/// As above, of the stream itself.
///
/// # Safety
/// As above.
#[cfg(not(ffmpeg_6_1))]
pub(super) unsafe fn stream_side_data<'a>(stream: *const ffi::AVStream) -> Vec<SideData<'a>> {
    // SAFETY: as above.
    unsafe { entries((*stream).side_data, (*stream).nb_side_data) }
}

/// # Safety
/// `count` entries begin at `first`, each with as many bytes as it says.
unsafe fn entries<'a>(first: *const ffi::AVPacketSideData, count: i32) -> Vec<SideData<'a>> {
    let entry = |index| {
        // SAFETY: the caller vouches.
        unsafe {
            let entry = first.add(index);
            (number!((*entry).type_), bytes((*entry).data, (*entry).size))
        }
    };
    (0..count.max(0) as usize).map(entry).collect()
}

/// Pixels that a container cuts off each edge of the decoded frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cropping {
    pub top: u32,
    pub bottom: u32,
    pub left: u32,
    pub right: u32,
}

/// How a container crops a stream (`clap` in MP4, `PixelCrop…` in Matroska), where it does.
///
/// Demuxers report it, and the `ffmpeg` program applies it, since FFmpeg 7.1
/// ("Cropping metadata parsing and writing in Matroska and MP4/MOV de/muxers").
///
#[cfg(ffmpeg_7_1)]
pub(super) fn cropping(stream: Stream) -> Option<Cropping> {
    let mut sides = stream.side_data().into_iter();
    let (_, bytes) = sides.find(|(kind, _)| is_cropping(*kind))?;
    let words = bytes.as_chunks::<4>().0.first_chunk::<4>()?;
    let [top, bottom, left, right] = words.map(u32::from_le_bytes);
    let cropping = Cropping {
        top,
        bottom,
        left,
        right,
    };
    (cropping != Cropping::default()).then_some(cropping)
}

/// As above: older demuxers do not report it.
#[cfg(not(ffmpeg_7_1))]
pub(super) fn cropping(_stream: Stream) -> Option<Cropping> {
    None
}

/// Whether a kind of side data says how the frames of its stream are cropped.
#[cfg(ffmpeg_7_1)]
pub(super) fn is_cropping(kind: i32) -> bool {
    kind == ffi::AVPacketSideDataType::AV_PKT_DATA_FRAME_CROPPING as i32
}

/// As above: there was no such kind.
#[cfg(not(ffmpeg_7_1))]
pub(super) fn is_cropping(_kind: i32) -> bool {
    false
}

/// Adds an entry to the side data of a stream that is about to be written, in
/// place of one of the same kind.
///
/// # Errors
/// Where memory is out.
///
/// # Safety
/// The stream is valid, and belongs to a muxer whose header is not written; the bytes are not
/// in its own side data.
pub(super) unsafe fn add_side_data(
    stream: *mut ffi::AVStream,
    (kind, bytes): SideData,
) -> Result<()> {
    // SAFETY: the caller vouches; libav allocates as many bytes as are copied.
    unsafe {
        let room = non_null(new_side_data(stream, kind, bytes.len()), "side data")?;
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), room, bytes.len());
    }
    Ok(())
}

/// # Safety
/// As of [`add_side_data`].
#[cfg(ffmpeg_6_1)]
unsafe fn new_side_data(stream: *mut ffi::AVStream, kind: i32, size: usize) -> *mut u8 {
    // SAFETY: the caller vouches; libav returns null or an entry with as many bytes.
    unsafe {
        let parameters = (*stream).codecpar;
        let entry = c::av_packet_side_data_new(
            &raw mut (*parameters).coded_side_data,
            &raw mut (*parameters).nb_coded_side_data,
            kind,
            size,
            0,
        );
        match entry.is_null() {
            true => std::ptr::null_mut(),
            false => (*entry).data,
        }
    }
}

/// # Safety
/// As of [`add_side_data`].
#[cfg(not(ffmpeg_6_1))]
unsafe fn new_side_data(stream: *mut ffi::AVStream, kind: i32, size: usize) -> *mut u8 {
    // SAFETY: the caller vouches.
    unsafe { c::av_stream_new_side_data(stream, kind, size) }
}
