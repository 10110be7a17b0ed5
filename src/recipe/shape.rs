//! The size of a picture, and how it is scaled.

use super::Size;
use crate::job::Ratio;

/// A picture's size as it is stored, upright, and the shape of its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub size: Size,
    /// Width of a sample to its height.
    pub aspect: Ratio,
}

impl Shape {
    /// Width and height in square samples; neither side gets fewer.
    fn square(self) -> (f64, f64) {
        let (width, height) = (self.size.width.max(1), self.size.height.max(1));
        let (width, height) = (f64::from(width), f64::from(height));
        match self.aspect.as_f64() {
            wide if wide > 1.0 => (width * wide, height),
            narrow => (width, height / narrow),
        }
    }

    /// The same, turned by a quarter.
    pub(super) fn turned(self) -> Self {
        Self {
            size: self.size.turned(),
            aspect: Ratio::new(self.aspect.den, self.aspect.num),
        }
    }

    /// The box for video of this shape: its longer side is for the longer side of the picture,
    /// so that a phone's upright video gets as many pixels as one that was filmed lying.
    fn turn_box(self, fit: Size) -> Size {
        let (width, height) = self.square();
        let is_across = (width < height && fit.width > fit.height)
            || (width > height && fit.width < fit.height);
        match is_across {
            true => fit.turned(),
            false => fit,
        }
    }

    /// Whether video of it is not larger than `fit` on the screen.
    pub(super) fn is_within(self, fit: Size) -> bool {
        let fit = self.turn_box(fit);
        let (width, height) = self.square();
        width.round() <= f64::from(fit.width) && height.round() <= f64::from(fit.height)
    }

    /// The largest size in square samples that is inside `fit` and not above
    /// this one, in multiples of `step`.
    fn fitted(self, fit: Size, step: u32) -> Size {
        let (width, height) = self.square();
        let factor = (f64::from(fit.width) / width)
            .min(f64::from(fit.height) / height)
            .min(1.0);
        let round = |length: f64, most: u32| {
            let steps = (length * factor / f64::from(step)).round() as u32;
            (steps.min(most / step) * step).max(step)
        };
        Size {
            width: round(width, fit.width),
            height: round(height, fit.height),
        }
    }

    /// The filter that makes it fit into a box, if there is one, in even sizes:
    /// 4:2:0 pictures have no others. What fits keeps its samples. `options` are
    /// further ones of the filter, each with `:` in front.
    pub(super) fn scaled_for_video(self, fit: Option<Size>, options: &str) -> String {
        if self.is_unknown() {
            return scale_unknown(fit, 2, options);
        }
        let (size, aspect) = self.for_video(fit);
        self.scale_to(size, aspect, options)
    }

    /// Its size, and the shape of its samples, once it fits into a box.
    pub(super) fn for_video(self, fit: Option<Size>) -> (Size, Ratio) {
        match fit.filter(|fit| !self.is_within(*fit)) {
            Some(fit) => (self.fitted(self.turn_box(fit), 2), SQUARE),
            None => (self.even(), self.aspect),
        }
    }

    /// The filter that makes it a picture in square samples, which fits into a box, if there is
    /// one;
    /// `options` are more of the scaler's, such as `:out_color_matrix=bt601`.
    pub(super) fn scaled_for_pictures(self, fit: Option<Size>, options: &str) -> String {
        if self.is_unknown() {
            return scale_unknown(fit, 1, options);
        }
        self.scale_to(self.for_pictures(fit), SQUARE, options)
    }

    /// Its size as a picture.
    pub(super) fn for_pictures(self, fit: Option<Size>) -> Size {
        let (width, height) = self.square();
        let own = Size {
            width: width.round() as u32,
            height: height.round() as u32,
        };
        self.fitted(fit.unwrap_or(own), 1)
    }

    /// Whether only decoded pictures will show the size.
    fn is_unknown(self) -> bool {
        self.size.width == 0 || self.size.height == 0
    }

    fn even(self) -> Size {
        let even = |length: u32| (length + length % 2).max(2);
        Size {
            width: even(self.size.width),
            height: even(self.size.height),
        }
    }

    /// The one place where size and pixel format change: without it, libav would
    /// insert a conversion of its own, before or after turning the picture upright
    /// as it sees fit. Where nothing changes, the filter passes frames on.
    ///
    /// Left alone, it would make samples by a hair not square, to make up for
    /// sizes that are whole numbers; players then stretch the picture.
    fn scale_to(self, size: Size, aspect: Ratio, options: &str) -> String {
        if size == self.size {
            return format!("scale=flags=bicubic{options}");
        }
        let (Size { width, height }, Ratio { num, den }) = (size, aspect);
        format!("scale={width}:{height}:flags=bicubic{options},setsar={num}/{den}")
    }
}

