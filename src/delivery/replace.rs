//! A result takes its source's place: `--replace`.
//!
//! The order keeps both at any moment, whenever a kill or a power loss comes:
//! the verified result waits under a hidden name; the journal learns what is
//! about to be there; the result gets its name; the source goes to the trash.
//! Where that name is the source's own, the source first gets a second, hidden
//! one. Before the result has its name, the journal's line describes a file
//! that is not there, and says nothing.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::before::{before_name, free_name};
use super::hidden::hidden_name;
use super::name;
use super::opened::FileId;
use super::part::{self, meddled, sync_parent, unwritable};
use crate::error::{Error, Result};
use crate::journal::Stamp;

/// Marks a source that stepped aside for the result that gets its name.
pub(super) const SOURCE: &str = ".rushes-source";

/// The way into the trash, which tests replace.
pub type Trash<'a> = &'a (dyn Fn(&Path) -> Result<()> + Sync);

/// A result that waits, and the source whose place it is to take.
#[derive(Debug, Clone, Copy)]
pub struct Replacement<'a> {
    /// The source.
    pub source: &'a Path,
    /// The source as it was when the work was planned.
    pub stamp: Stamp,
    /// Where the result waits.
    pub ready: &'a Path,
    /// The result's name; it may be the source's.
    pub target: &'a Path,
    /// Whether the source is kept beside the result.
    pub keep: bool,
    /// Whether an outdated result of that name may be overwritten.
    pub overwrite: bool,
}

/// What became of a source and its replacement.
#[derive(Debug)]
pub struct Replaced {
    /// Where the result is.
    pub target: PathBuf,
    /// Why the source is still there, where it was to go.
    pub stayed: Option<Error>,
}

impl Replacement<'_> {
    /// Puts the result in place, and its source into the `trash` unless that is
    /// kept. `record` is told where the result is about to be, and how it looks.
    ///
    /// # Errors
    /// Where the result cannot be put in place; the source is then where it was.
    pub fn take_place(
        &self,
        record: impl FnOnce(&Path, Stamp) -> Result<()>,
        trash: Trash,
    ) -> Result<Replaced> {
        let placed = self.place(record);
        if placed.is_err() {
            let _ = part::remove(self.ready);
        }
        let (target, leaving) = placed?;
        let stayed = match leaving {
            Leaving::Nothing => None,
            Leaving::Source => trash(self.source).err(),
            Leaving::Aside(aside) => retire(&aside, self.source, trash).err(),
        };
        Ok(Replaced { target, stayed })
    }

    fn place(&self, record: impl FnOnce(&Path, Stamp) -> Result<()>) -> Result<(PathBuf, Leaving)> {
        let in_place = self.source == self.target;
        let failed = |error| unwritable(self.target, error);
        self.check_source(self.source)?;
        let target = match (in_place, self.keep) {
            (true, true) => free_name(self.target),
            _ => self.target.to_owned(),
        };
        let may_overwrite = self.overwrite || in_place && !self.keep;
        if !may_overwrite && target.symlink_metadata().is_ok() {
            return Err(name::appeared(&target));
        }
        let result = FileId::at(self.ready).map_err(failed)?;
        record(&target, Stamp::of(self.ready).map_err(failed)?)?;
        let leaving = match (in_place, self.keep) {
            (_, true) => Leaving::Nothing,
            (false, false) => Leaving::Source,
            (true, false) => Leaving::Aside(step_aside(self.source).map_err(failed)?),
        };
        let placed = self.give_name(&target, &leaving, result);
        if let (Err(_), Leaving::Aside(aside)) = (&placed, &leaving) {
            let _ = come_back(aside, self.source);
        }
        placed.map(|()| (target, leaving))
    }

    /// Gives the `result` its name, of which nothing else goes but what is to go.
    fn give_name(&self, target: &Path, leaving: &Leaving, result: FileId) -> Result<()> {
        match leaving {
            Leaving::Aside(aside) => {
                self.check_source(aside)?;
                let taken = name::take_from(self.ready, target, aside);
                taken.map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => self.changed(),
                    _ => unwritable(target, error),
                })?;
            }
            Leaving::Nothing | Leaving::Source => name::take(self.ready, target, self.overwrite)?,
        }
        if FileId::at(target).ok() != Some(result) {
            return Err(meddled(target));
        }
        name::keep(target, result, |path| sync_parent(path, None))
    }

    /// # Errors
    /// If the source, which is at `path`, is not what it was.
    fn check_source(&self, path: &Path) -> Result<()> {
        match Stamp::of(path).ok() == Some(self.stamp) {
            true => Ok(()),
            false => Err(self.changed()),
        }
    }

    fn changed(&self) -> Error {
        let shown = self.source.display();
        Error::failed(format!("'{shown}' has changed meanwhile"))
            .cure("run the same command again once nothing writes to it")
    }
}

