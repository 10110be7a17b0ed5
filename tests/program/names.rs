//! File names are data: none is an option, a protocol or a pattern.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::common::{self, DISPATCHES, decoded, leftovers, rushes, stderr, succeed, tiny, tree};

/// Names without ending that would mean something to a careless program.
fn odd_stems() -> Vec<OsString> {
    let mut stems: Vec<OsString> = [
        "-",
        "-y",
        "--help",
        "-i",
        "a:b",
        "concat:a|b",
        "http:",
        "file:x",
        "%d",
        "%03d",
        "50%",
        "100%% sure",
        "it's",
        "a \"quoted\" name",
        "two\nlines",
        "tab\there",
        " leading and trailing ",
        "semi;colon&and|pipe",
        "back\\slash",
        "[in][out]",
        "comma,equals=1",
        "star*?",
        "$HOME `id`",
        "naïve – 日本語",
        "dots...",
    ]
    .map(OsString::from)
    .to_vec();
    stems.push(OsStr::from_bytes(b"not \xff\xfe UTF-8").to_owned());
    // 250 bytes with the ending `.mp4`, and as many as file systems take.
    stems.push("x".repeat(246).into());
    stems.push("y".repeat(251).into());
    stems
}

fn with_ending(stem: &OsStr, ending: &str) -> OsString {
    let mut name = stem.to_owned();
    name.push(".");
    name.push(ending);
    name
}

/// A folder with a tiny clip under each odd name; `None` where the file system takes no such names.
fn odd_folder(root: &Path, ending: &str) -> PathBuf {
    let folder = root.join("in");
    fs::create_dir(&folder).unwrap();
    for stem in odd_stems() {
        fs::copy(tiny(), folder.join(with_ending(&stem, ending))).unwrap();
    }
    folder
}

fn sorted(mut names: Vec<PathBuf>) -> Vec<PathBuf> {
    names.sort();
    names
}

#[test]
fn a_folder_of_odd_names_is_converted_under_the_same_names() {
    let reference = decoded(&tiny()).frames.len();
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let (folder, out) = (
            odd_folder(root.path(), "mov"),
            root.path().join("out: 50% -y"),
        );
        succeed(args![
            "convert",
            &folder,
            "-o",
            &out,
            "--dispatch",
            dispatch,
            "--speed",
            "ultrafast"
        ]);
        let expected = odd_stems()
            .iter()
            .map(|stem| with_ending(stem, "mp4").into())
            .collect();
        assert_eq!(tree(&out), sorted(expected), "{dispatch}");
        for name in tree(&out) {
            assert_eq!(
                decoded(&out.join(&name)).frames.len(),
                reference,
                "{name:?}"
            );
        }
    }
}

#[test]
fn a_folder_of_odd_names_gives_pictures_in_folders_of_the_same_names() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let (folder, out) = (odd_folder(root.path(), "mp4"), root.path().join("out %d"));
        succeed(args![
            "frames",
            &folder,
            "-o",
            &out,
            "--dispatch",
            dispatch,
            "--every",
            "0.5s"
        ]);
        for stem in odd_stems() {
            assert_eq!(
                tree(&out.join(&stem)),
                [Path::new("000001.jpg"), Path::new("000002.jpg")],
                "{dispatch}: {stem:?}"
            );
        }
        assert_eq!(tree(&out).len(), 3 * odd_stems().len());
        assert_eq!(leftovers(&out), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_name_with_a_leading_dash_is_taken_after_two_dashes_and_from_the_working_folder() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        fs::copy(tiny(), root.path().join("-y.mp4")).unwrap();
        let output = rushes()
            .current_dir(root.path())
            .args(["convert", "--speed", "ultrafast", "--dispatch", dispatch])
            .args(["--output=-out", "--", "-y.mp4"])
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{dispatch}: {}",
            stderr(&output)
        );
        assert_eq!(tree(&root.path().join("-out")), [Path::new("-y.mp4")]);
    }
}

