//! What is measured: loads × dispatches × worker counts, and the jobs of each cell.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::Xxh3;

use super::cell::Spec;
use super::facts::{self, Clip};
use super::jobs::{length_s, load_job, plans, refused};
use super::results::{Design, Dispatch, Load, Work, loads};
use crate::dispatch::Cancel;
use crate::engine::calibrate;
use crate::error::{Error, Result};
use crate::job::{self, Job, Limits};
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
    /// Codec threads a job, at least one count.
    pub codec_threads: Vec<usize>,
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
    /// The loads, each at each of the codec threads that it has.
    pub fn loads(&self) -> Vec<Load> {
        loads(&self.works, &self.codec_threads)
    }

    /// All cells, in reporting order.
    pub fn cells(&self) -> Vec<CellKey> {
        let mut cells = Vec::new();
        for load in self.loads() {
            for workers in &self.workers {
                cells.extend(self.dispatches.iter().map(|dispatch| CellKey {
                    load,
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
    /// What is done, and with how many codec threads.
    pub load: Load,
    /// How it is run.
    pub dispatch: Dispatch,
    /// Jobs at once.
    pub workers: usize,
}

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Load {
            work,
            codec_threads,
        } = self.load;
        write!(f, "{} on {}, ", work.name(), self.dispatch.name())?;
        if work.has_codecs() && codec_threads > 1 {
            write!(f, "{codec_threads} codec threads, ")?;
        }
        f.write_str(&words::count(self.workers, "worker"))
    }
}

/// The cells and the jobs that they run.
pub struct Matrix {
    scratch: tempfile::TempDir,
    /// The jobs of each load that works on clips.
    media: BTreeMap<Load, Vec<Job>>,
    // Length of the clips together.
    clips_s: f64,
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
        let plans = plans(&options, &cell_folder(scratch.path()), cancel)?;
        let first = plans.values().find(|plan| !plan.jobs.is_empty());
        let clips_s = first.map_or(Ok(0.0), |plan| length_s(&plan.jobs, cancel))?;
        Ok(Self {
            scratch,
            clips_s,
            cpu_iterations: match options.works.contains(&Work::Cpu) {
                true => calibrate(options.cpu_ms),
                false => 0,
            },
            refused: refused(&plans),
            media: plans
                .into_iter()
                .map(|(load, plan)| (load, plan.jobs))
                .collect(),
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
        let load = |load: job::Load| {
            (0..cell.workers)
                .map(|id| load_job(id, cell.load.work, load))
                .collect()
        };
        let jobs = match cell.load.work {
            Work::Transcode | Work::Frames | Work::Remux => {
                self.media.get(&cell.load).cloned().unwrap_or_default()
            }
            Work::Cpu => load(job::Load::Cpu {
                iterations: self.cpu_iterations,
            }),
            Work::Io => load(job::Load::Io {
                milliseconds: self.options.io_ms,
            }),
        };
        Spec::of(self.really(cell.dispatch), cell.workers, jobs)
    }

    /// What jobs of `dispatch` run on: itself, unless A is compared with A.
    pub fn really(&self, dispatch: Dispatch) -> Dispatch {
        self.options.all_on.unwrap_or(dispatch)
    }

    /// Whether each dispatch has what its jobs need.
    ///
    /// # Errors
    /// Where something is missing, such as an encoder; says how to get it.
    pub fn check_engines(&self) -> Result<()> {
        for dispatch in &self.options.dispatches {
            let engine = self.really(*dispatch).engine(Limits::default())?;
            for load in self.options.loads() {
                engine.check(&self.jobs(load))?;
            }
        }
        Ok(())
    }

    /// The jobs of `load`, of which a cell runs all; one, where each worker brings its own.
    pub fn jobs(&self, load: Load) -> Vec<Job> {
        let cell = CellKey {
            load,
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

    /// Empties the folder that cells write to, and keeps what the one of `load`
    /// and `dispatch` wrote there in [`kept_folder`](Self::kept_folder).
    ///
    /// # Errors
    /// Where that cannot be.
    pub fn keep(&self, load: Load, dispatch: Dispatch) -> Result<()> {
        let folder = self.cell_folder();
        match fs::rename(&folder, self.kept_folder(load, dispatch)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(untidy(&folder, error)),
            _ => Ok(()),
        }
    }

    /// A folder for the outputs that are compared.
    pub fn kept_folder(&self, load: Load, dispatch: Dispatch) -> PathBuf {
        let (work, threads) = (load.work.name(), load.codec_threads);
        let name = format!("{work}-{threads}-{}", dispatch.name());
        self.scratch.path().join(name)
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
            codec_threads: options.codec_threads.first().copied().unwrap_or(1),
            further_codec_threads: options.codec_threads.iter().skip(1).copied().collect(),
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
        self.clips_s
    }

    /// The jobs of the first load that works on clips: all work on the same.
    fn media(&self) -> &[Job] {
        let first = self.media.values().find(|jobs| !jobs.is_empty());
        first.map_or(&[], Vec::as_slice)
    }
}

fn untidy(folder: &Path, error: std::io::Error) -> Error {
    Error::failed(format!("cannot tidy up '{}'", folder.display())).because(error)
}

fn cell_folder(scratch: &Path) -> PathBuf {
    scratch.join("cell")
}
