//! Which films can be encoded in parts.

use super::{Pipeline, Sink, VideoWay, Way};

impl Pipeline {
    /// The one stream whose pictures are encoded, where each of them can be made
    /// without those of another part. Where rate control looks at the film as a
    /// whole, it is cut only if that `is_asked_for`.
    pub fn stream_to_cut(&self, is_asked_for: bool) -> Option<usize> {
        // Where the clock may jump, only a decoder knows where it is.
        if self.generate_pts || crate::media::clock_may_jump(&self.input_format) {
            return None;
        }
        let tracks = || self.products.iter().flat_map(|product| &product.tracks);
        let encoded = |way: &Way| matches!(way, Way::Video(_));
        let mut videos = tracks().filter(|track| encoded(&track.way));
        let stream = videos.next()?.stream;
        let suits = tracks().all(|track| match &track.way {
            Way::Video(way) => track.stream == stream && can_be_cut(way, is_asked_for),
            _ => track.stream != stream,
        });
        let of_files = self.products.iter().all(|product| {
            let of_it = product.tracks.iter().filter(|track| track.stream == stream);
            matches!(product.sink, Sink::File { .. }) && of_it.count() <= 1
        });
        (suits && of_files).then_some(stream)
    }
}

/// Whether no picture is made of its neighbours, and the encoder owes nothing
/// to the whole, nor to another of its kind; that it is asked for goes before the latter.
fn can_be_cut(way: &VideoWay, is_asked_for: bool) -> bool {
    let is_alone = !way.encoder.spans_all() && !way.encoder.shares_state();
    !way.mixes_frames() && (is_asked_for || is_alone)
}
