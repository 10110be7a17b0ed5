//! A result being written: a hidden temporary name beside the final one.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::hidden::{ASIDE, PART, READY, hidden_name, unique_name};
use super::leftovers::{clear_parts_of, put_back};
use super::name;
use super::opened::{self, FileId, is_at};
use crate::engine::Watch;
use crate::error::{Error, Result};
use crate::journal::Content;

/// Lets `write` fill a temporary file and gives that the name `target`, under which a file may
/// be only with `overwrite`.
///
/// # Errors
/// What `write` fails with, or why the file cannot be put in place; then nothing is left behind.
pub fn place(
    target: &Path,
    overwrite: bool,
    write: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    name::check(target, false, overwrite)?;
    clear_parts_of(target);
    let part = Part::begin(target, false)?;
    write(&part.path)?;
    part.finish(target, overwrite)
}

/// Puts `bytes` in place as `target`, whatever file has that name.
///
/// # Errors
/// As [`place`].
pub fn place_bytes(target: &Path, bytes: &[u8]) -> Result<()> {
    name::check(target, false, true)?;
    clear_parts_of(target);
    let part = Part::begin(target, false)?;
    part.write(bytes)
        .map_err(|error| unwritable(target, error))?;
    part.finish(target, true)
}

/// A result being written under a temporary name that no other run uses; removed unless finished.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    // As it was created: only this gets the final name.
    file: File,
    is_placed: bool,
}

impl Part {
    pub(super) fn begin(target: &Path, folder: bool) -> Result<Self> {
        let prepare = || -> io::Result<Self> {
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            restore(target)?;
            // Shows at once, with the system's own reason, whether the folder can be written to.
            Self::create(target, folder)
        };
        prepare().map_err(|error| unwritable(target, error))
    }

    fn create(target: &Path, folder: bool) -> io::Result<Self> {
        loop {
            let path = unique_name(target, PART);
            match opened::create(&path, folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                created => {
                    return Ok(Self {
                        path,
                        file: created?,
                        is_placed: false,
                    });
                }
            }
        }
    }

    /// The file at `path`, which is moved beside `target`.
    pub(super) fn take(path: &Path, target: &Path) -> Result<Self> {
        let take = || -> io::Result<Self> {
            let file = opened::open(path, 0)?;
            let part = unique_name(target, PART);
            name::rename_to_free(path, &part)?;
            Ok(Self {
                path: part,
                file,
                is_placed: false,
            })
        };
        take().map_err(|error| unwritable(target, error))
    }

    /// The file or folder itself, whatever has its name.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    pub(super) fn size(&self) -> io::Result<u64> {
        let data = self.file.metadata()?;
        if !data.is_dir() {
            return Ok(data.len());
        }
        fs::read_dir(&self.path)?
            .map(|entry| Ok(entry?.metadata()?.len()))
            .sum()
    }

    /// What shows later whether it is still the same.
    ///
    /// # Errors
    /// Where it cannot be read, and where the job is to stop.
    pub(super) fn content(&self, watch: &Watch) -> Result<Content> {
        let mut go_on = |_| !watch.cancel().is_set() && !watch.is_over();
        Content::of(&self.file, &self.path, &mut go_on).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Error::interrupted(),
            _ => Error::failed(format!("cannot read '{}'", self.path.display())).because(error),
        })
    }

    /// Makes sure that its name still leads to what was created under it.
    ///
    /// # Errors
    /// If another program has removed or replaced it.
    pub(super) fn check(&self) -> Result<()> {
        match is_at(&self.file, &self.path) {
            Ok(true) => Ok(()),
            Ok(false) => Err(meddled(&self.path)),
            Err(error) => Err(unwritable(&self.path, error)),
        }
    }

    /// Makes the result durable, gives it its final name, and makes that durable.
    ///
    /// # Errors
    /// If the system fails, or it may not get its name: see [`name::take`].
    pub(super) fn finish(mut self, target: &Path, overwrite: bool) -> Result<()> {
        self.sync().map_err(|error| unwritable(target, error))?;
        self.check()?;
        name::take(&self.path, target, overwrite)?;
        self.is_placed = true;
        let failed = |error| unwritable(target, error);
        let id = FileId::from(&self.file.metadata().map_err(failed)?);
        match is_at(&self.file, target) {
            Ok(true) => name::keep(target, id, |path| sync_parent(path, Some(&self.file))),
            Ok(false) => Err(meddled(target)),
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes the result durable under a name at which it waits to take its source's place.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub(super) fn wait_for(self, target: &Path) -> Result<PathBuf> {
        let ready = unique_name(target, READY);
        self.finish(&ready, false)?;
        Ok(ready)
    }

    fn sync(&self) -> io::Result<()> {
        if self.file.metadata()?.is_dir() {
            for entry in fs::read_dir(&self.path)? {
                File::open(entry?.path())?.sync_all()?;
            }
        }
        self.file.sync_all()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.is_placed {
            return;
        }
        let is_own = is_at(&self.file, &self.path).unwrap_or(false);
        // The system may hold on to a removed file for a while (a sandbox does, around a process
        // that has just ended), and the next job wants the space.
        if self.file.metadata().is_ok_and(|data| data.is_file()) {
            let _ = self.file.set_len(0);
        }
        if is_own {
            let _ = remove(&self.path);
        }
    }
}

