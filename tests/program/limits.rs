//! What a job may cost: where it goes beyond, it fails alone, and names limit and flag.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::common::{self, DISPATCHES, long_sample, names, rushes, sample, stderr, tiny, wait_for};
use rustix::process::{Pid, Signal, kill_process};

/// When a run is given up: it hangs.
const LATE: Duration = Duration::from_secs(120);

/// A source beside one that is taken in any case.
struct Pair {
    root: tempfile::TempDir,
}

impl Pair {
    fn new(source: &Path) -> Self {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("in");
        fs::create_dir(&folder).unwrap();
        let ending = source.extension().unwrap();
        fs::copy(source, folder.join("much").with_extension(ending)).unwrap();
        fs::copy(tiny(), folder.join("small.mp4")).unwrap();
        Self { root }
    }

    fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    /// Converts both, and expects the first alone to fail for this reason.
    fn assert_fails_alone(&self, dispatch: &str, flags: &[&str], words: &[&str]) {
        let _ = fs::remove_dir_all(self.out());
        let output = rushes()
            .args(args![
                "convert",
                self.root.path().join("in"),
                "-o",
                self.out()
            ])
            .args(["--dispatch", dispatch, "--copy", "never"])
            .args(flags)
            .output()
            .unwrap();
        let said = stderr(&output);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{dispatch} {flags:?}: {said}"
        );
        let line = said.lines().find(|line| line.contains("much."));
        let line = line.unwrap_or_else(|| panic!("{dispatch} {flags:?}: {said}"));
        for word in words {
            assert!(
                line.contains(word),
                "{dispatch}: '{word}' is not in: {line}"
            );
        }
        assert_eq!(names(&self.out()), ["small.mp4"], "{dispatch} {flags:?}");
    }
}

#[test]
fn a_source_of_too_many_pixels_is_refused() {
    let pair = Pair::new(&sample("bars-360p25.mp4"));
    for dispatch in DISPATCHES {
        pair.assert_fails_alone(
            dispatch,
            &["--max-pixels", "100000"],
            &["640×360", "100000", "--max-pixels"],
        );
    }
}

#[test]
fn a_source_of_too_many_streams_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let many = root.path().join("many.mkv");
    let maps = ["-map", "0:a"].repeat(40);
    let mut arguments = args!["-i", tiny(), "-map", "0:v"].to_vec();
    arguments.extend(maps.iter().chain(&["-c", "copy"]).map(Into::into));
    common::ffmpeg(arguments, &many);
    let pair = Pair::new(&many);
    for dispatch in DISPATCHES {
        pair.assert_fails_alone(
            dispatch,
            &["--max-streams", "10"],
            &["more than 10 streams", "--max-streams"],
        );
    }
}

#[test]
fn a_job_whose_result_grows_too_large_is_stopped() {
    let pair = Pair::new(&long_sample("noise-240p15.avi"));
    for dispatch in DISPATCHES {
        pair.assert_fails_alone(
            dispatch,
            &["--max-output", "1MiB", "--crf", "1", "--speed", "fast"],
            &["1.0 MiB", "--max-output"],
        );
    }
}

#[test]
fn a_job_that_takes_too_long_is_stopped() {
    let root = tempfile::tempdir().unwrap();
    let long = root.path().join("long.mov");
    let source = long_sample("gradients-360p24.mov");
    common::ffmpeg(
        args!["-stream_loop", "9", "-i", source, "-c", "copy"],
        &long,
    );
    let pair = Pair::new(&long);
    for dispatch in DISPATCHES {
        pair.assert_fails_alone(
            dispatch,
            // Of the two jobs, the small one takes a fraction of that.
            &["--job-timeout", "3", "--speed", "placebo"],
            &["3 s", "--job-timeout"],
        );
    }
}

/// Half a second of video after which its clock says 2.5 years.
fn jumping(root: &Path) -> PathBuf {
    let [ticks, path] = ["ticks.mp4", "jump.mp4"].map(|name| root.join(name));
    let copy = ["-an", "-c", "copy", "-video_track_timescale", "25"].map(Into::into);
    // First to ticks of a frame each: in which ticks the filter below counts, those
    // of its input or of its output, changed with FFmpeg 7.0.
    common::ffmpeg([&args!["-i", tiny()][..], &copy].concat(), &ticks);
    let later = ["-bsf:v", "setts=ts=TS+gte(N\\,12)*2000000000"].map(Into::into);
    common::ffmpeg([&args!["-i", &ticks][..], &copy, &later].concat(), &path);
    let times = common::ffprobe(
        &["-show_entries", "packet=pts_time", "-of", "csv=p=0"],
        &path,
    );
    assert!(times.contains("\n80000000."), "{times}");
    path
}

