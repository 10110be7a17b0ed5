//! Pictures blended into, slid over and laid on each other, plane by plane.
//!
//! All work on 8-bit 4:2:0. Loops go over whole rows of bytes with sums that
//! cannot overflow and are not checked, so that compilers make vector code of them.

use std::ops::Range;

use ffmpeg_next::ffi;

use super::Picture;
use crate::error::{Error, Result};

/// Luma, and two planes of colour of half its width and height.
pub(super) const PLANES: usize = 3;

/// What `weight` of 256 parts of `b` and the rest of `a` give.
fn mix(a: u8, b: u8, weight: u16) -> u8 {
    // At most 255 · 256 + 128.
    let a = u16::from(a).wrapping_mul(256_u16.wrapping_sub(weight));
    let b = u16::from(b).wrapping_mul(weight);
    (a.wrapping_add(b).wrapping_add(128) >> 8) as u8
}

impl Picture {
    /// `(1 − weight/256) · a + weight/256 · b`; `weight` is 0 to 256.
    ///
    /// # Errors
    /// Where the pictures differ in size or format, or memory is out.
    pub fn blend(a: &Self, b: &Self, weight: u32) -> Result<Self> {
        let weight = weight.min(256) as u16;
        merge(a, b, |_, out, a, b| {
            for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
                *out = mix(*a, *b, weight);
            }
        })
    }

    /// `b` over `a`, column by column: `weights` holds one of 0 to 256 for each.
    ///
    /// # Errors
    /// As [`Picture::blend`].
    pub fn blend_columns(a: &Self, b: &Self, weights: &[u16]) -> Result<Self> {
        let halved: Vec<u16> = weights.iter().copied().step_by(2).collect();
        merge(a, b, |plane, out, a, b| {
            let weights = if plane == 0 { weights } else { &halved };
            for (((out, a), b), weight) in out.iter_mut().zip(a).zip(b).zip(weights) {
                *out = mix(*a, *b, (*weight).min(256));
            }
        })
    }

    /// `a` moved to the left by `columns`, which are even, and `b` beside it.
    ///
    /// # Errors
    /// As [`Picture::blend`].
    pub fn beside(a: &Self, b: &Self, columns: usize) -> Result<Self> {
        merge(a, b, |plane, out, a, b| {
            let columns = columns >> usize::from(plane > 0);
            let columns = columns.min(out.len());
            let (left, right) = out.split_at_mut(a.len() - columns);
            left.copy_from_slice(&a[columns..]);
            right.copy_from_slice(&b[..columns]);
        })
    }

    /// Lays `top` on this picture with its top left corner at `at`, which is even.
    ///
    /// # Errors
    /// Where it does not fit there, or memory is out.
    pub(super) fn lay(&mut self, top: &Self, at: (u32, u32)) -> Result<()> {
        let (width, height) = self.size();
        let (columns, rows) = top.size();
        let outside = at.0.saturating_add(columns) > width || at.1.saturating_add(rows) > height;
        if outside || !is_420(self) || !is_420(top) {
            return Err(Error::failed("a picture does not fit into its frame"));
        }
        self.make_writable()?;
        for plane in 0..PLANES {
            let (from_columns, from_rows) = extent((columns, rows), plane);
            let (from, from_stride) = top.plane(plane, from_rows);
            let (_, to_rows) = extent((width, height), plane);
            let (to, to_stride) = self.plane_mut(plane, to_rows);
            let shift = u32::from(plane > 0);
            let (left, first) = ((at.0 >> shift) as usize, (at.1 >> shift) as usize);
            let to = to.chunks_exact_mut(to_stride).skip(first);
            for (to, from) in to.zip(from.chunks_exact(from_stride)) {
                to[left..left + from_columns].copy_from_slice(&from[..from_columns]);
            }
        }
        Ok(())
    }

    /// Lays `veil`, of the same size, over this one.
    ///
    /// # Errors
    /// Where it is another, or memory is out.
    pub fn cover(&mut self, veil: &Veil) -> Result<()> {
        if veil.picture.size() != self.size() || !is_420(self) {
            return Err(Error::failed(
                "what is laid over a picture has another size",
            ));
        }
        self.make_writable()?;
        let size = self.size();
        let (columns, rows) = extent(size, 0);
        let (alpha, alpha_stride) = veil.picture.plane(PLANES, rows);
        for plane in 0..PLANES {
            let (_, rows) = extent(size, plane);
            let (from, from_stride) = veil.picture.plane(plane, rows);
            let (to, to_stride) = self.plane_mut(plane, rows);
            let rows = to
                .chunks_exact_mut(to_stride)
                .zip(from.chunks_exact(from_stride));
            let step = if plane == 0 { 1 } else { 2 };
            let (first, last) = (veil.rows.start / step, veil.rows.end.div_ceil(step));
            let alpha = alpha.chunks_exact(alpha_stride).step_by(step);
            for ((to, from), alpha) in rows.zip(alpha).take(last).skip(first) {
                let alpha = alpha[..columns].iter().step_by(step);
                for ((to, from), alpha) in to.iter_mut().zip(from).zip(alpha) {
                    let alpha = u16::from(*alpha);
                    *to = mix(*to, *from, alpha + (alpha >> 7));
                }
            }
        }
        Ok(())
    }
}

