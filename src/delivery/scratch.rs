//! Data that a result needs while it is made.

use std::fs::{self, File};
use std::path::Path;

use super::part::{Part, unwritable};
use crate::error::Result;

/// A file beside a result, under a name of unfinished work, which the next run removes if this
/// one is killed. It has no content any more once this is dropped.
#[derive(Debug)]
pub struct Scratch(Part);

impl Scratch {
    /// An empty file beside `target`.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn beside(target: &Path) -> Result<Self> {
        Part::begin(target, false).map(Self)
    }

    /// Where it is, as long as it has a name.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        self.0.file()
    }

    /// Takes its name away: from then on it is gone with this process, however that ends.
    ///
    /// # Errors
    /// If its name leads to another file, or cannot be removed.
    pub fn unname(&mut self) -> Result<&File> {
        self.0.check()?;
        fs::remove_file(&self.0.path).map_err(|error| unwritable(&self.0.path, error))?;
        Ok(self.0.file())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn a_file_without_a_name_is_still_there_and_one_with_a_name_is_gone_when_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let count = || fs::read_dir(folder.path()).unwrap().count();
        let target = folder.path().join("film.mp4");
        let mut scratch = Scratch::beside(&target).unwrap();
        assert_eq!(count(), 1);
        scratch.file().write_all(b"samples").unwrap();
        scratch.unname().unwrap();
        assert_eq!(count(), 0);
        let mut bytes = [0; 7];
        scratch.file().read_exact_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"samples");
        drop(Scratch::beside(&target).unwrap());
        assert_eq!(count(), 0);
    }
}
