//! One run at a time in a folder, and at a file.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::folder::Folder;
use crate::error::Error;

/// The file of the lock of a folder.
pub(super) const NAME: &str = "lock";

/// How long a lock is tried for: another run that only looks at it holds it for a moment.
const PATIENCE: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(5);

/// A lock, held while this value lives. The system releases it when the process ends, in
/// whatever way: a killed run leaves only the file.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    folder: Folder,
    name: OsString,
    // Whether its file, and a `.rushes` of which nothing is left then, go with it.
    temporary: bool,
}

/// The run that holds a lock, as the lock's file names it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Holder {
    pid: u32,
    host: String,
    since: String,
}

/// Why a lock was not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Another run has it, which may have signed it.
    Held(Option<Holder>),
    Failed(io::Error),
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl Lock {
    /// Takes the lock `name` in `folder`; its file goes with it if it is `temporary`.
    ///
    /// # Errors
    /// If another run has it, or it cannot be made.
    pub(super) fn take(folder: Folder, name: &OsStr, temporary: bool) -> Result<Self, Refusal> {
        let began = Instant::now();
        loop {
            let mut file = folder.open(name, OFlags::RDWR | OFlags::CREATE)?;
            match file.try_lock() {
                // Otherwise its last holder has removed it meanwhile.
                Ok(()) if folder.names(name, &file) => {
                    sign(&mut file)?;
                    return Ok(Self {
                        file,
                        folder,
                        name: name.to_owned(),
                        temporary,
                    });
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if began.elapsed() < PATIENCE => {
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => return Err(Refusal::Held(read(&mut file))),
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
        }
    }

    /// Has its file go with it.
    pub(super) fn make_temporary(&mut self) {
        self.temporary = true;
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if !self.temporary || !self.folder.names(&self.name, &self.file) {
            return;
        }
        // Before the lock is released: nobody else has it under this name.
        let _ = self.folder.remove(&self.name);
        if self.folder.path.ends_with(super::FOLDER) {
            let _ = std::fs::remove_dir(&self.folder.path);
        }
    }
}

/// The run that holds the lock `name` in `folder`, if one does. Looking creates nothing.
pub(super) fn holder(folder: &Folder, name: &OsStr) -> Option<Option<Holder>> {
    let began = Instant::now();
    loop {
        let mut file = folder.open(name, OFlags::RDONLY).ok()?;
        if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
            return None;
        }
        match read(&mut file) {
            // It was taken a moment ago, and is about to be signed.
            None if began.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            holder => return Some(holder),
        }
    }
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

fn read(file: &mut File) -> Option<Holder> {
    /// Longer than any signature.
    const MOST: u64 = 4096;
    let mut text = String::new();
    file.take(MOST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn host() -> String {
    let names = rustix::system::uname();
    names.nodename().to_string_lossy().into_owned()
}

/// Why this run does not work where another one, `holder`, does.
pub(super) fn held(holder: Option<Holder>, place: &Path) -> Error {
    let shown = place.display();
    match holder {
        Some(Holder { pid, host, since }) => Error::usage(format!(
            "another rushes works in '{shown}': process {pid} on {host}, since {since}"
        ))
        .cure(format!(
            "wait for it, stop it (`kill {pid}` on {host}), or choose another place with -o"
        )),
        None => Error::usage(format!("another rushes works in '{shown}'"))
            .cure("wait for it, or choose another place with -o"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(folder: &Path, temporary: bool) -> Result<Lock, Refusal> {
        Lock::take(Folder::at(folder).unwrap(), NAME.as_ref(), temporary)
    }

    fn is_held(folder: &Path) -> bool {
        holder(&Folder::at(folder).unwrap(), NAME.as_ref()).is_some()
    }

    #[test]
    fn the_second_is_told_who_the_first_is_and_a_file_alone_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        std::fs::write(folder.join(NAME), b"left by a killed run").unwrap();
        assert!(!is_held(folder));
        let first = take(folder, false).unwrap();
        assert!(is_held(folder));
        let Err(Refusal::Held(holder)) = take(folder, false) else {
            panic!("it was taken twice");
        };
        let report = held(holder, folder).report();
        for word in [&format!("process {}", std::process::id()), &host(), "kill"] {
            assert!(report.contains(word), "{report}");
        }
        drop(first);
        assert!(!is_held(folder));
        take(folder, false).unwrap();
    }

    #[test]
    fn who_has_just_taken_it_is_waited_for_to_sign() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        let mut taken = File::create(&path).unwrap();
        taken.lock().unwrap();
        let open = Folder::at(folder.path()).unwrap();
        let holder = std::thread::scope(|scope| {
            let asking = scope.spawn(|| holder(&open, NAME.as_ref()));
            std::thread::sleep(PATIENCE / 4);
            sign(&mut taken).unwrap();
            asking.join().unwrap()
        });
        assert!(holder.unwrap().is_some());
    }

    #[test]
    fn asking_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_held(folder.path()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn asking_does_not_keep_anyone_from_taking_it() {
        let folder = tempfile::tempdir().unwrap();
        take(folder.path(), false).unwrap();
        let asking = File::open(folder.path().join(NAME)).unwrap();
        asking.try_lock_shared().unwrap();
        let taken = std::thread::scope(|scope| {
            let taking = scope.spawn(|| take(folder.path(), false).is_ok());
            std::thread::sleep(PATIENCE / 4);
            drop(asking);
            taking.join().unwrap()
        });
        assert!(taken);
    }

    #[test]
    fn a_temporary_lock_goes_with_its_file_and_is_taken_by_one_of_many() {
        let folder = tempfile::tempdir().unwrap();
        let held = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let Ok(lock) = take(folder.path(), true) else {
                            continue;
                        };
                        let before = held.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        assert_eq!(before, 0);
                        held.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_link_or_a_pipe_is_no_lock_and_nothing_is_written_through_it() {
        let root = tempfile::tempdir().unwrap();
        let (victim, lock) = (root.path().join("victim"), root.path().join(NAME));
        std::fs::write(&victim, b"precious").unwrap();
        std::os::unix::fs::symlink(&victim, &lock).unwrap();
        assert!(matches!(take(root.path(), false), Err(Refusal::Failed(_))));
        assert!(!is_held(root.path()));
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        std::fs::remove_file(&lock).unwrap();
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &lock, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(matches!(take(root.path(), false), Err(Refusal::Failed(_))));
        assert!(!is_held(root.path()));
    }
}
