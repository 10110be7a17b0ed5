//! What videos there are.

use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobBuilder};

use super::walk::{Seen, walk};
use super::{Refused, Wanted};
use crate::error::{Error, Result, may_pass};
use crate::values;

/// A file to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its place in the mirrored tree: the path below the folder that was named, or the file name.
    pub relative: PathBuf,
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Found {
    /// The files to work on, in the order of their names.
    pub files: Vec<SourceFile>,
    /// Folders and links that could not be looked into.
    pub unreadable: Vec<Refused>,
    /// Whether one of them may be read the next time: a disk, the network or a limit failed.
    pub may_find_more: bool,
}

/// More threads do not find files sooner.
const MOST_THREADS: usize = 12;

/// A pattern of file names; case makes no difference, as with the endings of
/// videos, and `*` stays within a folder, `**` does not.
///
/// # Errors
/// Where it is no pattern.
pub fn glob(text: &str) -> std::result::Result<Glob, globset::Error> {
    GlobBuilder::new(text)
        .case_insensitive(true)
        .literal_separator(true)
        .build()
}

/// Finds what is `wanted` at `paths`, folders walked in parallel.
///
/// Hidden files, what systems keep for themselves, and what lies in the folder
/// `output`, where there is one, are left out.
///
/// # Errors
/// Where a path does not exist or cannot be read, or nothing is found.
pub fn scan(paths: &[PathBuf], wanted: &Wanted, output: Option<&Path>) -> Result<Found> {
    let mut scan = Scan::new(wanted, output);
    for path in paths {
        scan.look(path)?;
    }
    let found = scan.finish();
    if !found.files.is_empty() {
        return Ok(found);
    }
    let list: Vec<_> = paths
        .iter()
        .map(|path| format!("'{}'", path.display()))
        .collect();
    let (what, list) = (wanted.what(), list.join(", "));
    let error = Error::usage(format!("there are no {what} in {list}"));
    Err(match found.unreadable.into_iter().next() {
        Some(first) => {
            let source = first.source.display();
            error.because(format!("'{source}': {}", first.reason))
        }
        None => error.cure(wanted.cure()),
    })
}

/// As [`scan`]; what is not there or cannot be read is among the unreadable,
/// and finding nothing is no error.
pub fn survey(paths: &[PathBuf], wanted: &Wanted, output: Option<&Path>) -> Found {
    let mut scan = Scan::new(wanted, output);
    for path in paths {
        if let Err(error) = scan.look(path) {
            scan.found.unreadable.push(Refused {
                source: path.clone(),
                reason: error.line(),
                log: vec![],
            });
        }
    }
    scan.finish()
}

struct Scan<'a> {
    wanted: &'a Wanted,
    output: Option<PathBuf>,
    found: Found,
}

impl<'a> Scan<'a> {
    fn new(wanted: &'a Wanted, output: Option<&Path>) -> Self {
        Self {
            wanted,
            // One that is not there yet holds nothing.
            output: output.and_then(|output| output.canonicalize().ok()),
            found: Found::default(),
        }
    }

    fn look(&mut self, path: &Path) -> Result<()> {
        let data = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
        if data.is_dir() {
            return self.find_below(path);
        }
        if !data.is_file() {
            // Opening a pipe may wait for ever, and a source is read more than once.
            let shown = path.display();
            return Err(
                Error::usage(format!("'{shown}' is neither a file nor a folder"))
                    .cure("save what comes from a pipe or a device to a file first"),
            );
        }
        let relative = PathBuf::from(path.file_name().unwrap_or_default());
        if self.wanted.takes_named(&relative) {
            self.found.files.push(SourceFile {
                path: path.to_owned(),
                relative,
            });
        }
        Ok(())
    }

