//! One run at a time in a folder and all folders below it.
//!
//! A run first takes the lock of its own folder, and only then looks for others: above it by
//! their locks in the folders that lead to it, below it while leftovers are cleared away. Of
//! two runs that start at once, one therefore sees the other. If both do, the one below gives
//! way, and the one above waits for that.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

use super::folder::Folder;
use super::lock::{self, Holder, Lock, Refusal};
use crate::error::{Error, Result};

/// How long a run waits for one below it that has just started, and gives way.
const GIVES_WAY: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(10);

/// The folders in which this run alone works.
#[derive(Debug)]
pub(super) struct Claim {
    output: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    locks: Vec<Lock>,
    // Canonical: the output folder, and folders that are reached through links.
    roots: Vec<PathBuf>,
    // Folders below them that were looked into.
    seen: HashSet<PathBuf>,
}

impl Claim {
    /// Takes `output`, whose `.rushes` is `folder`.
    ///
    /// # Errors
    /// If another run works there or in a folder above, or there are no locks.
    pub(super) fn take(folder: Folder, output: &Path) -> Result<Self> {
        let path = folder.path.join(lock::NAME);
        let lock = take(folder, output).map_err(|refusal| match refusal {
            NotTaken::Held(error) => error,
            NotTaken::Failed(error) if error.kind() == io::ErrorKind::InvalidInput => {
                super::unusable(&path, error)
            }
            NotTaken::Failed(error) => Error::usage(format!("cannot lock '{}'", path.display()))
                .because(error)
                .cure("choose an output folder with -o whose file system knows locks"),
        })?;
        let real = output.canonicalize();
        let real = real.map_err(|error| super::unusable(output, error))?;
        let held = Held {
            locks: vec![lock],
            roots: vec![real],
            seen: HashSet::new(),
        };
        Ok(Self {
            output: output.to_owned(),
            held: Mutex::new(held),
        })
    }

    /// As [`super::Journal::claim`].
    pub(super) fn extend(&self, folder: &Path) -> Result<Option<PathBuf>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(real) = canonical(folder) else {
            return Ok(None);
        };
        if let Some(root) = held.root_of(&real).map(Path::to_owned) {
            held.look_down(&root, &real)?;
            return Ok(None);
        }
        let Some((linked, root)) = self.outermost(folder, &held) else {
            return Ok(None);
        };
        let lock = Folder::make(&root)
            .map_err(NotTaken::Failed)
            .and_then(|folder| Ok((folder.is_new, take(folder, &root)?)));
        match lock {
            Ok((is_new, mut lock)) => {
                if is_new {
                    lock.make_temporary();
                }
                held.locks.push(lock);
            }
            Err(NotTaken::Held(error)) => return Err(error),
            // It may be readable only, with writable folders below it. Unique names, and the
            // comparison of files before they are renamed, still keep results apart.
            Err(NotTaken::Failed(_)) => refuse_above(&root)?,
        }
        held.look_down(&root, &real)?;
        held.roots.push(root);
        Ok(Some(linked))
    }

    /// Whether this run has claimed `folder` itself.
    pub(super) fn holds(&self, folder: &Path) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let real = folder.canonicalize();
        real.is_ok_and(|real| held.roots.contains(&real))
    }

    /// The first folder on the way from the output folder to `folder` that lies elsewhere, and
    /// its canonical path.
    fn outermost(&self, folder: &Path, held: &Held) -> Option<(PathBuf, PathBuf)> {
        let below = folder.strip_prefix(&self.output).ok()?;
        let mut path = self.output.clone();
        below.components().find_map(|name| {
            path.push(name);
            let real = path.canonicalize().ok()?;
            held.root_of(&real).is_none().then(|| (path.clone(), real))
        })
    }
}

impl Held {
    fn root_of(&self, real: &Path) -> Option<&Path> {
        let mut roots = self.roots.iter().map(PathBuf::as_path);
        roots.find(|root| real.starts_with(root))
    }

    /// Looks for other runs in the folders from below `root` down to `real`.
    fn look_down(&mut self, root: &Path, real: &Path) -> Result<()> {
        for folder in real.ancestors().take_while(|folder| *folder != root) {
            if !self.seen.insert(folder.to_owned()) {
                break;
            }
            if let Some(holder) = holder(folder) {
                return Err(lock::held(holder, folder));
            }
        }
        Ok(())
    }
}

