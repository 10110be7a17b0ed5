//! From slides to a film: they are drawn, go over into each other, and are
//! encoded by the same encoder and muxer as transcodes.

pub mod bench;
mod calm;
pub mod format;
mod jpeg;
mod motion;
pub mod music;
mod output;
mod part;
pub mod photo;
mod reel;
mod render;
mod shot;
pub mod slideshow;
pub mod storyboard;
mod timeline;
pub mod transition;

pub use render::{Made, render, render_as};
pub use shot::{Moving, Shot};

use std::ops::RangeInclusive;

use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::recipe::Size;
use format::Encoding;
use music::Music;
use timeline::Timeline;
use transition::Transition;

/// A slide: drawn when its turn comes, so that a long film holds a few at a time.
pub struct Slide<'a> {
    /// The chapter's title.
    pub title: String,
    /// How long it is seen, the transition to the next one included.
    pub seconds: f64,
    /// How it goes over into the next one.
    pub transition: Transition,
    /// When it moves, in seconds since its beginning; never, where this is none. What
    /// is drawn stands still at all other times.
    pub moves: Option<RangeInclusive<f64>>,
    /// Draws what is seen in the film's size; on another thread, ahead of its time.
    pub draw: Box<dyn Fn() -> Result<Shot<'a>> + Send + Sync + 'a>,
}

/// What a film shows, and how.
pub struct Film<'a> {
    /// Title of the whole film, for players.
    pub title: String,
    /// The slides in order.
    pub slides: Vec<Slide<'a>>,
    /// The size of its frames.
    pub size: Size,
    /// Frames a second.
    pub rate: Ratio,
    /// What it is encoded as.
    pub encoding: Encoding,
    /// What is heard.
    pub music: Option<Music>,
}

impl Film<'_> {
    /// Its length in frames, if every slide can be drawn.
    pub fn frames(&self) -> u64 {
        Timeline::length(self.rate, self.slides.iter().map(|slide| slide.seconds))
    }

    /// The same in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / self.rate.as_f64()
    }
}

/// Who is told while a film is made.
pub trait Audience {
    /// So many frames of all are encoded; told with 0 once, at the beginning, and as more are.
    fn progress(&mut self, done: u64, all: u64);

    /// Slide `number` cannot be drawn. It is left out where this gives `Ok`.
    ///
    /// # Errors
    /// With what is to end the film, such as `error` itself.
    fn lost(&mut self, number: usize, error: Error) -> Result<()>;
}
