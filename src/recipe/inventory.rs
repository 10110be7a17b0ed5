//! Which properties of its source's streams a result holds: the one table.
//!
//! Every [`Property`] of a stream is kept, changed by the recipe, or impossible in the
//! container or after encoding. The last is a warning. Verification compares what is kept
//! with the result.

use super::{Colours, Container, Product, Track, Way, language, tags};
use crate::job::{Extra, Held, MediaInfo, Property, StreamInfo, StreamKind};

/// What becomes of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Treatment {
    /// The result has the same.
    Kept,
    /// The result has this instead, which means the same.
    Instead(String),
    /// The recipe changes it, or what it describes is not in the result.
    Changed,
    /// The result cannot have it, for this reason.
    Lost(String),
}

use Treatment::{Changed, Instead, Kept, Lost};

/// Plans the properties of all tracks of `product`, and warns of those that are lost.
pub(super) fn plan(product: &mut Product, media: &MediaInfo, container: Container) {
    let tags_stream = tags::of_the_file(media).map(|stream| stream.index);
    for track in &mut product.tracks {
        let Some(stream) = media.streams.get(track.stream) else {
            continue;
        };
        let is_picture = matches!(stream.kind, StreamKind::Cover | StreamKind::Attachment);
        if is_picture {
            continue;
        }
        product.notes.extend(unwritten_light(stream, track));
        for held in stream.inventory() {
            if held.property == Property::Tag && tags_stream == Some(stream.index) {
                // The whole result has it.
                continue;
            }
            match treatment(&held, stream, track, container) {
                Kept => keep(track, container, held),
                Instead(value) => {
                    if held.property == Property::Language {
                        track.tags.push(("language".to_owned(), value.clone()));
                    }
                    track.held.push(Held { value, ..held });
                }
                Changed => {}
                Lost(why) => product.notes.push(format!(
                    "stream {}: {} is lost: {why}",
                    stream.index,
                    held.words()
                )),
            }
        }
    }
}

/// The loss of what only the pictures say of their brightness, where the encoder cannot write it.
fn unwritten_light(stream: &StreamInfo, track: &Track) -> Option<String> {
    let (StreamKind::Video { light: Some(_), .. }, Way::Video(way)) = (&stream.kind, &track.way)
    else {
        return None;
    };
    let is_written = way.tone_maps() || way.encoder.tells_light();
    let (index, encoder) = (stream.index, &way.encoder.name);
    let what = Extra::MasteringDisplay.words();
    (!is_written).then(|| format!("stream {index}: {what} is lost: {encoder} cannot write it"))
}

/// Plans a property that the result holds, too.
fn keep(track: &mut Track, container: Container, held: Held) {
    if held.property == Property::Title && container.is_quicktime() {
        // Before 9.0, FFmpeg writes the title as players look for it, and does not read it.
        // All versions read the name of a track's handler, which mkvmerge shows, too.
        track
            .tags
            .push(("handler_name".to_owned(), held.value.clone()));
    }
    track.held.push(held);
}

/// The table. A row is a property; what it depends on is the way and the container.
fn treatment(held: &Held, stream: &StreamInfo, track: &Track, container: Container) -> Treatment {
    let is_copy = track.way.is_copy();
    let becomes_sdr = track.becomes_sdr();
    match held.property {
        // The loss of HDR as a whole is a warning of its own.
        Property::Extra(Extra::MasteringDisplay | Extra::LightLevel) if becomes_sdr => Changed,
        _ if becomes_sdr && held.property.is_colour() => Changed,
        Property::Title => Kept,
        Property::Tag if matches!(container, Container::Mkv | Container::Webm) => Kept,
        Property::Tag => Lost(no_place(container)),
        Property::Language => language::treatment(&held.value, container),
        Property::Disposition => mark(&held.value, stream, container),
        Property::Timecode if container == Container::M4a => Lost(no_place(container)),
        Property::Timecode => Kept,
        Property::Extra(extra) => picture(extra, is_copy, container),
        Property::Primaries | Property::Transfer | Property::Matrix if is_copy => Kept,
        Property::Primaries | Property::Transfer | Property::Matrix => encoded_colour(track),
        Property::Range if is_copy => Kept,
        // Encoders choose theirs with the pixel format.
        Property::Range => Changed,
        Property::Rotation if !is_copy => Changed,
        Property::Rotation if container.stores_rotation() => Kept,
        Property::Rotation => Lost(no_rotation(container)),
        // What lies on its side is encoded upright.
        Property::Aspect if !is_copy && stream.is_turned() => Instead(turned(&held.value)),
        Property::Aspect => Kept,
        // What it is encoded to is planned with the encoder.
        Property::Layout if !is_copy => Changed,
        Property::Layout if container == Container::Mkv && stream.codec.starts_with("pcm_") => {
            Lost(format!("{container} has no place for it; --format mov has"))
        }
        Property::Layout => Kept,
        Property::Channels if is_copy => Kept,
        Property::Channels => Changed,
    }
}

/// `640x360` as `360x640`.
fn turned(aspect: &str) -> String {
    match aspect.split_once('x') {
        Some((width, height)) => format!("{height}x{width}"),
        None => aspect.to_owned(),
    }
}

fn no_place(container: Container) -> String {
    format!("{container} has no place for it; --format mkv has")
}

fn no_rotation(container: Container) -> String {
    format!("{container} by this FFmpeg has no place for it; --format mp4 has, or encode it")
}

