//! What a journal says, whatever has become of its lines.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::line::{self, Line, Record};

/// What is known of the results in an output folder.
#[derive(Debug, Clone, Default)]
pub struct Known {
    records: HashMap<PathBuf, Record>,
    // Targets by the sources they were made from.
    made_from: HashMap<PathBuf, BTreeSet<PathBuf>>,
    // Whole lines of versions to come, kept as they are.
    newer: Vec<Vec<u8>>,
    lines: usize,
}

impl Known {
    /// Reads what a journal holds; what is no line of one is passed over, and of
    /// several about one target the last counts.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut known = Self::default();
        for text in bytes[..whole(bytes)].split_inclusive(|byte| *byte == b'\n') {
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            known.lines += 1;
            match line::read(text) {
                Line::Record(record) => known.insert(*record),
                Line::Newer => known.newer.push(text.to_owned()),
                Line::Garbage => {}
            }
        }
        known
    }

    /// What is known of the result at `target` below the output folder.
    pub fn of_target(&self, target: &Path) -> Option<&Record> {
        self.records.get(target)
    }

    /// The results that were made from the source at `path`, which is absolute.
    pub fn of_source(&self, path: &Path) -> impl Iterator<Item = &Record> {
        let targets = self.made_from.get(path).into_iter().flatten();
        targets
            .filter_map(|target| self.records.get(target))
            .filter(move |record| record.path == path)
    }

    /// All that is known, in no order.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Takes a record in, in the place of an earlier one about its target.
    pub(super) fn insert(&mut self, record: Record) {
        let targets = self.made_from.entry(record.path.clone()).or_default();
        targets.insert(record.target.clone());
        self.records.insert(record.target.clone(), record);
    }

    /// Whether most lines say nothing any more.
    pub(super) fn is_mostly_stale(&self) -> bool {
        let live = self.records.len() + self.newer.len();
        self.lines > 2 * live
    }

    /// The same in as few lines as there can be.
    pub(super) fn compact(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = Vec::new();
        for line in &self.newer {
            text.extend(line);
            text.push(b'\n');
        }
        let mut records: Vec<_> = self.records.values().collect();
        records.sort_by(|a, b| a.target.cmp(&b.target));
        for record in records {
            text.extend(line::write(record)?.into_bytes());
        }
        Ok(text)
    }
}

