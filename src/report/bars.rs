//! Bars on a terminal: one for the batch, one line a slot.

use std::collections::HashMap;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Reporter, plain, words};
use crate::dispatch::Event;
use crate::job::Verdict;

/// Work is counted in milliseconds of source, so that the ETA follows the work
/// left and not the number of files.
const MS: f64 = 1000.0;

/// Slots that get a line of their own; a terminal is not endless.
const LINES: usize = 12;

#[derive(Default)]
pub(super) struct Bars {
    all: MultiProgress,
    total: Option<ProgressBar>,
    slots: Vec<ProgressBar>,
    jobs: HashMap<usize, Running>,
    counted: usize,
    ended: usize,
    by_length: bool,
    finished_ms: f64,
}

struct Running {
    name: String,
    length_s: f64,
    position_s: f64,
}

impl Reporter for Bars {
    fn event(&mut self, event: &Event) {
        match event {
            Event::BatchStarted {
                jobs,
                slots,
                duration_s,
                ..
            } => self.start(*jobs, *slots, *duration_s),
            Event::JobStarted {
                job,
                slot,
                name,
                duration_s,
                ..
            } => {
                let length_s = duration_s.unwrap_or(0.0);
                self.jobs.insert(
                    *job,
                    Running {
                        name: name.clone(),
                        length_s,
                        position_s: 0.0,
                    },
                );
                self.show(*job, *slot, 0.0);
            }
            Event::JobProgress {
                job,
                slot,
                progress,
            } => {
                if let Some(running) = self.jobs.get_mut(job) {
                    running.position_s = progress.position_s.min(running.length_s);
                }
                self.show(*job, *slot, progress.position_s);
                self.advance();
            }
            Event::JobFinished { name, outcome } => {
                self.ended += 1;
                if let Some(running) = self.jobs.remove(&outcome.job) {
                    self.finished_ms += if self.by_length {
                        running.length_s * MS
                    } else {
                        1.0
                    };
                }
                let warned = outcome.done().is_some_and(|done| !done.warnings.is_empty());
                if matches!(outcome.verdict, Verdict::Failed(_)) || warned {
                    let _ = self.all.println(plain::ending(name, outcome, None));
                }
                if let Some(line) = self.slots.get(outcome.slot) {
                    line.set_message("");
                }
                self.advance();
            }
            // Told before there are bars.
            Event::SourceRefused { .. }
            | Event::SourceSkipped { .. }
            | Event::JobAdded { .. }
            | Event::JobPlanned { .. } => {}
            Event::BatchFinished { .. } => {
                for bar in self.slots.drain(..).chain(self.total.take()) {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

impl Bars {
    fn start(&mut self, jobs: usize, slots: usize, duration_s: f64) {
        self.counted = jobs;
        self.by_length = duration_s > 0.0;
        let length = if self.by_length {
            (duration_s * MS) as u64
        } else {
            jobs as u64
        };
        let total = self.all.add(ProgressBar::new(length));
        total.set_style(style(
            "{msg:>12} {wide_bar:.cyan/dim} {percent:>3} %  ETA {eta:>4}",
        ));
        total.enable_steady_tick(Duration::from_millis(200));
        self.total = Some(total);
        for _ in 0..slots.min(LINES) {
            let line = self.all.add(ProgressBar::new_spinner());
            line.set_style(style("  {wide_msg}"));
            self.slots.push(line);
        }
        self.advance();
    }

    fn show(&self, job: usize, slot: usize, position_s: f64) {
        let (Some(line), Some(running)) = (self.slots.get(slot), self.jobs.get(&job)) else {
            return;
        };
        let share = if running.length_s > 0.0 {
            (position_s / running.length_s * 100.0).clamp(0.0, 100.0)
        } else {
            0.0
        };
        line.set_message(format!("{share:3.0} %  {}", running.name));
    }

    fn advance(&self) {
        let Some(total) = &self.total else { return };
        let running: f64 = if self.by_length {
            self.jobs.values().map(|job| job.position_s * MS).sum()
        } else {
            0.0
        };
        total.set_position((self.finished_ms + running) as u64);
        total.set_message(format!(
            "{}/{}",
            self.ended,
            words::count(self.counted, "job")
        ));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
