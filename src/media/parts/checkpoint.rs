//! Parts that are made, kept for as long as their job runs: where the process that
//! makes it is killed, the next one makes those that are missing, and no other.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::record;
use super::work::{Made, Part};
use crate::media::files::{self, Access};

/// So much of what is free is used: the results need it more.
const SHARE: u64 = 4;

/// Before each record: its part's number, and its length in bytes.
const HEAD: usize = 16;

/// The parts that are made of a job, in a file that outlives this process.
pub(super) struct Checkpoint {
    file: File,
    // Where the records are that other processes made, and how long.
    found: BTreeMap<u64, (u64, usize)>,
    // Of all records, and at most.
    length: u64,
    most: u64,
}

impl Checkpoint {
    /// That of the job that writes `target`; none where nobody would go on with it.
    pub(super) fn of(target: &Path) -> Option<Self> {
        let file = files::open(target, Access::Checkpoint).ok()?;
        Self::read(file).ok()
    }

    fn read(file: File) -> io::Result<Self> {
        let space = rustix::fs::fstatvfs(&file)?;
        let free = space.f_bavail.saturating_mul(space.f_frsize);
        let end = file.metadata()?.len();
        let (mut found, mut length) = (BTreeMap::new(), 0);
        while let Some((number, begin, size)) = head(&file, length, end) {
            found.insert(number, (begin, size));
            length = begin + size as u64;
        }
        // What the last one was about to write.
        file.set_len(length)?;
        let most = length.saturating_add(free / SHARE);
        Ok(Self {
            file,
            found,
            length,
            most,
        })
    }

    /// What came of `part`, where it was made before.
    pub(super) fn take(&mut self, part: &Part) -> Option<Made> {
        let (begin, size) = self.found.remove(&(part.number as u64))?;
        let mut bytes = Vec::new();
        // How long it is was another process's to say.
        bytes.try_reserve_exact(size).ok()?;
        bytes.resize(size, 0);
        self.file.read_exact_at(&mut bytes, begin).ok()?;
        record::read(&bytes, part)
    }

    /// Adds what came of a part, where there is room for it.
    pub(super) fn keep(&mut self, made: &Made) {
        if made.strayed {
            return;
        }
        let Some(record) = record::of(made) else {
            return;
        };
        let mut bytes = Vec::with_capacity(HEAD + record.len());
        bytes.extend((made.number as u64).to_le_bytes());
        bytes.extend((record.len() as u64).to_le_bytes());
        bytes.extend(record);
        let end = self.length.saturating_add(bytes.len() as u64);
        if end > self.most {
            return;
        }
        match self.file.write_all_at(&bytes, self.length) {
            Ok(()) => self.length = end,
            // Nothing is lost but time, should this process be killed.
            Err(_) => self.give_up(),
        }
    }

    /// Gives the space back: the disk is full.
    fn give_up(&mut self) {
        let _ = self.file.set_len(0);
        self.found.clear();
        (self.length, self.most) = (0, 0);
    }
}

