//! Which files of a folder are taken, and that nothing is left out silently.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::common::{events, names, run, stderr, stdout, succeed, tiny};

/// A folder with a tiny clip under each of these names.
fn clips(names: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::copy(tiny(), path).unwrap();
    }
    folder
}

#[test]
fn patterns_choose_what_is_converted() {
    let folder = clips(&[
        "a.mp4",
        "B.MOV",
        "reel.r3d",
        "proxies/a.mp4",
        "day1/c.mov",
        "$RECYCLE.BIN/d.mov",
    ]);
    let out = folder.path().join("out");
    let plan = |more: &[&str]| {
        let base = args!["convert", folder.path(), "-o", &out, "--dry-run"];
        let told = stdout(&succeed(
            base.into_iter().chain(more.iter().map(Into::into)),
        ));
        let sources = told.lines().filter_map(|line| line.split_once(" ("));
        let below = |path: &str| {
            let path = Path::new(path).strip_prefix(folder.path());
            Some(path.ok()?.to_str()?.to_owned())
        };
        sources
            .filter_map(|(path, _)| below(path))
            .collect::<Vec<_>>()
    };
    assert_eq!(plan(&[]), ["B.MOV", "a.mp4", "day1/c.mov", "proxies/a.mp4"]);
    assert_eq!(plan(&["--include", "*.mov"]), ["B.MOV", "day1/c.mov"]);
    assert_eq!(
        plan(&["--include", "*.r3d", "--include", "day1/*"]),
        ["day1/c.mov", "reel.r3d"]
    );
    assert_eq!(
        plan(&["--exclude", "proxies", "--exclude", "b*"]),
        ["a.mp4", "day1/c.mov"]
    );
}

#[test]
fn a_pattern_that_is_none_is_refused_by_its_flag() {
    for flag in ["--include", "--exclude"] {
        let output = run(["convert", "videos", flag, "[a"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(flag), "{}", stderr(&output));
    }
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_done() {
    let folder = clips(&["a.mp4", "closed/b.mp4"]);
    symlink("/nowhere/at/all.mp4", folder.path().join("gone.mp4")).unwrap();
    let closed = folder.path().join("closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
    // Its administrator may read all.
    let all_is_open = fs::read_dir(&closed).is_ok();
    let out = tempfile::tempdir().unwrap();
    let output = run(args!["convert", folder.path(), "-o", out.path(), "--json"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told = events(&output);
    let refused = told
        .iter()
        .filter(|event| event["event"] == "source_refused");
    let refused: Vec<_> = refused
        .map(|event| {
            Path::new(event["source"].as_str().unwrap())
                .file_name()
                .unwrap()
        })
        .collect();
    if all_is_open {
        assert_eq!(refused, ["gone.mp4"]);
        assert_eq!(names(out.path()), ["a.mp4", "closed", "closed/b.mp4"]);
    } else {
        assert_eq!(refused, ["closed", "gone.mp4"]);
        assert_eq!(names(out.path()), ["a.mp4"]);
    }
}

#[test]
fn a_file_named_twice_is_converted_once() {
    let folder = clips(&["in/a.mp4"]);
    symlink(folder.path().join("in"), folder.path().join("alias")).unwrap();
    let out = folder.path().join("out");
    let two = ["in/a.mp4", "alias"].map(|name| folder.path().join(name));
    let output = succeed(args!["convert", &two[0], &two[1], "-o", &out, "--json"]);
    let ends = events(&output)
        .into_iter()
        .filter(|event| event["event"] == "job_finished");
    assert_eq!(ends.count(), 1);
    assert_eq!(names(&out), ["a.mp4"]);
}
