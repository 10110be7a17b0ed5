//! Ogg: pages with a checksum and a number (RFC 3533).

use std::collections::BTreeMap;

use super::{End, Format, Missing, Step};

const HEADER: usize = 27;
/// A page with this flag begins a stream.
const BEGINS: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct Ogg {
    /// The number of the last page of each stream.
    numbers: BTreeMap<u32, u32>,
    /// Whether damage was reported since the last page.
    is_reported: bool,
}

/// The page's whole length; `None` where its header is not all there.
fn length(bytes: &[u8]) -> Option<usize> {
    let segments = usize::from(*bytes.get(26)?);
    let sizes = bytes.get(HEADER..HEADER + segments)?;
    let content: usize = sizes.iter().map(|size| usize::from(*size)).sum();
    Some(HEADER + segments + content)
}

fn little(bytes: &[u8]) -> u32 {
    let bytes = bytes.iter().rev();
    bytes.fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = value << 1 ^ if value >> 31 == 1 { 0x04c1_1db7 } else { 0 };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

static TABLE: [u32; 256] = table();

/// The checksum of a page, in which its own four bytes count as 0.
pub(super) fn checksum(page: &[u8]) -> u32 {
    page.iter().enumerate().fold(0, |sum, (index, byte)| {
        let byte = if (22..26).contains(&index) { 0 } else { *byte };
        sum << 8 ^ TABLE[(sum >> 24) as usize ^ usize::from(byte)]
    })
}

impl Format for Ogg {
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        let known = bytes.len().min(4);
        if bytes[..known] != b"OggS"[..known] {
            return Step::Lost;
        }
        let Some(page) = length(bytes).map(|length| bytes.get(..length)) else {
            return Step::More;
        };
        let Some(page) = page else {
            return Step::More;
        };
        if page[4] != 0 || little(&page[22..26]) != checksum(page) {
            return Step::Lost;
        }
        let (stream, number) = (little(&page[14..18]), little(&page[18..22]));
        let last = self.numbers.insert(stream, number);
        let follows =
            page[5] & BEGINS != 0 || last.is_none_or(|last| number == last.wrapping_add(1));
        let is_reported = std::mem::take(&mut self.is_reported);
        let next = at + page.len() as u64;
        if follows || is_reported {
            Step::Next(next)
        } else {
            Step::Gap(next)
        }
    }

    fn look(&self) -> usize {
        5
    }

    fn begins(&mut self, _: u64, bytes: &[u8]) -> bool {
        self.is_reported = bytes.starts_with(b"OggS\0");
        self.is_reported
    }

    fn end(&self, end: &End) -> Missing {
        Missing {
            bytes: 0,
            is_torn: end.is_torn || end.lost_at.is_some(),
        }
    }
}
