//! Where results go.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::SourceFile;
use crate::error::{Error, Result};
use crate::journal::Known;
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

/// `a (2).mp4`, `a (3).mp4` and so on.
pub fn free_names(target: &Path) -> impl Iterator<Item = PathBuf> {
    let stem = target.file_stem().unwrap_or_default();
    (2_u32..).map(move |number| {
        let mut name = stem.to_owned();
        name.push(format!(" ({number})"));
        if let Some(ending) = target.extension() {
            name.push(".");
            name.push(ending);
        }
        target.with_file_name(name)
    })
}

/// Where one source's results go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Targets {
    /// The final names, one a recipe.
    pub paths: Vec<PathBuf>,
    /// Whether the source's whole name became part of one, since another
    /// source would have got the same name otherwise.
    pub by_whole_name: bool,
}

/// One target a source and recipe, in the mirrored tree below `output`; where
/// there are several recipes, each has a tree of its own below its name.
/// Sources that would get one name (`a.avi` and `a.mkv`, or names equal but for
/// case, which some file systems fold) keep their endings in it: `a.avi.mp4`,
/// `a.mkv.mp4`. A source keeps the name of a result that is `known`, whatever arrives later.
///
/// # Errors
/// Where two sources would get one target all the same, or a target would be a
/// source, unless that is just what it is to `replace`.
pub(super) fn targets(
    sources: &[SourceFile],
    recipes: &[Recipe],
    output: &Path,
    (known, replace): (&Known, bool),
) -> Result<Vec<Targets>> {
    let mut targets: Vec<_> = sources
        .iter()
        .map(|_| Targets {
            paths: Vec::with_capacity(recipes.len()),
            by_whole_name: false,
        })
        .collect();
    for recipe in recipes {
        let root = match recipe {
            Recipe::Transcode(transcode) if recipes.len() > 1 => output.join(&transcode.name),
            _ => output.to_owned(),
        };
        for (targets, (path, by_whole_name)) in
            targets
                .iter_mut()
                .zip(named(sources, recipe, (&root, output), known))
        {
            targets.paths.push(path);
            targets.by_whole_name |= by_whole_name;
        }
    }
    refuse_collisions(sources, &targets, replace)?;
    Ok(targets)
}

/// The target of each source for one recipe, and whether its whole name became part of it.
fn named(
    sources: &[SourceFile],
    recipe: &Recipe,
    (root, output): (&Path, &Path),
    known: &Known,
) -> Vec<(PathBuf, bool)> {
    let ending = match recipe {
        Recipe::Transcode(transcode) => Some(transcode.container.extension()),
        Recipe::Frames(frames) => frames.file_ending(),
    };
    let short =
        |source: &SourceFile| root.join(source.relative.with_extension(ending.unwrap_or("")));
    let mut claims: HashMap<String, usize> = HashMap::new();
    for source in sources {
        *claims.entry(folded(&short(source))).or_default() += 1;
    }
    let target = |source| {
        let (short, whole) = (short(source), whole_name(source, ending, root));
        let is_claimed = claims
            .get(&folded(&short))
            .is_some_and(|claims| *claims > 1);
        // A folder of pictures has the name that a video had.
        let earlier = ending.and_then(|_| earlier_name(source, [&short, &whole], output, known));
        let is_whole = match earlier {
            Some(earlier) => earlier == whole,
            None => is_claimed,
        };
        match is_whole {
            true => (whole, true),
            false => (short, false),
        }
    };
    sources.iter().map(target).collect()
}

/// The one of these names that an earlier run gave to the result of `source`.
fn earlier_name(
    source: &SourceFile,
    names: [&Path; 2],
    output: &Path,
    known: &Known,
) -> Option<PathBuf> {
    if known.is_empty() {
        return None;
    }
    let path = std::path::absolute(&source.path).ok()?;
    let mut earlier = known
        .of_source(&path)
        .map(|record| output.join(&record.target));
    earlier.find(|target| names.contains(&target.as_path()))
}

/// A name as file systems compare it that fold case.
fn folded(path: &Path) -> String {
    path.to_string_lossy().to_lowercase()
}

fn whole_name(source: &SourceFile, ending: Option<&str>, output: &Path) -> PathBuf {
    let mut name = source.relative.file_name().unwrap_or_default().to_owned();
    if let Some(ending) = ending {
        name.push(".");
        name.push(ending);
    }
    output.join(source.relative.with_file_name(name))
}

fn refuse_collisions(sources: &[SourceFile], targets: &[Targets], replace: bool) -> Result<()> {
    let mut owners = HashMap::new();
    let pairs = sources
        .iter()
        .zip(targets)
        .flat_map(|(source, targets)| targets.paths.iter().map(move |target| (source, target)));
    for (source, target) in pairs {
        let shown = source.path.display();
        if let Some(other) = owners.insert(folded(target), source) {
            return Err(Error::usage(format!(
                "'{}' and '{shown}' would both become '{}'",
                other.path.display(),
                target.display()
            ))
            .cure("rename one of them, or convert them into different folders"));
        }
        if !replace && same_file(&source.path, target) {
            return Err(
                Error::usage(format!("'{shown}' would be overwritten by its own result"))
                    .cure("choose another output folder with -o"),
            );
        }
    }
    Ok(())
}

fn same_file(a: &Path, b: &Path) -> bool {
    // Mostly there is no such target, and that is told fastest.
    b.symlink_metadata().is_ok()
        && matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
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

    fn names(sources: &[SourceFile]) -> Vec<PathBuf> {
        let known = Known::default();
        let targets = targets(sources, &[transcode()], Path::new("out"), (&known, false)).unwrap();
        targets
            .into_iter()
            .flat_map(|targets| targets.paths)
            .collect()
    }

    #[test]
    fn the_tree_is_mirrored() {
        let names = names(&sources(&["a.avi", "sub/b.mkv"]));
        assert_eq!(names, [Path::new("out/a.mp4"), Path::new("out/sub/b.mp4")]);
    }

    #[test]
    fn sources_that_would_get_one_name_keep_their_endings_whatever_their_case() {
        let names = names(&sources(&["a.avi", "A.mkv", "b.mkv", "sub/a.avi"]));
        assert_eq!(
            names,
            [
                "out/a.avi.mp4",
                "out/A.mkv.mp4",
                "out/b.mp4",
                "out/sub/a.mp4"
            ]
            .map(PathBuf::from)
        );
    }

    #[test]
    fn two_sources_for_one_result_are_refused_by_name() {
        let mut twice = sources(&["a.avi", "a.avi"]);
        twice[1].path = "elsewhere/a.avi".into();
        let error = targets(
            &twice,
            &[transcode()],
            Path::new("out"),
            (&Known::default(), false),
        )
        .unwrap_err();
        for name in ["in/a.avi", "elsewhere/a.avi"] {
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
