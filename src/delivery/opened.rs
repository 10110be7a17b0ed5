//! Files and folders as they were opened, whatever becomes of their names.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// What tells one file from another, under any name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileId(u64, u64);

impl From<&Metadata> for FileId {
    fn from(data: &Metadata) -> Self {
        Self(data.dev(), data.ino())
    }
}

impl FileId {
    /// That of what is at `path`; a link is itself.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|data| Self::from(&data))
    }
}

/// Creates the file or folder `path`, and holds it as long as it is open: see [`is_alive`].
///
/// # Errors
/// If something has that name.
pub(super) fn create(path: &Path, folder: bool) -> io::Result<File> {
    let file = match folder {
        true => {
            fs::create_dir(path)?;
            open(path, libc::O_DIRECTORY)?
        }
        false => File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?,
    };
    hold(&file);
    match is_at(&file, path)? {
        true => Ok(file),
        // It was cleared away before it was held.
        false => Err(io::ErrorKind::AlreadyExists.into()),
    }
}

/// Opens `path` to be read, unless that is a link; a pipe is not waited for.
pub(super) fn open(path: &Path, flags: i32) -> io::Result<File> {
    File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | flags)
        .open(path)
}

/// Whether `path` is a name of `file`.
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let own = FileId::from(&file.metadata()?);
    match FileId::at(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        found => Ok(found? == own),
    }
}

/// Marks `file` as that of a living run. The lock is that of a byte which no file has: network
/// shares keep others from bytes that are locked. Without such locks nothing is marked.
fn hold(file: &File) {
    #[cfg(target_os = "linux")]
    {
        use nix::fcntl::{FcntlArg, fcntl};
        let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&far_byte(libc::F_RDLCK)));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
}

/// Whether a living run holds what is at `path`.
pub(super) fn is_alive(path: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        use nix::fcntl::{FcntlArg, fcntl};
        let mut lock = far_byte(libc::F_WRLCK);
        let Ok(file) = open(path, 0) else {
            return false;
        };
        let asked = fcntl(&file, FcntlArg::F_OFD_GETLK(&mut lock));
        asked.is_ok() && i32::from(lock.l_type) != libc::F_UNLCK
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = path;
        false
    }
}

#[cfg(target_os = "linux")]
fn far_byte(kind: i32) -> libc::flock {
    /// Beyond the longest file.
    const PLACE: i64 = i64::MAX - 1;
    libc::flock {
        // One of three small numbers.
        l_type: i16::try_from(kind).unwrap_or_default(),
        l_whence: 0,
        l_start: PLACE,
        l_len: 1,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_file_or_folder_is_alive_while_it_is_open() {
        let root = tempfile::tempdir().unwrap();
        for folder in [false, true] {
            let path = root.path().join(format!("{folder}"));
            let file = create(&path, folder).unwrap();
            assert!(is_alive(&path));
            assert!(create(&path, folder).is_err());
            drop(file);
            assert!(!is_alive(&path), "{path:?}");
        }
        assert!(!is_alive(&root.path().join("missing")));
    }

    #[test]
    fn a_file_is_at_its_own_name_and_neither_a_copy_nor_a_link_is_it() {
        let root = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| root.path().join(name));
        let file = create(&a, false).unwrap();
        assert!(is_at(&file, &a).unwrap());
        assert!(!is_at(&file, &b).unwrap());
        fs::rename(&a, &b).unwrap();
        std::os::unix::fs::symlink(&b, &a).unwrap();
        assert!(is_at(&file, &b).unwrap() && !is_at(&file, &a).unwrap());
        assert!(open(&a, 0).is_err());
    }
}
