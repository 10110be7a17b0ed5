//! Whether any picture of a GIF is transparent.

use ffmpeg::{Frame, ffi};
use ffmpeg_next as ffmpeg;

use super::glance::glance;
use super::{Input, Picture};
use crate::error::Result;

/// Whether one of the first pictures of a GIF is transparent somewhere.
///
/// libav decodes every GIF to a format with transparency, since most use it: for what does not
/// change from one picture to the next.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn gif_is_transparent(input: &mut Input, stream: usize) -> Result<bool> {
    let mut found = false;
    glance(input, stream, |frame| {
        found = is_transparent(frame).unwrap_or(true);
        !found
    })?;
    Ok(found)
}

/// Whether a BGRA picture is transparent somewhere; one of another format counts as such.
fn is_transparent(frame: &Frame) -> Result<bool> {
    let picture = Picture::of_data_of(frame)?;
    let (width, height) = picture.size();
    let row = width as usize * 4;
    let (rows, stride) = picture.plane(0, height as usize);
    let is_bgra = picture.format() == ffi::AVPixelFormat::AV_PIX_FMT_BGRA as i32;
    if !is_bgra || rows.is_empty() || stride < row {
        return Ok(true);
    }
    let mut pixels = rows
        .chunks_exact(stride)
        .flat_map(|rows| rows[..row].as_chunks::<4>().0);
    Ok(pixels.any(|[.., alpha]| *alpha != u8::MAX))
}
