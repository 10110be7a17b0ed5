//! What a probe finds out of a stream besides its format.

use std::ffi::CStr;

use ffmpeg_next::ffi;
use ffmpeg_next::ffi::AVPacketSideDataType as Kind;

use super::compat::SideData;
use super::input::{believable, is_endless};
use super::number::number;
use super::stream::Stream;
use super::{Input, colours, light};
use crate::job::{Details, Extra};
use crate::recipe::tags::{describes_content, is_statistic};

/// A still picture's codecs: a stream of these beside another of video is a poster.
const STILLS: [i32; 5] = [
    ffi::AVCodecID::AV_CODEC_ID_PNG as i32,
    ffi::AVCodecID::AV_CODEC_ID_BMP as i32,
    ffi::AVCodecID::AV_CODEC_ID_TIFF as i32,
    ffi::AVCodecID::AV_CODEC_ID_WEBP as i32,
    ffi::AVCodecID::AV_CODEC_ID_JPEG2000 as i32,
];

/// Whether a stream is a single frame, by its disposition, frame count or codec.
fn is_still(stream: Stream) -> bool {
    // SAFETY: the stream is valid while the source is borrowed.
    let frames = unsafe { (*stream.raw()).nb_frames };
    stream.is_marked(ffi::AV_DISPOSITION_STILL_IMAGE)
        || frames == 1
        || frames == 0 && STILLS.contains(&stream.codec())
}

/// When a stream ends, in seconds from the file's beginning.
fn end_s(input: &Input, stream: Stream) -> Option<f64> {
    let base = f64::from(stream.time_base());
    let start = believable(stream.start_time(), stream.time_base());
    let start_s = start.map_or(0.0, |start| {
        start as f64 * base - input.start_us() as f64 / 1e6
    });
    if stream.duration() > 0 {
        return Some(start_s.max(0.0) + stream.duration() as f64 * base);
    }
    // Matroska's writers note it so.
    let tag = stream.tag(c"DURATION");
    let end_s = tag.as_deref().and_then(seconds);
    end_s.filter(|end_s| !is_endless((end_s * 1e6) as i64))
}

/// `00:00:02.500000000` in seconds.
fn seconds(clock: &str) -> Option<f64> {
    let parts: Option<Vec<f64>> = clock.split(':').map(|part| part.parse().ok()).collect();
    match parts?.as_slice() {
        [hours, minutes, seconds] => Some(hours * 3600.0 + minutes * 60.0 + seconds),
        _ => None,
    }
    .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
}

pub(super) fn details(input: &Input, stream: Stream) -> Details {
    let (tags, sides) = (stream.tags(), stream.side_data());
    // SAFETY: the stream and its parameters are valid while the source is borrowed.
    let (letters, reorders, discard) = unsafe {
        let raw = stream.parameters();
        let discard = number!((*stream.raw()).discard);
        (
            (*raw).codec_tag.to_le_bytes(),
            (*raw).video_delay > 0,
            discard,
        )
    };
    let value = |name: &str| {
        let same = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        tags.iter().find(same).map(|(_, value)| value.clone())
    };
    let names = tags.iter().map(|(name, _)| name.clone());
    Details {
        disposition: stream.disposition(),
        marks: marks(stream.disposition()),
        title: title(&value),
        language: value("language")
            .filter(|code| code != "und")
            .unwrap_or_default(),
        timecode: value("timecode").unwrap_or_default(),
        file_name: value("filename").unwrap_or_default(),
        is_still: is_still(stream),
        end_s: end_s(input, stream),
        reorders,
        extras: sides.iter().filter_map(|(kind, _)| extra(*kind)).collect(),
        tags: names
            .clone()
            .map(|name| name.to_lowercase())
            .filter(|name| describes_content(name))
            .collect(),
        statistics: names.filter(|name| is_statistic(name)).collect(),
        is_untimed: stream.start_time() != ffi::AV_NOPTS_VALUE
            && believable(stream.start_time(), stream.time_base()).is_none(),
        // Titles of chapters are read by the demuxer, which gives out none of their packets.
        is_dispensable: [*b"tmcd", *b"rtp "].contains(&letters)
            || discard == ffi::AVDiscard::AVDISCARD_ALL as i32,
        tag: match letters.iter().all(u8::is_ascii_graphic) {
            true => String::from_utf8_lossy(&letters).into_owned(),
            false => String::new(),
        },
        colour: colours::of_stream(stream),
        brightest: light::brightest(&sides),
        dolby_profile: dolby_profile(&sides),
    }
}

