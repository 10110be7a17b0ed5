//! `rushes completions` and `rushes man`: what shells and readers of manuals get
//! of the command line, from the same description as `--help`.

use std::path::PathBuf;

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Ending};
use crate::error::{Error, Result};
use crate::out;
use crate::plan::prepare_output;

/// The program's name on the command line.
const NAME: &str = "rushes";

/// Print what a shell completes the command line by.
#[derive(Debug, clap::Args)]
pub struct Completions {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Write a manual page for each command.
#[derive(Debug, clap::Args)]
pub struct Man {
    /// Where the pages go.
    #[arg(short, long, value_name = "DIR", default_value = "output/man")]
    output: PathBuf,
}

impl Completions {
    pub(super) fn run(&self) -> Result<Ending> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), NAME, &mut script);
        out!("{}", String::from_utf8_lossy(&script).trim_end());
        Ok(Ending::Done)
    }
}

impl Man {
    pub(super) fn run(&self) -> Result<Ending> {
        prepare_output(&self.output)?;
        clap_mangen::generate_to(Cli::command(), &self.output).map_err(|error| {
            Error::failed(format!("cannot write to '{}'", self.output.display())).because(error)
        })?;
        out!("{}", self.output.display());
        Ok(Ending::Done)
    }
}
