//! Before any time counts: caches are filled, outputs are compared, and the
//! cost of starting a job is measured.

use std::fs;
use std::path::Path;

use super::compare::Known;
use super::equal::{self, differences};
use super::matrix::{CellKey, Matrix};
use super::results::{Dispatch, Output, Work};
use super::startup::StartUp;
use super::stats::median;
use crate::dispatch::Cancel;
use crate::engine::{Watch, Workers};
use crate::error::Result;
use crate::job::{Job, Limits, Work as JobWork};

/// What the warm-up brought to light.
#[derive(Debug, Default)]
pub(super) struct Warm {
    pub known: Known,
    pub outputs: Vec<Output>,
    pub notes: Vec<String>,
}

impl Warm {
    /// What is known before anything ran.
    pub fn new(matrix: &Matrix) -> Self {
        let refused = matrix.refused.iter();
        Self {
            known: Known {
                io_ms: matrix.options().io_ms as f64,
                clips_s: matrix.clips_s(),
                ..Known::default()
            },
            outputs: vec![],
            notes: refused
                .map(|file| format!("left out '{}': {}", file.source.display(), file.reason))
                .collect(),
        }
    }

    /// Measures what starting one job costs in each dispatch.
    pub fn measure_starts(&mut self, matrix: &Matrix, cancel: &Cancel) -> Result<()> {
        for dispatch in &matrix.options().dispatches {
            let engine = dispatch.engine(Limits::default())?;
            let start = StartUp::measure(engine.as_ref(), cancel)?;
            for work in &matrix.options().works {
                let starts = &mut self.known.start_ms;
                starts.insert((*work, *dispatch), start.of(*work));
            }
        }
        Ok(())
    }

    /// Compares what the cells of `work` at `workers` have left in their folders,
    /// and looks at how large and how good it is.
    pub fn compare_outputs(
        &mut self,
        matrix: &Matrix,
        (work, workers): (Work, usize),
        cancel: &Cancel,
    ) -> Result<()> {
        let folder = |dispatch| {
            matrix.kept_folder(CellKey {
                work,
                dispatch,
                workers,
            })
        };
        let dispatches = &matrix.options().dispatches;
        let mut seen: Option<Output> = None;
        for dispatch in dispatches.iter().copied().filter(|d| folder(*d).exists()) {
            let is_first = seen.is_none();
            let same = !is_first
                && self.is_equal(
                    work,
                    dispatch,
                    [&folder(dispatches[0]), &folder(dispatch)],
                    cancel,
                )?;
            let output = match &seen {
                // The same pictures are as good, and need no second look.
                Some(first) if same => Output {
                    dispatch,
                    bytes: equal::size(&folder(dispatch)),
                    ..first.clone()
                },
                _ => look(matrix, (work, dispatch), &folder(dispatch), cancel)?,
            };
            seen.get_or_insert_with(|| output.clone());
            self.outputs.push(output);
        }
        for dispatch in dispatches {
            let _ = fs::remove_dir_all(folder(*dispatch));
        }
        Ok(())
    }

    /// Whether `dispatch` gave what the first one did. It counts for the
    /// verdicts where that is `threads`, with which all are compared.
    fn is_equal(
        &mut self,
        work: Work,
        dispatch: Dispatch,
        [first, own]: [&Path; 2],
        cancel: &Cancel,
    ) -> Result<bool> {
        let found = differences(first, own, cancel)?;
        self.known
            .equal_output
            .insert((work, dispatch), found.is_empty());
        let (load, name) = (work.name(), dispatch.name());
        self.notes.extend(found.iter().map(|difference| {
            let file = difference.file.display();
            format!("void: {load} of {file} on {name}: {}", difference.what)
        }));
        Ok(found.is_empty())
    }
}

fn look(
    matrix: &Matrix,
    (work, dispatch): (Work, Dispatch),
    folder: &Path,
    cancel: &Cancel,
) -> Result<Output> {
    let ssim = match work {
        Work::Transcode => likeness(matrix, folder, cancel)?,
        _ => None,
    };
    Ok(Output {
        work,
        dispatch,
        bytes: equal::size(folder),
        hash: equal::digest(folder, cancel)?,
        ssim,
    })
}

/// Mean similarity of the transcoded clips below `folder` to their sources.
fn likeness(matrix: &Matrix, folder: &Path, cancel: &Cancel) -> Result<Option<f64>> {
    let workers = Workers::find(Limits::default())?;
    let mut untold = |_| {};
    let mut watch = Watch::new(cancel, &mut untold);
    let mut found = vec![];
    for job in matrix.jobs(Work::Transcode) {
        let Job {
            work: JobWork::Media(media),
            ..
        } = &job
        else {
            continue;
        };
        let made = media.targets.first();
        let made = made.and_then(|target| target.strip_prefix(matrix.cell_folder()).ok());
        if let Some(made) = made {
            let own = workers.likeness(&folder.join(made), media, &mut watch);
            found.extend(own.map_err(|failure| failure.error)?);
        }
    }
    let mean = found.iter().sum::<f64>() / found.len().max(1) as f64;
    Ok(median(&found).map(|_| mean))
}
