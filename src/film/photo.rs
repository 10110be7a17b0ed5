//! A picture file as a frame of a film.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use clap::ValueEnum;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageDecoder, ImageError, ImageReader, Limits};
use serde::{Deserialize, Serialize};

use super::jpeg;
use crate::draw::theme::Colour;
use crate::error::{Error, Kind, Result, may_pass};
use crate::media::{Photo, Picture, on_backdrop};
use crate::recipe::Size;

/// How a picture of another shape than the film's is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// All of it, on itself, enlarged and blurred.
    Blur,
    /// All of it, on the theme's background.
    Contain,
    /// As much of its middle as fills the film.
    Cover,
}

/// Memory that one picture may take while it is read.
const MOST_BYTES: u64 = 1 << 30;

/// The longest side that is read.
const LONGEST_SIDE: u32 = 1 << 16;

/// The picture at `path`, upright, as it is shown before `ground`.
///
/// # Errors
/// Where it cannot be read as a picture, or is too large; the file is named.
pub fn read(path: &Path, fit: Fit, ground: &Picture, background: Colour) -> Result<Picture> {
    let size = ground.size();
    let size = Size {
        width: size.0,
        height: size.1,
    };
    let photo = opened(path, background).map_err(|cause| lost(path, cause))?;
    let part = match fit {
        Fit::Cover => middle(photo.size(), size),
        Fit::Blur | Fit::Contain => photo.size(),
    };
    let fitted = photo.scaled(part, within(part, size));
    fitted
        .and_then(|picture| on_backdrop(picture, ground, fit == Fit::Blur))
        .map_err(|error| lost(path, error.into()))
}

/// The picture at `path`, upright, before `background`, as it is shown to a camera that
/// moves along it: it fills `size`, and goes on beyond that on one side as far as there is
/// more of it.
///
/// # Errors
/// As [`read`].
pub fn read_along(path: &Path, size: Size, background: Colour) -> Result<Picture> {
    let photo = opened(path, background).map_err(|cause| lost(path, cause))?;
    let size = beyond(photo.size(), size);
    let part = middle(photo.size(), size);
    photo
        .scaled(part, (size.width, size.height))
        .map_err(|error| lost(path, error.into()))
}

/// Nobody can follow a camera along what is longer than so many films.
const LONGEST: f64 = 4.0;

/// The even size of which one side is `size`'s, and the other as much longer as the shape
/// of `width` × `height` makes it. What comes within 2 % of the film's shape is of that.
fn beyond((width, height): (u32, u32), size: Size) -> Size {
    let (across, down) = (f64::from(size.width), f64::from(size.height));
    let longer = f64::from(width) / f64::from(height) * down / across;
    let side = |times: f64, side: u32| match times > 1.02 {
        true => (f64::from(side) * times.min(LONGEST) / 2.0).round() as u32 * 2,
        false => side,
    };
    Size {
        width: side(longer, size.width),
        height: side(1.0 / longer, size.height),
    }
}

/// Why a picture cannot be read.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Reports that the picture at `path` cannot be read: because of what it holds, or because of
/// the system, which may read it the next time.
fn lost(path: &Path, cause: Cause) -> Error {
    match system_error(cause.as_ref()) {
        Some(error) => Error::unreadable(path, &error),
        None => {
            Error::failed(format!("cannot read the picture '{}'", path.display())).because(cause)
        }
    }
}

/// The error of the system that is behind `cause`, if it is one that may pass.
fn system_error(cause: &(dyn std::error::Error + 'static)) -> Option<io::Error> {
    // libav's words for memory that runs out are that already.
    if let Some(error) = cause.downcast_ref::<Error>()
        && error.kind() == Kind::Unreadable
    {
        return Some(io::Error::from_raw_os_error(libc::ENOMEM));
    }
    let number = std::iter::successors(Some(cause), |cause| cause.source()).find_map(|cause| {
        let system = cause.downcast_ref::<io::Error>();
        // It does not name the error that it holds as its source.
        let picture = cause.downcast_ref::<ImageError>();
        let libav = cause.downcast_ref::<ffmpeg_next::Error>();
        match (system, picture, libav) {
            (Some(error), _, _) | (_, Some(ImageError::IoError(error)), _) => error.raw_os_error(),
            (_, _, Some(ffmpeg_next::Error::Other { errno })) => Some(*errno),
            _ => None,
        }
    });
    number.map(io::Error::from_raw_os_error).filter(may_pass)
}

/// Decodes the file's first picture, with what is seen through it in `background`.
fn opened(path: &Path, background: Colour) -> std::result::Result<Photo, Cause> {
    let mut decoder = decoder(path)?;
    // A broken tag is no reason not to show the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = decoder.dimensions();
    if let Some(bytes) = jpeg::bytes(path, MOST_BYTES)? {
        let mut photo = Photo::new(width, height, orientation)?;
        jpeg::decode(&bytes, LONGEST_SIDE as usize, photo.rgb())?;
        return Ok(photo);
    }
    // As most are: there is no second copy of what may be a hundred MB.
    if decoder.color_type() == ColorType::Rgb8 {
        let mut photo = Photo::new(width, height, orientation)?;
        decoder.read_image(photo.rgb())?;
        return Ok(photo);
    }
    let image = DynamicImage::from_decoder(decoder)?;
    if image.color().has_alpha() {
        let ground = [background.0, background.1, background.2];
        let rgba = image.into_rgba8();
        let mut photo = Photo::new(width, height, orientation)?;
        for (to, pixel) in photo.rgb().chunks_exact_mut(3).zip(rgba.chunks_exact(4)) {
            let alpha = u32::from(pixel[3]);
            for ((to, above), below) in to.iter_mut().zip(pixel).zip(ground) {
                let mix = u32::from(*above) * alpha + u32::from(below) * (255 - alpha);
                *to = ((mix + 127) / 255) as u8;
            }
        }
        return Ok(photo);
    }
    let rgb = image.into_rgb8();
    let mut photo = Photo::new(width, height, orientation)?;
    photo.rgb().copy_from_slice(&rgb);
    Ok(photo)
}

/// What reads the picture at `path`, within limits.
fn decoder(path: &Path) -> image::ImageResult<impl ImageDecoder> {
    let file = BufReader::new(File::open(path)?);
    // Names may lie; what has no mark of its own is taken by its name's ending.
    let mut reader = ImageReader::new(file).with_guessed_format()?;
    if reader.format().is_none()
        && let Ok(format) = image::ImageFormat::from_path(path)
    {
        reader.set_format(format);
    }
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_BYTES);
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    reader.limits(limits.clone());
    let decoder = reader.into_decoder()?;
    limits.reserve(decoder.total_bytes())?;
    Ok(decoder)
}

