//! Whether the structure of a file holds together, checked while libav reads it.
//!
//! libav searches for the next place that it understands where bytes are damaged or missing, and
//! does not report the packets that it passes over. Each container links its parts by their
//! sizes: a link that leads nowhere is damage. The checks see the bytes that libav reads, and
//! read none themselves.

mod avi;
mod flv;
mod holes;
mod matroska;
mod mp4;
mod ogg;
mod picture;
mod ts;

pub(super) use holes::Holes;
pub use holes::{Damage, Hole};

/// A place where packets may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fault {
    /// The byte where it begins.
    pub at: u64,
    /// Bytes up to where the structure holds again.
    pub bytes: u64,
    /// Whether it counts only if time is missing there, too.
    pub is_soft: bool,
}

/// A container format whose parts can be followed from one to the next.
trait Format: Send {
    /// Judges the part at `at`; `bytes` begin there.
    fn step(&mut self, at: u64, bytes: &[u8]) -> Step;

    /// Bytes from which [`Format::begins`] can decide.
    fn look(&self) -> usize;

    /// Whether a part begins with `bytes`, after the structure was lost at an earlier place.
    fn begins(&mut self, at: u64, bytes: &[u8]) -> bool;

    /// Judges the end of the file.
    fn end(&self, end: &End) -> Missing;
}

/// What a part leads to.
enum Step {
    /// The next part begins there.
    Next(u64),
    /// As [`Step::Next`], and packets may be missing before this part.
    Doubtful(u64),
    /// As [`Step::Next`], and packets are missing before this part.
    Gap(u64),
    /// More bytes are needed.
    More,
    /// This is no part of the format.
    Lost,
    /// Nothing follows that matters.
    Done,
}

/// How the file ends.
struct End {
    /// Its length in bytes.
    length: u64,
    /// Where the next part is due.
    next: u64,
    /// Whether a part is cut off by the end.
    is_torn: bool,
    /// Where the structure was lost, if it was not found again.
    lost_at: Option<u64>,
}

/// What is missing at the end of a file.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Missing {
    /// Bytes that the structure announces beyond the end of the file.
    bytes: u64,
    /// Whether the last part is incomplete, or cannot be recognised.
    is_torn: bool,
}

/// Follows the parts of one file.
#[derive(Default)]
pub(super) struct Structure {
    format: Option<Box<dyn Format>>,
    is_begun: bool,
    /// Bytes of a part whose rest has not been read yet, and where they begin.
    kept: Vec<u8>,
    kept_at: u64,
    /// Where the next part is due.
    next: u64,
    /// Where the structure was lost.
    lost_at: Option<u64>,
    is_done: bool,
    faults: Vec<Fault>,
}

/// Faults that are kept of a file; the rest is damaged as well.
const MOST: usize = 1000;

impl Structure {
    /// Follows the parts in `bytes`, which were read at `at`.
    pub(super) fn see(&mut self, at: u64, bytes: &[u8]) {
        if !self.is_begun && at == 0 {
            self.is_begun = true;
            (self.format, self.next) = format_of(bytes);
        }
        let Some(mut format) = self.format.take_if(|_| !self.is_done) else {
            return;
        };
        let mut kept = std::mem::take(&mut self.kept);
        let kept_at = self.kept_at;
        if !kept.is_empty() && kept_at + kept.len() as u64 == at {
            kept.extend_from_slice(bytes);
            self.follow(&mut *format, kept_at, &kept);
        } else {
            self.follow(&mut *format, at, bytes);
            // Bytes from elsewhere do not end a part that is half read.
            if self.kept.is_empty() && self.next == kept_at && !kept.is_empty() {
                (self.kept, self.kept_at) = (kept, kept_at);
            }
        }
        self.format = Some(format);
    }