/// The record at `at` of a file that ends at `end`: its part's number, where it begins
/// and how long it is; none where it is not whole.
fn head(file: &File, at: u64, end: u64) -> Option<(u64, u64, usize)> {
    let mut bytes = [0; HEAD];
    file.read_exact_at(&mut bytes, at).ok()?;
    let (number, size) = bytes.split_at(HEAD / 2);
    let number = u64::from_le_bytes(number.try_into().ok()?);
    let size = u64::from_le_bytes(size.try_into().ok()?);
    let begin = at + HEAD as u64;
    let is_whole = size > 0 && size <= end.checked_sub(begin)?;
    is_whole.then_some((number, begin, usize::try_from(size).ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use ffmpeg_next::Packet;
    use ffmpeg_next::codec::packet::Flags;

    use super::super::work::Spool;
    use super::*;
    use crate::media::decode::StreamFacts;
    use crate::media::mux::payload;

    fn part(number: usize) -> Part {
        Part {
            number,
            threads: 1,
            facts: StreamFacts::example((1, 25).into()),
            first: None,
            packets: vec![],
            from: Some(number as i64 * 100),
            until: None,
        }
    }

    fn made(number: usize) -> Made {
        let mut packet = Packet::copy(&[number as u8; 1000]);
        packet.set_pts(Some(7));
        packet.set_dts(Some(-1));
        packet.set_duration(2);
        packet.set_flags(Flags::KEY);
        let spool = Spool {
            kind: Some(42),
            packets: vec![packet, Packet::empty()],
            frames: 2,
            position_s: 0.1,
            length_s: 0.2,
            ..Spool::default()
        };
        let part = part(number);
        Made {
            number,
            from: part.from,
            until: part.until,
            tracks: vec![spool],
            damaged: 3,
            strayed: false,
        }
    }

    fn again(checkpoint: &Checkpoint) -> Checkpoint {
        Checkpoint::read(checkpoint.file.try_clone().unwrap()).unwrap()
    }

    fn is_there(checkpoint: &mut Checkpoint, number: usize) -> bool {
        checkpoint.take(&part(number)).is_some()
    }

    #[test]
    fn what_was_kept_is_taken_once_as_it_was() {
        let mut checkpoint = Checkpoint::read(tempfile::tempfile().unwrap()).unwrap();
        checkpoint.keep(&made(4));
        checkpoint.keep(&made(2));
        let mut next = again(&checkpoint);
        let two = next.take(&part(2)).unwrap();
        assert!(!is_there(&mut next, 2));
        assert!(!is_there(&mut next, 3));
        assert_eq!((two.number, two.from, two.damaged), (2, Some(200), 3));
        let spool = &two.tracks[0];
        assert_eq!((spool.kind, spool.frames), (Some(42), 2));
        assert_eq!((spool.position_s, spool.length_s), (0.1, 0.2));
        let [packet, empty] = &spool.packets[..] else {
            panic!("{} packets", spool.packets.len());
        };
        assert_eq!((packet.pts(), packet.dts()), (Some(7), Some(-1)));
        assert_eq!((packet.duration(), packet.is_key()), (2, true));
        assert_eq!(payload(packet), [2; 1000]);
        assert_eq!((empty.pts(), payload(empty).len()), (None, 0));
        // What a third one adds comes after that.
        next.keep(&made(3));
        let mut third = again(&next);
        assert!([2, 3, 4].iter().all(|number| is_there(&mut third, *number)));
    }

    #[test]
    fn a_record_that_is_not_whole_is_none_and_is_written_over() {
        let mut checkpoint = Checkpoint::read(tempfile::tempfile().unwrap()).unwrap();
        checkpoint.keep(&made(0));
        let whole = checkpoint.length;
        checkpoint.keep(&made(1));
        let end = checkpoint.length;
        for cut in [end - 1, whole + 20, whole + 3] {
            checkpoint.length = whole;
            checkpoint.keep(&made(1));
            checkpoint.file.set_len(cut).unwrap();
            let mut next = again(&checkpoint);
            assert!(is_there(&mut next, 0) && !is_there(&mut next, 1), "{cut}");
            assert_eq!(next.file.metadata().unwrap().len(), whole);
        }
        checkpoint.length = whole;
        checkpoint.keep(&made(1));
        assert!(is_there(&mut again(&checkpoint), 1));
    }

    #[test]
    fn a_part_with_other_ends_and_what_is_no_record_are_not_taken() {
        let mut checkpoint = Checkpoint::read(tempfile::tempfile().unwrap()).unwrap();
        checkpoint.keep(&made(5));
        let other = Part {
            until: Some(9),
            ..part(5)
        };
        assert!(again(&checkpoint).take(&other).is_none());
        let begin = HEAD as u64;
        let noise: Vec<u8> = (0..200).map(|byte| byte as u8 | 0x80).collect();
        checkpoint.file.write_all_at(&noise, begin).unwrap();
        assert!(!is_there(&mut again(&checkpoint), 5));
        checkpoint.file.write_all_at(&[0xff; HEAD], 0).unwrap();
        assert!(!is_there(&mut again(&checkpoint), 5));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut checkpoint = Checkpoint::read(tempfile::tempfile().unwrap()).unwrap();
        checkpoint.keep(&made(0));
        checkpoint.most = checkpoint.length + 100;
        checkpoint.keep(&made(1));
        let mut next = again(&checkpoint);
        assert!(is_there(&mut next, 0) && !is_there(&mut next, 1));
    }
}
