//! Names of sources that stepped aside for the result that has their name now.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::hidden::LONGEST;

/// Is part of the name under which such a source goes to the trash.
const BEFORE: &str = " (before rushes)";

/// Whether a file's name says that it stepped aside.
pub fn is_stepped_aside(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().as_bytes();
    stem.windows(BEFORE.len())
        .any(|part| part == BEFORE.as_bytes())
}

/// `a.mp4` → `a (before rushes).mp4`, or the first such name that is free.
pub(super) fn before_name(source: &Path) -> PathBuf {
    // Room for a number, too.
    const NUMBER: usize = " (4294967295)".len();
    let ending = source.extension().unwrap_or_default();
    let room = LONGEST.saturating_sub(BEFORE.len() + NUMBER + ending.len() + 1);
    let mut stem = source.file_stem().unwrap_or_default().as_bytes();
    while stem.len() > room || stem.last().is_some_and(|_| cuts_letter(source, stem)) {
        stem = &stem[..stem.len() - 1];
    }
    let mut name = stem.to_vec();
    name.extend(BEFORE.as_bytes());
    if !ending.is_empty() {
        name.push(b'.');
        name.extend(ending.as_bytes());
    }
    let name = source.with_file_name(OsString::from_vec(name));
    match name.symlink_metadata() {
        Ok(_) => free_name(&name),
        Err(_) => name,
    }
}

/// Whether a name that is text was cut within a letter.
fn cuts_letter(source: &Path, stem: &[u8]) -> bool {
    let whole = source.file_stem().and_then(|stem| stem.to_str());
    whole.is_some_and(|whole| !whole.is_char_boundary(stem.len()))
}

pub(super) fn free_name(target: &Path) -> PathBuf {
    crate::plan::free_names(target)
        .find(|name| name.symlink_metadata().is_err())
        .unwrap_or_else(|| target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_stays_within_what_a_name_may_be() {
        for letter in ["x", "é", "長"] {
            let source = PathBuf::from(letter.repeat(250 / letter.len()) + ".mp4");
            let name = before_name(&source);
            let name = name.to_str().unwrap();
            assert!(
                name.len() <= 255 && name.ends_with(" (before rushes).mp4"),
                "{name}"
            );
            assert!(!is_stepped_aside(&source));
        }
    }
}
