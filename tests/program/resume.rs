//! A second run does what is left, and nothing twice; a replaced source is never lost.
#![allow(clippy::disallowed_methods, reason = "dates of files are times of day")]

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime};

use crate::common::{self, decoded, events, names, rushes, stderr, stdout, tiny};
use rushes::journal::{Journal, peek};

/// A folder with sources, an output folder, and a trash.
struct Site {
    root: tempfile::TempDir,
}

impl Site {
    fn new(sources: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let site = Self { root };
        fs::create_dir(site.folder()).unwrap();
        for name in sources {
            site.add(name);
        }
        site
    }

    fn add(&self, name: &str) {
        fs::create_dir_all(self.source(name).parent().unwrap()).unwrap();
        fs::copy(tiny(), self.source(name)).unwrap();
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("in")
    }

    fn source(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    fn trash(&self) -> PathBuf {
        self.root.path().join("data/Trash/files")
    }

    fn run(&self, command: &str, flags: &[&str]) -> Output {
        let mut program = rushes();
        program.arg(command).args(flags);
        program.env("XDG_DATA_HOME", self.root.path().join("data"));
        program.output().unwrap()
    }

    /// Converts the folder to the output folder and expects this exit code.
    fn convert(&self, code: i32, flags: &[&str]) -> Output {
        let (folder, out) = (self.folder(), self.out());
        let mut all = vec![folder.to_str().unwrap(), "-o", out.to_str().unwrap()];
        all.extend(ENCODE.iter().chain(flags));
        let output = self.run("convert", &all);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        output
    }

    /// Converts the folder in its place and expects this exit code.
    fn replace(&self, code: i32, flags: &[&str]) -> Output {
        let folder = self.folder();
        let mut all = vec![folder.to_str().unwrap(), "--replace"];
        all.extend(ENCODE.iter().chain(flags));
        let output = self.run("convert", &all);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        output
    }

    fn in_trash(&self) -> Vec<String> {
        names(&self.trash())
    }

    /// Which file a result is: another one each time that it is made.
    fn identity(&self, name: &str) -> (u64, u64) {
        let data = fs::metadata(self.out().join(name)).unwrap();
        (data.ino(), data.len())
    }
}

/// Fast, and nothing is copied.
const ENCODE: [&str; 4] = ["--speed", "ultrafast", "--copy", "never"];

fn count(output: &Output, row: &str) -> Option<usize> {
    let text = stdout(output);
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(row))?;
    line.split_whitespace().last()?.parse().ok()
}

fn is_original(path: &Path) -> bool {
    fs::read(path).unwrap() == fs::read(tiny()).unwrap()
}

#[test]
fn a_second_run_does_nothing_and_does_not_open_its_sources() {
    let site = Site::new(&["a.mov", "sub/b.mp4"]);
    let first = site.convert(0, &[]);
    assert_eq!(
        (count(&first, "done"), count(&first, "skipped")),
        (Some(2), Some(0))
    );
    let before = site.identity("a.mp4");
    // What is not opened may as well not be a video, as long as it looks the same.
    let modified = fs::metadata(site.source("a.mov"))
        .unwrap()
        .modified()
        .unwrap();
    let length = fs::metadata(site.source("a.mov")).unwrap().len();
    let file = fs::File::create(site.source("a.mov")).unwrap();
    file.set_len(length).unwrap();
    file.set_modified(modified).unwrap();
    let second = site.convert(0, &[]);
    assert_eq!(
        (count(&second, "done"), count(&second, "skipped")),
        (Some(0), Some(2))
    );
    assert_eq!(stderr(&second), "nothing is left to do\n");
    assert_eq!(site.identity("a.mp4"), before);
    // So it is where the folder was moved as a whole.
    let (moved, out) = (site.root.path().join("moved"), site.out());
    fs::rename(site.folder(), &moved).unwrap();
    let mut flags = vec![
        moved.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
        "--json",
    ];
    flags.extend(ENCODE);
    let told = events(&site.run("convert", &flags));
    let skipped: Vec<_> = told
        .iter()
        .filter(|event| event["event"] == "source_skipped" && event["because"] == "done")
        .collect();
    assert_eq!(skipped.len(), 2, "{told:?}");
}

