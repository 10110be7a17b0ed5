//! Clocks that jump: recordings joined one after the other, clocks that were set
//! or wrapped around. Times continue where they were, as in the `ffmpeg` program.
//!
//! The rules are those of `process_input` of FFmpeg 5.1's `ffmpeg.c`, which is
//! `ts_discontinuity_detect` of `ffmpeg_demux.c` since 6.1: where the format allows
//! jumps, a packet that is not due about where its stream was moves the clock of
//! the whole file; elsewhere such a time is taken for wrong. The versions differ in
//! what they count as due: see [`TimestampRules`].

use ffmpeg::{Packet, Rational};
use ffmpeg_next as ffmpeg;

use super::clock::{PacketClock, PacketFacts};
use super::compat::{self, TimestampRules};
use super::filter::rescale;

const MICROS: Rational = Rational(1, 1_000_000);

/// A jump is one of more than so much, as the program has it (`-dts_delta_threshold`) …
const JUMP_US: i64 = 10_000_000;
/// … or one that goes back by more than this.
const BACK_US: i64 = 100_000;
/// Where a format's clock cannot jump, a time that is so far off is wrong (`-dts_error_threshold`).
const WRONG_US: i64 = 30 * 3600 * 1_000_000;

/// What the clock of a stream says after a packet, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expected {
    /// When the next packet is to be decoded, where that can be told.
    pub next_us: Option<i64>,
    /// How far the stream is, in decoding or in showing.
    pub at_us: i64,
}

impl Default for Expected {
    /// Nothing is known yet.
    fn default() -> Self {
        Self {
            next_us: None,
            at_us: i64::MIN,
        }
    }
}

/// What there is to know of a packet's stream.
pub(super) struct Arrival {
    /// The stream's ticks.
    pub time_base: Rational,
    /// Bits of the stream's timestamps; at least 64 where they do not run over.
    pub wrap_bits: u32,
    /// Whether it is of video or audio.
    pub is_timed: bool,
    /// What its decoding times are predicted from.
    pub facts: PacketFacts,
}

/// The clock of a file.
pub(super) struct Jumps {
    rules: TimestampRules,
    /// Whether the format's clock may jump.
    may_jump: bool,
    /// Where the file begins by its own clock, where it tells.
    start_us: Option<i64>,
    /// What is added to all times.
    offset_us: i64,
    /// Decoding time of the last packet.
    last_us: Option<i64>,
    has_jumped: bool,
    streams: Vec<Stream>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Stream {
    expected: Expected,
    packets: PacketClock,
    /// Whether a packet came whose time is not of before its clock ran over.
    is_unwrapped: bool,
}

impl Jumps {
    /// For a file that begins at `start_us`.
    pub(super) fn new(may_jump: bool, start_us: Option<i64>) -> Self {
        Self {
            rules: compat::timestamp_rules(),
            may_jump,
            start_us,
            offset_us: start_us.unwrap_or(0).saturating_neg(),
            last_us: None,
            has_jumped: false,
            streams: vec![],
        }
    }

    /// Gives a packet the time that it has from the file's beginning.
    pub(super) fn mend(&mut self, packet: &mut Packet, arrival: &Arrival) {
        self.unwrap(packet, arrival);
        shift(packet, self.offset_us, arrival.time_base);
        let before = self.stream(packet.stream()).expected;
        if let (Some(dts_us), true) = (decoded_us(packet, arrival.time_base), arrival.is_timed) {
            match before.next_us {
                Some(next_us) if self.may_jump => {
                    let goes_back = dts_us.saturating_add(BACK_US) < before.at_us;
                    self.follow(packet, dts_us.saturating_sub(next_us), goes_back, arrival);
                }
                Some(next_us) => drop_wrong(packet, next_us, arrival.time_base),
                // A stream begins about when the others were.
                None => {
                    let last_us = self.last_us.filter(|_| self.may_jump).unwrap_or(dts_us);
                    self.follow(packet, dts_us.saturating_sub(last_us), false, arrival);
                }
            }
        }
        // Since FFmpeg 6.1, subtitles and data do not count.
        if arrival.is_timed || self.rules == TimestampRules::Packets {
            self.last_us = decoded_us(packet, arrival.time_base).or(self.last_us);
        }
        let expected = match self.rules {
            TimestampRules::Packets => before.after(packet, arrival.time_base),
            TimestampRules::Frames => self.predicted(packet, &arrival.facts),
        };
        self.expect(packet.stream(), expected);
    }

