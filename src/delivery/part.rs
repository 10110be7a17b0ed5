//! A result being written: a hidden temporary name beside the final one.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::leftovers::put_back;
use super::name;
use crate::error::{Error, Result};

/// Marks names that are being written; a leading dot hides them.
pub(super) const PART: &str = ".rushes-part";

/// Marks a second attempt at the same target.
pub(super) const SECOND: &str = ".rushes-part2";

/// Marks an old folder while a new one takes its place.
pub(super) const ASIDE: &str = ".rushes-old";

/// Marks a whole result that waits to take its source's place.
pub(super) const READY: &str = ".rushes-ready";

/// The longest name that file systems take.
pub(super) const LONGEST: usize = 255;

/// Lets `write` fill a temporary file and gives that the name `target`.
///
/// # Errors
/// What `write` fails with, or why the file cannot be put in place; then nothing is left behind.
pub fn place(target: &Path, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    name::check(target, false, true)?;
    let part = Part::begin(target, false)?;
    write(&part.path)?;
    part.finish(target, true)
}

/// Puts `bytes` in place as `target`.
///
/// # Errors
/// As [`place`].
pub fn place_bytes(target: &Path, bytes: &[u8]) -> Result<()> {
    place(target, |part| {
        fs::write(part, bytes).map_err(|error| unwritable(target, error))
    })
}

/// A result being written under a temporary name; removed unless finished.
pub(super) struct Part {
    pub(super) path: PathBuf,
}

impl Part {
    pub(super) fn begin(target: &Path, folder: bool) -> Result<Self> {
        let part = Self {
            path: hidden_name(target, PART),
        };
        let prepare = || -> io::Result<()> {
            if let Some(parent) = target.parent() {
                fs::create_dir_all(parent)?;
            }
            remove(&part.path)?;
            restore(target)?;
            // Shows at once, with the system's own reason, whether the folder can be written to.
            if folder {
                fs::create_dir(&part.path)
            } else {
                File::create(&part.path).map(drop)
            }
        };
        prepare().map_err(|error| unwritable(target, error))?;
        Ok(part)
    }

    /// A second one for the same target, while the first is still there.
    pub(super) fn begin_beside(target: &Path) -> Result<Self> {
        let part = Self {
            path: hidden_name(target, SECOND),
        };
        let prepare = || {
            remove(&part.path)?;
            File::create(&part.path).map(drop)
        };
        prepare().map_err(|error| unwritable(target, error))?;
        Ok(part)
    }

    /// Makes the result durable, gives it its final name, and makes that durable.
    ///
    /// # Errors
    /// Where the system fails, or it may not get its name: see [`name::take`].
    pub(super) fn finish(self, target: &Path, overwrite: bool) -> Result<()> {
        let failed = |error| unwritable(target, error);
        sync(&self.path).map_err(failed)?;
        name::take(&self.path, target, overwrite)?;
        match target.parent() {
            Some(folder) => sync_folder(folder).map_err(failed),
            None => Ok(()),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // After a rename there is nothing of this name.
        let _ = give_back_space(&self.path);
        let _ = remove(&self.path);
    }
}

/// Empties a file that is about to be removed: the system may hold on to it for a
/// while after that (a fence does, around a process that has just ended), and the
/// next job wants the space.
fn give_back_space(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).custom_flags(libc::O_NOFOLLOW);
    if fs::symlink_metadata(path)?.is_file() {
        options.open(path)?.set_len(0)?;
    }
    Ok(())
}

pub(super) fn unwritable(target: &Path, error: io::Error) -> Error {
    Error::failed(format!("cannot write '{}'", target.display())).because(error)
}

/// `out/a.mp4` → `out/.a.mp4.rushes-part`, shortened where the name would get too long.
pub(super) fn hidden_name(target: &Path, mark: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default();
    let mut hidden = OsString::from(".");
    if name.len() + mark.len() + 1 > LONGEST {
        hidden.push(format!(
            "{:016x}",
            xxhash_rust::xxh3::xxh3_64(name.as_encoded_bytes())
        ));
    } else {
        hidden.push(name);
    }
    hidden.push(mark);
    target.with_file_name(hidden)
}

/// `out/.a.mp4.rushes-part` → `out/a.mp4`, where the name is such a one.
pub(super) fn shown_name(hidden: &Path, mark: &str) -> Option<PathBuf> {
    let name = hidden.file_name()?.as_bytes();
    let name = name.strip_prefix(b".")?.strip_suffix(mark.as_bytes())?;
    (!name.is_empty()).then(|| hidden.with_file_name(OsStr::from_bytes(name)))
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

fn sync(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        return File::open(path)?.sync_all();
    }
    for entry in fs::read_dir(path)? {
        File::open(entry?.path())?.sync_all()?;
    }
    sync_folder(path)
}

pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    File::open(folder)?.sync_all()
}

pub(super) fn size_of(path: &Path) -> io::Result<u64> {
    if !path.is_dir() {
        return Ok(fs::metadata(path)?.len());
    }
    fs::read_dir(path)?
        .map(|entry| Ok(entry?.metadata()?.len()))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stands_hidden_beside_its_target() {
        assert_eq!(
            hidden_name(Path::new("out/a.mp4"), PART),
            Path::new("out/.a.mp4.rushes-part")
        );
    }

    #[test]
    fn a_hidden_name_tells_its_target_and_others_tell_none() {
        let shown = |name| shown_name(Path::new(name), PART);
        assert_eq!(
            shown("out/.a.mp4.rushes-part"),
            Some(PathBuf::from("out/a.mp4"))
        );
        for name in [
            ".rushes-part",
            "a.mp4.rushes-part",
            ".a.mp4",
            ".a.mp4.rushes-part2",
        ] {
            assert_eq!(shown(name), None, "{name}");
        }
    }

    #[test]
    fn a_part_of_the_longest_name_is_no_longer_than_a_name_may_be() {
        let target = PathBuf::from("out").join("x".repeat(255));
        assert!(hidden_name(&target, PART).file_name().unwrap().len() <= 255);
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
