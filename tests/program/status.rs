//! `rushes status` finds results that changed, are missing or do not decode any more.
#![allow(clippy::disallowed_methods, reason = "dates of files are times of day")]

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::SystemTime;

use xxhash_rust::xxh3::xxh3_64;

use crate::common::{self, events, rushes, stderr, stdout};

/// A folder with results.
struct Results {
    root: tempfile::TempDir,
}

impl Results {
    /// Those of `names`, copies of one film, encoded.
    fn of(names: &[&str]) -> Self {
        let results = Self {
            root: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(results.sources()).unwrap();
        for name in names {
            fs::copy(common::tiny(), results.sources().join(name)).unwrap();
        }
        results.run("convert", &["--copy", "never", "--speed", "ultrafast"]);
        results
    }

    fn sources(&self) -> PathBuf {
        self.root.path().join("in")
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("out")
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    fn run(&self, command: &str, flags: &[&str]) {
        let mut program = rushes();
        program.arg(command).arg(self.sources());
        program.arg("-o").arg(self.folder()).args(flags);
        let output = program.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }

    fn status(&self, code: i32, flags: &[&str]) -> Output {
        let mut program = rushes();
        let output = program
            .arg("status")
            .arg(self.folder())
            .args(flags)
            .output();
        let output = output.unwrap();
        let all = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(code), "{all}");
        output
    }

    /// The states that are found, by the results' names.
    fn states(&self, code: i32, flags: &[&str]) -> Vec<(String, String)> {
        let output = self.status(code, &[&["--json"], flags].concat());
        let events = events(&output);
        let (last, results) = events.split_last().unwrap();
        assert_eq!(last["event"], "results_checked");
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let states = results.iter().map(|event| {
            assert_eq!(event["event"], "result_checked");
            (text(&event["result"]), text(&event["state"]))
        });
        states.collect()
    }
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = expected.iter();
    pairs
        .map(|(name, state)| ((*name).to_owned(), (*state).to_owned()))
        .collect()
}

/// Changes a byte in the middle of a file, and leaves its size and date as they are.
fn flip(path: &Path) {
    let date = fs::metadata(path).unwrap().modified().unwrap();
    let mut file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let middle = SeekFrom::Start(file.metadata().unwrap().len() / 2);
    let mut byte = [0];
    file.seek(middle).unwrap();
    file.read_exact(&mut byte).unwrap();
    file.seek(middle).unwrap();
    file.write_all(&[!byte[0]]).unwrap();
    file.set_modified(date).unwrap();
}

#[test]
fn results_that_nobody_touched_are_the_same_and_a_date_alone_is_no_change_once_they_are_read() {
    let results = Results::of(&["a.mov", "b.mov"]);
    let output = results.status(0, &[]);
    assert!(stdout(&output).contains("same  2"), "{:?}", stdout(&output));
    assert_eq!(stderr(&output), "");
    assert_eq!(stdout(&results.status(0, &["--verify", "--quiet"])), "");
    let file = fs::File::options().write(true).open(results.at("a.mp4"));
    file.unwrap().set_modified(SystemTime::now()).unwrap();
    assert_eq!(
        results.states(1, &[]),
        pairs(&[("a.mp4", "changed"), ("b.mp4", "same")])
    );
    assert_eq!(
        results.states(0, &["--verify"]),
        pairs(&[("a.mp4", "same"), ("b.mp4", "same")])
    );
}

#[test]
fn what_changed_is_missing_or_does_not_decode_is_named_with_the_reason() {
    let names = ["a", "b", "c", "d", "e"];
    let results = Results::of(
        &names
            .map(|name| format!("{name}.mov"))
            .each_ref()
            .map(|name| &**name),
    );
    flip(&results.at("a.mp4"));
    fs::remove_file(results.at("b.mp4")).unwrap();
    let whole = fs::read(results.at("c.mp4")).unwrap();
    fs::write(results.at("c.mp4"), &whole[..whole.len() / 2]).unwrap();
    // Another film that is whole.
    fs::copy(common::sample("clock-576p25.ts"), results.at("d.mp4")).unwrap();
    // Without a look at their bytes, one seems the same.
    assert_eq!(
        results.states(1, &[]),
        pairs(&[
            ("a.mp4", "same"),
            ("b.mp4", "missing"),
            ("c.mp4", "changed"),
            ("d.mp4", "changed"),
            ("e.mp4", "same")
        ])
    );
    let states = results.states(1, &["--verify"]);
    // An encoder's data may decode with any byte in it.
    assert!(
        ["changed", "damaged"].contains(&&*states[0].1),
        "{states:?}"
    );
    assert_eq!(
        states[1..],
        pairs(&[
            ("b.mp4", "missing"),
            ("c.mp4", "damaged"),
            ("d.mp4", "changed"),
            ("e.mp4", "same")
        ])
    );
    let output = results.status(1, &["--verify"]);
    let lines = stdout(&output);
    for line in [
        "missing b.mp4\n",
        "damaged c.mp4: ",
        "changed d.mp4: it decodes",
        "same",
    ] {
        assert!(lines.contains(line), "{line}: {lines}");
    }
    assert!(stderr(&output).contains("can be made again"), "{output:?}");
}

#[test]
fn a_folder_of_pictures_is_one_result_and_its_bad_picture_is_named() {
    let results = Results {
        root: tempfile::tempdir().unwrap(),
    };
    fs::create_dir(results.sources()).unwrap();
    fs::copy(common::tiny(), results.sources().join("a.mov")).unwrap();
    for format in ["jpg", "png", "webp"] {
        let _ = fs::remove_dir_all(results.folder());
        results.run("frames", &["--count", "3", "--format", format]);
        let mut entries = fs::read_dir(results.folder())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let folder = entries
            .find(|path| path.is_dir() && !path.ends_with(".rushes"))
            .unwrap();
        assert_eq!(results.states(0, &["--verify"]).len(), 1, "{format}");
        let picture = folder.join(format!("000002.{format}"));
        let bytes = fs::read(&picture).unwrap();
        // Another picture decodes.
        fs::copy(folder.join(format!("000001.{format}")), &picture).unwrap();
        assert_eq!(results.states(1, &["--verify"])[0].1, "changed", "{format}");
        fs::write(&picture, &bytes[..bytes.len() / 3]).unwrap();
        let output = results.status(1, &["--verify"]);
        let expected = format!("'000002.{format}': ");
        assert!(stdout(&output).contains(&expected), "{}", stdout(&output));
        assert!(stdout(&output).contains("damaged"), "{}", stdout(&output));
    }
}

#[test]
fn a_journal_without_hashes_is_checked_by_decoding() {
    let results = Results::of(&["a.mov", "b.mov"]);
    let journal = results.at(".rushes/journal");
    let text = fs::read_to_string(&journal).unwrap();
    let old = text.lines().map(|line| {
        let (_, json) = line.split_once(' ').unwrap();
        let (before, after) = json.split_once(r#","target_content":"#).unwrap();
        let (_, after) = after.split_once(',').unwrap();
        let json = format!("{before},{after}");
        format!("{:016x} {json}\n", xxh3_64(json.as_bytes()))
    });
    fs::write(&journal, old.collect::<String>()).unwrap();
    assert_eq!(
        results.states(0, &["--verify"]),
        pairs(&[("a.mp4", "same"), ("b.mp4", "same")])
    );
    let whole = fs::read(results.at("a.mp4")).unwrap();
    fs::write(results.at("a.mp4"), &whole[..whole.len() / 2]).unwrap();
    assert_eq!(
        results.states(1, &["--verify"]),
        pairs(&[("a.mp4", "damaged"), ("b.mp4", "same")])
    );
}

#[test]
fn what_took_a_results_place_and_is_no_file_is_not_waited_for() {
    let results = Results::of(&["a.mov"]);
    fs::remove_file(results.at("a.mp4")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, results.at("a.mp4"), rustix::fs::Mode::RWXU).unwrap();
    for flags in [&[][..], &["--verify"]] {
        let states = results.states(1, flags);
        assert_ne!(states[0].1, "same", "{states:?}");
    }
}

#[test]
fn a_folder_without_results_is_wrong_usage_and_gets_no_journal() {
    let root = tempfile::tempdir().unwrap();
    for (folder, words) in [
        ("", "has put no results into"),
        ("not-there", "has put no results into"),
    ] {
        let folder = root.path().join(folder);
        let output = rushes().arg("status").arg(&folder).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}
