//! All files of a folder, with their bytes: the folders here are small.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where the trash is, below the folder of a run.
pub const TRASH: &str = "home/data/Trash";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub bytes: Vec<u8>,
    pub mode: u32,
    pub modified: i64,
}

/// Files by their paths; folders have no entry.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub files: BTreeMap<PathBuf, Entry>,
    pub folders: BTreeSet<PathBuf>,
}

impl Snapshot {
    pub fn of(root: &Path) -> io::Result<Self> {
        let mut snapshot = Self::default();
        snapshot.add(root, root)?;
        Ok(snapshot)
    }

    fn add(&mut self, root: &Path, folder: &Path) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let metadata = path.symlink_metadata()?;
            let name = path.strip_prefix(root).unwrap_or(&path).to_owned();
            if metadata.is_dir() {
                self.folders.insert(name);
                self.add(root, &path)?;
                continue;
            }
            let entry = Entry {
                bytes: fs::read(&path)?,
                mode: metadata.permissions().mode(),
                modified: metadata.mtime(),
            };
            self.files.insert(name, entry);
        }
        Ok(())
    }

    pub fn bytes(&self, path: &Path) -> Option<&[u8]> {
        self.files.get(path).map(|entry| &entry.bytes[..])
    }

    /// Whether `bytes` are in the trash, as a file that can be put back.
    pub fn trashed(&self, bytes: &[u8]) -> bool {
        let files = Path::new(TRASH).join("files");
        let mut trashed = self
            .files
            .iter()
            .filter(|(path, _)| path.starts_with(&files));
        trashed.any(|(path, entry)| {
            let mut name = path.file_name().unwrap_or_default().to_owned();
            name.push(".trashinfo");
            let info = Path::new(TRASH).join("info").join(name);
            entry.bytes == bytes && self.bytes(&info).is_some_and(|info| !info.is_empty())
        })
    }

    /// All paths that are not in the trash.
    pub fn names(&self) -> BTreeSet<&Path> {
        let names = self.files.keys().chain(&self.folders);
        let trash = Path::new(TRASH);
        names
            .map(PathBuf::as_path)
            .filter(|name| !name.starts_with(trash) && !trash.starts_with(name))
            .collect()
    }
}

/// A name that work in progress has, or what is in the program's own folder.
pub fn is_hidden(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
}
