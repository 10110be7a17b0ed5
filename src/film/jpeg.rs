//! JPEG pictures, whole or not at all.
//!
//! The reader of the `image` crate fills what is missing of a JPEG with grey, and
//! reports nothing. Its decoder is strict where asked.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Begins the complaints about the form of headers, which lose no pixel.
const ABOUT_FORM: &str = "[strict-mode]";

/// The bytes of the file at `path`, where it is a JPEG of at most `most` bytes.
pub(super) fn bytes(path: &Path, most: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut file = File::open(path)?;
    let mut bytes = vec![0; 3];
    if file.read(&mut bytes)? < 3 || bytes != [0xff, 0xd8, 0xff] {
        return Ok(None);
    }
    file.take(most).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Decodes a JPEG to rows without gaps, three bytes a pixel.
///
/// # Errors
/// Where any part of the picture is missing or cannot be decoded. Damage that still
/// decodes, or a file that was cut and then given its end mark, does not show.
pub(super) fn decode(
    bytes: &[u8],
    longest_side: usize,
    rgb: &mut [u8],
) -> Result<(), Box<dyn Error + Send + Sync>> {
    if !has_end(bytes) {
        return Err("the file ends before the picture does".into());
    }
    match decode_with(bytes, longest_side, true, rgb) {
        Err(error) if error.to_string().contains(ABOUT_FORM) => {
            decode_with(bytes, longest_side, false, rgb).map_err(cause)
        }
        result => result.map_err(cause),
    }
}

fn decode_with(
    bytes: &[u8],
    longest_side: usize,
    strict: bool,
    rgb: &mut [u8],
) -> Result<(), DecodeErrors> {
    let options = DecoderOptions::default()
        .set_max_width(longest_side)
        .set_max_height(longest_side)
        .set_strict_mode(strict)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode_into(rgb)
}

fn cause(error: DecodeErrors) -> Box<dyn Error + Send + Sync> {
    format!("it is damaged: {error}").into()
}

/// Whether the mark of the end follows the first scan. What precedes that, such as
/// a small preview, has ends of its own.
fn has_end(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    while let [0xff, mark, after @ ..] = rest {
        let length = match (mark, after) {
            (0xff, _) => {
                rest = &rest[1..];
                continue;
            }
            (0xda, _) => return after.windows(2).any(|pair| pair == [0xff, 0xd9]),
            (_, [high, low, ..]) => usize::from(u16::from_be_bytes([*high, *low])),
            _ => return false,
        };
        rest = after.get(length..).unwrap_or_default();
    }
    // Its headers are of no usual form: the decoder judges.
    !rest.is_empty()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use image::codecs::jpeg::JpegEncoder;
    use image::{ImageFormat, RgbImage};

    use super::*;

    fn jpeg() -> Vec<u8> {
        let noise = |x: u32, y: u32| ((x * 7919) ^ (y * 104_729)) as u8;
        let image = RgbImage::from_fn(96, 80, |x, y| image::Rgb([noise(x, y), x as u8, y as u8]));
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, 90);
        image.write_with_encoder(encoder).unwrap();
        bytes
    }

    fn decoded(bytes: &[u8]) -> Result<Vec<u8>, String> {
        let mut rgb = vec![0; 96 * 80 * 3];
        let result = decode(bytes, 1 << 16, &mut rgb);
        result.map(|()| rgb).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_jpeg_has_the_pixels_that_the_image_crate_gives() {
        let bytes = jpeg();
        let expected = image::load_from_memory_with_format(&bytes, ImageFormat::Jpeg).unwrap();
        assert_eq!(decoded(&bytes).unwrap(), expected.into_rgb8().into_raw());
        let followed = [&bytes[..], b"what some phones append"].concat();
        assert!(decoded(&followed).is_ok());
        // Bytes between headers are no damage to the picture.
        let mut sloppy = bytes.clone();
        sloppy.splice(2..2, [0x00; 6]);
        assert_eq!(decoded(&sloppy).unwrap(), decoded(&bytes).unwrap());
    }

    #[test]
    fn a_jpeg_that_ends_early_is_refused_wherever_it_ends() {
        let bytes = jpeg();
        for cut in [1, 2, 3, 10, 50, bytes.len() / 2, bytes.len() - 700] {
            let rest = &bytes[..bytes.len() - cut];
            assert!(decoded(rest).is_err(), "{cut} bytes are missing");
        }
    }

    #[test]
    fn a_jpeg_whose_middle_is_damaged_is_refused() {
        let bytes = jpeg();
        let middle = bytes.len() / 2;
        // Zeros would be codes as good as others: nothing shows them to be wrong.
        let mut bytes = bytes;
        bytes[middle..middle + 64].fill(0xff);
        assert!(decoded(&bytes).is_err());
    }
}
