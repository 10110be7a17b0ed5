//! A look at each source: what it is, what is to become of it, at what cost.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::decide::{Decision, Make, Subject};
use super::{Because, Planned, Rules, SourceFile, cost, names};
use crate::dispatch::Cancel;
use crate::engine::{JobError, Probed, Watch};
use crate::error::Error;
use crate::job::{MediaInfo, MediaJob, StreamInfo};
use crate::journal::{Fingerprint, Placed, Record};
use crate::recipe::{Pipeline, Recipe, TONE_MAPPING_FILTERS, resolve};

/// What a source turned out to be.
pub(super) enum Look {
    Work(Box<Worked>),
    Skip(Because),
    Retire(PathBuf),
}

/// A source that was looked into.
pub(super) struct Worked {
    pub planned: Planned,
    pub job: MediaJob,
    pub cost: f64,
    pub kind: String,
}

/// What all sources are looked at with.
pub(super) struct Planner<'a> {
    pub recipes: &'a [Recipe],
    /// The same as the engine can run them on HDR, once there is any.
    pub of_hdr: OnceLock<Vec<Recipe>>,
    pub prints: Vec<Fingerprint>,
    pub output: &'a Path,
    pub rules: &'a Rules<'a>,
    pub cancel: &'a Cancel,
}

impl Planner<'_> {
    /// Looks at a source; into it only where there is something to be done.
    pub fn look(&self, source: &SourceFile, targets: &names::Targets) -> Result<Look, JobError> {
        let subject = Subject::of(source).map_err(|error| {
            Error::failed(format!("cannot read '{}'", source.path.display())).because(error)
        })?;
        match subject.decide(&self.prints, targets, self.output, self.rules)? {
            Decision::Skip(because) => Ok(Look::Skip(because)),
            Decision::Retire(target) => Ok(Look::Retire(target)),
            Decision::Make(wanted) => self.work(&subject, wanted),
        }
    }

    fn work(&self, subject: &Subject, wanted: Vec<Make>) -> Result<Look, JobError> {
        let source = &subject.source.path;
        let mut untold = |_| {};
        let mut watch = Watch::new(self.cancel, &mut untold).within(self.rules.limits);
        let Probed { info, log } = self.rules.engine.probe(source, &mut watch)?;
        if self.rules.replace {
            // The source is to be removed: the plan does not rest on the word of one worker.
            let again = self.rules.engine.probe(source, &mut watch)?;
            if again.info != info {
                let error = Error::failed("two workers found different things in it")
                    .cure("run the same command again; without --replace, the source stays");
                return Err(error.into());
            }
        }
        let all = self.recipes_for(&info);
        let recipes: Vec<_> = wanted.iter().map(|make| &all[make.recipe]).collect();
        let pipeline = resolve(&recipes, &info).map_err(|error| JobError { error, log })?;
        if self.rules.replace && is_as_wanted(&recipes, &pipeline, &info) {
            return Ok(Look::Skip(Because::AsWanted));
        }
        let records = wanted.iter().map(|make| self.record(subject, make));
        let records = records.collect();
        let anew: Vec<_> = wanted.iter().map(|make| make.anew).collect();
        let overwrites = self.rules.existing == super::Existing::Overwrite;
        let overwrite = anew.iter().map(|anew| overwrites || anew.is_some());
        let (cost, kind) = cost::cost(&info, &pipeline, subject.stamp.size);
        let job = MediaJob {
            source: source.clone(),
            targets: wanted.into_iter().map(|make| make.target).collect(),
            claimed_s: claimed_s(&info, &pipeline),
            duration_s: info.end_s(&pipeline.streams()),
            pipeline,
            source_bytes: subject.stamp.size,
            overwrite: overwrite.collect(),
            verify: self.rules.verify,
            replace: self.rules.replace,
        };
        Ok(Look::Work(Box::new(Worked {
            planned: Planned { anew, records },
            job,
            cost,
            kind,
        })))
    }

    /// The recipes for a source: the engine may lack what tone mapping needs, and is asked for it
    /// only where a source is HDR.
    fn recipes_for(&self, info: &MediaInfo) -> &[Recipe] {
        if !info.streams.iter().any(StreamInfo::is_hdr) {
            return self.recipes;
        }
        self.of_hdr.get_or_init(|| {
            let mut missing = TONE_MAPPING_FILTERS.to_vec();
            missing.retain(|name| !self.rules.engine.has_filter(name));
            let recipes = self.recipes.iter().cloned();
            recipes.map(|one| one.lacking(&missing)).collect()
        })
    }

    /// What can be said of a result before there is one.
    fn record(&self, subject: &Subject, make: &Make) -> Record {
        let below = make.target.strip_prefix(self.output);
        Record {
            target: below.unwrap_or(&make.target).to_owned(),
            source: subject.source.relative.clone(),
            path: subject.path.clone(),
            source_stamp: subject.stamp,
            recipe: self.prints[make.recipe],
            placed: Placed::default(),
        }
    }
}

/// Whether a source is what its replacement would be. Where copying all is what
/// was asked for, that is to be done.
fn is_as_wanted(recipes: &[&Recipe], pipeline: &Pipeline, info: &MediaInfo) -> bool {
    let remuxes = recipes.iter().any(|recipe| recipe.copies_all());
    let mut products = pipeline.products.iter();
    !remuxes && products.all(|product| product.changes_nothing(&info.format))
}

/// What the container promises to hold of what is read; unknown where it guesses, and where
/// its pictures, which may be longer than the sound, are not read.
fn claimed_s(info: &MediaInfo, pipeline: &Pipeline) -> Option<f64> {
    let read = pipeline.streams();
    let reads_all = info
        .streams
        .iter()
        .filter(|stream| stream.is_video())
        .all(|stream| read.contains(&stream.index));
    info.end_s(&read)
        .filter(|_| reads_all && !info.duration_is_guessed)
}
