//! Plain lines on stderr, for pipes and logs.

use std::collections::HashMap;

use super::{Reporter, words};
use crate::dispatch::Event;
use crate::job::{Done, Outcome, Verdict};
use crate::say;
use crate::terminal::shown;

#[derive(Default)]
pub(super) struct Plain {
    failures_only: bool,
    jobs: usize,
    ended: usize,
    not_started: usize,
    // Source sizes of the jobs that run.
    running: HashMap<usize, Option<u64>>,
}

impl Plain {
    pub(super) fn failures_only() -> Self {
        Self {
            failures_only: true,
            ..Self::default()
        }
    }
}

impl Reporter for Plain {
    fn event(&mut self, event: &Event) {
        match event {
            Event::BatchStarted {
                jobs,
                slots,
                engine,
                ..
            } => {
                self.jobs = *jobs;
                if !self.failures_only {
                    let slots = words::count(*slots, "slot");
                    match jobs {
                        // They are to come.
                        0 => say!("waiting for videos on {slots} ({engine})"),
                        _ => say!("{} on {slots} ({engine})", words::count(*jobs, "job")),
                    }
                }
            }
            Event::JobAdded { .. } => self.jobs += 1,
            Event::JobStarted { job, bytes_in, .. } => {
                self.running.insert(*job, *bytes_in);
            }
            Event::JobFinished { name, outcome } => self.finished(name, outcome),
            Event::SourceRefused { .. } => {
                if let Some(text) = refusal(event) {
                    say!("{text}");
                }
            }
            Event::BatchFinished { .. } if self.not_started > 0 && !self.failures_only => {
                say!("{}", not_started(self.not_started));
            }
            Event::SourceSkipped { .. }
            | Event::SourceReplaced { .. }
            | Event::JobPlanned { .. }
            | Event::JobProgress { .. }
            | Event::BatchFinished { .. } => {}
        }
    }
}

impl Plain {
    fn finished(&mut self, name: &str, outcome: &Outcome) {
        let Some(bytes_in) = self.running.remove(&outcome.job) else {
            // A line for each of thousands would bury why.
            self.not_started += 1;
            return;
        };
        self.ended += 1;
        // Whatever makes the exit code 1 is printed, also with --quiet.
        if outcome.is_bad() || !self.failures_only {
            let text = ending(name, outcome, bytes_in);
            say!("[{}/{}] {text}", self.ended, self.jobs);
        }
    }
}

/// How many jobs there was no beginning of.
pub(super) fn not_started(jobs: usize) -> String {
    format!("{} not started", words::count(jobs, "job"))
}

/// Why a source cannot be worked on, in lines.
pub(super) fn refusal(event: &Event) -> Option<String> {
    let Event::SourceRefused {
        source,
        reason,
        log,
    } = event
    else {
        return None;
    };
    let log: String = log.iter().map(further).collect();
    let (source, reason) = (shown(source), shown(reason));
    Some(format!("FAILED {source}: {reason}{log}"))
}

/// A line below another one.
fn further(line: impl AsRef<str>) -> String {
    format!("\n    {}", shown(line.as_ref()))
}

/// How a job ended, in lines.
pub(super) fn ending(name: &str, outcome: &Outcome, bytes_in: Option<u64>) -> String {
    let name = shown(name);
    match &outcome.verdict {
        Verdict::Done(done) => {
            let warnings: String = done
                .warnings
                .iter()
                .map(|warning| further(format!("warning: {warning}")))
                .collect();
            let figures = figures(done, outcome.end_s - outcome.start_s, bytes_in);
            let how = if done.salvaged { "SALVAGED" } else { "done" };
            format!("{how} {name} ({figures}){warnings}")
        }
        Verdict::Failed(failure) => {
            // The reason often ends with the log's last line: say it once.
            let lines = failure
                .log
                .iter()
                .filter(|line| !failure.reason.contains(line.as_str()));
            let log: String = lines.map(further).collect();
            format!("FAILED {name}: {}{log}", shown(&failure.reason))
        }
        Verdict::Cancelled => format!("stopped {name}"),
    }
}

/// Time, speed and sizes.
fn figures(done: &Done, took_s: f64, bytes_in: Option<u64>) -> String {
    let speed = words::times_real_time(done.media_s, took_s);
    let sizes = (done.bytes > 0).then(|| match bytes_in {
        Some(bytes_in) => words::shrunk(bytes_in, done.bytes),
        None => words::bytes(done.bytes),
    });
    let figures = [Some(words::duration(took_s)), speed, sizes];
    let figures: Vec<_> = figures.into_iter().flatten().collect();
    figures.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_job_tells_its_time_its_speed_and_what_became_of_its_size() {
        let outcome = Outcome {
            job: 0,
            slot: 0,
            start_s: 1.0,
            end_s: 5.0,
            verdict: Verdict::Done(Done {
                frames: 250,
                bytes: 1 << 20,
                media_s: 10.0,
                warnings: vec!["damaged".into()],
                ..Done::default()
            }),
        };
        assert_eq!(
            ending("a.mp4", &outcome, Some(3 << 20)),
            "done a.mp4 (4.0 s, 2.5 × real time, 3.0 MiB → 1.0 MiB)\n    warning: damaged"
        );
    }
}
