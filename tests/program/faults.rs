//! Disks fill up, folders are locked or vanish, sources are cut short: jobs
//! fail with the reason, nothing torn gets a final name, and the next run finishes.
#![cfg(target_os = "linux")]

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::disk::Disk;
use crate::common::told::Told;
use crate::common::{self, DISPATCHES, decoded, long_sample, names, rushes, stderr, tiny};
use serde_json::Value;

/// When a run is given up: it hangs.
const LATE: Duration = Duration::from_secs(120);

fn program() -> PathBuf {
    rushes().get_program().into()
}

/// Runs `command` with `--json`, and calls `midway` once, when `when` holds for an event.
fn tell(mut command: Command, mut when: impl FnMut(&Value) -> bool, midway: impl FnOnce()) -> Told {
    let mut child = command
        .arg("--json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (id, stdout) = (child.id(), child.stdout.take().unwrap());
    let (done, watched) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        if watched.recv_timeout(LATE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let pid = rustix::process::Pid::from_raw(i32::try_from(id).unwrap()).unwrap();
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    });
    let mut events = Vec::new();
    let mut midway = Some(midway);
    for line in BufReader::new(stdout).lines() {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        if midway.is_some() && when(&event) {
            midway.take().unwrap()();
        }
        events.push(event);
    }
    let output = child.wait_with_output().unwrap();
    drop(done);
    watchdog.join().unwrap();
    assert!(
        midway.is_none(),
        "it never came so far: {}",
        stderr(&output)
    );
    Told {
        code: output.status.code(),
        events,
        stderr: stderr(&output),
    }
}

fn tell_all(command: Command) -> Told {
    tell(command, |_| true, || ())
}

fn arguments(sources: &Path, out: &Path, dispatch: &str, flags: &[&str]) -> Vec<OsString> {
    let mut list = args![
        "convert",
        sources,
        "-o",
        out,
        "--dispatch",
        dispatch,
        "-j",
        "1"
    ]
    .to_vec();
    list.extend(flags.iter().map(Into::into));
    list
}

/// `rushes convert` on one slot, the longest video first.
fn convert(sources: &Path, out: &Path, dispatch: &str, flags: &[&str]) -> Command {
    let mut command = rushes();
    command.args(arguments(sources, out, dispatch, flags));
    command
}

fn folder(path: PathBuf) -> PathBuf {
    fs::create_dir_all(&path).unwrap();
    path
}

/// Names of results and of what unfinished work left; what is in the folder `.rushes` is neither.
fn results(out: &Path) -> Vec<String> {
    names(out)
        .into_iter()
        .filter(|name| !name.starts_with(".rushes"))
        .collect()
}

/// Whether a job reads and writes: it has told how far it is.
fn is_on_its_way(event: &Value) -> bool {
    event["event"] == "job_progress"
}

/// A second run has nothing to complain about, and all results are whole.
fn assert_finishes(command: Command, out: &Path, expected: &[(&str, usize)]) {
    let told = tell_all(command);
    assert_eq!(told.code, Some(0), "{told:?}");
    let files: Vec<_> = results(out)
        .into_iter()
        .filter(|name| name.ends_with(".mp4"))
        .collect();
    let hidden: Vec<_> = results(out)
        .into_iter()
        .filter(|name| name.contains("rushes-part"))
        .collect();
    assert_eq!(hidden, Vec::<String>::new());
    assert_eq!(
        files,
        expected.iter().map(|(name, _)| *name).collect::<Vec<_>>()
    );
    for (name, frames) in expected {
        assert_eq!(decoded(&out.join(name)).frames.len(), *frames, "{name}");
    }
}

#[test]
fn a_full_disk_fails_the_job_that_needs_the_space_alone_and_the_next_run_finishes() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let sources = folder(root.path().join("in"));
        fs::copy(long_sample("noise-240p15.avi"), sources.join("large.avi")).unwrap();
        fs::copy(tiny(), sources.join("small.mp4")).unwrap();
        let Some(disk) = Disk::new(4096) else {
            return;
        };
        let filler = disk.outside().join("filler");
        fs::write(&filler, vec![1; 3800 * 1024]).unwrap();
        let run = || {
            let mut command = disk.command(program());
            let out = disk.inside().join("out");
            command.args(arguments(
                &sources,
                &out,
                dispatch,
                &["--speed", "ultrafast"],
            ));
            command
        };
        let told = tell_all(run());
        assert_eq!(told.code, Some(1), "{dispatch}: {told:?}");
        told.assert_failed("large.avi", "No space left on device");
        assert_eq!(told.reason("small.mp4"), None, "{told:?}");
        let out = disk.outside().join("out");
        assert_eq!(results(&out), ["small.mp4"], "{dispatch}");
        fs::remove_file(filler).unwrap();
        assert_finishes(run(), &out, &[("large.mp4", 45), ("small.mp4", 25)]);
    }
}

