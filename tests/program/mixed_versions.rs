//! The linked FFmpeg and the `ffmpeg` on the PATH are often of different versions.
//! `scripts/test-mixed` runs these tests with a program of another version, which
//! `RUSHES_OTHER_FFMPEG` names.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rushes::bench::results::{Results, Verdict};
use tempfile::TempDir;

use crate::common::{self, ENGINES, decoded, names, rushes, stderr, stdout, tiny};

/// A folder with results, and one on the PATH that holds the other program.
struct Mixed {
    root: TempDir,
}

impl Mixed {
    fn new() -> Self {
        let program = std::env::var_os("RUSHES_OTHER_FFMPEG").map(PathBuf::from);
        let program = program.expect("RUSHES_OTHER_FFMPEG names a program; see scripts/test-mixed");
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("bin");
        std::fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(program, folder.join("ffmpeg")).unwrap();
        let mixed = Self { root };
        assert_ne!(mixed.other_version(), own_version(), "both are one version");
        mixed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn other_version(&self) -> String {
        version(&self.path("bin/ffmpeg"))
    }

    fn run(&self, arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Output {
        let own = std::env::var_os("PATH").unwrap_or_default();
        let path = std::iter::once(self.path("bin")).chain(std::env::split_paths(&own));
        let mut command = rushes();
        command.env("PATH", std::env::join_paths(path).unwrap());
        command.args(arguments).output().unwrap()
    }

    fn succeed(&self, arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Output {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        output
    }
}

/// The version by which an `ffmpeg` program calls itself.
fn version(program: &Path) -> String {
    let output = Command::new(program).arg("-version").output().unwrap();
    let line = stdout(&output);
    line.split_whitespace().nth(2).unwrap().to_owned()
}

/// That of the libraries that rushes is linked with.
fn own_version() -> String {
    let output = common::succeed(["doctor"]);
    let line = stdout(&output);
    let line = line.lines().find(|line| line.contains("linked FFmpeg"));
    line.unwrap().split_whitespace().nth(2).unwrap().to_owned()
}

#[test]
#[ignore = "needs another FFmpeg: scripts/test-mixed runs it"]
fn every_preset_works_with_a_program_of_another_version() {
    let mixed = Mixed::new();
    for preset in [
        "web", "720p", "480p", "hevc", "av1", "proxy", "audio", "remux",
    ] {
        let [own, other] = ENGINES.map(|dispatch| {
            let out = mixed.path(preset).join(dispatch);
            let mut arguments = args!["convert", tiny(), "-o", &out, "--preset", preset].to_vec();
            arguments.extend(args!["--dispatch", dispatch, "-q"]);
            let output = mixed.succeed(arguments);
            assert_eq!(stderr(&output), "", "{preset} {dispatch}");
            let made = names(&out);
            assert_eq!(made.len(), 1, "{preset} {dispatch}: {made:?}");
            out.join(&made[0])
        });
        assert_eq!(own.file_name(), other.file_name(), "{preset}");
        if preset != "audio" {
            let [own, other] = [own, other].map(|path| decoded(&path).frames.len());
            assert_eq!(own, other, "{preset}");
        }
    }
}

#[test]
#[ignore = "needs another FFmpeg: scripts/test-mixed runs it"]
fn pictures_and_contact_sheets_work_with_a_program_of_another_version() {
    let mixed = Mixed::new();
    for (selector, value, count) in [
        ("--every", "200ms", 5),
        ("--at", "0.1,0.5", 2),
        ("--count", "3", 3),
        ("--nth", "10", 3),
    ] {
        let out = mixed.path(selector);
        let mut arguments = args!["frames", tiny(), "-o", &out, selector, value].to_vec();
        arguments.extend(args!["--dispatch", "processes", "-q"]);
        mixed.succeed(arguments);
        assert_eq!(names(&out.join("tiny")).len(), count, "{selector}");
    }
    let out = mixed.path("sheet");
    let sheet = args![
        "frames",
        tiny(),
        "-o",
        &out,
        "--sheet",
        "2x2",
        "--dispatch",
        "processes"
    ];
    mixed.succeed(sheet);
    assert_eq!(names(&out), ["tiny.jpg"]);
}

#[test]
#[ignore = "needs another FFmpeg: scripts/test-mixed runs it"]
fn a_benchmark_states_both_versions_and_compares_only_what_decodes_equal() {
    let mixed = Mixed::new();
    let (clips, out) = (mixed.path("clips"), mixed.path("out"));
    std::fs::create_dir(&clips).unwrap();
    std::fs::copy(tiny(), clips.join("a.mp4")).unwrap();
    let mut arguments = args!["bench", &clips, "-o", &out, "--work", "transcode,remux"].to_vec();
    arguments.extend(args!["--workers", "1", "--budget", "2s", "--no-film", "-q"]);
    arguments.extend(args!["--speed", "ultrafast"]);
    mixed.succeed(arguments);
    let results = std::fs::read(out.join("results.json")).unwrap();
    let results: Results = serde_json::from_slice(&results).unwrap();
    let program = results.ffmpeg.program.unwrap();
    assert_eq!(results.ffmpeg.linked, own_version());
    assert!(program.contains(&mixed.other_version()), "{program}");
    assert!(!results.ffmpeg.same_version);
    let report = std::fs::read_to_string(out.join("report.html")).unwrap();
    for version in [own_version(), mixed.other_version()] {
        assert!(report.contains(&version), "{version} is not in the report");
    }
    let void: Vec<&String> = results
        .notes
        .iter()
        .filter(|note| note.starts_with("void: "))
        .collect();
    assert!(!results.comparisons.is_empty());
    for comparison in &results.comparisons {
        let begin = format!("void: {} ", comparison.work.name());
        let name = format!(" on {}: ", comparison.b.name());
        let differs = void
            .iter()
            .any(|note| note.starts_with(&begin) && note.contains(&name));
        let is_void = comparison.verdict == Verdict::Void;
        assert_eq!(is_void, differs, "{comparison:?} {void:?}");
    }
}

/// Debian's libraries have an MP3 encoder that the static program lacks.
#[test]
#[ignore = "needs another FFmpeg: scripts/test-mixed runs it"]
fn an_encoder_that_the_other_program_lacks_is_named_before_any_job_starts() {
    let mixed = Mixed::new();
    let out = mixed.path("out");
    let mut arguments = args!["convert", tiny(), "-o", &out, "--acodec", "libshine"].to_vec();
    arguments.extend(args!["--format", "mkv", "--dispatch", "processes"]);
    let output = mixed.run(arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    let version = mixed.other_version();
    for part in ["has no encoder 'libshine'", &version, "--dispatch workers"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(names(&out), Vec::<String>::new());
}

#[test]
#[ignore = "needs another FFmpeg: scripts/test-mixed runs it"]
fn doctor_says_what_two_versions_mean() {
    let mixed = Mixed::new();
    let said = stdout(&mixed.succeed(args!["doctor"]));
    assert!(said.contains(&mixed.other_version()), "{said}");
    let sentence = "differ in version: --dispatch processes may give other frames";
    assert!(said.contains(sentence), "{said}");
}

#[test]
#[ignore = "needs another FFmpeg: scripts/test-mixed runs it"]
fn a_film_is_made_beside_a_program_of_another_version() {
    let mixed = Mixed::new();
    let photos = mixed.path("photos");
    mixed.succeed(args!["frames", tiny(), "-o", &photos, "--count", "2"]);
    let film = mixed.path("film.mp4");
    mixed.succeed(args![
        "slideshow",
        photos.join("tiny"),
        "-o",
        &film,
        "--seconds",
        "1",
        "--speed",
        "ultrafast"
    ]);
    assert!(!decoded(&film).frames.is_empty());
}
