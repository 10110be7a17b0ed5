//! MP4 and QuickTime: boxes, each with its size (ISO/IEC 14496-12).
//!
//! Packets are found by an index, and libav reports those that it cannot read. Only a file of
//! fragments can lose some unseen.

use super::{End, Format, Missing, Step};

/// What a file may begin with.
pub(super) const FIRST: [&[u8; 4]; 9] = [
    b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"pnot", b"moof",
];

/// With what a file of fragments may continue.
const AGAIN: [&[u8]; 5] = [b"moof", b"styp", b"sidx", b"emsg", b"mfra"];

#[derive(Debug, Default)]
pub(super) struct Mp4 {
    has_fragments: bool,
    /// Where the last box of packets ends.
    packets_end: u64,
}

impl Format for Mp4 {
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        let (Some(size), Some(name)) = (bytes.get(..4), bytes.get(4..8)) else {
            return Step::More;
        };
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
        };
        let size = match number(size) {
            // It ends with the file.
            0 if name == b"mdat" => return Step::Done,
            1 => match bytes.get(8..16) {
                Some(size) => number(size),
                None => return Step::More,
            },
            size => size,
        };
        let is_name = name
            .iter()
            .all(|byte| byte.is_ascii_graphic() || *byte == b' ' || *byte == 0xa9);
        if size < 8 || !is_name {
            return Step::Lost;
        }
        self.has_fragments |= name == b"moof";
        let next = at.saturating_add(size);
        if name == b"mdat" {
            self.packets_end = next;
        }
        Step::Next(next)
    }

    fn look(&self) -> usize {
        8
    }

    fn begins(&mut self, _: u64, bytes: &[u8]) -> bool {
        AGAIN.contains(&&bytes[4..8]) && bytes[0] == 0
    }

    fn end(&self, end: &End) -> Missing {
        let announced = match self.has_fragments {
            true => end.next,
            false => self.packets_end,
        };
        Missing {
            bytes: announced.saturating_sub(end.length),
            is_torn: self.has_fragments && (end.is_torn || end.lost_at.is_some()),
        }
    }
}