#[test]
fn pictures_are_taken_once() {
    let site = Site::new(&["a.mov"]);
    let (folder, out) = (site.folder(), site.out());
    let frames = |every: &str| {
        let flags = [
            folder.to_str().unwrap(),
            "-o",
            out.to_str().unwrap(),
            "--every",
            every,
        ];
        let output = site.run("frames", &flags);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        output
    };
    assert_eq!(count(&frames("1s"), "done"), Some(1));
    assert_eq!(count(&frames("1s"), "skipped"), Some(1));
    assert_eq!(count(&frames("0.5s"), "done"), Some(1));
    assert_eq!(names(&out), ["a", "a/000001.jpg", "a/000002.jpg"]);
    // A picture that somebody took away makes the folder somebody's.
    fs::remove_file(out.join("a/000002.jpg")).unwrap();
    assert_eq!(count(&frames("0.5s"), "skipped"), Some(1));
    assert_eq!(names(&out), ["a", "a/000001.jpg"]);
}

#[test]
fn a_changed_source_and_a_changed_recipe_are_done_again_and_the_plan_says_why() {
    let site = Site::new(&["a.mov"]);
    site.convert(0, &[]);
    let before = site.identity("a.mp4");
    let later = SystemTime::now() + Duration::from_secs(10);
    let file = fs::File::options()
        .write(true)
        .open(site.source("a.mov"))
        .unwrap();
    file.set_modified(later).unwrap();
    let plan = stdout(&site.convert(0, &["--dry-run"]));
    assert!(plan.contains("made anew: the source changed"), "{plan}");
    assert_eq!(count(&site.convert(0, &[]), "done"), Some(1));
    let changed = site.identity("a.mp4");
    assert_ne!(changed, before);

    let plan = stdout(&site.convert(0, &["--dry-run", "--crf", "40"]));
    assert!(plan.contains("made anew: the recipe changed"), "{plan}");
    assert_eq!(count(&site.convert(0, &["--crf", "40"]), "done"), Some(1));
    assert_ne!(site.identity("a.mp4"), changed);
    assert_eq!(
        count(&site.convert(0, &["--crf", "40"]), "skipped"),
        Some(1)
    );
    // How fast it is to be done is no other recipe.
    let flags = ["--crf", "40", "--codec-threads", "2"];
    assert_eq!(count(&site.convert(0, &flags), "skipped"), Some(1));
}

#[test]
fn a_deleted_result_is_made_again_and_a_changed_one_is_kept() {
    let site = Site::new(&["a.mov", "b.mov"]);
    site.convert(0, &[]);
    fs::remove_file(site.out().join("a.mp4")).unwrap();
    fs::write(site.out().join("b.mp4"), b"cut by hand").unwrap();
    let output = site.convert(0, &[]);
    assert_eq!(
        (count(&output, "done"), count(&output, "skipped")),
        (Some(1), Some(1))
    );
    assert_eq!(decoded(&site.out().join("a.mp4")).frames.len(), 25);
    assert_eq!(fs::read(site.out().join("b.mp4")).unwrap(), b"cut by hand");
}

#[test]
fn a_source_of_another_folder_does_not_overwrite_the_result_of_its_namesake() {
    // As cameras name them.
    let site = Site::new(&["card1/clip.mov", "card2/clip.mov"]);
    let out = site.out();
    let convert = |card: &str| {
        let file = site.source(card).join("clip.mov");
        let mut flags = vec![file.to_str().unwrap(), "-o", out.to_str().unwrap()];
        flags.extend(ENCODE);
        flags.push("--json");
        site.run("convert", &flags)
    };
    convert("card1");
    let before = site.identity("clip.mp4");
    let told = events(&convert("card2"));
    assert_eq!(told[0]["because"], "another_source", "{told:?}");
    assert_eq!(site.identity("clip.mp4"), before);
}

