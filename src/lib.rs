//! `rushes`: folders of video in, what people need out, and the numbers that
//! show which way of running the work is best.
//!
//! The modules in the order in which a job passes through them:
//! folder → plan → dispatch → outcome → statistics → charts → film.

pub mod error;

pub mod bench;

/// Measurements → pictures.
pub mod chart;

/// Fonts, colours and pixels, in one place.
pub mod draw;

pub use error::{Error, Result};
