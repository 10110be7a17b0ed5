//! Tags of a whole file, by libav's names: which a result is to have.

use crate::job::{MediaInfo, StreamInfo};

/// What describes the source as a file, and does not hold for its result.
const OF_THE_FILE: [&str; 30] = [
    "audiodelay",
    "audiosize",
    "bps",
    "canseektoend",
    "compatible_brands",
    "datasize",
    "deviceconformancetemplate",
    "duration",
    "encoder",
    "filesize",
    "hasaudio",
    "hascuepoints",
    "haskeyframes",
    "hasmetadata",
    "hasvideo",
    "iscommercial",
    "isvbr",
    "lastkeyframelocation",
    "lastkeyframetimestamp",
    "lasttimestamp",
    "major_brand",
    "metadatacreator",
    "metadatadate",
    "minor_version",
    "software",
    "totaldatarate",
    "totalduration",
    "videosize",
    "wmfsdkneeded",
    "wmfsdkversion",
];

/// Of these, what a muxer that takes any name would write into a result, where it is wrong.
pub const STALE: [&str; 3] = ["compatible_brands", "major_brand", "minor_version"];

/// Names of tags that a result must not take over as those of the file, which come from
/// `tags_stream` if the source has them on a stream: then its language is among them.
pub fn stale(tags_stream: Option<usize>) -> impl Iterator<Item = &'static str> {
    STALE
        .into_iter()
        .chain(tags_stream.is_some().then_some("language"))
}

/// What Matroska's writers note of a stream's packets: it is wrong of others. A language may
/// follow, as in `BPS-eng`.
const OF_THE_PACKETS: [&str; 4] = ["bps", "duration", "number_of_bytes", "number_of_frames"];

/// Whether a stream's tag of this name holds a number of its packets, or of how that was found.
pub fn is_statistic(name: &str) -> bool {
    let name = name.to_lowercase();
    let base = name.split('-').next().unwrap_or_default();
    OF_THE_PACKETS.contains(&base) || base.starts_with("_statistics_")
}

/// Tags of a stream that are properties of their own, or that say how it is stored.
const OF_THE_STREAM: [&str; 13] = [
    "alpha_mode",
    "creation_time",
    "encoder_options",
    "filename",
    "handler_name",
    "language",
    "mimetype",
    "rotate",
    "stereo_mode",
    "timecode",
    "title",
    "variant_bitrate",
    "vendor_id",
];

/// Whether a stream's tag of this name, in lower case, describes what the stream holds.
pub fn describes_content(name: &str) -> bool {
    // Those of a stream of Ogg have the names of a file's.
    let is_technical = OF_THE_STREAM.contains(&name) || OF_THE_FILE.contains(&name);
    // MXF names its packages and their numbers.
    let is_number = name.ends_with("umid") || name.ends_with("package_name");
    !is_technical && !is_number && !is_statistic(name)
}

/// The stream whose tags are those of the whole file: Ogg has them nowhere else.
pub(super) fn of_the_file(media: &MediaInfo) -> Option<&StreamInfo> {
    let has_tags =
        |stream: &&StreamInfo| !stream.details.tags.is_empty() || !stream.details.title.is_empty();
    let mut streams = media.streams.iter();
    streams.find(has_tags).filter(|_| media.format == "ogg")
}

/// Those of `names` that the result is to have, too; in lower case, as containers change it.
pub(super) fn wanted(names: &[String]) -> Vec<String> {
    let names = names.iter().map(|name| name.to_lowercase());
    names
        .filter(|name| !OF_THE_FILE.contains(&name.as_str()) && !name.starts_with("encoder-"))
        .collect()
}

/// Whether one of `names` is of those that phones write, such as
/// `com.apple.quicktime.location.iso6709`: mp4 and mov have no fixed place for
/// them, but a list of free names.
pub(super) fn are_free(names: &[String]) -> bool {
    names
        .iter()
        .any(|name| name.to_lowercase().starts_with("com."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_describes_the_file_is_not_wanted_of_its_result() {
        assert_eq!(
            wanted(&names(&["major_brand", "TITLE", "encoder"])),
            ["title"]
        );
    }

    #[test]
    fn what_describes_a_stream_is_kept_apart_from_how_it_is_stored() {
        for name in ["artist", "comment", "copyright", "tracknumber"] {
            assert!(describes_content(name), "{name}");
        }
        for name in ["handler_name", "encoder", "bps-eng", "file_package_umid"] {
            assert!(!describes_content(name), "{name}");
        }
    }

    #[test]
    fn numbers_of_packets_are_known_in_any_language() {
        for name in [
            "BPS",
            "BPS-eng",
            "NUMBER_OF_FRAMES",
            "_STATISTICS_WRITING_APP",
            "_STATISTICS_TAGS-eng",
            "DURATION",
        ] {
            assert!(is_statistic(name), "{name}");
        }
        assert!(!is_statistic("title") && !is_statistic("language"));
    }

    #[test]
    fn the_tags_of_phones_are_free_names() {
        assert!(are_free(&names(&["title", "com.android.version"])));
        assert!(!are_free(&names(&["title", "comment"])));
    }
}
