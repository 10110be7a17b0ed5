//! `rushes convert`.

use super::encoding::Encoding;
use super::running::Running;
use super::{Ending, outcome};
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::recipe::Recipe;

/// Convert a folder of videos to mp4 (H.264 and AAC).
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    encoding: Encoding,

    #[command(flatten)]
    running: Running,
}

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        let recipe = Recipe::Transcode(
            self.encoding
                .recipe(usize::from(self.running.codec_threads), "medium")?,
        );
        outcome::run_recipe(&recipe, &self.running, cancel)
    }
}