/// The size of the largest middle of `photo` that has the shape of `size`.
fn middle((width, height): (u32, u32), size: Size) -> (u32, u32) {
    let (across, down) = (f64::from(width), f64::from(height));
    let aspect = f64::from(size.width) / f64::from(size.height);
    let side = |wanted: f64, most: u32| (wanted.round() as u32).clamp(1, most);
    (
        side(across.min(down * aspect), width),
        side(down.min(across / aspect), height),
    )
}

/// The largest even size of `photo`'s shape in `size`. What comes within 2 % of
/// filling the film fills it: slivers at the edges look like a mistake.
fn within(photo: (u32, u32), size: Size) -> (u32, u32) {
    let (width, height) = (f64::from(photo.0), f64::from(photo.1));
    let (across, down) = (f64::from(size.width), f64::from(size.height));
    let scale = (across / width).min(down / height);
    let side = |length: f64, most: u32| {
        if length * scale >= f64::from(most) * 0.98 {
            most
        } else {
            ((length * scale / 2.0).round() as u32 * 2).clamp(2, most)
        }
    };
    (side(width, size.width), side(height, size.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: Size = Size {
        width: 1920,
        height: 1080,
    };

    #[test]
    fn a_photo_keeps_its_shape_within_the_film() {
        assert_eq!(within((3000, 4000), FILM), (810, 1080));
        assert_eq!(within((1, 1), FILM), (1080, 1080));
        assert_eq!(within((30_000, 1), FILM), (1920, 2));
        assert_eq!(within((1, 30_000), FILM), (2, 1080));
        // 16:9 but for rounding.
        assert_eq!(within((1366, 768), FILM), (1920, 1080));
    }

    #[test]
    fn a_photo_goes_on_beyond_the_film_on_its_longer_side_but_not_without_end() {
        let beyond = |width, height| {
            let size = beyond((width, height), FILM);
            (size.width, size.height)
        };
        assert_eq!(beyond(3200, 900), (3840, 1080));
        assert_eq!(beyond(900, 1600), (1920, 3414));
        assert_eq!(beyond(1366, 768), (1920, 1080));
        assert_eq!(beyond(1, 30_000), (1920, 4320));
        assert_eq!(beyond(30_000, 1), (7680, 1080));
    }

    #[test]
    fn an_error_of_the_system_is_no_damage_and_a_file_without_permission_is_left_out() {
        let path = Path::new("a.png");
        let of = |number| io::Error::from_raw_os_error(number);
        for number in [libc::EIO, libc::EMFILE, libc::ENOMEM, libc::EINTR] {
            let decoder = ImageError::IoError(of(number));
            for cause in [Cause::from(of(number)), Cause::from(decoder)] {
                let error = lost(path, cause);
                assert!(error.is_no_damage(), "{}", error.report());
            }
        }
        let memory = ffmpeg_next::Error::Other {
            errno: libc::ENOMEM,
        };
        let filter = Error::failed("failed to build the filter").because(memory);
        assert!(lost(path, filter.into()).is_no_damage());
        let memory = lost(path, Error::out_of_memory("scale it").into());
        assert!(memory.is_no_damage());
        let report = memory.report();
        assert!(
            report.contains("a.png") && report.contains("--jobs"),
            "{report}"
        );
        let cut = io::Error::from(io::ErrorKind::UnexpectedEof);
        for cause in [of(libc::EACCES), of(libc::ENOENT), cut] {
            assert!(!lost(path, cause.into()).is_no_damage());
        }
    }

    #[test]
    fn cover_takes_the_middle() {
        assert_eq!(middle((400, 300), FILM), (400, 225));
        assert_eq!(middle((1, 900), FILM), (1, 1));
    }
}
