//! How the numbers of pixels are to be read as colours: matrix and range, which a
//! filter graph negotiates since FFmpeg 7.0 as it does pixel formats.

use std::ffi::{CStr, c_char, c_int};

use ffmpeg::{Frame, ffi};
use ffmpeg_next as ffmpeg;

use super::compat;
use super::version::encoder_colours;
use crate::job::Colour;

// As libav has them, but for numbers: a file may hold any, and not every number is
// a value of the bindings' enumerations.
unsafe extern "C" {
    #[link_name = "av_color_space_name"]
    fn color_space_name(number: c_int) -> *const c_char;
    #[link_name = "av_color_range_name"]
    fn color_range_name(number: c_int) -> *const c_char;
    #[link_name = "av_color_primaries_name"]
    fn primaries_name(number: c_int) -> *const c_char;
    #[link_name = "av_color_transfer_name"]
    fn transfer_name(number: c_int) -> *const c_char;
    #[link_name = "av_chroma_location_name"]
    fn chroma_location_name(number: c_int) -> *const c_char;
}

/// The colour description that a container or codec stores of a whole stream.
pub(super) fn of_stream(parameters: &ffi::AVCodecParameters) -> Colour {
    // SAFETY: the fields are valid for reads, as the numbers that they are; libav looks
    // them up in its own tables, whatever they are.
    unsafe {
        let number = |field: *const i32| field.read();
        let range = number((&raw const parameters.color_range).cast());
        let primaries = number((&raw const parameters.color_primaries).cast());
        let transfer = number((&raw const parameters.color_trc).cast());
        let matrix = number((&raw const parameters.color_space).cast());
        let location = number((&raw const parameters.chroma_location).cast());
        let specified =
            |name, is_specified: bool| text(name).filter(|_| is_specified).unwrap_or_default();
        Colour {
            range: specified(color_range_name(range), range != NO_RANGE),
            primaries: specified(primaries_name(primaries), primaries != NO_PRIMARIES),
            transfer: specified(transfer_name(transfer), transfer != NO_TRANSFER),
            matrix: specified(color_space_name(matrix), matrix != NO_MATRIX),
            chroma_location: specified(chroma_location_name(location), location != NO_LOCATION),
        }
    }
}

/// How the pixels of a frame are to be read, by libav's numbers. A number that libav
/// does not know, as a file may hold, counts as unspecified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tags {
    pub matrix: i32,
    pub range: i32,
    primaries: i32,
    transfer: i32,
}

impl Tags {
    /// Those of a frame.
    pub(super) fn of(frame: &ffi::AVFrame) -> Self {
        // SAFETY: the fields are valid for reads, as the numbers that they are.
        let [matrix, range, primaries, transfer] = unsafe {
            [
                (&raw const frame.colorspace).cast::<i32>().read(),
                (&raw const frame.color_range).cast::<i32>().read(),
                (&raw const frame.color_primaries).cast::<i32>().read(),
                (&raw const frame.color_trc).cast::<i32>().read(),
            ]
        };
        let or = |name: *const c_char, number, unspecified| match name.is_null() {
            true => unspecified,
            false => number,
        };
        // SAFETY: libav looks the numbers up in its own tables, whatever they are.
        unsafe {
            Self {
                matrix: or(color_space_name(matrix), matrix, NO_MATRIX),
                range: or(color_range_name(range), range, NO_RANGE),
                primaries: or(primaries_name(primaries), primaries, NO_PRIMARIES),
                transfer: or(transfer_name(transfer), transfer, NO_TRANSFER),
            }
        }
    }

    /// Takes numbers from a frame that libav does not know: filters of FFmpeg 9.0 refuse them.
    pub(super) fn keep_known(frame: &mut Frame) {
        // SAFETY: the frame is valid and ours alone; `of` lets through only numbers that
        // libav knows.
        unsafe {
            let raw = &mut *frame.as_mut_ptr();
            let tags = Self::of(raw);
            (&raw mut raw.colorspace).cast::<i32>().write(tags.matrix);
            (&raw mut raw.color_range).cast::<i32>().write(tags.range);
            (&raw mut raw.color_primaries)
                .cast::<i32>()
                .write(tags.primaries);
            (&raw mut raw.color_trc).cast::<i32>().write(tags.transfer);
        }
    }

