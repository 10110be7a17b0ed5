//! What killed runs left below an output folder: removed, or put back where it
//! is the only one of its kind. Nothing else is ever removed.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::hidden::{self, ASIDE, LOCK, PART, READY, SECOND};
use super::opened::{FileId, is_alive};
use super::part;
use super::replace::{SOURCE, come_back};
use crate::journal::{self, FileClaim, Known};

/// Names that only unfinished results have.
const UNFINISHED: [&str; 3] = [PART, SECOND, READY];

/// What a sweep did and found.
#[derive(Debug, Default)]
pub struct Swept {
    /// Leftovers that are gone.
    pub cleared: usize,
    /// Folders in which other runs work, which were left alone.
    pub busy: Vec<PathBuf>,
}

/// How a sweep goes through links to folders, which lead to results with `--replace`.
pub struct Links<'a> {
    /// Whether the search for sources goes through this link.
    pub enters: &'a dyn Fn(&Path) -> bool,
    /// Whether this run may work in this folder, which a link leads to.
    pub claims: &'a dyn Fn(&Path) -> bool,
}

/// Removes from `output`, and from what is below it, what earlier runs left
/// there unfinished, and tells how much that was. To be called by the one run
/// that works there; folders in which another one works are left alone, and so
/// is what a living run writes.
///
/// What cannot be read or removed stays, and is in nobody's way.
pub fn sweep(output: &Path, known: &Known) -> Swept {
    sweep_with(output, known, &journal::is_busy, None)
}

/// As [`sweep`]; `is_busy` tells in which folders another run works, and links to folders are
/// followed as `links` says.
pub fn sweep_with(
    output: &Path,
    known: &Known,
    is_busy: &dyn Fn(&Path) -> bool,
    links: Option<Links>,
) -> Swept {
    let busy_above = output
        .canonicalize()
        .is_ok_and(|output| output.ancestors().skip(1).any(is_busy));
    if busy_above {
        return Swept::default();
    }
    let mut sweep = Sweep {
        output,
        known,
        is_busy,
        links,
        linked: vec![],
        visited: HashSet::new(),
        swept: Swept::default(),
    };
    sweep.below(output, false);
    while let Some(folder) = sweep.linked.pop() {
        sweep.below(&folder, true);
    }
    sweep.swept
}

struct Sweep<'a> {
    output: &'a Path,
    known: &'a Known,
    is_busy: &'a dyn Fn(&Path) -> bool,
    links: Option<Links<'a>>,
    // Links that are still to be followed.
    linked: Vec<PathBuf>,
    // Folders, where several ways may lead to one.
    visited: HashSet<FileId>,
    swept: Swept,
}

impl Sweep<'_> {
    /// Sweeps `folder` and all below it, which a link leads to if it is `linked`.
    fn below(&mut self, folder: &Path, linked: bool) {
        let mut open = vec![folder.to_owned()];
        while let Some(folder) = open.pop() {
            if !self.visits(&folder) {
                continue;
            }
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            for entry in entries.flatten() {
                let path = entry.path();
                if is_leftover(&path) {
                    let cleared = self.may_clear(&folder, linked) && self.clear(&path);
                    self.swept.cleared += usize::from(cleared);
                } else if self.enters(&entry, linked) {
                    open.push(path);
                }
            }
        }
    }

    /// Whether this is the first visit of `folder`.
    fn visits(&mut self, folder: &Path) -> bool {
        if self.links.is_none() {
            return true;
        }
        let id = fs::metadata(folder).map(|data| FileId::from(&data));
        id.is_ok_and(|id| self.visited.insert(id))
    }

    /// Whether there may be leftovers in what `entry` is: no folder of finished
    /// pictures, no other run's place. Links are kept for later.
    fn enters(&mut self, entry: &fs::DirEntry, linked: bool) -> bool {
        let (path, kind) = (entry.path(), entry.file_type());
        let is_link = kind.as_ref().is_ok_and(fs::FileType::is_symlink);
        if is_link && self.follows(&path) {
            self.linked.push(path);
            return false;
        }
        let is_pictures = |below: &Path| self.known.of_target(below).is_some();
        if !kind.is_ok_and(|kind| kind.is_dir())
            || path.strip_prefix(self.output).is_ok_and(is_pictures)
        {
            return false;
        }
        let is_busy = (self.is_busy)(&path);
        if is_busy && !linked {
            self.swept.busy.push(path);
        }
        !is_busy
    }

    fn follows(&self, link: &Path) -> bool {
        let links = self.links.as_ref();
        links.is_some_and(|links| (links.enters)(link) && link.is_dir() && !(self.is_busy)(link))
    }

    fn may_clear(&self, folder: &Path, linked: bool) -> bool {
        let links = self.links.as_ref();
        !linked || links.is_some_and(|links| (links.claims)(folder))
    }

    /// Removes or puts back the leftover at `path`.
    fn clear(&self, path: &Path) -> bool {
        if hidden::shown_name(path, LOCK).is_some() {
            return FileClaim::clear(path);
        }
        if is_unfinished(path) {
            return !is_alive(path) && part::remove(path).is_ok();
        }
        for (mark, back) in MOVED {
            if let Some(target) = hidden::shown_name(path, mark) {
                let target = self.whole_name(path, mark).unwrap_or(target);
                return back(path, &target).is_ok();
            }
        }
        false
    }

    /// The target whose name was too long to be part of its hidden one.
    fn whole_name(&self, aside: &Path, mark: &str) -> Option<PathBuf> {
        let records = self.known.records();
        let mut targets = records.map(|record| self.output.join(&record.target));
        targets.find(|target| hidden::hidden_name(target, mark) == aside)
    }
}

