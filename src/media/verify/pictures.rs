//! Whether pictures are what was written.

use std::io::BufReader;
use std::path::Path;

use super::{Depth, Evidence, wrong};
use crate::error::Result;
use crate::media::files::{self, Access};
use crate::recipe::Sink;

/// The first picture and the last are there, or all decode where that is asked for.
pub(super) fn verify_pictures(folder: &Path, extension: &str, evidence: &Evidence) -> Result<()> {
    let frames = evidence.frames.unwrap_or(0);
    let whole = evidence.job.verify >= Depth::Decode;
    let last = frames.max(1);
    let looked_at = (1..=last).filter(|number| whole || *number == 1 || *number == last);
    for number in looked_at.filter(|_| frames > 0) {
        let name = Sink::picture_name(number, extension);
        let path = folder.join(&name);
        if files::length(&path).unwrap_or(0) == 0 {
            return Err(wrong(format!("picture {name} is missing or empty")));
        }
        if whole {
            let undecodable = |error: image::ImageError| {
                wrong(format!("picture {name} does not decode")).because(error)
            };
            let file = files::open(&path, Access::Read)
                .map_err(|error| wrong(format!("picture {name} is missing")).because(error))?;
            let reader = image::ImageReader::new(BufReader::new(file));
            let reader = reader
                .with_guessed_format()
                .map_err(image::ImageError::from);
            reader
                .and_then(|reader| reader.decode())
                .map_err(undecodable)?;
        }
    }
    Ok(())
}
