//! Whatever the bytes that the program itself reads, it gives what is in them or
//! says what is wrong. `tests/corpus` holds a file of each format: it is read as it
//! is, and then spoiled in random ways. A case that failed is kept by proptest beside
//! this file, and tried first ever after.

use crate::common;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rushes::bench::original::read_original;
use rushes::bench::results::Results;
use rushes::engine::workers::protocol::{self, Answer, Request};
use rushes::film::storyboard::Storyboard;
use rushes::journal::Known;
use rushes::recipe::Presets;
use rushes::report::summary::Report;
use rushes::values::Times;

/// A file's name in the corpus, and what reads such bytes.
type Reader = (&'static str, fn(&[u8]));

const READERS: [Reader; 8] = [
    ("worker.jsonl", read_lines),
    ("journal", read_journal),
    ("presets.toml", read_presets),
    ("original.dat", read_times_of_runs),
    ("times.txt", read_times),
    ("storyboard.toml", read_storyboard),
    ("report.json", read_report),
    ("results.json", read_results),
];

fn read_lines(bytes: &[u8]) {
    // Both sides read lines until one is none.
    let (mut requests, mut answers) = (bytes, bytes);
    while let Ok(Some(_)) = protocol::read::<Request>(&mut requests) {}
    while let Ok(Some(_)) = protocol::read::<Answer>(&mut answers) {}
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let _ = protocol::read::<Request>(&mut &*line);
        let _ = protocol::read::<Answer>(&mut &*line);
    }
}

fn read_journal(bytes: &[u8]) {
    let known = Known::parse(bytes);
    assert!(known.records().count() <= bytes.len());
}

/// Readers that take a file get one.
fn with_file(bytes: &[u8], read: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, bytes).unwrap();
    read(&path);
}

fn read_presets(bytes: &[u8]) {
    with_file(bytes, |path| {
        let mut presets = Presets::own().unwrap();
        let _ = presets.add(path);
        for (name, _) in presets.list() {
            if let Ok(preset) = presets.get(name) {
                let _ = preset.recipe(name);
            }
        }
    });
}

fn read_times_of_runs(bytes: &[u8]) {
    let _ = read_original(&String::from_utf8_lossy(bytes));
}

fn read_times(bytes: &[u8]) {
    with_file(bytes, |path| {
        if let Ok(times) = Times::File(path.to_owned()).resolve() {
            assert!(times.is_sorted_by(|a, b| a < b));
        }
    });
}

fn read_storyboard(bytes: &[u8]) {
    with_file(bytes, |path| {
        if let Ok(board) = Storyboard::read(path) {
            assert!(!board.slides.is_empty());
        }
    });
}

/// Whether a file is a report is asked of any that has its name.
fn read_report(bytes: &[u8]) {
    with_file(bytes, |path| {
        let _ = Report::is_at(path);
    });
}

fn read_results(bytes: &[u8]) {
    let _ = serde_json::from_slice::<Results>(bytes);
}

fn corpus(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    fs::read(folder.join(name)).unwrap()
}

/// A change: where, as a share of the whole, how many bytes go, and what comes in their place.
fn change() -> impl Strategy<Value = (f64, usize, Vec<u8>)> {
    let odd = [
        "-",
        "1e999",
        "NaN",
        "18446744073709551616",
        "\"",
        "[",
        "{",
        "\n",
        "\0",
        "é",
        ":",
    ];
    let bytes = prop_oneof![
        prop::sample::select(odd.to_vec()).prop_map(|text| text.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    (0.0..1.0, 0..6_usize, bytes)
}

#[test]
fn the_corpus_is_read() {
    for (name, read) in READERS {
        let bytes = corpus(name);
        read(&bytes);
        // And torn anywhere.
        for end in 0..bytes.len() {
            read(&bytes[..end]);
        }
    }
}

#[test]
fn the_corpus_is_what_the_readers_take() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    assert!(Storyboard::read(&folder.join("storyboard.toml")).is_ok());
    assert!(Report::is_at(&folder.join("report.json")));
    assert!(serde_json::from_slice::<Results>(&corpus("results.json")).is_ok());
}

#[test]
fn what_is_nested_without_end_is_an_error() {
    for open in ["[", "{\"a\":", "a=["] {
        let deep = format!("{}\n", open.repeat(200_000));
        for (_, read) in READERS {
            read(deep.as_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if common::long() { 20_000 } else { 500 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn spoiled_bytes_are_read_or_refused(changes in prop::collection::vec(change(), 1..6)) {
        for (name, read) in READERS {
            let mut bytes = corpus(name);
            for (share, length, new) in &changes {
                let at = (bytes.len() as f64 * share) as usize;
                let end = bytes.len().min(at + length);
                bytes.splice(at..end, new.iter().copied());
            }
            read(&bytes);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        for (_, read) in READERS {
            read(&bytes);
        }
    }
}
