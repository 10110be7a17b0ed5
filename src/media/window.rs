//! A part of a picture, of any place and size, as a frame of a film.
//!
//! Places are not rounded to pixels: what moves slowly moves by a fraction of one
//! from frame to frame, and would tremble otherwise.

use fast_image_resize::images::{TypedCroppedImageMut, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ImageView, ImageViewMut, ResizeAlg, ResizeOptions, Resizer};

use super::Picture;
use super::planes::{PLANES, extent, is_420};
use crate::error::{Error, Result};

/// A part of a picture, in pixels of that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Its left edge.
    pub left: f64,
    /// Its upper edge.
    pub top: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// A picture that is looked at through windows.
///
/// Scaling down a column of whole rows is many times faster than along a row. So planes
/// lie on their side here: they are scaled along their rows first, turned, and
/// scaled along their columns, all by the fast way.
pub struct Stage {
    picture: Picture,
    // Planes by columns, without gaps.
    turned: Vec<Vec<u8>>,
}

impl Stage {
    /// Makes ready `picture`, which is 4:2:0.
    ///
    /// # Errors
    /// Where it is not.
    pub fn new(picture: Picture) -> Result<Self> {
        if !is_420(&picture) {
            return Err(Error::failed(
                "only 4:2:0 pictures can be looked at in part",
            ));
        }
        let turned = (0..PLANES).map(|plane| {
            let (columns, rows) = extent(picture.size(), plane);
            let (from, stride) = picture.plane(plane, rows);
            turn((from, stride), columns, rows)
        });
        Ok(Self {
            turned: turned.collect(),
            picture,
        })
    }

    /// What is seen in `window`, scaled to `size`.
    ///
    /// # Errors
    /// Where that is not a part of the picture, or memory is out.
    pub fn through(&self, window: Window, size: (u32, u32)) -> Result<Picture> {
        let mut view = self.picture.like_sized(size)?;
        for plane in 0..PLANES {
            self.scale_plane(plane, window, &mut view)
                .map_err(|cause| Error::failed("cannot scale a picture").because(cause))?;
        }
        Ok(view)
    }

    fn scale_plane(&self, plane: usize, window: Window, view: &mut Picture) -> Scaled {
        let part = if plane == 0 { 1.0 } else { 0.5 };
        let (columns, rows) = extent(self.picture.size(), plane);
        let (wide, high) = extent(view.size(), plane);
        let across = (window.left * part, window.width * part);
        let down = (window.top * part, window.height * part);
        let from = TypedImageRef::from_buffer(rows as u32, columns as u32, &self.turned[plane])?;
        let mut narrowed = vec![0; rows * wide];
        let mut to = TypedImage::from_buffer(rows as u32, wide as u32, &mut narrowed)?;
        along_columns(&from, &mut to, across)?;
        let upright = turn((&narrowed, rows), rows, wide);
        let from = TypedImageRef::from_buffer(wide as u32, rows as u32, &upright)?;
        // Rows are as long as their stride, of which the first columns are the picture.
        let (to, stride) = view.plane_mut(plane, high);
        let to = TypedImage::from_buffer(stride as u32, high as u32, to)?;
        let mut to = TypedCroppedImageMut::new(to, 0, 0, wide as u32, high as u32)?;
        along_columns(&from, &mut to, down)
    }
}

type Scaled = std::result::Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// Scales what begins at row `top` and is `height` high.
fn along_columns(
    from: &impl ImageView<Pixel = U8>,
    to: &mut impl ImageViewMut<Pixel = U8>,
    (top, height): (f64, f64),
) -> Scaled {
    // Sums of fractions may end a hair outside.
    let top = top.max(0.0);
    let height = height.min(f64::from(from.height()) - top);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .crop(0.0, top, f64::from(from.width()), height);
    Ok(Resizer::new().resize_typed(from, to, &options)?)
}

