//! What is linked: version, encoders, and what they, muxers and pixel formats are.

use std::ffi::{CStr, CString};

use ffmpeg_next::ffi;

use super::compat;
use super::number::{self, c, number};

/// The linked FFmpeg's version, e.g. `5.1.9-0+deb12u1`.
pub fn linked_version() -> String {
    // SAFETY: a static string.
    unsafe { CStr::from_ptr(ffi::av_version_info()) }
        .to_string_lossy()
        .into_owned()
}

/// What the linked libraries were configured with.
pub fn configuration() -> String {
    // SAFETY: a static string.
    unsafe { CStr::from_ptr(ffi::avcodec_configuration()) }
        .to_string_lossy()
        .into_owned()
}

/// Whether an encoder of this name is linked.
pub fn has_encoder(name: &str) -> bool {
    encoder(name).is_some()
}

/// Whether a filter of this name is linked.
pub fn has_filter(name: &str) -> bool {
    let Ok(name) = CString::new(name) else {
        return false;
    };
    // SAFETY: looks up a static description.
    unsafe { !ffi::avfilter_get_by_name(name.as_ptr()).is_null() }
}

/// The description of the encoder of that name, where one is linked.
pub(super) fn encoder(name: &str) -> Option<&'static ffi::AVCodec> {
    let name = CString::new(name).ok()?;
    // SAFETY: looks up a static description.
    unsafe { ffi::avcodec_find_encoder_by_name(name.as_ptr()).as_ref() }
}

/// Whether an encoder has an option of its own of this name.
pub fn encoder_has_option(encoder_name: &str, option: &str) -> bool {
    let (Some(codec), Ok(option)) = (encoder(encoder_name), CString::new(option)) else {
        return false;
    };
    if codec.priv_class.is_null() {
        return false;
    }
    // SAFETY: with that flag, libav takes a place that holds a pointer to a static
    // class for an object of that class, and only reads.
    unsafe {
        let class = (&raw const codec.priv_class).cast_mut().cast();
        let flags = ffi::AV_OPT_SEARCH_FAKE_OBJ;
        !ffi::av_opt_find(class, option.as_ptr(), std::ptr::null(), 0, flags).is_null()
    }
}

/// The pixel formats that an encoder takes, by libav's names, the preferred
/// first; empty where it takes any, or is not linked.
pub fn encoder_pixel_formats(encoder_name: &str) -> Vec<&'static str> {
    let formats = encoder(encoder_name).map(compat::encoder_pixel_formats);
    formats
        .unwrap_or_default()
        .into_iter()
        .filter_map(number::pixel_format_name)
        .collect()
}

/// The colour matrices and ranges that an encoder takes, by libav's numbers; a
/// list is empty where it takes any.
pub(super) fn encoder_colours(encoder_name: &str) -> (Vec<i32>, Vec<i32>) {
    encoder(encoder_name)
        .map(compat::encoder_colours)
        .unwrap_or_default()
}

/// The one of `offered` pixel formats that loses the least of `source`, all by
/// libav's names; with `alpha`, transparency counts, too.
pub fn nearest_pixel_format<'a>(offered: &[&'a str], source: &str, alpha: bool) -> Option<&'a str> {
    let Some(source) = pixel_format_number(source) else {
        return offered.first().copied();
    };
    let mut best: Option<(&str, i32)> = None;
    for name in offered {
        let Some(format) = pixel_format_number(name) else {
            continue;
        };
        let better = best.is_none_or(|(_, before)| {
            let (alpha, none) = (i32::from(alpha), std::ptr::null_mut());
            // SAFETY: all are formats that libav gave out; it only reads its tables.
            let nearer =
                unsafe { c::av_find_best_pix_fmt_of_2(before, format, source, alpha, none) };
            nearer != before
        });
        if better {
            best = Some((name, format));
        }
    }
    best.map(|(name, _)| name)
}

/// Whether a pixel format by libav's name holds transparency.
pub fn has_alpha(name: &str) -> bool {
    let flag = ffi::AV_PIX_FMT_FLAG_ALPHA as u64;
    pixel_format(name).is_some_and(|format| format.flags & flag != 0)
}

/// Whether a decoder of this name is linked.
pub fn has_decoder(name: &str) -> bool {
    let Ok(name) = CString::new(name) else {
        return false;
    };
    // SAFETY: looks up a static description.
    unsafe { !ffi::avcodec_find_decoder_by_name(name.as_ptr()).is_null() }
}

