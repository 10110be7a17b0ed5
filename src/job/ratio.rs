//! Exact fractions for time bases, frame rates and aspect ratios.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Samples longer one way than this many times the other are an error of the file.
const LONGEST_SAMPLE: f64 = 16.0;

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

    /// As the shape of a sample: square where it is unknown or cannot be meant.
    pub fn or_square(self) -> Self {
        let range = 1.0 / LONGEST_SAMPLE..=LONGEST_SAMPLE;
        if self.is_positive() && range.contains(&self.as_f64()) {
            self
        } else {
            Self::new(1, 1)
        }
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
