//! The lists of formats, rates and layouts that encoders support. They were fields of `AVCodec`;
//! since FFmpeg 7.1, `avcodec_get_supported_config` returns them.

use ffmpeg_next::ffi;

/// The pixel formats that an encoder takes, the preferred first; empty where it takes any.
///
/// `AVCodec.pix_fmts` is deprecated since FFmpeg 7.1 and gone in 9.0;
/// `avcodec_get_supported_config` replaces it.
#[cfg(ffmpeg_7_1)]
pub(in crate::media) fn encoder_pixel_formats(codec: &'static ffi::AVCodec) -> Vec<i32> {
    // SAFETY: such a list is of pixel formats, which are read as the numbers that they are.
    unsafe { supported(codec, ffi::AVCodecConfig::AV_CODEC_CONFIG_PIX_FORMAT) }
}

/// As above, by the list that ends in `AV_PIX_FMT_NONE`.
#[cfg(not(ffmpeg_7_1))]
pub(in crate::media) fn encoder_pixel_formats(codec: &'static ffi::AVCodec) -> Vec<i32> {
    let is_end = |format: &i32| *format == ffi::AVPixelFormat::AV_PIX_FMT_NONE as i32;
    // SAFETY: the list is null, or static and ends so; its formats are read as numbers.
    unsafe { until(codec.pix_fmts.cast(), is_end) }
}

/// The colour matrices and ranges that an encoder takes, by libav's numbers; a
/// list is empty where it takes any.
///
/// Encoders list them since FFmpeg 7.1.
#[cfg(ffmpeg_7_1)]
pub(in crate::media) fn encoder_colours(codec: &'static ffi::AVCodec) -> (Vec<i32>, Vec<i32>) {
    use ffi::AVCodecConfig as Config;
    // SAFETY: both lists are of C enumerations, which are read as the numbers that they are.
    unsafe {
        (
            supported(codec, Config::AV_CODEC_CONFIG_COLOR_SPACE),
            supported(codec, Config::AV_CODEC_CONFIG_COLOR_RANGE),
        )
    }
}

/// As above: older encoders list none.
#[cfg(not(ffmpeg_7_1))]
pub(in crate::media) fn encoder_colours(_codec: &'static ffi::AVCodec) -> (Vec<i32>, Vec<i32>) {
    (vec![], vec![])
}

/// The sample formats that an encoder takes, the preferred first; empty where it takes any.
///
/// The lists in `AVCodec` went as those of pixel formats did.
#[cfg(ffmpeg_7_1)]
pub(in crate::media) fn encoder_sample_formats(codec: &'static ffi::AVCodec) -> Vec<i32> {
    // SAFETY: such a list is of sample formats, which are read as the numbers that they are.
    unsafe { supported(codec, ffi::AVCodecConfig::AV_CODEC_CONFIG_SAMPLE_FORMAT) }
}

/// As above, by the list that ends in `AV_SAMPLE_FMT_NONE`.
#[cfg(not(ffmpeg_7_1))]
pub(in crate::media) fn encoder_sample_formats(codec: &'static ffi::AVCodec) -> Vec<i32> {
    let is_end = |format: &i32| *format == ffi::AVSampleFormat::AV_SAMPLE_FMT_NONE as i32;
    // SAFETY: the list is null, or static and ends so; its formats are read as numbers.
    unsafe { until(codec.sample_fmts.cast(), is_end) }
}

/// The sample rates that an encoder takes; empty where it takes any.
#[cfg(ffmpeg_7_1)]
pub(in crate::media) fn encoder_sample_rates(codec: &'static ffi::AVCodec) -> Vec<i32> {
    // SAFETY: such a list is of numbers.
    unsafe { supported(codec, ffi::AVCodecConfig::AV_CODEC_CONFIG_SAMPLE_RATE) }
}

/// As above, by the list that ends in 0.
#[cfg(not(ffmpeg_7_1))]
pub(in crate::media) fn encoder_sample_rates(codec: &'static ffi::AVCodec) -> Vec<i32> {
    // SAFETY: the list is null, or static and ends so.
    unsafe { until(codec.supported_samplerates, |rate| *rate == 0) }
}

/// The channel layouts that an encoder takes; empty where it takes any, or does not tell.
#[cfg(ffmpeg_7_1)]
pub(in crate::media) fn encoder_layouts(codec: &'static ffi::AVCodec) -> Vec<ffi::AVChannelLayout> {
    // SAFETY: such a list is of layouts, which own nothing: they are in the native order.
    unsafe { supported(codec, ffi::AVCodecConfig::AV_CODEC_CONFIG_CHANNEL_LAYOUT) }
}

/// As above, by the list that ends in a layout of no channel.
#[cfg(not(ffmpeg_7_1))]
pub(in crate::media) fn encoder_layouts(codec: &'static ffi::AVCodec) -> Vec<ffi::AVChannelLayout> {
    // SAFETY: the list is null, or static and ends so.
    unsafe { until(codec.ch_layouts, |layout| layout.nb_channels == 0) }
}

/// # Safety
/// `next` is null, or the first of entries of which one is the end.
#[cfg(not(ffmpeg_7_1))]
unsafe fn until<T: Copy>(mut next: *const T, is_end: impl Fn(&T) -> bool) -> Vec<T> {
    let mut entries = vec![];
    // SAFETY: the caller vouches for an end, and nothing after it is looked at.
    unsafe {
        while !next.is_null() && !is_end(&*next) {
            entries.push(*next);
            next = next.add(1);
        }
    }
    entries
}

/// # Safety
/// The list of that kind has entries of type `T`.
#[cfg(ffmpeg_7_1)]
unsafe fn supported<T: Copy>(codec: &'static ffi::AVCodec, kind: ffi::AVCodecConfig) -> Vec<T> {
    let (mut list, mut count) = (std::ptr::null::<std::ffi::c_void>(), 0);
    // SAFETY: libav gives a static list of `count` entries, or null where anything
    // will do; the caller vouches for the type.
    unsafe {
        let none = std::ptr::null();
        let code = ffi::avcodec_get_supported_config(none, codec, kind, 0, &mut list, &mut count);
        if code < 0 || list.is_null() {
            return vec![];
        }
        std::slice::from_raw_parts(list.cast(), count.max(0) as usize).to_vec()
    }
}