/// Why a folder was not taken.
enum NotTaken {
    /// Another run has it.
    Held(Error),
    Failed(io::Error),
}

/// Takes the lock in `folder`, which is `.rushes` in `output`, and looks above.
fn take(folder: Folder, output: &Path) -> Result<Lock, NotTaken> {
    let is_new = folder.is_new;
    let mut taken = Lock::take(folder, lock::NAME.as_ref(), false);
    if let Err(Refusal::Failed(error)) = &taken
        && error.kind() == io::ErrorKind::NotFound
    {
        // Another run has just removed the folder.
        let folder = Folder::make(output).map_err(NotTaken::Failed)?;
        taken = Lock::take(folder, lock::NAME.as_ref(), false);
    }
    let mut lock = taken.map_err(|refusal| match refusal {
        Refusal::Held(holder) => NotTaken::Held(lock::held(holder, output)),
        Refusal::Failed(error) => NotTaken::Failed(error),
    })?;
    if let Err(error) = refuse_above(output) {
        if is_new {
            lock.make_temporary();
        }
        return Err(NotTaken::Held(error));
    }
    Ok(lock)
}

/// # Errors
/// If another run works in a folder above `folder`.
pub(super) fn refuse_above(folder: &Path) -> Result<()> {
    let Some(real) = canonical(folder) else {
        return Ok(());
    };
    // If the folder itself is missing, its first ancestor counts.
    let own = usize::from(folder.canonicalize().is_ok());
    for folder in real.ancestors().skip(own) {
        if let Some(holder) = holder(folder) {
            return Err(lock::held(holder, folder));
        }
    }
    Ok(())
}

/// The run that works in `folder`, if one does.
pub(super) fn holder(folder: &Path) -> Option<Option<Holder>> {
    lock::holder(&Folder::find(folder).ok()?, lock::NAME.as_ref())
}