    fn find_below(&mut self, root: &Path) -> Result<()> {
        std::fs::read_dir(root).map_err(|error| unreadable(root, error))?;
        let (sender, receiver) = crossbeam_channel::unbounded();
        let (wanted, output) = (self.wanted, self.output.as_deref());
        let takes = |path: &Path, is_folder: bool| {
            let is_output = |output| is_folder && is(path, output);
            !wanted.leaves_out(below(root, path)) && !output.is_some_and(is_output)
        };
        let see = |seen: Seen| {
            let found = match seen {
                Ok(path) => wanted.takes(below(root, &path)).then_some(Ok(path)),
                Err((path, error)) => {
                    let may_pass = may_pass(&error);
                    lost(path, &error, root, wanted).map(|refused| Err((refused, may_pass)))
                }
            };
            if let Some(found) = found {
                let _ = sender.send(found);
            }
        };
        walk(root, values::cores().min(MOST_THREADS), &takes, &see);
        drop(sender);
        for found in receiver {
            match found {
                Ok(path) => {
                    let relative = below(root, &path).to_owned();
                    self.found.files.push(SourceFile { path, relative });
                }
                Err((refused, may_pass)) => {
                    self.found.unreadable.push(refused);
                    self.found.may_find_more |= may_pass;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Found {
        let mut found = self.found;
        found.files.sort_by(|a, b| {
            a.relative
                .cmp(&b.relative)
                .then_with(|| a.path.cmp(&b.path))
        });
        // One file under two names (a link, `a` and `./a`) would give one result twice.
        found.files.dedup_by(|next, kept| {
            next.relative == kept.relative && same_file(&next.path, &kept.path)
        });
        found.unreadable.sort_by(|a, b| a.source.cmp(&b.source));
        found
    }
}

fn below<'a>(root: &Path, path: &'a Path) -> &'a Path {
    path.strip_prefix(root).unwrap_or(path)
}

/// Whether a folder is `output`, which is canonical. Files are not asked: that
/// would take longer than all the rest.
fn is(folder: &Path, output: &Path) -> bool {
    folder.canonicalize().is_ok_and(|path| path == output)
}

fn same_file(a: &Path, b: &Path) -> bool {
    let identity = |path: &Path| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.dev(), data.ino()))
    };
    a == b || identity(a).is_some_and(|a| Some(a) == identity(b))
}

/// Why a PATH cannot be worked on.
pub fn unreadable(path: &Path, error: std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => Error::usage(format!("there is no '{}'", path.display()))
            .cure("check the spelling; names with spaces want quotes"),
        _ => Error::usage(format!("cannot read '{}'", path.display())).because(error),
    }
}

