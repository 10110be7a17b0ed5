//! Pictures of any size as frames of a film.

use image::metadata::Orientation;

use super::frame::to_film;
use super::planes::Veil;
use super::{Picture, still};
use crate::error::{Error, Result};

/// An opaque picture in memory, sRGB, as it is stored; sizes are told of it upright.
pub struct Photo {
    picture: Picture,
    orientation: Orientation,
}

/// The least side that is scaled: the scaler reads some pixels at once.
const LEAST_SIDE: u32 = 8;

impl Photo {
    /// Of `width` × `height` stored pixels, black, to be turned by `orientation`.
    ///
    /// # Errors
    /// Where it has no pixels, or memory is out.
    pub fn new(width: u32, height: u32, orientation: Orientation) -> Result<Self> {
        super::init();
        let mut photo = Self {
            picture: Picture::packed_rgb(width, height)?,
            orientation,
        };
        match photo.rgb().len() as u64 == u64::from(width) * u64::from(height) * 3 {
            true => Ok(photo),
            false => Err(Error::failed(format!(
                "no memory fits {width}×{height} pixels"
            ))),
        }
    }

    /// Stored rows from the top, without gaps, three bytes a pixel: red, green, blue.
    pub fn rgb(&mut self) -> &mut [u8] {
        let height = self.picture.size().1 as usize;
        self.picture.plane_mut(0, height).0
    }

    /// Width and height, upright.
    pub fn size(&self) -> (u32, u32) {
        self.turned(self.picture.size())
    }

    /// Its middle of size `part`, upright, scaled to `size`, whose sides are even, as 4:2:0,
    /// bt709, limited range; its memory goes.
    ///
    /// # Errors
    /// Where memory is out.
    pub fn scaled(self, part: (u32, u32), size: (u32, u32)) -> Result<Picture> {
        let (part, size) = (self.turned(part), self.turned(size));
        let to_size = format!("{}:{}:", size.0, size.1);
        let turn = filters(self.orientation);
        // It is small when it is turned, and has all of its colour still.
        let mut description = match turn {
            None => to_film(&to_size, "lanczos", "yuv420p"),
            Some(turn) => format!(
                "{},{turn},{}",
                to_film(&to_size, "lanczos", "yuv444p"),
                to_film("", "bicubic", "yuv420p")
            ),
        };
        let picture = if part.0.min(part.1) < LEAST_SIDE {
            enlarged(&self.picture, part)?
        } else {
            description.insert_str(0, &format!("crop={}:{}:exact=1,", part.0, part.1));
            self.picture
        };
        picture.filtered(&description)
    }

    /// A stored size of an upright one, and the other way round.
    fn turned(&self, (width, height): (u32, u32)) -> (u32, u32) {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        match self.orientation {
            Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH => (height, width),
            _ => (width, height),
        }
    }
}

/// The filters that turn a picture upright, where it is not.
fn filters(orientation: Orientation) -> Option<&'static str> {
    match orientation {
        Orientation::NoTransforms => None,
        Orientation::Rotate90 => Some("transpose=clock"),
        Orientation::Rotate180 => Some("hflip,vflip"),
        Orientation::Rotate270 => Some("transpose=cclock"),
        Orientation::FlipHorizontal => Some("hflip"),
        Orientation::FlipVertical => Some("vflip"),
        Orientation::Rotate90FlipH => Some("transpose=clock,hflip"),
        Orientation::Rotate270FlipH => Some("transpose=cclock,hflip"),
    }
}

/// The middle of a picture, of that size, with each pixel repeated.
fn enlarged(picture: &Picture, (width, height): (u32, u32)) -> Result<Picture> {
    let times = |side: u32| LEAST_SIDE.div_ceil(side.max(1));
    let (across, down) = (times(width), times(height));
    let stored = picture.size();
    let left = (stored.0.saturating_sub(width) / 2) as usize * 3;
    let top = (stored.1.saturating_sub(height) / 2) as usize;
    let mut large = Picture::packed_rgb(width * across, height * down)?;
    let (from, stride) = picture.plane(0, stored.1 as usize);
    let (to, large_stride) = large.plane_mut(0, (height * down) as usize);
    for (number, row) in to.chunks_exact_mut(large_stride).enumerate() {
        let start = (top + number / down as usize) * stride + left;
        let pixels = from.get(start..).unwrap_or_default().chunks_exact(3);
        let pixels = pixels.flat_map(|pixel| std::iter::repeat_n(pixel, across as usize));
        for (to, pixel) in row.chunks_exact_mut(3).zip(pixels) {
            to.copy_from_slice(pixel);
        }
    }
    Ok(large)
}

/// `picture` in the middle of a frame of `ground`'s size. Around it is `ground`,
/// or that mixed with the picture itself, enlarged and blurred.
///
/// # Errors
/// Where the picture is larger than the ground, or memory is out.
pub fn on_backdrop(picture: Picture, ground: &Picture, blurred: bool) -> Result<Picture> {
    let (inner, outer) = (picture.size(), ground.size());
    if inner == outer {
        return Ok(picture);
    }
    let mut frame = if blurred {
        Picture::blend(&blur(&picture, outer)?, ground, GROUND_SHARE)?
    } else {
        Picture::blend(ground, ground, 0)?
    };
    let middle = |outer: u32, inner: u32| outer.saturating_sub(inner) / 4 * 2;
    let at = (middle(outer.0, inner.0), middle(outer.1, inner.1));
    frame.lay(&picture, at)?;
    Ok(frame)
}

