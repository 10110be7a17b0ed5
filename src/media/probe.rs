//! What a file holds, by its container's own words.

use std::ffi::CStr;
use std::path::Path;

use ffmpeg::ffi;
use ffmpeg::format::stream::Disposition;
use ffmpeg_next as ffmpeg;

use super::compat;
use super::details::details;
use super::filter::layout_name;
use super::light;
use super::transparency::gif_is_transparent;
use super::version::{self, dictionary, dictionary_value};
use super::{Input, Origin, files};
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
    files::write(target, origin.picture())
        .map_err(|error| Error::failed("cannot write a cover to a temporary file").because(error))
}

/// The description of an opened source.
pub(super) fn describe(input: &Input) -> MediaInfo {
    MediaInfo {
        format: input.format_name(),
        duration_s: input.duration_s(),
        duration_is_guessed: input.duration_is_guessed(),
        // SAFETY: the context is open; libav works it out from size and length.
        bit_rate: positive(unsafe { (*input.context().as_ptr()).bit_rate }),
        // SAFETY: the context is open, and has the dictionary for as long as it is.
        tags: unsafe { dictionary((*input.context().as_ptr()).metadata) }
            .into_iter()
            .map(|(name, _)| name)
            .collect(),
        chapters: chapters(input),
        streams: input
            .context()
            .streams()
            .map(|stream| stream_info(input, &stream))
            .collect(),
    }
}

/// How many chapters last: some writers add empty ones.
fn chapters(input: &Input) -> usize {
    let lasts = |chapter: &ffmpeg::Chapter| chapter.end() > chapter.start();
    input.context().chapters().filter(lasts).count()
}

fn stream_info(input: &Input, stream: &ffmpeg::Stream) -> StreamInfo {
    let parameters = stream.parameters();
    // SAFETY: the parameters live as long as the opened input; names are static strings.
    let (codec, decodable) = unsafe {
        let id = (*parameters.as_ptr()).codec_id;
        let name = CStr::from_ptr(ffi::avcodec_get_name(id))
            .to_string_lossy()
            .into_owned();
        (name, !ffi::avcodec_find_decoder(id).is_null())
    };
    let duration = stream.duration();
    StreamInfo {
        index: stream.index(),
        kind: stream_kind(input, stream),
        codec,
        decodable,
        is_default: stream.disposition().contains(Disposition::DEFAULT),
        duration_s: (duration > 0).then(|| duration as f64 * f64::from(stream.time_base())),
        // SAFETY: the parameters live as long as the opened input.
        bit_rate: positive(unsafe { (*parameters.as_ptr()).bit_rate }),
        is_edited: is_edited(stream),
        details: details(input, stream),
    }
}

fn is_edited(stream: &ffmpeg::Stream) -> bool {
    // SAFETY: the stream lives as long as the opened input; entries are read
    // by numbers below their count.
    unsafe {
        let raw = stream.as_ptr().cast_mut();
        (0..ffi::avformat_index_get_entries_count(raw)).any(|number| {
            let entry = ffi::avformat_index_get_entry(raw, number);
            !entry.is_null() && (*entry).flags() & ffi::AVINDEX_DISCARD_FRAME != 0
        })
    }
}

fn positive(number: i64) -> Option<u64> {
    u64::try_from(number).ok().filter(|number| *number > 0)
}

fn stream_kind(input: &Input, stream: &ffmpeg::Stream) -> StreamKind {
    let parameters = stream.parameters();
    // SAFETY: the parameters live as long as the opened input.
    let raw = unsafe { &*parameters.as_ptr() };
    match raw.codec_type {
        ffi::AVMediaType::AVMEDIA_TYPE_VIDEO
            if stream.disposition().contains(Disposition::ATTACHED_PIC) =>
        {
            StreamKind::Cover
        }
        ffi::AVMediaType::AVMEDIA_TYPE_VIDEO => StreamKind::Video {
            width: shown_size(stream).0,
            height: shown_size(stream).1,
            frame_rate: frame_rate(input, stream.index()),
            sample_aspect: sample_aspect(input, stream.index()),
            orient: orientation(stream),
            pixel_format: pixel_format_name(raw.format),
            alpha: has_alpha(stream, raw.format),
            depth: depth(raw.format),
            fields: fields(raw.field_order),
            light: None,
        },
        ffi::AVMediaType::AVMEDIA_TYPE_AUDIO => StreamKind::Audio {
            sample_rate: raw.sample_rate.max(0) as u32,
            channels: raw.ch_layout.nb_channels.max(0) as u32,
            layout: layout_name(&raw.ch_layout),
            bits: sample_bits(raw),
        },
        ffi::AVMediaType::AVMEDIA_TYPE_SUBTITLE => StreamKind::Subtitle {
            text: has_property(raw.codec_id, ffi::AV_CODEC_PROP_TEXT_SUB),
        },
        ffi::AVMediaType::AVMEDIA_TYPE_ATTACHMENT => StreamKind::Attachment,
        _ => StreamKind::Other,
    }
}

fn sample_bits(raw: &ffi::AVCodecParameters) -> u32 {
    let bits = match raw.bits_per_raw_sample {
        // SAFETY: looks up a table.
        ..=0 => unsafe { ffi::av_get_bits_per_sample(raw.codec_id) },
        known => known,
    };
    bits.max(0) as u32
}

