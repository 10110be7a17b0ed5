//! Whether any picture of a GIF is transparent.

use ffmpeg::{Frame, ffi};
use ffmpeg_next as ffmpeg;

use super::Input;
use super::glance::glance;
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
        found = is_transparent(frame);
        !found
    })?;
    Ok(found)
}

/// Whether a BGRA picture is transparent somewhere; one of another format counts as such.
fn is_transparent(frame: &Frame) -> bool {
    // SAFETY: the frame is valid, and of the type that decoders of pictures give; a row of
    // this format is four bytes a pixel.
    unsafe {
        let raw = &*frame.as_ptr();
        let bytes = raw.width.max(0) as usize * 4;
        let is_bgra = raw.format == ffi::AVPixelFormat::AV_PIX_FMT_BGRA as i32;
        if !is_bgra || raw.data[0].is_null() || raw.linesize[0].unsigned_abs() < bytes as u32 {
            return true;
        }
        (0..raw.height.max(0) as isize).any(|row| {
            let start = raw.data[0].offset(row * raw.linesize[0] as isize);
            let pixels = std::slice::from_raw_parts(start, bytes);
            pixels
                .as_chunks::<4>()
                .0
                .iter()
                .any(|[.., alpha]| *alpha != u8::MAX)
        })
    }
}