#[test]
fn a_clock_that_jumps_by_years_is_not_filled_with_pictures() {
    let root = tempfile::tempdir().unwrap();
    let pair = Pair::new(&jumping(root.path()));
    let words = ["jumps from 0.4 to 80000000", "--max-repeats"];
    for dispatch in DISPATCHES {
        pair.assert_fails_alone(dispatch, &["--fps", "30", "--speed", "ultrafast"], &words);
        let out = pair.root.path().join("pictures").join(dispatch);
        let sources = pair.root.path().join("in");
        let every = ["--every", "1", "--dispatch", dispatch, "-q"].map(Into::into);
        let how = [&args!["frames", sources, "-o", &out][..], &every].concat();
        let output = common::run(how);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{dispatch}: {said}");
        for word in words {
            assert!(said.contains(word), "{dispatch}: {said}");
        }
        assert!(out.join("small/000001.jpg").exists(), "{dispatch}: {said}");
        assert!(!out.join("much").exists(), "{dispatch}: {said}");
    }
}

/// A picture that takes hundreds of megabytes to decode, and a few to hold.
fn huge(root: &Path) -> PathBuf {
    let path = root.join("huge.mkv");
    let source = "color=size=8192x8192:rate=1:duration=3";
    let how = [
        "-f", "lavfi", "-i", source, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-qscale", "31",
    ];
    common::ffmpeg(how, &path);
    path
}

#[test]
fn a_job_that_wants_too_much_memory_fails_alone() {
    let root = tempfile::tempdir().unwrap();
    let pair = Pair::new(&huge(root.path()));
    for dispatch in ["processes", "workers"] {
        pair.assert_fails_alone(
            dispatch,
            &["--memory-limit", "300MiB"],
            &["300.0 MiB", "--memory-limit"],
        );
    }
}

/// Processes other than the program that have `path` open.
fn at_work_on(path: &Path, program: u32) -> Vec<i32> {
    let entries = fs::read_dir("/proc").unwrap();
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let has_open = |pid: &i32| {
        let files = fs::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten();
        files
            .filter_map(|file| fs::read_link(file.ok()?.path()).ok())
            .any(|file| file == path)
    };
    ids.filter(|pid| u32::try_from(*pid) != Ok(program))
        .filter(has_open)
        .collect()
}

#[test]
fn a_job_that_stands_still_is_stopped_and_the_others_go_on() {
    for dispatch in ["processes", "workers"] {
        let pair = Pair::new(&long_sample("fractal-720p24.mkv"));
        let source = pair.root.path().join("in/much.mkv");
        let mut child = rushes()
            .args(args![
                "convert",
                pair.root.path().join("in"),
                "-o",
                pair.out()
            ])
            .args(["--dispatch", dispatch, "--copy", "never", "-j", "2"])
            .args(["--speed", "medium", "--stall-timeout", "2"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut stopped = Vec::new();
        let ended = wait_for(LATE, || {
            if common::part_of(&pair.out(), "much.mp4").is_some() {
                for pid in at_work_on(&source, child.id()) {
                    let pid = Pid::from_raw(pid).unwrap();
                    let _ = kill_process(pid, Signal::STOP);
                    stopped.push(pid);
                }
            }
            child.try_wait().unwrap().is_some()
        });
        if !ended {
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let said = stderr(&output);
        assert!(ended && !stopped.is_empty(), "{dispatch}: {said}");
        assert_eq!(output.status.code(), Some(1), "{dispatch}: {said}");
        assert!(said.contains("no progress for 2 s"), "{dispatch}: {said}");
        assert!(said.contains("--stall-timeout"), "{dispatch}: {said}");
        assert_eq!(names(&pair.out()), ["small.mp4"], "{dispatch}");
    }
}

#[test]
fn usual_limits_are_met_by_no_usual_video() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        common::succeed(args![
            "convert",
            tiny(),
            "-o",
            root.path().join("out"),
            "--dispatch",
            dispatch,
            "-q"
        ]);
    }
}
