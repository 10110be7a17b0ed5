//! How far a benchmark is: a bar on a terminal, a line a round elsewhere.

pub mod events;

use std::time::Duration;

use indicatif::ProgressBar;

use super::bars::style;
use super::{Style, announce};
use crate::bench::run::Step;
use crate::dispatch::Event;
use crate::error::{Error, Result};
use crate::film::Audience;
use crate::plan::Refused;
use crate::terminal::shown;
use crate::{out, say};

/// Tells the steps of a benchmark and of what follows it.
pub struct Telling {
    bar: Option<ProgressBar>,
    how: Style,
    round: usize,
}

impl Telling {
    /// In `how`.
    pub fn new(how: Style) -> Self {
        let bar = (how == Style::Auto && crate::terminal::can_redraw()).then(|| {
            let bar = ProgressBar::new(1000);
            bar.set_style(style(
                "{msg:<40} {wide_bar:.cyan/dim} {percent:>3} %  ETA {eta:>4}",
            ));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { how, bar, round: 0 }
    }

    /// Tells of clips that are left out.
    pub fn refused(&self, refused: &[Refused]) {
        for refused in refused {
            match self.how {
                Style::Json => announce(Style::Json, &Event::from(refused)),
                Style::Auto | Style::Quiet => say!("{}", shown(&refused.told())),
            }
        }
    }

    /// Tells a step of the measuring.
    pub fn step(&mut self, step: &Step) {
        if self.how == Style::Json {
            out!("{}", events::step(step));
            return;
        }
        match step {
            Step::WarmUp(cell) => self.say(&format!("warm-up: {}", cell), 0.0, true),
            Step::Compare(work) => self.say(
                &format!("comparing the outputs of {}", work.name()),
                0.0,
                true,
            ),
            Step::Costs => self.say("measuring pros and cons", 1.0, true),
            Step::Measure { round, cell, used } => {
                let first = *round != self.round;
                self.round = *round;
                if self.bar.is_some() {
                    self.say(&format!("round {round}: {}", cell), *used, false);
                } else if first {
                    self.say(
                        &format!("round {round} ({:.0} % of the budget used)", used * 100.0),
                        *used,
                        true,
                    );
                }
            }
        }
    }

    /// Runs what prints something else, with no bar in between.
    pub fn aside(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Clears the bar.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, text: &str, share: f64, line: bool) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
            bar.set_position((share * 1000.0) as u64);
        } else if self.how == Style::Auto && line {
            say!("{text}");
        }
    }
}

impl Audience for Telling {
    fn progress(&mut self, done: u64, all: u64) {
        if let (Some(bar), 0) = (&self.bar, done) {
            bar.reset();
        }
        if self.bar.is_some() {
            self.say("rendering the film", done as f64 / all.max(1) as f64, false);
        } else if done == 0 {
            self.say("rendering the film", 0.0, true);
        }
    }

    fn lost(&mut self, _: usize, error: Error) -> Result<()> {
        Err(error)
    }
}
