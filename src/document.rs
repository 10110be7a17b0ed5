//! Files that people write or keep, and that are read as a whole: each is small,
//! and whatever else stands under its name may have no end.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::report::words;

/// All of the file at `path`, which has at most so many bytes.
///
/// # Errors
/// Where it cannot be read, or is larger.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    File::open(path)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let most = words::bytes(most);
        return Err(io::Error::other(format!("it is larger than {most}")));
    }
    Ok(bytes)
}

/// The same of a text.
///
/// # Errors
/// As [`read`], and where it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}

/// The lines of `value`, whose file has this name.
///
/// # Errors
/// Where it cannot be put in words.
pub fn json(value: &impl Serialize, name: &str) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(|error| Error::failed(format!("cannot write {name}")).because(error))?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"1234").unwrap();
        assert_eq!(read(&path, 4).unwrap(), b"1234");
        assert_eq!(read_text(&path, 4).unwrap(), "1234");
        let error = read(&path, 3).unwrap_err();
        assert!(error.to_string().contains("larger than 3 B"), "{error}");
        std::fs::write(&path, [0xff]).unwrap();
        assert!(read_text(&path, 4).is_err());
        assert!(read(Path::new("/dev/zero"), 1 << 20).is_err());
    }
}
