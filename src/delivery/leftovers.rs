//! What killed runs left below an output folder: removed, or put back where it
//! is the only one of its kind. Nothing else is ever removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::part::{self, ASIDE, PART, READY, SECOND};
use super::replace::{SOURCE, come_back};
use crate::journal::{self, Known};

/// Names that only unfinished results have.
const UNFINISHED: [&str; 3] = [PART, SECOND, READY];

/// Removes from `output`, and from what is below it, what earlier runs left
/// there unfinished, and tells how much that was. To be called by the one run
/// that works there; folders in which another one works are left alone.
///
/// What cannot be read or removed stays, and is in nobody's way.
pub fn sweep(output: &Path, known: &Known) -> usize {
    let busy_above = output
        .canonicalize()
        .is_ok_and(|output| output.ancestors().skip(1).any(journal::is_busy));
    if busy_above {
        return 0;
    }
    let mut removed = 0;
    let mut open = vec![output.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if clear(&path, output, known) {
                removed += 1;
            } else if enters(&entry, output, known) {
                open.push(path);
            }
        }
    }
    removed
}

/// Whether there may be leftovers in what `entry` is: no link, no folder of
/// finished pictures, no other run's place.
fn enters(entry: &fs::DirEntry, output: &Path, known: &Known) -> bool {
    let path = entry.path();
    entry.file_type().is_ok_and(|kind| kind.is_dir())
        && path
            .strip_prefix(output)
            .is_ok_and(|below| known.of_target(below).is_none())
        && !journal::is_busy(&path)
}

/// Removes or puts back what is at `path` where its name says that it is ours.
fn clear(path: &Path, output: &Path, known: &Known) -> bool {
    if UNFINISHED
        .iter()
        .any(|mark| part::shown_name(path, mark).is_some())
    {
        return part::remove(path).is_ok();
    }
    for (mark, back) in [(ASIDE, put_back as Back), (SOURCE, come_back)] {
        if let Some(target) = part::shown_name(path, mark) {
            let target = whole_name(path, mark, output, known).unwrap_or(target);
            return back(path, &target).is_ok();
        }
    }
    false
}

/// Brings back what stepped aside for another thing of its name.
type Back = fn(&Path, &Path) -> io::Result<()>;

/// The target whose name was too long to be part of its hidden one.
fn whole_name(aside: &Path, mark: &str, output: &Path, known: &Known) -> Option<PathBuf> {
    let mut targets = known.records().map(|record| output.join(&record.target));
    targets.find(|target| part::hidden_name(target, mark) == aside)
}

/// An old folder goes where the new one came in, and comes back where it did not.
pub(super) fn put_back(aside: &Path, target: &Path) -> io::Result<()> {
    match target.symlink_metadata() {
        Ok(_) => part::remove(aside),
        Err(_) => fs::rename(aside, target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Journal;

    fn touch(root: &Path, names: &[&str]) {
        for name in names {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
    }

    fn names(root: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_is_unfinished_goes_wherever_it_is_and_nothing_else_does() {
        let root = tempfile::tempdir().unwrap();
        let kept = [
            "a.mp4",
            ".hidden",
            ".rushes-part",
            "a.mp4.rushes-part",
            ".a.rushes-part.mp4",
            "sub/b.mp4",
        ];
        touch(root.path(), &kept);
        touch(
            root.path(),
            &[
                ".a.mp4.rushes-part",
                ".a.mp4.rushes-part2",
                ".b.mp4.rushes-ready",
                "sub/.pictures.rushes-part/000001.jpg",
            ],
        );
        assert_eq!(sweep(root.path(), &Known::default()), 4);
        for name in kept {
            assert!(root.path().join(name).exists(), "{name}");
        }
        assert_eq!(names(&root.path().join("sub")), ["b.mp4"]);
        assert_eq!(names(root.path()).len(), 6);
    }

    #[test]
    fn an_old_folder_comes_back_where_the_new_one_did_not_come_in() {
        let root = tempfile::tempdir().unwrap();
        touch(
            root.path(),
            &[
                ".lost.rushes-old/old.jpg",
                ".there.rushes-old/old.jpg",
                "there/new.jpg",
            ],
        );
        sweep(root.path(), &Known::default());
        assert_eq!(names(root.path()), ["lost", "there"]);
        assert_eq!(names(&root.path().join("lost")), ["old.jpg"]);
        assert_eq!(names(&root.path().join("there")), ["new.jpg"]);
    }

    #[test]
    fn a_folder_in_which_another_run_works_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        touch(
            root.path(),
            &["sub/.a.mp4.rushes-part", ".b.mp4.rushes-part"],
        );
        let other = Journal::open(&root.path().join("sub")).unwrap();
        assert_eq!(sweep(root.path(), &Known::default()), 1);
        assert!(root.path().join("sub/.a.mp4.rushes-part").exists());
        drop(other);
        let above = Journal::open(root.path()).unwrap();
        assert_eq!(sweep(&root.path().join("sub"), &Known::default()), 0);
        drop(above);
        assert_eq!(sweep(&root.path().join("sub"), &Known::default()), 1);
    }

    #[test]
    fn a_link_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["else/.a.mp4.rushes-part"]);
        fs::create_dir(root.path().join("out")).unwrap();
        std::os::unix::fs::symlink(root.path().join("else"), root.path().join("out/link")).unwrap();
        assert_eq!(sweep(&root.path().join("out"), &Known::default()), 0);
    }
}
