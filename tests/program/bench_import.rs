//! Of another program's times no more is concluded than they show.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::common::{fresh_folder, names, run, stderr, stdout};
use rushes::bench::results::{Results, Verdict, Work};

/// A run of the original exercise, as it told of its own: without a header, a
/// computation of 0.27 ms that took 57.8 ms in a process, waits of a second
/// that were 14 % apart at 7 workers.
const TIMES: &str = "\
1 0.00027 0.0578 1.0012 1.0523
2 0.00051 0.0612 1.0015 1.0601
3 0.00078 0.0655 1.0019 1.0702
4 0.00102 0.0703 1.0021 1.0845
7 0.00183 0.0894 1.0034 1.1439
";

const HEADER: &str = "nthreads CpuThread CpuProcess IoThread IoProcess\n";

#[test]
fn the_originals_times_are_too_small_to_measure_and_do_not_show_that_processes_are_faster() {
    for (name, text) in [
        ("bare", TIMES.to_owned()),
        ("headed", format!("{HEADER}{TIMES}")),
    ] {
        let root = fresh_folder(&format!("bench-import-{name}"));
        let file = root.join("thread_cpu_bound.dat");
        fs::write(&file, text).unwrap();
        let flags = args![
            "bench",
            "--import",
            file,
            "-o",
            root.join("out"),
            "--no-film"
        ];
        let output = run(flags);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = stdout(&output);
        assert!(
            said.contains("0.3 ms of work against 57.5 ms of start-up; use at least 600 ms"),
            "{said}"
        );
        assert!(!said.contains("faster"), "{said}");

        let json = fs::read(root.join("out/results.json")).unwrap();
        let results: Results = serde_json::from_slice(&json).unwrap();
        assert_eq!(results.cells.len(), 20, "the row of one worker counts, too");
        for found in &results.comparisons {
            let expected = match found.work {
                Work::Cpu => Verdict::TooSmallToMeasure,
                _ => Verdict::NoDifferenceShown,
            };
            assert_eq!(found.verdict, expected, "{found:?}");
        }
        let page = fs::read_to_string(root.join("out/report.html")).unwrap();
        assert!(page.contains("too small to measure") && !page.contains("faster by"));
        assert!(root.join("out/charts/original-panels.png").is_file());
    }
}

#[test]
fn a_file_that_is_none_is_refused_by_name_and_nothing_is_written() {
    let root = fresh_folder("bench-import-wrong");
    let out = root.join("out");
    for (name, bytes) in [
        ("words.dat", b"this is no table\n".to_vec()),
        ("empty.dat", vec![]),
        ("header.dat", HEADER.into()),
        ("bytes.dat", vec![0xff, 0xfe, 0, 1]),
        ("large.dat", b"# x\n".repeat(2 << 20)),
    ] {
        let file = root.join(name);
        fs::write(&file, bytes).unwrap();
        let output = run(args!["bench", "--import", &file, "-o", &out]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let told = stderr(&output);
        assert!(told.contains(name) && told.contains("nthreads"), "{told}");
    }
    let output = run(args![
        "bench",
        "--import",
        root.join("gone.dat"),
        "-o",
        &out
    ]);
    assert!(stderr(&output).contains("gone.dat"), "{}", stderr(&output));
    assert!(!out.exists());
}

#[test]
fn the_file_that_is_read_is_never_written_over() {
    let root = fresh_folder("bench-import-own");
    let file = root.join("thread_cpu_bound.dat");
    fs::write(&file, TIMES.repeat(2)).unwrap();
    let output = run(args!["bench", "--import", &file, "-o", &root, "--no-film"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--output"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&file).unwrap(), TIMES.repeat(2));
    assert_eq!(names(&root), ["thread_cpu_bound.dat"]);
}

#[test]
fn flags_of_measuring_do_not_go_with_an_import() {
    let root = fresh_folder("bench-import-flags");
    let (file, out) = (root.join("times.dat"), root.join("out"));
    fs::write(&file, TIMES).unwrap();
    let help = stdout(&run(["bench", "--help"]));
    let flags: BTreeSet<&str> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--") && word.trim_end_matches([',', '.']) == *word)
        .collect();
    let goes_with = ["--import", "--output", "--no-film", "--quiet", "--json"];
    let ends_all = ["--help", "--version"];
    for flag in flags {
        if goes_with.contains(&flag) || ends_all.contains(&flag) {
            continue;
        }
        let value = VALUES.iter().find(|(name, _)| *name == flag);
        let value = value.unwrap_or_else(|| panic!("does {flag} go with --import?"));
        let given = [flag.into()].into_iter().chain(value.1.map(Into::into));
        let given: Vec<OsString> = given.collect();
        refuses(&file, &out, &given, flag);
    }
    refuses(&file, &out, &[root.clone().into()], "[PATH]");
    let allowed = args!["bench", "--import", &file, "-o", &out, "--no-film", "-q"];
    assert_eq!(run(allowed).status.code(), Some(0));
}

/// The flags of `bench` that say what is measured, each with a value that it takes.
const VALUES: [(&str, Option<&str>); 24] = [
    ("--work", Some("io")),
    ("--dispatch", Some("threads")),
    ("--workers", Some("1")),
    ("--codec-threads", Some("2")),
    ("--budget", Some("1s")),
    ("--rounds", Some("3")),
    ("--python", None),
    ("--seed", Some("1")),
    ("--cpu", Some("20ms")),
    ("--io", Some("20ms")),
    ("--every", Some("1s")),
    ("--vcodec", Some("libx264")),
    ("--crf", Some("23")),
    ("--bitrate", Some("1M")),
    ("--speed", Some("fast")),
    ("--acodec", Some("aac")),
    ("--abitrate", Some("96k")),
    ("--size", Some("64x48")),
    ("--fps", Some("25")),
    ("--hdr", Some("keep")),
    ("--deinterlace", Some("off")),
    ("--resume", None),
    ("--save-profile", None),
    ("--dry-run", None),
];

/// An import of `file` with `flags`, too, is refused and names `flag`.
fn refuses(file: &Path, out: &Path, flags: &[OsString], flag: &str) {
    let import = args!["bench", "--import", file, "-o", out, "--no-film"];
    let output = run([&import, flags].concat());
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{flag}: {told}");
    assert!(told.contains("--import") && told.contains(flag), "{told}");
    assert!(!out.exists(), "{flag}");
}
