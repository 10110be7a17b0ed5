//! What is measured: loads × dispatches × worker counts, and the jobs of each cell.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::cell::Spec;
use super::facts::{self, Clip};
use super::jobs::{load_job, plans};
use super::results::{Design, Dispatch, Work};
use crate::dispatch::Cancel;
use crate::engine::calibrate;
use crate::error::{Error, Result};
use crate::job::{Job, Load};
use crate::plan::{Refused, SourceFile};
use crate::recipe::{Frames, Recipe, Transcode};
use crate::report::words;

/// What a run is asked to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// The clips.
    pub sources: Vec<SourceFile>,
    /// Where results go; scratch files lie there, too, while it runs.
    pub output: PathBuf,
    /// The loads.
    pub works: Vec<Work>,
    /// The dispatches.
    pub dispatches: Vec<Dispatch>,
    /// The worker counts.
    pub workers: Vec<usize>,
    /// Codec threads a job.
    pub codec_threads: usize,
    /// Time allowed in seconds, from the first cell on.
    pub budget_s: f64,
    /// Rounds, whatever the intervals; else as many as it takes.
    pub rounds: Option<usize>,
    /// The Python that runs the reference loads, too.
    pub python: Option<PathBuf>,
    /// What all dispatches really run on, to compare A with A.
    pub all_on: Option<Dispatch>,
    /// Seed of the order of cells.
    pub seed: u64,
    /// Milliseconds of one core that a `cpu` job takes.
    pub cpu_ms: u64,
    /// Milliseconds that an `io` job waits.
    pub io_ms: u64,
    /// What a `transcode` job does.
    pub transcode: Transcode,
    /// What a `frames` job does.
    pub frames: Frames,
}

impl Options {
    /// All cells, in reporting order.
    pub fn cells(&self) -> Vec<CellKey> {
        let mut cells = Vec::new();
        for work in &self.works {
            for workers in &self.workers {
                cells.extend(self.dispatches.iter().map(|dispatch| CellKey {
                    work: *work,
                    dispatch: *dispatch,
                    workers: *workers,
                }));
            }
        }
        cells
    }
}

/// One cell: what is measured in one fresh process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CellKey {
    /// What is done.
    pub work: Work,
    /// How it is run.
    pub dispatch: Dispatch,
    /// Jobs at once.
    pub workers: usize,
}

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let workers = words::count(self.workers, "worker");
        write!(
            f,
            "{} on {}, {workers}",
            self.work.name(),
            self.dispatch.name()
        )
    }
}

/// The cells and the jobs that they run.
pub struct Matrix {
    scratch: tempfile::TempDir,
    transcode: Vec<Job>,
    frames: Vec<Job>,
    options: Options,
    /// Iterations of a `cpu` job.
    pub cpu_iterations: u64,
    /// Clips that cannot be worked on.
    pub refused: Vec<Refused>,
}

impl Matrix {
    /// Probes the clips, calibrates the computation, and makes a scratch folder in the output.
    ///
    /// # Errors
    /// Where no clip can be worked on, or the scratch folder cannot be made.
    pub fn plan(options: Options, cancel: &Cancel) -> Result<Self> {
        let scratch = tempfile::Builder::new()
            .prefix(".rushes-bench-")
            .tempdir_in(&options.output)
            .map_err(|error| {
                Error::failed(format!("cannot write to '{}'", options.output.display()))
                    .because(error)
            })?;
        let [transcode, frames] = plans(&options, &cell_folder(scratch.path()), cancel)?;
        let needs = |work| options.works.contains(&work);
        Ok(Self {
            scratch,
            transcode: transcode.jobs,
            frames: frames.jobs,
            cpu_iterations: match needs(Work::Cpu) {
                true => calibrate(options.cpu_ms),
                false => 0,
            },
            // Both read the same clips.
            refused: match needs(Work::Transcode) {
                true => transcode.refused,
                false => frames.refused,
            },
            options,
        })
    }

    /// What was asked for.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// All cells, in reporting order.
    pub fn cells(&self) -> Vec<CellKey> {
        self.options.cells()
    }

