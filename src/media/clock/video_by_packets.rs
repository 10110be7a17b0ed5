//! Video timestamps as the `ffmpeg` program computes them up to FFmpeg 6.0.
//!
//! The rules are those of `process_input_packet` and `decode_video` of FFmpeg
//! 5.1's `ffmpeg.c`. Decoding times advance in microseconds by each packet's
//! duration and replace missing ones. Frames that leave the decoder at the end
//! without a timestamp take the decoding times in order.

use std::collections::VecDeque;

use ffmpeg::{Frame, Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::{Clock, MICROS, StreamTimes, frame_us};
use crate::media::filter::rescale;
use crate::media::jumps::Expected;

/// The clock of one video stream. All times are in microseconds unless said otherwise.
pub(super) struct VideoByPackets {
    time_base: Rational,
    // Decoding time of the current packet, and of the next one where it is known.
    dts_us: i64,
    next_dts_us: Option<i64>,
    // Where the last frame ends.
    next_pts_us: i64,
    // Duration of the current packet by the container; 0 where it stores none.
    packet_us: i64,
    // Whether the current packet gave a frame.
    gave_frame: bool,
    draining: bool,
    // Decoding times for frames without a timestamp at the end, in ticks.
    spare: VecDeque<i64>,
}

impl VideoByPackets {
    pub(super) fn new(times: &StreamTimes) -> Self {
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

impl Clock for VideoByPackets {
    fn restart(&mut self) {
        (self.next_dts_us, self.gave_frame, self.draining) = (None, false, false);
        self.spare.clear();
    }

    fn packet_in(&mut self, packet: &mut Packet) {
        let known = packet.dts().map(|dts| rescale(dts, self.time_base, MICROS));
        self.dts_us = known.or(self.next_dts_us).unwrap_or(self.dts_us);
        packet.set_dts(Some(self.ticks(self.dts_us)));
        self.packet_us = rescale(packet.duration(), self.time_base, MICROS);
        self.next_dts_us = Some(self.dts_us);
        self.gave_frame = false;
    }

    fn packet_done(&mut self, frame_rate: Rational) {
        if !self.gave_frame {
            self.carry_on(frame_rate);
        }
    }

    fn drain(&mut self) {
        self.draining = true;
        self.packet_us = 0;
    }

    fn stamp(&mut self, frame: &mut Frame, frame_rate: Rational) -> Rational {
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
        self.time_base
    }

    fn end(&self) -> i64 {
        self.ticks(self.next_pts_us)
    }

    fn expected(&self) -> Option<Expected> {
        let decoding_us = match self.next_dts_us {
            Some(next_dts_us) if self.gave_frame => next_dts_us,
            _ => self.dts_us,
        };
        Some(Expected {
            next_us: self.next_dts_us,
            at_us: decoding_us.max(self.next_pts_us),
        })
    }
}