#[test]
fn overwriting_does_all_again() {
    let site = Site::new(&["a.mov"]);
    site.convert(0, &[]);
    let before = site.identity("a.mp4");
    assert_eq!(
        count(&site.convert(0, &["--exists", "overwrite"]), "done"),
        Some(1)
    );
    assert_ne!(site.identity("a.mp4"), before);
}

#[test]
fn a_torn_or_lost_journal_costs_no_result() {
    let site = Site::new(&["a.mov", "b.mov"]);
    site.convert(0, &[]);
    let journal = site.out().join(".rushes/journal");
    let bytes = fs::read(&journal).unwrap();
    fs::write(&journal, &bytes[..bytes.len() - 20]).unwrap();
    let (a, b) = (site.identity("a.mp4"), site.identity("b.mp4"));
    // One is known; the other is somebody's.
    assert_eq!(count(&site.convert(0, &[]), "skipped"), Some(2));
    fs::write(&journal, b"\0\0\0garbage\n\xff\n").unwrap();
    assert_eq!(count(&site.convert(0, &[]), "skipped"), Some(2));
    fs::remove_dir_all(site.out().join(".rushes")).unwrap();
    assert_eq!(count(&site.convert(0, &[]), "skipped"), Some(2));
    assert_eq!((site.identity("a.mp4"), site.identity("b.mp4")), (a, b));
    // What comes after a torn line is known.
    fs::write(&journal, &bytes[..bytes.len() - 20]).unwrap();
    site.add("c.mov");
    site.convert(0, &[]);
    assert!(peek(&site.out()).of_target(Path::new("c.mp4")).is_some());
}

#[test]
fn a_result_whose_run_was_killed_before_it_was_written_down_is_kept() {
    let site = Site::new(&["a.mov"]);
    site.convert(0, &[]);
    let before = site.identity("a.mp4");
    fs::write(site.out().join(".rushes/journal"), b"").unwrap();
    let output = site.convert(0, &["--json"]);
    assert_eq!(events(&output)[0]["because"], "exists");
    assert_eq!(site.identity("a.mp4"), before);
}

#[test]
fn the_second_of_two_runs_is_told_who_the_first_is() {
    let site = Site::new(&["a.mov"]);
    fs::create_dir(site.out()).unwrap();
    let first = Journal::open(&site.out()).unwrap();
    let said = stderr(&site.convert(2, &[]));
    let pid = std::process::id().to_string();
    assert!(
        said.contains("another rushes works in") && said.contains(&pid),
        "{said}"
    );
    assert!(said.contains("→"), "{said}");
    assert_eq!(names(&site.out()), Vec::<String>::new());
    // Looking is allowed.
    site.convert(0, &["--dry-run"]);
    drop(first);
    site.convert(0, &[]);
}

#[test]
fn leftovers_go_also_those_of_jobs_that_nobody_plans_any_more() {
    let site = Site::new(&["a.mov"]);
    let old = site.out().join("old/deep");
    fs::create_dir_all(&old).unwrap();
    fs::write(old.join(".gone.mp4.rushes-part"), b"half").unwrap();
    fs::write(old.join(".mine.mp4"), b"mine").unwrap();
    let plan = site.convert(0, &["--dry-run"]);
    assert!(
        old.join(".gone.mp4.rushes-part").exists(),
        "{}",
        stderr(&plan)
    );
    let said = stderr(&site.convert(0, &[]));
    assert!(said.contains("1 leftover"), "{said}");
    assert_eq!(names(&old), [".mine.mp4"]);
}

