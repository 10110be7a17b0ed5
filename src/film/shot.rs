//! What is seen of a slide, frame by frame.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use crate::error::Result;
use crate::media::Picture;

/// What is seen of a slide.
pub enum Shot<'a> {
    /// The same picture throughout.
    Still(Picture),
    /// Another one every frame, for some of the time at least.
    Moving(Moving<'a>),
}

/// Draws what is seen at a time, in seconds; on several threads at once.
type Draw<'a> = dyn Fn(f64) -> Result<Picture> + Send + Sync + 'a;

/// A shot that moves.
pub struct Moving<'a> {
    draw: Box<Draw<'a>>,
    moves: RangeInclusive<f64>,
    // How it stands before and after.
    rests: [OnceLock<Picture>; 2],
}

impl<'a> Moving<'a> {
    /// What `draw` gives for a time in seconds since the slide's beginning, below 0 while it
    /// comes in. Outside of `moves` it stands still.
    pub fn new(
        moves: RangeInclusive<f64>,
        draw: impl Fn(f64) -> Result<Picture> + Send + Sync + 'a,
    ) -> Self {
        Self {
            draw: Box::new(draw),
            moves,
            rests: [const { OnceLock::new() }; 2],
        }
    }

    fn at(&self, seconds: f64) -> Result<Picture> {
        let (first, last) = (*self.moves.start(), *self.moves.end());
        if seconds <= first {
            self.rest(0, first)
        } else if seconds >= last {
            self.rest(1, last)
        } else {
            (self.draw)(seconds)
        }
    }

    fn rest(&self, which: usize, seconds: f64) -> Result<Picture> {
        if let Some(picture) = self.rests[which].get() {
            return picture.share();
        }
        let picture = (self.draw)(seconds)?;
        // Another thread may have been first, with the same.
        self.rests[which].get_or_init(|| picture).share()
    }
}

impl Shot<'_> {
    /// The picture at so many seconds since the slide's beginning.
    ///
    /// # Errors
    /// Where it cannot be drawn.
    pub(super) fn at(&self, seconds: f64) -> Result<Picture> {
        match self {
            Self::Still(picture) => picture.share(),
            Self::Moving(moving) => moving.at(seconds),
        }
    }
}
