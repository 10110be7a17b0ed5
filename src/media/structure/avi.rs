//! AVI: chunks with their sizes, in lists.

use super::{End, Format, Missing, Step};

#[derive(Debug, Default)]
pub(super) struct Avi {
    /// Where the present RIFF ends by its own size; unknown where that was never written.
    riff_end: Option<u64>,
    /// Where the list of packets ends by its own size.
    packets_end: Option<u64>,
    /// Whether the last chunk is of odd length, and may be followed by a byte that fills it up.
    is_odd: bool,
    /// Whether the old index is where the list of packets ends.
    has_index: bool,
}

/// Lists and chunks that are no packets.
const NAMES: [&[u8]; 5] = [b"LIST", b"idx1", b"JUNK", b"RIFF", b"indx"];

fn is_packet(name: &[u8]) -> bool {
    let [first, second, third, fourth] = *name else {
        return false;
    };
    first.is_ascii_digit()
        && second.is_ascii_hexdigit()
        && third.is_ascii_alphabetic()
        && fourth.is_ascii_alphabetic()
        || first == b'i' && second == b'x' && third.is_ascii_digit() && fourth.is_ascii_digit()
}

/// Whether a chunk may have that name: others than the usual ones do no harm.
fn is_name(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-".contains(byte);
    name.len() == 4 && name.iter().all(is_letter)
}

fn little(bytes: &[u8]) -> u32 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// Where something of that size ends; a size that was never written is none.
fn end_of(begin: u64, size: u32) -> Option<u64> {
    (size != 0 && size < 0xffff_ff00).then_some(begin + u64::from(size))
}

impl Format for Avi {
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        if bytes.len() < 13 {
            return Step::More;
        }
        // Not every program fills up chunks of odd length.
        let is_filled = self.is_odd && (is_name(&bytes[1..5]) || !is_name(&bytes[..4]));
        let (at, bytes) = match is_filled {
            true => (at + 1, &bytes[1..]),
            false => (at, bytes),
        };
        self.is_odd = false;
        let (name, size) = (&bytes[..4], little(&bytes[4..8]));
        let is_over = self.riff_end.is_some_and(|end| at >= end);
        if is_over && name != b"RIFF" {
            return Step::Done;
        }
        if !is_name(name) {
            return Step::Lost;
        }
        match (name, &bytes[8..12]) {
            (b"RIFF", _) => {
                self.riff_end = end_of(at + 8, size);
                Step::Next(at + 12)
            }
            (b"LIST", b"movi") => {
                self.packets_end = end_of(at + 8, size);
                Step::Next(at + 12)
            }
            (b"LIST", b"rec ") => Step::Next(at + 12),
            _ => {
                self.has_index |= name == b"idx1"
                    && self
                        .packets_end
                        .is_none_or(|end| at == end || at == end + 1);
                self.is_odd = size % 2 == 1;
                Step::Next(at + 8 + u64::from(size))
            }
        }
    }

    fn look(&self) -> usize {
        13
    }

    fn begins(&mut self, _: u64, bytes: &[u8]) -> bool {
        let (name, size) = (&bytes[..4], little(&bytes[4..8]));
        self.is_odd = false;
        is_packet(name) && size < 1 << 26 || NAMES.contains(&name)
    }

    fn end(&self, end: &End) -> Missing {
        let announced = match self.has_index {
            // Some programs write wrong sizes; with the index in its place, nothing is missing.
            true => end.next,
            false => self.riff_end.unwrap_or(0).max(end.next),
        };
        Missing {
            bytes: announced.saturating_sub(end.length),
            // Up to a header and a byte of filling.
            is_torn: end.lost_at.is_some(),
        }
    }
}