#[test]
fn results_beside_their_sources_are_no_sources() {
    let site = Site::new(&["a.mov"]);
    let folder = site.folder();
    let mut flags = vec![folder.to_str().unwrap(), "-o", folder.to_str().unwrap()];
    flags.extend(ENCODE);
    for row in ["done", "skipped"] {
        let output = site.run("convert", &flags);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(count(&output, row), Some(1));
        assert_eq!(names(&folder), ["a.mov", "a.mp4"]);
    }
}

#[test]
fn a_salvaged_result_is_not_made_twice_and_told_again() {
    let site = Site::new(&[]);
    let whole = fs::read(common::sample("clock-576p25.ts")).unwrap();
    // Its second half is lost: what is there is good.
    let mut torn = whole.clone();
    let (from, to) = (whole.len() / 2, whole.len() * 3 / 4);
    torn[from..to].fill(0);
    fs::write(site.source("a.ts"), torn).unwrap();
    let first = site.convert(1, &[]);
    assert_eq!(count(&first, "salvaged"), Some(1), "{}", stdout(&first));
    let before = site.identity("a.mp4");
    let second = site.convert(0, &[]);
    assert_eq!(count(&second, "skipped"), Some(1));
    assert_eq!(count(&second, "… salvaged before"), Some(1));
    assert_eq!(site.identity("a.mp4"), before);
    // Such a source is kept where it was to be replaced.
    let output = site.replace(1, &["--json"]);
    let told = events(&output);
    let replaced = told
        .iter()
        .find(|event| event["event"] == "source_replaced")
        .unwrap();
    assert!(
        replaced["kept"].as_str().unwrap().contains("salvaged"),
        "{replaced}"
    );
    assert_eq!(names(&site.folder()), ["a.mp4", "a.ts"]);
    assert_eq!(site.in_trash(), Vec::<String>::new());
    assert_eq!(count(&site.replace(0, &[]), "skipped"), Some(1));
    assert_eq!(names(&site.folder()), ["a.mp4", "a.ts"]);
}

#[test]
fn ten_thousand_sources_that_are_done_are_planned_without_a_look_into_them() {
    let site = Site::new(&["a.mov"]);
    site.convert(0, &[]);
    let journal = Journal::open(&site.out()).unwrap();
    let known = journal.known().clone();
    let pattern = known.of_target(Path::new("a.mp4")).unwrap();
    let records: Vec<_> = (0..10_000)
        .map(|number| {
            let folder = format!("{}", number / 100);
            let (source, result) = (
                format!("{folder}/{number}.mov"),
                format!("{folder}/{number}.mp4"),
            );
            for (path, other) in [
                (site.source(&source), site.source("a.mov")),
                (site.out().join(&result), site.out().join("a.mp4")),
            ] {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::hard_link(other, path).unwrap();
            }
            rushes::journal::Record {
                target: result.into(),
                source: source.clone().into(),
                path: site.source(&source),
                ..pattern.clone()
            }
        })
        .collect();
    journal.append(&records).unwrap();
    drop(journal);
    // No timed assertion: what is not opened cannot fail.
    let garbage =
        vec![0; usize::try_from(fs::metadata(site.source("a.mov")).unwrap().len()).unwrap()];
    let modified = fs::metadata(site.source("a.mov"))
        .unwrap()
        .modified()
        .unwrap();
    fs::write(site.source("a.mov"), garbage).unwrap();
    let file = fs::File::options()
        .write(true)
        .open(site.source("a.mov"))
        .unwrap();
    file.set_modified(modified).unwrap();
    let began = std::time::Instant::now();
    let output = site.convert(0, &[]);
    eprintln!("10,001 sources took {:?}", began.elapsed());
    assert_eq!(count(&output, "skipped"), Some(10_001));
}