/// Waits for the run in `folder`, below this run's, to give way.
///
/// # Errors
/// If it does not, since it was there first.
pub(super) fn wait_for(folder: &Path) -> Result<()> {
    let began = Instant::now();
    while let Some(holder) = holder(folder) {
        if began.elapsed() > GIVES_WAY {
            return Err(lock::held(holder, folder));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// The canonical path of `folder`, or of its first ancestor that exists.
fn canonical(folder: &Path) -> Option<PathBuf> {
    let folder = std::path::absolute(folder).ok()?;
    folder
        .ancestors()
        .find_map(|folder| folder.canonicalize().ok())
}

/// A file that this run alone writes, while this lives.
#[derive(Debug)]
pub struct FileClaim {
    _lock: Lock,
}

impl FileClaim {
    /// Takes the file `target` by a lock at `path`, which goes with it. Without locks, there is
    /// no claim: a result whose name another one has got meanwhile does not replace that.
    ///
    /// # Errors
    /// If another run writes it, or something else is at `path`.
    pub fn take(path: &Path, target: &Path) -> Result<Option<Self>> {
        match Self::lock(path) {
            Ok(lock) => Ok(Some(Self { _lock: lock })),
            Err(Refusal::Held(holder)) => Err(lock::held(holder, target)),
            Err(Refusal::Failed(error)) if error.kind() == io::ErrorKind::InvalidInput => {
                Err(super::unusable(path, error))
            }
            Err(Refusal::Failed(_)) => Ok(None),
        }
    }

    fn lock(path: &Path) -> Result<Lock, Refusal> {
        Lock::take(folder_of(path)?, file_name(path), true)
    }

    /// Removes what a killed run left of its claim at `path`; whether it did.
    pub fn clear(path: &Path) -> bool {
        let is_free = folder_of(path).is_ok_and(|folder| {
            let is_file = folder.open(file_name(path), OFlags::RDONLY).is_ok();
            is_file && lock::holder(&folder, file_name(path)).is_none()
        });
        is_free && Self::lock(path).is_ok()
    }
}

fn folder_of(path: &Path) -> io::Result<Folder> {
    Folder::at(path.parent().unwrap_or(Path::new("")))
}

fn file_name(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::error::Kind;
    use crate::journal::Journal;

    struct Scene(tempfile::TempDir);

    impl Scene {
        fn new(folders: &[&str]) -> Self {
            let scene = Self(tempfile::tempdir().unwrap());
            for folder in folders {
                fs::create_dir_all(scene.at(folder)).unwrap();
            }
            scene
        }

        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn assert_refused(&self, folder: &str, holder: &str) {
            let error = Journal::open(&self.at(folder)).unwrap_err();
            assert_eq!(error.kind(), Kind::Usage);
            let report = error.report();
            let place = self.at(holder).canonicalize().unwrap();
            for word in [
                format!("process {}", std::process::id()),
                format!("'{}'", place.display()),
            ] {
                assert!(report.contains(&word), "{report}");
            }
        }
    }

    #[test]
    fn a_run_below_another_is_refused_however_its_folder_is_named() {
        let scene = Scene::new(&["out/a/b", "else"]);
        symlink(scene.at("out/a"), scene.at("else/link")).unwrap();
        let above = Journal::open(&scene.at("out")).unwrap();
        for below in [
            "out/a",
            "out/a/b",
            "out/a/../a/b",
            "else/link",
            "else/link/b",
        ] {
            scene.assert_refused(below, "out");
        }
        // A refused run leaves nothing.
        assert!(!scene.at("out/a/.rushes").exists());
        Journal::open(&scene.at("else")).unwrap();
        drop(above);
        Journal::open(&scene.at("out/a/b")).unwrap();
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_refused_by_those_above() {
        let scene = Scene::new(&["out"]);
        refuse_above(&scene.at("out/a/b")).unwrap();
        let _above = Journal::open(&scene.at("out")).unwrap();
        refuse_above(&scene.at("out/a/b")).unwrap_err();
        refuse_above(&scene.at("out")).unwrap();
        assert!(!scene.at("out/a").exists());
    }

    #[test]
    fn a_folder_to_which_results_go_is_looked_into() {
        let scene = Scene::new(&["out/a/b"]);
        let below = Journal::open(&scene.at("out/a")).unwrap();
        let above = Journal::open(&scene.at("out")).unwrap();
        assert_eq!(above.claim(&scene.at("out/c")).unwrap(), None);
        above.claim(&scene.at("out/a/b")).unwrap_err();
        drop(below);
        wait_for(&scene.at("out/a")).unwrap();
    }

    #[test]
    fn a_linked_folder_is_taken_like_the_output_folder_and_left_without_a_trace() {
        let scene = Scene::new(&["out", "else/deep"]);
        symlink(scene.at("else"), scene.at("out/link")).unwrap();
        let journal = Journal::open(&scene.at("out")).unwrap();
        let linked = scene.at("out/link");
        assert_eq!(journal.claim(&linked.join("deep")).unwrap(), Some(linked));
        assert_eq!(journal.claim(&scene.at("out/link/new")).unwrap(), None);
        for folder in ["else", "else/deep"] {
            scene.assert_refused(folder, "else");
        }
        drop(journal);
        assert!(!scene.at("else/.rushes").exists());
        let _other = Journal::open(&scene.at("else")).unwrap();
        let journal = Journal::open(&scene.at("out")).unwrap();
        journal.claim(&scene.at("out/link/deep")).unwrap_err();
    }

    #[test]
    fn of_two_runs_that_start_at_once_no_two_get_through() {
        for _ in 0..50 {
            let scene = Scene::new(&["out"]);
            let start = std::sync::Barrier::new(2);
            let (above, below) = std::thread::scope(|scope| {
                let above = scope.spawn(|| {
                    start.wait();
                    let journal = Journal::open(&scene.at("out"))?;
                    wait_for(&scene.at("out/a"))?;
                    Ok::<_, Error>(journal)
                });
                let below = scope.spawn(|| {
                    start.wait();
                    Journal::open(&scene.at("out/a"))
                });
                (above.join().unwrap(), below.join().unwrap())
            });
            assert!(above.is_ok() != below.is_ok(), "{above:?} {below:?}");
        }
    }

    #[test]
    fn a_file_is_written_by_one_run_and_the_claim_of_a_killed_one_goes() {
        let scene = Scene::new(&["out"]);
        let (lock, film) = (
            scene.at("out/.film.mp4.rushes-lock"),
            scene.at("out/film.mp4"),
        );
        let first = FileClaim::take(&lock, &film).unwrap();
        let report = FileClaim::take(&lock, &film).unwrap_err().report();
        assert!(report.contains("film.mp4': process"), "{report}");
        assert!(!FileClaim::clear(&lock));
        drop(first);
        assert!(!lock.exists() && !FileClaim::clear(&lock));
        fs::write(&lock, b"left by a killed run").unwrap();
        assert!(FileClaim::clear(&lock) && !lock.exists());
    }
}
