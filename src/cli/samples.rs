//! `rushes samples`.

use std::path::PathBuf;

use super::Ending;
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::out;
use crate::samples;

/// Make the sample clips, from FFmpeg's own test sources.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the clips go; those that are there already stay.
    #[arg(short, long, value_name = "DIR", default_value = "output/samples")]
    output: PathBuf,
}

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        for path in samples::make(&self.output, cancel)? {
            out!("{}", path.display());
        }
        Ok(Ending::Done)
    }
}
