//! Wrong input is named, with its cure, and leaves nothing behind.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{
    self, leftovers, names, run, rushes, stderr, stdout, succeed, tiny, tree, without_folders,
};

/// A folder for one test, with a place for results that does not exist yet.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn out(&self) -> PathBuf {
        self.path("out")
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        path
    }

    fn clip(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(tiny(), &path).unwrap();
        path
    }

    /// Runs `rushes`, which must refuse with exit code 2, an empty stdout and
    /// no result; gives what it said, the test's folder as `[dir]`.
    fn refused(&self, arguments: impl IntoIterator<Item = OsString>) -> String {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
        assert_eq!(tree(&self.out()), Vec::<PathBuf>::new());
        self.said(&stderr(&output))
    }

    fn said(&self, text: &str) -> String {
        without_folders(text.trim_end(), &[(self.folder.path(), "[dir]")])
    }

    /// As [`Bench::refused`], for flags before a good clip.
    fn refused_flags(&self, flags: &str) -> String {
        let flags = flags.split_whitespace().map(OsString::from);
        let clip = self.clip("in/a.mp4");
        let rest = args!["-o", self.out(), clip];
        self.refused(args!["convert"].into_iter().chain(flags).chain(rest))
    }
}

#[test]
fn a_path_that_does_not_exist_is_named() {
    let bench = Bench::new();
    let [said, also] = ["convert", "frames"]
        .map(|command| bench.refused(args![command, bench.path("nope.mp4"), "-o", bench.out()]));
    assert_eq!(said, also);
    insta::assert_snapshot!(said, @r"
    rushes: there is no '[dir]/nope.mp4'
      → check the spelling; names with spaces want quotes
    ");
    assert!(!bench.out().exists());
}

#[test]
fn one_missing_path_among_good_ones_starts_nothing() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4");
    let said = bench.refused(args![
        "convert",
        clip,
        bench.path("nope"),
        "-o",
        bench.out()
    ]);
    assert!(said.contains("'[dir]/nope'"), "{said}");
}

#[test]
fn what_is_neither_file_nor_folder_is_refused_and_not_waited_for() {
    let bench = Bench::new();
    let pipe = bench.path("pipe.mp4");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no 'mkfifo'");
        return;
    }
    let said = bench.refused(args!["convert", &pipe, "-o", bench.out()]);
    insta::assert_snapshot!(said, @r"
    rushes: '[dir]/pipe.mp4' is neither a file nor a folder
      → save what comes from a pipe or a device to a file first
    ");
    bench.refused(args!["frames", "/dev/zero", "-o", bench.out()]);
}

#[test]
fn folders_without_videos_are_named() {
    let bench = Bench::new();
    fs::create_dir(bench.path("empty")).unwrap();
    bench.write("texts/notes.txt", b"no video");
    bench.write("texts/.hidden.mp4", b"no video");
    for folder in ["empty", "texts"] {
        let said = bench.refused(args!["convert", bench.path(folder), "-o", bench.out()]);
        assert_eq!(
            said,
            format!(
                "rushes: there are no videos in '[dir]/{folder}'\n  \
                 → name the files themselves, or give --include a pattern, if their endings are unusual"
            )
        );
    }
    assert!(!bench.out().exists());
}

#[test]
fn a_text_file_named_mp4_is_refused_with_the_reason() {
    let bench = Bench::new();
    let text = bench.write("text.mp4", b"just text\n");
    for command in ["convert", "frames"] {
        let said = bench.refused(args![command, &text, "-o", bench.out()]);
        let first = said.lines().next().unwrap();
        assert_eq!(
            first,
            "FAILED [dir]/text.mp4: failed to open it as media: Invalid data found when processing input"
        );
        assert!(
            said.ends_with("rushes: none of the files can be worked on; nothing was started"),
            "{said}"
        );
    }
}

#[test]
fn an_empty_file_is_refused_with_the_reason() {
    let bench = Bench::new();
    let empty = bench.write("empty.mp4", b"");
    let said = bench.refused(args!["convert", &empty, "-o", bench.out()]);
    assert!(
        said.starts_with("FAILED [dir]/empty.mp4: failed to open it as media: "),
        "{said}"
    );
}

