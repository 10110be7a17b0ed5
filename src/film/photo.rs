//! A picture file as a frame of a film.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use clap::ValueEnum;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits};
use serde::{Deserialize, Serialize};

use crate::draw::theme::Colour;
use crate::error::{Error, Result};
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
    let image = upright(path).map_err(|error| unreadable(path).because(error))?;
    let image = match fit {
        Fit::Cover => middle(image, size),
        Fit::Blur | Fit::Contain => image,
    };
    let photo = opaque(image, background);
    let inner = within(&photo, size);
    let fitted = photo.scaled(inner);
    fitted
        .and_then(|picture| on_backdrop(picture, ground, fit == Fit::Blur))
        .map_err(|error| unreadable(path).because(error))
}

/// The picture at `path`, upright, before `background`, as it is shown to a camera that
/// moves along it: it fills `size`, and goes on beyond that on one side as far as there is
/// more of it.
///
/// # Errors
/// As [`read`].
pub fn read_along(path: &Path, size: Size, background: Colour) -> Result<Picture> {
    let image = upright(path).map_err(|error| unreadable(path).because(error))?;
    let size = beyond((image.width(), image.height()), size);
    let photo = opaque(middle(image, size), background);
    photo
        .scaled((size.width, size.height))
        .map_err(|error| unreadable(path).because(error))
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

fn unreadable(path: &Path) -> Error {
    Error::failed(format!("cannot read the picture '{}'", path.display()))
}

/// Decodes the file's first picture and turns it as its tags say.
fn upright(path: &Path) -> image::ImageResult<DynamicImage> {
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
    let mut decoder = reader.into_decoder()?;
    limits.reserve(decoder.total_bytes())?;
    // A broken tag is no reason not to show the picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// The middle of `image` that has the shape of `size`.
fn middle(image: DynamicImage, size: Size) -> DynamicImage {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let aspect = f64::from(size.width) / f64::from(size.height);
    let side = |wanted: f64, most: u32| (wanted.round() as u32).clamp(1, most);
    let across = side(width.min(height * aspect), image.width());
    let down = side(height.min(width / aspect), image.height());
    let at = |most: u32, taken: u32| (most - taken) / 2;
    image.crop_imm(
        at(image.width(), across),
        at(image.height(), down),
        across,
        down,
    )
}

/// What is seen through `image` is `background`.
fn opaque(image: DynamicImage, background: Colour) -> Photo {
    let (width, height) = (image.width(), image.height());
    let rgb = if image.color().has_alpha() {
        let ground = [background.0, background.1, background.2];
        let over = |pixel: &[u8]| {
            let alpha = u32::from(pixel[3]);
            let mix = |above: u8, below: u8| {
                ((u32::from(above) * alpha + u32::from(below) * (255 - alpha) + 127) / 255) as u8
            };
            [0, 1, 2].map(|at| mix(pixel[at], ground[at]))
        };
        let rgba = image.into_rgba8().into_raw();
        rgba.chunks_exact(4).flat_map(over).collect()
    } else {
        image.into_rgb8().into_raw()
    };
    Photo { width, height, rgb }
}

/// The largest even size of the photo's shape in `size`. What comes within 2 % of
/// filling the film fills it: slivers at the edges look like a mistake.
fn within(photo: &Photo, size: Size) -> (u32, u32) {
    let (width, height) = (f64::from(photo.width), f64::from(photo.height));
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

    fn of(width: u32, height: u32) -> Photo {
        Photo {
            width,
            height,
            rgb: Vec::new(),
        }
    }

    #[test]
    fn a_photo_keeps_its_shape_within_the_film() {
        assert_eq!(within(&of(3000, 4000), FILM), (810, 1080));
        assert_eq!(within(&of(1, 1), FILM), (1080, 1080));
        assert_eq!(within(&of(30_000, 1), FILM), (1920, 2));
        assert_eq!(within(&of(1, 30_000), FILM), (2, 1080));
        // 16:9 but for rounding.
        assert_eq!(within(&of(1366, 768), FILM), (1920, 1080));
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
    fn cover_takes_the_middle() {
        let image = DynamicImage::new_rgb8(400, 300);
        let cut = middle(image, FILM);
        assert_eq!((cut.width(), cut.height()), (400, 225));
        let thin = middle(DynamicImage::new_rgb8(1, 900), FILM);
        assert_eq!((thin.width(), thin.height()), (1, 1));
    }
}
