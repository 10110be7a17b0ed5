//! The system gives fewer threads and processes than there are cores: a run does with those, or
//! says that it cannot. It never panics, and never waits for the others.
#![cfg(target_os = "linux")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use crate::common::{self, DISPATCHES, decoded, leftovers, rushes, stderr, tiny};

/// A user without processes: limits do not hold for root.
const NOBODY: &str = "65534";

/// Whether that user has processes: those of the last run may take a moment to end, and count.
fn has_processes() -> bool {
    let folders = fs::read_dir("/proc").unwrap().flatten();
    let mut owners = folders.filter_map(|entry| Some(entry.metadata().ok()?.uid()));
    owners.any(|owner| owner.to_string() == NOBODY)
}

/// Runs rushes with `arguments` as a user who may have this number of threads and processes.
fn limited(threads: usize, arguments: &[&str]) -> Output {
    let is_over = common::wait_for(Duration::from_secs(30), || !has_processes());
    assert!(is_over, "a run left processes");
    let program = rushes().get_program().to_owned();
    let script = format!("ulimit -u {threads} && exec \"$@\"");
    Command::new("timeout")
        .args(["--signal=KILL", "60", "setpriv"])
        .args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
        .args(["bash", "-c", &script, "bash"])
        .arg(program)
        .args(arguments)
        .env("HOME", "/nonexistent")
        .output()
        .unwrap()
}

fn is_root() -> bool {
    let is_root = rustix::process::getuid().is_root();
    if !is_root {
        assert!(!common::all_must_run(), "only root can become another user");
        eprintln!("skipped: only root can become another user");
    }
    is_root
}

/// A folder that everybody may write to.
fn open_folder(root: &Path, name: &str) -> String {
    let folder = root.join(name);
    fs::create_dir_all(&folder).unwrap();
    for path in [root, &folder] {
        fs::set_permissions(path, Permissions::from_mode(0o777)).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

#[test]
fn a_run_with_few_threads_makes_whole_results_or_says_why_it_cannot() {
    if !is_root() {
        return;
    }
    let mut whole = 0;
    for dispatch in DISPATCHES {
        for threads in (4..=12).chain([14, 16, 20, 64]) {
            let root = tempfile::tempdir().unwrap();
            let sources = open_folder(root.path(), "in");
            for name in ["a.mp4", "b.mp4", "c.mp4"] {
                fs::copy(tiny(), Path::new(&sources).join(name)).unwrap();
            }
            let out = open_folder(root.path(), "out");
            let flags = ["--dispatch", dispatch, "-j", "4", "--codec-threads", "1"];
            let arguments = [&["convert", &sources, "-o", &out][..], &flags].concat();
            let output = limited(threads, &arguments);
            let said = format!("{dispatch}, {threads}: {}", stderr(&output));
            assert!(matches!(output.status.code(), Some(0..=2)), "{said}");
            assert!(!said.contains("panicked"), "{said}");
            assert!(!stderr(&output).is_empty(), "{said}");
            let out = Path::new(&out);
            assert!(leftovers(out).is_empty(), "{said}");
            let results = common::names(out);
            for name in &results {
                assert_eq!(decoded(&out.join(name)).frames.len(), 25, "{said}");
            }
            if output.status.code() == Some(0) {
                assert_eq!(results.len(), 3, "{said}");
                whole += 1;
            }
        }
    }
    assert!(whole >= DISPATCHES.len(), "none had enough threads");
}
