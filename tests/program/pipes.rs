//! Whoever reads what the program says may go away: what was to be done is done.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::process::{Output, Stdio};

use crate::common::{fresh_folder, names, rushes, stderr, tiny};

/// A pipe that nobody reads from.
fn unread() -> Stdio {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Runs the program with nobody at stdout.
fn unheard(arguments: &[OsString]) -> Output {
    let output = rushes().args(arguments).stdout(unread()).output();
    output.unwrap()
}

/// How the program ends with nobody at stdout, and with nobody at stderr either.
fn codes(arguments: &[OsString]) -> [Option<i32>; 2] {
    let output = unheard(arguments);
    let told = stderr(&output);
    assert!(!told.contains("panicked"), "{told}");
    let nobody = rushes()
        .args(arguments)
        .stdout(unread())
        .stderr(unread())
        .status();
    [output.status.code(), nobody.unwrap().code()]
}

#[test]
fn commands_that_only_print_end_quietly_when_nobody_reads() {
    let root = fresh_folder("pipes-print");
    let times = root.join("times.dat");
    fs::write(&times, "1 0.2 0.3 1.0 1.1\n2 0.2 0.3 1.0 1.1\n").unwrap();
    let picture = root.join("picture.png");
    image::RgbImage::new(64, 48).save(&picture).unwrap();
    let out = root.join("out");
    for arguments in [
        &args!["doctor"][..],
        &args!["--help"][..],
        &args!["convert", "--preset", "help"][..],
        &args!["convert", tiny(), "-o", &out, "--dry-run"][..],
        &args!["convert", tiny(), "-o", &out, "--dry-run", "--json"][..],
        &args!["bench", tiny(), "-o", &out, "--dry-run"],
        &args!["frames", tiny(), "-o", &out, "--count", "1", "--dry-run"][..],
        &args![
            "slideshow",
            &picture,
            "-o",
            out.join("film.mp4"),
            "--dry-run"
        ][..],
        &args!["bench", "--import", &times, "-o", &out, "--no-film"][..],
    ] {
        assert_eq!(codes(arguments), [Some(0); 2], "{arguments:?}");
        assert_eq!(stderr(&unheard(arguments)), "", "{arguments:?}");
    }
}

#[test]
fn a_conversion_goes_on_when_nobody_reads_and_its_exit_code_is_that_of_its_work() {
    let root = fresh_folder("pipes-convert");
    let torn = root.join("torn.mp4");
    fs::write(&torn, b"\0\0\0\x18ftypmp42").unwrap();
    for more in [None, Some("--json"), Some("--verbose"), Some("--quiet")] {
        let out = root.join(more.unwrap_or("plain"));
        let run = |sources: &[OsString], name: &str| {
            let flags = args!["-o", out.join(name), "--speed", "ultrafast"];
            let more: Vec<_> = more.map(OsString::from).into_iter().collect();
            codes(&[&args!["convert"], sources, &flags, &more].concat())
        };
        assert_eq!(run(&args![tiny()], "well"), [Some(0); 2], "{more:?}");
        assert!(out.join("well/report.json").is_file());
        assert_eq!(run(&args![tiny(), &torn], "torn"), [Some(1); 2], "{more:?}");
        let [well, rest] = ["well", "torn"].map(|name| names(&out.join(name)));
        assert_eq!(well, rest, "what can be done is done");
        assert_eq!(run(&args![root.join("gone")], "gone"), [Some(2); 2]);
    }
}

#[test]
fn what_was_made_is_whole_though_nobody_is_told_of_it() {
    let root = fresh_folder("pipes-made");
    let picture = root.join("picture.png");
    image::RgbImage::new(64, 48).save(&picture).unwrap();
    let film = root.join("film.mp4");
    let flags = args![
        "slideshow",
        &picture,
        "-o",
        &film,
        "--seconds",
        "1",
        "--size",
        "128x96"
    ];
    assert_eq!(unheard(&flags).status.code(), Some(0));
    assert!(film.is_file());

    let out = root.join("bench");
    let flags = args![
        "bench",
        "-o",
        &out,
        "--work",
        "io",
        "--io",
        "1ms",
        "--workers",
        "1",
        "--dispatch",
        "threads,processes",
        "--rounds",
        "1",
        "--no-film"
    ];
    assert_eq!(codes(&flags), [Some(0); 2]);
    assert!(out.join("report.html").is_file());
}

#[test]
#[cfg(target_os = "linux")]
fn what_finds_no_room_is_an_error_and_not_a_panic() {
    let root = fresh_folder("pipes-full");
    let out = root.join("out");
    let full = || File::options().write(true).open("/dev/full").unwrap();
    for arguments in [
        &args!["doctor"][..],
        &args!["convert", tiny(), "-o", &out, "--speed", "ultrafast"][..],
        &args![
            "convert",
            tiny(),
            "-o",
            root.join("json"),
            "--dry-run",
            "--json"
        ][..],
    ] {
        let output = rushes().args(arguments).stdout(full()).output().unwrap();
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {told}");
        assert!(told.contains("standard output"), "{told}");
        assert!(!told.contains("panicked"), "{told}");
    }
    assert!(out.join("report.json").is_file(), "the work is done first");
    let ended = rushes()
        .arg("bench")
        .arg("--seed=x")
        .stderr(full())
        .status();
    assert_eq!(ended.unwrap().code(), Some(2));
}