#[test]
fn with_any_space_that_is_too_small_the_job_fails_and_leaves_nothing_torn() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    assert!(
        convert(&tiny(), &whole, "threads", &["--speed", "ultrafast", "-q"])
            .status()
            .unwrap()
            .success()
    );
    let size = fs::metadata(whole.join("tiny.mp4")).unwrap().len() / 1024;
    let mut failed = 0;
    for dispatch in DISPATCHES {
        // The last pages matter most: there the index is written, and moved to the front.
        for kib in [4, 8, size / 2, size - 4, size, size + 4, size + 12] {
            let Some(disk) = Disk::new(kib) else {
                return;
            };
            let mut command = disk.command(program());
            command.args(arguments(
                &tiny(),
                &disk.inside().join("out"),
                dispatch,
                &["--speed", "ultrafast"],
            ));
            let told = tell_all(command);
            let (what, out) = (
                format!("{dispatch}, {kib} of {size} KiB"),
                disk.outside().join("out"),
            );
            if told.code == Some(0) {
                assert_eq!(decoded(&out.join("tiny.mp4")).frames.len(), 25, "{what}");
                continue;
            }
            if told.code == Some(2) {
                // No room even for the lock: nothing was started, and that is told.
                assert_eq!(results(&out), Vec::<String>::new(), "{what}");
                failed += 1;
                continue;
            }
            assert_eq!(told.code, Some(1), "{what}: {told:?}");
            told.assert_failed("tiny.mp4", "No space left on device");
            assert_eq!(results(&out), Vec::<String>::new(), "{what}");
            failed += 1;
        }
    }
    assert!(failed >= 6, "only {failed} were too small");
}

/// A copy of both programs that another user may run.
fn programs_for_all(root: &Path) -> PathBuf {
    let folder = folder(root.join("bin"));
    for name in ["rushes", "rushes-child"] {
        fs::copy(program().with_file_name(name), folder.join(name)).unwrap();
    }
    folder.join("rushes")
}

/// Permissions do not bind root: as root, the program runs as another user.
fn as_another_user(root: &Path) -> Command {
    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return rushes();
    }
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::chown(root.join("out"), Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new("setpriv");
    let id = NOBODY.to_string();
    command
        .args(["--reuid", &id, "--regid", &id, "--clear-groups", "--"])
        .arg(programs_for_all(root))
        .env("NO_COLOR", "1")
        .stdin(Stdio::null());
    command
}

#[test]
fn a_folder_that_loses_its_write_permission_midway_fails_its_jobs_alone() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let sources = root.path().join("in");
        for (day, name) in [
            ("locked", "long.mov"),
            ("locked", "later.mp4"),
            ("open", "other.mp4"),
        ] {
            let source = if name == "long.mov" {
                long_sample("gradients-360p24.mov")
            } else {
                tiny()
            };
            let target = folder(sources.join(day)).join(name);
            fs::copy(source, &target).unwrap();
            fs::set_permissions(target, fs::Permissions::from_mode(0o644)).unwrap();
        }
        let out = folder(root.path().join("out"));
        let locked = out.join("locked");
        let mode = |mode| fs::set_permissions(&locked, fs::Permissions::from_mode(mode)).unwrap();
        let run = |speed| {
            let mut command = as_another_user(root.path());
            command.args(arguments(&sources, &out, dispatch, &["--speed", speed]));
            command
        };
        let told = tell(run("slower"), is_on_its_way, || mode(0o555));
        assert_eq!(told.code, Some(1), "{dispatch}: {told:?}");
        for name in ["locked/long.mov", "locked/later.mp4"] {
            told.assert_failed(name, "Permission denied");
        }
        assert_eq!(told.reason("open/other.mp4"), None, "{told:?}");
        // What was begun cannot be removed from such a folder, and has no final name.
        let finals: Vec<_> = results(&out)
            .into_iter()
            .filter(|name| !name.contains("/."))
            .collect();
        assert_eq!(finals, ["locked", "open", "open/other.mp4"], "{dispatch}");
        mode(0o755);
        let expected = [
            ("locked/later.mp4", 25),
            ("locked/long.mp4", 90),
            ("open/other.mp4", 25),
        ];
        assert_finishes(run("ultrafast"), &out, &expected);
    }
}