    /// What the process of `cell` is to do.
    pub fn spec(&self, cell: CellKey) -> Spec {
        let load = |load: Load| {
            (0..cell.workers)
                .map(|id| load_job(id, cell.work, load))
                .collect()
        };
        let jobs = match cell.work {
            Work::Transcode => self.transcode.clone(),
            Work::Frames => self.frames.clone(),
            Work::Cpu => load(Load::Cpu {
                iterations: self.cpu_iterations,
            }),
            Work::Io => load(Load::Io {
                milliseconds: self.options.io_ms,
            }),
        };
        Spec::of(self.really(cell.dispatch), cell.workers, jobs)
    }

    /// What jobs of `dispatch` run on: itself, unless A is compared with A.
    pub fn really(&self, dispatch: Dispatch) -> Dispatch {
        self.options.all_on.unwrap_or(dispatch)
    }

    /// The jobs of `work`, of which a cell runs all; one, where each worker brings its own.
    pub fn jobs(&self, work: Work) -> Vec<Job> {
        let cell = CellKey {
            work,
            dispatch: Dispatch::Threads,
            workers: 1,
        };
        self.spec(cell).jobs
    }

    /// What is known of each clip.
    ///
    /// # Errors
    /// Where one cannot be read.
    pub fn clip_facts(&self) -> Result<Vec<Clip>> {
        self.media().iter().map(Clip::of).collect()
    }

    /// Goes on where an earlier run with the same settings was stopped: in its
    /// order of cells, and with computations of the same length.
    pub fn go_on(&mut self, before: &Design) {
        self.options.seed = before.seed;
        self.cpu_iterations = before.cpu_iterations;
    }

    /// The folder that every cell writes to; emptied before each.
    pub fn cell_folder(&self) -> PathBuf {
        cell_folder(self.scratch.path())
    }

    /// Empties the folder that cells write to.
    ///
    /// # Errors
    /// Where that cannot be.
    pub fn clear(&self) -> Result<()> {
        let folder = self.cell_folder();
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(untidy(&folder, error)),
            _ => Ok(()),
        }
    }

    /// Empties the folder that cells write to, and keeps what the one of `work`
    /// and `dispatch` wrote there in [`kept_folder`](Self::kept_folder).
    ///
    /// # Errors
    /// Where that cannot be.
    pub fn keep(&self, work: Work, dispatch: Dispatch) -> Result<()> {
        let folder = self.cell_folder();
        match fs::rename(&folder, self.kept_folder(work, dispatch)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(untidy(&folder, error)),
            _ => Ok(()),
        }
    }

    /// A folder for the outputs that are compared.
    pub fn kept_folder(&self, work: Work, dispatch: Dispatch) -> PathBuf {
        self.scratch
            .path()
            .join(format!("{}-{}", work.name(), dispatch.name()))
    }

    /// What was asked for, as results tell it, of so many `rounds` on `clip_facts`.
    pub fn design(&self, rounds: usize, clip_facts: Vec<Clip>) -> Design {
        let options = &self.options;
        let hash = |recipe: &dyn fmt::Debug| {
            let mut hash = Xxh3::new();
            hash.update(format!("{recipe:?}").as_bytes());
            facts::shown(&hash)
        };
        Design {
            works: options.works.clone(),
            dispatches: options.dispatches.clone(),
            workers: options.workers.clone(),
            codec_threads: options.codec_threads,
            rounds,
            seed: options.seed,
            budget_s: options.budget_s,
            cpu_ms: options.cpu_ms,
            io_ms: options.io_ms,
            cpu_iterations: self.cpu_iterations,
            clips: self.clips(),
            clips_s: self.clips_s(),
            clip_facts,
            recipe: Recipe::Transcode(options.transcode.clone()).words(),
            frames_recipe: Recipe::Frames(options.frames.clone()).words(),
            settings: [hash(&options.transcode), hash(&options.frames)],
        }
    }

    /// Names of the clips that are worked on.
    pub fn clips(&self) -> Vec<String> {
        self.media().iter().map(|job| job.name.clone()).collect()
    }

    /// Length of the clips together, in seconds.
    pub fn clips_s(&self) -> f64 {
        self.media().iter().filter_map(Job::duration_s).sum()
    }

    fn media(&self) -> &[Job] {
        if self.transcode.is_empty() {
            &self.frames
        } else {
            &self.transcode
        }
    }
}

fn untidy(folder: &Path, error: std::io::Error) -> Error {
    Error::failed(format!("cannot tidy up '{}'", folder.display())).because(error)
}

fn cell_folder(scratch: &Path) -> PathBuf {
    scratch.join("cell")
}
