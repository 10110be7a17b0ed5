//! The sample clips: made from `samples/samples.toml`, the same on every machine.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::delivery;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::media::{SyntheticClip, synthesise};
use crate::plan::prepare_output;

const RECIPE: &str = include_str!("../samples/samples.toml");

/// Where the clips for results in `output` are: beside it, so that all runs share them.
pub fn folder_beside(output: &Path) -> PathBuf {
    output.with_file_name("samples")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Samples {
    clip: Vec<SyntheticClip>,
}

/// The clips in `folder`, where all of them are made.
pub fn made(folder: &Path) -> Option<Vec<PathBuf>> {
    let samples: Samples = toml::from_str(RECIPE).ok()?;
    let clips = samples.clip.iter().map(|clip| folder.join(&clip.name));
    clips.map(|path| path.exists().then_some(path)).collect()
}

/// Makes the clips that are not yet in `folder`; returns all of them.
///
/// # Errors
/// Where the linked FFmpeg lacks what a clip needs, or the folder cannot be written to.
pub fn make(folder: &Path, cancel: &Cancel) -> Result<Vec<PathBuf>> {
    prepare_output(folder)?;
    let samples: Samples = toml::from_str(RECIPE)
        .map_err(|error| Error::failed("the samples' recipe is wrong").because(error))?;
    let mut paths = Vec::new();
    for clip in &samples.clip {
        let path = folder.join(&clip.name);
        if !path.exists() {
            make_one(clip, &path, cancel).map_err(|error| {
                Error::failed(format!("cannot make the sample '{}'", clip.name)).because(error)
            })?;
        }
        paths.push(path);
    }
    Ok(paths)
}

fn make_one(clip: &SyntheticClip, path: &Path, cancel: &Cancel) -> Result<()> {
    // Another run may be at it, too: the clips of both are the same.
    delivery::place(path, true, |part| synthesise(clip, part, cancel))
}
