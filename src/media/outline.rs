//! What a file says of itself: streams, tags and chapters, in lines that can be compared.

use std::collections::BTreeMap;
use std::path::Path;

use ffmpeg::DictionaryRef;
use ffmpeg_next as ffmpeg;

use super::version::dictionary;
use super::{Input, compat};
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::recipe::tags::STALE;

/// The lines of `path`: what the muxer writes of its own accord is left out.
///
/// # Errors
/// Where it cannot be opened as media.
pub fn outline(path: &Path, cancel: &Cancel) -> Result<Vec<String>> {
    let input = Input::open(path, None, cancel)?;
    let info = super::probe::describe(&input);
    let mut lines = vec![format!("format {}", info.format)];
    lines.extend(tags(&input.context().metadata()));
    for (stream, described) in input.context().streams().zip(&info.streams) {
        let (index, codec) = (stream.index(), &described.codec);
        let flags = stream.disposition().bits();
        let begin = format!("stream {index}: ");
        let kind = &described.kind;
        lines.push(format!("{begin}{codec} {kind:?} dispositions {flags:#x}"));
        if described.is_video() {
            lines.push(format!("{begin}{}", colour(&stream)));
        }
        // SAFETY: the stream lives as long as the opened input.
        let sides = unsafe { compat::stream_side_data(stream.as_ptr()) };
        let mut sides: Vec<_> = sides
            .into_iter()
            .map(|(kind, data)| (format!("{kind:?}"), data))
            .collect();
        sides.sort();
        lines.extend(
            sides
                .iter()
                .map(|(kind, data)| format!("{begin}{kind} {data:?}")),
        );
        lines.extend(tags(&stream.metadata()).map(|tag| format!("{begin}{tag}")));
    }
    for chapter in input.context().chapters() {
        let base = f64::from(chapter.time_base());
        let at = |ticks: i64| ticks as f64 * base;
        let (start, end) = (at(chapter.start()), at(chapter.end()));
        lines.push(format!("chapter {start:.3}–{end:.3} s"));
        lines.extend(tags(&chapter.metadata()));
    }
    Ok(lines)
}

/// How pixels are to be read.
fn colour(stream: &ffmpeg::Stream) -> String {
    let parameters = stream.parameters();
    // SAFETY: the parameters live as long as the opened input.
    let raw = unsafe { &*parameters.as_ptr() };
    format!(
        "profile {} range {:?} primaries {:?} transfer {:?} matrix {:?}",
        raw.profile, raw.color_range, raw.color_primaries, raw.color_trc, raw.color_space
    )
}

/// Names differ in case between containers; what muxers and encoders say of themselves is left out.
fn tags(from: &DictionaryRef) -> impl Iterator<Item = String> {
    let of_the_muxer = |name: &str| STALE.contains(&name) || matches!(name, "encoder" | "duration");
    // SAFETY: it lives as long as the opened input.
    let tags: BTreeMap<String, String> = unsafe { dictionary(from.as_ptr()) }
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value))
        .filter(|(name, _)| !of_the_muxer(name))
        .collect();
    tags.into_iter()
        .map(|(name, value)| format!("tag {name}={value}"))
}
