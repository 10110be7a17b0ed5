//! A folder that is opened once, so that files in it are opened by name without following links.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

use super::FOLDER;

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    handle: OwnedFd,
    // Whether `make` has created it.
    pub(super) is_new: bool,
}

impl Folder {
    /// Opens `.rushes` in `output`, and creates it if it is missing.
    ///
    /// # Errors
    /// If it is a link or a file, or cannot be created.
    pub(super) fn make(output: &Path) -> io::Result<Self> {
        fs::create_dir_all(output)?;
        let is_new = match fs::create_dir(output.join(FOLDER)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            made => made.map(|()| true)?,
        };
        let folder = Self::find(output)?;
        Ok(Self { is_new, ..folder })
    }

    /// Opens `.rushes` in `output`.
    ///
    /// # Errors
    /// If it is missing, a link or a file.
    pub(super) fn find(output: &Path) -> io::Result<Self> {
        let path = output.join(FOLDER);
        Self::open_at(&path, OFlags::NOFOLLOW).map_err(|error| {
            let is_link = path.symlink_metadata().is_ok_and(|data| data.is_symlink());
            if is_link {
                foreign("it is a link")
            } else {
                error
            }
        })
    }

    /// Opens the folder at `path`, which may be a link to one.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        match path.as_os_str().is_empty() {
            true => Self::open_at(Path::new("."), OFlags::empty()),
            false => Self::open_at(path, OFlags::empty()),
        }
    }

    fn open_at(path: &Path, flags: OFlags) -> io::Result<Self> {
        let flags = flags | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            path: path.to_owned(),
            handle: openat(CWD, path, flags, Mode::empty())?,
            is_new: false,
        })
    }

    /// Opens the regular file `name`.
    ///
    /// # Errors
    /// The system's, and [`io::ErrorKind::InvalidInput`] if it is a link, a pipe or a device.
    pub(super) fn open(&self, name: impl AsRef<OsStr>, flags: OFlags) -> io::Result<File> {
        // Without NONBLOCK, opening a pipe waits for its other end.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o666);
        let file = match openat(&self.handle, name.as_ref(), flags, mode) {
            Err(Errno::LOOP) => return Err(foreign("it is a link")),
            Err(Errno::NXIO) => return Err(foreign("it is a pipe or a socket")),
            opened => File::from(opened?),
        };
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(foreign("it is not a regular file")),
        }
    }

    /// Whether `name` is the name of `file`.
    pub(super) fn names(&self, name: &OsStr, file: &File) -> bool {
        let named = statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
        let (Ok(named), Ok(open)) = (named, file.metadata()) else {
            return false;
        };
        // Types differ between systems.
        #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss)]
        let named = (named.st_dev as u64, named.st_ino as u64);
        named == (open.dev(), open.ino())
    }

    /// Gives `from` the name `to`, which another file may have.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.handle, from, &self.handle, to)?)
    }

    /// Removes the file `name`; a missing one is no error.
    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        match unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes the names in it durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        match rustix::fs::fsync(&self.handle) {
            // Some file systems cannot do that.
            Err(Errno::INVAL | Errno::NOTSUP) => Ok(()),
            synced => Ok(synced?),
        }
    }
}

/// Why a name in `.rushes` is not one of rushes' own files.
fn foreign(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        format!("{what}, which rushes does not create"),
    )
}
