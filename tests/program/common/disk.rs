//! Disks that fail: a small one of one's own, which can be full, and one that cannot be read.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A tmpfs in a mount namespace of its own: no other process sees it, and it
/// goes with this value, also where a test fails.
pub struct Disk {
    root: tempfile::TempDir,
    /// Holds the namespace open.
    holder: Child,
    as_root: bool,
}

impl Disk {
    /// A disk of so many KiB; says where none can be made that the test is skipped.
    pub fn new(kib: u64) -> Option<Self> {
        let root = tempfile::tempdir().unwrap();
        let script =
            format!("mount -t tmpfs -o size={kib}k tmpfs \"$1\" && echo ready && read -r _");
        let as_root = rustix::process::geteuid().is_root();
        let mut holder = Command::new("unshare")
            // As another user than root, by being root in a user namespace.
            .args(if as_root { &["-m"][..] } else { &["-r", "-m"] })
            .args(["sh", "-c", &script, "sh"])
            .arg(root.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut line = String::new();
        let stdout = holder.stdout.take().unwrap();
        let _ = BufReader::new(stdout).read_line(&mut line);
        let disk = Self {
            root,
            holder,
            as_root,
        };
        if line.trim() != "ready" {
            eprintln!("skipped: no disk can be mounted here, neither as root nor by `unshare -rm`");
            return None;
        }
        Some(disk)
    }

    /// Where the disk is for programs that are started by [`Disk::command`].
    pub fn inside(&self) -> &Path {
        self.root.path()
    }

    /// Where it is for all others.
    pub fn outside(&self) -> PathBuf {
        let path = format!(
            "/proc/{}/root{}",
            self.holder.id(),
            self.root.path().display()
        );
        path.into()
    }

    /// A command that sees the disk.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        if !self.as_root {
            command.args(["--user", "--preserve-credentials"]);
        }
        command
            .args(["--mount", "--target", &self.holder.id().to_string(), "--"])
            .arg(program)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A library that makes reads fail.
pub fn unreadable(folder: &Path) -> PathBuf {
    let library = folder.join("unreadable.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program/common/unreadable.c"))
        .arg("-ldl")
        .status();
    assert!(built.unwrap().success());
    library
}
