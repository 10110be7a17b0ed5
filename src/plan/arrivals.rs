//! What has arrived in watched folders, and has settled: no look at any file
//! here, only at lists of them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::SourceFile;
use crate::journal::Stamp;

/// A file as a list tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The file.
    pub source: SourceFile,
    /// What changes with it.
    pub stamp: Stamp,
}

/// A file that is ready to be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The file.
    pub source: SourceFile,
    /// Whether an earlier state of it was worked on, so that its result is out of date.
    pub again: bool,
}

/// What has been seen of watched folders. What was taken is remembered, also
/// while it is away (a network share may come and go); of all else, only what is there.
#[derive(Debug)]
pub struct Arrivals {
    settle: Duration,
    known: HashMap<PathBuf, Known>,
}

#[derive(Debug)]
struct Known {
    relative: PathBuf,
    stamp: Stamp,
    // When it was first seen as it is.
    since: Instant,
    taken: bool,
    made: bool,
}

impl Arrivals {
    /// Takes a file once it has not changed for `settle`.
    pub fn new(settle: Duration) -> Self {
        Self {
            settle,
            known: HashMap::new(),
        }
    }

    /// What has settled, by the list of all that is there at `now`; each state
    /// of a file is given once. Files of `busy`, on which work is under way,
    /// are kept for later. An empty file is one that is about to be written.
    pub fn settled(
        &mut self,
        listed: Vec<Listed>,
        busy: &HashSet<PathBuf>,
        now: Instant,
    ) -> Vec<Arrival> {
        let there: HashSet<PathBuf> = listed.iter().map(|file| file.source.path.clone()).collect();
        self.known
            .retain(|path, known| known.taken || known.made || there.contains(path));
        let mut settled = Vec::new();
        for Listed { source, stamp } in listed {
            let known = self
                .known
                .entry(source.path.clone())
                .or_insert_with(|| Known {
                    relative: source.relative.clone(),
                    stamp,
                    since: now,
                    taken: false,
                    made: false,
                });
            if known.stamp != stamp {
                (known.stamp, known.since, known.taken) = (stamp, now, false);
            }
            let quiet = now.saturating_duration_since(known.since) >= self.settle;
            if quiet && !known.taken && stamp.size > 0 && !busy.contains(&source.path) {
                known.taken = true;
                let again = known.made;
                settled.push(Arrival { source, again });
            }
        }
        settled
    }

    /// Work on `path` is under way: a result of a later state replaces its result.
    pub fn made(&mut self, path: &Path) {
        if let Some(known) = self.known.get_mut(path) {
            known.made = true;
        }
    }

    /// `path` was gone before it could be worked on: it may come again.
    pub fn forget(&mut self, path: &Path) {
        self.known.remove(path);
    }

    /// The others that are there or were taken, and whose results may want the
    /// same names as those of `arrivals`.
    pub fn siblings(&self, arrivals: &[Arrival]) -> Vec<SourceFile> {
        let paths: HashSet<&Path> = arrivals.iter().map(|one| &*one.source.path).collect();
        let names: HashSet<String> = arrivals
            .iter()
            .map(|one| claim(&one.source.relative))
            .collect();
        let others = self.known.iter().filter(|(path, known)| {
            !paths.contains(path.as_path()) && names.contains(&claim(&known.relative))
        });
        let mut others: Vec<_> = others
            .map(|(path, known)| SourceFile {
                path: path.clone(),
                relative: known.relative.clone(),
            })
            .collect();
        others.sort_by(|a, b| a.path.cmp(&b.path));
        others
    }
}

