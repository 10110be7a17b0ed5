//! A pool of worker processes with linked libav: no start-up a job, and a
//! crash, a hang or a kill costs one job. This process opens no media.

mod allowed_files;
mod bounds;
mod experience;
mod inbox;
mod pool;
pub mod protocol;
mod serve;
mod socket;
mod standby;
mod worker;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use serve::keep_within;
pub(crate) use serve::serve;
pub use standby::{Role, stand_by};

use self::allowed_files::AllowedFiles;
use self::experience::Experience;
use self::pool::Pool;
use self::protocol::{Answer, Found, Request, Task, Verification};
use self::worker::{Death, NoAnswer};
use super::{Engine, JobError, Probed, Ran, Watch, child};
use crate::error::{Error, Result};
use crate::job::{Job, Limits, MediaJob, Work};
use crate::media::survey::Survey;
use crate::media::verify::{Checked, Evidence};
use crate::recipe::Product;

/// What a worker found must be of the kind that was asked for.
macro_rules! expect {
    ($found:expr, $kind:path) => {
        match $found? {
            $kind(found) => Ok::<_, JobError>(found),
            _ => Err(Error::failed("a worker answered what was not asked").into()),
        }
    };
}

/// The engine, with its workers.
#[derive(Debug)]
pub struct Workers {
    pool: Pool,
    experience: Experience,
    limits: Limits,
}

impl Workers {
    /// Finds the programs; workers are started when they are needed.
    ///
    /// # Errors
    /// Where one is missing.
    pub fn find(limits: Limits) -> Result<Self> {
        Ok(Self {
            pool: Pool::find(limits)?,
            experience: Experience::default(),
            limits,
        })
    }

    /// Has `task` done by another worker than the one that had to do with its file before: what
    /// one says of a file, or made of it, is not checked by itself.
    fn ask(&self, task: Task, watch: &mut Watch) -> Result<Found, JobError> {
        let other_than = task.checks().and_then(|file| self.experience.of(file));
        let files: Vec<PathBuf> = task.files().map(Path::to_owned).collect();
        let verified = match &task {
            Task::Verify(known) => Some(known.path.clone()),
            _ => None,
        };
        let (found, worker) = self.ask_one(task, other_than, watch)?;
        self.experience.note(files, worker);
        if let Some(result) = verified {
            // Its temporary name does not come again.
            self.experience.forget(&result);
        }
        Ok(found)
    }

    /// Has `task` done; returns the number of the worker that did it. Where its worker dies over
    /// it, a fresh one tries again.
    fn ask_one(
        &self,
        task: Task,
        other_than: Option<u64>,
        watch: &mut Watch,
    ) -> Result<(Found, u64), JobError> {
        let targets = match &task {
            Task::Run { targets, .. } => targets.clone(),
            _ => vec![],
        };
        let allowed = AllowedFiles::of(&task);
        let line = protocol::line(&Request::Do(task))
            .map_err(|error| Error::failed("cannot tell a worker what to do").because(error))?;
        let mut worker = self.pool.take(other_than)?;
        let mut deaths = Deaths::default();
        loop {
            match worker.ask(&line, &allowed, watch) {
                Ok(Answer::Done(found)) => {
                    let number = worker.number;
                    self.pool.give_back(worker);
                    return Ok((found, number));
                }
                Ok(Answer::Failed { error, log }) => {
                    let log = with_more(log, worker.said());
                    self.pool.give_back(worker);
                    return Err(self.explained(error.of_a_worker(), log));
                }
                Err(NoAnswer::Stopped(error)) => {
                    let log = worker.stop().log;
                    return Err(JobError { error, log });
                }
                Err(NoAnswer::Unfit(error)) => return Err(error.into()),
                Err(NoAnswer::Exposed) => {
                    let next = self.pool.start()?;
                    std::mem::replace(&mut worker, next).bury();
                    if deaths.exposed() {
                        self.pool.give_back(worker);
                        return Err(exposed().into());
                    }
                }
                Ok(_) | Err(NoAnswer::Died) => {
                    // It comes up while the other one is buried.
                    let next = self.pool.start()?;
                    let death = std::mem::replace(&mut worker, next).bury();
                    if deaths.are_enough(&death) {
                        self.pool.give_back(worker);
                        return Err(self.explained(killed(&death), death.log));
                    }
                    targets.iter().for_each(|target| empty(target));
                }
            }
        }
    }