#[test]
fn among_good_files_only_the_bad_one_fails() {
    for dispatch in common::DISPATCHES {
        let bench = Bench::new();
        for name in ["in/a.mp4", "in/c.mp4"] {
            bench.clip(name);
        }
        bench.write("in/b.mp4", b"just text\n");
        let source = bench.path("in");
        let output = run(args![
            "convert",
            &source,
            "-o",
            bench.out(),
            "--dispatch",
            dispatch,
            "--speed",
            "ultrafast"
        ]);
        let said = bench.said(&stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("FAILED [dir]/in/b.mp4: "), "{said}");
        assert!(!said.contains("FAILED [dir]/in/a.mp4"), "{said}");
        assert_eq!(names(&bench.out()), ["a.mp4", "c.mp4"]);
        assert_eq!(common::decoded(&bench.out().join("a.mp4")).frames.len(), 25);
    }
}

#[test]
fn sound_alone_is_refused_as_having_no_video() {
    let bench = Bench::new();
    let sound = bench.path("sound.m4a");
    common::ffmpeg(
        ["-f", "lavfi", "-i", "sine=duration=0.5", "-c:a", "aac"],
        &sound,
    );
    let [converted, pictures] = ["convert", "frames"]
        .map(|command| bench.refused(args![command, &sound, "-o", bench.out()]));
    insta::assert_snapshot!(converted, @r"
    FAILED [dir]/sound.m4a: has no video stream that can be decoded (it holds aac) → --preset audio takes the sound alone
    rushes: none of the files can be worked on; nothing was started
    ");
    insta::assert_snapshot!(pictures, @r"
    FAILED [dir]/sound.m4a: has no video stream that can be decoded (it holds aac)
    rushes: none of the files can be worked on; nothing was started
    ");
}

#[test]
fn an_output_folder_that_is_a_file_is_named() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4");
    let file = bench.write("taken", b"mine");
    let said = bench.refused(args!["convert", &clip, "-o", &file]);
    insta::assert_snapshot!(said, @r"
    rushes: the output folder '[dir]/taken' is a file
      → choose another folder with -o, or move that file away
    ");
    let below = bench.refused(args!["convert", &clip, "-o", file.join("sub")]);
    assert!(below.contains("'[dir]/taken/sub'"), "{below}");
    assert_eq!(fs::read(file).unwrap(), b"mine");
}

#[test]
fn an_output_folder_that_cannot_be_written_to_is_named_with_the_reason() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4");
    // Not even root may make folders here.
    let folder = Path::new("/proc/rushes-out");
    let said = bench.refused(args!["convert", &clip, "-o", folder]);
    assert!(
        said.starts_with("rushes: cannot write to the output folder '/proc/rushes-out': "),
        "{said}"
    );
    assert!(said.contains("→ choose another folder with -o"), "{said}");
}

#[test]
fn an_output_folder_without_permission_is_named_with_the_cure() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let clip = bench.clip("a.mp4");
    fs::create_dir(bench.out()).unwrap();
    fs::set_permissions(bench.out(), fs::Permissions::from_mode(0o555)).unwrap();
    if fs::write(bench.out().join("x"), b"x").is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    let said = bench.refused(args!["convert", &clip, "-o", bench.out()]);
    insta::assert_snapshot!(said, @r"
    rushes: cannot write to the output folder '[dir]/out': Permission denied (os error 13)
      → change its permissions, or choose another folder with -o
    ");
}

#[test]
fn without_the_ffmpeg_program_processes_are_refused_with_the_cure_and_threads_work() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4");
    fs::create_dir(bench.path("no-programs")).unwrap();
    let attempt = |dispatch: &str| {
        rushes()
            .env("PATH", bench.path("no-programs"))
            .args(args![
                "convert",
                &clip,
                "-o",
                bench.out(),
                "--speed",
                "ultrafast",
                "--dispatch",
                dispatch
            ])
            .output()
            .unwrap()
    };
    let output = attempt("processes");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(stdout(&output), "");
    assert!(!bench.out().exists());
    insta::assert_snapshot!(bench.said(&stderr(&output)), @r"
    rushes: --dispatch processes needs the program 'ffmpeg', which is not on the PATH: cannot find binary path
      → install it (Debian, Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg), or use --dispatch workers
    ");
    let output = attempt("threads");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(names(&bench.out()), ["a.mp4"]);
}

#[test]
fn wrong_values_are_refused_by_flag_and_value() {
    let bench = Bench::new();
    for (flags, flag, reason) in [
        ("-j 0", "--jobs", "'0' is not between 1 and"),
        ("-j 9999", "--jobs", "'9999' is not between 1 and"),
        ("-j two", "--jobs", "'two' is not between 1 and"),
        ("--crf 99", "--crf", "'99' is not between 0 and 63"),
        ("--crf NaN", "--crf", "'NaN' is not between 0 and 63"),
        ("--bitrate 2X", "--bitrate", "'2X' is no bit rate; write 2M"),
        (
            "--size 0x0",
            "--size",
            "'0x0' is no size; write it as 1280x720",
        ),
        (
            "--size 1280",
            "--size",
            "'1280' is no size; write it as 1280x720",
        ),
        ("--fps 0", "--fps", "'0' is no frame rate; write 25"),
        ("--codec-threads 0", "--codec-threads", "0 is not in 1..=64"),
        (
            "--dispatch magic",
            "--dispatch",
            "[possible values: threads, processes, workers]",
        ),
        (
            "--exists maybe",
            "--exists",
            "[possible values: skip, overwrite, rename, error]",
        ),
    ] {
        let said = bench.refused_flags(flags);
        assert!(said.contains(flag), "{flags}: {said}");
        assert!(said.contains(reason), "{flags}: {said}");
    }
    assert!(!bench.out().exists());
}

#[test]
fn too_many_jobs_are_refused_with_the_number_of_cores() {
    let said = Bench::new().refused_flags("-j 9999");
    let cores = std::thread::available_parallelism().unwrap();
    assert!(
        said.contains(&format!("this machine has {cores} cores")),
        "{said}"
    );
}

#[test]
fn quality_and_bit_rate_together_are_refused() {
    let said = Bench::new().refused_flags("--crf 20 --bitrate 2M");
    let first = said.lines().next().unwrap();
    insta::assert_snapshot!(first, @"error: the argument '--crf <Q>' cannot be used with '--bitrate <RATE>'");
}

#[test]
fn encoders_that_are_not_there_are_refused_with_the_way_to_list_them() {
    let bench = Bench::new();
    insta::assert_snapshot!(bench.refused_flags("--vcodec h264_of_my_own"), @r"
    rushes: --vcodec h264_of_my_own: the linked FFmpeg has no such encoder
      → `rushes doctor` lists the encoders that are there
    ");
    insta::assert_snapshot!(bench.refused_flags("--acodec nonsense"), @r"
    rushes: --acodec nonsense: the linked FFmpeg has no such encoder
      → `rushes doctor` lists the encoders that are there
    ");
    assert!(!bench.out().exists());
}

/// A folder for the PATH with an `ffmpeg` that is this script.
fn program(bench: &Bench, script: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let folder = bench.path("programs");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("ffmpeg");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// What a command says with that folder on the PATH before all others.
fn said_with(bench: &Bench, folder: &Path, arguments: &[OsString]) -> String {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let path = [folder.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&own));
    let mut command = rushes();
    command.env("PATH", std::env::join_paths(path).unwrap());
    let output = command.args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(leftovers(&bench.out()), Vec::<PathBuf>::new());
    stderr(&output)
}

#[test]
fn an_ffmpeg_program_that_is_too_old_is_refused_with_the_version_that_is_needed() {
    let bench = Bench::new();
    let old = "echo 'ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright (c) 2000-2021'
               echo 'libavcodec     58.134.100 / 58.134.100'";
    let folder = program(&bench, old);
    let clip = bench.clip("a.mp4");
    for command in ["convert", "frames"] {
        let arguments = args![command, &clip, "-o", bench.out(), "--dispatch", "processes"];
        let said = said_with(&bench, &folder, &arguments);
        for part in [
            "4.4.2-0ubuntu0.22.04.1",
            "58.134",
            "5.1 or newer",
            "apt install",
        ] {
            assert!(said.contains(part), "{command}: {part}: {said}");
        }
    }
}

#[test]
fn an_encoder_that_the_ffmpeg_program_lacks_is_named_before_any_job_starts() {
    let bench = Bench::new();
    // The real program, but for one encoder in its list.
    let real = which::which("ffmpeg").unwrap();
    let less = format!("'{}' \"$@\" | grep -v ' libx265 '", real.display());
    let folder = program(&bench, &less);
    let clip = bench.clip("a.mp4");
    let mut arguments = args!["convert", &clip, "-o", bench.out(), "--preset", "hevc"].to_vec();
    arguments.extend(args!["--copy", "never", "--dispatch", "processes"]);
    let said = said_with(&bench, &folder, &arguments);
    for part in [
        "has no encoder 'libx265'",
        "--dispatch workers",
        "apt install",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn worker_counts_of_a_benchmark_are_refused_where_they_are_no_counts() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4");
    for count in ["0", "0-2", "9999", "2-", "x"] {
        let said = bench.refused(args!["bench", &clip, "--workers", count, "-o", bench.out()]);
        assert!(said.contains("--workers"), "{said}");
        assert!(
            said.contains(&format!("'{count}' is no list of counts from 1 to")),
            "{said}"
        );
    }
    assert!(!bench.out().exists());
}

#[test]
fn two_sources_for_one_result_are_refused_before_anything_starts() {
    let bench = Bench::new();
    let (a, b) = (bench.clip("in/a.mp4"), bench.clip("other/a.mp4"));
    let said = bench.refused(args!["convert", &a, &b, "-o", bench.out()]);
    insta::assert_snapshot!(said, @r"
    rushes: '[dir]/in/a.mp4' and '[dir]/other/a.mp4' would both become '[dir]/out/a.mp4.mp4'
      → rename one of them, or convert them into different folders
    ");
}

#[test]
fn sources_that_differ_in_their_ending_keep_it_in_their_results_and_that_is_told() {
    let bench = Bench::new();
    let (a, b) = (bench.clip("in/a.mp4"), bench.clip("in/a.mkv"));
    let output = run(args!["convert", &a, &b, "-o", bench.out()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr(&output).contains("2 files would have shared a name"));
    assert!(bench.out().join("a.mp4.mp4").exists());
    assert!(bench.out().join("a.mkv.mp4").exists());
}

#[test]
fn a_source_is_never_its_own_result() {
    let bench = Bench::new();
    let clip = bench.clip("a.mp4");
    let before = fs::read(&clip).unwrap();
    let output = run(args![
        "convert",
        &clip,
        "-o",
        bench.path(""),
        "--exists",
        "overwrite"
    ]);
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(bench.said(&stderr(&output)), @r"
    rushes: '[dir]/a.mp4' would be overwritten by its own result
      → choose another output folder with -o
    ");
    assert_eq!(fs::read(&clip).unwrap(), before);
    assert_eq!(leftovers(bench.folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn a_speed_that_the_encoder_does_not_know_starts_nothing() {
    let said = Bench::new().refused_flags("--speed warp");
    assert!(
        said.contains("rushes: --speed warp: the encoder 'libx264' has no such preset"),
        "{said}"
    );
    assert!(said.contains("→ give one of its own presets"), "{said}");
}

#[test]
fn help_and_version_go_to_stdout() {
    for flag in ["--help", "--version"] {
        let output = succeed([flag]);
        assert!(stdout(&output).contains("rushes"));
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn what_has_no_end_is_no_document() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.toml")).unwrap();
    let cases = [
        "convert . --config zero.toml -o out",
        "frames . --at @zero.toml -o out",
        "slideshow zero.toml -o out.mp4",
        "bench --import zero.toml -o out",
        "bench compare zero.toml zero.toml -o out",
    ];
    for case in cases {
        let mut program = rushes();
        program.args(case.split(' ')).current_dir(folder.path());
        let output = program.output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{case}: {said}");
        assert!(said.contains("larger than"), "{case}: {said}");
    }
}
