//! Packets taken as they are, with times that a muxer accepts.
//!
//! The rules are those of `do_streamcopy` and the part of `process_input_packet`
//! that precedes it in FFmpeg 5.1's `ffmpeg.c`, and of `of_streamcopy` of
//! `ffmpeg_mux.c` since 6.1.

use ffmpeg::packet::{Mut, Ref};
use ffmpeg::{Packet, Rational};
use ffmpeg_next as ffmpeg;
use ffmpeg_next::ffi;

use super::clock::{PacketClock, PacketFacts};
use super::compat::{self, TimestampRules};
use super::error::check;
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
    ///
    /// # Errors
    /// If there is no memory.
    pub(super) fn take(&mut self, packet: &Packet) -> Result<Option<Packet>> {
        let dts_us = self.clock.take(packet, &self.facts);
        if self.taken == 0 && !packet.is_key() {
            return Ok(None);
        }
        self.taken += 1;
        self.position_us = dts_us;
        let mut copy = duplicate(packet)?;
        let dts = packet.dts();
        copy.set_dts(dts.or_else(|| Some(rescale(dts_us, MICROS, self.time_base))));
        Ok(Some(copy))
    }
}

/// A second packet with the same data. `Packet::clone` gives an empty one, which no muxer
/// writes, if there is no memory.
///
/// # Errors
/// If there is no memory.
pub(super) fn duplicate(packet: &Packet) -> Result<Packet> {
    let mut copy = Packet::empty();
    // SAFETY: both packets are valid, and the new one holds nothing that would be lost.
    let code = unsafe {
        let made = ffi::av_packet_ref(copy.as_mut_ptr(), packet.as_ptr());
        match made {
            0 => ffi::av_packet_make_writable(copy.as_mut_ptr()),
            failed => failed,
        }
    };
    check(code, "copy a packet").map(|_| copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_has_the_data_and_times_of_its_packet_and_memory_of_its_own() {
        let mut packet = Packet::copy(&[1, 2, 3]);
        packet.set_pts(Some(7));
        let copy = duplicate(&packet).unwrap();
        packet.data_mut().unwrap()[0] = 9;
        assert_eq!((copy.data(), copy.pts()), (Some(&[1, 2, 3][..]), Some(7)));
    }
}
