//! What `bench` says ahead of a run, and to programs while it runs.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use crate::common::{events, fresh_folder, run, stderr, stdout, succeed, tiny};

/// A run of a few seconds, with results in `out`.
fn bench(out: &Path, more: &[OsString]) -> Vec<OsString> {
    let flags = args![
        "bench",
        "-o",
        out,
        "--work",
        "io",
        "--io",
        "20ms",
        "--workers",
        "1,2",
        "--dispatch",
        "threads,processes",
        "--rounds",
        "2",
        "--no-film"
    ];
    [&flags, more].concat()
}

#[test]
fn a_dry_run_prints_the_matrix_and_makes_nothing() {
    let root = fresh_folder("bench-ahead");
    let out = root.join("out/bench");
    let told = stdout(&succeed(bench(&out, &args!["--dry-run"])));
    for part in [
        "io: threads, processes × 1, 2 at once; a job a worker a cell",
        "4 cells a round, 2 rounds",
        "not known before the first one",
    ] {
        assert!(told.contains(part), "{told}");
    }
    let whole = args!["bench", "-o", &out, "--dry-run"];
    let told = stdout(&succeed(&whole));
    assert!(told.contains("the samples, which are made first"), "{told}");
    assert!(told.contains("12 to 24 rounds"), "{told}");
    assert!(!root.join("out").exists(), "neither results nor samples");

    let clips = args!["bench", tiny(), "-o", &out, "--dry-run", "--work", "frames"];
    let told = stdout(&succeed(&clips));
    assert!(told.contains("1 clip (1.0 s) a cell"), "{told}");
    let gone = run(args!["bench", root.join("gone"), "-o", &out, "--dry-run"]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(!root.join("out").exists());
}

#[test]
fn a_dry_run_tells_the_time_of_a_round_where_it_was_measured() {
    let root = fresh_folder("bench-ahead-known");
    let out = root.join("bench");
    succeed(bench(&out, &[]));
    let written = fs::read(out.join("results.json")).unwrap();
    let planned = events(&succeed(bench(&out, &args!["--dry-run", "--json"])));
    assert_eq!(planned.len(), 1);
    assert_eq!(planned[0]["event"], "bench_planned");
    assert_eq!(planned[0]["cells"], 4);
    assert_eq!(planned[0]["rounds"], serde_json::json!([2, 2]));
    // Each of four cells waits for 20 ms.
    assert!(
        planned[0]["round_s"].as_f64().unwrap() >= 0.08,
        "{planned:?}"
    );
    let more = events(&succeed(bench(
        &out,
        &args!["--dry-run", "--json", "--work", "cpu"],
    )));
    assert!(more[0]["round_s"].is_null(), "{more:?}");
    assert_eq!(fs::read(out.join("results.json")).unwrap(), written);
}

#[test]
fn events_tell_each_cell_and_then_what_was_found() {
    let root = fresh_folder("bench-events");
    let out = root.join("bench");
    let told = events(&succeed(bench(&out, &args!["--json"])));
    let cells = |round: Option<u64>| {
        let of = told
            .iter()
            .filter(|event| event["event"] == "cell_started" && event["round"].as_u64() == round);
        of.count()
    };
    assert_eq!([cells(Some(1)), cells(Some(2))], [4, 4]);
    // Each of two to warm up, until two runs agree.
    assert!(cells(None) >= 2);
    assert!(told.iter().any(|event| event["event"] == "costs_started"));
    let last = told.last().unwrap();
    assert_eq!(
        (&last["event"], &last["rounds"]),
        (&"bench_finished".into(), &2.into())
    );
    let results: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("results.json")).unwrap()).unwrap();
    for what in ["cells", "comparisons", "fits", "capacity", "notes"] {
        assert_eq!(last[what], results[what], "{what}");
    }
    let files = last["files"].as_array().unwrap();
    assert!(
        files
            .iter()
            .all(|file| Path::new(file.as_str().unwrap()).exists())
    );
}

#[test]
fn a_clip_that_is_left_out_is_told_once() {
    let root = fresh_folder("bench-refused");
    let torn = root.join("torn.mp4");
    fs::write(&torn, b"\0\0\0\x18ftypmp42").unwrap();
    let out = root.join("bench");
    let flags = args![
        "bench",
        tiny(),
        &torn,
        "-o",
        &out,
        "--work",
        "frames",
        "--workers",
        "1",
        "--dispatch",
        "threads",
        "--rounds",
        "1",
        "--no-film"
    ];
    let output = run(&flags);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let all = stderr(&output) + &stdout(&output);
    assert_eq!(all.matches("torn.mp4").count(), 1, "{all}");
    let kept = fs::read_to_string(out.join("results.json")).unwrap();
    assert!(kept.contains("torn.mp4"), "the results keep it");

    let told = events(&run([&flags[..], &args!["--json"]].concat()));
    let refused = told
        .iter()
        .filter(|event| event["event"] == "source_refused");
    assert_eq!(refused.count(), 1, "{told:?}");
}