/// Reports an entry that the walk could not follow; nothing if it has vanished.
fn lost(path: PathBuf, error: &io::Error, root: &Path, wanted: &Wanted) -> Option<Refused> {
    let reason = if error.kind() == ErrorKind::NotFound {
        let dangling = path.symlink_metadata().is_ok() && wanted.takes(below(root, &path));
        dangling.then(|| "it is a link to a file that is not there".to_owned())?
    } else {
        format!("cannot look into it, so what is there is left out: {error}")
    };
    Some(Refused {
        source: path,
        reason,
        log: vec![],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touch(folder: &Path, names: &[&str]) {
        for name in names {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
    }

    /// What is found below `folder`, by its place there.
    fn found(folder: &Path, wanted: &Wanted) -> Found {
        scan(&[folder.to_owned()], wanted, None).unwrap()
    }

    fn names(found: &Found) -> Vec<&str> {
        let files = found.files.iter();
        files.map(|file| file.relative.to_str().unwrap()).collect()
    }

    #[test]
    fn a_folder_gives_its_videos_in_order_without_hidden_ones_and_results() {
        let folder = tempfile::tempdir().unwrap();
        touch(
            folder.path(),
            &[
                "b.MKV",
                "a.mp4",
                "notes.txt",
                ".hidden.mp4",
                "sub/c.webm",
                "out/done.mp4",
            ],
        );
        let paths = [folder.path().to_owned()];
        let found = scan(&paths, &Wanted::default(), Some(&folder.path().join("out"))).unwrap();
        assert_eq!(names(&found), ["a.mp4", "b.MKV", "sub/c.webm"]);
    }

    #[test]
    fn what_lies_in_the_output_folder_is_left_out_however_that_is_named() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path(), &["a.mp4", "sub/out/done.mp4"]);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("sub/out"), &link).unwrap();
        let out = folder.path().join("sub/../link");
        let found = scan(&[folder.path().to_owned()], &Wanted::default(), Some(&out)).unwrap();
        assert_eq!(names(&found), ["a.mp4"]);
    }

    #[test]
    fn system_folders_and_excluded_ones_are_not_entered() {
        let folder = tempfile::tempdir().unwrap();
        touch(
            folder.path(),
            &[
                "a.mp4",
                "._a.mp4",
                "$RECYCLE.BIN/b.mp4",
                "@eaDir/c.mp4",
                "lost+found/d.mp4",
                "proxies/e.mp4",
                "day1/f.mp4",
            ],
        );
        let wanted = Wanted::new(&[], &[glob("proxies").unwrap()]).unwrap();
        assert_eq!(
            names(&found(folder.path(), &wanted)),
            ["a.mp4", "day1/f.mp4"]
        );
    }

    #[test]
    fn one_file_under_two_names_is_taken_once_where_the_result_would_be_one() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path(), &["in/a.mp4", "in/sub/b.mp4"]);
        let alias = folder.path().join("alias");
        std::os::unix::fs::symlink(folder.path().join("in"), &alias).unwrap();
        let paths =
            ["in", "in/../in/a.mp4", "alias", "in/sub"].map(|name| folder.path().join(name));
        let found = scan(&paths, &Wanted::default(), None).unwrap();
        // `sub/b.mp4` and `b.mp4` are two results.
        assert_eq!(names(&found), ["a.mp4", "b.mp4", "sub/b.mp4"]);
        touch(folder.path(), &["other/a.mp4"]);
        let paths = ["in/a.mp4", "other/a.mp4"].map(|name| folder.path().join(name));
        let found = scan(&paths, &Wanted::default(), None).unwrap();
        assert_eq!(found.files.len(), 2, "these are two files");
    }

    #[test]
    fn a_link_to_nothing_is_told_if_it_looks_like_a_video() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path(), &["a.mp4"]);
        for name in ["gone.mp4", "gone"] {
            std::os::unix::fs::symlink("/nowhere/at/all", folder.path().join(name)).unwrap();
        }
        let found = found(folder.path(), &Wanted::default());
        assert_eq!(found.unreadable.len(), 1, "{found:?}");
        assert_eq!(found.unreadable[0].source, folder.path().join("gone.mp4"));
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_reported_and_one_that_vanished_is_not() {
        // Made up, since the system refuses nothing to its administrator.
        let reported = |kind: ErrorKind| {
            let path = PathBuf::from("in/closed");
            lost(path, &kind.into(), Path::new("in"), &Wanted::default())
        };
        let refused = reported(ErrorKind::PermissionDenied).unwrap();
        assert_eq!(refused.source, Path::new("in/closed"));
        assert!(refused.reason.contains("permission denied"), "{refused:?}");
        assert_eq!(reported(ErrorKind::NotFound), None);
    }

    #[test]
    fn a_survey_of_what_is_not_there_yet_tells_so_and_finds_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path(), &["in/a.mp4"]);
        let paths = ["later", "in"].map(|name| folder.path().join(name));
        let found = survey(&paths, &Wanted::default(), None);
        assert_eq!(names(&found), ["a.mp4"]);
        assert_eq!(found.unreadable[0].source, paths[0]);
        assert!(scan(&paths, &Wanted::default(), None).is_err());
    }

    #[test]
    fn a_loop_of_links_is_survived() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path(), &["a.mp4", "sub/b.mp4"]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/loop")).unwrap();
        let found = found(folder.path(), &Wanted::default());
        assert_eq!(names(&found), ["a.mp4", "sub/b.mp4"]);
        assert!(found.unreadable.is_empty(), "{found:?}");
    }

    #[test]
    fn nothing_found_names_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let error = scan(
            &[folder.path().to_owned()],
            &Wanted::default(),
            Some(Path::new("out")),
        )
        .unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&*folder.path().to_string_lossy()),
            "{error}"
        );
    }
}