/// The profile of Dolby Vision: the third byte of `AVDOVIDecoderConfigurationRecord`.
fn dolby_profile(sides: &[SideData]) -> u8 {
    let wanted = Kind::AV_PKT_DATA_DOVI_CONF as i32;
    let record = sides.iter().find(|(kind, _)| *kind == wanted);
    let profile = record.and_then(|(_, bytes)| bytes.get(2).copied());
    profile.unwrap_or(0)
}

fn extra(kind: i32) -> Option<Extra> {
    let extras = [
        (Kind::AV_PKT_DATA_SPHERICAL, Extra::Projection),
        (Kind::AV_PKT_DATA_STEREO3D, Extra::Stereo3d),
        (Kind::AV_PKT_DATA_DOVI_CONF, Extra::DolbyVision),
        (
            Kind::AV_PKT_DATA_MASTERING_DISPLAY_METADATA,
            Extra::MasteringDisplay,
        ),
        (Kind::AV_PKT_DATA_CONTENT_LIGHT_LEVEL, Extra::LightLevel),
    ];
    let mut extras = extras.into_iter();
    let found = extras.find(|(known, _)| *known as i32 == kind);
    found.map(|(_, extra)| extra)
}

/// The flags of a disposition that describe a stream to people. Others say how its packets are
/// stored.
const FOR_PEOPLE: [i32; 12] = [
    ffi::AV_DISPOSITION_DEFAULT,
    ffi::AV_DISPOSITION_DUB,
    ffi::AV_DISPOSITION_ORIGINAL,
    ffi::AV_DISPOSITION_COMMENT,
    ffi::AV_DISPOSITION_LYRICS,
    ffi::AV_DISPOSITION_KARAOKE,
    ffi::AV_DISPOSITION_FORCED,
    ffi::AV_DISPOSITION_HEARING_IMPAIRED,
    ffi::AV_DISPOSITION_VISUAL_IMPAIRED,
    ffi::AV_DISPOSITION_CLEAN_EFFECTS,
    ffi::AV_DISPOSITION_CAPTIONS,
    ffi::AV_DISPOSITION_DESCRIPTIONS,
];

/// The names of a stream's marks.
fn marks(disposition: i32) -> Vec<String> {
    let set = FOR_PEOPLE.iter().filter(|flag| disposition & **flag != 0);
    set.filter_map(|flag| {
        // SAFETY: returns a static name, or null.
        unsafe {
            let name = ffi::av_disposition_to_string(*flag);
            (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
        }
    })
    .collect()
}

/// Names of handlers that FFmpeg's muxer and others give to tracks without a title.
const USUAL_HANDLERS: [&str; 4] = ["handler", "core media", "sound media", "video media"];

/// A stream's title. mp4 has it as the track's `name`, which FFmpeg reads since 9.0, or as the
/// name of its handler, which is often that of the program that wrote the file.
fn title(value: &impl Fn(&str) -> Option<String>) -> String {
    let handler = value("handler_name").filter(|name| {
        let name = name.to_lowercase();
        !USUAL_HANDLERS.iter().any(|usual| name.contains(usual))
    });
    value("title")
        .or_else(|| value("name"))
        .or(handler)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_matroska_is_read_in_seconds() {
        assert_eq!(seconds("00:01:02.500000000"), Some(62.5));
        for not_one in ["", "12", "00:00:00.000", "1:2", "a:b:c", "00:00:inf"] {
            assert_eq!(seconds(not_one), None, "{not_one}");
        }
    }

    #[test]
    fn marks_are_named_and_flags_about_packets_are_not() {
        let flags = ffi::AV_DISPOSITION_FORCED | ffi::AV_DISPOSITION_DEPENDENT;
        assert_eq!(marks(flags), ["forced"]);
        assert!(marks(ffi::AV_DISPOSITION_ATTACHED_PIC).is_empty());
    }

    #[test]
    fn a_title_is_a_name_and_not_that_of_a_usual_handler() {
        let of = |tags: &[(&str, &str)]| {
            let find = |name: &str| tags.iter().find(|(key, _)| *key == name);
            title(&|name: &str| find(name).map(|(_, value)| (*value).to_owned()))
        };
        assert_eq!(of(&[("handler_name", "VideoHandler")]), "");
        assert_eq!(of(&[("handler_name", "Director")]), "Director");
        assert_eq!(of(&[("handler_name", "Director"), ("title", "Cut")]), "Cut");
    }
}
