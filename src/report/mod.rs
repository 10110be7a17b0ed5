//! What people and programs are told while a batch runs. Each way of telling
//! consumes the same events.

pub mod ahead;
pub mod answer;
mod bars;
pub mod bench;
pub mod costs;
mod ended;
pub mod film;
mod gauge;
mod json;
pub mod page;
mod plain;
pub mod planned;
pub mod summary;
pub mod versus;
pub mod words;

pub use bars::bytes_bar;
use crossbeam_channel::{Receiver, Sender};

use crate::dispatch::{Cancel, Event, Queue, Terms, dispatch, dispatch_all};
use crate::engine::Engine;
use crate::error::{Error, Result};
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

impl Style {
    /// As flags ask for, of which `json` goes before.
    pub fn of(json: bool, quiet: bool) -> Self {
        match (json, quiet) {
            (true, _) => Self::Json,
            (_, true) => Self::Quiet,
            _ => Self::Auto,
        }
    }
}

/// Consumes the events of one batch.
trait Reporter {
    fn event(&mut self, event: &Event);
}

/// Runs `jobs` on `engine` and reports that in `style`.
///
/// # Errors
/// As [`dispatch_all`].
pub fn run_batch(
    jobs: &[Job],
    engine: &dyn Engine,
    terms: &Terms,
    cancel: &Cancel,
    style: Style,
    settle: &(dyn Fn(Outcome) -> Outcome + Sync),
) -> Result<Vec<Outcome>> {
    telling(style, |events| {
        dispatch_all(jobs, engine, terms, cancel, events, settle)
    })
}

/// Runs on `engine` what `feed` puts into the queue, on a thread of its own,
/// until that returns, and reports that in `style`.
///
/// `feed` is to return soon once `cancel` is set or the queue was stopped.
///
/// # Errors
/// As [`dispatch`].
pub fn run_fed(
    engine: &dyn Engine,
    terms: &Terms,
    cancel: &Cancel,
    style: Style,
    feed: impl FnOnce(&Queue, &Sender<Event>) + Send,
    settle: &(dyn Fn(Outcome) -> Outcome + Sync),
) -> Result<()> {
    let queue = Queue::open();
    telling(style, |events| {
        std::thread::scope(|scope| {
            let fed = std::thread::Builder::new()
                .name("feed".into())
                .spawn_scoped(scope, || {
                    let _closing = Closing(&queue);
                    feed(&queue, events);
                })
                .map_err(no_thread)?;
            let result = dispatch(&queue, engine, terms, cancel, events, settle);
            // Where it could not begin, nothing is to be fed.
            queue.stop();
            match fed.join() {
                Ok(()) => result,
                Err(_) => Err(Error::failed(
                    "a defect of rushes stopped it → report it with the lines above",
                )),
            }
        })
    })
}

/// Closes a queue when who feeds it ends, in whatever way: else its slots would wait for ever.
struct Closing<'a>(&'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Lets `run` send events that are told in `style`.
fn telling<T>(style: Style, run: impl FnOnce(&Sender<Event>) -> Result<T>) -> Result<T> {
    let (sender, receiver) = crossbeam_channel::unbounded();
    std::thread::scope(|scope| {
        let reporter = std::thread::Builder::new()
            .name("reporter".into())
            .spawn_scoped(scope, move || tell(&receiver, style))
            .map_err(no_thread)?;
        let result = run(&sender);
        drop(sender);
        let _ = reporter.join();
        result
    })
}

fn no_thread(error: std::io::Error) -> Error {
    Error::failed("cannot start a thread").because(error)
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
        Style::Auto if crate::terminal::can_redraw() => Box::new(bars::Bars::default()),
        Style::Auto => Box::new(plain::Plain::default()),
    };
    for event in events {
        reporter.event(&event);
    }
}