fn fields(order: ffi::AVFieldOrder) -> Fields {
    match order {
        ffi::AVFieldOrder::AV_FIELD_UNKNOWN => Fields::Unknown,
        ffi::AVFieldOrder::AV_FIELD_PROGRESSIVE => Fields::Progressive,
        _ => Fields::Interlaced,
    }
}

fn has_property(codec: ffi::AVCodecID, property: i32) -> bool {
    // SAFETY: looks up a static description.
    unsafe {
        let description = ffi::avcodec_descriptor_get(codec);
        !description.is_null() && (*description).props & property != 0
    }
}

/// A pixel format's static description; none where the number is no format.
pub(super) fn pixel_format(number: i32) -> Option<&'static ffi::AVPixFmtDescriptor> {
    // SAFETY: libav looks the number up in its own table; only numbers that it
    // gave out itself come here.
    unsafe {
        let format = std::mem::transmute::<i32, ffi::AVPixelFormat>(number);
        ffi::av_pix_fmt_desc_get(format).as_ref()
    }
}

fn pixel_format_name(number: i32) -> String {
    pixel_format(number).map_or_else(String::new, |format| {
        // SAFETY: descriptions hold static names.
        unsafe { CStr::from_ptr(format.name) }
            .to_string_lossy()
            .into_owned()
    })
}

/// Whether a pixel format holds transparency, or a tag says that it is held apart.
fn has_alpha(stream: &ffmpeg::Stream, format: i32) -> bool {
    // SAFETY: the stream lives as long as the opened input, and its dictionary with it.
    let tag = unsafe { dictionary_value((*stream.as_ptr()).metadata, c"alpha_mode") };
    version::has_alpha(&pixel_format_name(format)) || tag.is_some_and(|mode| mode == "1")
}

fn depth(number: i32) -> u32 {
    pixel_format(number).map_or(8, |format| format.comp[0].depth.max(1) as u32)
}

/// libav's guess of a stream's frame rate, as the `ffmpeg` program takes it.
pub(super) fn frame_rate(input: &Input, stream: usize) -> Ratio {
    // SAFETY: context and stream belong together; the frame is optional; the
    // function only reads.
    let rate = unsafe {
        let context = input.context().as_ptr().cast_mut();
        ffi::av_guess_frame_rate(
            context,
            *(*context).streams.add(stream),
            std::ptr::null_mut(),
        )
    };
    positive_ratio(rate)
}

/// The shape of a stream's samples, where container or codec tells, as the `ffmpeg` program takes
/// it.
fn sample_aspect(input: &Input, stream: usize) -> Ratio {
    // SAFETY: as in `frame_rate`.
    let aspect = unsafe {
        let context = input.context().as_ptr().cast_mut();
        ffi::av_guess_sample_aspect_ratio(
            context,
            *(*context).streams.add(stream),
            std::ptr::null_mut(),
        )
    };
    positive_ratio(aspect)
}

fn positive_ratio(ratio: ffi::AVRational) -> Ratio {
    if ratio.num > 0 && ratio.den > 0 {
        Ratio::new(ratio.num, ratio.den)
    } else {
        Ratio::new(0, 1)
    }
}

/// Width and height of a stream's frames, once what the container crops is cut off.
fn shown_size(stream: &ffmpeg::Stream) -> (u32, u32) {
    let parameters = stream.parameters();
    // SAFETY: the parameters live as long as the opened input.
    let raw = unsafe { &*parameters.as_ptr() };
    let (width, height) = (raw.width.max(0) as u32, raw.height.max(0) as u32);
    match cropping(stream) {
        Some(edges) => (
            width - edges.left - edges.right,
            height - edges.top - edges.bottom,
        ),
        None => (width, height),
    }
}

/// What the container crops of a stream, where that leaves any pixels.
fn cropping(stream: &ffmpeg::Stream) -> Option<compat::Cropping> {
    let parameters = stream.parameters();
    // SAFETY: the stream and its parameters live as long as the opened input.
    let (edges, raw) = unsafe { (compat::cropping(stream.as_ptr())?, &*parameters.as_ptr()) };
    let leaves = |size: i32, before: u32, after: u32| {
        let cut = u64::from(before) + u64::from(after);
        u64::try_from(size).is_ok_and(|size| cut < size)
    };
    let fits =
        leaves(raw.width, edges.left, edges.right) && leaves(raw.height, edges.top, edges.bottom);
    fits.then_some(edges)
}

/// The filters that the `ffmpeg` program inserts to show a stream as its container
/// says: cropped, and turned upright.
fn orientation(stream: &ffmpeg::Stream) -> String {
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
fn rotation(stream: &ffmpeg::Stream) -> String {
    // SAFETY: the stream lives as long as the opened input.
    let sides = unsafe { compat::stream_side_data(stream.as_ptr()) };
    let is_matrix = |kind| kind == ffi::AVPacketSideDataType::AV_PKT_DATA_DISPLAYMATRIX;
    let matrix = sides.into_iter().find(|(kind, _)| is_matrix(*kind));
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
