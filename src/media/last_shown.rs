//! How long the last frame of a video is shown.
//!
//! Every other frame is shown until the next one is due. Of the last one only its own duration
//! says it, which encoders before FFmpeg 6.1 do not pass on: then muxers take the distance of
//! the two frames before.

use ffmpeg_next::{Frame, Packet};

/// The last frame that was filtered, kept back until it is known whether another one follows.
#[derive(Default)]
pub(super) struct LastShown {
    /// The frame, with its time in the encoder's ticks.
    pub(super) frame: Option<Frame>,
    before: Option<i64>,
}

impl LastShown {
    /// Takes the next frame; returns the one before it.
    pub(super) fn swap(&mut self, frame: Frame) -> Option<Frame> {
        let before = self.frame.replace(frame);
        if let Some(before) = &before {
            self.before = before.pts();
        }
        before
    }

    /// The last frame's time, and for how long it is shown, where that is longer than the
    /// frame before it is: up to `end`. All in the encoder's ticks.
    pub(super) fn shown(&self, end: i64) -> Option<(i64, i64)> {
        let pts = self.frame.as_ref()?.pts()?;
        shown(self.before, pts, end).map(|duration| (pts, duration))
    }
}

/// Gives the packet of the frame that is shown last its duration. Where frames are stored in
/// another order, the packet that is stored last gets it, too: mp4 adds up durations in that
/// order.
pub(super) fn lengthen(packets: &mut [Packet], (pts, duration): (i64, i64)) {
    if let Some(stored_last) = packets.last_mut() {
        let own = stored_last.duration();
        stored_last.set_duration(own.max(duration));
    }
    let shown_last = packets.iter_mut().find(|packet| packet.pts() == Some(pts));
    if let Some(packet) = shown_last {
        packet.set_duration(duration);
    }
}

fn shown(before: Option<i64>, pts: i64, end: i64) -> Option<i64> {
    let duration = end.checked_sub(pts).filter(|duration| *duration > 0)?;
    let usual = before.map_or(0, |before| pts.saturating_sub(before).max(0));
    (duration > usual.saturating_add(usual / 2)).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_shown_as_long_as_others_needs_no_duration() {
        assert_eq!(shown(Some(0), 40, 80), None);
        assert_eq!(shown(Some(0), 40, 100), None);
        assert_eq!(shown(Some(0), 40, 40), None);
        assert_eq!(shown(Some(0), 40, i64::MIN), None);
    }

    #[test]
    fn a_last_frame_that_stays_keeps_its_duration() {
        assert_eq!(shown(Some(0), 40, 240), Some(200));
        assert_eq!(shown(None, 0, 40), Some(40), "the only frame");
    }
}
