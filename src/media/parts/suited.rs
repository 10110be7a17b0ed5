//! Which films can be made in parts.

use crate::job::PartLength;
use crate::recipe::{Pipeline, Sink, VideoWay, Way};

/// The one stream whose pictures are encoded, where each of them can be made
/// without those of another part.
pub(super) fn stream_to_cut(pipeline: &Pipeline, length: PartLength) -> Option<usize> {
    let tracks = || pipeline.products.iter().flat_map(|product| &product.tracks);
    let encoded = |way: &Way| matches!(way, Way::Video(_));
    let mut videos = tracks().filter(|track| encoded(&track.way));
    let stream = videos.next()?.stream;
    let suits = tracks().all(|track| match &track.way {
        Way::Video(way) => track.stream == stream && can_be_cut(way, length),
        _ => track.stream != stream,
    });
    let of_files = pipeline.products.iter().all(|product| {
        let of_it = product.tracks.iter().filter(|track| track.stream == stream);
        matches!(product.sink, Sink::File { .. }) && of_it.count() <= 1
    });
    (suits && of_files).then_some(stream)
}

/// Whether no picture is made of its neighbours, and the encoder owes nothing
/// to the whole; a length that was asked for goes before that.
fn can_be_cut(way: &VideoWay, length: PartLength) -> bool {
    let is_asked_for = matches!(length, PartLength::Seconds(_));
    !way.mixes_frames() && (is_asked_for || !way.encoder.spans_all())
}
