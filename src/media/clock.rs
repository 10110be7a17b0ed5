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
    /// Average by the container; for packets without a duration.
    pub frame_rate: Rational,
    /// Frames that the decoder holds back before the first.
    pub reorder_frames: i64,
}

/// The clock of one video stream.
pub(super) struct VideoClock {
    times: VideoTimes,
    // Decoding time of the packet at hand, in microseconds; unknown after one without duration.
    next_dts_us: Option<i64>,
    // Presentation time after the last frame, in microseconds.
    next_pts_us: i64,
    // Length of the packet at hand, in microseconds.
    duration_us: i64,
    // Frames that came out of the packet at hand.
    frames: u32,
    draining: bool,
    // Decoding times that frames without a time are given at the end, in ticks.
    spare: VecDeque<i64>,
}

impl VideoClock {
    pub(super) fn new(times: VideoTimes) -> Self {
        let rate = f64::from(times.frame_rate);
        let start = if rate > 0.0 {
            -(times.reorder_frames as f64 * 1e6 / rate) as i64
        } else {
            0
        };
        Self {
            times,
            next_dts_us: Some(start),
            next_pts_us: 0,
            duration_us: 0,
            frames: 0,
            draining: false,
            spare: VecDeque::new(),
        }
    }

    /// Before a packet goes into the decoder: gives it a decoding time.
    pub(super) fn packet_in(&mut self, packet: &mut Packet) {
        if let Some(dts) = packet.dts() {
            self.next_dts_us = Some(rescale(dts, self.times.time_base, MICROS));
        }
        packet.set_dts(self.next_dts_us.map(|dts| self.ticks(dts)));
        self.duration_us = match packet.duration() {
            0 => self.frame_us(),
            duration => rescale(duration, self.times.time_base, MICROS),
        };
        self.frames = 0;
    }

    /// After the decoder gave all that it had for a packet.
    pub(super) fn packet_done(&mut self) {
        if self.frames == 0 {
            self.carry_on();
        }
    }

    /// Before the decoder is drained.
    pub(super) fn drain(&mut self) {
        self.draining = true;
        self.duration_us = self.frame_us();
    }

    /// Gives a decoded frame, which holds libav's best guess, its time.
    pub(super) fn stamp(&mut self, frame: &mut Frame) {
        if self.draining {
            self.spare
                .extend(self.next_dts_us.map(|dts| self.ticks(dts)));
        }
        let known = frame.pts().or_else(|| {
            if self.draining {
                self.spare.pop_front()
            } else {
                None
            }
        });
        let pts = known.unwrap_or_else(|| self.ticks(self.next_pts_us));
        frame.set_pts(Some(pts));
        let length_us = match frame.packet().duration {
            length if length > 0 => rescale(length, self.times.time_base, MICROS),
            _ => self.duration_us,
        };
        self.next_pts_us = rescale(pts, self.times.time_base, MICROS).saturating_add(length_us);
        self.frames += 1;
        self.carry_on();
    }

    /// Where the last frame ends, in ticks.
    pub(super) fn end(&self) -> i64 {
        self.ticks(self.next_pts_us)
    }

    fn carry_on(&mut self) {
        self.next_dts_us = match self.duration_us {
            0 => None,
            duration => self.next_dts_us.map(|dts| dts.saturating_add(duration)),
        };
    }

    fn frame_us(&self) -> i64 {
        if self.times.frame_rate.numerator() > 0 {
            rescale(1, self.times.frame_rate.invert(), MICROS)
        } else {
            0
        }
    }

    fn ticks(&self, micros: i64) -> i64 {
        rescale(micros, MICROS, self.times.time_base)
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