#[test]
fn relative_names_in_an_odd_working_folder_are_no_protocols() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        fs::copy(tiny(), root.path().join("http:a.mp4")).unwrap();
        fs::copy(tiny(), root.path().join("pipe:0")).unwrap();
        let output = rushes()
            .current_dir(root.path())
            .args(["frames", "--dispatch", dispatch, "-o", "crypto:50%"])
            .args(["http:a.mp4", "pipe:0"])
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{dispatch}: {}",
            stderr(&output)
        );
        let out = root.path().join("crypto:50%");
        assert_eq!(
            tree(&out),
            ["http:a", "http:a/000001.jpg", "pipe:0", "pipe:0/000001.jpg"].map(PathBuf::from)
        );
    }
}

#[test]
fn names_in_events_are_whole_even_with_a_newline() {
    let root = tempfile::tempdir().unwrap();
    let clip = root.path().join("two\nlines.mp4");
    fs::copy(tiny(), &clip).unwrap();
    let output = common::succeed(args![
        "convert",
        &clip,
        "-o",
        root.path().join("out"),
        "--speed",
        "ultrafast",
        "--json"
    ]);
    let events = common::events(&output);
    assert!(
        events.iter().any(|event| event["name"] == "two\nlines.mp4"),
        "{events:?}"
    );
}

#[test]
fn no_name_is_an_order_to_the_terminal() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("in");
    fs::create_dir(&folder).unwrap();
    for name in [
        "good\u{1b}[2J\u{7}.mp4",
        "two\nlines.mp4",
        "\u{202e}4pm.mp4",
    ] {
        fs::copy(tiny(), folder.join(name)).unwrap();
    }
    fs::write(folder.join("bad\u{1b}]0;title\u{7}.mp4"), "no film").unwrap();
    let out = root.path().join("out");
    for flags in [&["--dry-run"][..], &["--verbose"], &[]] {
        let mut arguments = args!["convert", &folder, "-o", &out].to_vec();
        arguments.extend(flags.iter().map(OsString::from));
        let output = common::run(arguments);
        assert_eq!(output.status.code(), Some(1));
        let said = format!("{}{}", common::stdout(&output), stderr(&output));
        assert!(said.contains("bad\\u{1b}]0;title\\u{7}.mp4"), "{said}");
        assert!(!is_obeyed(&said), "{said:?}");
        assert!(!said.contains("two\nlines"), "{said:?}");
    }
    let gone = root.path().join("gone\u{1b}[2J.mp4");
    let said = stderr(&common::run(args!["convert", &gone, "-o", &out]));
    assert!(said.contains("gone\\u{1b}[2J.mp4"), "{said:?}");
}

/// Whether a terminal would do what `said` says, in place of showing it.
fn is_obeyed(said: &str) -> bool {
    said.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}')
}

