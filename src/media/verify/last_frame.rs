//! Whether the last frame of a result is shown as long as that of its source.

use super::{Checked, File, seconds};
use crate::media::survey::Span;

/// Frames are shown to this much of a second, or one and a half of the usual time, whichever is
/// longer: lengths are rounded, and some containers store none.
const SLACK_S: f64 = 0.1;

impl File<'_> {
    /// Warns where the last frame of `stream` is shown shorter than that of the source's stream.
    pub(super) fn last_frame(
        &self,
        source_stream: usize,
        stream: usize,
        frame_s: f64,
        checked: &mut Checked,
    ) {
        let (Some(source), Some(result)) = (
            self.evidence.survey.span(source_stream),
            self.written.survey.span(stream),
        ) else {
            return;
        };
        // Matroska stores the end of a whole stream, and no frame's duration.
        let ends = self.written.info.streams.get(stream);
        let end_s = ends.and_then(|stream| stream.details.end_s);
        let (Some(source_s), Some(result_s)) = (shown_s(source, None), shown_s(result, end_s))
        else {
            return;
        };
        if !source.open_end && source_s - result_s > SLACK_S.max(frame_s * 1.5) {
            checked.lose(format!(
                "stream {source_stream}: the last frame is shown for {} instead of {}",
                seconds(result_s),
                seconds(source_s)
            ));
        }
    }
}

/// How long the last frame is shown, in seconds: to the end of its packet, or to `end_s`.
fn shown_s(span: &Span, end_s: Option<f64>) -> Option<f64> {
    let last_s = span.last_us? as f64 / 1e6;
    let own_s = span.end_us? as f64 / 1e6;
    Some(end_s.map_or(own_s, |end_s| end_s.max(own_s)) - last_s)
}
