//! Whether a film that the program drew itself is whole.

use std::path::Path;

use super::{decode, wrong};
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::media::probe;
use crate::media::survey::survey;

/// Opens a film at `path`, which is to be one stream of `frames` pictures, and
/// decodes its end.
///
/// # Errors
/// Says what is wrong with it; then it must not take its place.
pub fn verify_film(path: &Path, frames: u64, cancel: &Cancel) -> Result<()> {
    let unopened = |error| wrong("it does not open").because(error);
    let info = probe(path, cancel).map_err(unopened)?;
    let videos = info.streams.iter().filter(|stream| stream.is_video());
    let videos: Vec<usize> = videos.map(|stream| stream.index).collect();
    let [stream] = videos[..] else {
        return Err(wrong(format!("it has {} video streams", videos.len())));
    };
    let survey = survey(path, Some(&info.format), &[stream], cancel).map_err(unopened)?;
    let found = survey.span(stream).map_or(0, |span| span.packets);
    if found != frames {
        return Err(wrong(format!("it has {found} frames instead of {frames}")));
    }
    let last = survey.span(stream).and_then(|span| span.last_us);
    let end = last.map(|last| last.saturating_sub(survey.start_us));
    match decode(path, &info.format, stream, end, cancel)? {
        (1.., 0) => Ok(()),
        _ => Err(wrong(format!("stream {stream} does not decode to its end"))),
    }
}
