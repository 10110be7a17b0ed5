//! The camera's slow way over a picture that stands still.

use crate::media::Window;
use crate::recipe::Size;

/// How much larger than the film a picture is drawn that the camera moves over: so
/// near it comes, and sees the picture's own pixels there.
const CLOSE: f64 = 1.14;

/// How near the camera is where it is furthest: there is room for a way aside.
const FAR: f64 = 1.03;

/// Where the camera looks when it is near, as shares of the room that there is.
const ASIDE: [(f64, f64); 4] = [(0.62, 0.38), (0.3, 0.45), (0.55, 0.7), (0.38, 0.32)];

/// A way of the camera over a picture of [`Motion::stage`]'s size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    stage: Size,
    aside: (f64, f64),
    // Whether it comes nearer, rather than going away.
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

    /// The way over slide `number` of a film of `size`: no two that follow each other are alike.
    pub fn of(number: usize, size: Size) -> Self {
        Self {
            stage: Self::stage(size),
            aside: ASIDE[number % ASIDE.len()],
            nears: number.is_multiple_of(2),
        }
    }

    /// What the camera sees after `share` of its time, 0 to 1.
    pub fn at(&self, share: f64) -> Window {
        let share = share.clamp(0.0, 1.0);
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
    fn slides_that_follow_each_other_move_otherwise() {
        let ends = |number| [0.0, 1.0].map(|share| Motion::of(number, FILM).at(share));
        for number in 0..8 {
            assert_ne!(ends(number), ends(number + 1));
        }
    }
}