/// A picture with alpha that is laid over others.
pub struct Veil {
    // 4:2:0 with alpha.
    picture: Picture,
    // Those through which not all is seen.
    rows: Range<usize>,
}

impl Veil {
    /// # Errors
    /// Where `picture` is not 4:2:0 with alpha.
    pub(super) fn new(picture: Picture) -> Result<Self> {
        if picture.format() != ffi::AVPixelFormat::AV_PIX_FMT_YUVA420P as i32 {
            return Err(Error::failed("a veil has no alpha"));
        }
        let (columns, rows) = extent(picture.size(), 0);
        let (alpha, stride) = picture.plane(PLANES, rows);
        let is_seen = |row: &[u8]| row[..columns].iter().any(|alpha| *alpha > 0);
        let mut seen = alpha.chunks_exact(stride).map(is_seen);
        let first = seen.position(|seen| seen);
        let rows = match first {
            Some(first) => {
                first..first + 1 + seen.rposition(|seen| seen).map_or(0, |last| last + 1)
            }
            None => 0..0,
        };
        Ok(Self { picture, rows })
    }
}

/// A picture made of two of one size, row by row: `each` is told the plane and given
/// the row to fill and those of `a` and `b`.
fn merge(
    a: &Picture,
    b: &Picture,
    each: impl Fn(usize, &mut [u8], &[u8], &[u8]),
) -> Result<Picture> {
    if a.size() != b.size() || !is_420(a) || !is_420(b) {
        return Err(Error::failed(
            "only 4:2:0 pictures of one size can be blended",
        ));
    }
    let mut result = a.like()?;
    for plane in 0..PLANES {
        let (columns, rows) = extent(a.size(), plane);
        let (from, from_stride) = a.plane(plane, rows);
        let (to, to_stride) = b.plane(plane, rows);
        let (out, out_stride) = result.plane_mut(plane, rows);
        let both = from
            .chunks_exact(from_stride)
            .zip(to.chunks_exact(to_stride));
        for (out, (from, to)) in out.chunks_exact_mut(out_stride).zip(both) {
            each(plane, &mut out[..columns], &from[..columns], &to[..columns]);
        }
    }
    Ok(result)
}

pub(super) fn is_420(picture: &Picture) -> bool {
    picture.format() == ffi::AVPixelFormat::AV_PIX_FMT_YUV420P as i32
}

/// Columns and rows of a plane.
pub(super) fn extent((width, height): (u32, u32), plane: usize) -> (usize, usize) {
    let halve = |side: u32| if plane == 0 { side } else { side.div_ceil(2) } as usize;
    (halve(width), halve(height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::still;

    fn grey(level: u8) -> Picture {
        still(64, 32, &[level, level, level, 255].repeat(64 * 32)).unwrap()
    }

    fn luma(picture: &Picture, x: usize, y: usize) -> u8 {
        let (plane, stride) = picture.plane(0, 32);
        plane[y * stride + x]
    }

    #[test]
    fn a_blend_begins_with_the_one_and_ends_with_the_other_exactly() {
        let (a, b) = (grey(20), grey(230));
        let at = |weight| luma(&Picture::blend(&a, &b, weight).unwrap(), 5, 5);
        assert_eq!((at(0), at(256)), (luma(&a, 5, 5), luma(&b, 5, 5)));
        assert!((0..256).all(|weight| at(weight) <= at(weight + 1)));
    }

    #[test]
    fn one_picture_is_beside_the_other() {
        let (a, b) = (grey(0), grey(255));
        let both = Picture::beside(&a, &b, 10).unwrap();
        let row: Vec<u8> = (0..64).map(|x| luma(&both, x, 3)).collect();
        assert!(row[..54].iter().all(|level| *level == 16));
        assert!(row[54..].iter().all(|level| *level == 235));
    }

    #[test]
    fn what_is_laid_on_a_picture_leaves_its_other_references_alone() {
        let below = grey(0);
        let mut changed = Picture::blend(&below, &below, 0).unwrap();
        let kept = changed.at(0).unwrap();
        let top = still(4, 2, &[255; 32]).unwrap();
        changed.lay(&top, (60, 30)).unwrap();
        assert_eq!((luma(&changed, 60, 30), luma(&changed, 59, 30)), (235, 16));
        assert_eq!(kept.plane_level(), 16);
        assert!(changed.lay(&top, (62, 30)).is_err());
    }

    trait Level {
        fn plane_level(&self) -> u8;
    }

    impl Level for crate::media::Frame {
        /// The last pixel of the first plane's visible part.
        fn plane_level(&self) -> u8 {
            let picture = Picture::of_data_of(self).unwrap();
            let (rows, stride) = picture.plane(0, 32);
            rows[stride * 30 + 60]
        }
    }
}
