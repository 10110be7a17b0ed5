//! Packets become parts: from one key frame to another, such that every frame
//! belongs to one part and can be decoded within it.

use ffmpeg_next::codec::packet::Ref;
use ffmpeg_next::{Packet, ffi};

use super::work::Part;
use crate::error::Result;
use crate::job::PartLength;
use crate::media::copy::duplicate;
use crate::media::decode::StreamFacts;

/// No part is shorter, unless that was asked for: each begins with a key frame,
/// which costs more than another.
const LEAST_S: f64 = 3.0;

/// No part is longer: each is kept in memory until it is encoded.
const MOST_S: f64 = 30.0;

/// As [`MOST_S`], in bytes: from here on, the next key frame ends a part.
const MOST_BYTES: usize = 64 << 20;

/// So many times that much is not kept at all: a film with so few key frames is
/// not to be cut, or all of it would wait in memory to be encoded by one thread.
const KEPT_AT_MOST: usize = 2;

/// So many parts a thread are left to be made at any time: at the end, all
/// threads are to be through at about the same time.
const PARTS_A_THREAD: f64 = 2.0;

/// In this share of a film, at its end, more than one thread works on each part:
/// while the last one is made, there is no other for those that are through.
const END: f64 = 1.0 / 8.0;

/// Cuts a stream into parts.
pub(super) struct Cutter {
    facts: StreamFacts,
    length: PartLength,
    duration_s: f64,
    most_bytes: usize,
    first: Option<Packet>,
    // What is read of the present part, and what of it is known.
    packets: Vec<Packet>,
    bytes: usize,
    from: Option<i64>,
    last: Option<i64>,
    // Where the next part may begin.
    cut: Option<Cut>,
    parts: usize,
    // Whether there is nothing to be cut any more.
    whole: bool,
    unsuited: bool,
}

/// A key frame at which a part may begin, and the frames that come after it
/// and are shown before it: they belong to the part before, and need it.
struct Cut {
    at: i64,
    key: Packet,
    leading: Vec<Packet>,
}

impl Cutter {
    /// For a stream of a file of `duration_s` seconds.
    pub(super) fn new(facts: StreamFacts, length: PartLength, duration_s: f64) -> Self {
        Self {
            facts,
            length,
            duration_s,
            most_bytes: MOST_BYTES,
            first: None,
            packets: vec![],
            bytes: 0,
            from: None,
            last: None,
            cut: None,
            parts: 0,
            whole: false,
            unsuited: false,
        }
    }

    /// How many parts there are so far.
    pub(super) fn parts(&self) -> usize {
        self.parts
    }

    /// Whether a frame came late for a part that was cut off already, or nothing
    /// is to be cut in a film of which most is still to come.
    pub(super) fn is_unsuited(&self) -> bool {
        self.unsuited
    }

    /// Takes the next packet; gives a part where one is complete with it.
    ///
    /// # Errors
    /// If there is no memory.
    pub(super) fn take(&mut self, packet: Packet) -> Result<Option<Part>> {
        if self.first.is_none() {
            self.first = Some(duplicate(&packet)?);
        }
        let (Some(pts), false) = (packet.pts(), is_discarded(&packet)) else {
            // Without its time, nobody knows which part a frame belongs to.
            self.go_on_whole(self.parts > 0 || packet.pts().is_none());
            // As long as nothing is made, nothing is lost where all is begun anew.
            self.unsuited |= self.whole && self.parts == 0;
            self.keep(packet);
            return Ok(None);
        };
        self.unsuited |= self.from.is_some_and(|from| pts < from);
        match self.cut.take() {
            Some(mut cut) if pts < cut.at => {
                cut.leading.push(packet);
                self.cut = Some(cut);
                Ok(None)
            }
            Some(cut) => {
                let part = self.part_until(cut)?;
                self.keep(packet);
                Ok(Some(part))
            }
            None if packet.is_key() && self.may_cut(pts) => {
                self.cut = Some(Cut {
                    at: pts,
                    key: packet,
                    leading: vec![],
                });
                Ok(None)
            }
            None => {
                self.keep(packet);
                Ok(None)
            }
        }
    }

    /// The last part.
    pub(super) fn end(&mut self) -> Option<Part> {
        self.go_on_whole(true);
        if self.packets.is_empty() {
            return None;
        }
        let packets = std::mem::take(&mut self.packets);
        Some(self.part(packets, None))
    }

    fn keep(&mut self, packet: Packet) {
        self.bytes += packet.size();
        self.unsuited |= self.bytes > KEPT_AT_MOST * self.most_bytes;
        self.last = self.last.max(packet.pts());
        self.packets.push(packet);
    }

