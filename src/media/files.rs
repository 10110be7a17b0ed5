//! The one way to files of media: they are opened here, or by whoever may where
//! this process may not.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// To be read.
    Read,
    /// To be written, from nothing on.
    Write,
    /// For what is finished of a file that is being written, to be read by whoever
    /// goes on with it: a file without a name, the same one for all of them.
    Checkpoint,
}

impl Access {
    /// Opens `path` so.
    ///
    /// # Errors
    /// The system's.
    pub fn open(self, path: &Path) -> io::Result<File> {
        match self {
            Self::Read => read(path),
            Self::Write => create(path),
            // Whoever opens files for itself is gone with its work.
            Self::Checkpoint => Err(ErrorKind::Unsupported.into()),
        }
    }
}

/// Opens `path` to be read. A pipe or a device may have come in a file's place, and is not waited
/// for.
fn read(path: &Path) -> io::Result<File> {
    let file = File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path);
    let file = match file {
        // Another program holds a lease of the file, and the system asks it to let go.
        Err(error) if error.kind() == ErrorKind::WouldBlock && path.is_file() => File::open(path)?,
        file => file?,
    };
    let kind = file.metadata()?.file_type();
    match kind.is_file() {
        true => Ok(file),
        false if kind.is_dir() => Err(io::Error::from_raw_os_error(libc::EISDIR)),
        false => Err(io::Error::from_raw_os_error(libc::ESPIPE)),
    }
}

/// Opens `path` to be written from nothing on. A link there, a pipe, or a second name of
/// another file may have been put in a result's place, and is not written to.
fn create(path: &Path) -> io::Result<File> {
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)?;
    let data = file.metadata()?;
    if !data.is_file() {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    if data.nlink() > 1 {
        return Err(io::Error::from_raw_os_error(libc::EMLINK));
    }
    file.set_len(0)?;
    Ok(file)
}

/// Opens files for this process.
pub type Opener = Box<dyn Fn(&Path, Access) -> io::Result<File> + Send + Sync>;

static OPENER: OnceLock<Opener> = OnceLock::new();

/// From now on, `opener` opens all files of media that this process wants; the
/// first one that is named so stays.
pub fn open_by(opener: Opener) {
    let _ = OPENER.set(opener);
}

pub(super) fn open(path: &Path, access: Access) -> io::Result<File> {
    match OPENER.get() {
        Some(opener) => opener(path, access),
        None => access.open(path),
    }
}

/// Writes a whole file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    open(path, Access::Write)?.write_all(bytes)
}

/// A file's length in bytes.
pub(super) fn length(path: &Path) -> io::Result<u64> {
    Ok(open(path, Access::Read)?.metadata()?.len())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_pipe_a_device_and_a_folder_are_not_read_and_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("a.mp4");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        for path in [&pipe, root.path(), Path::new("/dev/zero")] {
            Access::Read.open(path).unwrap_err();
        }
    }

    #[test]
    fn a_file_is_written_from_nothing_on_and_no_other_through_its_name() {
        let root = tempfile::tempdir().unwrap();
        let [own, victim, link, second] =
            ["own", "victim", "link", "second"].map(|name| root.path().join(name));
        for text in [&b"first and long"[..], b"second"] {
            Access::Write.open(&own).unwrap().write_all(text).unwrap();
            assert_eq!(fs::read(&own).unwrap(), text);
        }
        fs::write(&victim, b"precious").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        fs::hard_link(&victim, &second).unwrap();
        for path in [link, second] {
            Access::Write.open(&path).unwrap_err();
            assert_eq!(fs::read(&victim).unwrap(), b"precious");
        }
    }
}