/// Of 256 parts: the picture in front is to stand out from its own blur.
const GROUND_SHARE: u32 = 120;

/// The middle of `picture`, as much as fills `size`, blurred beyond recognition.
fn blur(picture: &Picture, (width, height): (u32, u32)) -> Result<Picture> {
    /// It is blurred at this part of the size.
    const SMALLER: u32 = 16;
    let aspect = f64::from(width) / f64::from(height);
    let (inner_width, inner_height) = picture.size();
    let (across, down) = (f64::from(inner_width), f64::from(inner_height));
    let even = |side: f64, most: u32| ((side / 2.0).floor() as u32 * 2).clamp(2, most);
    let cut = (
        even((down * aspect).min(across), inner_width),
        even((across / aspect).min(down), inner_height),
    );
    let small = |side: u32| (side / SMALLER / 2 * 2).max(LEAST_SIDE);
    let description = format!(
        "crop={}:{},scale={}:{}:flags=area,gblur=sigma=3,scale={width}:{height}:flags=bicubic,\
         format=yuv420p,setsar=1",
        cut.0,
        cut.1,
        small(width),
        small(height),
    );
    Picture::blend(picture, picture, 0)?.filtered(&description)
}

/// What is drawn over pictures: 8-bit straight RGBA to 4:2:0 with alpha.
///
/// # Errors
/// As [`still`].
pub fn veil(width: u32, height: u32, rgba: &[u8]) -> Result<Veil> {
    super::init();
    let to_film = to_film("", "bicubic", "yuva420p");
    Veil::new(Picture::from_rgba(width, height, rgba)?.filtered(&to_film)?)
}

/// A frame of one colour.
///
/// # Errors
/// As [`still`].
pub fn ground(size: (u32, u32), rgba: [u8; 4]) -> Result<Picture> {
    still(
        size.0,
        size.1,
        &rgba.repeat(size.0 as usize * size.1 as usize),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use image::{DynamicImage, RgbImage};

    use super::*;

    /// Each corner has its own colour, and no two sides are alike.
    fn corners() -> RgbImage {
        RgbImage::from_fn(64, 32, |x, y| match (x < 20, y < 20) {
            (true, true) => image::Rgb([250, 20, 20]),
            (false, true) => image::Rgb([20, 250, 20]),
            (true, false) => image::Rgb([20, 20, 250]),
            (false, false) => image::Rgb([200, 200, 200]),
        })
    }

    fn scaled(image: &RgbImage, orientation: Orientation, size: (u32, u32)) -> Vec<Vec<u8>> {
        let mut photo = Photo::new(image.width(), image.height(), orientation).unwrap();
        photo.rgb().copy_from_slice(image);
        let part = photo.size();
        let picture = photo.scaled(part, size).unwrap();
        assert_eq!(picture.size(), size);
        let row = |(rows, stride): (&[u8], usize), width: u32| -> Vec<u8> {
            let rows = rows.chunks_exact(stride);
            rows.flat_map(|row| &row[..width as usize])
                .copied()
                .collect()
        };
        let chroma = (size.0 / 2, size.1 as usize / 2);
        vec![
            row(picture.plane(0, size.1 as usize), size.0),
            row(picture.plane(1, chroma.1), chroma.0),
            row(picture.plane(2, chroma.1), chroma.0),
        ]
    }

    #[test]
    fn a_photo_that_is_turned_when_it_is_small_is_the_one_that_was_turned_before() {
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif).unwrap();
            let mut upright = DynamicImage::from(corners());
            upright.apply_orientation(orientation);
            let size = (upright.width() / 2, upright.height() / 2);
            let expected = scaled(&upright.into_rgb8(), Orientation::NoTransforms, size);
            let turned = scaled(&corners(), orientation, size);
            for (plane, expected) in turned.iter().zip(&expected) {
                let apart = plane
                    .iter()
                    .zip(expected)
                    .map(|(a, b)| u32::from(a.abs_diff(*b)));
                let mean = f64::from(apart.sum::<u32>()) / plane.len() as f64;
                assert!(mean < 2.0, "orientation {exif}: {mean} apart");
            }
        }
    }

    #[test]
    fn a_tiny_photo_has_its_pixels_repeated_from_its_middle() {
        let mut photo = Photo::new(3, 5, Orientation::NoTransforms).unwrap();
        for (number, value) in photo.rgb().iter_mut().enumerate() {
            *value = (number / 3) as u8;
        }
        let large = enlarged(&photo.picture, (1, 3)).unwrap();
        assert_eq!(large.size(), (8, 9));
        let (rows, stride) = large.plane(0, 9);
        let firsts: Vec<u8> = rows.chunks_exact(stride).map(|row| row[0]).collect();
        assert_eq!(firsts, [4, 4, 4, 7, 7, 7, 10, 10, 10]);
        assert!(
            rows.chunks_exact(24)
                .all(|row| row.iter().all(|value| *value == row[0]))
        );
    }
}
