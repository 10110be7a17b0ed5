//! The jobs that the cells of a matrix run.

use std::path::Path;

use super::matrix::Options;
use super::results::Work;
use crate::dispatch::Cancel;
use crate::engine::Workers;
use crate::error::{Error, Result};
use crate::job::{self, Job, Limits, Load};
use crate::plan::{Existing, Plan, Rules, plan};
use crate::recipe::{CodecThreads, Frames, Recipe, Transcode};

/// The jobs of transcode and of frames, with results in `target`.
pub(super) fn plans(options: &Options, target: &Path, cancel: &Cancel) -> Result<[Plan; 2]> {
    let workers = Workers::find(Limits::default())?;
    let planned = |work, recipe: Recipe| -> Result<Plan> {
        if !options.works.contains(&work) {
            return Ok(Plan::default());
        }
        let rules = Rules::new(Existing::Overwrite, &workers);
        plan(&options.sources, &[recipe], target, &rules, cancel)
    };
    let codec_threads = CodecThreads(options.codec_threads);
    let transcode = Recipe::Transcode(Transcode {
        codec_threads,
        ..options.transcode.clone()
    });
    let frames = Recipe::Frames(Frames {
        codec_threads,
        ..options.frames.clone()
    });
    let plans = [
        planned(Work::Transcode, transcode)?,
        planned(Work::Frames, frames)?,
    ];
    let media = options.works.iter().any(|work| !work.one_job_a_worker());
    if media && plans.iter().all(|plan| plan.jobs.is_empty()) {
        let first = plans.iter().flat_map(|plan| &plan.refused).next();
        let why = first.map(|refused| format!("'{}' {}", refused.source.display(), refused.reason));
        return Err(
            Error::usage("none of the files can be worked on; nothing was started")
                .because(why.unwrap_or_default()),
        );
    }
    Ok(plans)
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