/// How many bytes of a journal are whole lines; what comes after is torn.
pub(super) fn whole(bytes: &[u8]) -> usize {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    end.map_or(0, |end| end + 1)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;
    use crate::journal::{Fingerprint, Placed, Stamp};

    fn record(target: &str, size: u64) -> Record {
        let stamp = Stamp {
            size,
            modified_ns: Some(-1),
        };
        Record {
            target: target.into(),
            source: "a.mov".into(),
            path: "/in/a.mov".into(),
            source_stamp: stamp,
            recipe: Fingerprint(u64::MAX),
            placed: Placed {
                stamp,
                content: None,
                salvaged: false,
                dropped: true,
            },
        }
    }

    fn text(records: &[Record]) -> Vec<u8> {
        let lines = records.iter().map(|record| line::write(record).unwrap());
        lines.collect::<String>().into_bytes()
    }

    #[test]
    fn the_last_line_about_a_target_counts() {
        let known = Known::parse(&text(&[record("a", 1), record("b", 2), record("a", 3)]));
        assert_eq!(known.of_target(Path::new("a")), Some(&record("a", 3)));
        assert_eq!(known.of_target(Path::new("b")), Some(&record("b", 2)));
        assert_eq!(known.of_source(Path::new("/in/a.mov")).count(), 2);
    }

    #[test]
    fn a_name_that_is_no_text_comes_back_byte_by_byte() {
        let mut odd = record("", 1);
        odd.target = PathBuf::from(OsStr::from_bytes(b"\xff\n\"\\ .mp4"));
        let known = Known::parse(&text(std::slice::from_ref(&odd)));
        assert_eq!(known.of_target(&odd.target), Some(&odd));
    }

    #[test]
    fn a_target_that_is_not_below_the_output_folder_is_none() {
        for target in ["", "/etc/passwd", "../a.mp4", "a/../../b.mp4", "."] {
            let known = Known::parse(&text(&[record(target, 1)]));
            assert!(known.is_empty(), "{target}");
        }
    }

    #[test]
    fn a_line_of_the_first_version_is_read_and_has_no_content() {
        let json = r#"{"v":1,"target":"a.mp4","source":"a.mov","path":"/in/a.mov","source_stamp":{"size":1,"modified_ns":-1},"recipe":7,"target_stamp":{"size":2,"modified_ns":3},"salvaged":true,"dropped":false}"#;
        let line = format!("{:016x} {json}\n", xxh3_64(json.as_bytes()));
        let known = Known::parse(line.as_bytes());
        let placed = known.of_target(Path::new("a.mp4")).unwrap().placed;
        assert_eq!((placed.stamp.size, placed.content), (2, None));
        assert!(placed.salvaged && !placed.dropped);
    }

    #[test]
    fn a_line_whose_checksum_does_not_hold_is_passed_over() {
        let mut bytes = text(&[record("a", 1), record("a", 2), record("b", 3)]);
        let second = text(&[record("a", 1)]).len();
        bytes[second + 30] ^= 1;
        let known = Known::parse(&bytes);
        assert_eq!(known.of_target(Path::new("a")), Some(&record("a", 1)));
        assert_eq!(known.of_target(Path::new("b")), Some(&record("b", 3)));
    }

    #[test]
    fn lines_of_a_version_to_come_say_nothing_and_outlive_a_compaction() {
        let json = r#"{"v":2,"target":{"new":"shape"}}"#;
        let mut bytes = format!("{:016x} {json}\n", xxh3_64(json.as_bytes())).into_bytes();
        bytes.extend(text(&[record("a", 1), record("a", 2)]));
        let known = Known::parse(&bytes);
        assert_eq!(known.records().count(), 1);
        let compact = known.compact().unwrap();
        assert!(String::from_utf8(compact).unwrap().contains(json));
    }

    #[test]
    fn a_journal_is_stale_once_more_than_half_of_it_says_nothing() {
        let lines = [record("a", 1), record("a", 2), record("b", 3)];
        assert!(!Known::parse(&text(&lines)).is_mostly_stale());
        let mut bytes = text(&lines);
        bytes.extend(b"garbage\ngarbage\n");
        let known = Known::parse(&bytes);
        assert!(known.is_mostly_stale());
        let compact = Known::parse(&known.compact().unwrap());
        assert!(!compact.is_mostly_stale());
        assert_eq!(compact.records, known.records);
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_are_they_are_read(bytes: Vec<u8>) {
            let _ = Known::parse(&bytes);
        }

        #[test]
        fn a_journal_cut_anywhere_holds_what_was_whole_before_the_cut(
            names in prop::collection::vec("[a-d]", 1..8),
            cut in 0.0..1.0_f64,
        ) {
            let records: Vec<_> = names.iter().zip(0..).map(|(name, n)| record(name, n)).collect();
            let bytes = text(&records);
            let cut = (bytes.len() as f64 * cut) as usize;
            let known = Known::parse(&bytes[..cut]);
            let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
            let expected = Known::parse(&text(&records[..whole]));
            prop_assert_eq!(known.records, expected.records);
        }

        #[test]
        fn garbage_between_lines_spoils_no_line(
            names in prop::collection::vec("[a-d]", 1..8),
            garbage in "[^\n]{0,40}",
        ) {
            let records: Vec<_> = names.iter().zip(0..).map(|(name, n)| record(name, n)).collect();
            let mut bytes = Vec::new();
            for record in &records {
                bytes.extend(format!("{garbage}\n").into_bytes());
                bytes.extend(text(std::slice::from_ref(record)));
            }
            prop_assert_eq!(Known::parse(&bytes).records, Known::parse(&text(&records)).records);
        }
    }
}