const SQUARE: Ratio = Ratio { num: 1, den: 1 };

/// The filter for pictures whose size shows when they are decoded: into a box, if there is one,
/// and in multiples of `step`. Their samples are taken for square where there is a box.
fn scale_unknown(fit: Option<Size>, step: u32, options: &str) -> String {
    match fit {
        Some(Size { width, height }) => format!(
            "scale=w='min({width},iw)':h='min({height},ih)':force_original_aspect_ratio=decrease:\
             force_divisible_by={step}:flags=bicubic{options},setsar=1/1"
        ),
        None => format!(
            "scale=w=ceil(iw/{step})*{step}:h=ceil(ih/{step})*{step}:flags=bicubic{options}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(width: u32, height: u32, aspect: (i32, i32)) -> Shape {
        Shape {
            size: Size { width, height },
            aspect: Ratio::new(aspect.0, aspect.1),
        }
    }

    fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    #[test]
    fn what_fits_keeps_its_size_and_its_samples() {
        let shape = shape(720, 576, (16, 15));
        assert!(shape.is_within(size(1280, 720)));
        assert_eq!(
            shape.scaled_for_video(Some(size(1280, 720)), ""),
            "scale=flags=bicubic"
        );
        assert_eq!(shape.scaled_for_video(None, ""), "scale=flags=bicubic");
    }

    #[test]
    fn odd_sizes_become_even_for_video_and_keep_the_shape_of_their_samples() {
        assert_eq!(
            shape(321, 241, (4, 3)).scaled_for_video(None, ""),
            "scale=322:242:flags=bicubic,setsar=4/3"
        );
    }

    #[test]
    fn what_does_not_fit_is_scaled_as_it_is_on_the_screen() {
        // 720 stored columns are 1024 on the screen.
        assert_eq!(
            shape(720, 576, (64, 45)).scaled_for_video(Some(size(854, 480)), ""),
            "scale=854:480:flags=bicubic,setsar=1/1"
        );
        assert_eq!(
            shape(1920, 1080, (1, 1)).scaled_for_video(Some(size(320, 180)), ""),
            "scale=320:180:flags=bicubic,setsar=1/1"
        );
        // Twice as high on the screen as it is stored.
        assert_eq!(
            shape(640, 360, (1, 2)).scaled_for_video(Some(size(480, 640)), ""),
            "scale=480:540:flags=bicubic,setsar=1/1"
        );
    }

    #[test]
    fn the_longer_side_of_the_box_is_for_the_longer_side_of_the_picture() {
        let scaled = |width, height, fit| {
            let (size, _) = shape(width, height, (1, 1)).for_video(Some(fit));
            (size.width, size.height)
        };
        for fit in [size(1280, 720), size(720, 1280)] {
            assert_eq!(scaled(1080, 1920, fit), (720, 1280));
            assert_eq!(scaled(1920, 1080, fit), (1280, 720));
            assert_eq!(scaled(720, 1280, fit), (720, 1280));
        }
        // A square has no longer side.
        assert_eq!(scaled(1080, 1080, size(1280, 720)), (720, 720));
        assert_eq!(scaled(1080, 1920, size(640, 640)), (360, 640));
        // Pictures are laid out in a box as it is.
        let picture = shape(1080, 1920, (1, 1)).for_pictures(Some(size(1280, 720)));
        assert_eq!((picture.width, picture.height), (405, 720));
    }

    #[test]
    fn no_side_is_outside_the_box() {
        for fit in [size(321, 181), size(101, 7), size(3, 3)] {
            let fitted = shape(1920, 1080, (1, 1)).fitted(fit, 2);
            assert!(
                fitted.width <= fit.width && fitted.height <= fit.height,
                "{fitted:?}"
            );
        }
    }

    #[test]
    fn pictures_have_square_samples() {
        assert_eq!(
            shape(720, 576, (64, 45)).scaled_for_pictures(None, ""),
            "scale=1024:576:flags=bicubic,setsar=1/1"
        );
        assert_eq!(
            shape(321, 241, (1, 1)).scaled_for_pictures(None, ""),
            "scale=flags=bicubic"
        );
    }
}
