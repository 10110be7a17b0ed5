//! Whether a film that the program drew itself is whole.

use std::path::Path;

use super::written::{ENOUGH, Stretch, Written, undecodable};
use super::{can_be_read, wrong};
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::job::{StreamInfo, StreamKind};

/// Sound may end so much before or after the pictures: Opus comes in packets of 20 ms,
/// the first and the last of which are heard in part.
const SOUND_S: f64 = 0.03;

/// Opens a film at `path`, which is to be one stream of `frames` pictures and, where
/// it is heard, one of sound that lasts so many seconds, and decodes something near the
/// ends of both.
///
/// # Errors
/// Says what is wrong with it; then it must not take its place.
pub fn verify_film(path: &Path, frames: u64, heard_s: Option<f64>, cancel: &Cancel) -> Result<()> {
    let mut written = Written::open(path, cancel)?;
    let Written { info, survey, .. } = &written;
    let pick = |wanted: &dyn Fn(&StreamInfo) -> bool| -> Vec<usize> {
        let some = info.streams.iter().filter(|stream| wanted(stream));
        some.map(|stream| stream.index).collect()
    };
    let videos = pick(&StreamInfo::is_video);
    let sounds = pick(&|stream| matches!(stream.kind, StreamKind::Audio { .. }));
    let [stream] = videos[..] else {
        return Err(wrong(format!("it has {} video streams", videos.len())));
    };
    if sounds.len() != usize::from(heard_s.is_some()) {
        return Err(wrong(format!("it has {} tracks of sound", sounds.len())));
    }
    can_be_read(survey)?;
    let found = survey.span(stream).map_or(0, |span| span.packets);
    if found != frames {
        return Err(wrong(format!("it has {found} frames instead of {frames}")));
    }
    let end_of = |stream: &usize| survey.span(*stream).and_then(|span| span.end_us);
    if let (Some(heard_s), [sound]) = (heard_s, &sounds[..]) {
        let found_s = end_of(sound).unwrap_or(0) as f64 / 1e6;
        if (found_s - heard_s).abs() > SOUND_S {
            return Err(wrong(format!(
                "its sound lasts {found_s:.3} s instead of {heard_s:.3} s"
            )));
        }
    }
    for stream in [videos, sounds].concat() {
        let decoded = written.decode(stream, Stretch::Last { at_most: ENOUGH }, cancel)?;
        match (decoded.frames, decoded.damaged) {
            (1.., 0) => {}
            _ => return Err(undecodable(stream)),
        }
    }
    Ok(())
}
