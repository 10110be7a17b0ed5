//! Single pictures: JPEG (ITU-T T.81, annex B), PNG (ISO/IEC 15948) and WebP (RFC 9649).
//!
//! Decoders of libav fill up what is cut off with grey, and do not report it.

use super::{End, Format, Missing, Step};

/// With what each begins.
pub(super) const JPEG: &[u8] = &[0xff, 0xd8, 0xff];
pub(super) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
pub(super) const WEBP: &[u8] = b"WEBP";

/// Segments, each with its length, and after a scan's header its data up to the next marker.
#[derive(Debug, Default)]
pub(super) struct Jpeg {
    is_in_scan: bool,
}

/// Markers.
const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;

impl Jpeg {
    /// Whether the data of a scan goes on after a marker: a byte of data, a restart, or filling.
    fn is_data(marker: u8) -> bool {
        marker == 0 || marker == 0xff || (0xd0..START).contains(&marker)
    }

    fn step_in_scan(&mut self, at: u64, bytes: &[u8]) -> Step {
        let mut pairs = bytes.windows(2);
        let marker = pairs.position(|pair| pair[0] == 0xff && !Self::is_data(pair[1]));
        self.is_in_scan = marker.is_none();
        match marker {
            // Its step is that of a segment.
            Some(0) => self.step(at, bytes),
            Some(place) => Step::Next(at + place as u64),
            None if bytes.len() < 2 => Step::More,
            // The last byte may begin a marker.
            None => Step::Next(at + bytes.len() as u64 - 1),
        }
    }
}

impl Format for Jpeg {
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        if self.is_in_scan {
            return self.step_in_scan(at, bytes);
        }
        let &[first, marker, ref rest @ ..] = bytes else {
            return Step::More;
        };
        match (first, marker) {
            (0xff, START) if at == 0 => Step::Next(2),
            (0xff, 0xff) => Step::Next(at + 1),
            // The next picture of a stream of them begins.
            (0xff, START | END) => Step::Done,
            (0xff, _) => {
                let &[high, low, ..] = rest else {
                    return Step::More;
                };
                self.is_in_scan = marker == SCAN;
                Step::Next(at + 2 + u64::from(u16::from_be_bytes([high, low])))
            }
            _ => Step::Lost,
        }
    }

    fn look(&self) -> usize {
        2
    }

    fn begins(&mut self, _: u64, bytes: &[u8]) -> bool {
        bytes[0] == 0xff && [SCAN, END].contains(&bytes[1])
    }

    fn end(&self, end: &End) -> Missing {
        Missing {
            bytes: end.next.saturating_sub(end.length),
            is_torn: true,
        }
    }
}

/// Chunks, each with its length and its checksum.
#[derive(Debug, Default)]
pub(super) struct Png {
    is_begun: bool,
}

impl Format for Png {
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        if !self.is_begun {
            self.is_begun = true;
            return Step::Next(PNG.len() as u64);
        }
        let (Some(&[a, b, c, d]), Some(name)) = (bytes.first_chunk(), bytes.get(4..8)) else {
            return Step::More;
        };
        if !name.iter().all(u8::is_ascii_alphabetic) {
            return Step::Lost;
        }
        let next = at + 12 + u64::from(u32::from_be_bytes([a, b, c, d]));
        match name {
            // Its checksum may be cut off, which no decoder minds.
            b"IEND" => Step::Done,
            _ => Step::Next(next),
        }
    }

    fn look(&self) -> usize {
        8
    }

    fn begins(&mut self, _: u64, bytes: &[u8]) -> bool {
        [&b"IDAT"[..], b"IEND"].contains(&&bytes[4..8])
    }

    fn end(&self, end: &End) -> Missing {
        Missing {
            bytes: end.next.saturating_sub(end.length),
            is_torn: true,
        }
    }
}

/// One chunk, which is the file.
#[derive(Debug, Default)]
pub(super) struct WebP {
    end: u64,
}

impl Format for WebP {
    fn step(&mut self, _: u64, bytes: &[u8]) -> Step {
        let Some(&[a, b, c, d]) = bytes.get(4..).and_then(|rest| rest.first_chunk()) else {
            return Step::More;
        };
        self.end = 8 + u64::from(u32::from_le_bytes([a, b, c, d]));
        Step::Next(self.end)
    }

    fn look(&self) -> usize {
        1
    }

    fn begins(&mut self, _: u64, _: &[u8]) -> bool {
        false
    }

    fn end(&self, end: &End) -> Missing {
        Missing {
            bytes: self.end.saturating_sub(end.length),
            is_torn: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Structure;
    use super::*;

    fn jpeg() -> Vec<u8> {
        let scan: Vec<u8> = (0..9000)
            .flat_map(|number: u32| match number % 7 {
                0 => vec![0xff, 0],
                1 => vec![0xff, 0xd0 + (number % 8) as u8],
                _ => vec![(number % 251) as u8],
            })
            .collect();
        let table = [&[0xff, 0xdb, 0, 67][..], &[1; 65]].concat();
        let header = [0xff, SCAN, 0, 4, 1, 1];
        let again = [&table[..], &header, &scan].concat();
        let first = [&[0xff, START][..], &table, &header, &scan].concat();
        [&first[..], &again, &[0xff, END], b"trailing bytes"].concat()
    }

    fn png() -> Vec<u8> {
        let chunk = |name: &[u8], size: usize| {
            let length = u32::try_from(size).unwrap().to_be_bytes();
            [&length, name, &vec![3; size], &[0; 4]].concat()
        };
        let chunks = [
            chunk(b"IHDR", 13),
            chunk(b"IDAT", 5000),
            chunk(b"IDAT", 70),
            chunk(b"IEND", 0),
        ];
        [PNG, &chunks.concat()].concat()
    }

    fn webp() -> Vec<u8> {
        [b"RIFF", &3004_u32.to_le_bytes()[..], WEBP, &[5; 3000]].concat()
    }

    fn is_whole(file: &[u8], piece: usize) -> bool {
        let mut structure = Structure::default();
        let first = file.len().min(piece.max(20));
        structure.see(0, &file[..first]);
        for (index, bytes) in file[first..].chunks(piece).enumerate() {
            structure.see((first + index * piece) as u64, bytes);
        }
        let (missing, torn) = structure.end(file.len() as u64);
        structure.faults().is_empty() && missing == 0 && torn.is_none()
    }

    #[test]
    fn a_picture_is_whole_and_one_that_is_cut_off_is_not() {
        for (name, file, tail) in [("jpg", jpeg(), 16), ("png", png(), 12), ("webp", webp(), 1)] {
            for piece in [1, 7, 4096, 1 << 20] {
                assert!(is_whole(&file, piece), "{name} in pieces of {piece}");
                for share in [0.3, 0.6, 0.99] {
                    let cut = ((file.len() as f64 * share) as usize).min(file.len() - tail);
                    assert!(
                        !is_whole(&file[..cut], piece),
                        "{name} cut at {cut}, {piece}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_stream_of_pictures_is_no_damage() {
        let one = jpeg();
        let end = one.len() - b"trailing bytes".len();
        assert!(is_whole(&[&one[..end], &one[..end]].concat(), 512));
        // Some cameras leave out the end of each.
        assert!(is_whole(&[&one[..end - 2], &one[..end]].concat(), 512));
    }
}