/// What has to go to the trash.
enum Leaving {
    Nothing,
    Source,
    Aside(PathBuf),
}

/// Gives a source a second, hidden name, so that its own one can be taken at
/// once. Where the file system knows no second names, it is moved.
fn step_aside(source: &Path) -> io::Result<PathBuf> {
    let aside = hidden_name(source, SOURCE);
    match fs::hard_link(source, &aside) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => name::rename_to_free(source, &aside)?,
        Ok(()) => {}
    }
    if let Err(error) = sync_parent(source, None) {
        let _ = come_back(&aside, source);
        return Err(error);
    }
    Ok(aside)
}

/// Undoes what a kill or an error left of a source's stepping aside: it comes
/// back where nothing has its name, and is shown under another one where its
/// replacement has. That it is done with, the next plan finds.
pub(super) fn come_back(aside: &Path, source: &Path) -> io::Result<()> {
    match (aside.symlink_metadata(), source.symlink_metadata()) {
        (Ok(_), Err(_)) => fs::rename(aside, source),
        // Two names of one file.
        (Ok(a), Ok(b)) if (a.dev(), a.ino()) == (b.dev(), b.ino()) => fs::remove_file(aside),
        (Ok(_), Ok(_)) => fs::rename(aside, before_name(source)),
        (Err(error), _) => Err(error),
    }
}

/// Puts a source that stepped aside into the trash, under a name that tells what it is.
fn retire(aside: &Path, source: &Path, trash: Trash) -> Result<()> {
    let shown = before_name(source);
    fs::rename(aside, &shown).map_err(|error| still_aside(aside, error))?;
    sync_parent(source, None).map_err(|error| unwritable(&shown, error))?;
    trash(&shown)
}

/// Names the hidden place of a source whose name its result has.
fn still_aside(aside: &Path, error: io::Error) -> Error {
    Error::failed(format!(
        "the source is '{}' and cannot be moved",
        aside.display()
    ))
    .because(error)
    .cure("run the same command again: it moves the source to the trash")
}

