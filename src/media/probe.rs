//! What a file holds, by its container's own words.

use std::path::Path;
use std::ptr;

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;

use super::compat;
use super::details::details;
use super::filter::layout_name;
use super::light;
use super::number::{self, c, number};
use super::stream::{Stream, StreamType};
use super::transparency::gif_is_transparent;
use super::{Input, Origin, files, version};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::{Extra, Fields, MediaInfo, Ratio, StreamInfo, StreamKind};

/// Opens `path` and lists its streams.
///
/// # Errors
/// Where the file cannot be opened as media.
pub fn probe(path: &Path, cancel: &Cancel) -> Result<MediaInfo> {
    let mut input = Input::open(path, None, cancel)?;
    let mut info = describe(&input);
    for described in &mut info.streams {
        if let StreamKind::Video { light, alpha, .. } = &mut described.kind {
            // What cannot be decoded has none.
            let shown = light::shown(&mut input, described.index).unwrap_or_default();
            *light = shown.light;
            let extras = &mut described.details.extras;
            if shown.is_dolby_vision && !extras.contains(&Extra::DolbyVision) {
                extras.push(Extra::DolbyVision);
            }
            if let (Some(light), details) = (light, &mut described.details) {
                details.brightest = light.brightest();
            }
            if *alpha && described.codec == "gif" {
                *alpha = gif_is_transparent(&mut input, described.index).unwrap_or(true);
            }
        }
    }
    Ok(info)
}

/// Writes the picture attached to a file as stream `stream` to `target`.
///
/// # Errors
/// Where the file cannot be opened, or has none there, or it cannot be written.
pub fn cover(
    path: &Path,
    format: &str,
    stream: usize,
    target: &Path,
    cancel: &Cancel,
) -> Result<()> {
    let input = Input::open(path, Some(format), cancel)?;
    let origin = Origin::of(&input, stream)?;
    files::write(target, origin.stream().attached_picture())
        .map_err(|error| Error::failed("cannot write a cover to a temporary file").because(error))
}

/// The description of an opened source.
pub(super) fn describe(input: &Input) -> MediaInfo {
    MediaInfo {
        format: input.format_name(),
        duration_s: input.duration_s(),
        duration_is_guessed: input.duration_is_guessed(),
        bit_rate: positive(input.bit_rate()),
        tags: input.tags().into_iter().map(|(name, _)| name).collect(),
        chapters: chapters(input),
        starts_late: input.starts_late(),
        streams: input
            .streams()
            .map(|stream| stream_info(input, stream))
            .collect(),
    }
}

/// How many chapters last: some writers add empty ones.
fn chapters(input: &Input) -> usize {
    let lasts = |chapter: &ffmpeg::Chapter| chapter.end() > chapter.start();
    input.chapters().filter(lasts).count()
}

fn stream_info(input: &Input, stream: Stream) -> StreamInfo {
    let duration = stream.duration();
    StreamInfo {
        index: stream.index(),
        kind: stream_kind(input, stream),
        codec: number::codec_name(stream.codec()).to_owned(),
        decodable: !c::avcodec_find_decoder(stream.codec()).is_null(),
        is_default: stream.is_marked(ffi::AV_DISPOSITION_DEFAULT),
        duration_s: (duration > 0).then(|| duration as f64 * f64::from(stream.time_base())),
        // SAFETY: the parameters live while the source is borrowed.
        bit_rate: positive(unsafe { (*stream.parameters()).bit_rate }),
        is_edited: is_edited(stream),
        details: details(input, stream),
    }
}

