//! How the numbers of pixels are to be read as colours: matrix and range, which a
//! filter graph negotiates since FFmpeg 7.0 as it does pixel formats.

use std::ffi::CStr;

use ffmpeg::{Frame, ffi};
use ffmpeg_next as ffmpeg;

use super::compat;
use super::number::{
    chroma_location_name, matrix_name, number, primaries_name, range_name, set_number,
    transfer_name,
};
use super::stream::Stream;
use super::version::encoder_colours;
use crate::job::Colour;

/// The colour description that a container or codec stores of a whole stream.
pub(super) fn of_stream(stream: Stream) -> Colour {
    // SAFETY: the parameters live while the source is borrowed.
    unsafe { of_parameters(stream.parameters()) }
}

/// # Safety
/// The parameters are valid.
unsafe fn of_parameters(raw: *const ffi::AVCodecParameters) -> Colour {
    // SAFETY: the caller vouches.
    let [range, primaries, transfer, matrix, location] = unsafe {
        [
            number!((*raw).color_range),
            number!((*raw).color_primaries),
            number!((*raw).color_trc),
            number!((*raw).color_space),
            number!((*raw).chroma_location),
        ]
    };
    let specified = |name: Option<&str>, is_specified: bool| {
        let name = name.filter(|_| is_specified);
        name.unwrap_or_default().to_owned()
    };
    Colour {
        range: specified(range_name(range), range != NO_RANGE),
        primaries: specified(primaries_name(primaries), primaries != NO_PRIMARIES),
        transfer: specified(transfer_name(transfer), transfer != NO_TRANSFER),
        matrix: specified(matrix_name(matrix), matrix != NO_MATRIX),
        chroma_location: specified(chroma_location_name(location), location != NO_LOCATION),
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
    pub(super) fn of(frame: &Frame) -> Self {
        // SAFETY: the frame is valid.
        let [matrix, range, primaries, transfer] = unsafe {
            let raw = frame.as_ptr();
            [
                number!((*raw).colorspace),
                number!((*raw).color_range),
                number!((*raw).color_primaries),
                number!((*raw).color_trc),
            ]
        };
        let or = |name: Option<&str>, number, unspecified| match name {
            Some(_) => number,
            None => unspecified,
        };
        Self {
            matrix: or(matrix_name(matrix), matrix, NO_MATRIX),
            range: or(range_name(range), range, NO_RANGE),
            primaries: or(primaries_name(primaries), primaries, NO_PRIMARIES),
            transfer: or(transfer_name(transfer), transfer, NO_TRANSFER),
        }
    }

    /// Takes numbers from a frame that libav does not know: filters of FFmpeg 9.0 refuse them.
    pub(super) fn keep_known(frame: &mut Frame) {
        let tags = Self::of(frame);
        // SAFETY: the frame is valid and ours alone.
        unsafe {
            let raw = frame.as_mut_ptr();
            set_number!((*raw).colorspace, tags.matrix);
            set_number!((*raw).color_range, tags.range);
            set_number!((*raw).color_primaries, tags.primaries);
            set_number!((*raw).color_trc, tags.transfer);
        }
    }

    /// Tells an encoder that is not open yet.
    ///
    /// # Safety
    /// The context is valid.
    pub(super) unsafe fn describe(self, context: *mut ffi::AVCodecContext) {
        // SAFETY: the caller vouches.
        unsafe {
            set_number!((*context).colorspace, self.matrix);
            set_number!((*context).color_range, self.range);
            set_number!((*context).color_primaries, self.primaries);
            set_number!((*context).color_trc, self.transfer);
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
            matrices: matrices.into_iter().filter_map(matrix).collect(),
            ranges: ranges.into_iter().filter_map(range).collect(),
        }
    }

    /// Those of a frame alone; what the frame leaves open stays as it is here.
    pub(super) fn fixed_by(self, frame: &Frame) -> Self {
        let tags = Tags::of(frame);
        let one = |name: Option<String>, rest| name.map_or(rest, |name| vec![name]);
        Self {
            matrices: one(matrix(tags.matrix), self.matrices),
            ranges: one(range(tags.range), self.ranges),
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
fn matrix(number: i32) -> Option<String> {
    let name = matrix_name(number).filter(|_| number != NO_MATRIX);
    name.map(str::to_owned)
}

/// The name of a colour range; none where it is unspecified.
fn range(number: i32) -> Option<String> {
    let name = range_name(number).filter(|_| number != NO_RANGE);
    name.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_version_knows_have_no_name() {
        assert_eq!(matrix(1).as_deref(), Some("bt709"));
        assert_eq!(range(2).as_deref(), Some("pc"));
        for number in [-1, 99, 177, i32::MAX] {
            assert_eq!(matrix(number), None);
            assert_eq!(range(number), None);
        }
    }

    #[test]
    fn a_stream_is_described_by_names_and_what_is_unspecified_or_unknown_is_empty() {
        // SAFETY: allocated and freed here; the fields are written as the numbers that they are.
        let described = |matrix: i32, transfer: i32| unsafe {
            let mut raw = ffi::avcodec_parameters_alloc();
            set_number!((*raw).color_space, matrix);
            set_number!((*raw).color_trc, transfer);
            let colour = of_parameters(raw);
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
