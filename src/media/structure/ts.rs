//! MPEG transport streams: packets of one length, numbered in each of their streams.

use std::collections::BTreeMap;

use super::{End, Format, Missing, Step};

const SYNC: u8 = 0x47;
/// Lengths of packets: alone, with a time before each (Blu-ray), with check bytes after each.
const LENGTHS: [usize; 3] = [188, 192, 204];
/// Packets that must follow each other to be recognised.
const IN_A_ROW: usize = 5;
/// A file may begin within a packet.
const MOST_BEFORE: usize = 1024;
/// The stream of packets that fill up.
const NOTHING: u16 = 0x1fff;
/// The streams with which a recording begins: tables of what it holds.
const TABLES: [u16; 2] = [0, 0x11];

#[derive(Debug)]
pub(super) struct Packets {
    length: usize,
    /// The number of the last packet of each stream.
    numbers: BTreeMap<u16, u8>,
}

/// Where the first packet begins, its first byte being the one for synchronisation.
pub(super) fn find(bytes: &[u8]) -> Option<(u64, Packets)> {
    for length in LENGTHS {
        for first in 0..MOST_BEFORE {
            if are_in_a_row(bytes.get(first..)?, length) {
                let packets = Packets {
                    length,
                    numbers: BTreeMap::new(),
                };
                return Some((first as u64, packets));
            }
        }
    }
    None
}

fn are_in_a_row(bytes: &[u8], length: usize) -> bool {
    (0..IN_A_ROW).all(|packet| bytes.get(packet * length) == Some(&SYNC))
}

impl Packets {
    /// Whether the packet that begins with `header` follows the last one of its stream.
    fn follows(&mut self, header: [u8; 4], announced: bool) -> bool {
        let stream = u16::from_be_bytes([header[1] & 0x1f, header[2]]);
        let (number, has_content) = (header[3] & 0x0f, header[3] & 0x10 != 0);
        if stream == NOTHING || !has_content {
            return true;
        }
        let Some(last) = self.numbers.insert(stream, number) else {
            return true;
        };
        let follows = number == (last + 1) & 0x0f || announced;
        if !follows && TABLES.contains(&stream) {
            // Another recording begins: its streams have other numbers.
            self.numbers.clear();
            self.numbers.insert(stream, number);
            return true;
        }
        // A packet may be sent twice.
        follows || number == last
    }
}

impl Format for Packets {
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        let Some(header) = bytes.first_chunk::<6>() else {
            return Step::More;
        };
        if bytes.len() < 188 {
            return Step::More;
        }
        if header[0] != SYNC {
            return Step::Lost;
        }
        let next = at + self.length as u64;
        let has_flags = header[3] & 0x20 != 0 && header[4] > 0;
        // The packet itself says that its number does not follow.
        let announced = has_flags && header[5] & 0x80 != 0;
        let is_damaged = header[1] & 0x80 != 0;
        if self.follows([header[0], header[1], header[2], header[3]], announced) && !is_damaged {
            Step::Next(next)
        } else {
            Step::Doubtful(next)
        }
    }

    fn look(&self) -> usize {
        self.length * (IN_A_ROW - 1) + 1
    }

    fn begins(&mut self, _: u64, bytes: &[u8]) -> bool {
        self.numbers.clear();
        are_in_a_row(bytes, self.length)
    }

    fn end(&self, end: &End) -> Missing {
        // Too few packets may follow to be recognised.
        let unknown = end.lost_at.map_or(0, |at| end.length.saturating_sub(at));
        Missing {
            bytes: 0,
            is_torn: end.is_torn || unknown > 0,
        }
    }
}
