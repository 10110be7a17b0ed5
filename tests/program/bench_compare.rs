//! Two runs are set beside each other, and only what may be compared is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{fresh_folder, names, run, stderr, stdout, succeed};
use rushes::bench::results::Results;

/// A run of waits at these times in two rounds more than a verdict takes, as a results.json.
fn results(root: &Path, name: &str, seconds: f64, change: impl Fn(&mut Results)) -> PathBuf {
    let rows: String = (0..8)
        .map(|i| {
            let wait = seconds + 0.001 * f64::from(i);
            format!("1 {wait} {wait} {wait} {wait}\n2 {wait} {wait} {wait} {wait}\n")
        })
        .collect();
    let data = root.join("times.dat");
    fs::write(&data, rows).unwrap();
    let out = root.join(format!("of-{name}"));
    succeed(args!["bench", "--import", &data, "-o", &out, "--no-film"]);
    let json = fs::read(out.join("results.json")).unwrap();
    let mut results: Results = serde_json::from_slice(&json).unwrap();
    results.design.io_ms = 300;
    change(&mut results);
    let path = root.join(name);
    fs::write(&path, serde_json::to_vec(&results).unwrap()).unwrap();
    path
}

#[test]
fn a_run_on_a_slower_machine_is_told_with_its_ratio_and_what_differs() {
    let root = fresh_folder("bench-compare");
    let a = results(&root, "a.json", 0.5, |_| {});
    let b = results(&root, "b.json", 0.6, |b| {
        b.machine.cpu = "an <older> one".into()
    });
    let out = root.join("out");
    let said = stdout(&succeed(args!["bench", "compare", &a, &b, "-o", &out]));
    assert!(
        said.contains("A is faster in 8 of 8 cells, B in none"),
        "{said}"
    );
    assert!(said.contains("A faster by 19."), "{said}");
    assert!(said.contains("differs: processor"), "{said}");
    assert!(said.contains("not interleaved"), "{said}");
    assert_eq!(
        names(&out),
        ["compare.html", "compare.json", "compare.png", "compare.svg"]
    );
    let page = fs::read_to_string(out.join("compare.html")).unwrap();
    assert!(page.contains("A is faster in 8 of 8 cells") && page.contains("<svg"));
    assert!(!page.contains("<older>"), "names stay text");
}

#[test]
fn other_waits_are_void_and_no_faster_is_told() {
    let root = fresh_folder("bench-compare-void");
    let a = results(&root, "a.json", 0.5, |_| {});
    let b = results(&root, "b.json", 0.6, |b| {
        b.design.io_ms = 900;
        b.samples
            .retain(|sample| sample.work == rushes::bench::results::Work::Io);
    });
    let said = stdout(&succeed(args![
        "bench",
        "compare",
        &a,
        &b,
        "-o",
        root.join("out")
    ]));
    assert!(
        said.contains("void: the waits differ, 300 ms and 900 ms"),
        "{said}"
    );
    assert!(said.contains("Nothing can be compared"), "{said}");
    assert!(!said.contains("faster by"), "{said}");
}

#[test]
fn what_is_no_result_is_refused_with_its_name_and_the_cure() {
    let root = fresh_folder("bench-compare-wrong");
    let good = results(&root, "good.json", 0.5, |_| {});
    let newer = fs::read_to_string(&good)
        .unwrap()
        .replacen("\"version\":1", "\"version\":99", 1);
    for (name, text, told) in [
        ("words.json", "no JSON", "no JSON"),
        ("empty.json", "", "no JSON"),
        ("list.json", "[1, 2]", "no version"),
        ("other.json", "{\"version\": 1}", "no results"),
        ("newer.json", &newer, "version 99"),
    ] {
        let path = root.join(name);
        fs::write(&path, text).unwrap();
        let output = run(args![
            "bench",
            "compare",
            &good,
            &path,
            "-o",
            root.join("out")
        ]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let said = stderr(&output);
        assert!(
            said.contains(name) && said.contains(told) && said.contains('→'),
            "{said}"
        );
    }
    let output = run(args!["bench", "compare", &good, root.join("gone.json")]);
    assert!(stderr(&output).contains("gone.json"));
    assert!(!root.join("out").exists());
}
