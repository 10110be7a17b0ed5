//! Packets taken as they are, with times that a muxer accepts.
//!
//! The rules are those of `do_streamcopy` and the part of
//! `process_input_packet` that precedes it in FFmpeg 5.1's `ffmpeg.c`.

use ffmpeg::{Packet, Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::Input;
use super::filter::rescale;
use crate::error::{Error, Result};

const MICROS: Rational = Rational(1, 1_000_000);

/// One copied stream.
pub(super) struct Copier {
    parameters: ffmpeg::codec::Parameters,
    time_base: Rational,
    frame_rate: Rational,
    // Packets that have passed; the first is a key frame.
    taken: u64,
    // Decoding time of the last one.
    position_us: i64,
    // Decoding time of the next packet, in microseconds; stands in for a missing one.
    next_dts_us: Option<i64>,
    // State of libav's exact conversion from ticks to samples.
    state: i64,
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
            next_dts_us: None,
            state: ffi::AV_NOPTS_VALUE,
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

    /// The packet as it goes on; `None` where it is before the first key frame.
    pub(super) fn take(&mut self, packet: &Packet) -> Option<Packet> {
        let dts_us = self.clock(packet);
        if self.taken == 0 && !packet.is_key() {
            return None;
        }
        self.taken += 1;
        self.position_us = dts_us;
        let mut copy = packet.clone();
        let dts = match packet.dts() {
            None => rescale(dts_us, MICROS, self.time_base),
            Some(dts) if self.is_sound() => {
                let dts = self.whole_samples(dts, packet);
                copy.set_pts(Some(dts));
                dts
            }
            Some(dts) => dts,
        };
        copy.set_dts(Some(dts));
        Some(copy)
    }

    fn is_sound(&self) -> bool {
        self.parameters.medium() == ffmpeg::media::Type::Audio
    }

    /// The packet's decoding time in microseconds, and from it that of the next.
    fn clock(&mut self, packet: &Packet) -> i64 {
        let told = packet.dts().map(|dts| rescale(dts, self.time_base, MICROS));
        let dts_us = told
            .or(self.next_dts_us)
            .unwrap_or_else(|| self.start_us(packet));
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
        if packet.duration() > 0 {
            rescale(packet.duration(), self.time_base, MICROS)
        } else if self.frame_rate.numerator() > 0 && self.frame_rate.denominator() > 0 {
            rescale(1, self.frame_rate.invert(), MICROS)
        } else {
            0
        }
    }

    /// A sound packet's time, free of the rounding to the source's ticks.
    fn whole_samples(&mut self, dts: i64, packet: &Packet) -> i64 {
        // SAFETY: reads the parameters of the opened input; a computation otherwise.
        unsafe {
            let raw = self.parameters.as_mut_ptr();
            let mut samples = ffi::av_get_audio_frame_duration2(raw, packet.size() as i32);
            if samples <= 0 {
                samples = (*raw).frame_size;
            }
            let rate = (*raw).sample_rate.max(1);
            ffi::av_rescale_delta(
                self.time_base.into(),
                dts,
                Rational::new(1, rate).into(),
                samples.max(0),
                &mut self.state,
                self.time_base.into(),
            )
        }
    }
}
