//! Bars on a terminal: one for the batch, a small one for each slot.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::gauge::{Gauge, Running};
use super::{Reporter, plain, words};
use crate::dispatch::Event;
use crate::job::{Outcome, Verdict};
use crate::say;

/// Slots that get a line of their own; a terminal is not endless.
const LINES: usize = 12;

/// Steps of a bar: finer than any terminal shows.
const STEPS: f64 = 10_000.0;

/// Columns before a name.
const BEFORE_NAME: usize = 40;

/// Columns of a terminal that does not tell its width.
const COLUMNS: usize = 80;

#[derive(Default)]
pub(super) struct Bars {
    all: MultiProgress,
    gauge: Gauge,
    total: Option<ProgressBar>,
    slots: Vec<ProgressBar>,
}

impl Reporter for Bars {
    fn event(&mut self, event: &Event) {
        let now = Instant::now();
        if let Event::JobFinished { name, outcome } = event {
            self.ended(name, outcome);
        }
        self.gauge.event(event, now);
        match event {
            Event::BatchStarted { slots, .. } => self.start(*slots),
            Event::JobStarted { job, slot, .. } | Event::JobProgress { job, slot, .. } => {
                self.show(*job, *slot, now);
            }
            Event::SourceRefused { .. } => {
                if let Some(text) = plain::refusal(event) {
                    let _ = self.all.println(text);
                }
            }
            Event::BatchFinished { .. } => {
                for bar in self.slots.iter().chain(&self.total) {
                    bar.finish_and_clear();
                }
                let _ = self.all.clear();
                self.total = None;
                if self.gauge.not_started > 0 {
                    say!("{}", plain::not_started(self.gauge.not_started));
                }
            }
            Event::SourceSkipped { .. }
            | Event::SourceReplaced { .. }
            | Event::JobPlanned { .. }
            | Event::JobAdded { .. }
            | Event::JobFinished { .. } => {}
        }
        self.advance(now);
    }
}

impl Bars {
    fn start(&mut self, slots: usize) {
        let total = self.all.add(ProgressBar::new(STEPS as u64));
        total.set_style(style("{prefix:.bold}  {wide_bar:.cyan/dim}  {msg}"));
        total.enable_steady_tick(Duration::from_millis(200));
        self.total = Some(total);
        for _ in 0..slots.min(LINES) {
            let line = self.all.add(ProgressBar::new(STEPS as u64));
            line.set_style(idle());
            line.tick();
            self.slots.push(line);
        }
    }

    /// What people should know of a job that ended; its slot is free.
    fn ended(&self, name: &str, outcome: &Outcome) {
        let warned = outcome.done().is_some_and(|done| !done.warnings.is_empty());
        if matches!(outcome.verdict, Verdict::Failed(_)) || warned {
            let _ = self.all.println(plain::ending(name, outcome, None));
        }
        // One that never started has no slot.
        let ran = self.gauge.running(outcome.job).is_some();
        if let Some(line) = self.slots.get(outcome.slot)
            && ran
        {
            line.set_style(idle());
            line.set_message("");
        }
    }

    fn show(&self, job: usize, slot: usize, now: Instant) {
        let (Some(line), Some(running)) = (self.slots.get(slot), self.gauge.running(job)) else {
            return;
        };
        if running.share() == 0.0 {
            line.set_style(style("  {bar:10.green/dim} {msg}"));
        }
        line.set_position((running.share() * STEPS) as u64);
        line.set_message(slot_line(running, columns(), now));
    }

    fn advance(&self, now: Instant) {
        let Some(total) = &self.total else { return };
        total.set_position((self.gauge.share() * STEPS) as u64);
        let jobs = words::count(self.gauge.jobs, "job");
        total.set_prefix(format!("{}/{jobs}", self.gauge.ended));
        total.set_message(total_line(&self.gauge, now));
    }
}

/// `34 %   3.1 ×   1.2 GiB → 340.5 MiB   ETA 12:34`
fn total_line(gauge: &Gauge, now: Instant) -> String {
    let sizes = (gauge.bytes_out > 0).then(|| words::shrunk(gauge.bytes_in, gauge.bytes_out));
    let parts = if gauge.is_idle() {
        [sizes, None, Some("waiting for videos".into())]
    } else {
        let numbers = format!(
            "{:>2.0} %   {}",
            // Not 100 before the end.
            (gauge.share() * 100.0).floor(),
            rate(gauge.speed(now), words::times)
        );
        let left = gauge.left_s(now).map_or("–:––".into(), words::clock);
        [Some(numbers), sizes, Some(format!("ETA {left}"))]
    };
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    parts.join("   ")
}

/// ` 64 %   142 fps   5.9 ×   name`
fn slot_line(running: &Running, columns: usize, now: Instant) -> String {
    let fps = rate(running.fps(now), |fps| format!("{fps:.0} fps"));
    let speed = rate(running.speed(now), words::times);
    format!(
        "{:>3.0} %  {fps:>8}  {speed:>7}   {}",
        (running.share() * 100.0).floor(),
        words::fit(&running.name, columns.saturating_sub(BEFORE_NAME))
    )
}

/// A rate in words; a dash as long as there is none.
fn rate(value: f64, words: impl Fn(f64) -> String) -> String {
    if value > 0.0 {
        words(value)
    } else {
        "–".into()
    }
}

fn columns() -> usize {
    let size = console::Term::stderr().size_checked();
    size.map_or(COLUMNS, |(_, columns)| usize::from(columns))
}

fn idle() -> ProgressStyle {
    style("{msg}")
}

/// How bars look, laid out as `template` says.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}

/// A bar on stderr for reading `bytes`.
pub fn bytes_bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    bar.set_style(style(
        "{wide_bar:.cyan/dim} {percent:>3} %  {bytes} of {total_bytes}  ETA {eta:>4}",
    ));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Progress;

    fn at_80_columns(name: &str) -> String {
        let mut gauge = Gauge::default();
        let began = Instant::now();
        let started = Event::JobStarted {
            job: 0,
            slot: 0,
            name: name.into(),
            duration_s: Some(100.0),
            cost: 1.0,
            bytes_in: None,
            at_s: 0.0,
        };
        gauge.event(&started, began);
        let progress = Progress {
            frames: 14_200,
            position_s: 64.0,
            bytes: 0,
        };
        let progressed = Event::JobProgress {
            job: 0,
            slot: 0,
            progress,
        };
        gauge.event(&progressed, began);
        let now = began + Duration::from_secs(10);
        slot_line(gauge.running(0).unwrap(), 80, now)
    }

    #[test]
    fn the_line_of_a_slot_fits_80_columns_whatever_the_name() {
        assert_eq!(
            at_80_columns("day1/a.mov"),
            " 64 %  1420 fps    6.4 ×   day1/a.mov"
        );
        for name in [
            "x".repeat(300),
            "長い名前".repeat(30),
            "a\nb\u{1b}[2Jc".repeat(20),
        ] {
            let line = at_80_columns(&name);
            // Two columns and the bar come before it.
            let width = 13 + console::measure_text_width(&line);
            assert!((78..=80).contains(&width), "{width}: {line}");
            assert!(!line.contains(char::is_control), "{line:?}");
        }
    }
}