/// A dictionary's value as text; bytes that are no UTF-8 are replaced.
///
/// # Safety
/// `dictionary` is null or a valid dictionary of libav.
pub(super) unsafe fn dictionary_value(
    dictionary: *const ffi::AVDictionary,
    key: &CStr,
) -> Option<String> {
    // SAFETY: the caller vouches for the dictionary; the entry lives as long as it.
    unsafe {
        let entry = ffi::av_dict_get(dictionary, key.as_ptr(), std::ptr::null(), 0);
        (!entry.is_null()).then(|| {
            CStr::from_ptr((*entry).value)
                .to_string_lossy()
                .into_owned()
        })
    }
}

/// A dictionary's names and values, in its order; bytes that are no UTF-8 are replaced.
///
/// A file's tags may be any bytes, which the bindings hand out as if they were text.
///
/// # Safety
/// `dictionary` is null or a valid dictionary of libav.
pub(super) unsafe fn dictionary(dictionary: *const ffi::AVDictionary) -> Vec<(String, String)> {
    // SAFETY: libav's entries end in NUL.
    let text = |text| unsafe { CStr::from_ptr(text).to_string_lossy().into_owned() };
    let mut entries = Vec::new();
    let mut entry = std::ptr::null();
    loop {
        // SAFETY: the caller vouches for the dictionary; `entry` is its last one, or null.
        let next = unsafe {
            let any = ffi::AV_DICT_IGNORE_SUFFIX;
            entry = ffi::av_dict_get(dictionary, c"".as_ptr(), entry, any);
            entry.as_ref()
        };
        let Some(next) = next else {
            return entries;
        };
        entries.push((text(next.key), text(next.value)));
    }
}

/// libav's name of what an encoder encodes to, e.g. `h264` for `libx264`; the
/// encoder's own name where it is not linked.
pub fn codec_of_encoder(encoder_name: &str) -> String {
    let Some(codec) = encoder(encoder_name) else {
        return encoder_name.to_owned();
    };
    // SAFETY: the description is static.
    number::codec_name(unsafe { number!(codec.id) }).to_owned()
}

/// Whether a muxer can hold streams of a codec, both by libav's names.
pub fn muxer_holds(muxer: &str, codec: &str) -> bool {
    let (Ok(muxer), Ok(codec)) = (CString::new(muxer), CString::new(codec)) else {
        return false;
    };
    // SAFETY: looks up static descriptions; only reads them.
    unsafe {
        let format = ffi::av_guess_format(muxer.as_ptr(), std::ptr::null(), std::ptr::null());
        let description = ffi::avcodec_descriptor_get_by_name(codec.as_ptr());
        !format.is_null()
            && !description.is_null()
            && ffi::avformat_query_codec(format, (*description).id, ffi::FF_COMPLIANCE_NORMAL) == 1
    }
}

/// Bits of a colour component of a pixel format by libav's name; 0 where there is none of that
/// name.
pub fn pixel_depth(name: &str) -> u32 {
    pixel_format(name).map_or(0, |format| format.comp[0].depth.max(0) as u32)
}

/// By how many halvings the colour planes of a pixel format by libav's name are narrower and
/// lower than its pictures; none where there is no such format.
pub fn chroma_shifts(name: &str) -> (u32, u32) {
    pixel_format(name).map_or((0, 0), |format| {
        (
            u32::from(format.log2_chroma_w),
            u32::from(format.log2_chroma_h),
        )
    })
}

/// Whether the colours of a pixel format by libav's name are red, green and blue.
pub fn is_rgb(name: &str) -> bool {
    let flags = (ffi::AV_PIX_FMT_FLAG_RGB | ffi::AV_PIX_FMT_FLAG_PAL) as u64;
    pixel_format(name).is_some_and(|format| format.flags & flags != 0)
}

/// libav's number of a pixel format by its name.
fn pixel_format_number(name: &str) -> Option<i32> {
    let name = CString::new(name).ok()?;
    // SAFETY: looks up a name that ends in NUL.
    let number = unsafe { c::av_get_pix_fmt(name.as_ptr()) };
    (number != ffi::AVPixelFormat::AV_PIX_FMT_NONE as i32).then_some(number)
}

fn pixel_format(name: &str) -> Option<&'static ffi::AVPixFmtDescriptor> {
    number::pixel_format(pixel_format_number(name)?)
}
