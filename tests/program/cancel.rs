//! A stopped or killed run leaves nothing half-done, and the next one finishes.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::common::{
    self, DISPATCHES, decoded, leftovers, long_sample, names, rushes, succeed, tiny, wait_for,
};
use rustix::process::{Pid, Signal, kill_process};

/// What a stop may take; a loaded machine is slow.
const SOON: Duration = Duration::from_secs(5);

/// What anything else may take before a test gives up.
const LATE: Duration = Duration::from_secs(60);

/// A variable that a program's children inherit.
const MARK: &str = "RUSHES_TEST";

/// A folder with a short clip and one that takes long at the slowest speed.
struct Sources {
    root: tempfile::TempDir,
}

impl Sources {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("in");
        fs::create_dir(&folder).unwrap();
        fs::copy(tiny(), folder.join("short.mp4")).unwrap();
        fs::copy(long_sample("bars-360p25.mp4"), folder.join("long.mp4")).unwrap();
        Self { root }
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("in")
    }

    fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// Starts a conversion and waits until the short clip is done and the long one on its way.
    fn start(&self, dispatch: &str, more: &[&str]) -> Running {
        let mut child = rushes()
            .args(args![
                "convert",
                self.folder(),
                "-o",
                self.out(),
                "--dispatch",
                dispatch,
                "-j",
                "2",
                "--json",
                "--speed",
                "placebo"
            ])
            .args(more)
            .env(MARK, self.root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let short_is_done = lines.any(|line| {
            let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
            event["event"] == "job_finished" && event["name"] == "short.mp4"
        });
        assert!(short_is_done);
        // Events are read to the end, so that the program is never blocked.
        std::thread::spawn(move || lines.for_each(drop));
        assert!(wait_for(LATE, || {
            common::part_of(&self.out(), "long.mp4").is_some()
        }));
        std::thread::sleep(Duration::from_millis(300));
        Running(child)
    }

    /// Processes whose command line names this folder, or that inherited the mark.
    fn strangers(&self) -> Vec<(i32, String)> {
        let mine = self.root.path().to_string_lossy().into_owned();
        let entries = fs::read_dir("/proc").into_iter().flatten();
        let lines = entries.filter_map(|entry| {
            let folder = entry.ok()?.path();
            let pid = folder.file_name()?.to_str()?.parse().ok()?;
            let read = |name| {
                Some(String::from_utf8_lossy(&fs::read(folder.join(name)).ok()?).replace('\0', " "))
            };
            let mark = format!("{MARK}={mine} ");
            let marked = read("environ").is_some_and(|variables| variables.contains(&mark));
            let line = read("cmdline")?;
            Some((
                pid,
                if marked {
                    format!("{line} of {mine}")
                } else {
                    line
                },
            ))
        });
        lines.filter(|(_, line)| line.contains(&mine)).collect()
    }

    fn assert_nothing_runs(&self) {
        assert!(
            wait_for(SOON, || self.strangers().is_empty()),
            "{:?}",
            self.strangers()
        );
    }

    /// Converts all again, fast; what is done stays.
    fn finish(&self, dispatch: &str) {
        succeed(args![
            "convert",
            self.folder(),
            "-o",
            self.out(),
            "--dispatch",
            dispatch,
            "--speed",
            "ultrafast"
        ]);
        assert_eq!(names(&self.out()), ["long.mp4", "short.mp4"]);
        assert_eq!(decoded(&self.out().join("long.mp4")).frames.len(), 150);
        assert_eq!(decoded(&self.out().join("short.mp4")).frames.len(), 25);
    }
}

/// The program; ended where a test fails.
struct Running(Child);

impl Running {
    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end; gives exit code and stderr.
    fn end(&mut self) -> (Option<i32>, String) {
        assert!(
            wait_for(LATE, || self.0.try_wait().unwrap().is_some()),
            "it runs on"
        );
        let status = self.0.wait().unwrap();
        let mut said = String::new();
        if let Some(mut pipe) = self.0.stderr.take() {
            pipe.read_to_string(&mut said).unwrap();
        }
        (status.code(), said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn assert_stops(signal: Signal, code: i32, more: &[&str]) {
    for dispatch in DISPATCHES {
        let sources = Sources::new();
        let mut running = sources.start(dispatch, more);
        let began = Instant::now();
        running.signal(signal);
        let (ended, said) = running.end();
        let took = began.elapsed();
        assert_eq!(ended, Some(code), "{dispatch}: {said}");
        assert!(took < SOON, "{dispatch} took {took:?} to stop");
        assert!(said.contains("stopped on request"), "{dispatch}: {said}");
        assert!(
            said.contains("run the same command again"),
            "{dispatch}: {said}"
        );
        assert_eq!(names(&sources.out()), ["short.mp4"], "{dispatch}");
        sources.assert_nothing_runs();
        let kept = modified(&sources.out().join("short.mp4"));
        sources.finish(dispatch);
        assert_eq!(
            modified(&sources.out().join("short.mp4")),
            kept,
            "{dispatch}"
        );
    }
}

fn modified(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

#[test]
fn an_interrupt_stops_within_seconds_and_the_next_run_finishes() {
    assert_stops(Signal::INT, 130, &[]);
}

#[test]
fn a_termination_stops_within_seconds_and_the_next_run_finishes() {
    assert_stops(Signal::TERM, 143, &[]);
}

#[test]
fn an_interrupt_in_a_pause_of_a_limited_batch_stops_it_as_soon() {
    assert_stops(Signal::INT, 130, &["--limit-cpu", "5%"]);
}

#[test]
fn a_kill_leaves_no_final_file_and_the_next_run_removes_what_was_left() {
    for dispatch in DISPATCHES {
        let sources = Sources::new();
        let mut running = sources.start(dispatch, &[]);
        running.signal(Signal::KILL);
        assert_eq!(running.end().0, None);
        // No child goes on without the program.
        #[cfg(target_os = "linux")]
        sources.assert_nothing_runs();
        // Whatever has a final name is whole.
        let out = sources.out();
        assert!(!out.join("long.mp4").exists());
        assert_eq!(decoded(&out.join("short.mp4")).frames.len(), 25);
        sources.finish(dispatch);
        assert_eq!(leftovers(&out), Vec::<PathBuf>::new());
    }
}

#[test]
fn an_interrupt_while_pictures_are_taken_leaves_no_folder_of_them() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("out");
        let child = rushes()
            .args(args![
                "frames",
                long_sample("fractal-720p24.mkv"),
                "-o",
                &out,
                "--dispatch",
                dispatch,
                "--every",
                "0.001",
                "--format",
                "png",
                "-q"
            ])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut running = Running(child);
        let part = || common::part_of(&out, "fractal-720p24");
        assert!(
            wait_for(LATE, || part()
                .is_some_and(|part| common::tree(&part).len() > 3)),
            "{dispatch}"
        );
        running.signal(Signal::INT);
        let (code, said) = running.end();
        assert_eq!(code, Some(130), "{dispatch}: {said}");
        assert_eq!(names(&out), Vec::<String>::new(), "{dispatch}");
    }
}
