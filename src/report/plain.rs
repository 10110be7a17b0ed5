//! Plain lines on stderr, for pipes and logs.

use super::{Reporter, words};
use crate::dispatch::Event;
use crate::job::{Outcome, Verdict};

#[derive(Default)]
pub(super) struct Plain {
    failures_only: bool,
    jobs: usize,
    ended: usize,
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
                    eprintln!(
                        "{} on {} ({engine})",
                        words::count(*jobs, "job"),
                        words::count(*slots, "slot")
                    );
                }
            }
            Event::JobFinished { name, outcome } => {
                self.ended += 1;
                let failed = matches!(outcome.verdict, Verdict::Failed(_));
                if failed || !self.failures_only {
                    eprintln!("[{}/{}] {}", self.ended, self.jobs, ending(name, outcome));
                }
            }
            Event::SourceRefused {
                source,
                reason,
                log,
            } => {
                let log: String = log.iter().map(|line| format!("\n    {line}")).collect();
                eprintln!("FAILED {source}: {reason}{log}");
            }
            Event::SourceSkipped { .. }
            | Event::JobPlanned { .. }
            | Event::JobStarted { .. }
            | Event::JobProgress { .. }
            | Event::BatchFinished { .. } => {}
        }
    }
}

/// How a job ended, in lines.
pub(super) fn ending(name: &str, outcome: &Outcome) -> String {
    let took = words::duration(outcome.end_s - outcome.start_s);
    match &outcome.verdict {
        Verdict::Done(done) => {
            let warnings: String = done
                .warnings
                .iter()
                .map(|warning| format!("\n    warning: {warning}"))
                .collect();
            let size = if done.bytes > 0 {
                format!(", {}", words::bytes(done.bytes))
            } else {
                String::new()
            };
            format!("done {name} ({took}{size}){warnings}")
        }
        Verdict::Failed(failure) => {
            // The reason often ends with the log's last line: say it once.
            let lines = failure
                .log
                .iter()
                .filter(|line| !failure.reason.contains(line.as_str()));
            let log: String = lines.map(|line| format!("\n    {line}")).collect();
            format!("FAILED {name}: {}{log}", failure.reason)
        }
        Verdict::Cancelled => format!("stopped {name}"),
    }
}