    /// Tells an encoder that is not open yet.
    ///
    /// # Safety
    /// The context is valid.
    pub(super) unsafe fn describe(self, context: *mut ffi::AVCodecContext) {
        // SAFETY: the caller vouches; `of` lets through only numbers that libav knows.
        unsafe {
            (&raw mut (*context).colorspace)
                .cast::<i32>()
                .write(self.matrix);
            (&raw mut (*context).color_range)
                .cast::<i32>()
                .write(self.range);
            (&raw mut (*context).color_primaries)
                .cast::<i32>()
                .write(self.primaries);
            (&raw mut (*context).color_trc)
                .cast::<i32>()
                .write(self.transfer);
        }
    }
}

const NO_MATRIX: i32 = ffi::AVColorSpace::AVCOL_SPC_UNSPECIFIED as i32;
const NO_RANGE: i32 = ffi::AVColorRange::AVCOL_RANGE_UNSPECIFIED as i32;
const NO_PRIMARIES: i32 = ffi::AVColorPrimaries::AVCOL_PRI_UNSPECIFIED as i32;
const NO_TRANSFER: i32 = ffi::AVColorTransferCharacteristic::AVCOL_TRC_UNSPECIFIED as i32;
const NO_LOCATION: i32 = ffi::AVChromaLocation::AVCHROMA_LOC_UNSPECIFIED as i32;

/// Colour matrices and ranges by libav's names; any will do where there are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Colours {
    matrices: Vec<String>,
    ranges: Vec<String>,
}

impl Colours {
    /// Those that an encoder takes.
    pub(super) fn of_encoder(name: &str) -> Self {
        let (matrices, ranges) = encoder_colours(name);
        Self {
            matrices: matrices.into_iter().filter_map(matrix_name).collect(),
            ranges: ranges.into_iter().filter_map(range_name).collect(),
        }
    }

    /// Those of a frame alone; what the frame leaves open stays as it is here.
    pub(super) fn fixed_by(self, frame: &Frame) -> Self {
        // SAFETY: the frame is valid.
        let tags = Tags::of(unsafe { &*frame.as_ptr() });
        let one = |name: Option<String>, rest| name.map_or(rest, |name| vec![name]);
        Self {
            matrices: one(matrix_name(tags.matrix), self.matrices),
            ranges: one(range_name(tags.range), self.ranges),
        }
    }

    /// The filter that converts frames to these colours; empty where nothing is
    /// to be converted, or graphs do not negotiate colours.
    pub(super) fn filter(&self) -> String {
        let part = |option: &CStr, values: &[String]| {
            let is_needed = !values.is_empty() && compat::filter_has_option(c"format", option);
            is_needed.then(|| format!("{}={}", option.to_string_lossy(), values.join("|")))
        };
        let parts = [
            part(c"color_spaces", &self.matrices),
            part(c"color_ranges", &self.ranges),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match parts.is_empty() {
            true => String::new(),
            false => format!("format={}", parts.join(":")),
        }
    }
}

/// The name of a colour matrix; none where it is unspecified.
fn matrix_name(number: i32) -> Option<String> {
    // SAFETY: libav looks the number up in its own table, whatever it is.
    (number != NO_MATRIX).then(|| unsafe { text(color_space_name(number)) })?
}

/// The name of a colour range; none where it is unspecified.
fn range_name(number: i32) -> Option<String> {
    // SAFETY: as in `matrix_name`.
    (number != NO_RANGE).then(|| unsafe { text(color_range_name(number)) })?
}

/// # Safety
/// `name` is null or a static string.
unsafe fn text(name: *const c_char) -> Option<String> {
    // SAFETY: the caller vouches.
    let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
    Some(name.to_str().ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_version_knows_have_no_name() {
        assert_eq!(matrix_name(1).as_deref(), Some("bt709"));
        assert_eq!(range_name(2).as_deref(), Some("pc"));
        for number in [-1, 99, 177, i32::MAX] {
            assert_eq!(matrix_name(number), None);
            assert_eq!(range_name(number), None);
        }
    }

    #[test]
    fn a_stream_is_described_by_names_and_what_is_unspecified_or_unknown_is_empty() {
        // SAFETY: allocated and freed here; the fields are written as the numbers that they are.
        let described = |matrix: i32, transfer: i32| unsafe {
            let mut raw = ffi::avcodec_parameters_alloc();
            (&raw mut (*raw).color_space).cast::<i32>().write(matrix);
            (&raw mut (*raw).color_trc).cast::<i32>().write(transfer);
            let colour = of_stream(&*raw);
            ffi::avcodec_parameters_free(&mut raw);
            colour
        };
        let hlg = Colour {
            transfer: "arib-std-b67".into(),
            matrix: "bt2020nc".into(),
            ..Colour::default()
        };
        assert_eq!(described(9, 18), hlg);
        assert_eq!(described(2, 2), Colour::default());
        assert_eq!(described(177, -1), Colour::default());
    }
}
