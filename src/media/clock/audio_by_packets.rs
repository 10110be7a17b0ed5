//! Audio timestamps as the `ffmpeg` program computes them up to FFmpeg 6.0:
//! exact to the sample, whatever the container's ticks (`decode_audio` of FFmpeg
//! 5.1's `ffmpeg.c`).

use ffmpeg::{Frame, Packet, Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::{Clock, MICROS, sample_time_base, samples};
use crate::media::filter::rescale;
use crate::media::jumps::Expected;

/// The clock of one audio stream. Times are in microseconds unless said otherwise.
pub(super) struct AudioByPackets {
    time_base: Rational,
    // Where the last frame ends; where the current packet begins, if it has a time.
    next_us: i64,
    // Time of the current packet, in ticks, for its first frame.
    packet_pts: Option<i64>,
    // That of the packet before it.
    last_pts: Option<i64>,
    // Where the last frame ends, in ticks.
    end: i64,
    // State of libav's exact conversion from ticks to samples.
    state: i64,
}

impl AudioByPackets {
    pub(super) fn new(time_base: Rational) -> Self {
        Self {
            time_base,
            next_us: 0,
            packet_pts: None,
            last_pts: None,
            end: 0,
            state: ffi::AV_NOPTS_VALUE,
        }
    }
}

impl Clock for AudioByPackets {
    fn packet_in(&mut self, packet: &mut Packet) {
        let known = packet.dts().map(|dts| rescale(dts, self.time_base, MICROS));
        self.next_us = known.unwrap_or(self.next_us);
        self.packet_pts = packet.pts();
        if let (Some(last), Some(pts)) = (self.last_pts, packet.pts())
            && packet.duration() > 0
            && pts.saturating_sub(last) > packet.duration()
        {
            // After a gap, the count of samples starts again.
            self.state = ffi::AV_NOPTS_VALUE;
        }
        self.last_pts = packet.pts();
    }

    fn stamp(&mut self, frame: &mut Frame, _frame_rate: Rational) -> Rational {
        let sample = sample_time_base(frame);
        let (pts, time_base) = match frame.pts().or(self.packet_pts.take()) {
            Some(pts) => (pts, self.time_base),
            None => (self.next_us, MICROS),
        };
        let count = samples(frame);
        let base = sample.into();
        // SAFETY: a computation on numbers; the state is this clock's own.
        let stamped = unsafe {
            ffi::av_rescale_delta(time_base.into(), pts, base, count, &mut self.state, base)
        };
        let count = i64::from(count);
        self.packet_pts = None;
        self.next_us = self
            .next_us
            .saturating_add(count * 1_000_000 / i64::from(sample.denominator()));
        let begins = rescale(pts, time_base, self.time_base);
        self.end = begins.saturating_add(rescale(count, sample, self.time_base));
        frame.set_pts(Some(stamped));
        sample
    }

    /// In ticks of the stream, which is what the program gives the graph.
    fn end(&self) -> i64 {
        self.end
    }

    fn expected(&self) -> Option<Expected> {
        Some(Expected {
            next_us: Some(self.next_us),
            at_us: self.next_us,
        })
    }
}
