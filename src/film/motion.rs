//! The camera's slow way over a picture that stands still.

use super::transition::Easing;
use crate::media::Window;
use crate::recipe::Size;

/// How much larger than the film a picture is drawn that the camera moves over: so
/// near it comes, and sees the picture's own pixels there.
const CLOSE: f64 = 1.14;

/// How near the camera is where it is furthest: there is room for a way aside.
const FAR: f64 = 1.03;

/// Where the camera looks when it is near, as shares of the room that there is.
const ASIDE: [(f64, f64); 4] = [(0.62, 0.38), (0.3, 0.45), (0.55, 0.7), (0.38, 0.32)];

/// A way of the camera over a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    stage: Size,
    // The stage's size, but for one side that may be longer.
    picture: Size,
    aside: (f64, f64),
    // Whether it comes nearer, rather than going away; and along a longer side,
    // whether it goes right or down.
    nears: bool,
}

impl Motion {
    /// The size that a picture is drawn in for a film of `size`.
    pub fn stage(size: Size) -> Size {
        let side = |side: u32| (f64::from(side) * CLOSE / 2.0).ceil() as u32 * 2;
        Size {
            width: side(size.width),
            height: side(size.height),
        }
    }

    /// The way over slide `number` of a film of `size`: no two that follow each other are
    /// alike. The picture is of the [`Motion::stage`]'s size.
    pub fn of(number: usize, size: Size) -> Self {
        let stage = Self::stage(size);
        Self {
            stage,
            picture: stage,
            aside: ASIDE[number % ASIDE.len()],
            nears: number.is_multiple_of(2),
        }
    }

    /// The way over a picture of which one side is longer than the stage's: along that, from
    /// end to end, so that all of it is seen.
    #[must_use]
    pub fn over(self, picture: Size) -> Self {
        Self { picture, ..self }
    }

    /// What the camera sees after `share` of its time, 0 to 1.
    pub fn at(&self, share: f64) -> Window {
        let share = share.clamp(0.0, 1.0);
        match self.picture == self.stage {
            true => self.nearing(share),
            false => self.along(share),
        }
    }

    /// As near as can be throughout: nothing of the shorter side is cut. It rests at the
    /// ends, which are seen while slides go over into each other.
    fn along(&self, share: f64) -> Window {
        let way = Easing::Smooth.at(if self.nears { share } else { 1.0 - share });
        let room = |all: u32, seen: u32| f64::from(all.saturating_sub(seen));
        Window {
            left: room(self.picture.width, self.stage.width) * way,
            top: room(self.picture.height, self.stage.height) * way,
            width: f64::from(self.stage.width),
            height: f64::from(self.stage.height),
        }
    }

    fn nearing(&self, share: f64) -> Window {
        let near = if self.nears { share } else { 1.0 - share };
        // The same share nearer in the same time looks like the same speed.
        let zoom = FAR * (CLOSE / FAR).powf(near);
        let (across, down) = (f64::from(self.stage.width), f64::from(self.stage.height));
        let (width, height) = (across / zoom, down / zoom);
        let place = |aside: f64| 0.5 + (aside - 0.5) * (2.0 * near - 1.0);
        Window {
            left: (across - width) * place(self.aside.0),
            top: (down - height) * place(self.aside.1),
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: Size = Size {
        width: 1920,
        height: 1080,
    };

    #[test]
    fn every_way_stays_on_the_picture_and_is_even() {
        for number in 0..8 {
            let motion = Motion::of(number, FILM);
            let stage = Motion::stage(FILM);
            let windows: Vec<Window> = (0..=90).map(|at| motion.at(f64::from(at) / 90.0)).collect();
            for window in &windows {
                assert!(window.left >= 0.0 && window.top >= 0.0, "{window:?}");
                assert!(
                    window.left + window.width <= f64::from(stage.width),
                    "{window:?}"
                );
                assert!(
                    window.top + window.height <= f64::from(stage.height),
                    "{window:?}"
                );
                let aspect = window.width / window.height;
                assert!((aspect - 16.0 / 9.0).abs() < 0.01, "{window:?}");
            }
            for three in windows.windows(3) {
                let bend = |of: fn(&Window) -> f64| {
                    (of(&three[2]) - 2.0 * of(&three[1]) + of(&three[0])).abs()
                };
                assert!(
                    bend(|w| w.left) < 0.04 && bend(|w| w.width) < 0.04,
                    "{three:?}"
                );
            }
        }
    }

    #[test]
    fn a_longer_side_is_seen_from_end_to_end_evenly_and_by_fractions_of_a_pixel() {
        let stage = Motion::stage(FILM);
        let long = [
            Size {
                width: stage.width * 2,
                ..stage
            },
            Size {
                height: stage.height + 300,
                ..stage
            },
        ];
        for (number, picture) in (0..2).flat_map(|number| long.map(|size| (number, size))) {
            let motion = Motion::of(number, FILM).over(picture);
            let windows: Vec<Window> = (0..=90).map(|at| motion.at(f64::from(at) / 90.0)).collect();
            let across = picture.width > stage.width;
            let place = |window: &Window| if across { window.left } else { window.top };
            let room = f64::from(picture.width - stage.width + picture.height - stage.height);
            let ends = [&windows[0], &windows[90]].map(place);
            let expected = if number == 0 {
                [0.0, room]
            } else {
                [room, 0.0]
            };
            assert_eq!(ends, expected, "{number} {picture:?}");
            for window in &windows {
                let aside = if across { window.top } else { window.left };
                assert_eq!(aside, 0.0, "nothing of the other side is cut");
                let size = (window.width, window.height);
                assert_eq!(size, (f64::from(stage.width), f64::from(stage.height)));
            }
            let steps: Vec<f64> = windows
                .windows(2)
                .map(|two| place(&two[1]) - place(&two[0]))
                .collect();
            let jump = steps
                .windows(2)
                .map(|two| (two[1] - two[0]).abs())
                .fold(0.0, f64::max);
            // The most that an eased way of that length changes its speed by in a frame.
            assert!(jump <= room * 6.0 / (90.0 * 90.0), "{jump}");
            assert!(
                steps.iter().any(|step| step.fract().abs() > 0.1),
                "not on whole pixels"
            );
        }
    }

    #[test]
    fn slides_that_follow_each_other_move_otherwise() {
        let ends = |number| [0.0, 1.0].map(|share| Motion::of(number, FILM).at(share));
        for number in 0..8 {
            assert_ne!(ends(number), ends(number + 1));
        }
    }
}
