//! Audio timestamps as the `ffmpeg` program computes them since FFmpeg 6.1: exact
//! to the sample, also where the sample rate changes (`audio_ts_process` of FFmpeg
//! 7.1's `ffmpeg_dec.c`).

use ffmpeg::{Frame, Packet, Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::{Clock, StreamTimes, sample_time_base, samples};
use crate::media::filter::rescale;
use crate::media::jumps::Expected;

/// Ticks a second in which all usual sample rates can be counted: the least
/// common multiple of 192,000 and 44,100.
const ALL_RATES: i32 = 28_224_000;

/// The clock of one audio stream.
pub(super) struct AudioByFrames {
    stream: Rational,
    unreliable: bool,
    // Ticks that count the samples of all sample rates so far; those of `last_pts`
    // and `last_duration`.
    ticks: Rational,
    sample_rate: i32,
    last_pts: Option<i64>,
    last_duration: i64,
    // State of libav's exact conversion from the stream's ticks.
    state: i64,
}

impl AudioByFrames {
    pub(super) fn new(times: &StreamTimes) -> Self {
        Self {
            stream: times.time_base,
            unreliable: times.unreliable,
            ticks: Rational::new(1, 1),
            sample_rate: 0,
            last_pts: None,
            last_duration: 0,
            state: ffi::AV_NOPTS_VALUE,
        }
    }

    /// Chooses ticks that count the samples of this rate, too.
    fn take_sample_rate(&mut self, rate: i32) {
        if rate == self.sample_rate {
            return;
        }
        let before = self.ticks;
        let common = before.denominator() / gcd(before.denominator(), rate);
        self.ticks = Rational::new(1, common.checked_mul(rate).unwrap_or(ALL_RATES));
        let (own, ticks) = (self.stream, self.ticks.denominator());
        // The stream's own ticks, where they are finer still.
        if own.numerator() == 1 && own.denominator() > ticks && own.denominator() % ticks == 0 {
            self.ticks = own;
        }
        self.last_pts = self.last_pts.map(|pts| rescale(pts, before, self.ticks));
        self.last_duration = rescale(self.last_duration, before, self.ticks);
        self.sample_rate = rate;
    }

    /// Where the last frame ends, in this clock's ticks.
    fn predicted(&self) -> i64 {
        self.last_pts
            .map_or(0, |last| last.saturating_add(self.last_duration))
    }

    /// Whether a frame at `pts`, in the stream's ticks, begins after a gap.
    fn is_after_gap(&self, pts: i64) -> bool {
        // SAFETY: a pure computation.
        let due = unsafe {
            let up = ffi::AVRounding::AV_ROUND_UP;
            ffi::av_rescale_q_rnd(self.predicted(), self.ticks.into(), self.stream.into(), up)
        };
        self.last_pts.is_some() && pts > due
    }
}

fn gcd(a: i32, b: i32) -> i32 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

impl Clock for AudioByFrames {
    fn restart(&mut self) {
        (self.last_pts, self.last_duration, self.state) = (None, 0, ffi::AV_NOPTS_VALUE);
    }

    fn packet_in(&mut self, packet: &mut Packet) {
        if self.unreliable {
            packet.set_pts(None);
            packet.set_dts(None);
        }
    }

    fn stamp(&mut self, frame: &mut Frame, _frame_rate: Rational) -> Rational {
        let (sample, count) = (sample_time_base(frame), samples(frame));
        self.take_sample_rate(sample.denominator());
        let (pts, from) = match frame.pts() {
            Some(pts) => {
                if self.is_after_gap(pts) {
                    self.state = ffi::AV_NOPTS_VALUE;
                }
                (pts, self.stream)
            }
            None => (self.predicted(), self.ticks),
        };
        let ticks = self.ticks.into();
        // SAFETY: a computation on numbers; the state is this clock's own.
        let exact = unsafe {
            ffi::av_rescale_delta(from.into(), pts, ticks, count, &mut self.state, ticks)
        };
        self.last_pts = Some(exact);
        self.last_duration = rescale(i64::from(count), sample, self.ticks);
        frame.set_pts(Some(rescale(exact, self.ticks, sample)));
        sample
    }

    /// In samples.
    fn end(&self) -> i64 {
        rescale(
            self.predicted(),
            self.ticks,
            Rational::new(1, self.sample_rate.max(1)),
        )
    }

    /// The demuxer's own count of the packets decides.
    fn expected(&self) -> Option<Expected> {
        None
    }
}
