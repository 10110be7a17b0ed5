//! Pictures of any size as frames of a film.

use super::frame::to_film;
use super::planes::Veil;
use super::{Picture, still};
use crate::error::Result;

/// An opaque picture in memory, sRGB.
pub struct Photo {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Rows from the top, three bytes a pixel: red, green, blue.
    pub rgb: Vec<u8>,
}

/// The least side that is scaled: the scaler reads some pixels at once.
const LEAST_SIDE: u32 = 8;

impl Photo {
    /// Scaled to `size`, whose sides are even, as 4:2:0, bt709, limited range; its memory goes.
    ///
    /// # Errors
    /// Where the bytes do not fit the size, or memory is out.
    pub fn scaled(self, size: (u32, u32)) -> Result<Picture> {
        super::init();
        let photo = self.large_enough();
        let picture = Picture::from_rgb(photo.width, photo.height, &photo.rgb)?;
        drop(photo);
        let to_size = format!("{}:{}:", size.0, size.1);
        picture.filtered(&to_film(&to_size, "lanczos", "yuv420p"))
    }

    /// Tiny pictures with each pixel repeated.
    fn large_enough(self) -> Self {
        let least = self.width.min(self.height);
        if least >= LEAST_SIDE || least == 0 {
            return self;
        }
        let times = |side: u32| LEAST_SIDE.div_ceil(side) as usize;
        let (across, down) = (times(self.width), times(self.height));
        let row = self.width as usize * 3;
        let mut rgb = Vec::with_capacity(self.rgb.len() * across * down);
        for row in self.rgb.chunks_exact(row) {
            let wide: Vec<u8> = row
                .chunks_exact(3)
                .flat_map(|pixel| pixel.repeat(across))
                .collect();
            rgb.extend(wide.repeat(down));
        }
        Self {
            width: self.width * across as u32,
            height: self.height * down as u32,
            rgb,
        }
    }
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
