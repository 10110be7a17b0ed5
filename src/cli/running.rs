//! Flags that say what a batch works on, how it runs, and how it is told.

use std::path::PathBuf;

use clap::Args;

use crate::engine::Dispatch;
use crate::plan::Existing;
use crate::report::Style;
use crate::values;

/// What a batch works on, how it runs, and how it is told.
#[derive(Debug, Args)]
pub struct Running {
    /// Videos, or folders of videos.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Where results go; folders are mirrored.
    #[arg(short, long, value_name = "DIR", default_value = "output")]
    pub output: PathBuf,

    /// Jobs at once [default: the number of cores].
    #[arg(short, long, value_name = "N", value_parser = values::jobs)]
    pub jobs: Option<usize>,

    /// Threads that each codec of a job may use.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub codec_threads: u16,

    /// How jobs are run.
    #[arg(long, value_name = "HOW", value_enum, default_value = "threads")]
    pub dispatch: Dispatch,

    /// What to do where a result already exists.
    #[arg(long, value_name = "WHAT", value_enum, default_value = "skip")]
    pub exists: Existing,

    /// Print events on stdout, one JSON object a line.
    #[arg(long)]
    pub json: bool,

    /// Tell of failures alone.
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,

    /// Print what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
}

impl Running {
    /// Jobs at once.
    pub fn slots(&self) -> usize {
        self.jobs.unwrap_or_else(values::cores)
    }

    /// How the batch is told.
    pub fn style(&self) -> Style {
        match (self.json, self.quiet) {
            (true, _) => Style::Json,
            (_, true) => Style::Quiet,
            _ => Style::Auto,
        }
    }
}