/// What files that may want one name have in common.
fn claim(relative: &Path) -> String {
    let stem = relative.with_extension("");
    stem.to_string_lossy().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A made-up folder, looked at in made-up time.
    struct Folder {
        arrivals: Arrivals,
        began: Instant,
        busy: HashSet<PathBuf>,
    }

    impl Folder {
        fn new() -> Self {
            Self {
                arrivals: Arrivals::new(Duration::from_secs(5)),
                began: Instant::now(),
                busy: HashSet::new(),
            }
        }

        /// What settles where `files` (names and sizes) are there at this second.
        fn at(&mut self, second: u64, files: &[(&str, u64)]) -> Vec<Arrival> {
            let listed = files.iter().map(|(name, size)| Listed {
                source: source(name),
                stamp: Stamp {
                    size: *size,
                    modified_ns: None,
                },
            });
            let now = self.began + Duration::from_secs(second);
            self.arrivals.settled(listed.collect(), &self.busy, now)
        }

        fn names_at(&mut self, second: u64, files: &[(&str, u64)]) -> Vec<String> {
            let settled = self.at(second, files).into_iter();
            settled
                .map(|one| one.source.relative.display().to_string())
                .collect()
        }
    }

    fn source(name: &str) -> SourceFile {
        SourceFile {
            path: Path::new("in").join(name),
            relative: name.into(),
        }
    }

    const NONE: [String; 0] = [];

    #[test]
    fn a_file_is_taken_once_it_has_not_changed_for_long_enough_and_never_twice() {
        let mut folder = Folder::new();
        assert_eq!(folder.names_at(0, &[("a", 9)]), NONE);
        assert_eq!(folder.names_at(4, &[("a", 9)]), NONE);
        assert_eq!(folder.names_at(5, &[("a", 9)]), ["a"]);
        assert_eq!(folder.names_at(100, &[("a", 9)]), NONE);
    }

    #[test]
    fn a_file_that_grows_is_waited_for() {
        let mut folder = Folder::new();
        for second in 0..20 {
            assert_eq!(folder.names_at(second, &[("a", 1 + second)]), NONE);
        }
        assert_eq!(folder.names_at(23, &[("a", 20)]), NONE);
        assert_eq!(folder.names_at(24, &[("a", 20)]), ["a"]);
    }

    #[test]
    fn a_new_time_of_the_same_size_is_a_change() {
        let mut folder = Folder::new();
        let listed = |modified| Listed {
            source: source("a"),
            stamp: Stamp {
                size: 9,
                modified_ns: Some(modified),
            },
        };
        let (began, busy) = (folder.began, HashSet::new());
        let mut at = |second, modified| {
            let now = began + Duration::from_secs(second);
            folder
                .arrivals
                .settled(vec![listed(modified)], &busy, now)
                .len()
        };
        assert_eq!(
            (at(0, 7), at(5, 7), at(6, 8), at(10, 8), at(11, 8)),
            (0, 1, 0, 0, 1)
        );
    }

    #[test]
    fn a_file_that_vanishes_before_it_settles_is_forgotten() {
        let mut folder = Folder::new();
        assert_eq!(folder.names_at(0, &[("a", 9)]), NONE);
        assert_eq!(folder.names_at(1, &[]), NONE);
        assert!(folder.arrivals.known.is_empty());
        // It counts from anew.
        assert_eq!(folder.names_at(6, &[("a", 9)]), NONE);
        assert_eq!(folder.names_at(11, &[("a", 9)]), ["a"]);
    }

    #[test]
    fn a_share_that_goes_and_comes_back_brings_nothing_new() {
        let mut folder = Folder::new();
        folder.at(0, &[("a", 9)]);
        assert_eq!(folder.names_at(5, &[("a", 9)]), ["a"]);
        assert_eq!(folder.names_at(6, &[]), NONE);
        assert_eq!(folder.names_at(100, &[("a", 9)]), NONE);
    }

    #[test]
    fn a_changed_file_is_taken_again_and_told_to_be_so_where_it_was_worked_on() {
        for made in [true, false] {
            let mut folder = Folder::new();
            folder.at(0, &[("a", 9)]);
            assert!(!folder.at(5, &[("a", 9)])[0].again);
            if made {
                folder.arrivals.made(Path::new("in/a"));
            }
            assert_eq!(folder.at(6, &[("a", 10)]), []);
            assert_eq!(folder.at(11, &[("a", 10)])[0].again, made);
        }
    }

    #[test]
    fn a_file_that_changes_while_it_is_worked_on_waits_for_the_end_of_that() {
        let mut folder = Folder::new();
        folder.at(0, &[("a", 9)]);
        assert_eq!(folder.names_at(5, &[("a", 9)]), ["a"]);
        folder.busy.insert("in/a".into());
        folder.at(6, &[("a", 10)]);
        assert_eq!(folder.names_at(60, &[("a", 10)]), NONE);
        folder.busy.clear();
        assert_eq!(folder.names_at(61, &[("a", 10)]), ["a"]);
    }

    #[test]
    fn an_empty_file_is_not_taken() {
        let mut folder = Folder::new();
        folder.at(0, &[("a", 0)]);
        assert_eq!(folder.names_at(100, &[("a", 0)]), NONE);
    }

    #[test]
    fn what_was_gone_before_it_could_be_worked_on_may_come_again() {
        let mut folder = Folder::new();
        folder.at(0, &[("a", 9)]);
        assert_eq!(folder.names_at(5, &[("a", 9)]), ["a"]);
        folder.arrivals.forget(Path::new("in/a"));
        folder.at(6, &[("a", 9)]);
        assert_eq!(folder.names_at(11, &[("a", 9)]), ["a"]);
    }

    #[test]
    fn siblings_are_those_whose_results_may_want_one_name_also_when_they_are_gone() {
        let mut folder = Folder::new();
        let first = [("day/a.avi", 9), ("b.avi", 9), ("day/A.mov", 1)];
        folder.at(0, &first);
        folder.at(5, &first);
        folder.at(6, &[("day/a.mkv", 9)]);
        let arrived = folder.at(11, &[("day/a.mkv", 9)]);
        let siblings = folder.arrivals.siblings(&arrived);
        assert_eq!(siblings, [source("day/A.mov"), source("day/a.avi")]);
    }
}