/// Which containers store which marks, by their muxers in FFmpeg 5.1 to 9.0: mp4's roles
/// (`dash_role_map`), Matroska's track flags, and a track's being enabled in the others.
fn mark(name: &str, stream: &StreamInfo, container: Container) -> Treatment {
    use Container::{M4a, Mkv, Mov, Mp4, Webm};
    let is_text = matches!(stream.kind, StreamKind::Subtitle { .. });
    let has_place = match (name, container) {
        ("default", _) => true,
        ("forced", Mp4 | Mkv | Webm) => true,
        ("comment" | "dub" | "hearing_impaired" | "visual_impaired", Mp4 | Mkv) => true,
        ("original", Mkv) => true,
        ("captions", Mp4) => true,
        ("descriptions", Mp4) => true,
        ("descriptions", Mkv) => is_text,
        (_, Mp4 | Mkv | Webm | Mov | M4a) => false,
    };
    match has_place {
        true => Kept,
        false => Lost(format!("{container} has no place for it")),
    }
}

/// Descriptions of pictures.
fn picture(extra: Extra, is_copy: bool, container: Container) -> Treatment {
    use Container::{M4a, Mkv, Mov, Mp4, Webm};
    let has_place = match (extra, container) {
        (Extra::DolbyVision, _) if !is_copy => {
            return Lost("re-encoding keeps only the base layer".to_owned());
        }
        (Extra::DolbyVision, Mov) => false,
        (Extra::Projection | Extra::Stereo3d, Mov) => crate::media::mov_takes_projections(),
        (Extra::MasteringDisplay | Extra::LightLevel, Mov) => true,
        (_, M4a) => false,
        (_, Mp4 | Mkv | Webm) => true,
    };
    match has_place {
        true => Kept,
        false => Lost(no_place(container)),
    }
}

/// Colours stay as they are, unless red, green and blue become luma and chroma or the other way
/// round.
fn encoded_colour(track: &Track) -> Treatment {
    match &track.way {
        Way::Video(way) if way.colours == Colours::Kept => Kept,
        _ => Changed,
    }
}

impl Container {
    /// Whether it is of QuickTime's family.
    fn is_quicktime(self) -> bool {
        matches!(self, Container::Mp4 | Container::Mov | Container::M4a)
    }

    /// Whether a copied stream's rotation is written.
    fn stores_rotation(self) -> bool {
        self.is_quicktime() || crate::media::matroska_takes_rotation()
    }
}

impl Held {
    /// What is meant, in messages.
    pub fn words(&self) -> String {
        let value = &self.value;
        match self.property {
            Property::Title => format!("the title '{value}'"),
            Property::Language => format!("the language '{value}'"),
            Property::Disposition => format!("the mark '{value}'"),
            Property::Layout => format!("the channel layout '{value}'"),
            Property::Tag => format!("the tag '{value}'"),
            Property::Timecode => format!("the timecode {value}"),
            Property::Extra(extra) => extra.words().to_owned(),
            Property::Primaries => format!("the colour primaries '{value}'"),
            Property::Transfer => format!("the colour transfer '{value}'"),
            Property::Matrix => format!("the colour matrix '{value}'"),
            Property::Range => "the full range of values".to_owned(),
            Property::Rotation => "the rotation".to_owned(),
            Property::Aspect => format!("the aspect {value}"),
            Property::Channels => format!("the number of channels, {value},"),
        }
    }
}

impl Extra {
    /// Its name in messages.
    fn words(self) -> &'static str {
        match self {
            Extra::Projection => "the projection of 360° video",
            Extra::Stereo3d => "the layout of 3D video",
            Extra::DolbyVision => "Dolby Vision",
            Extra::MasteringDisplay => "HDR's mastering display",
            Extra::LightLevel => "HDR's light level",
        }
    }
}

/// Whether any track carries a description that FFmpeg's mp4 muxer writes only with `-strict
/// unofficial`.
pub(super) fn any_unofficial(tracks: &[Track]) -> bool {
    tracks.iter().any(Track::has_extras)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Container::{M4a, Mkv, Mov, Mp4, Webm};

    #[test]
    fn a_container_without_a_place_is_the_reason() {
        let lost =
            |extra, is_copy, container| matches!(picture(extra, is_copy, container), Lost(_));
        for container in [Mkv, Mp4] {
            assert!(!lost(Extra::Projection, false, container));
            assert!(!lost(Extra::Stereo3d, true, container));
            assert!(!lost(Extra::DolbyVision, true, container));
            assert!(lost(Extra::DolbyVision, false, container));
        }
        assert!(lost(Extra::DolbyVision, true, Mov));
    }

    #[test]
    fn a_picture_that_lay_on_its_side_is_as_high_as_it_was_wide() {
        assert_eq!(turned("640.00x360"), "360x640.00");
    }

    #[test]
    fn every_container_stores_which_stream_is_the_default_one() {
        let stream = StreamInfo::of_kind(StreamKind::Other, "aac");
        for container in [Mp4, Mov, Mkv, Webm, M4a] {
            assert_eq!(mark("default", &stream, container), Kept, "{container}");
            assert_ne!(mark("karaoke", &stream, container), Kept, "{container}");
        }
        assert_eq!(mark("comment", &stream, Mkv), Kept);
        assert_ne!(mark("comment", &stream, Webm), Kept);
    }
}
