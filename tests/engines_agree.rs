//! Real files through both engines: the same frames at the same times, the same
//! sound, streams, tags and chapters.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{DISPATCHES, rushes, shared_media, stderr, tree};

/// Files on which the engines do not agree, each with the cause.
const EXCEPTIONS: [&str; 2] = [
    // A raw MPEG-4 stream of four packets without a clock, which decode to five
    // frames: the program moves the last ones on by a frame's length each.
    "jc_frame0123",
    // One frame of no length: the program takes no picture of it, linked libav does.
    "small_webm",
];

/// Every so many files are taken in a short run.
const SHARE: usize = 12;

/// Real files: each `step`th in a long run, fewer in a short one.
fn sources(step: usize) -> Option<Vec<PathBuf>> {
    let folder = shared_media("good")?;
    let step = if common::long() {
        step
    } else {
        SHARE.max(step)
    };
    let files = tree(&folder).into_iter().map(|name| folder.join(name));
    let files = files
        .filter(|file| file.is_file() && file.extension().is_some_and(|ending| ending != "tsv"));
    Some(files.step_by(step).collect())
}

/// Runs `command` over `sources` in each dispatch, at one codec thread.
fn each(command: &[&str], sources: &[PathBuf], root: &Path) -> [PathBuf; 3] {
    DISPATCHES.map(|dispatch| {
        let out = root.join(dispatch);
        let mut program = rushes();
        program.args(command).args(sources).arg("-o").arg(&out);
        program.args(["--dispatch", dispatch, "--codec-threads", "1", "-q"]);
        if command[0] == "convert" {
            // The program cuts none.
            program.args(["--split", "never"]);
        }
        // Some of the files hold no pictures, or none that can be decoded.
        let output = program.output().unwrap();
        let said = stderr(&output);
        // Shown where the test fails.
        eprintln!("{dispatch}: {said}");
        let code = output.status.code();
        assert!(matches!(code, Some(0 | 1)), "{command:?}: {code:?}");
        out
    })
}

fn assert_agree(command: &[&str], step: usize) {
    let Some(sources) = sources(step) else { return };
    let root = tempfile::tempdir().unwrap();
    let [threads, processes, workers] = each(command, &sources, root.path());
    let made = tree(&threads).len();
    assert!(made * 2 > sources.len(), "{made} of {}", sources.len());
    // What workers do is what threads do, on all files.
    let other = common::differences(&threads, &workers);
    assert!(other.is_empty(), "{command:?}: {other:#?}");
    let found = common::differences(&threads, &processes);
    let unknown: Vec<String> = found
        .iter()
        .filter(|one| {
            !EXCEPTIONS
                .iter()
                .any(|name| one.file.to_string_lossy().starts_with(name))
        })
        .map(|one| format!("{}: {}", one.file.display(), one.what))
        .collect();
    assert!(unknown.is_empty(), "{command:?}: {unknown:#?}");
}

#[test]
fn both_make_the_same_for_the_web() {
    assert_agree(&["convert", "--preset", "web"], 1);
}

#[test]
fn both_make_the_same_of_a_smaller_size_at_a_constant_rate() {
    assert_agree(&["convert", "--preset", "720p", "--speed", "veryfast"], 2);
}

#[test]
fn both_make_the_same_with_another_encoder() {
    assert_agree(&["convert", "--preset", "hevc", "--speed", "ultrafast"], 6);
}

#[test]
fn both_copy_the_same() {
    assert_agree(&["convert", "--preset", "remux"], 1);
}

#[test]
fn both_take_the_same_pictures() {
    assert_agree(&["frames", "--every", "1s"], 1);
}

#[test]
fn a_difference_is_found_and_named() {
    let root = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| root.path().join(name));
    for (folder, speed) in [(&a, "1"), (&b, "1.01")] {
        fs::create_dir(folder).unwrap();
        let sound = format!("atempo={speed}");
        common::ffmpeg(
            args!["-i", common::tiny(), "-c:v", "copy", "-af", sound],
            &folder.join("sound.mp4"),
        );
        let title = format!("title={speed}");
        common::ffmpeg(
            args!["-i", common::tiny(), "-c", "copy", "-metadata", title],
            &folder.join("tag.mp4"),
        );
    }
    let found = common::differences(&a, &b);
    let words: Vec<_> = found
        .iter()
        .map(|one| (one.file.to_str().unwrap(), one.what.as_str()))
        .collect();
    assert_eq!(words.len(), 2, "{words:?}");
    assert!(
        words[0].0 == "sound.mp4" && words[0].1.starts_with("stream 1: frame "),
        "{words:?}"
    );
    assert!(
        words[1].0 == "tag.mp4" && words[1].1.contains("tag title=1"),
        "{words:?}"
    );
}
