//! Enumerations of libav as the numbers that they are in C.
//!
//! Files decide about the numbers in many fields of libav's structures, and a library may
//! know more values than its headers did when this program was built. Reading such a number
//! as an enumeration of Rust is undefined behaviour if it is none of its values. So all of
//! these fields are read and written by the two macros here, and all functions of libav that
//! take such a number are declared here as functions of a number.

use std::ffi::{CStr, c_char, c_int};

use ffmpeg_next::ffi;

/// Reads a field of a structure that a raw pointer or a reference leads to, as a number.
/// Needs `unsafe` if the place does.
macro_rules! number {
    ($field:expr) => {
        (&raw const $field).cast::<std::ffi::c_int>().read()
    };
}

/// Writes a number into such a field.
macro_rules! set_number {
    ($field:expr, $number:expr) => {
        (&raw mut $field).cast::<std::ffi::c_int>().write($number)
    };
}

pub(super) use {number, set_number};

/// An enumeration of C is as large as a number.
const _: () = {
    assert!(size_of::<ffi::AVCodecID>() == size_of::<c_int>());
    assert!(size_of::<ffi::AVMediaType>() == size_of::<c_int>());
    assert!(size_of::<ffi::AVPixelFormat>() == size_of::<c_int>());
    assert!(size_of::<ffi::AVColorPrimaries>() == size_of::<c_int>());
    assert!(size_of::<ffi::AVPacketSideDataType>() == size_of::<c_int>());
};

/// libav's own functions. Those that are safe look any number up in a table.
pub(super) mod c {
    use std::ffi::{c_char, c_int, c_uint};

    use ffmpeg_next::ffi;

    unsafe extern "C" {
        pub(super) safe fn av_color_space_name(number: c_int) -> *const c_char;
        pub(super) safe fn av_color_range_name(number: c_int) -> *const c_char;
        pub(super) safe fn av_color_primaries_name(number: c_int) -> *const c_char;
        pub(super) safe fn av_color_transfer_name(number: c_int) -> *const c_char;
        pub(super) safe fn av_chroma_location_name(number: c_int) -> *const c_char;
        pub(super) safe fn av_get_pix_fmt_name(number: c_int) -> *const c_char;
        pub(super) safe fn av_get_sample_fmt_name(number: c_int) -> *const c_char;
        pub(super) safe fn avcodec_get_name(codec: c_int) -> *const c_char;
        pub(super) safe fn av_packet_side_data_name(kind: c_int) -> *const c_char;
        pub(super) safe fn av_pix_fmt_desc_get(number: c_int) -> *const ffi::AVPixFmtDescriptor;
        pub(super) safe fn avcodec_descriptor_get(codec: c_int) -> *const ffi::AVCodecDescriptor;

        pub(in crate::media) safe fn avcodec_find_decoder(codec: c_int) -> *const ffi::AVCodec;
        pub(in crate::media) safe fn av_get_bits_per_sample(codec: c_int) -> c_int;
        pub(in crate::media) safe fn av_get_exact_bits_per_sample(codec: c_int) -> c_int;
        pub(in crate::media) safe fn av_get_bytes_per_sample(format: c_int) -> c_int;
        pub(in crate::media) safe fn av_sample_fmt_is_planar(format: c_int) -> c_int;
        pub(in crate::media) safe fn av_image_get_buffer_size(
            format: c_int,
            width: c_int,
            height: c_int,
            align: c_int,
        ) -> c_int;

        pub(in crate::media) fn av_find_best_pix_fmt_of_2(
            first: c_int,
            second: c_int,
            source: c_int,
            has_alpha: c_int,
            loss: *mut c_int,
        ) -> c_int;
        pub(in crate::media) fn av_image_copy_to_buffer(
            to: *mut u8,
            size: c_int,
            from: *const *const u8,
            strides: *const c_int,
            format: c_int,
            width: c_int,
            height: c_int,
            align: c_int,
        ) -> c_int;
        pub(in crate::media) fn av_get_pix_fmt(name: *const c_char) -> c_int;
        pub(in crate::media) fn av_get_sample_fmt(name: *const c_char) -> c_int;
        pub(in crate::media) fn av_buffersink_get_type(sink: *const ffi::AVFilterContext) -> c_int;
        pub(in crate::media) fn av_codec_get_id(
            tags: *const *const ffi::AVCodecTag,
            tag: c_uint,
        ) -> c_int;
        pub(in crate::media) fn av_codec_get_tag2(
            tags: *const *const ffi::AVCodecTag,
            codec: c_int,
            tag: *mut c_uint,
        ) -> c_int;
        pub(in crate::media) fn av_packet_new_side_data(
            packet: *mut ffi::AVPacket,
            kind: c_int,
            size: usize,
        ) -> *mut u8;
        #[cfg(ffmpeg_6_1)]
        pub(in crate::media) fn av_packet_side_data_new(
            entries: *mut *mut ffi::AVPacketSideData,
            count: *mut c_int,
            kind: c_int,
            size: usize,
            flags: c_int,
        ) -> *mut ffi::AVPacketSideData;
        #[cfg(not(ffmpeg_6_1))]
        pub(in crate::media) fn av_stream_new_side_data(
            stream: *mut ffi::AVStream,
            kind: c_int,
            size: usize,
        ) -> *mut u8;
        #[cfg(ffmpeg_7_1)]
        pub(in crate::media) safe fn av_frame_side_data_desc(
            kind: c_int,
        ) -> *const ffi::AVSideDataDescriptor;
    }
}