#[test]
fn no_name_is_an_order_to_the_terminal_in_bench_and_slideshow() {
    let root = tempfile::tempdir().unwrap();
    let (videos, pictures) = (root.path().join("videos"), root.path().join("pictures"));
    fs::create_dir(&videos).unwrap();
    fs::create_dir(&pictures).unwrap();
    fs::copy(tiny(), videos.join("good\u{1b}[2J.mp4")).unwrap();
    fs::write(videos.join("bad\u{1b}]0;title\u{7}.mp4"), "no film").unwrap();
    std::os::unix::fs::symlink("nowhere", videos.join("gone\u{1b}[2J.mp4")).unwrap();
    fs::write(pictures.join("good.ppm"), b"P6\n1 1\n255\n\x01\x02\x03").unwrap();
    fs::write(pictures.join("bad\u{1b}]0;title\u{7}.ppm"), "no picture").unwrap();
    std::os::unix::fs::symlink("nowhere", pictures.join("gone\u{1b}[2J.ppm")).unwrap();
    let (out, film) = (root.path().join("out"), root.path().join("film.mp4"));
    let bench = args![
        "bench",
        &videos,
        "--work",
        "frames",
        "--dispatch",
        "threads",
        "--workers",
        "1",
        "--rounds",
        "1",
        "--no-film",
        "-o",
        &out
    ];
    let show = args!["slideshow", &pictures, "--size", "128x72", "-o", &film];
    let mut dry = show.to_vec();
    dry.push("--dry-run".into());
    for (arguments, names) in [
        (
            bench.to_vec(),
            &["bad\\u{1b}]0;title\\u{7}", "gone\\u{1b}[2J"][..],
        ),
        (dry, &["gone\\u{1b}[2J"]),
        (
            show.to_vec(),
            &["bad\\u{1b}]0;title\\u{7}", "gone\\u{1b}[2J"],
        ),
    ] {
        let output = common::run(arguments);
        let said = format!("{}{}", common::stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{said:?}");
        assert!(!is_obeyed(&said), "{said:?}");
        for name in names {
            assert!(said.contains(name), "{name}: {said:?}");
        }
    }
}

#[test]
fn what_is_no_file_is_left_out_of_folders_and_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let (sources, elsewhere) = (root.path().join("in"), root.path().join("elsewhere"));
    fs::create_dir_all(&sources).unwrap();
    fs::create_dir_all(&elsewhere).unwrap();
    fs::copy(tiny(), sources.join("real.mp4")).unwrap();
    fs::copy(tiny(), elsewhere.join("linked.mp4")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(sources.join("socket.mp4")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(sources.join("pipe.mp4"))
        .status()
        .unwrap();
    assert!(made.success());
    for (target, name) in [
        (Path::new("/dev/zero"), "device.mp4"),
        (Path::new("circle.mp4"), "circle.mp4"),
        (elsewhere.as_path(), "folder"),
        (Path::new("."), "self"),
    ] {
        std::os::unix::fs::symlink(target, sources.join(name)).unwrap();
    }
    for dispatch in DISPATCHES {
        for command in ["convert", "frames"] {
            let out = root.path().join(dispatch).join(command);
            let output = common::run(args![command, &sources, "-o", &out, "--dispatch", dispatch]);
            // A circle is told; all else that is no file is passed over.
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(1), "{dispatch}: {said}");
            assert!(said.contains("circle.mp4"), "{dispatch}: {said}");
            let results = tree(&out);
            let of = |name: &str| {
                results
                    .iter()
                    .any(|path| path.with_extension("").ends_with(name))
            };
            assert!(of("real") && of("folder/linked"), "{dispatch}: {results:?}");
            for name in ["socket", "pipe", "device", "circle"] {
                assert!(!of(name), "{dispatch}: {results:?}");
            }
        }
        for name in ["socket.mp4", "pipe.mp4", "device.mp4"] {
            for command in ["convert", "frames", "bench"] {
                let out = root.path().join("refused");
                // Also by a way around.
                let source = sources.join("folder/../in").join(name);
                let output =
                    common::run(args![command, &source, "-o", &out, "--dispatch", dispatch]);
                assert_eq!(output.status.code(), Some(2), "{command} {name}");
                let said = stderr(&output);
                assert!(
                    said.contains(&format!("{name}' is neither a file")),
                    "{said}"
                );
            }
        }
    }
}

#[test]
fn bench_takes_odd_names() {
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in: %d 'x'");
    fs::create_dir(&sources).unwrap();
    for stem in ["-y", "50%", "two\nlines", "a:b"] {
        fs::copy(tiny(), sources.join(with_ending(OsStr::new(stem), "mp4"))).unwrap();
    }
    let out = root.path().join("out");
    let output = rushes()
        .args([
            "bench",
            "--work",
            "frames",
            "--workers",
            "1",
            "--budget",
            "1s",
        ])
        .args(["--no-film", "--quiet", "--output"])
        .arg(&out)
        .arg(&sources)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    let samples = results["samples"].as_array().unwrap();
    assert!(
        samples.iter().all(|sample| sample["jobs"] == 4),
        "{samples:?}"
    );
    assert!(samples.len() >= 3, "{samples:?}");
}

#[test]
fn a_result_keeps_its_name_whatever_sources_of_the_same_stem_come_and_go() {
    let root = tempfile::tempdir().unwrap();
    let (sources, out) = (root.path().join("in"), root.path().join("out"));
    fs::create_dir(&sources).unwrap();
    let add = |name: &str| fs::copy(tiny(), sources.join(name)).unwrap();
    let convert = || {
        let output = rushes()
            .args(args!["convert", &sources, "-o", &out])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        common::names(&out)
    };
    add("a.mp4");
    assert_eq!(convert(), ["a.mp4"]);
    add("a.m4v");
    assert_eq!(convert(), ["a.m4v.mp4", "a.mp4"]);
    fs::remove_file(sources.join("a.mp4")).unwrap();
    assert_eq!(convert(), ["a.m4v.mp4", "a.mp4"]);
    add("a.mov");
    assert_eq!(convert(), ["a.m4v.mp4", "a.mov.mp4", "a.mp4"]);
}
