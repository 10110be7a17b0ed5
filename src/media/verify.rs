//! Whether a written file is what its pipeline planned.

use std::path::Path;

use super::probe;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::recipe::{Pipeline, Sink};

/// Opens the result at `path` and holds it against the plan and the number of frames written.
///
/// # Errors
/// Says what is missing.
pub fn verify(path: &Path, pipeline: &Pipeline, frames: u64, cancel: &Cancel) -> Result<()> {
    match &pipeline.sink {
        Sink::File { .. } => verify_file(path, pipeline, frames, cancel),
        Sink::Pictures { extension } => verify_pictures(path, extension, frames),
    }
}

fn verify_file(path: &Path, pipeline: &Pipeline, frames: u64, cancel: &Cancel) -> Result<()> {
    let bad = |what: String| Error::failed(format!("the result is not as planned: {what}"));
    let info =
        probe(path, cancel).map_err(|error| bad("it does not open".into()).because(error))?;
    let (videos, sounds) = (
        info.streams.iter().filter(|s| s.is_video()).count(),
        info.streams.iter().filter(|s| s.is_audio()).count(),
    );
    if videos != 1 || sounds != pipeline.audio.len() {
        let planned = pipeline.audio.len();
        return Err(bad(format!(
            "it has {videos} video and {sounds} audio streams instead of 1 and {planned}"
        )));
    }
    if frames == 0 || !info.duration_s.is_some_and(|duration| duration > 0.0) {
        return Err(bad("it has no frames".into()));
    }
    Ok(())
}

fn verify_pictures(folder: &Path, extension: &str, frames: u64) -> Result<()> {
    for number in [1, frames] {
        let name = Sink::picture_name(number, extension);
        let length = std::fs::metadata(folder.join(&name))
            .map(|data| data.len())
            .unwrap_or(0);
        if length == 0 {
            return Err(Error::failed(format!(
                "the result is not as planned: picture {name} is missing or empty"
            )));
        }
    }
    Ok(())
}
