//! One run at a time in an output folder.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The lock, held as long as this lives. The system releases it when the
/// process ends, in whatever way: what a killed run leaves is only a file.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Who holds a lock, as its file says.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
    since: String,
}

impl Lock {
    /// Takes the lock at `path` for work in `output`.
    ///
    /// # Errors
    /// Where another run has it: says who. Where it cannot be made.
    pub(super) fn take(path: &Path, output: &Path) -> Result<Self> {
        let failed = |error: io::Error| {
            Error::usage(format!("cannot lock '{}'", path.display()))
                .because(error)
                .cure("choose an output folder with -o whose file system knows locks")
        };
        let mut file = open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(&mut file, output)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        sign(&mut file).map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Whether somebody holds the lock at `path`; one that is not there, nobody does.
pub(super) fn is_held(path: &Path) -> bool {
    // Not made anew: looking leaves no trace.
    let file = File::options().read(true).write(true).open(path);
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

fn sign(file: &mut File) -> io::Result<()> {
    let holder = Holder {
        pid: std::process::id(),
        host: host(),
        since: jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S").to_string(),
    };
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(&serde_json::to_vec(&holder)?)
}

fn host() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

fn held(file: &mut File, output: &Path) -> Error {
    let mut text = String::new();
    let holder = file
        .read_to_string(&mut text)
        .ok()
        .and_then(|_| serde_json::from_str::<Holder>(&text).ok());
    let shown = output.display();
    match holder {
        Some(Holder { pid, host, since }) => Error::usage(format!(
            "another rushes works in '{shown}': process {pid} on {host}, since {since}"
        ))
        .cure(format!(
            "wait for it, stop it (`kill {pid}` on {host}), or choose another folder with -o"
        )),
        None => Error::usage(format!("another rushes works in '{shown}'"))
            .cure("wait for it, or choose another folder with -o"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    #[test]
    fn the_second_is_told_who_the_first_is_and_a_file_alone_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, b"left by a killed run").unwrap();
        assert!(!is_held(&path));
        let first = Lock::take(&path, folder.path()).unwrap();
        assert!(is_held(&path));
        let error = Lock::take(&path, folder.path()).unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        let told = error.report();
        for word in [&format!("process {}", std::process::id()), &host(), "kill"] {
            assert!(told.contains(word), "{told}");
        }
        drop(first);
        assert!(!is_held(&path));
        Lock::take(&path, folder.path()).unwrap();
    }

    #[test]
    fn asking_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_held(&folder.path().join("lock")));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
