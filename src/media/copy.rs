//! Packets taken as they are, with times that a muxer accepts.
//!
//! The rules are those of `do_streamcopy` and the part of `process_input_packet`
//! that precedes it in FFmpeg 5.1's `ffmpeg.c`, and of `of_streamcopy` of
//! `ffmpeg_mux.c` since 6.1.

use ffmpeg::{Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::clock::{PacketClock, PacketFacts};
use super::compat::{self, TimestampRules};
use super::filter::rescale;
use super::jumps::Expected;
use super::{Input, Origin};
use crate::error::Result;

const MICROS: Rational = Rational(1, 1_000_000);

/// One copied stream.
pub(super) struct Copier {
    facts: PacketFacts,
    time_base: Rational,
    clock: PacketClock,
    // Packets that have passed; the first is a keyframe.
    taken: u64,
    // Decoding time of the last one of those.
    position_us: i64,
}

impl Copier {
    pub(super) fn new(input: &Input, stream: usize) -> Result<Self> {
        let origin = Origin::of(input, stream)?;
        Ok(Self {
            facts: PacketFacts::of(origin.stream()),
            time_base: input.time_base(stream),
            clock: PacketClock::default(),
            taken: 0,
            position_us: 0,
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

    /// When the next packet is due, where that is not the demuxer's to know.
    pub(super) fn expected(&self) -> Option<Expected> {
        let expected = Expected {
            next_us: self.clock.next_us(),
            at_us: self.clock.at_us(),
        };
        (compat::timestamp_rules() == TimestampRules::Packets).then_some(expected)
    }

    /// The packet as it goes on; `None` where it is before the first keyframe.
    pub(super) fn take(&mut self, packet: &Packet) -> Option<Packet> {
        let dts_us = self.clock.take(packet, &self.facts);
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
}
