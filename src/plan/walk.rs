//! All files below a folder, found by several threads.
//!
//! Any number of threads is enough, since the calling thread walks, too: where the system
//! refuses to start one, the walk is slower.

use std::fs::{self, DirEntry, FileType};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What a walk finds: a file, or what could not be looked into.
pub(crate) type Seen = Result<PathBuf, (PathBuf, io::Error)>;

/// Decides whether a folder (`true`) or another entry below the root is looked at.
pub(crate) type Takes<'a> = &'a (dyn Fn(&Path, bool) -> bool + Sync);

/// Hands all files below `root` that it `takes` to `see`, on at most `threads` threads. Links
/// are followed, but for those to a folder that they are in. Hidden entries are left out.
pub(crate) fn walk(root: &Path, threads: usize, takes: Takes, see: &(dyn Fn(Seen) + Sync)) {
    let first = Folder {
        path: root.to_owned(),
        above: None,
    };
    let walk = Walk {
        state: Mutex::new(State {
            folders: vec![first],
            busy: 0,
        }),
        changed: Condvar::new(),
        takes,
        see,
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            let helper = thread::Builder::new().name("scan".into());
            if helper.spawn_scoped(scope, || walk.work()).is_err() {
                break;
            }
        }
        walk.work();
    });
}

/// A folder that is still to be read.
struct Folder {
    path: PathBuf,
    above: Option<Arc<Trail>>,
}

/// A folder and those that it is in, by device and inode.
struct Trail {
    id: (u64, u64),
    above: Option<Arc<Self>>,
}

impl Trail {
    fn has(&self, id: (u64, u64)) -> bool {
        let mut trail = Some(self);
        while let Some(folder) = trail {
            if folder.id == id {
                return true;
            }
            trail = folder.above.as_deref();
        }
        false
    }
}

/// What all threads share.
struct Walk<'a> {
    state: Mutex<State>,
    changed: Condvar,
    takes: Takes<'a>,
    see: &'a (dyn Fn(Seen) + Sync),
}

struct State {
    folders: Vec<Folder>,
    // Threads that read a folder, and may find more.
    busy: usize,
}

/// A thread that reads a folder; it no longer does once this is dropped.
struct Busy<'a>(&'a Walk<'a>);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.state().busy -= 1;
        self.0.changed.notify_all();
    }
}

impl Walk<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads folder after folder until no thread can find another one.
    fn work(&self) {
        while let Some(folder) = self.next() {
            let _busy = Busy(self);
            let path = folder.path.clone();
            if let Err(error) = self.read(folder) {
                (self.see)(Err((path, error)));
            }
        }
    }

    /// A folder to read; the caller is busy from then on.
    fn next(&self) -> Option<Folder> {
        let mut state = self.state();
        loop {
            if let Some(folder) = state.folders.pop() {
                state.busy += 1;
                return Some(folder);
            }
            if state.busy == 0 {
                return None;
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn read(&self, folder: Folder) -> io::Result<()> {
        let data = fs::metadata(&folder.path)?;
        let trail = Arc::new(Trail {
            id: (data.dev(), data.ino()),
            above: folder.above,
        });
        for entry in fs::read_dir(&folder.path)? {
            let entry = entry?;
            if entry.file_name().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if let Err(error) = self.look(&entry, &trail) {
                (self.see)(Err((entry.path(), error)));
            }
        }
        Ok(())
    }

    fn look(&self, entry: &DirEntry, trail: &Arc<Trail>) -> io::Result<()> {
        let Some((path, kind)) = target(entry, trail)? else {
            return Ok(());
        };
        if !(self.takes)(&path, kind.is_dir()) {
            return Ok(());
        }
        if kind.is_dir() {
            let above = Some(trail.clone());
            self.state().folders.push(Folder { path, above });
            self.changed.notify_one();
        } else if kind.is_file() {
            (self.see)(Ok(path));
        }
        Ok(())
    }
}

/// What an entry is once links are followed; nothing if it leads back to a folder on the `trail`.
fn target(entry: &DirEntry, trail: &Trail) -> io::Result<Option<(PathBuf, FileType)>> {
    let (path, kind) = (entry.path(), entry.file_type()?);
    if !kind.is_symlink() {
        return Ok(Some((path, kind)));
    }
    let data = fs::metadata(&path)?;
    let is_loop = data.is_dir() && trail.has((data.dev(), data.ino()));
    Ok((!is_loop).then(|| (path, data.file_type())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// Files and errors below `root`, by their paths there.
    fn found(root: &Path, threads: usize, takes: Takes) -> (Vec<String>, Vec<String>) {
        let all = Mutex::new(vec![]);
        walk(root, threads, takes, &|seen| all.lock().unwrap().push(seen));
        let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
        let (mut files, mut errors) = (vec![], vec![]);
        for seen in all.into_inner().unwrap() {
            match seen {
                Ok(path) => files.push(name(&path)),
                Err((path, _)) => errors.push(name(&path)),
            }
        }
        files.sort();
        (files, errors)
    }

    fn scene() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for folder in ["a/b/c", "d", ".hidden"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for file in ["1", "a/2", "a/b/c/3", "d/4", ".hidden/5", "d/.6"] {
            fs::write(root.path().join(file), b"").unwrap();
        }
        root
    }

    #[test]
    fn each_file_is_found_once_by_any_number_of_threads() {
        let root = scene();
        for threads in [0, 1, 2, 12] {
            let (files, errors) = found(root.path(), threads, &|_, _| true);
            assert_eq!(files, ["1", "a/2", "a/b/c/3", "d/4"]);
            assert!(errors.is_empty());
        }
    }

    #[test]
    fn links_are_followed_but_not_in_circles_and_dangling_ones_are_named() {
        let root = scene();
        symlink(root.path(), root.path().join("a/b/up")).unwrap();
        symlink(root.path().join("a/b/c"), root.path().join("d/in")).unwrap();
        symlink("nowhere", root.path().join("d/lost")).unwrap();
        let (files, errors) = found(root.path(), 2, &|_, _| true);
        assert_eq!(files, ["1", "a/2", "a/b/c/3", "d/4", "d/in/3"]);
        assert_eq!(errors, ["d/lost"]);
    }

    #[test]
    fn folders_that_are_not_taken_are_not_entered() {
        let root = scene();
        let takes = |path: &Path, is_folder: bool| !(is_folder && path.ends_with("b"));
        let (files, _) = found(root.path(), 2, &takes);
        assert_eq!(files, ["1", "a/2", "d/4"]);
    }
}
