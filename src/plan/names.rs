//! Where results go.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::SourceFile;
use crate::error::{Error, Result};
use crate::recipe::Recipe;

/// What to do where a result already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Existing {
    /// Leave it, and do not do the work again.
    #[default]
    Skip,
    /// Replace it once the new one is whole.
    Overwrite,
    /// Keep both: the new one gets a number.
    Rename,
    /// Start nothing.
    Error,
}

impl Existing {
    /// The name to write to; `None` where there is nothing to do.
    ///
    /// # Errors
    /// Where `target` exists and that was to be an error.
    pub(super) fn resolve(self, target: &Path) -> Result<Option<PathBuf>> {
        if target.symlink_metadata().is_err() {
            return Ok(Some(target.to_owned()));
        }
        match self {
            Self::Skip => Ok(None),
            Self::Overwrite => Ok(Some(target.to_owned())),
            Self::Rename => Ok(Some(free_name(target))),
            Self::Error => Err(Error::usage(format!("'{}' exists", target.display()))
                .cure("use --exists skip, overwrite or rename, or another output folder")),
        }
    }
}

fn free_name(target: &Path) -> PathBuf {
    let stem = target.file_stem().unwrap_or_default();
    let numbered = (2_u32..).map(|number| {
        let mut name = stem.to_owned();
        name.push(format!(" ({number})"));
        if let Some(ending) = target.extension() {
            name.push(".");
            name.push(ending);
        }
        target.with_file_name(name)
    });
    let mut free = numbered.filter(|path| path.symlink_metadata().is_err());
    free.next().unwrap_or_else(|| target.to_owned())
}

/// One target a source, in the mirrored tree below `output`.
///
/// # Errors
/// Where two sources would get one target, or a target would be a source.
pub(super) fn targets(
    sources: &[SourceFile],
    recipe: &Recipe,
    output: &Path,
) -> Result<Vec<PathBuf>> {
    let targets: Vec<_> = sources
        .iter()
        .map(|source| match recipe {
            Recipe::Transcode(_) => output.join(source.relative.with_extension("mp4")),
            Recipe::Frames(_) => output.join(source.relative.with_extension("")),
        })
        .collect();
    let mut owners = HashMap::new();
    for (source, target) in sources.iter().zip(&targets) {
        // File systems that fold case would make these one file.
        let key = target.as_os_str().to_ascii_lowercase();
        if let Some(other) = owners.insert(key, source) {
            return Err(Error::usage(format!(
                "'{}' and '{}' would both become '{}'",
                other.path.display(),
                source.path.display(),
                target.display()
            ))
            .cure("rename one of them, or convert them into different folders"));
        }
        if same_file(&source.path, target) {
            return Err(Error::usage(format!(
                "'{}' would be overwritten by its own result",
                source.path.display()
            ))
            .cure("choose another output folder with -o"));
        }
    }
    Ok(targets)
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Transcode;

    fn sources(names: &[&str]) -> Vec<SourceFile> {
        names
            .iter()
            .map(|name| SourceFile {
                path: Path::new("in").join(name),
                relative: name.into(),
            })
            .collect()
    }

    fn transcode() -> Recipe {
        Recipe::Transcode(Transcode::default())
    }

    #[test]
    fn the_tree_is_mirrored() {
        let targets = targets(
            &sources(&["a.avi", "sub/b.mkv"]),
            &transcode(),
            Path::new("out"),
        )
        .unwrap();
        assert_eq!(
            targets,
            [Path::new("out/a.mp4"), Path::new("out/sub/b.mp4")]
        );
    }

    #[test]
    fn two_sources_for_one_result_are_refused_by_name_whatever_their_case() {
        for pair in [["a.avi", "a.mkv"], ["a.avi", "A.mkv"]] {
            let error = targets(&sources(&pair), &transcode(), Path::new("out")).unwrap_err();
            assert!(error.to_string().contains("in/a.avi"), "{error}");
            assert!(error.to_string().contains(pair[1]), "{error}");
        }
    }

    #[test]
    fn a_new_name_is_free() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.mp4", "a (2).mp4"] {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        let name = Existing::Rename
            .resolve(&folder.path().join("a.mp4"))
            .unwrap()
            .unwrap();
        assert_eq!(name, folder.path().join("a (3).mp4"));
    }
}