    fn follow(&mut self, format: &mut dyn Format, at: u64, bytes: &[u8]) {
        while !self.is_done && self.faults.len() < MOST {
            let skipped = self.next.checked_sub(at).and_then(|it| it.try_into().ok());
            let Some(rest) = skipped.and_then(|skipped: usize| bytes.get(skipped..)) else {
                return;
            };
            if rest.is_empty() {
                return;
            }
            let is_judged = match self.lost_at {
                Some(from) => self.find(format, from, rest),
                None => self.step(format, rest),
            };
            if !is_judged {
                let behind = usize::try_from(self.next - at).unwrap_or(usize::MAX);
                self.kept_at = self.next;
                self.kept = bytes.get(behind..).unwrap_or_default().to_vec();
                return;
            }
        }
    }

    /// Judges the part that begins with `rest`; `false` where that takes more bytes.
    fn step(&mut self, format: &mut dyn Format, rest: &[u8]) -> bool {
        let fault = |at, is_soft| Fault {
            at,
            bytes: 0,
            is_soft,
        };
        let (next, fault) = match format.step(self.next, rest) {
            Step::Next(next) => (next, None),
            Step::Doubtful(next) => (next, Some(fault(self.next, true))),
            Step::Gap(next) => (next, Some(fault(self.next, false))),
            Step::More => return false,
            Step::Lost => {
                self.lost_at = Some(self.next);
                (self.next + 1, None)
            }
            Step::Done => {
                self.is_done = true;
                return true;
            }
        };
        self.faults.extend(fault);
        self.next = next.max(self.next + 1);
        true
    }

    /// Searches `rest` for a part; `false` where more bytes are needed to go on.
    fn find(&mut self, format: &mut dyn Format, from: u64, rest: &[u8]) -> bool {
        let look = format.look();
        for skipped in 0..rest.len().saturating_sub(look - 1) {
            let at = self.next + skipped as u64;
            if format.begins(at, &rest[skipped..]) {
                self.lost_at = None;
                self.faults.push(Fault {
                    at: from,
                    bytes: at - from,
                    is_soft: false,
                });
                self.next = at;
                return true;
            }
        }
        self.next += rest.len().saturating_sub(look - 1) as u64;
        false
    }

    /// The faults so far.
    pub(super) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Judges the end of a file of that length, all of which has been read: the bytes that are
    /// missing there, and a fault where its last part is incomplete.
    pub(super) fn end(&self, length: u64) -> (u64, Option<Fault>) {
        let Some(format) = self.format.as_ref().filter(|_| !self.is_done) else {
            return (0, None);
        };
        let is_torn = !self.kept.is_empty() && self.kept_at + self.kept.len() as u64 == length;
        let missing = format.end(&End {
            length,
            next: self.next,
            is_torn: is_torn && self.lost_at.is_none(),
            lost_at: self.lost_at,
        });
        let at = self.lost_at.unwrap_or(self.next).min(length);
        let fault = missing.is_torn.then_some(Fault {
            at,
            bytes: length - at,
            is_soft: false,
        });
        (missing.bytes, fault)
    }
}

/// The format of a file that begins with `bytes`, and where its first part begins.
fn format_of(bytes: &[u8]) -> (Option<Box<dyn Format>>, u64) {
    let at = |place: usize, word: &[u8]| bytes.get(place..place + word.len()) == Some(word);
    let format: Box<dyn Format> = if at(0, &[0x1a, 0x45, 0xdf, 0xa3]) {
        Box::new(matroska::Matroska::default())
    } else if at(0, b"RIFF") && at(8, b"AVI ") {
        Box::new(avi::Avi::default())
    } else if at(0, b"OggS") {
        Box::new(ogg::Ogg::default())
    } else if at(0, b"FLV\x01") {
        Box::new(flv::Flv::default())
    } else if mp4::FIRST.iter().any(|word| at(4, *word)) {
        Box::new(mp4::Mp4::default())
    } else if at(0, picture::JPEG) {
        Box::new(picture::Jpeg::default())
    } else if at(0, picture::PNG) {
        Box::new(picture::Png::default())
    } else if at(0, b"RIFF") && at(8, picture::WEBP) {
        Box::new(picture::WebP::default())
    } else if let Some((first, packets)) = ts::find(bytes) {
        return (Some(Box::new(packets)), first);
    } else {
        return (None, 0);
    };
    (Some(format), 0)
}

#[cfg(test)]
mod tests;
