//! Flash video: tags, each followed by its length.

use super::{End, Format, Missing, Step};

/// The header of a tag, and before it the length of the tag before.
const HEADER: usize = 15;

#[derive(Debug, Default)]
pub(super) struct Flv {
    is_begun: bool,
    /// The length of the last tag.
    last: u32,
}

fn big(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// Audio, video and data.
fn is_tag(bytes: &[u8]) -> bool {
    matches!(bytes[4] & 0x1f, 8 | 9 | 18)
}

impl Format for Flv {
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step {
        if !self.is_begun {
            self.is_begun = true;
            let header = bytes.get(5..9).map_or(9, big);
            return Step::Next(u64::from(header.max(9)));
        }
        if bytes.len() < HEADER {
            return Step::More;
        }
        let follows = big(&bytes[..4]) == self.last;
        if !is_tag(bytes) || !follows && big(&bytes[12..15]) != 0 {
            return Step::Lost;
        }
        self.last = big(&bytes[5..8]) + 11;
        let next = at + 4 + u64::from(self.last);
        // Not every program writes the right lengths.
        if follows {
            Step::Next(next)
        } else {
            Step::Doubtful(next)
        }
    }

    fn look(&self) -> usize {
        HEADER
    }

    fn begins(&mut self, _: u64, bytes: &[u8]) -> bool {
        self.last = big(&bytes[..4]);
        is_tag(bytes) && big(&bytes[12..15]) == 0 && big(&bytes[..4]) > 11
    }

    fn end(&self, end: &End) -> Missing {
        // The last tag is followed by its length alone.
        let rest = end.length.saturating_sub(end.next);
        Missing {
            bytes: end.next.saturating_sub(end.length),
            is_torn: end.is_torn && rest != 4 || end.lost_at.is_some(),
        }
    }
}
