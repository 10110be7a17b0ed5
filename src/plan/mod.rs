//! From folders to jobs: what is there, what becomes of it, under which name.

mod arrivals;
mod cost;
mod decide;
mod look;
mod names;
mod output;
mod own;
mod scan;
mod walk;
mod wanted;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::{Arc, LazyLock};

use rayon::prelude::*;

pub use arrivals::{Arrival, Arrivals, Listed};
pub use decide::{Anew, Because};
use look::{Look, Planner};
pub use names::{Existing, free_names};
pub use output::prepare_output;
pub use scan::{Found, SourceFile, glob, scan, survey, unreadable};
pub(crate) use walk::walk;
pub use wanted::Wanted;

use crate::dispatch::{Cancel, Event};
use crate::engine::{Engine, JobError};
use crate::error::{Error, Kind, Result};
use crate::job::{Job, Limits, Work};
use crate::journal::{Fingerprint, Known, Placed, Record, Stamp};
use crate::media::verify::Depth;
use crate::recipe::Recipe;
use crate::threads;

/// What a plan goes by, besides sources and recipes.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// What to do where something that is not known as the result has its name.
    pub existing: Existing,
    /// What is known of results.
    pub known: &'a Known,
    /// Whether results take their sources' places.
    pub replace: bool,
    /// How much is looked at before a result takes its place.
    pub verify: Depth,
    /// What looks into sources.
    pub engine: &'a dyn Engine,
    /// What looking into one may cost.
    pub limits: Limits,
}

impl<'a> Rules<'a> {
    /// Nothing is known of results.
    pub fn new(existing: Existing, engine: &'a dyn Engine) -> Self {
        static NOTHING: LazyLock<Known> = LazyLock::new(Known::default);
        Self {
            existing,
            known: &NOTHING,
            replace: false,
            verify: Depth::default(),
            engine,
            limits: Limits::default(),
        }
    }
}

/// What a batch will do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The work.
    pub jobs: Vec<Job>,
    /// What was found out about each job's source.
    pub subjects: Vec<Planned>,
    /// Sources on which nothing is to be done.
    pub skipped: Vec<Skipped>,
    /// Sources whose replacement is in place, with that.
    pub retiring: Vec<(PathBuf, PathBuf)>,
    /// Files that are results themselves.
    pub own_results: usize,
    /// Sources that got their whole name, since another would have got the same one.
    pub by_whole_name: Vec<PathBuf>,
    /// Sources that cannot be worked on, and why.
    pub refused: Vec<Refused>,
}

/// What was found out about a source on which there is work to be done.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Why results that are there are made anew, one a target.
    pub anew: Vec<Option<Anew>>,
    /// What the journal is to say of the results, one a target: all but what they are then.
    records: Vec<Record>,
}

/// A source on which nothing is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The source.
    pub source: PathBuf,
    /// Why.
    pub because: Because,
}

/// A source that cannot be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The source.
    pub source: PathBuf,
    /// Why not.
    pub reason: String,
    /// What libav said about it.
    pub log: Vec<String>,
}

impl Refused {
    /// That it is left out, and why.
    pub fn told(&self) -> String {
        format!("left out '{}': {}", self.source.display(), self.reason)
    }
}

impl From<&Refused> for Event {
    fn from(refused: &Refused) -> Self {
        Self::SourceRefused {
            source: refused.source.display().to_string(),
            reason: refused.reason.clone(),
            log: refused.log.clone(),
        }
    }
}

impl From<&Skipped> for Event {
    fn from(skipped: &Skipped) -> Self {
        Self::SourceSkipped {
            source: skipped.source.display().to_string(),
            because: skipped.because,
        }
    }
}

impl Planned {
    /// The source as it was when it was looked at.
    pub fn stamp(&self) -> Stamp {
        let first = self.records.first();
        first.map_or_else(Stamp::default, |record| record.source_stamp)
    }

    /// What the journal is to say of result `index`, which was `placed` so.
    pub fn record(&self, index: usize, placed: Placed) -> Option<Record> {
        Some(Record {
            placed,
            ..self.records.get(index)?.clone()
        })
    }
}

/// Plans `recipes` for all `sources`, with results under `output`: one job a
/// source, which makes all of its results.
///
/// # Errors
/// Where two results would have one name, where a result exists and that was
/// to be an error, and where the planning was cancelled.
pub fn plan(
    sources: &[SourceFile],
    recipes: &[Recipe],
    output: &Path,
    rules: &Rules,
    cancel: &Cancel,
) -> Result<Plan> {
    let found = sources.len();
    let sources = own::without_results(sources, output, rules);
    let targets = names::targets(&sources, recipes, output, (rules.known, rules.replace))?;
    let prints: Vec<_> = recipes.iter().map(Fingerprint::of).collect();
    let planner = Planner {
        recipes,
        of_hdr: OnceLock::new(),
        prints,
        output,
        rules,
        cancel,
    };
    let looks: Vec<_> = threads::shared()?.install(|| {
        let both = sources.par_iter().zip(&targets);
        both.map(|(source, targets)| planner.look(source, targets))
            .collect()
    });
    if cancel.is_set() {
        return Err(Error::interrupted());
    }
    let mut plan = Plan {
        own_results: found - sources.len(),
        ..Plan::default()
    };
    for ((source, targets), look) in sources.iter().zip(&targets).zip(looks) {
        if targets.by_whole_name {
            plan.by_whole_name.push(source.path.clone());
        }
        plan.add(source, look)?;
    }
    Ok(plan)
}

impl Plan {
    fn add(&mut self, source: &SourceFile, look: Result<Look, JobError>) -> Result<()> {
        match look {
            Err(failure) if failure.error.kind() == Kind::Usage => return Err(failure.error),
            Err(failure) => self.refused.push(Refused {
                source: source.path.clone(),
                reason: failure.error.line(),
                log: failure.log,
            }),
            Ok(Look::Skip(because)) => self.skipped.push(Skipped {
                source: source.path.clone(),
                because,
            }),
            Ok(Look::Retire(target)) => self.retiring.push((source.path.clone(), target)),
            Ok(Look::Work(worked)) => {
                self.jobs.push(Job {
                    id: self.jobs.len(),
                    name: source.relative.display().to_string(),
                    cost: worked.cost,
                    kind: worked.kind,
                    work: Work::Media(Arc::new(worked.job)),
                });
                self.subjects.push(worked.planned);
            }
        }
        Ok(())
    }
}
