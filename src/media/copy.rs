//! Packets taken as they are, with times that a muxer accepts.
//!
//! The rules are those of `do_streamcopy` and the part of
//! `process_input_packet` that precedes it in FFmpeg 5.1's `ffmpeg.c`.

use ffmpeg::{Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::Input;
use super::clock::frame_us;
use super::filter::rescale;
use super::jumps::Expected;
use crate::error::{Error, Result};

const MICROS: Rational = Rational(1, 1_000_000);

/// One copied stream.
pub(super) struct Copier {
    parameters: ffmpeg::codec::Parameters,
    time_base: Rational,
    frame_rate: Rational,
    // Packets that have passed; the first is a key frame.
    taken: u64,
    // Decoding time of the last one of those.
    position_us: i64,
    // Decoding time of the last one of all.
    dts_us: i64,
    // Decoding time of the next packet, in microseconds; stands in for a missing one.
    next_dts_us: Option<i64>,
}

impl Copier {
    pub(super) fn new(input: &Input, stream: usize) -> Result<Self> {
        let source = input
            .context()
            .stream(stream)
            .ok_or_else(|| Error::failed(format!("there is no stream {stream} any more")))?;
        Ok(Self {
            parameters: source.parameters(),
            time_base: source.time_base(),
            frame_rate: source.avg_frame_rate(),
            taken: 0,
            position_us: 0,
            dts_us: 0,
            next_dts_us: None,
        })
    }

    /// Packets that have passed.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Decoding time of the last one in seconds.
    pub(super) fn position_s(&self) -> f64 {
        self.position_us.max(0) as f64 / 1e6
    }

    /// When the next packet is due.
    pub(super) fn expected(&self) -> Expected {
        Expected {
            next_us: self.next_dts_us,
            at_us: self.dts_us,
        }
    }

    /// The packet as it goes on; `None` where it is before the first key frame.
    pub(super) fn take(&mut self, packet: &Packet) -> Option<Packet> {
        let dts_us = self.clock(packet);
        if self.taken == 0 && !packet.is_key() {
            return None;
        }
        self.taken += 1;
        self.position_us = dts_us;
        let mut copy = packet.clone();
        let dts = packet.dts();
        copy.set_dts(dts.or_else(|| Some(rescale(dts_us, MICROS, self.time_base))));
        Some(copy)
    }

    /// The packet's decoding time in microseconds, and from it that of the next.
    fn clock(&mut self, packet: &Packet) -> i64 {
        let told = packet.dts().map(|dts| rescale(dts, self.time_base, MICROS));
        let dts_us = told
            .or(self.next_dts_us)
            .unwrap_or_else(|| self.start_us(packet));
        self.dts_us = dts_us;
        self.next_dts_us = Some(dts_us.saturating_add(self.length_us(packet)));
        dts_us
    }

    /// When a stream begins whose first packet has no decoding time.
    fn start_us(&self, packet: &Packet) -> i64 {
        // SAFETY: the parameters belong to the opened input.
        let reorder = i64::from(unsafe { (*self.parameters.as_ptr()).video_delay });
        let rate = f64::from(self.frame_rate);
        let ahead = if rate > 0.0 {
            -(reorder as f64 * 1e6 / rate) as i64
        } else {
            0
        };
        ahead
            + packet
                .pts()
                .map_or(0, |pts| rescale(pts, self.time_base, MICROS))
    }

    fn length_us(&self, packet: &Packet) -> i64 {
        // SAFETY: the parameters belong to the opened input.
        let (samples, rate) = unsafe {
            let raw = &*self.parameters.as_ptr();
            (i64::from(raw.frame_size), i64::from(raw.sample_rate))
        };
        if rate > 0 {
            1_000_000 * samples / rate
        } else if packet.duration() > 0 {
            rescale(packet.duration(), self.time_base, MICROS)
        } else {
            frame_us(self.frame_rate)
        }
    }
}
