//! The one way to files of media: they are opened here, or by whoever may where
//! this process may not.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
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
            Self::Read => File::open(path),
            Self::Write => File::create(path),
            // Whoever opens files for itself is gone with its work.
            Self::Checkpoint => Err(ErrorKind::Unsupported.into()),
        }
    }
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
