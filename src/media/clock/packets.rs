//! Decoding times of packets, where the container stores none: predicted from the
//! packets before, as the `ffmpeg` program does for streams that it copies, and
//! since FFmpeg 6.1 for all (`ist_dts_update` of FFmpeg 7.1's `ffmpeg_demux.c`).

use ffmpeg::{Packet, Rational, ffi};
use ffmpeg_next as ffmpeg;

use super::{MICROS, frame_us, is_known};
use crate::media::compat::{self, TimestampRules};
use crate::media::filter::rescale;
use crate::media::stream::{Stream, StreamType};

/// What the prediction needs to know of a stream.
#[derive(Debug, Clone, Copy)]
pub(in crate::media) struct PacketFacts {
    time_base: Rational,
    /// Average frame rate by the container; 0/1 where it is unknown.
    average_rate: Rational,
    /// Frame rate by which packets without a duration are counted.
    frame_rate: Rational,
    reorder_frames: i64,
    /// Fields that a packet without a duration is shown for: two a frame.
    fields: i64,
    frame_samples: i64,
    sample_rate: i64,
    is_subtitle: bool,
}

impl PacketFacts {
    /// Those of a stream as they are known now.
    pub(in crate::media) fn of(stream: Stream) -> Self {
        // SAFETY: the stream is valid while its source is borrowed; its parameters live as long.
        unsafe {
            let parameters = stream.parameters();
            Self {
                time_base: stream.time_base(),
                average_rate: stream.average_rate(),
                frame_rate: compat::packet_frame_rate(stream),
                reorder_frames: i64::from((*parameters).video_delay),
                fields: compat::packet_fields(stream),
                frame_samples: i64::from((*parameters).frame_size),
                sample_rate: i64::from((*parameters).sample_rate),
                is_subtitle: stream.stream_type() == StreamType::Subtitle,
            }
        }
    }

    /// The decoding time that a stream starts at whose first packet stores none.
    fn start_us(&self, packet: &Packet) -> i64 {
        let rate = f64::from(self.average_rate);
        let ahead = if rate > 0.0 {
            -(self.reorder_frames as f64 * 1e6 / rate) as i64
        } else {
            0
        };
        let pts = packet.pts().map(|pts| rescale(pts, self.time_base, MICROS));
        ahead.saturating_add(pts.unwrap_or(0))
    }

    fn length_us(&self, packet: &Packet) -> i64 {
        if self.is_subtitle {
            0
        } else if self.sample_rate > 0 {
            1_000_000 * self.frame_samples / self.sample_rate
        } else if packet.duration() > 0 {
            rescale(packet.duration(), self.time_base, MICROS)
        } else {
            self.frame_us()
        }
    }

    /// Length of a frame by the frame rate; rounded down up to FFmpeg 6.0, and to
    /// the nearest microsecond since.
    fn frame_us(&self) -> i64 {
        if compat::timestamp_rules() == TimestampRules::Packets || !is_known(self.frame_rate) {
            return frame_us(self.frame_rate);
        }
        let (num, den) = (self.frame_rate.numerator(), self.frame_rate.denominator());
        // SAFETY: a pure computation; both factors are positive.
        unsafe { ffi::av_rescale(self.fields * 1_000_000, i64::from(den), 2 * i64::from(num)) }
    }
}

/// The decoding times of one stream, in microseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::media) struct PacketClock {
    dts_us: i64,
    next_us: Option<i64>,
}

impl PacketClock {
    /// Takes the next packet and returns its decoding time.
    pub(in crate::media) fn take(&mut self, packet: &Packet, facts: &PacketFacts) -> i64 {
        let known = packet
            .dts()
            .map(|dts| rescale(dts, facts.time_base, MICROS));
        let dts_us = known
            .or(self.next_us)
            .unwrap_or_else(|| facts.start_us(packet));
        self.dts_us = dts_us;
        self.next_us = Some(dts_us.saturating_add(facts.length_us(packet)));
        dts_us
    }

    /// Decoding time of the last packet.
    pub(in crate::media) fn at_us(&self) -> i64 {
        self.dts_us
    }

    /// Decoding time of the next packet; none before the first.
    pub(in crate::media) fn next_us(&self) -> Option<i64> {
        self.next_us
    }
}