/// Brings back what stepped aside for another thing of its name.
type Back = fn(&Path, &Path) -> io::Result<()>;

const MOVED: [(&str, Back); 2] = [(ASIDE, put_back), (SOURCE, come_back)];

/// Whether a name says that it is an unfinished run's.
fn is_leftover(path: &Path) -> bool {
    let moved = MOVED.iter().map(|(mark, _)| *mark);
    let has = |mark: &str| hidden::shown_name(path, mark).is_some();
    is_unfinished(path) || has(LOCK) || moved.into_iter().any(has)
}

fn is_unfinished(path: &Path) -> bool {
    let mut marks = UNFINISHED.iter();
    marks.any(|mark| hidden::shown_name(path, mark).is_some())
}

/// Removes what killed runs left of `target` while they wrote it.
pub(super) fn clear_parts_of(target: &Path) {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    for path in paths.filter(|path| hidden::is_of(path, target, PART)) {
        if !is_alive(&path) {
            let _ = part::remove(&path);
        }
    }
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
                ".film.mp4.rushes-lock",
                "sub/.pictures.rushes-part/000001.jpg",
            ],
        );
        assert_eq!(sweep(root.path(), &Known::default()).cleared, 5);
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
        let swept = sweep(root.path(), &Known::default());
        assert_eq!(
            (swept.cleared, swept.busy),
            (1, vec![root.path().join("sub")])
        );
        assert!(root.path().join("sub/.a.mp4.rushes-part").exists());
        drop(other);
        let above = Journal::open(root.path()).unwrap();
        assert_eq!(
            sweep(&root.path().join("sub"), &Known::default()).cleared,
            0
        );
        drop(above);
        assert_eq!(
            sweep(&root.path().join("sub"), &Known::default()).cleared,
            1
        );
    }

    #[test]
    fn a_link_is_not_followed() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), &["else/.a.mp4.rushes-part"]);
        fs::create_dir(root.path().join("out")).unwrap();
        std::os::unix::fs::symlink(root.path().join("else"), root.path().join("out/link")).unwrap();
        assert_eq!(
            sweep(&root.path().join("out"), &Known::default()).cleared,
            0
        );
    }

    #[test]
    fn links_are_followed_once_where_the_search_for_sources_follows_them() {
        let root = tempfile::tempdir().unwrap();
        touch(
            root.path(),
            &[
                "else/.c.mp4.rushes-source",
                "else/deep/.d.mp4.rushes-part",
                "not/.e.mp4.rushes-source",
                "out/a.mp4",
            ],
        );
        let link = |to: &str, at: &str| {
            std::os::unix::fs::symlink(root.path().join(to), root.path().join(at)).unwrap();
        };
        link("else", "out/link");
        link("else/deep", "out/again");
        link("out", "else/loop");
        link("not", "out/left out");
        let run = |may: bool| {
            let links = Links {
                enters: &|link| !link.ends_with("left out"),
                claims: &|_| may,
            };
            let known = Known::default();
            sweep_with(
                &root.path().join("out"),
                &known,
                &journal::is_busy,
                Some(links),
            )
            .cleared
        };
        assert_eq!(run(false), 0);
        assert_eq!(run(true), 2);
        assert_eq!(names(&root.path().join("else")), ["c.mp4", "deep", "loop"]);
        assert_eq!(names(&root.path().join("not")), [".e.mp4.rushes-source"]);
    }
}
