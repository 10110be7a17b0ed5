//! A timestamp for every decoded frame, the same that the `ffmpeg` program
//! gives it: also where a container (AVI, raw streams) tells few or none.
//!
//! The rules are those of `process_input_packet` and `decode_video` of FFmpeg
//! 5.1's `ffmpeg.c`: decoding times are carried on in microseconds by each
//! packet's duration, stand in for missing ones, and give frames that leave the
//! decoder at the end without a time one in their order.

use std::collections::VecDeque;

use ffmpeg::{Frame, Packet, Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::filter::rescale;
use super::jumps::Expected;

const MICROS: Rational = Rational(1, 1_000_000);

/// What a video stream's clock is set up with.
pub(super) struct VideoTimes {
    /// Of the stream.
    pub time_base: Rational,
    /// Average by the container.
    pub frame_rate: Rational,
    /// Frames that the decoder holds back before the first.
    pub reorder_frames: i64,
}

/// The clock of one video stream. All times are in microseconds unless said otherwise.
pub(super) struct VideoClock {
    time_base: Rational,
    // Decoding time of the packet at hand, and of the next one where it can be told.
    dts_us: i64,
    next_dts_us: Option<i64>,
    // Where the last frame ends.
    next_pts_us: i64,
    // Duration of the packet at hand as its container tells it; 0 where it does not.
    packet_us: i64,
    // Whether the packet at hand gave a frame.
    gave_frame: bool,
    draining: bool,
    // Decoding times for frames without a time at the end, in ticks.
    spare: VecDeque<i64>,
}

impl VideoClock {
    pub(super) fn new(times: &VideoTimes) -> Self {
        let rate = f64::from(times.frame_rate);
        let start = if rate > 0.0 {
            -(times.reorder_frames as f64 * 1e6 / rate) as i64
        } else {
            0
        };
        Self {
            time_base: times.time_base,
            dts_us: start,
            next_dts_us: None,
            next_pts_us: 0,
            packet_us: 0,
            gave_frame: false,
            draining: false,
            spare: VecDeque::new(),
        }
    }

    /// What comes next is from elsewhere in the stream.
    pub(super) fn restart(&mut self) {
        (self.next_dts_us, self.gave_frame, self.draining) = (None, false, false);
        self.spare.clear();
    }

    /// Before a packet goes into the decoder: gives it a decoding time.
    pub(super) fn packet_in(&mut self, packet: &mut Packet) {
        let known = packet.dts().map(|dts| rescale(dts, self.time_base, MICROS));
        self.dts_us = known.or(self.next_dts_us).unwrap_or(self.dts_us);
        packet.set_dts(Some(self.ticks(self.dts_us)));
        self.packet_us = rescale(packet.duration(), self.time_base, MICROS);
        self.next_dts_us = Some(self.dts_us);
        self.gave_frame = false;
    }

    /// After the decoder gave all that it had for a packet; `frame_rate` is what it knows by now.
    pub(super) fn packet_done(&mut self, frame_rate: Rational) {
        if !self.gave_frame {
            self.carry_on(frame_rate);
        }
    }

    /// Before the decoder is drained.
    pub(super) fn drain(&mut self) {
        self.draining = true;
        self.packet_us = 0;
    }

    /// Gives a decoded frame, which holds libav's best guess, its time.
    pub(super) fn stamp(&mut self, frame: &mut Frame, frame_rate: Rational) {
        if self.draining {
            self.dts_us = self.next_dts_us.unwrap_or(self.dts_us);
            self.spare.push_back(self.ticks(self.dts_us));
        }
        let spare = if frame.pts().is_none() && self.draining {
            self.spare.pop_front()
        } else {
            None
        };
        let pts = frame
            .pts()
            .or(spare)
            .unwrap_or_else(|| self.ticks(self.next_pts_us));
        frame.set_pts(Some(pts));
        let length_us = match frame.packet().duration {
            length if length > 0 => rescale(length, self.time_base, MICROS),
            _ => self.length_us(frame_rate),
        };
        self.next_pts_us = rescale(pts, self.time_base, MICROS).saturating_add(length_us);
        self.gave_frame = true;
        self.carry_on(frame_rate);
    }

    /// Where the last frame ends, in ticks.
    pub(super) fn end(&self) -> i64 {
        self.ticks(self.next_pts_us)
    }

    /// When the next packet is due.
    pub(super) fn expected(&self) -> Expected {
        let decoding_us = match self.next_dts_us {
            Some(next_dts_us) if self.gave_frame => next_dts_us,
            _ => self.dts_us,
        };
        Expected {
            next_us: self.next_dts_us,
            at_us: decoding_us.max(self.next_pts_us),
        }
    }

    /// The next decoding time is a packet's length away, where that is known.
    fn carry_on(&mut self, frame_rate: Rational) {
        self.next_dts_us = match self.length_us(frame_rate) {
            0 => None,
            length => Some(
                self.next_dts_us
                    .unwrap_or(self.dts_us)
                    .saturating_add(length),
            ),
        };
    }

    fn length_us(&self, frame_rate: Rational) -> i64 {
        if self.packet_us > 0 {
            self.packet_us
        } else {
            frame_us(frame_rate)
        }
    }

    fn ticks(&self, micros: i64) -> i64 {
        rescale(micros, MICROS, self.time_base)
    }
}

/// Length of a frame in whole microseconds; 0 where the rate is unknown.
pub(super) fn frame_us(frame_rate: Rational) -> i64 {
    if frame_rate.numerator() > 0 && frame_rate.denominator() > 0 {
        1_000_000 * i64::from(frame_rate.denominator()) / i64::from(frame_rate.numerator())
    } else {
        0
    }
}

/// The clock of one audio stream: exact to the sample, whatever the container's
/// ticks. Times are in microseconds unless said otherwise.
pub(super) struct AudioClock {
    time_base: Rational,
    // Where the last frame ends; where the packet at hand begins, if it tells.
    next_us: i64,
    // Time of the packet at hand, in ticks, for its first frame.
    packet_pts: Option<i64>,
    // That of the packet before it.
    last_pts: Option<i64>,
    // Where the last frame ends, in ticks.
    end: i64,
    // State of libav's exact conversion from ticks to samples.
    state: i64,
}

impl AudioClock {
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

    /// Time base of stamped frames: one sample.
    pub(super) fn samples(frame: &Frame) -> Rational {
        // SAFETY: the frame is valid.
        Rational::new(1, unsafe { (*frame.as_ptr()).sample_rate }.max(1))
    }

    /// Before a packet goes into the decoder.
    pub(super) fn packet_in(&mut self, packet: &Packet) {
        let told = packet.dts().map(|dts| rescale(dts, self.time_base, MICROS));
        self.next_us = told.unwrap_or(self.next_us);
        self.packet_pts = packet.pts();
        if let (Some(last), Some(pts)) = (self.last_pts, packet.pts())
            && packet.duration() > 0
            && pts.saturating_sub(last) > packet.duration()
        {
            // After a gap, samples are not counted on.
            self.state = ffi::AV_NOPTS_VALUE;
        }
        self.last_pts = packet.pts();
    }

    /// Gives a decoded frame, which holds its own time, the time in samples.
    pub(super) fn stamp(&mut self, frame: &mut Frame) {
        let samples = Self::samples(frame);
        let (pts, time_base) = match frame.pts().or(self.packet_pts.take()) {
            Some(pts) => (pts, self.time_base),
            None => (self.next_us, MICROS),
        };
        // SAFETY: a computation on the frame's sample count and this clock's state.
        let (count, stamped) = unsafe {
            let count = (*frame.as_ptr()).nb_samples;
            let base = samples.into();
            let stamped =
                ffi::av_rescale_delta(time_base.into(), pts, base, count, &mut self.state, base);
            (count, stamped)
        };
        let count = i64::from(count);
        self.packet_pts = None;
        self.next_us = self
            .next_us
            .saturating_add(count * 1_000_000 / i64::from(samples.denominator()));
        let begins = rescale(pts, time_base, self.time_base);
        self.end = begins.saturating_add(rescale(count, samples, self.time_base));
        frame.set_pts(Some(stamped));
    }

    /// When the next packet is due.
    pub(super) fn expected(&self) -> Expected {
        Expected {
            next_us: Some(self.next_us),
            at_us: self.next_us,
        }
    }

    /// Where the last frame ends, in ticks.
    pub(super) fn end(&self) -> i64 {
        self.end
    }
}
