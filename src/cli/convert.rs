//! `rushes convert`.

use std::path::PathBuf;

use clap::ValueEnum;
use comfy_table::{Table, presets as table_styles};

use super::encoding::Encoding;
use super::running::Running;
use super::{Ending, config, outcome, site};
use crate::bench::results::Work;
use crate::dispatch::{Cancel, Split};
use crate::error::{Error, Result};
use crate::out;
use crate::recipe::{CodecThreads, Container, Copying, Presets, Recipe, Transcode};
use crate::values;

/// Convert a folder of videos, nothing lost.
///
/// Without flags: H.264 and AAC in mp4; streams that are so already are copied.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to make of each video; given several times, each is read once and
    /// the results go to a folder a preset. `help` lists them.
    #[arg(long, value_name = "NAME", default_value = "web")]
    preset: Vec<String>,

    /// Presets of your own, in TOML [default: rushes/presets.toml in the user's configuration
    /// folder].
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Container of the results [default: the preset's].
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Container>,

    /// Whether streams that are already as wanted are copied or encoded anew.
    #[arg(long, value_name = "WHEN", value_enum, default_value = "auto")]
    copy: CopyWhen,

    /// Keep the source's own streams where the result is not smaller.
    #[arg(long)]
    keep_smaller: bool,

    /// Put results beside their sources, and move each source to the trash once
    /// its result is verified, whole, and in place.
    #[arg(long, conflicts_with_all = ["output", "watch"])]
    replace: bool,

    /// Which films are cut at key frames and encoded in parts, side by side: those that
    /// may be the last to be ready (what cannot be cut gets more codec threads), none, or
    /// all, in parts of at least so many seconds.
    #[arg(long, value_name = "auto|never|SECONDS", default_value = "auto", value_parser = values::split)]
    split: Split,

    #[command(flatten)]
    encoding: Encoding,

    #[command(flatten)]
    pub(super) running: Running,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CopyWhen {
    /// Copy what fits.
    Auto,
    /// Encode all.
    Never,
}

impl Args {
    pub(super) fn run(mut self, cancel: &Cancel) -> Result<Ending> {
        let presets = self.presets()?;
        if self.preset.iter().any(|name| name == "help") {
            print_presets(&presets);
            return Ok(Ending::Done);
        }
        let recipes = self.recipes(&presets)?;
        self.running.split = self.split;
        if self.replace {
            if recipes.len() > 1 {
                return Err(Error::usage(
                    "--replace: one source cannot be replaced by several results",
                )
                .cure("give --preset once"));
            }
            self.running.replace = true;
            site::beside_sources(&mut self.running)?;
        }
        self.running.choose(Work::Transcode);
        outcome::run_recipes(&recipes, &self.running, cancel)
    }

    fn presets(&self) -> Result<Presets> {
        let mut presets = Presets::own()?;
        if let Some(file) = self.config.clone().or_else(usual_presets) {
            presets.add(&file)?;
        }
        Ok(presets)
    }

    fn recipes(&self, presets: &Presets) -> Result<Vec<Recipe>> {
        let mut names = self.preset.clone();
        names.sort();
        names.dedup();
        if names.len() != self.preset.len() {
            return Err(Error::usage("--preset: one of them is given twice").cure("give each once"));
        }
        self.preset
            .iter()
            .map(|name| self.recipe(presets, name).map(Recipe::Transcode))
            .collect()
    }

    fn recipe(&self, presets: &Presets, name: &str) -> Result<Transcode> {
        let mut recipe = presets.get(name)?.recipe(name);
        recipe.container = self.format.unwrap_or(recipe.container);
        recipe.keep_smaller = self.keep_smaller;
        recipe.codec_threads = CodecThreads(usize::from(self.running.codec_threads));
        if self.copy == CopyWhen::Never {
            self.encode_all(&mut recipe)?;
        }
        self.encoding.apply(&mut recipe, "medium")?;
        if recipe.container == Container::M4a && recipe.video.is_some() {
            return Err(Error::usage("--format m4a holds sound alone")
                .cure("use --preset audio, or another format"));
        }
        Ok(recipe)
    }

    fn encode_all(&self, recipe: &mut Transcode) -> Result<()> {
        let contradicts = || {
            Error::usage(format!(
                "--copy never: the preset '{}' copies all streams",
                recipe.name
            ))
            .cure("leave --copy out, or choose another preset")
        };
        if let Some(video) = &mut recipe.video {
            if matches!(video.copy, Copying::Always) {
                return Err(contradicts());
            }
            video.copy = Copying::Never;
        }
        if let Some(audio) = &mut recipe.audio {
            if matches!(audio.copy, Copying::Always) {
                return Err(contradicts());
            }
            audio.copy = Copying::Never;
        }
        Ok(())
    }
}

/// The user's own presets, where there are any.
fn usual_presets() -> Option<PathBuf> {
    config::place("presets.toml").filter(|file| file.is_file())
}

fn print_presets(presets: &Presets) {
    let mut table = Table::new();
    table.load_style(table_styles::NOTHING);
    for (name, about) in presets.list() {
        table.add_row([name.to_owned(), about]);
    }
    out!("{table}");
}