/// Moves a file to the trash, by the rules of the system's desktop, which need
/// not be there.
///
/// # Errors
/// Where there is no trash for it; then it is where it was.
pub fn to_trash(path: &Path) -> Result<()> {
    let shown = path.display();
    // The name as it is: its last part may be a link.
    let path = std::path::absolute(path)
        .map_err(|error| Error::failed(format!("cannot find '{shown}'")).because(error))?;
    trash::delete(&path).map_err(|error| {
        Error::failed(format!("'{shown}' is still there: it cannot be moved to the trash"))
            .because(error.to_string())
            .cure("see that $HOME, or the disk that it is on, can be written to, and run the same command again")
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::before::is_stepped_aside;
    use super::*;
    use crate::delivery::hidden::{READY, unique_name};
    use crate::delivery::sweep;
    use crate::journal::Known;

    /// A folder with a source, a waiting result, and a trash.
    struct Scene {
        root: tempfile::TempDir,
        source: PathBuf,
        target: PathBuf,
        ready: PathBuf,
        trashed: Mutex<Vec<(String, String)>>,
        recorded: Mutex<Vec<PathBuf>>,
    }

    impl Scene {
        fn new(source: &str, target: &str) -> Self {
            let root = tempfile::tempdir().unwrap();
            let (source, target) = (root.path().join(source), root.path().join(target));
            fs::write(&source, b"source").unwrap();
            let ready = unique_name(&target, READY);
            fs::write(&ready, b"the result").unwrap();
            Self {
                root,
                source,
                target,
                ready,
                trashed: Mutex::default(),
                recorded: Mutex::default(),
            }
        }

        fn replacement(&self, keep: bool) -> Replacement<'_> {
            Replacement {
                source: &self.source,
                stamp: Stamp::of(&self.source).unwrap(),
                ready: &self.ready,
                target: &self.target,
                keep,
                overwrite: false,
            }
        }

        fn trash(&self, path: &Path) -> Result<()> {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(path).unwrap();
            fs::remove_file(path).unwrap();
            self.trashed.lock().unwrap().push((name, text));
            Ok(())
        }

        fn run(&self, keep: bool) -> Result<Replaced> {
            let record = |path: &Path, stamp: Stamp| {
                // Nothing has happened yet.
                assert_eq!(fs::read(&self.source).unwrap(), b"source");
                assert_eq!(stamp.size, 10);
                self.recorded.lock().unwrap().push(path.to_owned());
                Ok(())
            };
            self.replacement(keep)
                .take_place(record, &|path| self.trash(path))
        }

        /// All files by name with their text.
        fn files(&self) -> Vec<(String, String)> {
            let mut files: Vec<_> = fs::read_dir(self.root.path())
                .unwrap()
                .map(|entry| {
                    let entry = entry.unwrap();
                    let name = entry.file_name().into_string().unwrap();
                    (name, fs::read_to_string(entry.path()).unwrap())
                })
                .collect();
            files.sort();
            files
        }
    }

    fn file(name: &str, text: &str) -> (String, String) {
        (name.to_owned(), text.to_owned())
    }

    #[test]
    fn a_source_goes_once_its_result_of_another_name_is_in_place() {
        let scene = Scene::new("a.mov", "a.mp4");
        assert!(scene.run(false).unwrap().stayed.is_none());
        assert_eq!(scene.files(), [file("a.mp4", "the result")]);
        assert_eq!(*scene.trashed.lock().unwrap(), [file("a.mov", "source")]);
        assert_eq!(
            scene.recorded.lock().unwrap().as_slice(),
            std::slice::from_ref(&scene.target)
        );
    }

    #[test]
    fn a_source_whose_name_is_taken_goes_under_a_telling_one() {
        let scene = Scene::new("a.mp4", "a.mp4");
        assert!(scene.run(false).unwrap().stayed.is_none());
        assert_eq!(scene.files(), [file("a.mp4", "the result")]);
        let trashed = scene.trashed.lock().unwrap();
        assert_eq!(*trashed, [file("a (before rushes).mp4", "source")]);
    }

    #[test]
    fn a_source_that_is_kept_keeps_its_name() {
        let scene = Scene::new("a.mp4", "a.mp4");
        let replaced = scene.run(true).unwrap();
        assert_eq!(replaced.target, scene.root.path().join("a (2).mp4"));
        let files = [file("a (2).mp4", "the result"), file("a.mp4", "source")];
        assert_eq!(scene.files(), files);
        let scene = Scene::new("a.mov", "a.mp4");
        scene.run(true).unwrap();
        let files = [file("a.mov", "source"), file("a.mp4", "the result")];
        assert_eq!(scene.files(), files);
        assert!(scene.trashed.lock().unwrap().is_empty());
    }

    #[test]
    fn without_a_trash_both_are_there_and_that_is_told() {
        for (source, shown) in [("a.mov", "a.mov"), ("a.mp4", "a (before rushes).mp4")] {
            let scene = Scene::new(source, "a.mp4");
            let replacement = scene.replacement(false);
            let full = |_: &Path| Err(Error::failed("full"));
            let replaced = replacement.take_place(|_, _| Ok(()), &full).unwrap();
            assert!(replaced.stayed.is_some());
            let mut files = [file("a.mp4", "the result"), file(shown, "source")];
            files.sort();
            assert_eq!(scene.files(), files);
        }
    }

    #[test]
    fn a_journal_that_cannot_be_written_leaves_the_source_as_it_was() {
        for target in ["a.mp4", "a.mov"] {
            let scene = Scene::new("a.mov", target);
            let full = |_: &Path, _| Err(Error::failed("full"));
            let replacement = scene.replacement(false);
            replacement
                .take_place(full, &|path| scene.trash(path))
                .unwrap_err();
            assert_eq!(scene.files(), [file("a.mov", "source")]);
        }
    }

    #[test]
    fn a_source_or_a_target_that_has_changed_meanwhile_is_not_touched() {
        let scene = Scene::new("a.mov", "a.mp4");
        let replacement = scene.replacement(false);
        fs::write(&scene.source, b"another source").unwrap();
        let record = |_: &Path, _| Ok(());
        replacement
            .take_place(record, &|path| scene.trash(path))
            .unwrap_err();
        assert_eq!(scene.files(), [file("a.mov", "another source")]);

        let scene = Scene::new("a.mov", "a.mp4");
        fs::write(&scene.target, b"somebody's").unwrap();
        scene.run(false).unwrap_err();
        let files = [file("a.mov", "source"), file("a.mp4", "somebody's")];
        assert_eq!(scene.files(), files);
    }

    #[test]
    fn what_appears_at_the_last_moment_is_neither_overwritten_nor_taken_for_the_source() {
        // Both after all has been looked at: while the journal is written.
        for target in ["a.mp4", "b.mp4"] {
            let scene = Scene::new("a.mp4", target);
            let record = |path: &Path, _| {
                let _ = fs::remove_file(path);
                fs::write(path, b"somebody's").unwrap();
                Ok(())
            };
            let replacement = scene.replacement(false);
            replacement
                .take_place(record, &|path| scene.trash(path))
                .unwrap_err();
            let mut files = vec![file(target, "somebody's")];
            if target != "a.mp4" {
                files.insert(0, file("a.mp4", "source"));
            }
            assert_eq!(scene.files(), files);
            assert!(scene.trashed.lock().unwrap().is_empty());
        }
    }

    #[test]
    fn a_kill_before_the_result_has_its_name_leaves_the_source_alone() {
        // While the result waits.
        let scene = Scene::new("a.mp4", "a.mp4");
        sweep(scene.root.path(), &Known::default());
        assert_eq!(scene.files(), [file("a.mp4", "source")]);
        // Once the source has a second name.
        let scene = Scene::new("a.mp4", "a.mp4");
        step_aside(&scene.source).unwrap();
        assert_eq!(scene.files().len(), 3);
        sweep(scene.root.path(), &Known::default());
        assert_eq!(scene.files(), [file("a.mp4", "source")]);
        // Once it was moved, where there are no second names.
        let scene = Scene::new("a.mp4", "a.mp4");
        fs::rename(
            &scene.source,
            scene.root.path().join(".a.mp4.rushes-source"),
        )
        .unwrap();
        sweep(scene.root.path(), &Known::default());
        assert_eq!(scene.files(), [file("a.mp4", "source")]);
    }

    #[test]
    fn a_kill_once_the_result_has_its_name_leaves_both() {
        let scene = Scene::new("a.mp4", "a.mp4");
        step_aside(&scene.source).unwrap();
        fs::rename(&scene.ready, &scene.target).unwrap();
        sweep(scene.root.path(), &Known::default());
        let files = [
            file("a (before rushes).mp4", "source"),
            file("a.mp4", "the result"),
        ];
        assert_eq!(scene.files(), files);
        assert!(is_stepped_aside(
            &scene.root.path().join("a (before rushes).mp4")
        ));
        // Another one does not overwrite it.
        fs::write(scene.root.path().join(".a.mp4.rushes-source"), b"second").unwrap();
        sweep(scene.root.path(), &Known::default());
        assert_eq!(
            scene.files()[0],
            file("a (before rushes) (2).mp4", "second")
        );
    }
}
