//! The command line: one file a command, syntax only.

mod bench;
mod config;
mod convert;
mod doctor;
mod encoders;
mod encoding;
mod frames;
mod internal;
mod limits;
mod outcome;
mod profile;
mod running;
mod samples;
mod settle;
mod shell;
mod site;
mod slideshow;
mod status;
mod watch;

use clap::{Parser, Subcommand};

use crate::dispatch::Cancel;
use crate::engine::workers::{self, Role};
use crate::error::Result;

pub use outcome::exit_code;

/// Turns folders of video into what people need, and measures which way of running the work is
/// best.
#[derive(Debug, Parser)]
#[command(
    name = "rushes",
    version,
    about,
    max_term_width = 100,
    propagate_version = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Convert(convert::Args),
    Frames(frames::Args),
    Bench(Box<bench::Args>),
    Slideshow(slideshow::Args),
    Status(status::Args),
    Samples(samples::Args),
    Doctor(doctor::Args),
    Completions(shell::Completions),
    #[command(hide = true)]
    Man(shell::Man),
    #[command(hide = true)]
    Cell(internal::Cell),
    #[command(hide = true)]
    Worker,
}

/// How the program ended, where it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Everything is done.
    Done,
    /// Some jobs failed; the others are done.
    SomeFailed,
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// Whatever kept the command from its work.
    pub fn run(self, cancel: &Cancel) -> Result<Ending> {
        match self.command {
            Command::Convert(args) => args.run(cancel),
            Command::Frames(args) => args.run(cancel),
            Command::Bench(args) => args.run(cancel),
            Command::Slideshow(args) => args.run(cancel),
            Command::Status(args) => args.run(cancel),
            Command::Samples(args) => args.run(cancel),
            Command::Doctor(args) => args.run(),
            Command::Completions(args) => args.run(),
            Command::Man(args) => args.run(),
            Command::Cell(_) => internal::run_cell(cancel),
            Command::Worker => internal::run_worker(),
        }
    }

    /// What comes before there is any other thread: priority, which threads and children
    /// inherit, and workers that stand by. Gives back what this process is to run: a worker's
    /// command in these.
    ///
    /// # Errors
    /// Where the system refuses the priority.
    pub fn begin(self) -> Result<Self> {
        let workers = match &self.command {
            Command::Convert(convert::Args { running, .. })
            | Command::Frames(frames::Args { running, .. }) => {
                running.lower_priority()?;
                // One more: no worker verifies what it made itself.
                running.slots() + 1
            }
            Command::Cell(cell) if cell.workers > 0 => cell.workers + 1,
            _ => 0,
        };
        Ok(match workers::stand_by(workers) {
            Role::Program => self,
            Role::Worker => Self {
                command: Command::Worker,
            },
        })
    }

    /// Whether a signal asks the command to stop, and does not simply end it: a
    /// worker has nothing to tidy up, and no thread that could watch for one.
    pub fn watches_signals(&self) -> bool {
        !matches!(self.command, Command::Worker)
    }
}
