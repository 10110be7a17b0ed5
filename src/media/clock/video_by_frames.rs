//! Video timestamps as the `ffmpeg` program computes them since FFmpeg 6.1.
//!
//! The rules are those of `video_frame_process` and `video_duration_estimate` of
//! FFmpeg 7.1's `ffmpeg_dec.c`: a frame without a timestamp begins where the one
//! before it ends, and the end of a frame is an estimate from its own duration,
//! the distance to the frame before, and the frame rate.

use ffmpeg::{Frame, Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::{Clock, StreamTimes, is_known};
use crate::media::filter::rescale;
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

    /// How long `frame` is shown. libav makes up durations that a container does
    /// not store, so its word counts only where the format stores timestamps.
    fn duration(&self, frame: &Frame, codec_rate: Rational) -> i64 {
        let own = frame.packet().duration;
        let since_last = match (frame.pts(), self.last_pts) {
            (Some(pts), Some(last)) => pts.saturating_sub(last),
            _ => -1,
        };
        // One tick, where the last frame took more than two, is a guess.
        let is_guess = own == 1 && since_last > 2;
        if own > 0 && !self.unreliable && !is_guess {
            return own;
        }
        let by_codec = self.duration_by_codec(frame, codec_rate);
        if by_codec > 0 && self.unreliable {
            return by_codec;
        }
        let candidates = [
            since_last,
            own,
            by_codec,
            self.duration_at(self.average_rate),
        ];
        let first = candidates.into_iter().find(|duration| *duration > 0);
        first.unwrap_or(self.last_duration.max(1))
    }

    fn duration_by_codec(&self, frame: &Frame, codec_rate: Rational) -> i64 {
        if !is_known(codec_rate) {
            return 0;
        }
        // SAFETY: the frame is valid.
        let fields = i64::from(unsafe { (*frame.as_ptr()).repeat_pict }) + 2;
        let field = Rational::new(codec_rate.denominator(), codec_rate.numerator());
        // Two fields a frame: half of a frame's length each.
        rescale(fields, halved(field), self.time_base)
    }

    fn duration_at(&self, frame_rate: Rational) -> i64 {
        if !is_known(frame_rate) {
            return 0;
        }
        let frame = Rational::new(frame_rate.denominator(), frame_rate.numerator());
        rescale(1, frame, self.time_base)
    }
}

fn halved(length: Rational) -> Rational {
    match length.denominator().checked_mul(2) {
        Some(denominator) => Rational::new(length.numerator(), denominator),
        None => Rational::new(length.numerator() / 2, length.denominator()),
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
