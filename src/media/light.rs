//! How bright a film of high dynamic range is, where only its pictures tell.

use ffmpeg::{Frame, ffi};
use ffmpeg_next as ffmpeg;

use super::Input;
use super::compat::SideData;
use super::glance::glance;
use super::number::number;
use super::stream::bytes;
use crate::error::Result;
use crate::job::Light;
use ffi::{AVFrameSideDataType as FrameKind, AVPacketSideDataType as Kind};

/// What a picture says of how it is meant to be shown.
#[derive(Default)]
pub(super) struct Shown {
    /// How bright.
    pub light: Option<Light>,
    /// Whether it has the metadata of Dolby Vision.
    pub is_dolby_vision: bool,
}

/// What the first picture of `stream` says; nothing where the transfer function
/// is not that of absolute brightness (PQ), or the container itself says it: that
/// arrives anyway.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn shown(input: &mut Input, stream: usize) -> Result<Shown> {
    let mut found = Shown::default();
    if !is_wanted(input, stream) {
        return Ok(found);
    }
    glance(input, stream, |frame| {
        found = Shown {
            light: of_frame(frame),
            is_dolby_vision: is_dolby_vision(frame),
        };
        false
    })?;
    Ok(found)
}

fn is_wanted(input: &Input, stream: usize) -> bool {
    let Some(source) = input.stream(stream) else {
        return false;
    };
    // SAFETY: the parameters live while the source is borrowed.
    let transfer = unsafe { number!((*source.parameters()).color_trc) };
    let mastering = Kind::AV_PKT_DATA_MASTERING_DISPLAY_METADATA as i32;
    transfer == ffi::AVColorTransferCharacteristic::AVCOL_TRC_SMPTE2084 as i32
        && !source
            .side_data()
            .iter()
            .any(|(kind, _)| *kind == mastering)
}

impl Light {
    /// The brightest pixel in cd/m², else the most that the mastering display shows; 0 where
    /// neither is known.
    pub(super) fn brightest(&self) -> u32 {
        match self.most {
            0 => self.display[8].div_ceil(10_000),
            most => most,
        }
    }
}

/// The brightest pixel in cd/m² by what the container says of a stream, as
/// [`Light::brightest`] has it.
pub(super) fn brightest(sides: &[SideData]) -> u32 {
    let numbers = |wanted: Kind| {
        let (_, bytes) = sides.iter().find(|(kind, _)| *kind == wanted as i32)?;
        let words = bytes.as_chunks::<4>().0.iter();
        Some(words.map(|word| i32::from_ne_bytes(*word)).collect())
    };
    let level: Option<Vec<i32>> = numbers(Kind::AV_PKT_DATA_CONTENT_LIGHT_LEVEL);
    let display: Option<Vec<i32>> = numbers(Kind::AV_PKT_DATA_MASTERING_DISPLAY_METADATA);
    let most = level.and_then(|level| u32::try_from(*level.first()?).ok());
    let display = display.and_then(|display| in_fixed_points(&display));
    Light {
        display: display.unwrap_or_default(),
        most: most.unwrap_or(0),
        mean: 0,
    }
    .brightest()
}

fn is_dolby_vision(frame: &Frame) -> bool {
    [
        FrameKind::AV_FRAME_DATA_DOVI_METADATA,
        FrameKind::AV_FRAME_DATA_DOVI_RPU_BUFFER,
    ]
    .into_iter()
    // SAFETY: the frame is valid; the entry is not read.
    .any(|kind| unsafe { !ffi::av_frame_get_side_data(frame.as_ptr(), kind).is_null() })
}

fn of_frame(frame: &Frame) -> Option<Light> {
    let numbers = |kind: FrameKind| {
        // SAFETY: the frame is valid; side data holds as many bytes as it says, and lives as
        // long as the frame.
        let bytes = unsafe {
            let data = ffi::av_frame_get_side_data(frame.as_ptr(), kind);
            (!data.is_null()).then(|| bytes((*data).data, (*data).size))?
        };
        let words = bytes.as_chunks::<4>().0.iter();
        Some(
            words
                .map(|word| i32::from_ne_bytes(*word))
                .collect::<Vec<i32>>(),
        )
    };
    let display = numbers(FrameKind::AV_FRAME_DATA_MASTERING_DISPLAY_METADATA)?;
    let levels = numbers(FrameKind::AV_FRAME_DATA_CONTENT_LIGHT_LEVEL).unwrap_or_default();
    let level = |place: usize| {
        let level = levels.get(place).copied().unwrap_or(0);
        u32::try_from(level).unwrap_or(0)
    };
    Some(Light {
        display: in_fixed_points(&display)?,
        most: level(0),
        mean: level(1),
    })
}

/// From the fractions of `AVMasteringDisplayMetadata` (three primaries, white,
/// least and most luminance, whether both are known) to the whole numbers of
/// ITU-T H.265, D.3.28, in their order there but for luminance: most, then least.
fn in_fixed_points(display: &[i32]) -> Option<[u32; 10]> {
    let (fractions, known) = display.get(..22)?.split_at(20);
    if known.contains(&0) {
        return None;
    }
    let mut values = fractions.as_chunks::<2>().0.iter().enumerate();
    let value = |(place, [num, den]): (usize, &[i32; 2])| {
        let scale = if place < 8 { 50_000.0 } else { 10_000.0 };
        let value = f64::from(*num) / f64::from(*den) * scale;
        (value.is_finite() && value >= 0.0).then(|| value.round() as u32)
    };
    let values: Option<Vec<u32>> = values.by_ref().map(value).collect();
    let [rx, ry, gx, gy, bx, by, wx, wy, least, most] = values?.try_into().ok()?;
    Some([gx, gy, bx, by, rx, ry, wx, wy, most, least])
}
