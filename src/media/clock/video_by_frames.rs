//! Video timestamps as the `ffmpeg` program computes them since FFmpeg 6.1.
//!
//! The rules are those of `video_frame_process` of FFmpeg 7.1's `ffmpeg_dec.c`: a frame without a timestamp begins where the one
//! before it ends, and the end of a frame is an estimate from its own duration,
//! the distance to the frame before, and the frame rate.

use ffmpeg::{Frame, Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::end::{Estimate, length_at};
use super::{Clock, StreamTimes};
use crate::media::jumps::Expected;

/// The clock of one video stream. All times are in ticks of the stream.
pub(super) struct VideoByFrames {
    time_base: Rational,
    average_rate: Rational,
    unreliable: bool,
    last_pts: Option<i64>,
    last_duration: i64,
}

impl VideoByFrames {
    pub(super) fn new(times: &StreamTimes) -> Self {
        Self {
            time_base: times.time_base,
            average_rate: times.frame_rate,
            unreliable: times.unreliable,
            last_pts: None,
            last_duration: 0,
        }
    }

    /// How long `frame` is shown, by the best guess.
    fn duration(&self, frame: &Frame, codec_rate: Rational) -> i64 {
        // SAFETY: the frame is valid.
        let fields = i64::from(unsafe { (*frame.as_ptr()).repeat_pict }) + 2;
        let estimate = Estimate {
            own: frame.packet().duration,
            since_last: match (frame.pts(), self.last_pts) {
                (Some(pts), Some(last)) => pts.saturating_sub(last),
                _ => -1,
            },
            by_codec: length_at(codec_rate, fields, self.time_base),
            by_average: length_at(self.average_rate, 2, self.time_base),
        };
        let ticks = estimate.ticks(self.unreliable);
        ticks.unwrap_or(self.last_duration.max(1))
    }
}

impl Clock for VideoByFrames {
    fn restart(&mut self) {
        (self.last_pts, self.last_duration) = (None, 0);
    }

    fn packet_in(&mut self, packet: &mut Packet) {
        if self.unreliable {
            packet.set_pts(None);
            packet.set_dts(None);
        }
    }

    fn stamp(&mut self, frame: &mut Frame, frame_rate: Rational) -> Rational {
        let pts = frame.pts().unwrap_or_else(|| self.end());
        frame.set_pts(Some(pts));
        self.last_duration = self.duration(frame, frame_rate);
        self.last_pts = Some(pts);
        self.time_base
    }

    fn end(&self) -> i64 {
        self.last_pts
            .map_or(0, |last| last.saturating_add(self.last_duration))
    }

    /// The demuxer's own count of the packets decides.
    fn expected(&self) -> Option<Expected> {
        None
    }
}
