//! Matroska and WebM: elements within elements, each with its size (RFC 8794, RFC 9559).

use super::{End, Format, Missing, Step};

const EBML: u32 = 0x1a45_dfa3;
const SEGMENT: u32 = 0x1853_8067;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
const VOID: u32 = 0xec;
const CRC: u32 = 0xbf;

/// What a segment holds besides clusters: seek head, info, tracks, cues, attachments, chapters
/// and tags.
const LEVEL_1: [u32; 7] = [
    0x114d_9b74,
    0x1549_a966,
    0x1654_ae6b,
    0x1c53_bb6b,
    0x1941_a469,
    0x1043_a770,
    0x1254_c367,
];

/// What a cluster holds: its time, silent tracks, position, previous size, and blocks.
const IN_CLUSTER: [u32; 7] = [0xe7, 0x5854, 0xa7, 0xab, 0xa3, BLOCK_GROUP, 0xaf];

/// What a block group holds.
const IN_GROUP: [u32; 11] = [
    0xa1, 0xa2, 0x9b, 0xfa, 0xfb, 0xfd, 0xa4, 0x75a1, 0x75a2, 0x8e, 0xc8,
];

/// What is entered, from the outside in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Inside {
    File,
    Segment,
    Cluster,
    Group,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    inside: Inside,
    /// Where it ends; `None` where its size is unknown.
    end: Option<u64>,
}

#[derive(Debug)]
pub(super) struct Matroska {
    levels: Vec<Level>,
    /// Where the segment ends by its own size.
    segment_end: Option<u64>,
}

impl Default for Matroska {
    fn default() -> Self {
        Self {
            levels: vec![Level {
                inside: Inside::File,
                end: None,
            }],
            segment_end: None,
        }
    }
}

struct Element {
    id: u32,
    /// Length of the header.
    header: u64,
    /// Length of the content; `None` where it is unknown.
    size: Option<u64>,
}

/// An element's header; `Err` where it is none, `None` where its bytes are not all there.
fn element(bytes: &[u8]) -> Result<Option<Element>, ()> {
    let Some((id, id_length)) = number(bytes, 4)? else {
        return Ok(None);
    };
    let Some((size, size_length)) = number(&bytes[id_length..], 8)? else {
        return Ok(None);
    };
    let bits = 7 * size_length as u32;
    let mask = u64::MAX >> (64 - bits);
    Ok(Some(Element {
        id: u32::try_from(id).map_err(drop)?,
        header: (id_length + size_length) as u64,
        size: Some(size & mask).filter(|size| *size != mask),
    }))
}

/// A number whose first byte says how long it is, and that length.
fn number(bytes: &[u8], longest: usize) -> Result<Option<(u64, usize)>, ()> {
    let Some(first) = bytes.first() else {
        return Ok(None);
    };
    let length = first.leading_zeros() as usize + 1;
    if length > longest {
        return Err(());
    }
    let whole = bytes.get(..length);
    Ok(whole.map(|whole| {
        let number = whole
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        (number, length)
    }))
}

impl Matroska {
    fn inside(&self) -> Inside {
        self.levels
            .last()
            .map_or(Inside::File, |level| level.inside)
    }

    /// Leaves what ends at `at`, and what an element of that name ends.
    fn leave(&mut self, at: u64, id: u32) {
        while self.levels.len() > 1 {
            let level = self.levels[self.levels.len() - 1];
            let is_over = match level.end {
                Some(end) => end <= at,
                None => match level.inside {
                    Inside::Cluster => id == CLUSTER || LEVEL_1.contains(&id) || is_outer(id),
                    _ => is_outer(id),
                },
            };
            if !is_over {
                return;
            }
            self.levels.pop();
        }
    }

    /// Where the innermost thing of known size ends.
    fn end(&self) -> u64 {
        let ends = self.levels.iter().filter_map(|level| level.end);
        ends.min().unwrap_or(u64::MAX)
    }

    fn enter(&mut self, inside: Inside, end: Option<u64>) {
        self.levels.push(Level { inside, end });
    }
}

fn is_outer(id: u32) -> bool {
    id == EBML || id == SEGMENT
}

impl Format for Matroska {
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        let Ok(found) = element(bytes) else {
            return match self.levels.len() {
                // After the last segment, anything may follow.
                1 if self.segment_end.is_some() => Step::Done,
                _ if self
                    .levels
                    .iter()
                    .skip(1)
                    .all(|it| it.end.is_some_and(|end| end <= at)) =>
                {
                    Step::Done
                }
                _ => Step::Lost,
            };
        };
        let Some(element) = found else {
            return Step::More;
        };
        self.leave(at, element.id);
        let inside = self.inside();
        let begin = at + element.header;
        let end = element.size.map(|size| begin.saturating_add(size));
        let is_known = match inside {
            Inside::File => is_outer(element.id) || element.id == VOID,
            Inside::Segment => element.id == CLUSTER || LEVEL_1.contains(&element.id),
            Inside::Cluster => IN_CLUSTER.contains(&element.id),
            Inside::Group => IN_GROUP.contains(&element.id),
        };
        if inside == Inside::File && !is_known {
            return if self.segment_end.is_some() {
                Step::Done
            } else {
                Step::Lost
            };
        }
        let is_known = is_known || element.id == VOID || element.id == CRC;
        if inside != Inside::File && end.is_some_and(|end| end > self.end()) {
            return Step::Lost;
        }
        if !is_known {
            return match (inside, end) {
                // Some programs have elements of their own there.
                (Inside::Segment, Some(end)) => Step::Doubtful(end),
                _ => Step::Lost,
            };
        }
        match (inside, element.id, end) {
            (Inside::File, SEGMENT, _) => {
                self.segment_end = Some(end.unwrap_or(0));
                self.enter(Inside::Segment, end);
            }
            (Inside::Segment, CLUSTER, _) => self.enter(Inside::Cluster, end),
            (Inside::Cluster, BLOCK_GROUP, Some(_)) => self.enter(Inside::Group, end),
            (_, _, Some(end)) => return Step::Next(end),
            (_, _, None) => return Step::Lost,
        }
        Step::Next(begin)
    }

    fn look(&self) -> usize {
        16
    }

    fn begins(&mut self, _: u64, bytes: &[u8]) -> bool {
        let Ok(Some(found)) = element(bytes) else {
            return false;
        };
        let begins = match found.id {
            CLUSTER => {
                let first = bytes.get(found.header as usize..).map(element);
                matches!(first, Some(Ok(Some(Element { id, .. })))
                    if IN_CLUSTER.contains(&id) || id == VOID || id == CRC)
            }
            id => LEVEL_1.contains(&id),
        };
        if begins {
            self.levels.truncate(2);
        }
        begins
    }

    fn end(&self, end: &End) -> Missing {
        let announced = self.segment_end.unwrap_or(0).max(match end.next {
            next if self.segment_end == Some(0) => next,
            _ => 0,
        });
        Missing {
            bytes: announced.saturating_sub(end.length),
            is_torn: end.is_torn || end.lost_at.is_some(),
        }
    }
}
