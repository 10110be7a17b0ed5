//! What a file says of itself: streams, tags and chapters, in lines that can be compared.

use std::collections::BTreeMap;
use std::path::Path;

use super::Input;
use super::number::{self, number};
use super::stream::Stream;
use super::version::dictionary;
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
    lines.extend(tags(input.tags()));
    for (stream, described) in input.streams().zip(&info.streams) {
        let (index, codec) = (stream.index(), &described.codec);
        let flags = stream.disposition();
        let begin = format!("stream {index}: ");
        let kind = &described.kind;
        lines.push(format!("{begin}{codec} {kind:?} dispositions {flags:#x}"));
        if described.is_video() {
            lines.push(format!("{begin}{}", colour(stream)));
        }
        let sides = stream.side_data().into_iter();
        let mut sides: Vec<_> = sides
            .map(|(kind, data)| (side_data_name(kind), data))
            .collect();
        sides.sort();
        lines.extend(
            sides
                .iter()
                .map(|(kind, data)| format!("{begin}{kind} {data:?}")),
        );
        lines.extend(tags(stream.tags()).map(|tag| format!("{begin}{tag}")));
    }
    for chapter in input.chapters() {
        let base = f64::from(chapter.time_base());
        let at = |ticks: i64| ticks as f64 * base;
        let (start, end) = (at(chapter.start()), at(chapter.end()));
        lines.push(format!("chapter {start:.3}–{end:.3} s"));
        // SAFETY: the chapter and its dictionary live as long as the opened input.
        lines.extend(tags(unsafe { dictionary((*chapter.as_ptr()).metadata) }));
    }
    Ok(lines)
}

/// How pixels are to be read; a number of the file that libav does not know stays a number.
fn colour(stream: Stream) -> String {
    let raw = stream.parameters();
    let named = |name: fn(i32) -> Option<&'static str>, number: i32| {
        name(number).map_or_else(|| number.to_string(), str::to_owned)
    };
    // SAFETY: the parameters live while the source is borrowed.
    unsafe {
        format!(
            "profile {} range {} primaries {} transfer {} matrix {}",
            (*raw).profile,
            named(number::range_name, number!((*raw).color_range)),
            named(number::primaries_name, number!((*raw).color_primaries)),
            named(number::transfer_name, number!((*raw).color_trc)),
            named(number::matrix_name, number!((*raw).color_space)),
        )
    }
}

/// libav's name of a kind of side data; its number where it has none.
fn side_data_name(kind: i32) -> String {
    number::side_data_name(kind).map_or_else(|| format!("side data {kind}"), str::to_owned)
}

/// Names differ in case between containers; what muxers and encoders say of themselves is left out.
fn tags(from: Vec<(String, String)>) -> impl Iterator<Item = String> {
    let of_the_muxer = |name: &str| STALE.contains(&name) || matches!(name, "encoder" | "duration");
    let tags: BTreeMap<String, String> = from
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value))
        .filter(|(name, _)| !of_the_muxer(name))
        .collect();
    tags.into_iter()
        .map(|(name, value)| format!("tag {name}={value}"))
}
