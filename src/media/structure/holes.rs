//! Which time is missing where a file's structure is damaged.

use ffmpeg::{Packet, Rational};
use ffmpeg_next as ffmpeg;
use serde::{Deserialize, Serialize};

use super::Fault;
use crate::media::filter::rescale;

const MICROS: Rational = Rational(1, 1_000_000);

/// The damage to a file's structure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// Places where it is broken.
    pub places: u64,
    /// The first of them, in bytes from the file's beginning.
    pub at: u64,
    /// Bytes that are no part of the structure.
    pub bytes: u64,
    /// Bytes that it announces beyond the end of the file.
    pub missing: u64,
    /// The longest time without a packet at such a place, of each stream.
    pub holes: Vec<Hole>,
}

/// A time of which a stream holds nothing, in microseconds from the file's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// The stream.
    pub stream: usize,
    /// When the last packet before it begins.
    pub from_us: i64,
    /// When the first packet after it begins.
    pub to_us: i64,
}

impl Damage {
    /// Whether something is missing.
    pub fn is_any(&self) -> bool {
        self.places > 0 || self.missing > 0
    }
}

/// The packets of a file, beside the faults of its structure.
#[derive(Debug, Default)]
pub(in crate::media) struct Holes {
    streams: Vec<Stream>,
}

#[derive(Debug, Default, Clone)]
struct Stream {
    packets: i64,
    first_us: Option<i64>,
    /// The latest times of decoding and of showing.
    decoded_us: Option<i64>,
    shown_us: Option<i64>,
    /// Faults before its last packet.
    passed: usize,
    /// The longest holes at faults that are certain, and at others.
    certain: Option<(i64, i64)>,
    doubtful: Option<(i64, i64)>,
}

impl Holes {
    /// Takes note of a packet, after those `faults`; its times are in `time_base`.
    pub(in crate::media) fn note(
        &mut self,
        packet: &Packet,
        time_base: Rational,
        faults: &[Fault],
    ) {
        let micros = |time: Option<i64>| time.map(|time| rescale(time, time_base, MICROS));
        let (dts, pts) = (micros(packet.dts()), micros(packet.pts()));
        let times = dts.or(pts).zip(pts.or(dts));
        let at = u64::try_from(packet.position()).ok();
        if let Some((decoded_us, shown_us)) = times {
            self.take(packet.stream(), at, decoded_us, shown_us, faults);
        }
    }

    /// A packet of `stream` that begins at byte `at`, where that is known, is decoded at
    /// `decoded_us` and shown at `shown_us`.
    fn take(
        &mut self,
        stream: usize,
        at: Option<u64>,
        decoded_us: i64,
        shown_us: i64,
        faults: &[Fault],
    ) {
        if stream >= self.streams.len() {
            self.streams.resize(stream + 1, Stream::default());
        }
        let stream = &mut self.streams[stream];
        stream.packets += 1;
        stream.first_us = stream.first_us.or(Some(decoded_us));
        if let Some(at) = at {
            stream.pass(at, decoded_us, shown_us, faults);
        }
        stream.decoded_us = stream.decoded_us.max(Some(decoded_us));
        stream.shown_us = stream.shown_us.max(Some(shown_us));
    }

    /// All that is missing: `missing` bytes at the end, and what faults show.
    pub(in crate::media) fn damage(&self, faults: &[Fault], missing: u64) -> Damage {
        let certain = faults.iter().filter(|fault| !fault.is_soft);
        let mut damage = Damage {
            places: certain.clone().count() as u64,
            at: certain.clone().map(|fault| fault.at).min().unwrap_or(0),
            bytes: certain.map(|fault| fault.bytes).sum(),
            missing,
            holes: vec![],
        };
        let numbered = self.streams.iter().enumerate();
        let doubtful = numbered.clone().filter(|(_, it)| it.is_hole(it.doubtful));
        if damage.places == 0 && doubtful.clone().next().is_some() {
            let mut soft = faults.iter().filter(|fault| fault.is_soft);
            damage.places = soft.clone().count() as u64;
            damage.at = soft.next().map_or(0, |fault| fault.at);
        }
        damage.holes = numbered
            .filter_map(|(stream, it)| {
                let holes = [it.certain, it.doubtful].into_iter();
                let (from_us, to_us) = holes
                    .filter(|hole| it.is_hole(*hole))
                    .flatten()
                    .max_by_key(|(from, to)| to - from)?;
                Some(Hole {
                    stream,
                    from_us,
                    to_us,
                })
            })
            .collect();
        damage
    }
}

impl Stream {
    /// A packet at `at`: the faults before it lie between this and the last one.
    ///
    /// libav makes up decoding times where a container has none, and these continue without a
    /// hole. Containers with doubtful faults have their own, and those show no hole where frames
    /// are only reordered.
    fn pass(&mut self, at: u64, decoded_us: i64, shown_us: i64, faults: &[Fault]) {
        let passed = faults.iter().skip(self.passed);
        let passed = passed.take_while(|fault| fault.at < at);
        let (mut certain, mut doubtful) = (false, false);
        for fault in passed {
            self.passed += 1;
            certain |= !fault.is_soft;
            doubtful |= fault.is_soft;
        }
        if let Some(last_us) = self.shown_us.filter(|_| certain) {
            keep_longer(&mut self.certain, (last_us, shown_us));
        }
        if let Some(last_us) = self.decoded_us.filter(|_| doubtful) {
            keep_longer(&mut self.doubtful, (last_us, decoded_us));
        }
    }

    /// Whether a hole is longer than the stream's packets are apart.
    fn is_hole(&self, hole: Option<(i64, i64)>) -> bool {
        let (Some((from, to)), Some(first), Some(last)) = (hole, self.first_us, self.decoded_us)
        else {
            return false;
        };
        let whole = last.saturating_sub(first).saturating_sub(to - from);
        let usual = whole / (self.packets - 2).max(1);
        to.saturating_sub(from) > usual.saturating_mul(3) / 2
    }
}

fn keep_longer(longest: &mut Option<(i64, i64)>, (from, to): (i64, i64)) {
    if longest.is_none_or(|(known_from, known_to)| to - from > known_to - known_from) {
        *longest = Some((from, to));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: i64 = 40_000;

    fn fault(at: u64, is_soft: bool) -> Fault {
        Fault {
            at,
            bytes: 10,
            is_soft,
        }
    }

    /// 100 frames, of 1000 bytes each, without those in `lost`, beside a fault before byte 50,500.
    fn damage(lost: std::ops::Range<i64>, is_soft: bool) -> Damage {
        let mut holes = Holes::default();
        let faults = [fault(50_000, is_soft)];
        for frame in (0..100).filter(|frame| !lost.contains(frame)) {
            let at = frame as u64 * 1000 + 500;
            let seen = &faults[..usize::from(at > 50_000)];
            holes.take(0, Some(at), frame * FRAME, frame * FRAME, seen);
        }
        holes.damage(&faults, 0)
    }

    #[test]
    fn a_certain_fault_is_damage_and_its_hole_is_named() {
        assert!(damage(0..0, false).is_any());
        assert_eq!(damage(0..0, false).holes, []);
        let hole = damage(50..60, false).holes[0];
        assert_eq!((hole.from_us, hole.to_us), (49 * FRAME, 60 * FRAME));
    }

    #[test]
    fn a_doubtful_fault_is_damage_only_beside_a_hole() {
        assert!(!damage(0..0, true).is_any());
        assert!(!damage(10..20, true).is_any());
        assert!(damage(50..52, true).is_any());
    }
}
