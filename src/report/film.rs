//! How far a film is: a bar on a terminal, a line now and then elsewhere, or JSON.

use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use serde_json::json;

use super::bars::style;
use super::{Style, words};
use crate::dispatch::OnError;
use crate::error::{Error, Result};
use crate::film::{Audience, Made};
use crate::terminal::{shown, shown_path};
use crate::{out, say};

/// Time between two lines, and between two objects.
const EVERY: Duration = Duration::from_secs(5);

/// Tells of one film.
pub struct Telling {
    style: Style,
    on_error: OnError,
    bar: Option<ProgressBar>,
    began: Instant,
    told: Instant,
}

impl Telling {
    /// In `style`; slides that cannot be drawn end the film where `on_error` says so.
    pub fn new(style: Style, on_error: OnError) -> Self {
        let on_terminal = style == Style::Auto && crate::terminal::can_redraw();
        Self {
            style,
            on_error,
            bar: on_terminal.then(bar),
            began: Instant::now(),
            told: Instant::now(),
        }
    }

    /// Tells what was made.
    pub fn finish(self, target: &Path, made: Made, seconds: f64) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let took = self.began.elapsed();
        let bytes = std::fs::metadata(target).map_or(0, |data| data.len());
        match self.style {
            Style::Json => out!(
                "{}",
                json!({"event": "film_made", "target": target.display().to_string(),
                       "frames": made.frames, "left_out": made.left_out, "bytes": bytes,
                       "seconds": took.as_secs_f64()})
            ),
            Style::Auto => out!(
                "{}: {} of film, {}, made in {}",
                shown_path(target),
                words::duration(seconds),
                words::bytes(bytes),
                words::duration(took.as_secs_f64())
            ),
            Style::Quiet => {}
        }
    }

    /// Tells of a picture that is left out.
    pub fn left_out(&self, reason: &str) {
        let say = || say!("left out: {}", shown(reason));
        match (self.style, &self.bar) {
            (Style::Json, _) => {
                out!("{}", json!({"event": "picture_left_out", "reason": reason}));
            }
            (_, Some(bar)) => bar.suspend(say),
            (_, None) => say(),
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    bar.set_style(style(
        "{msg} {wide_bar:.cyan/dim} {percent:>3} %  frame {pos}/{len}  ETA {eta:>4}",
    ));
    bar.set_message("rendering the film");
    bar
}

impl Audience for Telling {
    fn progress(&mut self, done: u64, all: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
            return;
        }
        if self.told.elapsed() < EVERY {
            return;
        }
        self.told = Instant::now();
        match self.style {
            Style::Json => out!(
                "{}",
                json!({"event": "film_progress", "frames": done, "of": all})
            ),
            Style::Auto => say!("frame {done} of {all}"),
            Style::Quiet => {}
        }
    }

    fn lost(&mut self, _: usize, error: Error) -> Result<()> {
        match self.on_error {
            OnError::Stop => Err(error),
            OnError::Continue => {
                self.left_out(&error.line());
                Ok(())
            }
        }
    }
}
