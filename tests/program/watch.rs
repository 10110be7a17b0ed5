//! `--watch` takes what arrives, when it has arrived, and once.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use crate::common::{
    self, DISPATCHES, decoded, ffmpeg, leftovers, long_sample, names, run, rushes, stderr, tiny,
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// What anything may take before a test gives up.
const LATE: Duration = Duration::from_secs(60);

/// How long a file must not have changed in these tests.
const SETTLE: Duration = Duration::from_secs(2);

/// The program, watching a folder; ended where a test fails.
struct Watching {
    root: tempfile::TempDir,
    child: Child,
    events: Receiver<Value>,
}

impl Watching {
    fn start(dispatch: &str, more: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("in")).unwrap();
        Self::start_in(root, dispatch, more)
    }

    fn start_in(root: tempfile::TempDir, dispatch: &str, more: &[&str]) -> Self {
        let settle = SETTLE.as_secs().to_string();
        let mut child = rushes()
            .arg("convert")
            .arg(root.path().join("in"))
            .arg("-o")
            .arg(root.path().join("out"))
            .args(["--watch", &settle, "--json", "-j", "2"])
            .args(["--dispatch", dispatch])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let watching = Self {
            root,
            child,
            events,
        };
        watching.wait_for("batch_started");
        watching
    }

    fn folder(&self) -> PathBuf {
        self.root.path().join("in")
    }

    fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// Waits for the next event of this kind; others but progress are given, too.
    fn wait_for(&self, kind: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        let began = Instant::now();
        loop {
            match self
                .events
                .recv_timeout(LATE.saturating_sub(began.elapsed()))
            {
                Ok(event) if event["event"] == "job_progress" => {}
                Ok(event) => {
                    let wanted = event["event"] == kind;
                    seen.push(event);
                    if wanted {
                        return seen;
                    }
                }
                Err(error) => panic!("{error} before {kind}: {seen:?}"),
            }
        }
    }

    /// Waits for the end of a job, which must be done; gives its name.
    fn wait_for_done(&self) -> String {
        let seen = self.wait_for("job_finished");
        let last = seen.last().unwrap();
        assert!(last["verdict"]["done"].is_object(), "{seen:?}");
        last["name"].as_str().unwrap().to_owned()
    }

    /// What happens in so many times what a file needs to settle.
    fn happens_within(&self, times: u32) -> Vec<Value> {
        let end = Instant::now() + SETTLE * times;
        let mut seen = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) => seen.push(event),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return seen,
            }
        }
    }

    /// Stops it; gives the exit code.
    fn stop(&mut self, signal: Signal) -> Option<i32> {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
        assert!(common::wait_for(LATE, || self
            .child
            .try_wait()
            .unwrap()
            .is_some()));
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A clip that cannot be opened before its last byte is there.
fn closed_at_its_end(folder: &Path) -> Vec<u8> {
    let path = folder.join("tail.mp4");
    let source = tiny();
    ffmpeg(args!["-i", source, "-c", "copy"], &path);
    let bytes = fs::read(path).unwrap();
    let at = |word: &[u8]| bytes.windows(4).position(|four| four == word);
    assert!(at(b"moov") > at(b"mdat"), "its index is at its end");
    bytes
}

#[test]
fn a_file_that_grows_in_pieces_is_converted_once_and_whole() {
    let scratch = tempfile::tempdir().unwrap();
    let bytes = closed_at_its_end(scratch.path());
    for dispatch in DISPATCHES {
        let mut watching = Watching::start(dispatch, &[]);
        let mut file = File::create(watching.folder().join("grown.mp4")).unwrap();
        for piece in bytes.chunks(bytes.len() / 5) {
            file.write_all(piece).unwrap();
            std::thread::sleep(SETTLE / 8);
        }
        drop(file);
        let seen = watching.wait_for("job_finished");
        let kinds: Vec<_> = seen.iter().map(|event| &event["event"]).collect();
        assert_eq!(
            kinds,
            ["job_added", "job_started", "job_finished"],
            "{seen:?}"
        );
        assert_eq!(decoded(&watching.out().join("grown.mp4")).frames.len(), 25);
        assert_eq!(
            watching.happens_within(2),
            [] as [Value; 0],
            "it is done twice"
        );
        assert_eq!(watching.stop(Signal::TERM), Some(143), "{dispatch}");
        assert_eq!(names(&watching.out()), ["grown.mp4"]);
    }
}

#[test]
fn what_arrives_while_a_long_job_runs_is_done_at_once_and_a_stop_leaves_nothing_half_done() {
    for dispatch in DISPATCHES {
        let mut watching = Watching::start(dispatch, &["--speed", "placebo", "--limit-cpu", "10"]);
        fs::copy(
            long_sample("bars-360p25.mp4"),
            watching.folder().join("long.mp4"),
        )
        .unwrap();
        watching.wait_for("job_started");
        // One that vanishes before it has settled is nobody's business.
        let vanishing = watching.folder().join("vanishing.mp4");
        fs::copy(tiny(), &vanishing).unwrap();
        fs::copy(tiny(), watching.folder().join("second.mp4")).unwrap();
        std::thread::sleep(SETTLE / 4);
        fs::remove_file(&vanishing).unwrap();
        assert_eq!(
            watching.wait_for_done(),
            "second.mp4",
            "the long one runs on"
        );
        assert_eq!(watching.stop(Signal::INT), Some(130), "{dispatch}");
        let told = watching.happens_within(1);
        let about = |name: &str| told.iter().filter(|event| event["name"] == name).count();
        assert_eq!(
            (about("long.mp4"), about("vanishing.mp4")),
            (1, 0),
            "{told:?}"
        );
        assert_eq!(names(&watching.out()), ["second.mp4"]);
        assert_eq!(leftovers(&watching.out()), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_folder_may_come_later_and_a_changed_file_replaces_its_old_result() {
    let root = tempfile::tempdir().unwrap();
    let watching = Watching::start_in(root, "threads", &[]);
    fs::create_dir_all(watching.folder().join("day1")).unwrap();
    let source = watching.folder().join("day1/a.mp4");
    fs::copy(tiny(), &source).unwrap();
    assert_eq!(watching.wait_for_done(), "day1/a.mp4");
    let result = watching.out().join("day1/a.mp4");
    assert_eq!(decoded(&result).frames.len(), 25);

    // Away and back again, as a network share does it: nothing is new.
    let (folder, aside) = (watching.folder(), watching.root.path().join("aside"));
    fs::rename(&folder, &aside).unwrap();
    std::thread::sleep(SETTLE);
    fs::rename(&aside, &folder).unwrap();
    assert_eq!(watching.happens_within(2), [] as [Value; 0]);

    fs::copy(long_sample("bars-360p25.mp4"), &source).unwrap();
    assert_eq!(watching.wait_for_done(), "day1/a.mp4");
    assert_eq!(decoded(&result).frames.len(), 150);

    // One that would get the same name gets another, and a torn one is told of.
    fs::write(watching.folder().join("torn.mp4"), b"no video at all").unwrap();
    fs::copy(tiny(), watching.folder().join("day1/a.mov")).unwrap();
    let seen = watching.wait_for("job_finished");
    let refused = seen
        .iter()
        .filter(|event| event["event"] == "source_refused");
    let refused: Vec<_> = refused
        .map(|event| event["source"].as_str().unwrap())
        .collect();
    assert!(
        refused.len() == 1 && refused[0].ends_with("torn.mp4"),
        "{seen:?}"
    );
    assert_eq!(
        decoded(&watching.out().join("day1/a.mov.mp4")).frames.len(),
        25
    );
    assert_eq!(decoded(&result).frames.len(), 150);
}

#[test]
fn a_failed_job_ends_the_watch_where_that_was_asked_for() {
    let mut watching = Watching::start("threads", &["--on-error", "stop"]);
    // Nothing can be written there any more.
    let out = watching.out();
    fs::remove_dir_all(&out).unwrap();
    File::create(&out).unwrap();
    fs::copy(tiny(), watching.folder().join("a.mp4")).unwrap();
    let seen = watching.wait_for("batch_finished");
    let failed = |event: &Value| event["verdict"]["failed"].is_object();
    assert!(seen.iter().any(failed), "{seen:?}");
    assert_eq!(watching.child.wait().unwrap().code(), Some(1));
}

#[test]
fn watching_the_output_folder_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path();
    let same = folder.join(".");
    let output = run(args!["convert", folder, "-o", same, "--watch"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--watch"), "{}", stderr(&output));
}

#[test]
fn a_path_behind_the_flag_is_refused_with_the_cure() {
    let output = run(["convert", "--watch", "videos"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--watch=5"), "{}", stderr(&output));
}
