//! Whether a result is to be made, by what is there and what is known of it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::names::{Existing, Targets, free_names};
use super::{Rules, SourceFile};
use crate::error::{Error, Result};
use crate::journal::{Fingerprint, Record, Stamp};

/// Why a source is not worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// An earlier run made its result of it as it is, by the same recipe.
    Done,
    /// So it is, and the source did not hold all that it claims.
    Salvaged,
    /// It is what its replacement would be.
    AsWanted,
    /// Under the result's name there is the result of another source.
    AnotherSource,
    /// Under the result's name there is something that rushes did not write, or that has changed
    /// since.
    Exists,
}

impl Because {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "it is done",
            Self::Salvaged => {
                "it is done, as far as it could be: the source does not hold what it claims"
            }
            Self::AsWanted => "it is as it is wanted",
            Self::AnotherSource => "the result of another source has its result's name",
            Self::Exists => "its result's name is taken by a file that is not known as its result",
        }
    }
}

/// Why a result that is there is made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anew {
    /// The source is not what it was.
    SourceChanged,
    /// The recipe is another.
    RecipeChanged,
}

impl Anew {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::SourceChanged => "made anew: the source changed",
            Self::RecipeChanged => "made anew: the recipe changed",
        }
    }
}

/// A source with what the journal compares.
pub(super) struct Subject<'a> {
    pub source: &'a SourceFile,
    pub path: PathBuf,
    pub stamp: Stamp,
}

/// A result that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Make {
    /// Which recipe it is of.
    pub recipe: usize,
    pub target: PathBuf,
    pub anew: Option<Anew>,
}

/// What is to become of a source.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// These results are to be made.
    Make(Vec<Make>),
    /// Nothing is to be done.
    Skip(Because),
    /// Its replacement is in place: it may go.
    Retire(PathBuf),
}

impl Subject<'_> {
    /// Looks at a source.
    pub(super) fn of(source: &SourceFile) -> std::io::Result<Subject<'_>> {
        Ok(Subject {
            source,
            path: std::path::absolute(&source.path)?,
            stamp: Stamp::of(&source.path)?,
        })
    }

    /// What becomes of the source, one target a recipe.
    ///
    /// # Errors
    /// Where a result exists and that was to be an error.
    pub(super) fn decide(
        &self,
        prints: &[Fingerprint],
        targets: &Targets,
        output: &Path,
        rules: &Rules,
    ) -> Result<Decision> {
        if rules.replace
            && let Some(print) = prints.first()
            && let Some(decision) = self.replaced(*print, output, rules)
        {
            return Ok(decision);
        }
        let (mut wanted, mut because) = (Vec::new(), Because::Done);
        for (recipe, (target, print)) in targets.paths.iter().zip(prints).enumerate() {
            match self.decide_one(*print, target, output, rules)? {
                Ok((target, anew)) => wanted.push(Make {
                    recipe,
                    target,
                    anew,
                }),
                Err(reason) => because = because.max(reason),
            }
        }
        Ok(if wanted.is_empty() {
            Decision::Skip(because)
        } else {
            Decision::Make(wanted)
        })
    }

    /// The name to write to and whether that is made anew, or why nothing is to be done.
    fn decide_one(
        &self,
        print: Fingerprint,
        target: &Path,
        output: &Path,
        rules: &Rules,
    ) -> Result<Result<(PathBuf, Option<Anew>), Because>> {
        // In its own place it is the source that is there.
        let in_place = rules.replace && target == self.source.path;
        if in_place || rules.existing == Existing::Overwrite {
            return Ok(Ok((target.to_owned(), None)));
        }
        for name in std::iter::once(target.to_owned()).chain(free_names(target)) {
            if name.symlink_metadata().is_err() {
                return Ok(Ok((name, None)));
            }
            let written = written(&name, output, rules);
            if let Some(record) = written.filter(|record| self.is_of(record)) {
                return Ok(match self.outdated(record, print) {
                    Some(anew) => Ok((name, Some(anew))),
                    None if record.placed.salvaged => Err(Because::Salvaged),
                    None => Err(Because::Done),
                });
            }
            match rules.existing {
                Existing::Rename => {}
                Existing::Error => return Err(exists(&name)),
                _ if written.is_some() => return Ok(Err(Because::AnotherSource)),
                _ => return Ok(Err(Because::Exists)),
            }
        }
        Ok(Err(Because::Exists))
    }

    /// Whether a result was made from this source: from this very file, or
    /// from the same one before its folder was moved. Cameras give the same
    /// names again and again, so a name alone does not tell.
    fn is_of(&self, record: &Record) -> bool {
        record.path == self.path
            || record.source == self.source.relative && record.source_stamp == self.stamp
    }

    fn outdated(&self, record: &Record, print: Fingerprint) -> Option<Anew> {
        if record.source_stamp != self.stamp {
            Some(Anew::SourceChanged)
        } else if record.recipe != print {
            Some(Anew::RecipeChanged)
        } else {
            None
        }
    }

    /// What is known of a source that was to be replaced before.
    fn replaced(&self, print: Fingerprint, output: &Path, rules: &Rules) -> Option<Decision> {
        let place = |record: &Record| output.join(&record.target);
        let in_place = |record: &&Record| written(&place(record), output, rules).is_some();
        let record = rules
            .known
            .of_source(&self.path)
            .filter(|record| self.outdated(record, print).is_none())
            .find(in_place)
            .or_else(|| self.stepped_aside(rules).find(in_place))?;
        Some(match record {
            record if record.placed.salvaged => Decision::Skip(Because::Salvaged),
            record if record.placed.dropped => Decision::Skip(Because::Done),
            record => Decision::Retire(place(record)),
        })
    }

    /// Results in whose favour this source, which has a telling name, may have
    /// stepped aside: in the same folder, and made of just such a source.
    fn stepped_aside<'a>(&'a self, rules: &'a Rules) -> impl Iterator<Item = &'a Record> {
        let is_aside = crate::delivery::is_stepped_aside(&self.source.path);
        let records = rules.known.records().filter(move |_| is_aside);
        records.filter(|record| {
            record.source_stamp == self.stamp
                && record.path.parent() == self.path.parent()
                && record.source == record.target
        })
    }
}

/// What is known of the result at `target`, where it still is what rushes wrote.
pub(super) fn written<'a>(target: &Path, output: &Path, rules: &Rules<'a>) -> Option<&'a Record> {
    let record = rules.known.of_target(target.strip_prefix(output).ok()?)?;
    (Stamp::of(target).ok()? == record.placed.stamp).then_some(record)
}

fn exists(target: &Path) -> Error {
    Error::usage(format!("'{}' exists", target.display()))
        .cure("use --exists skip, overwrite or rename, or another output folder")
}
