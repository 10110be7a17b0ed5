//! Transparency of a source: who can give it, and who is told that it is lost.

use super::{Container, Track, Video, Way};
use crate::job::{StreamInfo, StreamKind};
use crate::media;

/// The decoder that gives the transparency of `stream`, where libav's own choice
/// does not: VP8 and VP9 hold it in a stream of its own, which libvpx alone reads.
pub(super) fn decoder(stream: &StreamInfo) -> Option<&'static str> {
    let decoder = match stream.codec.as_str() {
        "vp8" => "libvpx",
        "vp9" => "libvpx-vp9",
        _ => return None,
    };
    (may_be_transparent(stream) && media::has_decoder(decoder)).then_some(decoder)
}

/// Whether pictures may be transparent in places.
fn may_be_transparent(stream: &StreamInfo) -> bool {
    matches!(stream.kind, StreamKind::Video { alpha: true, .. })
}

/// Whether decoded pictures hold transparency by their format alone.
fn is_in_format(stream: &StreamInfo) -> bool {
    matches!(&stream.kind, StreamKind::Video { pixel_format, .. } if media::has_alpha(pixel_format))
}

/// Whether pictures can be had with their transparency.
pub(super) fn is_to_be_had(stream: &StreamInfo) -> bool {
    may_be_transparent(stream) && (is_in_format(stream) || decoder(stream).is_some())
}

/// What the user should know of a track where it may lose transparency.
pub(super) fn lost_by_track(
    video: &Video,
    container: Container,
    stream: &StreamInfo,
    track: &Track,
) -> Option<String> {
    let (pixel_format, depth) = stream.pixels()?;
    let (kept, by) = match track.way {
        Way::Video(_) => {
            let format = video.pixel_format(pixel_format, depth);
            (
                is_in_format(stream) && media::has_alpha(&format),
                video.encoder.clone(),
            )
        }
        // What is held apart goes into containers of one family alone.
        _ => (
            is_in_format(stream) || matches!(container, Container::Mkv | Container::Webm),
            container.to_string(),
        ),
    };
    (may_be_transparent(stream) && !kept).then(|| lost(stream.index, &by))
}

/// What the user should know of pictures that lose transparency to `format`.
pub(super) fn lost_to_format(stream: &StreamInfo, format: &str) -> Option<String> {
    may_be_transparent(stream).then(|| lost(stream.index, format))
}

fn lost(stream: usize, by: &str) -> String {
    format!("stream {stream}: what is transparent becomes opaque in {by}")
}
