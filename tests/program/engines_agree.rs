//! Real files through both engines: the same frames at the same times, the same
//! sound, streams, tags and chapters.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{self, ENGINES, rushes, shared_media, stderr, tree};

/// Files on which the engines do not agree, each with the cause.
const EXCEPTIONS: [&str; 3] = [
    // A raw MPEG-4 stream of four packets without a clock, which decode to five
    // frames: the program moves the last ones on by a frame's length each.
    "jc_frame0123",
    // One frame of no length: the program takes no picture of it, linked libav does.
    "small_webm",
    // 180° video: since FFmpeg 9.0, the program's scaler drops the projection when it changes
    // the size (`vf_scale.c`, AV_SIDE_DATA_PROP_SIZE_DEPENDENT); the linked engine keeps it.
    "ax_water_180_mvhevc_5frames",
];

/// Phone videos with AMR sound, several frames a packet, of which the program decodes the first
/// before FFmpeg 6.1 (commit 319e8a49): it is not given these jobs.
const AMR: [&str; 4] = [
    "mex_sample_3GPP2",
    "mp4p_MOV00006",
    "mp4p_multiTrack",
    "phpff_sample",
];

/// What is compared: a command, and how many results it makes of all sources on
/// FFmpeg 5.1, 7.1 and 9.0. In a short run, one source in `share` is taken, which
/// makes `results_of_share`.
///
/// Newer versions convert more. By FFmpeg's Changelog, "VVC decoder" is new in 7.0
/// and "VVC in Matroska" in 8.0; the audio of `ax_sample_fpcm_32le.mp4` has no decoder
/// in 5.1.
struct Comparison {
    command: &'static [&'static str],
    results: [usize; 3],
    share: usize,
    results_of_share: usize,
}

/// Which of the three versions is linked; the nearest older one of those between.
fn linked() -> usize {
    let version = rushes::media::linked_version();
    let major = version.trim_start_matches('n').split('.').next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(..7) => 0,
        Some(7..9) => 1,
        _ => 2,
    }
}

/// All real files, or in a short run one in `share`.
fn sources(share: usize) -> Option<Vec<PathBuf>> {
    let folder = shared_media("good")?;
    let files = tree(&folder).into_iter().map(|name| folder.join(name));
    let files = files
        .filter(|file| file.is_file() && file.extension().is_some_and(|ending| ending != "tsv"));
    let step = if common::long() { 1 } else { share };
    Some(files.step_by(step).collect())
}

/// Runs `command` over `sources` on `dispatch`, at one codec thread; returns the results' folder.
fn results_of(command: &[&str], sources: &[PathBuf], root: &Path, dispatch: &str) -> PathBuf {
    let out = root.join(dispatch);
    let mut program = rushes();
    program.args(command).args(sources).arg("-o").arg(&out);
    program.args(["--dispatch", dispatch, "--codec-threads", "1", "-q"]);
    if command[0] == "convert" {
        // The program splits no file.
        program.args(["--split", "never"]);
    }
    // Some of the files hold no video, or none that can be decoded.
    let output = program.output().unwrap();
    // Shown where the test fails.
    eprintln!("{dispatch}: {}", stderr(&output));
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{command:?}: {code:?}");
    out
}

/// The files below `folder`; of a folder of pictures, the folder alone.
fn made(folder: &Path) -> BTreeSet<PathBuf> {
    let is_result = |name: &PathBuf| name.components().count() == 1;
    tree(folder).into_iter().filter(is_result).collect()
}

impl Comparison {
    fn run(&self) {
        let Some(sources) = sources(self.share) else {
            return;
        };
        let root = tempfile::tempdir().unwrap();
        let of = |dispatch| results_of(self.command, &sources, root.path(), dispatch);
        let [threads, processes] = ENGINES.map(of);
        let unknown: Vec<String> = common::differences(&threads, &processes)
            .iter()
            .filter(|one| !is_exception(&one.file))
            .map(|one| format!("{}: {}", one.file.display(), one.what))
            .collect();
        assert!(unknown.is_empty(), "{:?}: {unknown:#?}", self.command);
        let (mine, theirs) = (made(&threads), made(&processes));
        let missing: Vec<_> = theirs.difference(&mine).collect();
        assert!(missing.is_empty(), "the program alone made {missing:?}");
        let expected = match common::long() {
            true => self.results[linked()],
            false => self.results_of_share,
        };
        assert_eq!(mine.len(), expected, "{:?}: {mine:#?}", self.command);
    }
}

fn is_exception(file: &Path) -> bool {
    let file = file.to_string_lossy();
    let of_version: &[&str] = if linked() == 0 { &AMR } else { &[] };
    let mut names = EXCEPTIONS.iter().chain(of_version);
    names.any(|name| file.starts_with(name))
}

#[test]
fn both_make_the_same_for_the_web() {
    Comparison {
        command: &["convert", "--preset", "web"],
        results: [182, 183, 183],
        share: 6,
        results_of_share: 31,
    }
    .run();
}

#[test]
fn both_make_the_same_of_a_smaller_size_at_a_constant_rate() {
    Comparison {
        command: &["convert", "--preset", "720p", "--speed", "veryfast"],
        results: [181, 182, 182],
        share: 6,
        results_of_share: 31,
    }
    .run();
}

#[test]
fn both_make_the_same_with_another_encoder() {
    Comparison {
        command: &["convert", "--preset", "hevc", "--speed", "ultrafast"],
        results: [180, 181, 181],
        share: 15,
        results_of_share: 11,
    }
    .run();
}

#[test]
fn both_copy_the_same() {
    Comparison {
        command: &["convert", "--preset", "remux"],
        results: [160, 160, 161],
        share: 6,
        results_of_share: 28,
    }
    .run();
}

#[test]
fn both_take_the_same_pictures() {
    Comparison {
        command: &["frames", "--every", "1s"],
        results: [182, 183, 183],
        share: 6,
        results_of_share: 31,
    }
    .run();
}

/// Workers run the same engine as threads: some files show that nothing is lost on the way.
#[test]
fn workers_make_what_threads_make() {
    let Some(some) = sources(30) else { return };
    let root = tempfile::tempdir().unwrap();
    for command in [
        &["convert", "--speed", "ultrafast"][..],
        &["convert", "--preset", "remux"],
        &["frames", "--every", "1s"],
    ] {
        let root = root.path().join(command.join(" "));
        let of = |dispatch| results_of(command, &some, &root, dispatch);
        let [threads, workers] = ["threads", "workers"].map(of);
        assert!(made(&threads).len() > some.len() / 2, "{command:?}");
        let found = common::differences(&threads, &workers);
        assert!(found.is_empty(), "{command:?}: {found:#?}");
    }
}

#[test]
fn a_difference_is_found_and_named() {
    let root = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| root.path().join(name));
    for (folder, loudness) in [(&a, "1"), (&b, "1.01")] {
        fs::create_dir(folder).unwrap();
        let sound = format!("volume={loudness}");
        common::ffmpeg(
            args!["-i", common::tiny(), "-c:v", "copy", "-af", sound],
            &folder.join("sound.mp4"),
        );
        let title = format!("title={loudness}");
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
