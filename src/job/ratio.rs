//! Exact fractions for time bases, frame rates and aspect ratios.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A fraction; `0/1` stands for "unknown" where libav uses it so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ratio {
    /// Numerator.
    pub num: i32,
    /// Denominator.
    pub den: i32,
}

impl Ratio {
    /// `num/den` as given.
    pub const fn new(num: i32, den: i32) -> Self {
        Self { num, den }
    }

    /// Whether both parts are above zero.
    pub fn is_positive(self) -> bool {
        self.num > 0 && self.den > 0
    }

    /// The fraction as a float; 0 where the denominator is 0.
    pub fn as_f64(self) -> f64 {
        if self.den == 0 {
            0.0
        } else {
            f64::from(self.num) / f64::from(self.den)
        }
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.num, self.den)
    }
}