    /// Writes the picture that is attached to a job's source as `stream` to `target`.
    ///
    /// # Errors
    /// Where there is none, or it cannot be written.
    pub(super) fn cover(
        &self,
        job: &MediaJob,
        stream: usize,
        target: &Path,
        watch: &mut Watch,
    ) -> Result<(), JobError> {
        let task = Task::Cover {
            job: Arc::new(job.clone()),
            stream,
            target: target.to_owned(),
        };
        self.ask(task, watch).map(drop)
    }

    /// In words how two results differ once they are decoded, where they do.
    ///
    /// # Errors
    /// Where one cannot be decoded.
    pub fn difference(
        &self,
        a: &Path,
        b: &Path,
        watch: &mut Watch,
    ) -> Result<Option<String>, JobError> {
        let task = Task::Compare {
            a: a.to_owned(),
            b: b.to_owned(),
        };
        expect!(self.ask(task, watch), Found::Difference)
    }

    /// A hash over what is seen of the result at `path`, and how long its sound is.
    ///
    /// # Errors
    /// Where it cannot be read or decoded.
    pub fn digest(&self, path: &Path, watch: &mut Watch) -> Result<u64, JobError> {
        let path = path.to_owned();
        expect!(self.ask(Task::Digest { path }, watch), Found::Digest)
    }

    /// Decodes all of the file at `path`; in words what is damaged, if anything is.
    ///
    /// # Errors
    /// Where it cannot be read, or is no media.
    pub fn decode(&self, path: &Path, watch: &mut Watch) -> Result<Option<String>, JobError> {
        let path = path.to_owned();
        expect!(self.ask(Task::Decode { path }, watch), Found::Decoded)
    }

    /// Mean similarity of the result at `path` to the source of `job`; none where there are no
    /// pictures.
    ///
    /// # Errors
    /// Where one of the two cannot be decoded.
    pub fn likeness(
        &self,
        path: &Path,
        job: &Arc<MediaJob>,
        watch: &mut Watch,
    ) -> Result<Option<f64>, JobError> {
        let task = Task::Likeness {
            path: path.to_owned(),
            job: Arc::clone(job),
        };
        expect!(self.ask(task, watch), Found::Likeness)
    }

    fn explained(&self, error: Error, log: Vec<String>) -> JobError {
        let error = self.limits.explain(error, &log);
        JobError { error, log }
    }
}

/// Whether several threads can work on a job: on its pictures, or its parts.
fn is_shared(job: &Job, watch: &Watch) -> bool {
    match &job.work {
        Work::Media(media) => {
            let mut products = media.pipeline.products.iter();
            watch.part_length().is_some() || products.any(Product::is_pictures)
        }
        Work::Load(_) => false,
    }
}

/// What libav said, with what libraries said on stderr besides.
fn with_more(mut log: Vec<String>, said: Vec<String>) -> Vec<String> {
    let more = said.into_iter().filter(|line| !log.contains(line));
    let more: Vec<_> = more.collect();
    log.extend(more);
    log
}

/// So many workers may crash over a task: what the first one died of may have
/// been something else.
const CRASHES: usize = 2;

/// So many may be killed from outside, for which no task is to blame; but the system also
/// kills so what takes all of its memory.
const KILLS: usize = 8;

/// The workers that died over a task.
#[derive(Default)]
struct Deaths {
    crashes: usize,
    kills: usize,
    exposed: usize,
}

impl Deaths {
    /// Takes note of one that was in no sandbox; whether no other worker is to try.
    fn exposed(&mut self) -> bool {
        self.exposed += 1;
        self.exposed >= CRASHES
    }

