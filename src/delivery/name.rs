//! The name that a result gets, and what stands there already: what never goes, and what
//! goes only where that was asked for.

use std::fs;
use std::io;
use std::path::Path;

use super::hidden::{ASIDE, hidden_name};
use super::opened::FileId;
use super::part::{remove, unwritable};
use super::pictures;
use crate::error::{Error, Result};

/// Whether a result, a folder or a file, may get the name `target`. With `overwrite`, one of
/// its kind may be there. Looked at before the work, and once more after it.
///
/// # Errors
/// Where something stands there that is to stay.
pub(super) fn check(target: &Path, folder: bool, overwrite: bool) -> Result<()> {
    let Ok(there) = target.symlink_metadata() else {
        return Ok(());
    };
    let shown = target.display();
    let kept = match (there.is_dir(), folder) {
        _ if !overwrite => return Err(appeared(target)),
        (false, false) => return Ok(()),
        (true, false) => format!("'{shown}' is a folder, and a file is to get its name"),
        (false, true) => format!("'{shown}' is no folder, and one is to get its name"),
        (true, true) => match pictures::stranger_in(target) {
            Ok(None) => return Ok(()),
            Ok(Some(name)) => {
                format!("'{shown}' holds '{name}', which is no picture of such a folder")
            }
            Err(error) => return Err(unwritable(target, error)),
        },
    };
    Err(Error::failed(kept).cure("move it away, or write to another folder (--output)"))
}

/// Gives `part`, a folder or a file, the name `target`, as [`check`] allows it. A file
/// replaces another at once; a folder cannot, so an old one steps aside and goes once the
/// new one is in place.
///
/// # Errors
/// As [`check`], or why it cannot be named so.
pub(super) fn take(part: &Path, target: &Path, overwrite: bool) -> Result<()> {
    let folder = part.is_dir();
    check(target, folder, overwrite)?;
    let failed = |error| unwritable(target, error);
    if !overwrite {
        return match rename_to_free(part, target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(appeared(target)),
            renamed => renamed.map_err(failed),
        };
    }
    match folder && target.is_dir() {
        true => replace_folder(part, target).map_err(failed),
        false => fs::rename(part, target).map_err(failed),
    }
}

/// Why a result does not get a name that was free when the work was planned.
pub(super) fn appeared(target: &Path) -> Error {
    Error::failed(format!("'{}' has appeared meanwhile", target.display()))
        .cure("move it away, and run the same command again")
}

/// Makes the name of `file` durable by `sync`; otherwise takes it back. A later run then writes
/// the file again, instead of finding one that nobody knows.
///
/// # Errors
/// Why it is not durable.
pub(super) fn keep(
    target: &Path,
    file: FileId,
    sync: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<()> {
    let Err(error) = sync(target) else {
        return Ok(());
    };
    if FileId::at(target).is_ok_and(|there| there == file) {
        let _ = remove(target);
    }
    let shown = target.display();
    Err(Error::failed(format!(
        "'{shown}' could not be stored durably, so it is not kept"
    ))
    .because(error)
    .cure("check the disk, and run the same command again"))
}

/// Renames, where nothing has the new name: not even what came a moment ago, as far as the
/// file system can tell.
pub(super) fn rename_to_free(part: &Path, target: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        match renameat_with(CWD, part, CWD, target, RenameFlags::NOREPLACE) {
            Err(error) if is_unknown(error) => {}
            renamed => return Ok(renamed?),
        }
    }
    // A second name is not given to two files, either.
    match fs::hard_link(part, target) {
        Ok(()) => return fs::remove_file(part),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
        Err(_) => {}
    }
    match target.symlink_metadata() {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(part, target),
    }
}

