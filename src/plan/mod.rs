//! From folders to jobs: what is there, what becomes of it, under which name.

mod arrivals;
mod names;
mod output;
mod scan;
mod wanted;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub use arrivals::{Arrival, Arrivals, Listed, Stamp};
pub use names::Existing;
pub use output::prepare_output;
pub use scan::{Found, SourceFile, glob, scan, survey};
pub use wanted::Wanted;

use crate::dispatch::Cancel;
use crate::error::{Error, Kind, Result};
use crate::job::{Job, MediaInfo, MediaJob, StreamKind, Work};
use crate::media;
use crate::media::verify::Depth;
use crate::recipe::{Pipeline, Recipe, resolve};

/// What a batch will do.
#[derive(Debug, Default)]
pub struct Plan {
    /// The work.
    pub jobs: Vec<Job>,
    /// Sources whose result is already there.
    pub skipped: Vec<PathBuf>,
    /// Sources that got their whole name, since another would have got the same one.
    pub by_whole_name: Vec<PathBuf>,
    /// Sources that cannot be worked on, and why.
    pub refused: Vec<Refused>,
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
    existing: Existing,
    cancel: &Cancel,
) -> Result<Plan> {
    let targets = names::targets(sources, recipes, output)?;
    let looks: Vec<_> = sources
        .par_iter()
        .zip(&targets)
        .map(|(source, targets)| {
            media::log::capture(|| {
                let wanted = existing.wanted(recipes, targets)?;
                look(&source.path, wanted, cancel)
            })
        })
        .collect();
    if cancel.is_set() {
        return Err(Error::interrupted());
    }
    let mut plan = Plan::default();
    for ((source, targets), (look, log)) in sources.iter().zip(&targets).zip(looks) {
        if targets.by_whole_name {
            plan.by_whole_name.push(source.path.clone());
        }
        match look {
            Err(error) if error.kind() == Kind::Usage => return Err(error),
            Err(error) => plan.refused.push(Refused {
                source: source.path.clone(),
                reason: error.line(),
                log,
            }),
            Ok(None) => plan.skipped.push(source.path.clone()),
            Ok(Some(Look {
                info,
                pipeline,
                targets,
            })) => plan.jobs.push(Job {
                id: plan.jobs.len(),
                name: source.relative.display().to_string(),
                cost: cost(&info),
                work: Work::Media(Box::new(MediaJob {
                    source: source.path.clone(),
                    targets,
                    claimed_s: claimed_s(&info, &pipeline),
                    pipeline,
                    duration_s: info.duration_s,
                    source_bytes: std::fs::metadata(&source.path).map_or(0, |data| data.len()),
                    verify: Depth::default(),
                })),
            }),
        }
    }
    Ok(plan)
}

/// A source that was looked at.
struct Look {
    info: MediaInfo,
    pipeline: Pipeline,
    targets: Vec<PathBuf>,
}

/// Looks into a source for the results that are `wanted` of it; a source of which none is, is not opened.
fn look(path: &Path, wanted: Vec<(&Recipe, PathBuf)>, cancel: &Cancel) -> Result<Option<Look>> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let info = media::probe(path, cancel)?;
    let (recipes, targets): (Vec<_>, Vec<_>) = wanted.into_iter().unzip();
    let pipeline = resolve(&recipes, &info)?;
    Ok(Some(Look {
        info,
        pipeline,
        targets,
    }))
}

/// What the container promises to hold; unknown where it guesses, and where its
/// pictures, which may be longer than the sound, are not read.
fn claimed_s(info: &MediaInfo, pipeline: &Pipeline) -> Option<f64> {
    let read = pipeline.streams();
    let reads_all = info
        .streams
        .iter()
        .filter(|stream| stream.is_video())
        .all(|stream| read.contains(&stream.index));
    info.duration_s
        .filter(|_| reads_all && !info.duration_is_guessed)
}

/// Predicted cost: pixels to go through, or the length alone where sizes are unknown.
fn cost(info: &MediaInfo) -> f64 {
    let duration = info.duration_s.unwrap_or(1.0);
    match info.main_video().map(|stream| &stream.kind) {
        Some(StreamKind::Video {
            width,
            height,
            frame_rate,
            ..
        }) => {
            let rate = if frame_rate.is_positive() {
                frame_rate.as_f64().min(240.0)
            } else {
                25.0
            };
            duration * rate * f64::from(*width) * f64::from(*height)
        }
        _ => duration,
    }
}
