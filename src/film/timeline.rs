//! Which slide is seen in which frame.

use super::Storyboard;

/// A storyboard counted in frames.
pub(super) struct Timeline {
    slides: u64,
    slide_frames: u64,
    fade_frames: u64,
    fps: u32,
}

/// What one frame shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shot {
    /// A slide alone.
    Still(usize),
    /// A slide going over into the one after it.
    Fade {
        /// The earlier slide.
        from: usize,
        /// How much of the later one is seen, of 256.
        weight: u32,
    },
}

impl Shot {
    /// The slide that is seen, or the earlier one of two.
    pub(super) fn slide(self) -> usize {
        match self {
            Self::Still(slide) | Self::Fade { from: slide, .. } => slide,
        }
    }
}

impl Timeline {
    pub(super) fn new(storyboard: &Storyboard) -> Self {
        let frames = |seconds: f64| (seconds * f64::from(storyboard.fps)).round().max(0.0) as u64;
        let slide_frames = frames(storyboard.seconds).max(1);
        Self {
            slides: storyboard.slides.len() as u64,
            slide_frames,
            fade_frames: frames(storyboard.fade).min(slide_frames - 1),
            fps: storyboard.fps,
        }
    }

    /// Length of the film in frames.
    pub(super) fn frames(&self) -> u64 {
        self.slides * self.slide_frames
    }

    /// Length of a slide in frames.
    pub(super) fn slide_frames(&self) -> u64 {
        self.slide_frames
    }

    /// What frame `frame` shows. A fade takes the last frames of the earlier slide.
    pub(super) fn shot(&self, frame: u64) -> Shot {
        let slide = (frame / self.slide_frames).min(self.slides - 1);
        let within = frame - slide * self.slide_frames;
        let fade_start = self.slide_frames - self.fade_frames;
        if slide + 1 == self.slides || within < fade_start {
            return Shot::Still(slide as usize);
        }
        let share = (within - fade_start + 1) as f64 / (self.fade_frames + 1) as f64;
        Shot::Fade {
            from: slide as usize,
            weight: (ease(share) * 256.0).round() as u32,
        }
    }

    /// Start and end of a slide in milliseconds.
    pub(super) fn chapter_ms(&self, slide: usize) -> (i64, i64) {
        let ms = |slide: u64| (slide * self.slide_frames * 1000 / u64::from(self.fps)) as i64;
        (ms(slide as u64), ms(slide as u64 + 1))
    }
}

/// Slow, fast, slow: 3t² − 2t³.
fn ease(t: f64) -> f64 {
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(slides: u64) -> Timeline {
        Timeline {
            slides,
            slide_frames: 90,
            fade_frames: 15,
            fps: 30,
        }
    }

    #[test]
    fn a_fade_is_monotonic_and_ends_where_the_next_slide_begins() {
        let timeline = timeline(2);
        assert_eq!(timeline.shot(74), Shot::Still(0));
        let weights: Vec<u32> = (75..90)
            .map(|frame| match timeline.shot(frame) {
                Shot::Fade { from: 0, weight } => weight,
                other => panic!("{other:?} at {frame}"),
            })
            .collect();
        assert!(weights.is_sorted_by(|a, b| a < b), "{weights:?}");
        assert!(weights[0] > 0 && weights[14] < 256);
        assert_eq!(timeline.shot(90), Shot::Still(1));
    }

    #[test]
    fn the_last_slide_stands_to_the_end() {
        let timeline = timeline(3);
        assert_eq!(timeline.frames(), 270);
        assert_eq!(timeline.shot(269), Shot::Still(2));
        assert_eq!(timeline.chapter_ms(2), (6000, 9000));
    }

    #[test]
    fn one_slide_has_no_fade() {
        let timeline = timeline(1);
        assert!((0..90).all(|frame| timeline.shot(frame) == Shot::Still(0)));
    }
}