    /// When the next packet is due by the packets alone.
    fn predicted(&mut self, packet: &Packet, facts: &PacketFacts) -> Expected {
        let clock = &mut self.stream(packet.stream()).packets;
        clock.take(packet, facts);
        Expected {
            next_us: clock.next_us(),
            at_us: clock.at_us(),
        }
    }

    /// Has the file begin at `start_us` of its own clock.
    pub(super) fn begin_at(&mut self, start_us: i64) {
        self.offset_us = start_us.saturating_neg();
    }

    /// What follows is of another place in the file: nothing is expected of it.
    pub(super) fn forget(&mut self) {
        self.last_us = None;
        for stream in &mut self.streams {
            stream.expected = Expected::default();
            stream.packets = PacketClock::default();
        }
    }

    /// Whether the clock has jumped so far.
    pub(super) fn has_jumped(&self) -> bool {
        self.has_jumped
    }

    /// What is known better of a stream by whoever took its packet.
    pub(super) fn expect(&mut self, stream: usize, expected: Expected) {
        self.stream(stream).expected = expected;
    }

    fn stream(&mut self, number: usize) -> &mut Stream {
        if number >= self.streams.len() {
            self.streams.resize(number + 1, Stream::default());
        }
        &mut self.streams[number]
    }

    /// A time of before a clock ran over, which is counted from after it.
    fn unwrap(&mut self, packet: &mut Packet, arrival: &Arrival) {
        let Some(start_us) = self.start_us.filter(|_| arrival.wrap_bits < 62) else {
            return;
        };
        let stream = self.stream(packet.stream());
        if stream.is_unwrapped {
            return;
        }
        let round = 1_i64 << arrival.wrap_bits;
        let half_way = rescale(start_us, MICROS, arrival.time_base).saturating_add(round / 2);
        let is_late = |time: &i64| *time > half_way;
        let (late_dts, late_pts) = (packet.dts().filter(is_late), packet.pts().filter(is_late));
        stream.is_unwrapped = late_dts.is_none() && late_pts.is_none();
        if let Some(dts) = late_dts {
            packet.set_dts(Some(dts.saturating_sub(round)));
        }
        if let Some(pts) = late_pts {
            packet.set_pts(Some(pts.saturating_sub(round)));
        }
    }

    /// Takes a packet that is off by so much from when it is due. Where that is
    /// too much, the clock jumped, for this packet and all that follow.
    fn follow(&mut self, packet: &mut Packet, by_us: i64, goes_back: bool, arrival: &Arrival) {
        if by_us.saturating_abs() > JUMP_US || goes_back {
            self.has_jumped = true;
            self.offset_us = self.offset_us.saturating_sub(by_us);
            shift(packet, by_us.saturating_neg(), arrival.time_base);
        }
    }
}

impl Expected {
    /// What a packet itself tells of the next, once it is decoded.
    fn after(self, packet: &Packet, time_base: Rational) -> Self {
        let length_us = rescale(packet.duration().max(0), time_base, MICROS);
        let begins_us = decoded_us(packet, time_base).or(self.next_us);
        let next_us = begins_us.map(|begins_us| begins_us.saturating_add(length_us));
        Self {
            next_us,
            at_us: next_us.unwrap_or(self.at_us),
        }
    }
}

fn decoded_us(packet: &Packet, time_base: Rational) -> Option<i64> {
    packet.dts().map(|dts| rescale(dts, time_base, MICROS))
}

fn shift(packet: &mut Packet, by_us: i64, time_base: Rational) {
    let by = rescale(by_us, MICROS, time_base);
    packet.set_pts(packet.pts().map(|pts| pts.saturating_add(by)));
    packet.set_dts(packet.dts().map(|dts| dts.saturating_add(by)));
}

/// Times that cannot be are as good as none.
fn drop_wrong(packet: &mut Packet, next_us: i64, time_base: Rational) {
    let is_wrong = |time: &i64| {
        let by_us = rescale(*time, time_base, MICROS).saturating_sub(next_us);
        by_us.saturating_abs() > WRONG_US
    };
    packet.set_dts(packet.dts().filter(|dts| !is_wrong(dts)));
    packet.set_pts(packet.pts().filter(|pts| !is_wrong(pts)));
}
