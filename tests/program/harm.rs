//! Media at which libav crashes, hangs or takes all memory: whoever works on it is
//! lost, the program and all other jobs are not.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::told::Told;
use crate::common::{DISPATCHES, events, ffmpeg, names, rushes, stderr, stdout, tiny};

/// What is done to whoever works on a file with this in its name, and what the
/// program says of it in each case.
const HARMS: [(&str, &str); 4] = [
    ("segfault", "SIGSEGV"),
    ("abort", "SIGABRT"),
    ("loop", "--stall-timeout"),
    ("eat", "--memory-limit"),
];

/// What no honest job comes near here.
const LIMITS: [&str; 4] = ["--stall-timeout", "3", "--memory-limit", "300MiB"];

/// Sources, and libav with the faults of `common/hurt.c`.
struct Batch {
    root: tempfile::TempDir,
}

impl Batch {
    /// So many good clips, and one `when` for each harm.
    fn new(good: usize, when: &str) -> Self {
        let batch = Self::empty();
        let harmful = HARMS.iter().map(|(harm, _)| format!("{when}-{harm}"));
        for name in (0..good).map(|number| number.to_string()).chain(harmful) {
            fs::copy(tiny(), batch.sources().join(name + ".mp4")).unwrap();
        }
        batch
    }

    fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        let batch = Self { root };
        fs::create_dir(batch.sources()).unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(batch.hurt())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/common/hurt.c"))
            .arg("-ldl")
            .status();
        assert!(built.unwrap().success());
        batch
    }

    fn sources(&self) -> PathBuf {
        self.root.path().join("in")
    }

    fn out(&self, dispatch: &str) -> PathBuf {
        self.root.path().join(dispatch)
    }

    fn hurt(&self) -> PathBuf {
        self.root.path().join("hurt.so")
    }

    fn command(&self, command: &str) -> Command {
        let mut program = rushes();
        program
            .arg(command)
            .arg(self.sources())
            .env("LD_PRELOAD", self.hurt())
            // So that it is within reach of what opens media.
            .env("LD_LIBRARY_PATH", self.root.path());
        program
    }

    fn run(&self, command: &[&str], dispatch: &str) -> Told {
        let output = self
            .command(command[0])
            .args(&command[1..])
            .args(LIMITS)
            .args(["--json", "--dispatch", dispatch, "-o"])
            .arg(self.out(dispatch))
            .output()
            .unwrap();
        Told {
            code: output.status.code(),
            events: events(&output),
            stderr: stderr(&output),
        }
    }
}

#[test]
fn jobs_that_crash_hang_or_take_all_memory_among_fifty_good_ones_fail_alone() {
    let batch = Batch::new(50, "job");
    for dispatch in ["processes", "workers"] {
        let told = batch.run(
            &["convert", "--speed", "ultrafast", "--copy", "never"],
            dispatch,
        );
        assert_eq!(told.code, Some(1), "{dispatch}: {told:?}");
        for (harm, why) in HARMS {
            told.assert_failed(&format!("job-{harm}.mp4"), why);
        }
        let mut expected: Vec<_> = (0..50).map(|number| format!("{number}.mp4")).collect();
        expected.sort();
        let mut results = names(&batch.out(dispatch));
        results.retain(|name| name.ends_with("mp4"));
        assert_eq!(results, expected, "{dispatch}");
    }
}

#[test]
fn a_part_that_fails_once_is_made_again_alone_and_one_that_fails_twice_fails_its_job() {
    let batch = Batch::empty();
    let film = batch.root.path().join("film.mp4");
    let picture = "testsrc2=size=160x120:rate=25:duration=6";
    ffmpeg(args!["-f", "lavfi", "-i", picture, "-g", "25"], &film);
    for name in ["film.mp4", "job-once.mp4", "job-again.mp4"] {
        fs::copy(&film, batch.sources().join(name)).unwrap();
    }
    // One after the other, and all on the job's own thread: so it is known what fails.
    let parts = ["convert", "--copy", "never", "--split", "1", "-j", "1"];
    for dispatch in ["threads", "workers"] {
        let told = batch.run(&parts, dispatch);
        assert_eq!(told.code, Some(1), "{dispatch}: {told:?}");
        told.assert_failed("job-again.mp4", "Cannot allocate memory");
        let made = |name: &str| fs::read(batch.out(dispatch).join(name)).unwrap();
        assert!(made("job-once.mp4") == made("film.mp4"), "{dispatch}");
    }
}

#[test]
fn sources_that_harm_whoever_opens_them_are_refused_alone_in_every_dispatch() {
    let batch = Batch::new(3, "probe");
    for dispatch in DISPATCHES {
        for command in [
            ["convert", "--speed", "ultrafast"],
            ["frames", "--count", "2"],
        ] {
            let told = batch.run(&command, dispatch);
            let what = format!("{dispatch} {command:?}: {told:?}");
            assert_eq!(told.code, Some(1), "{what}");
            let refused = told.events.iter().filter_map(|event| {
                let name = Path::new(event["source"].as_str()?).file_stem()?;
                Some((name.to_str()?, event["reason"].as_str()?))
            });
            let refused: BTreeMap<_, _> = refused.collect();
            assert_eq!(refused.len(), HARMS.len(), "{what}");
            for (harm, why) in HARMS {
                let reason = refused[format!("probe-{harm}").as_str()];
                assert!(reason.contains(why), "{harm}: {reason}");
            }
            for number in 0..3 {
                assert_eq!(told.reason(&format!("{number}.mp4")), None, "{what}");
            }
        }
    }
}