pub(super) fn unwritable(target: &Path, error: io::Error) -> Error {
    Error::failed(format!("cannot write '{}'", target.display())).because(error)
}

/// What to report where a name leads to something else than was written there.
pub(super) fn meddled(path: &Path) -> Error {
    let shown = path.display();
    let error = match fs::symlink_metadata(path) {
        Ok(_) => Error::failed(format!(
            "another program replaced '{shown}' while rushes wrote it"
        )),
        Err(error) => Error::failed(format!(
            "another program removed '{shown}' while rushes wrote it"
        ))
        .because(error),
    };
    error.cure("find out which program writes there, and run the same command again")
}

/// Removes a file or a folder; one that is not there is no error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let result = match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Puts back an old folder that a kill left aside, or removes it where the new one came in.
fn restore(target: &Path) -> io::Result<()> {
    let aside = hidden_name(target, ASIDE);
    match aside.symlink_metadata() {
        Ok(_) => put_back(&aside, target),
        Err(_) => Ok(()),
    }
}

/// Makes the name `path` durable, which may be that of `file`.
pub(super) fn sync_parent(path: &Path, file: Option<&File>) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    match synced {
        // The folder may not be read, or cannot be made durable: the file's own name may be
        // with it, as most file systems do.
        Err(error) if is_refusal(&error) => file.map_or(Ok(()), File::sync_all),
        synced => synced,
    }
}

fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::delivery::sweep;
    use crate::journal::Known;

    fn names(root: &Path) -> Vec<String> {
        let entries = fs::read_dir(root).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    #[test]
    fn two_parts_of_one_target_are_two_files_and_neither_sweeps_the_other() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("a.mp4");
        let [first, second] = [1, 2].map(|_| Part::begin(&target, false).unwrap());
        first.write(b"first").unwrap();
        second.write(b"second").unwrap();
        #[cfg(target_os = "linux")]
        {
            sweep(root.path(), &Known::default());
            clear_parts_of(&target);
        }
        assert_eq!(names(root.path()).len(), 2);
        first.finish(&target, false).unwrap();
        let report = second.finish(&target, false).unwrap_err().to_string();
        assert!(report.contains("appeared"), "{report}");
        assert_eq!(fs::read(&target).unwrap(), b"first");
        assert_eq!(names(root.path()), ["a.mp4"]);
    }

    #[test]
    fn what_a_killed_run_left_of_a_file_goes_when_that_is_written_again() {
        let root = tempfile::tempdir().unwrap();
        let kept = [
            ".a.mp4.b.0123abcd.rushes-part",
            ".b.mp4.0123abcd.rushes-part",
        ];
        for name in [".a.mp4.0123abcd.rushes-part", kept[0], kept[1]] {
            fs::write(root.path().join(name), b"half").unwrap();
        }
        place_bytes(&root.path().join("a.mp4"), b"whole").unwrap();
        assert_eq!(names(root.path()), [kept[0], kept[1], "a.mp4"]);
    }

    #[test]
    fn what_was_exchanged_gets_no_name_and_a_file_behind_a_link_is_not_touched() {
        let root = tempfile::tempdir().unwrap();
        let [target, victim] = ["a.mp4", "victim"].map(|name| root.path().join(name));
        type Meddle = fn(&Path, &Path);
        let meddlers: [Meddle; 3] = [
            |part, victim| symlink(victim, part).unwrap(),
            |part, victim| fs::hard_link(victim, part).unwrap(),
            |_, _| {},
        ];
        for meddle in meddlers {
            fs::write(&victim, b"precious").unwrap();
            let part = Part::begin(&target, false).unwrap();
            part.check().unwrap();
            fs::remove_file(&part.path).unwrap();
            meddle(&part.path, &victim);
            part.write(b"result").unwrap();
            part.check().unwrap_err();
            let report = part.finish(&target, true).unwrap_err().report();
            assert!(report.contains("another program"), "{report}");
            assert_eq!(fs::read(&victim).unwrap(), b"precious");
            assert!(!target.exists());
        }
    }

    #[test]
    fn an_old_folder_is_replaced_whole_and_comes_back_after_a_kill_in_between() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("pictures");
        let fill = |folder: &Path, name: &str| {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(name), b"x").unwrap();
        };
        fill(&target, "000001.jpg");
        fill(&root.path().join("new"), "000002.jpg");
        name::take(&root.path().join("new"), &target, true).unwrap();
        assert!(target.join("000002.jpg").exists() && !target.join("000001.jpg").exists());
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);

        // As a kill leaves it that comes after the old one stepped aside.
        fs::rename(&target, hidden_name(&target, ASIDE)).unwrap();
        let part = Part::begin(&target, true).unwrap();
        assert!(target.join("000002.jpg").exists());
        drop(part);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
    }
}
