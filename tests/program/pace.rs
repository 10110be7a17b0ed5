//! A batch leaves of the machine to others what it was asked to leave, and stops when it should.

use std::fs;
use std::path::Path;

use crate::common::{
    self, DISPATCHES, events, leftovers, long_sample, names, run, rushes, stderr, succeed, tiny,
};
use rushes::dispatch::Cancel;
use rushes::measure::run_measured;

/// A folder with as many copies of a clip as there are cores, so that each has work.
fn one_clip_a_core(clip: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let cores = std::thread::available_parallelism().unwrap().get();
    for copy in 0..cores {
        fs::copy(clip, folder.path().join(format!("{copy}.mp4"))).unwrap();
    }
    folder
}

/// CPU seconds for each second that a conversion takes.
fn cores_used(folder: &Path, dispatch: &str, more: &[&str]) -> f64 {
    let out = tempfile::tempdir().unwrap();
    let mut command = rushes();
    command.arg("convert").arg(folder).arg("-o").arg(out.path());
    command
        .args(["--dispatch", dispatch, "--json", "--speed", "veryfast"])
        .args(more);
    let (_, usage) = run_measured(command, b"", &Cancel::new()).unwrap();
    (usage.user + usage.system).as_secs_f64() / usage.wall.as_secs_f64()
}

#[test]
fn a_limited_batch_uses_much_less_of_the_machine_through_either_dispatch() {
    let folder = one_clip_a_core(&long_sample("bars-360p25.mp4"));
    for dispatch in DISPATCHES {
        let all = cores_used(folder.path(), dispatch, &[]);
        let limited = cores_used(folder.path(), dispatch, &["--limit-cpu", "20%"]);
        // A fifth but for what is not paced: start, planning, verification.
        let ratio = limited / all;
        assert!(ratio < 0.6, "{dispatch}: {limited:.2} of {all:.2} cores");
    }
}

#[test]
fn a_limited_batch_gives_the_same_results() {
    let folder = one_clip_a_core(&tiny());
    let out = tempfile::tempdir().unwrap();
    for dispatch in DISPATCHES {
        let target = out.path().join(dispatch);
        let limit = ["--limit-cpu", "20", "--nice", "19", "--dispatch", dispatch];
        let base = args!["convert", folder.path(), "-o", &target];
        succeed(base.into_iter().chain(limit.map(Into::into)));
        assert_eq!(common::decoded(&target.join("0.mp4")).frames.len(), 25);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_nice_batch_starts_its_children_as_nice() {
    use std::process::Stdio;
    let folder = one_clip_a_core(&long_sample("bars-360p25.mp4"));
    let out = tempfile::tempdir().unwrap();
    let slow = [
        "--speed",
        "placebo",
        "-q",
        "--dispatch",
        "processes",
        "--nice",
        "7",
    ];
    let mut command = rushes();
    command
        .arg("convert")
        .arg(folder.path())
        .arg("-o")
        .arg(out.path());
    let mut running = command.args(slow).stderr(Stdio::null()).spawn().unwrap();
    // Of each child of it, how nice that is.
    let children = || -> Vec<String> {
        let all = fs::read_dir("/proc").unwrap().filter_map(|entry| {
            let stat = fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
            let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
            let parent = fields.get(1)?.parse::<u32>().ok()?;
            (parent == running.id()).then(|| fields[16].to_owned())
        });
        all.collect()
    };
    let late = std::time::Duration::from_secs(60);
    // Before it has begun with a job, it may not yet have heard of interrupts.
    assert!(common::wait_for(late, || !leftovers(out.path()).is_empty()));
    let nice = children();
    let asked = rustix::process::Pid::from_raw(i32::try_from(running.id()).unwrap()).unwrap();
    rustix::process::kill_process(asked, rustix::process::Signal::INT).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));
    assert!(
        !nice.is_empty() && nice.iter().all(|nice| nice == "7"),
        "{nice:?}"
    );
}

#[test]
fn priorities_and_shares_that_do_not_exist_are_refused_by_name() {
    for (flag, value) in [
        ("--nice", "20"),
        ("--nice", "-1"),
        ("--limit-cpu", "0"),
        ("--limit-cpu", "101%"),
    ] {
        let output = run(["convert", "videos", &format!("{flag}={value}")]);
        assert_eq!(output.status.code(), Some(2), "{flag} {value}");
        assert!(stderr(&output).contains(flag), "{}", stderr(&output));
    }
}

/// Two clips: the one that costs more looks whole and holds no picture.
fn one_that_fails_first() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = fs::read(long_sample("bars-360p25.mp4")).unwrap();
    let media = bytes.windows(4).position(|word| word == b"mdat").unwrap() + 4;
    let index = bytes.windows(4).position(|word| word == b"moov").unwrap() - 4;
    let end = if index > media { index } else { bytes.len() };
    bytes[media..end].fill(b'Z');
    fs::write(folder.path().join("damaged.mp4"), bytes).unwrap();
    fs::copy(tiny(), folder.path().join("good.mp4")).unwrap();
    folder
}

#[test]
fn a_failure_stops_what_waits_where_that_was_asked_for_and_nothing_else() {
    let folder = one_that_fails_first();
    for dispatch in DISPATCHES {
        for (on_error, done) in [("stop", &[][..]), ("continue", &["good.mp4"])] {
            let out = tempfile::tempdir().unwrap();
            let base = args![
                "convert",
                folder.path(),
                "-o",
                out.path(),
                "--json",
                "-j",
                "1"
            ];
            let how = ["--on-error", on_error, "--dispatch", dispatch];
            let output = run(base.into_iter().chain(how.map(Into::into)));
            assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
            assert_eq!(names(out.path()), done, "{dispatch} {on_error}");
            let ends = events(&output)
                .into_iter()
                .filter(|event| event["event"] == "job_finished");
            let ends: Vec<_> = ends
                .map(|event| (event["name"].clone(), event["verdict"].clone()))
                .collect();
            assert_eq!(ends.len(), 2, "{ends:?}");
            assert_eq!(ends[0].0, "damaged.mp4");
            assert_eq!(ends[1].1 == "cancelled", on_error == "stop", "{ends:?}");
        }
    }
}
