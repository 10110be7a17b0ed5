//! The jobs that the cells of a matrix run.

use std::collections::BTreeMap;
use std::path::Path;

use super::matrix::Options;
use super::results::{self, Work};
use crate::dispatch::Cancel;
use crate::engine::{Engine, Watch, Workers};
use crate::error::{Error, Result};
use crate::job::{self, Job, Limits, Load};
use crate::plan::{Existing, Plan, Refused, Rules, plan};
use crate::recipe::{CodecThreads, Container, Frames, Presets, Recipe, Transcode};

/// What is planned of each load, in reporting order.
type Plans = BTreeMap<results::Load, Plan>;

/// The plan of each load that works on clips, with results in `target`.
pub(super) fn plans(options: &Options, target: &Path, cancel: &Cancel) -> Result<Plans> {
    let workers = Workers::find(Limits::default())?;
    let rules = Rules::new(Existing::Overwrite, &workers);
    let mut plans = Plans::new();
    for load in options.loads() {
        if let Some(recipe) = recipe(options, load)? {
            let plan = plan(&options.sources, &[recipe], target, &rules, cancel)?;
            plans.insert(load, plan);
        }
    }
    if !plans.is_empty() && plans.values().all(|plan| plan.jobs.is_empty()) {
        let first = plans.values().flat_map(|plan| &plan.refused).next();
        let why = first.map(|refused| format!("'{}' {}", refused.source.display(), refused.reason));
        return Err(
            Error::usage("none of the files can be worked on; nothing was started")
                .because(why.unwrap_or_default()),
        );
    }
    Ok(plans)
}

/// Length of all clips together, in seconds. Where a container does not store it, the
/// clip's packets are read: without its length, more would seem to be done in less time.
pub(super) fn length_s(jobs: &[Job], cancel: &Cancel) -> Result<f64> {
    let limits = Limits::default();
    let workers = Workers::find(limits)?;
    let mut sum_s = 0.0;
    for job in jobs {
        let job::Work::Media(media) = &job.work else {
            continue;
        };
        sum_s += match media.duration_s {
            Some(length_s) => length_s,
            None => {
                let mut unheard = |_| {};
                let mut watch = Watch::new(cancel, &mut unheard).within(limits);
                let survey = workers.survey(media, &mut watch);
                survey.map_err(|failure| failure.error)?.end_s()
            }
        };
    }
    Ok(sum_s)
}

/// What a job of `load` does with a clip; `None` where it reads none.
fn recipe(options: &Options, load: results::Load) -> Result<Option<Recipe>> {
    let codec_threads = CodecThreads(load.codec_threads);
    Ok(match load.work {
        Work::Transcode => Some(Recipe::Transcode(Transcode {
            codec_threads,
            ..options.transcode.clone()
        })),
        Work::Frames => Some(Recipe::Frames(Frames {
            codec_threads,
            ..options.frames.clone()
        })),
        Work::Remux => {
            let preset = Presets::own()?.get("remux")?;
            Some(Recipe::Transcode(Transcode {
                // It holds whatever a clip has.
                container: Container::Mkv,
                ..preset.recipe("remux")
            }))
        }
        Work::Cpu | Work::Io => None,
    })
}

/// The clips that cannot be worked on, each once: all loads have the same clips.
pub(super) fn refused(plans: &Plans) -> Vec<Refused> {
    let first = plans.values().next();
    first.map_or(vec![], |plan| plan.refused.clone())
}

/// A job of `work` that reads nothing.
pub(super) fn load_job(id: usize, work: Work, load: Load) -> Job {
    Job {
        id,
        name: format!("{} {}", work.name(), id + 1),
        work: job::Work::Load(load),
        cost: 1.0,
        kind: String::new(),
    }
}
