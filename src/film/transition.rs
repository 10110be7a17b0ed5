//! How one slide goes over into the next.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::media::Picture;

/// What is seen while one slide goes over into the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The one fades into the other.
    Fade,
    /// A soft edge moves from left to right, behind which is the next.
    Wipe,
    /// The next comes from the right and pushes the other out.
    Push,
    /// Nothing: one frame is of the one, the next of the other.
    None,
}

/// How a transition's speed changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Easing {
    /// Slow, fast, slow.
    Smooth,
    /// The same speed throughout.
    Linear,
}

/// A transition and its length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// What is seen.
    pub kind: Kind,
    /// For how long.
    pub seconds: f64,
    /// How fast when.
    pub easing: Easing,
}

impl Easing {
    /// From 0 to 1, for a time from 0 to 1.
    pub(super) fn at(self, t: f64) -> f64 {
        match self {
            // 3t² − 2t³.
            Self::Smooth => t * t * (3.0 - 2.0 * t),
            Self::Linear => t,
        }
    }
}

impl Transition {
    /// A cut.
    pub const NONE: Self = Self {
        kind: Kind::None,
        seconds: 0.0,
        easing: Easing::Linear,
    };

    /// Frame `number` of the `all` between a frame of `a` alone and one of `b` alone.
    ///
    /// # Errors
    /// Where the pictures differ in size, or memory is out.
    pub(super) fn frame(
        self,
        (a, b): (&Picture, &Picture),
        number: u64,
        all: u64,
    ) -> Result<Picture> {
        let share = self.easing.at((number + 1) as f64 / (all + 1) as f64);
        let width = a.size().0 as usize;
        match self.kind {
            Kind::Fade => Picture::blend(a, b, (share * 256.0).round() as u32),
            Kind::Wipe => Picture::blend_columns(a, b, &edge(width, share)),
            Kind::Push => {
                let columns = (share * width as f64 / 2.0).round() as usize * 2;
                Picture::beside(a, b, columns)
            }
            Kind::None => Picture::blend(a, b, 0),
        }
    }
}

/// The weights of the next slide, column by column, with the middle of the edge so
/// far on its way that it is outside at both ends.
fn edge(width: usize, share: f64) -> Vec<u16> {
    let soft = (width as f64 / 12.0).max(2.0);
    let middle = share * (width as f64 + soft) - soft / 2.0;
    (0..width)
        .map(|column| {
            let behind = (middle - column as f64 - 0.5) / soft + 0.5;
            (Easing::Smooth.at(behind.clamp(0.0, 1.0)) * 256.0).round() as u16
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_moves_from_side_to_side_and_never_back() {
        let weights: Vec<Vec<u16>> = (0..=100)
            .map(|step| edge(200, f64::from(step) / 100.0))
            .collect();
        assert!(weights[0].iter().all(|weight| *weight == 0));
        assert!(weights[100].iter().all(|weight| *weight == 256));
        for pair in weights.windows(2) {
            assert!(pair[0].iter().zip(&pair[1]).all(|(a, b)| a <= b));
        }
    }

    #[test]
    fn easing_begins_at_0_ends_at_1_and_is_monotonic() {
        for easing in [Easing::Smooth, Easing::Linear] {
            let at: Vec<f64> = (0..=50)
                .map(|step| easing.at(f64::from(step) / 50.0))
                .collect();
            assert_eq!((at[0], at[50]), (0.0, 1.0));
            assert!(at.is_sorted());
        }
    }
}
