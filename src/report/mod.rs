//! What people and programs are told while a batch runs. Each way of telling
//! consumes the same events.

pub mod answer;
mod bars;
pub mod bench;
mod gauge;
mod json;
mod plain;
pub mod words;

use std::io::IsTerminal;

use crossbeam_channel::Receiver;

use crate::dispatch::{Cancel, Event, Terms, dispatch_all};
use crate::engine::Engine;
use crate::error::Result;
use crate::job::{Job, Outcome};

/// How a batch is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Bars where stderr is a terminal, plain lines elsewhere.
    Auto,
    /// One JSON object an event on stdout.
    Json,
    /// Failures alone.
    Quiet,
}

/// Consumes the events of one batch.
trait Reporter {
    fn event(&mut self, event: &Event);
}

/// Runs `jobs` on `engine` and tells of it in `style`.
///
/// # Errors
/// As [`dispatch_all`].
pub fn run_batch(
    jobs: &[Job],
    engine: &dyn Engine,
    terms: &Terms,
    cancel: &Cancel,
    style: Style,
) -> Result<Vec<Outcome>> {
    let (sender, receiver) = crossbeam_channel::unbounded();
    std::thread::scope(|scope| {
        let reporter = std::thread::Builder::new()
            .name("reporter".into())
            .spawn_scoped(scope, move || tell(&receiver, style))
            .map_err(|error| crate::Error::failed("cannot start a thread").because(error))?;
        let outcomes = dispatch_all(jobs, engine, terms, cancel, &sender);
        drop(sender);
        let _ = reporter.join();
        outcomes
    })
}

/// Tells in `style` what was found out before any job ran.
pub fn announce(style: Style, event: &Event) {
    match style {
        Style::Json => json::Json.event(event),
        Style::Auto | Style::Quiet => plain::Plain::failures_only().event(event),
    }
}

fn tell(events: &Receiver<Event>, style: Style) {
    let mut reporter: Box<dyn Reporter> = match style {
        Style::Json => Box::new(json::Json),
        Style::Quiet => Box::new(plain::Plain::failures_only()),
        Style::Auto if std::io::stderr().is_terminal() => Box::new(bars::Bars::default()),
        Style::Auto => Box::new(plain::Plain::default()),
    };
    for event in events {
        reporter.event(&event);
    }
}
