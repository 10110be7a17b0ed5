//! A hash of all bytes of a result, which shows whether they are still the same.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 18;

/// What changes where a byte of a file does, or the name or a byte of a file in a folder: XXH3 of
/// them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content(pub u64);

impl Content {
    /// That of the file or folder at `path`; `advance` gets the number of bytes each time some
    /// were read, and returns whether to go on.
    ///
    /// # Errors
    /// Where they cannot be read; of the kind `Interrupted` where it was not to go on.
    ///
    /// ```
    /// use rushes::journal::Content;
    /// use std::fs;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("a.mp4");
    /// fs::write(&path, "all of it")?;
    /// let content = Content::at(&path, &mut |_| true)?;
    /// fs::write(&path, "all of It")?;
    /// assert_ne!(Content::at(&path, &mut |_| true)?, content);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn at(path: &Path, advance: &mut dyn FnMut(u64) -> bool) -> io::Result<Self> {
        Self::of(&open(path)?, path, advance)
    }

    /// That of all of `file`, or of the folder `path` that it is; else as [`Self::at`].
    ///
    /// # Errors
    /// As [`Self::at`].
    pub fn of(file: &File, path: &Path, advance: &mut dyn FnMut(u64) -> bool) -> io::Result<Self> {
        let mut hash = Xxh3::new();
        let data = file.metadata()?;
        if data.is_dir() {
            let names = fs::read_dir(path)?.map(|entry| Ok(entry?.file_name()));
            let mut names = names.collect::<io::Result<Vec<_>>>()?;
            names.sort();
            for name in names {
                let inside = open(&path.join(&name))?;
                // Lengths come first, so that no byte can change from one name or file to another.
                let name = name.as_encoded_bytes();
                for length in [name.len() as u64, inside.metadata()?.len()] {
                    hash.update(&length.to_le_bytes());
                }
                hash.update(name);
                add(&mut hash, &inside, advance)?;
            }
        } else {
            add(&mut hash, file, advance)?;
        }
        Ok(Self(hash.digest()))
    }
}

/// Opens a file that may have been exchanged for anything: a pipe is not waited for.
fn open(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
}

fn add(hash: &mut Xxh3, file: &File, advance: &mut dyn FnMut(u64) -> bool) -> io::Result<()> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let (mut bytes, mut place) = (vec![0; CHUNK], 0);
    loop {
        let count = match file.read_at(&mut bytes, place) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            count => count?,
        };
        if count == 0 {
            return Ok(());
        }
        hash.update(&bytes[..count]);
        place += count as u64;
        if !advance(count as u64) {
            return Err(io::ErrorKind::Interrupted.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &Path) -> io::Result<Content> {
        Content::at(path, &mut |_| true)
    }

    #[test]
    fn a_byte_or_a_name_in_a_folder_makes_another_hash_and_the_order_of_creation_does_not() {
        let root = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| root.path().join(name));
        let fill = |folder: &Path, files: [(&str, &str); 2]| {
            let _ = fs::remove_dir_all(folder);
            fs::create_dir(folder).unwrap();
            for (name, text) in files {
                fs::write(folder.join(name), text).unwrap();
            }
            of(folder).unwrap()
        };
        let content = fill(&one, [("1.jpg", "a"), ("2.jpg", "bc")]);
        assert_eq!(fill(&other, [("2.jpg", "bc"), ("1.jpg", "a")]), content);
        for changed in [
            [("1.jpg", "a"), ("2.jpg", "bd")],
            [("1.jpg", "ab"), ("2.jpg", "c")],
            [("1.jpg", "a"), ("3.jpg", "bc")],
        ] {
            assert_ne!(fill(&other, changed), content);
        }
    }

    #[test]
    fn a_long_file_counts_to_its_last_byte_and_may_be_left_before() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        let mut bytes = vec![7; 3 * CHUNK + 1];
        fs::write(&path, &bytes).unwrap();
        let content = of(&path).unwrap();
        bytes[3 * CHUNK] = 8;
        fs::write(&path, &bytes).unwrap();
        assert_ne!(of(&path).unwrap(), content);
        let mut calls = 0;
        let left = Content::at(&path, &mut |_| {
            calls += 1;
            calls < 2
        });
        assert_eq!(left.unwrap_err().kind(), io::ErrorKind::Interrupted);
        assert_eq!(calls, 2);
    }

    #[test]
    fn a_pipe_is_no_content_and_is_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        let pipe = root.path().join("a.mp4");
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RWXU).unwrap();
        of(&pipe).unwrap_err();
        of(root.path()).unwrap_err();
    }
}
