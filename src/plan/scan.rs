//! What videos there are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder, WalkState};

use crate::error::{Error, Result};

/// File endings that are taken for videos when a folder is walked. A file
/// named on the command line is taken whatever its ending.
const ENDINGS: [&str; 40] = [
    "3g2", "3gp", "amv", "asf", "avi", "divx", "dv", "f4v", "flv", "h264", "hevc", "ivf", "m2ts",
    "m2v", "m4v", "mjpeg", "mjpg", "mkv", "mod", "mov", "mp4", "mpe", "mpeg", "mpg", "mts", "mxf",
    "nut", "obu", "ogm", "ogv", "ps", "qt", "rm", "rmvb", "tod", "ts", "vob", "webm", "wmv", "y4m",
];

/// A file to work on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its place in the mirrored tree: the path below the folder that was named, or the file name.
    pub relative: PathBuf,
}

/// Finds the videos at `paths`, folders walked in parallel, in the order of their names.
///
/// Hidden files and what lies in `output` are left out.
///
/// # Errors
/// Where a path does not exist or cannot be read, or nothing is found.
pub fn scan(paths: &[PathBuf], output: &Path) -> Result<Vec<SourceFile>> {
    let mut found = Vec::new();
    for path in paths {
        let data = std::fs::metadata(path).map_err(|error| unreadable(path, error))?;
        if data.is_dir() {
            found.append(&mut walk(path, output)?);
        } else if !data.is_file() {
            // Opening a pipe may wait for ever, and a source is read more than once.
            let shown = path.display();
            return Err(
                Error::usage(format!("'{shown}' is neither a file nor a folder"))
                    .cure("save what comes from a pipe or a device to a file first"),
            );
        } else {
            let relative = PathBuf::from(path.file_name().unwrap_or_default());
            found.push(SourceFile {
                path: path.clone(),
                relative,
            });
        }
    }
    found.sort_by(|a, b| {
        a.relative
            .cmp(&b.relative)
            .then_with(|| a.path.cmp(&b.path))
    });
    found.dedup();
    if found.is_empty() {
        let list = paths
            .iter()
            .map(|path| format!("'{}'", path.display()))
            .collect::<Vec<_>>()
            .join(", ");
        return Err(Error::usage(format!("there are no videos in {list}"))
            .cure("name the files themselves if their endings are unusual"));
    }
    Ok(found)
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    let message = format!("cannot read '{}'", path.display());
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::usage(format!("there is no '{}'", path.display()))
            .cure("check the spelling; names with spaces want quotes"),
        _ => Error::usage(message).because(error),
    }
}

fn walk(root: &Path, output: &Path) -> Result<Vec<SourceFile>> {
    std::fs::read_dir(root).map_err(|error| unreadable(root, error))?;
    let output = output.canonicalize().unwrap_or_else(|_| output.to_owned());
    let (sender, receiver) = crossbeam_channel::unbounded();
    let walker = WalkBuilder::new(root)
        .standard_filters(false)
        .hidden(true)
        .follow_links(true)
        .filter_entry(move |entry| {
            entry.depth() == 0 || entry.path().canonicalize().is_ok_and(|path| path != output)
        })
        .build_parallel();
    walker.run(|| {
        let sender = sender.clone();
        Box::new(move |entry| {
            // An entry that cannot be read, or that closes a loop of links, is no source.
            if let Ok(entry) = entry
                && is_video(&entry)
            {
                let _ = sender.send(entry.into_path());
            }
            WalkState::Continue
        })
    });
    drop(sender);
    let found = receiver.into_iter().map(|path| {
        let relative = path.strip_prefix(root).unwrap_or(&path).to_owned();
        SourceFile { path, relative }
    });
    Ok(found.collect())
}

fn is_video(entry: &DirEntry) -> bool {
    let ending = entry
        .path()
        .extension()
        .and_then(OsStr::to_str)
        .map(str::to_ascii_lowercase);
    entry.file_type().is_some_and(|kind| kind.is_file())
        && ending.is_some_and(|ending| ENDINGS.binary_search(&ending.as_str()).is_ok())
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

    #[test]
    fn endings_are_sorted_for_the_search() {
        assert!(ENDINGS.is_sorted());
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
        let found = scan(&[folder.path().to_owned()], &folder.path().join("out")).unwrap();
        let names: Vec<_> = found
            .iter()
            .map(|source| source.relative.to_str().unwrap())
            .collect();
        assert_eq!(names, ["a.mp4", "b.MKV", "sub/c.webm"]);
    }

    #[test]
    fn a_loop_of_links_is_survived() {
        let folder = tempfile::tempdir().unwrap();
        touch(folder.path(), &["a.mp4", "sub/b.mp4"]);
        std::os::unix::fs::symlink(folder.path(), folder.path().join("sub/loop")).unwrap();
        let found = scan(&[folder.path().to_owned()], Path::new("/nowhere")).unwrap();
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn nothing_found_names_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let error = scan(&[folder.path().to_owned()], Path::new("out")).unwrap_err();
        assert!(
            error
                .to_string()
                .contains(&*folder.path().to_string_lossy()),
            "{error}"
        );
    }
}
