//! Whether the streams of a result have the properties that the plan says they have.

use super::{Checked, Medium};
use crate::job::{Held, MediaInfo, Property, StreamInfo};
use crate::recipe::{Product, Track};

/// Compares each planned property with what is in `result`; `streams` are those of a medium.
///
/// What differs is a warning: containers and frames may contradict each other, and the result
/// follows the frames.
pub(super) fn compare(
    product: &Product,
    medium: Medium,
    result: &MediaInfo,
    streams: &[usize],
    checked: &mut Checked,
) {
    for (track, stream) in product.tracks_of(medium).zip(streams) {
        if let Some(stream) = result.streams.get(*stream) {
            track_of(track, stream, checked);
        }
    }
}

fn track_of(track: &Track, stream: &StreamInfo, checked: &mut Checked) {
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
        checked.lose(differs(track.stream, planned, other));
    }
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