#[test]
fn sources_are_replaced_and_a_second_run_takes_no_result_for_a_source() {
    let site = Site::new(&["a.mov", "same.mp4", "sub/b.mov"]);
    let output = site.replace(0, &[]);
    assert_eq!(count(&output, "done"), Some(3));
    let results = ["a.mp4", "same.mp4", "sub", "sub/b.mp4"];
    assert_eq!(names(&site.folder()), results);
    assert_eq!(
        site.in_trash(),
        ["a.mov", "b.mov", "same (before rushes).mp4"]
    );
    for name in site.in_trash() {
        assert!(is_original(&site.trash().join(name)));
    }
    for name in ["a.mp4", "same.mp4", "sub/b.mp4"] {
        assert!(!is_original(&site.source(name)));
        assert_eq!(decoded(&site.source(name)).frames.len(), 25);
    }
    let before = fs::metadata(site.source("same.mp4")).unwrap().ino();
    site.replace(0, &[]);
    assert_eq!(names(&site.folder()), results);
    assert_eq!(fs::metadata(site.source("same.mp4")).unwrap().ino(), before);
    assert_eq!(site.in_trash().len(), 3);
    // What arrives is.
    site.add("new.mov");
    assert_eq!(count(&site.replace(0, &[]), "done"), Some(1));
    assert_eq!(site.in_trash().len(), 4);
}

