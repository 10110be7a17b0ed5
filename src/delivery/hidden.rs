//! Hidden names beside a result's own: what each of them marks.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Marks names that are being written; a leading dot hides them.
pub(super) const PART: &str = ".rushes-part";

/// Marked a second attempt at the same target, in earlier versions.
pub(super) const SECOND: &str = ".rushes-part2";

/// Marks an old folder while a new one takes its place.
pub(super) const ASIDE: &str = ".rushes-old";

/// Marks a whole result that waits to take its source's place.
pub(super) const READY: &str = ".rushes-ready";

/// Marks the lock of a file that a run writes.
pub(super) const LOCK: &str = ".rushes-lock";

/// The longest name that file systems take.
pub(super) const LONGEST: usize = 255;

/// `out/a.mp4` → `out/.a.mp4.rushes-old`, shortened where the name would get too long.
pub(super) fn hidden_name(target: &Path, mark: &str) -> PathBuf {
    let name = target.file_name().unwrap_or_default();
    let mut hidden = OsString::from(".");
    if name.len() + mark.len() + 1 > LONGEST {
        hidden.push(format!(
            "{:016x}",
            xxhash_rust::xxh3::xxh3_64(name.as_encoded_bytes())
        ));
    } else {
        hidden.push(name);
    }
    hidden.push(mark);
    target.with_file_name(hidden)
}

/// `out/a.mp4` → `out/.a.mp4.0123abcd.rushes-part`: another name each time, so that two runs
/// never write one file.
pub(super) fn unique_name(target: &Path, mark: &str) -> PathBuf {
    hidden_name(target, &format!(".{:08x}{mark}", fastrand::u32(..)))
}

/// `out/.a.mp4.rushes-part` → `out/a.mp4`, where the name is such a one.
pub(super) fn shown_name(hidden: &Path, mark: &str) -> Option<PathBuf> {
    let name = hidden.file_name()?.as_bytes();
    let name = name.strip_prefix(b".")?.strip_suffix(mark.as_bytes())?;
    (!name.is_empty()).then(|| hidden.with_file_name(OsStr::from_bytes(name)))
}

/// Whether `path` is a unique name with `mark` of a file named `target`.
pub(super) fn is_of(path: &Path, target: &Path, mark: &str) -> bool {
    let Some(shown) = shown_name(path, mark) else {
        return false;
    };
    let is_number =
        |text: &OsStr| text.len() == 8 && text.as_bytes().iter().all(u8::is_ascii_hexdigit);
    shown.extension().is_some_and(is_number)
        && hidden_name(target, "").file_name().is_some_and(|name| {
            let stem = shown.file_stem().unwrap_or_default();
            stem.as_bytes() == &name.as_bytes()[1..]
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_stands_hidden_beside_its_target_under_a_name_of_its_own() {
        let target = Path::new("out/a.mp4");
        assert_eq!(
            hidden_name(target, PART),
            Path::new("out/.a.mp4.rushes-part")
        );
        let names = [unique_name(target, PART), unique_name(target, PART)];
        assert_ne!(names[0], names[1]);
        for name in names {
            assert!(
                name.to_str().unwrap().starts_with("out/.a.mp4."),
                "{name:?}"
            );
            assert!(shown_name(&name, PART).is_some());
            assert!(is_of(&name, target, PART));
            assert!(!is_of(&name, Path::new("out/a"), PART));
            assert!(!is_of(&name, Path::new("out/mp4"), PART));
        }
        assert!(!is_of(Path::new("out/.a.mp4.rushes-part"), target, PART));
    }

    #[test]
    fn a_hidden_name_tells_its_target_and_others_tell_none() {
        let shown = |name| shown_name(Path::new(name), PART);
        assert_eq!(
            shown("out/.a.mp4.rushes-part"),
            Some(PathBuf::from("out/a.mp4"))
        );
        for name in [
            ".rushes-part",
            "a.mp4.rushes-part",
            ".a.mp4",
            ".a.mp4.rushes-part2",
        ] {
            assert_eq!(shown(name), None, "{name}");
        }
    }

    #[test]
    fn a_part_of_the_longest_name_is_no_longer_than_a_name_may_be() {
        let target = PathBuf::from("out").join("x".repeat(255));
        for name in [hidden_name(&target, PART), unique_name(&target, READY)] {
            assert!(name.file_name().unwrap().len() <= 255);
        }
    }
}