/// A plane with its rows as columns, without gaps.
fn turn((from, stride): (&[u8], usize), columns: usize, rows: usize) -> Vec<u8> {
    /// Side of the squares that are turned at once.
    const SIDE: usize = 16;
    let mut turned = vec![0; columns * rows];
    for (band, to) in turned.chunks_mut(SIDE * rows).enumerate() {
        let (left, some) = (band * SIDE, to.len() / rows);
        let lines = from.chunks(stride).take(rows).collect::<Vec<_>>();
        for (place, lines) in lines.chunks(SIDE).enumerate() {
            let mut square = [[0; SIDE]; SIDE];
            for (row, line) in square.iter_mut().zip(lines) {
                row[..some].copy_from_slice(&line[left..left + some]);
            }
            let top = place * SIDE;
            for (column, to) in to.chunks_exact_mut(rows).enumerate() {
                let turned: [u8; SIDE] = std::array::from_fn(|row| square[row][column]);
                to[top..top + lines.len()].copy_from_slice(&turned[..lines.len()]);
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::still;

    /// A bright disc on dark ground.
    fn disc(size: (u32, u32), middle: (f64, f64)) -> Picture {
        let rgba: Vec<u8> = (0..size.1)
            .flat_map(|y| (0..size.0).map(move |x| (x, y)))
            .flat_map(|(x, y)| {
                let away = (f64::from(x) + 0.5 - middle.0).hypot(f64::from(y) + 0.5 - middle.1);
                let level = ((12.5 - away).clamp(0.0, 1.0) * 255.0) as u8;
                [level, level, level, 255]
            })
            .collect();
        still(size.0, size.1, &rgba).unwrap()
    }

    /// The centre of what is bright.
    fn centre(picture: &Picture) -> (f64, f64) {
        let (width, height) = picture.size();
        let (luma, stride) = picture.plane(0, height as usize);
        let (mut sum, mut x_sum, mut y_sum) = (0.0, 0.0, 0.0);
        for (y, row) in luma.chunks_exact(stride).enumerate() {
            for (x, level) in row[..width as usize].iter().enumerate() {
                // What is as dark as the ground, or darker by the filter, is the ground.
                let weight = f64::from(level.saturating_sub(24));
                sum += weight;
                x_sum += weight * (x as f64 + 0.5);
                y_sum += weight * (y as f64 + 0.5);
            }
        }
        (x_sum / sum, y_sum / sum)
    }

    #[test]
    fn what_moves_by_a_fraction_of_a_pixel_a_frame_moves_evenly() {
        let stage = Stage::new(disc((460, 260), (200.0, 130.0))).unwrap();
        let seen = (0..60).map(|frame| {
            let window = Window {
                left: 10.0 + f64::from(frame) * 0.13,
                top: 10.0,
                width: 400.0,
                height: 225.0,
            };
            centre(&stage.through(window, (400, 224)).unwrap()).0
        });
        let seen: Vec<f64> = seen.collect();
        let steps: Vec<f64> = seen.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((seen[0] - 190.0).abs() < 0.05, "{seen:?}");
        assert!(
            steps.iter().all(|step| (step + 0.13).abs() < 0.04),
            "{steps:?}"
        );
    }

    #[test]
    fn all_of_a_picture_in_its_own_size_is_the_picture() {
        let picture = disc((64, 36), (30.0, 20.0));
        let all = Window {
            left: 0.0,
            top: 0.0,
            width: 64.0,
            height: 36.0,
        };
        let stage = Stage::new(picture.share().unwrap()).unwrap();
        let same = stage.through(all, (64, 36)).unwrap();
        for plane in 0..PLANES {
            let (columns, rows) = extent((64, 36), plane);
            let pixels = |picture: &Picture| {
                let (bytes, stride) = picture.plane(plane, rows);
                let rows = bytes.chunks_exact(stride).map(|row| &row[..columns]);
                rows.flatten().copied().collect::<Vec<u8>>()
            };
            assert_eq!(pixels(&same), pixels(&picture));
        }
        let beyond = Window { left: 65.0, ..all };
        assert!(stage.through(beyond, (64, 36)).is_err());
    }
}