    /// Does not cut where that was thought of; nor ever again, if so wished.
    fn go_on_whole(&mut self, for_ever: bool) {
        self.whole |= for_ever;
        if let Some(cut) = self.cut.take() {
            self.keep(cut.key);
            cut.leading.into_iter().for_each(|packet| self.keep(packet));
        }
    }

    /// Whether a part may end before a key frame that is shown at `pts`.
    fn may_cut(&self, pts: i64) -> bool {
        let is_last = self.last.is_some_and(|last| last < pts);
        if self.whole || !is_last {
            return false;
        }
        let tick_s = f64::from(self.facts.time_base);
        let begin_s = self.from.unwrap_or(0) as f64 * tick_s;
        let long_s = pts as f64 * tick_s - begin_s;
        let left_s = self.duration_s - begin_s;
        match self.length {
            PartLength::Seconds(least_s) => long_s >= least_s,
            PartLength::Guided { .. } if self.bytes >= self.most_bytes => true,
            PartLength::Guided { threads } => {
                let share_s = left_s / (PARTS_A_THREAD * threads.max(1) as f64);
                // The next key frame may be far: rather somewhat shorter than much longer.
                long_s >= 0.75 * share_s.clamp(LEAST_S, MOST_S) && left_s - long_s >= LEAST_S / 2.0
            }
        }
    }

    fn part_until(&mut self, cut: Cut) -> Result<Part> {
        let mut packets = std::mem::take(&mut self.packets);
        if !cut.leading.is_empty() {
            packets.push(duplicate(&cut.key)?);
            packets.extend(cut.leading);
        }
        let part = self.part(packets, Some(cut.at));
        (self.from, self.last, self.bytes) = (Some(cut.at), None, 0);
        self.keep(cut.key);
        Ok(part)
    }

    /// How many threads its encoders may use, by the place alone: which part is made
    /// by whom must not show.
    fn threads_of_part(&self, until: Option<i64>) -> usize {
        let tick_s = f64::from(self.facts.time_base);
        let left_s = until.map_or(0.0, |until| self.duration_s - until as f64 * tick_s);
        match self.length {
            PartLength::Guided { threads } if left_s <= END * self.duration_s => threads,
            _ => 1,
        }
    }

    fn part(&mut self, packets: Vec<Packet>, until: Option<i64>) -> Part {
        let number = self.parts;
        self.parts += 1;
        Part {
            number,
            threads: self.threads_of_part(until),
            facts: self.facts.clone(),
            first: self.first.clone().filter(|_| number > 0),
            packets,
            from: self.from,
            until,
        }
    }
}

/// Whether a packet is there to be decoded and not to be shown.
fn is_discarded(packet: &Packet) -> bool {
    // SAFETY: the packet is valid.
    let flags = unsafe { (*packet.as_ptr()).flags };
    flags & ffi::AV_PKT_FLAG_DISCARD != 0
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use super::*;
    use ffmpeg_next::codec::packet::Flags;

    const TICKS: i64 = 25;
    const SIZE: usize = 1000;

    /// For a film of 100 s of which more than `most_bytes` are too much of a part.
    fn cutter(most_bytes: usize) -> Cutter {
        let facts = StreamFacts::example((1, TICKS as i32).into());
        let length = PartLength::Guided { threads: 2 };
        Cutter {
            most_bytes,
            ..Cutter::new(facts, length, 100.0)
        }
    }

    fn packet(pts: Option<i64>, is_key: bool) -> Packet {
        let mut packet = Packet::new(SIZE);
        packet.set_pts(pts);
        packet.set_flags(if is_key { Flags::KEY } else { Flags::empty() });
        packet
    }

    #[test]
    fn a_film_with_one_key_frame_is_given_up_before_all_of_it_is_in_memory() {
        let mut cutter = cutter(10 * SIZE);
        let mut kept = 0;
        while !cutter.is_unsuited() && kept < 2500 {
            assert!(
                cutter
                    .take(packet(Some(kept), kept == 0))
                    .unwrap()
                    .is_none()
            );
            kept += 1;
        }
        assert_eq!(kept, 21);
    }

    #[test]
    fn a_film_with_key_frames_is_cut_by_its_bytes_and_goes_on() {
        let mut cutter = cutter(10 * SIZE);
        let parts =
            (0..200).filter_map(|pts| cutter.take(packet(Some(pts), pts % 5 == 0)).unwrap());
        let sizes: Vec<usize> = parts.map(|part| part.packets.len()).collect();
        assert_eq!(sizes, [10; 19]);
        assert!(!cutter.is_unsuited());
    }

    #[test]
    fn a_film_whose_packets_tell_no_times_is_given_up_at_once() {
        let mut cutter = cutter(10 * SIZE);
        assert!(cutter.take(packet(None, true)).unwrap().is_none());
        assert!(cutter.is_unsuited());
    }
}
