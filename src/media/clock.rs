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

/// Length of a frame in microseconds; 0 where the rate is unknown.
fn frame_us(frame_rate: Rational) -> i64 {
    if frame_rate.numerator() > 0 {
        rescale(1, frame_rate.invert(), MICROS)
    } else {
        0
    }
}

/// The clock of one audio stream: exact to the sample, whatever the container's ticks.
pub(super) struct AudioClock {
    time_base: Rational,
    // Where the last frame ends, in ticks.
    end: i64,
    // State of libav's exact conversion from ticks to samples.
    state: i64,
}

impl AudioClock {
    pub(super) fn new(time_base: Rational) -> Self {
        Self {
            time_base,
            end: 0,
            state: ffi::AV_NOPTS_VALUE,
        }
    }

    /// Time base of stamped frames: one sample.
    pub(super) fn samples(frame: &Frame) -> Rational {
        // SAFETY: the frame is valid.
        Rational::new(1, unsafe { (*frame.as_ptr()).sample_rate }.max(1))
    }

    /// Gives a decoded frame its time in samples.
    pub(super) fn stamp(&mut self, frame: &mut Frame) {
        let samples = Self::samples(frame);
        let pts = frame.pts().unwrap_or(self.end);
        // SAFETY: a computation on the frame's sample count and this clock's state.
        let (count, stamped) = unsafe {
            let count = (*frame.as_ptr()).nb_samples;
            let base = samples.into();
            let stamped = ffi::av_rescale_delta(
                self.time_base.into(),
                pts,
                base,
                count,
                &mut self.state,
                base,
            );
            (count, stamped)
        };
        self.end = pts.saturating_add(rescale(i64::from(count), samples, self.time_base));
        frame.set_pts(Some(stamped));
    }

    /// Where the last frame ends, in ticks.
    pub(super) fn end(&self) -> i64 {
        self.end
    }
}