#[test]
fn an_output_folder_that_is_removed_midway_fails_the_running_job_with_the_reason() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let sources = folder(root.path().join("in"));
        fs::copy(
            long_sample("gradients-360p24.mov"),
            sources.join("long.mov"),
        )
        .unwrap();
        fs::copy(tiny(), sources.join("later.mp4")).unwrap();
        let out = root.path().join("out");
        let told = tell(
            convert(&sources, &out, dispatch, &["--speed", "slower"]),
            is_on_its_way,
            || {
                fs::remove_dir_all(&out).unwrap();
            },
        );
        assert_eq!(told.code, Some(1), "{dispatch}: {told:?}");
        told.assert_failed("long.mov", "No such file or directory");
        // A later job may find a folder again, and then is whole.
        if told.reason("later.mp4").is_none() {
            assert_eq!(decoded(&out.join("later.mp4")).frames.len(), 25);
        }
        assert!(!out.join("long.mp4").exists(), "{dispatch}");
        let again = convert(&sources, &out, dispatch, &["--speed", "ultrafast"]);
        assert_finishes(again, &out, &[("later.mp4", 25), ("long.mp4", 90)]);
    }
}

/// A source of some length whose packets are read as the work goes on, and a short one.
fn long_and_short(root: &Path) -> PathBuf {
    let sources = folder(root.join("in"));
    let loops = args![
        "-stream_loop",
        "2",
        "-i",
        long_sample("gradients-360p24.mov"),
        "-c",
        "copy"
    ];
    common::ffmpeg(loops, &sources.join("long.mov"));
    fs::copy(tiny(), sources.join("short.mp4")).unwrap();
    sources
}

#[test]
fn a_source_that_is_removed_is_read_to_its_end_or_fails_with_the_reason() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let sources = long_and_short(root.path());
        let out = root.path().join("out");
        let told = tell(
            convert(&sources, &out, dispatch, &["--speed", "veryfast"]),
            is_on_its_way,
            || {
                for name in names(&sources) {
                    fs::remove_file(sources.join(name)).unwrap();
                }
            },
        );
        // The short one had not begun.
        assert_eq!(told.code, Some(1), "{dispatch}: {told:?}");
        told.assert_failed("short.mp4", "No such file or directory");
        // What is open stays readable.
        match told.reason("long.mov") {
            None => assert_eq!(decoded(&out.join("long.mp4")).frames.len(), 3 * 90),
            Some(_) => assert!(!out.join("long.mp4").exists(), "{dispatch}"),
        }
        assert!(!out.join("short.mp4").exists(), "{dispatch}");
    }
}

#[test]
fn no_success_is_claimed_for_a_source_that_changes_while_it_is_read() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let sources = long_and_short(root.path());
        let (out, long) = (root.path().join("out"), sources.join("long.mov"));
        let file = fs::File::options().write(true).open(&long).unwrap();
        let half = file.metadata().unwrap().len() / 2;
        let told = tell(
            convert(&sources, &out, dispatch, &["--speed", "veryfast"]),
            is_on_its_way,
            || file.set_len(half).unwrap(),
        );
        assert_eq!(told.code, Some(1), "{dispatch}: {told:?}");
        told.assert_failed("long.mov", "was changed while it was read");
        assert_eq!(results(&out), ["short.mp4"], "{dispatch}");
    }
}

#[test]
fn no_success_is_claimed_for_a_source_that_another_file_takes_the_place_of() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let sources = long_and_short(root.path());
        let (out, long) = (root.path().join("out"), sources.join("long.mov"));
        let other = root.path().join("other.mov");
        fs::copy(sources.join("short.mp4"), &other).unwrap();
        let told = tell(
            convert(&sources, &out, dispatch, &["--speed", "veryfast"]),
            is_on_its_way,
            || fs::rename(&other, &long).unwrap(),
        );
        assert_eq!(told.code, Some(1), "{dispatch}: {told:?}");
        told.assert_failed("long.mov", "was changed while it was read");
        assert_eq!(results(&out), ["short.mp4"], "{dispatch}");
    }
}

#[test]
fn kills_at_random_moments_leave_whole_results_and_no_processes() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/kills");
    let count = if common::long() { "40" } else { "5" };
    let output = Command::new("bash")
        .arg(script)
        .args([count, "--dispatch", "all"])
        .env("RUSHES", program())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = common::stdout(&output);
    assert!(output.status.success(), "{said}{}", stderr(&output));
    assert!(
        said.starts_with("seed ") && said.contains("workers"),
        "{said}"
    );
}