    /// Takes note of one; whether no other worker is to try.
    fn are_enough(&mut self, death: &Death) -> bool {
        match death.status.and_then(|status| status.signal()) {
            Some(libc::SIGKILL | libc::SIGTERM) => self.kills += 1,
            _ => self.crashes += 1,
        }
        self.crashes >= CRASHES || self.kills >= KILLS
    }
}

/// Why a task is given to no worker.
fn exposed() -> Error {
    Error::failed("the system did not put its workers into the sandbox that others are in")
        .cure("--sandbox off does without, for videos of people that you trust")
}

/// Why a job fails that killed its workers.
fn killed(death: &Death) -> Error {
    let how = death
        .status
        .map_or_else(|| "no exit code".into(), child::how);
    let error = Error::failed(format!("its worker died ({how}), as did those before"));
    match child::cause(&death.log) {
        Some(line) => error.because(line.to_owned()),
        None => error,
    }
}

/// Removes what a first try left in a folder of pictures; a file is written anew anyway.
fn empty(target: &Path) {
    for entry in fs::read_dir(target).into_iter().flatten().flatten() {
        let _ = fs::remove_file(entry.path());
    }
}

impl Engine for Workers {
    fn name(&self) -> &'static str {
        "workers"
    }

    fn run(&self, job: &Job, targets: &[PathBuf], watch: &mut Watch) -> Result<Ran, JobError> {
        let task = Task::Run {
            job: job.clone(),
            targets: targets.to_vec(),
            threads: if is_shared(job, watch) {
                watch.hands()
            } else {
                1
            },
            parts: watch.part_length(),
        };
        let mut ran: Ran = expect!(self.ask(task, watch), Found::Ran)?;
        if let Work::Media(media) = &job.work
            && media.replace
            && ran.survey.is_some()
        {
            // The source is to be removed: what was read of it is not taken on the word of the
            // worker that made the result.
            ran.survey = Some(self.survey(media, watch)?);
        }
        Ok(ran)
    }

    fn start_only(&self, watch: &mut Watch) -> Result<(), JobError> {
        self.ask(Task::Start, watch).map(drop)
    }

    fn prepare(&self, jobs: &[Job], slots: usize, watch: &mut Watch) -> Result<(), JobError> {
        // All come up at once; one more than jobs, since none verifies what it made itself.
        let count = slots.min(jobs.len());
        let workers = (0..=count).filter(|_| count > 0).map(|_| self.pool.start());
        for worker in workers.collect::<Result<Vec<_>>>()? {
            self.pool.give_back(worker);
            self.ask(Task::Start, watch)?;
        }
        Ok(())
    }

    fn probe(&self, source: &Path, watch: &mut Watch) -> Result<Probed, JobError> {
        let source = source.to_owned();
        expect!(self.ask(Task::Probe { source }, watch), Found::Probed)
    }

    fn survey(&self, job: &MediaJob, watch: &mut Watch) -> Result<Survey, JobError> {
        let task = Task::Survey(Arc::new(job.clone()));
        expect!(self.ask(task, watch), Found::Survey)
    }

    fn dead_streams(&self, job: &MediaJob, watch: &mut Watch) -> Result<Vec<usize>, JobError> {
        let task = Task::DeadStreams(Arc::new(job.clone()));
        expect!(self.ask(task, watch), Found::DeadStreams)
    }

    fn best_ms(&self, job: &MediaJob, watch: &mut Watch) -> Result<u64, JobError> {
        let task = Task::Best(Arc::new(job.clone()));
        expect!(self.ask(task, watch), Found::Best)
    }

    fn verify(
        &self,
        path: &Path,
        evidence: &Evidence,
        watch: &mut Watch,
    ) -> Result<Checked, JobError> {
        let task = Task::Verify(Box::new(Verification {
            path: path.to_owned(),
            job: evidence.job.clone(),
            product: evidence.product.clone(),
            frames: evidence.frames,
            survey: evidence.survey.clone(),
            damaged: evidence.damaged.to_vec(),
        }));
        expect!(self.ask(task, watch), Found::Checked)
    }
}