#[test]
fn bench_leaves_out_what_crashes_whoever_opens_it() {
    let batch = Batch::new(1, "probe");
    for harm in ["loop", "eat"] {
        fs::remove_file(batch.sources().join(format!("probe-{harm}.mp4"))).unwrap();
    }
    let output = batch
        .command("bench")
        .args(["--work", "frames", "--workers", "1", "--budget", "1s"])
        .args(["--no-film", "--quiet", "--output"])
        .arg(batch.out("bench"))
        .env("HURT_PROGRAM", "1")
        .output()
        .unwrap();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for (name, signal) in [("probe-segfault", "SIGSEGV"), ("probe-abort", "SIGABRT")] {
        let told = said.lines().find(|line| line.contains(name));
        assert!(told.is_some_and(|line| line.contains(signal)), "{said}");
    }
    assert!(batch.out("bench").join("results.json").exists());
}

#[test]
fn the_program_itself_opens_no_media_with_processes_and_workers() {
    let batch = Batch::empty();
    let place = |name: &str| batch.sources().join(name);
    fs::copy(tiny(), place("plain.mp4")).unwrap();
    let cover = batch.root.path().join("cover.png");
    let red = "color=red:size=64x64";
    ffmpeg(args!["-f", "lavfi", "-i", red, "-frames:v", "1"], &cover);
    let attached = args![
        "-i",
        tiny(),
        "-i",
        &cover,
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy"
    ];
    let attached = [&attached[..], &args!["-disposition:v:1", "attached_pic"]].concat();
    ffmpeg(attached, &place("covered.mp4"));
    // Sound alone can be decoded of it.
    ffmpeg(
        args!["-i", tiny(), "-c", "copy", "-bsf:v", "noise=amount=1"],
        &place("noise.mkv"),
    );
    let commands: [&[&str]; 5] = [
        &[
            "convert",
            "--copy",
            "never",
            "--speed",
            "ultrafast",
            "--verify",
            "ssim",
        ],
        &["convert", "--keep-smaller", "--exists", "overwrite"],
        &["frames", "--every", "0.5s"],
        &["frames", "--best", "--exists", "overwrite"],
        &["frames", "--sheet", "2x2", "--exists", "overwrite"],
    ];
    for dispatch in ["processes", "workers"] {
        for command in commands {
            let output = batch
                .command(command[0])
                .args(&command[1..])
                .args(["--dispatch", dispatch, "-o"])
                .arg(batch.out(dispatch).join(command[0]))
                .env("HURT_PROGRAM", "1")
                .output()
                .unwrap();
            let code = output.status.code();
            let said = stderr(&output);
            assert!(
                matches!(code, Some(0 | 1)),
                "{dispatch} {command:?}: {code:?} {said}"
            );
            assert!(
                said.contains("done plain.mp4"),
                "{dispatch} {command:?}: {said}"
            );
        }
    }
    // Whoever opens them itself is found out.
    let mut threads = batch.command("convert");
    threads
        .env("HURT_PROGRAM", "1")
        .args(["--dispatch", "threads", "-o"]);
    let ended = threads.arg(batch.out("threads")).output().unwrap();
    assert_eq!(ended.status.code(), None, "{}", stderr(&ended));
}

#[test]
fn a_clock_that_is_set_back_and_forth_while_it_runs_changes_nothing() {
    let batch = Batch::empty();
    for name in ["a.mp4", "b.mp4"] {
        fs::copy(tiny(), batch.sources().join(name)).unwrap();
    }
    let time_of_day = |clock: bool| {
        let mut date = Command::new("date");
        date.arg("+%s").env("LD_PRELOAD", batch.hurt());
        if clock {
            date.env("HURT_CLOCK", "1");
        }
        stdout(&date.output().unwrap())
            .trim()
            .parse::<i64>()
            .unwrap()
    };
    assert!((time_of_day(true) - time_of_day(false)).abs() > 80_000);
    for dispatch in DISPATCHES {
        let run = || {
            let output = batch
                .command("convert")
                .args(["--speed", "ultrafast", "--copy", "never", "--json"])
                .args(["--stall-timeout", "60", "--job-timeout", "600"])
                .args(["--dispatch", dispatch, "-o"])
                .arg(batch.out(dispatch))
                .env("HURT_CLOCK", "1")
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            events(&output)
        };
        let told = run();
        let ends = told.iter().filter(|event| event["event"] == "job_finished");
        let times = ends.map(|end| {
            let at = |name: &str| end[name].as_f64().unwrap();
            (at("start_s"), at("end_s"))
        });
        let times: Vec<_> = times.collect();
        assert_eq!(times.len(), 2, "{dispatch}");
        for (start_s, end_s) in times {
            assert!(
                0.0 <= start_s && start_s <= end_s && end_s < 3600.0,
                "{dispatch}"
            );
        }
        // What was made is known again.
        let again = run();
        assert!(!again.iter().any(|event| event["event"] == "job_started"));
    }
}