/// Gives `part` the name of `source`, a file that is also named `aside` or was moved there.
///
/// # Errors
/// If another file has that name by now, which then keeps it.
pub(super) fn take_from(part: &Path, source: &Path, aside: &Path) -> io::Result<()> {
    let is_source =
        |path: &Path| -> io::Result<bool> { Ok(FileId::at(path)? == FileId::at(aside)?) };
    if source.symlink_metadata().is_err() {
        return rename_to_free(part, source);
    }
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let exchange = || renameat_with(CWD, part, CWD, source, RenameFlags::EXCHANGE);
        match exchange() {
            Err(error) if is_unknown(error) => {}
            Err(error) => return Err(error.into()),
            // A second name of the source, which is not needed.
            Ok(()) if is_source(part)? => return fs::remove_file(part),
            Ok(()) => {
                exchange()?;
                return Err(io::ErrorKind::AlreadyExists.into());
            }
        }
    }
    match is_source(source)? {
        true => fs::rename(part, source),
        false => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

/// Whether a file system does not know a kind of renaming.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn is_unknown(error: rustix::io::Errno) -> bool {
    use rustix::io::Errno;
    matches!(error, Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
}

fn replace_folder(part: &Path, target: &Path) -> io::Result<()> {
    let aside = hidden_name(target, ASIDE);
    remove(&aside)?;
    fs::rename(target, &aside)?;
    if let Err(error) = fs::rename(part, target) {
        fs::rename(&aside, target)?;
        return Err(error);
    }
    remove(&aside)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A folder with a new file, a new folder of pictures, and what `there` makes.
    fn scene(there: impl Fn(&Path)) -> (tempfile::TempDir, [PathBuf; 2], PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("new file");
        fs::write(&file, b"new").unwrap();
        let folder = root.path().join("new folder");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("000001.jpg"), b"new").unwrap();
        let target = root.path().join("target");
        there(&target);
        (root, [file, folder], target)
    }

    #[test]
    fn what_appeared_stays_unless_it_may_be_overwritten() {
        let file_there = |target: &Path| fs::write(target, b"somebody's").unwrap();
        let (_root, [file, folder], target) = scene(file_there);
        for new in [&file, &folder] {
            take(new, &target, false).unwrap_err();
        }
        assert_eq!(fs::read(&target).unwrap(), b"somebody's");
        take(&file, &target, true).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert_eq!(
            rename_to_free(&folder, &target).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }

    #[test]
    fn a_folder_never_goes_for_a_file_nor_a_file_for_a_folder() {
        let (_root, [file, _], target) = scene(|target| fs::create_dir(target).unwrap());
        take(&file, &target, true).unwrap_err();
        assert!(target.is_dir());
        let (_root, [_, folder], target) = scene(|target| fs::write(target, b"kept").unwrap());
        take(&folder, &target, true).unwrap_err();
        assert_eq!(fs::read(&target).unwrap(), b"kept");
    }

    #[test]
    fn a_folder_of_pictures_goes_for_another_and_one_with_anything_else_stays() {
        let filled = |name: &'static str| {
            move |target: &Path| {
                fs::create_dir(target).unwrap();
                for name in ["000001.jpg", "000002.jpg", "frames.json", name] {
                    fs::write(target.join(name), b"old").unwrap();
                }
            }
        };
        let (_root, [_, folder], target) = scene(filled("000003.jpg"));
        take(&folder, &target, true).unwrap();
        assert_eq!(fs::read_dir(&target).unwrap().count(), 1);
        for name in ["keep.txt", "1.jpg", "000004.txt"] {
            let (_root, [_, folder], target) = scene(filled(name));
            let error = take(&folder, &target, true).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
            assert_eq!(fs::read_dir(&target).unwrap().count(), 4);
        }
    }

    #[test]
    fn a_name_that_is_not_durable_is_taken_back_unless_another_file_has_it() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("target");
        fs::write(&target, b"new").unwrap();
        // Both are there at once, so that no number is used twice.
        let other = root.path().join("other");
        fs::write(&other, b"another").unwrap();
        let file = FileId::at(&target).unwrap();
        keep(&target, file, |_| Ok(())).unwrap();
        let fails = |_: &Path| Err(io::Error::from_raw_os_error(libc::EIO));
        let report = keep(&target, file, fails).unwrap_err().to_string();
        assert!(report.contains("not kept") && !target.exists(), "{report}");
        let keeps = keep(&other, file, fails);
        assert!(keeps.is_err() && other.exists());
    }

    #[test]
    fn a_file_takes_the_name_of_a_source_and_of_no_other() {
        let root = tempfile::tempdir().unwrap();
        let [part, source, aside] = ["part", "source", "aside"].map(|name| root.path().join(name));
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        fs::write(&part, "result").unwrap();
        fs::write(&source, "source").unwrap();
        fs::hard_link(&source, &aside).unwrap();
        take_from(&part, &source, &aside).unwrap();
        assert_eq!(
            (read(&source), read(&aside)),
            ("result".into(), "source".into())
        );
        assert!(!part.exists());
        // Now another file has the name.
        fs::write(&part, "result").unwrap();
        take_from(&part, &source, &aside).unwrap_err();
        assert_eq!(
            (read(&source), read(&part)),
            ("result".into(), "result".into())
        );
        // Moved away, where there are no second names.
        fs::remove_file(&source).unwrap();
        take_from(&part, &source, &aside).unwrap();
        assert_eq!(read(&source), "result");
    }

    #[test]
    fn a_link_to_a_folder_is_no_folder() {
        let linked = |target: &Path| {
            let folder = target.with_file_name("linked");
            fs::create_dir(&folder).unwrap();
            std::os::unix::fs::symlink(folder, target).unwrap();
        };
        let (root, [file, folder], target) = scene(linked);
        take(&folder, &target, true).unwrap_err();
        take(&file, &target, true).unwrap();
        assert!(target.is_file() && root.path().join("linked").is_dir());
    }
}