fn is_edited(stream: Stream) -> bool {
    // SAFETY: the stream is valid while the source is borrowed, and libav only reads it;
    // entries are read by numbers below their count.
    unsafe {
        let raw = stream.raw().cast_mut();
        (0..ffi::avformat_index_get_entries_count(raw)).any(|number| {
            let entry = ffi::avformat_index_get_entry(raw, number);
            !entry.is_null() && (*entry).flags() & ffi::AVINDEX_DISCARD_FRAME != 0
        })
    }
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

fn stream_kind(input: &Input, stream: Stream) -> StreamKind {
    match stream.stream_type() {
        StreamType::Video if stream.is_marked(ffi::AV_DISPOSITION_ATTACHED_PIC) => {
            StreamKind::Cover
        }
        StreamType::Video => video(input, stream),
        StreamType::Audio => audio(stream),
        StreamType::Subtitle => StreamKind::Subtitle {
            text: stream.codec_has(ffi::AV_CODEC_PROP_TEXT_SUB),
        },
        StreamType::Attachment => StreamKind::Attachment,
        StreamType::Other => StreamKind::Other,
    }
}

fn video(input: &Input, stream: Stream) -> StreamKind {
    // SAFETY: the parameters live while the source is borrowed.
    let (format, field_order) = unsafe {
        let raw = stream.parameters();
        ((*raw).format, number!((*raw).field_order))
    };
    StreamKind::Video {
        width: shown_size(stream).0,
        height: shown_size(stream).1,
        frame_rate: frame_rate(input, stream.index()),
        sample_aspect: sample_aspect(input, stream.index()),
        orient: orientation(stream),
        pixel_format: pixel_format_name(format),
        alpha: has_alpha(stream, format),
        depth: depth(format),
        fields: fields(field_order),
        light: None,
    }
}

fn audio(stream: Stream) -> StreamKind {
    // SAFETY: the parameters live while the source is borrowed.
    unsafe {
        let raw = stream.parameters();
        StreamKind::Audio {
            sample_rate: (*raw).sample_rate.max(0) as u32,
            channels: (*raw).ch_layout.nb_channels.max(0) as u32,
            layout: layout_name(&(*raw).ch_layout),
            bits: sample_bits((*raw).bits_per_raw_sample, stream.codec()),
        }
    }
}

fn sample_bits(raw_bits: i32, codec: i32) -> u32 {
    let bits = match raw_bits {
        ..=0 => c::av_get_bits_per_sample(codec),
        known => known,
    };
    bits.max(0) as u32
}

fn fields(order: i32) -> Fields {
    const UNKNOWN: i32 = ffi::AVFieldOrder::AV_FIELD_UNKNOWN as i32;
    const PROGRESSIVE: i32 = ffi::AVFieldOrder::AV_FIELD_PROGRESSIVE as i32;
    match order {
        UNKNOWN => Fields::Unknown,
        PROGRESSIVE => Fields::Progressive,
        _ => Fields::Interlaced,
    }
}

fn pixel_format_name(format: i32) -> String {
    number::pixel_format_name(format)
        .unwrap_or_default()
        .to_owned()
}

/// Whether a pixel format holds transparency, or a tag says that it is held apart.
fn has_alpha(stream: Stream, format: i32) -> bool {
    let tag = stream.tag(c"alpha_mode");
    version::has_alpha(&pixel_format_name(format)) || tag.is_some_and(|mode| mode == "1")
}

fn depth(format: i32) -> u32 {
    number::pixel_format(format).map_or(8, |format| format.comp[0].depth.max(1) as u32)
}

/// libav's guess of a stream's frame rate, as the `ffmpeg` program takes it; 0/1 where there is
/// no such stream.
pub(super) fn frame_rate(input: &Input, stream: usize) -> Ratio {
    guessed(input, stream, |context, stream| {
        // SAFETY: context and stream belong together and are only read; the frame is optional.
        unsafe { ffi::av_guess_frame_rate(context, stream, ptr::null_mut()) }
    })
}

/// The shape of a stream's samples, where container or codec tells, as the `ffmpeg` program takes
/// it.
fn sample_aspect(input: &Input, stream: usize) -> Ratio {
    guessed(input, stream, |context, stream| {
        // SAFETY: as in `frame_rate`.
        unsafe { ffi::av_guess_sample_aspect_ratio(context, stream, ptr::null_mut()) }
    })
}

fn guessed(
    input: &Input,
    stream: usize,
    guess: impl FnOnce(*mut ffi::AVFormatContext, *mut ffi::AVStream) -> ffi::AVRational,
) -> Ratio {
    match input.stream(stream) {
        Some(stream) => positive_ratio(guess(input.raw().cast_mut(), stream.raw().cast_mut())),
        None => Ratio::new(0, 1),
    }
}

fn positive_ratio(ratio: ffi::AVRational) -> Ratio {
    if ratio.num > 0 && ratio.den > 0 {
        Ratio::new(ratio.num, ratio.den)
    } else {
        Ratio::new(0, 1)
    }
}

/// Width and height of a stream's frames, once what the container crops is cut off.
fn shown_size(stream: Stream) -> (u32, u32) {
    let (width, height) = stream.size();
    match cropping(stream) {
        Some(edges) => (
            width - edges.left - edges.right,
            height - edges.top - edges.bottom,
        ),
        None => (width, height),
    }
}

/// What the container crops of a stream, where that leaves any pixels.
fn cropping(stream: Stream) -> Option<compat::Cropping> {
    let edges = compat::cropping(stream)?;
    let leaves =
        |size: u32, before: u32, after: u32| u64::from(before) + u64::from(after) < u64::from(size);
    let (width, height) = stream.size();
    let fits = leaves(width, edges.left, edges.right) && leaves(height, edges.top, edges.bottom);
    fits.then_some(edges)
}

/// The filters that the `ffmpeg` program inserts to show a stream as its container
/// says: cropped, and turned upright.
fn orientation(stream: Stream) -> String {
    let crop = cropping(stream).map(|edges| {
        let compat::Cropping {
            top,
            bottom,
            left,
            right,
        } = edges;
        format!("crop=w=iw-{left}-{right}:h=ih-{top}-{bottom}:x={left}:y={top}")
    });
    let turn = Some(rotation(stream)).filter(|filters| !filters.is_empty());
    let filters: Vec<String> = crop.into_iter().chain(turn).collect();
    filters.join(",")
}

/// The filters that turn a stream upright by its display matrix.
fn rotation(stream: Stream) -> String {
    let wanted = ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX as i32;
    let mut sides = stream.side_data().into_iter();
    let matrix = sides.find(|(kind, _)| *kind == wanted);
    let matrix: Option<Vec<i32>> = matrix.map(|(_, bytes)| {
        let words = bytes.as_chunks::<4>().0.iter();
        words.map(|word| i32::from_ne_bytes(*word)).collect()
    });
    match matrix.as_deref().and_then(<[i32]>::first_chunk::<9>) {
        Some(matrix) => upright(matrix),
        None => String::new(),
    }
}

fn upright(matrix: &[i32; 9]) -> String {
    // SAFETY: the function reads nine numbers.
    let angle = -unsafe { ffi::av_display_rotation_get(matrix.as_ptr()) };
    if angle.is_nan() {
        return String::new();
    }
    // Into [0, 360), with a little room below 0 for rounding.
    let theta = angle - 360.0 * (angle / 360.0 + 0.9 / 360.0).floor();
    let near = |degrees: f64| (theta - degrees).abs() < 1.0;
    if near(90.0) {
        if matrix[3] > 0 {
            "transpose=cclock_flip"
        } else {
            "transpose=clock"
        }
        .into()
    } else if near(180.0) {
        let flips = [
            (matrix[0] < 0).then_some("hflip"),
            (matrix[4] < 0).then_some("vflip"),
        ];
        flips.into_iter().flatten().collect::<Vec<_>>().join(",")
    } else if near(270.0) {
        if matrix[3] < 0 {
            "transpose=clock_flip"
        } else {
            "transpose=cclock"
        }
        .into()
    } else if theta.abs() > 1.0 {
        format!("rotate={theta:.6}*PI/180")
    } else if matrix[4] < 0 {
        "vflip".into()
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: i32 = 1 << 16;

    #[test]
    fn display_matrices_become_the_filters_that_turn_pictures_upright() {
        let last = 1 << 30;
        let cases = [
            ([ONE, 0, 0, 0, ONE, 0, 0, 0, last], ""),
            ([0, ONE, 0, -ONE, 0, 0, 0, 0, last], "transpose=clock"),
            ([-ONE, 0, 0, 0, -ONE, 0, 0, 0, last], "hflip,vflip"),
            ([0, -ONE, 0, ONE, 0, 0, 0, 0, last], "transpose=cclock"),
            ([ONE, 0, 0, 0, -ONE, 0, 0, 0, last], "vflip"),
        ];
        for (matrix, filters) in cases {
            assert_eq!(upright(&matrix), filters, "{matrix:?}");
        }
    }
}