/// The text of a name that one of the functions of this module returned.
fn text(name: *const c_char) -> Option<&'static str> {
    // SAFETY: private to this module, which passes nothing but libav's own names: null, or a
    // static string that ends in NUL.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
    name.to_str().ok()
}

/// The name of a colour matrix.
pub(super) fn matrix_name(number: i32) -> Option<&'static str> {
    text(c::av_color_space_name(number))
}

/// The name of a colour range.
pub(super) fn range_name(number: i32) -> Option<&'static str> {
    text(c::av_color_range_name(number))
}

/// The name of colour primaries.
pub(super) fn primaries_name(number: i32) -> Option<&'static str> {
    text(c::av_color_primaries_name(number))
}

/// The name of a transfer function.
pub(super) fn transfer_name(number: i32) -> Option<&'static str> {
    text(c::av_color_transfer_name(number))
}

/// The name of a place of chroma samples.
pub(super) fn chroma_location_name(number: i32) -> Option<&'static str> {
    text(c::av_chroma_location_name(number))
}

/// The name of a pixel format.
pub(super) fn pixel_format_name(number: i32) -> Option<&'static str> {
    text(c::av_get_pix_fmt_name(number))
}

/// The name of a sample format.
pub(super) fn sample_format_name(number: i32) -> Option<&'static str> {
    text(c::av_get_sample_fmt_name(number))
}

/// The name of a codec; libav has one for those that it does not know, too.
pub(super) fn codec_name(number: i32) -> &'static str {
    text(c::avcodec_get_name(number)).unwrap_or_default()
}

/// The name of a kind of side data.
pub(super) fn side_data_name(number: i32) -> Option<&'static str> {
    text(c::av_packet_side_data_name(number))
}

/// The description of a pixel format; none where the number is no format.
pub(super) fn pixel_format(number: i32) -> Option<&'static ffi::AVPixFmtDescriptor> {
    // SAFETY: null, or an entry of libav's own table, which holds no enumeration.
    unsafe { c::av_pix_fmt_desc_get(number).as_ref() }
}

/// The properties of a codec as flags (`AV_CODEC_PROP_…`); none where libav does not know it.
pub(super) fn codec_properties(number: i32) -> i32 {
    let description = c::avcodec_descriptor_get(number);
    if description.is_null() {
        return 0;
    }
    // SAFETY: an entry of libav's own table.
    unsafe { (*description).props }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_version_knows_have_no_name_and_no_description() {
        for number in [-2, 9999, i32::MIN, i32::MAX] {
            let names = [
                matrix_name(number),
                range_name(number),
                primaries_name(number),
                transfer_name(number),
                chroma_location_name(number),
                pixel_format_name(number),
                sample_format_name(number),
                side_data_name(number),
            ];
            assert_eq!(names, [None; 8], "{number}");
            assert!(pixel_format(number).is_none());
            assert!(c::avcodec_find_decoder(number).is_null());
            assert_eq!(codec_properties(number), 0);
            assert_eq!(c::av_get_bytes_per_sample(number), 0);
            assert!(c::av_image_get_buffer_size(number, 16, 16, 1) < 0);
            assert!(!codec_name(number).is_empty());
        }
        assert_eq!(matrix_name(1), Some("bt709"));
        assert_eq!(range_name(2), Some("pc"));
    }

    #[test]
    fn a_field_is_read_and_written_as_the_number_that_it_is() {
        // SAFETY: allocated and freed here; the fields are in the structure.
        unsafe {
            let mut raw = ffi::avcodec_parameters_alloc();
            set_number!((*raw).color_primaries, 177);
            assert_eq!(number!((*raw).color_primaries), 177);
            ffi::avcodec_parameters_free(&mut raw);
        }
    }
}