#[test]
fn a_source_that_is_as_its_replacement_would_be_is_left_alone() {
    let site = Site::new(&["fits.mp4", "fits.mov"]);
    let folder = site.folder();
    let replace = |flags: &[&str]| {
        let named = [folder.to_str().unwrap(), "--replace"];
        site.run("convert", &[&named[..], flags].concat())
    };
    let before = fs::metadata(site.source("fits.mp4")).unwrap().ino();
    let output = replace(&["--include", "fits.mp4"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(count(&output, "skipped"), Some(1));
    assert_eq!(fs::metadata(site.source("fits.mp4")).unwrap().ino(), before);
    // To copy all may be just what is wanted.
    let remux = ["--preset", "remux", "--format", "mp4"];
    let output = replace(&[&remux[..], &["--include", "fits.mp4"]].concat());
    assert_eq!(count(&output, "done"), Some(1), "{}", stderr(&output));
}

#[test]
fn files_of_one_folder_are_replaced_and_others_are_refused_with_the_cure() {
    let site = Site::new(&["a.mov", "b.mov", "other/c.mov"]);
    let run = |names: &[&str], flags: &[&str]| {
        let mut program = rushes();
        program
            .current_dir(site.folder())
            .arg("convert")
            .args(names);
        program.args(ENCODE).arg("--replace").args(flags);
        program.env("XDG_DATA_HOME", site.root.path().join("data"));
        program.output().unwrap()
    };
    for (names, flags) in [
        (&["a.mov", "other/c.mov"][..], &[][..]),
        (&["other", "a.mov"], &[]),
        (&["a.mov"], &["-o", "out"]),
        (&["a.mov"], &["--exists", "overwrite"]),
        (&["a.mov"], &["--preset", "web", "--preset", "720p"]),
    ] {
        let output = run(names, flags);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    }
    let said = stderr(&run(&["a.mov", "other/c.mov"], &[]));
    assert!(said.contains("→ run it for each"), "{said}");
    assert_eq!(
        names(&site.folder()),
        ["a.mov", "b.mov", "other", "other/c.mov"]
    );
    let output = run(&["a.mov", "b.mov"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        names(&site.folder()),
        ["a.mp4", "b.mp4", "other", "other/c.mov"]
    );
}

#[test]
fn a_source_of_which_a_stream_is_dropped_is_kept_under_its_name() {
    let site = Site::new(&["a.mp4", "b.mov"]);
    for _ in 0..2 {
        site.replace(0, &["--acodec", "none"]);
        assert_eq!(
            names(&site.folder()),
            ["a (2).mp4", "a.mp4", "b.mov", "b.mp4"]
        );
    }
    assert!(is_original(&site.source("a.mp4")) && is_original(&site.source("b.mov")));
    assert_eq!(site.in_trash(), Vec::<String>::new());
}

#[test]
fn without_a_trash_the_source_stays_and_the_next_run_finishes() {
    let site = Site::new(&["a.mov", "same.mp4"]);
    // A file where the trash is to be.
    fs::write(site.root.path().join("data"), b"x").unwrap();
    let output = site.replace(1, &["--json"]);
    let told = events(&output);
    let kept = |event: &&serde_json::Value| event["kept"].is_string();
    assert_eq!(told.iter().filter(kept).count(), 2, "{told:?}");
    let both = ["a.mov", "a.mp4", "same (before rushes).mp4", "same.mp4"];
    assert_eq!(names(&site.folder()), both);
    site.replace(1, &[]);
    assert_eq!(names(&site.folder()), both);
    fs::remove_file(site.root.path().join("data")).unwrap();
    site.replace(0, &[]);
    assert_eq!(names(&site.folder()), ["a.mp4", "same.mp4"]);
    assert_eq!(site.in_trash(), ["a.mov", "same (before rushes).mp4"]);
}

#[test]
fn a_source_that_cannot_go_to_the_trash_is_named_also_where_little_is_printed() {
    for flags in [&[][..], &["-q"]] {
        let site = Site::new(&["a.mov", "b.mov"]);
        fs::write(site.root.path().join("data"), b"x").unwrap();
        let said = stderr(&site.replace(1, flags));
        for name in ["a.mov", "b.mov"] {
            let kept = said
                .lines()
                .find(|line| line.contains("the source is kept"));
            assert!(kept.is_some() && said.contains(name), "{flags:?}: {said}");
        }
    }
}

#[test]
fn a_kill_at_any_point_of_a_replacement_is_finished_by_the_next_run() {
    for name in ["a.mov", "a.mp4"] {
        for point in 0..5 {
            let site = Site::new(&[name]);
            killed(&site, name, point);
            site.replace(0, &[]);
            let at = format!("{name} killed at {point}");
            assert_eq!(names(&site.folder()), ["a.mp4"], "{at}");
            assert_eq!(decoded(&site.source("a.mp4")).frames.len(), 25, "{at}");
            let trashed = site.in_trash();
            assert_eq!(trashed.len(), 1, "{at}: {trashed:?}");
            assert!(is_original(&site.trash().join(&trashed[0])), "{at}");
        }
    }
}

/// Leaves what a kill leaves at each point, by undoing a finished replacement.
fn killed(site: &Site, name: &str, point: usize) {
    site.replace(0, &[]);
    let trashed = site.trash().join(&site.in_trash()[0]);
    let (source, result) = (site.source(name), site.source("a.mp4"));
    let ready = site.source(".a.mp4.rushes-ready");
    let aside = site.source(&format!(".{name}.rushes-source"));
    let in_place = source == result;
    if point < 3 {
        fs::rename(&result, &ready).unwrap();
        fs::rename(&trashed, &source).unwrap();
    }
    match point {
        // The result waits, and nobody knows of it.
        0 => fs::write(site.source(".rushes/journal"), b"").unwrap(),
        // It is written down.
        1 => {}
        // The source has a second name.
        2 if in_place => fs::hard_link(&source, &aside).unwrap(),
        2 => {}
        // The result has its name.
        3 if in_place => fs::rename(&trashed, &aside).unwrap(),
        3 => fs::rename(&trashed, &source).unwrap(),
        // The source is about to go.
        4 if in_place => fs::rename(&trashed, site.source("a (before rushes).mp4")).unwrap(),
        _ => fs::rename(&trashed, &source).unwrap(),
    }
    fs::remove_dir_all(site.root.path().join("data")).unwrap();
}

#[test]
fn a_report_that_is_not_ours_is_kept() {
    let site = Site::new(&["a.mov"]);
    fs::create_dir(site.out()).unwrap();
    fs::write(site.out().join("report.json"), b"{\"mine\": 1}").unwrap();
    site.convert(0, &[]);
    let kept = fs::read(site.out().join("report.json")).unwrap();
    assert_eq!(kept, b"{\"mine\": 1}");
    assert!(site.out().join(".rushes/report.json").exists());
}
