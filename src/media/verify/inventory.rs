//! Whether the streams of a result have the properties that the plan says they have.

use super::{Checked, Medium, wrong};
use crate::error::Result;
use crate::job::{Held, MediaInfo, Property, StreamInfo};
use crate::recipe::{Product, Track};

/// Compares each planned property with what is in `result`; `streams` are those of a medium.
///
/// A description that is missing is a warning. Where what is shown or heard differs, the result
/// is wrong.
///
/// # Errors
/// Says which property of which stream differs.
pub(super) fn compare(
    product: &Product,
    medium: Medium,
    result: &MediaInfo,
    streams: &[usize],
    checked: &mut Checked,
) -> Result<()> {
    for (track, stream) in product.tracks_of(medium).zip(streams) {
        if let Some(stream) = result.streams.get(*stream) {
            track_of(track, stream, checked)?;
        }
    }
    Ok(())
}

fn track_of(track: &Track, stream: &StreamInfo, checked: &mut Checked) -> Result<()> {
    let found = stream.inventory();
    for planned in &track.held {
        if found.iter().any(|held| held.is(planned)) {
            continue;
        }
        let other = found.iter().find(|held| held.property == planned.property);
        if other.is_some() && planned.property.is_colour() && !track.way.is_copy() {
            // Frames may say otherwise than their container; encoders follow the frames.
            continue;
        }
        let what = differs(track.stream, planned, other);
        match planned.property {
            Property::Aspect | Property::Channels => return Err(wrong(what)),
            _ => checked.lose(what),
        }
    }
    Ok(())
}

fn differs(stream: usize, planned: &Held, found: Option<&Held>) -> String {
    let words = planned.words();
    match found {
        Some(found) if planned.property != Property::Disposition => {
            format!("stream {stream}: {words} became '{}'", found.value)
        }
        _ => format!("stream {stream}: {words} did not arrive"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_another_are_said_in_words() {
        let french = Held::new(Property::Language, "fra");
        let english = Held::new(Property::Language, "eng");
        assert_eq!(
            differs(1, &french, None),
            "stream 1: the language 'fra' did not arrive"
        );
        assert_eq!(
            differs(1, &french, Some(&english)),
            "stream 1: the language 'fra' became 'eng'"
        );
    }
}
