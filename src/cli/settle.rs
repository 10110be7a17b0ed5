//! What follows an outcome: the journal learns of results, and with `--replace`
//! they take their sources' places.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::delivery::{Replacement, to_trash};
use crate::dispatch::Event;
use crate::error::Result;
use crate::job::{Done, Failure, Job, MediaJob, Outcome, Verdict, Work};
use crate::journal::{Journal, Record, Stamp};
use crate::plan::Planned;
use crate::report::{Style, announce};
use crate::say;
use crate::terminal::{shown, shown_path};

/// What follows the outcomes of a batch.
pub(super) struct Settling<'a> {
    journal: &'a Journal,
    style: Style,
    jobs: Mutex<HashMap<usize, Expected>>,
    settled: Mutex<HashMap<usize, Settled>>,
    unfinished: AtomicUsize,
}

/// What is needed of a job once it ends.
struct Expected {
    media: Arc<MediaJob>,
    planned: Planned,
}

/// What came of an outcome afterwards.
#[derive(Debug, Default)]
struct Settled {
    source: PathBuf,
    // Where the result is, if not where it was planned.
    target: Option<PathBuf>,
    warnings: Vec<String>,
    failure: Option<String>,
    // Whether something is left to do: the source could not go.
    is_unfinished: bool,
}

impl<'a> Settling<'a> {
    pub(super) fn new(journal: &'a Journal, style: Style) -> Self {
        Self {
            journal,
            style,
            jobs: Mutex::default(),
            settled: Mutex::default(),
            unfinished: AtomicUsize::new(0),
        }
    }

    /// How many results are in place of which something else could not be done.
    pub(super) fn unfinished(&self) -> usize {
        self.unfinished.load(Ordering::Relaxed)
    }

    /// To be told of each job before it can end.
    pub(super) fn expect(&self, job: &Job, planned: Planned) {
        if let Work::Media(media) = &job.work {
            let expected = Expected {
                media: Arc::clone(media),
                planned,
            };
            locked(&self.jobs).insert(job.id, expected);
        }
    }

    /// A job has ended. To be called by its slot, so that those of other slots go on.
    pub(super) fn ended(&self, outcome: &Outcome) {
        let job = locked(&self.jobs).remove(&outcome.job);
        let (Some(job), Some(done)) = (job, outcome.done()) else {
            return;
        };
        let settled = if job.media.replace {
            self.replace(&job, done)
        } else {
            self.record(&job, done)
        };
        let settled = settled.unwrap_or_else(|error| Settled {
            failure: job.media.replace.then(|| error.line()),
            warnings: vec![format!(
                "it will be skipped or done again: {}",
                error.line()
            )],
            ..Settled::default()
        });
        let settled = Settled {
            source: job.media.source.clone(),
            ..settled
        };
        locked(&self.settled).insert(outcome.job, settled);
    }

    /// Corrects an outcome by what became of the source, and prints that: the reporter has
    /// already printed the job as done.
    pub(super) fn amend(&self, mut outcome: Outcome) -> Outcome {
        let settled = locked(&self.settled).remove(&outcome.job);
        let (Some(settled), Verdict::Done(done)) = (settled, &mut outcome.verdict) else {
            return outcome;
        };
        self.print(&settled);
        let unfinished = usize::from(settled.is_unfinished);
        self.unfinished.fetch_add(unfinished, Ordering::Relaxed);
        if let Some(reason) = settled.failure {
            let log = vec![];
            outcome.verdict = Verdict::Failed(Failure { reason, log });
            return outcome;
        }
        if let (Some(target), Some(made)) = (settled.target, done.results.first_mut()) {
            made.target = target.display().to_string();
        }
        done.warnings.extend(settled.warnings);
        outcome
    }

    fn print(&self, settled: &Settled) {
        let source = shown_path(&settled.source);
        if let (Some(reason), true) = (&settled.failure, self.style != Style::Json) {
            say!("FAILED {source}: {}", shown(reason));
        }
        let is_printed = match self.style {
            Style::Auto => true,
            Style::Quiet => settled.is_unfinished,
            Style::Json => false,
        };
        if is_printed {
            for warning in &settled.warnings {
                say!("warning: {source}: {}", shown(warning));
            }
        }
    }

    /// Between the result's rename and this there may be a kill: then nobody
    /// knows whose result that is, and it is kept as a stranger's.
    fn record(&self, job: &Expected, done: &Done) -> Result<Settled> {
        let (mut records, mut warnings) = (vec![], vec![]);
        for (index, target) in job.media.targets.iter().enumerate() {
            // One that has vanished since is not done.
            let Ok(stamp) = Stamp::of(target) else {
                continue;
            };
            let made = done.results.get(index);
            if made.is_none_or(|made| made.bytes != stamp.size) {
                let shown = target.display();
                warnings.push(format!(
                    "another program has changed '{shown}': rushes does not count it as a result"
                ));
                continue;
            }
            let drops = drops(done, index);
            records.extend(job.planned.record(index, stamp, done.salvaged, drops));
        }
        self.journal.append(&records)?;
        Ok(Settled {
            warnings,
            ..Settled::default()
        })
    }

    fn replace(&self, job: &Expected, done: &Done) -> Result<Settled> {
        let keep = if done.salvaged {
            Some("it was salvaged, and may hold more")
        } else if drops(done, 0) {
            Some("not all that it holds is in the result")
        } else {
            None
        };
        let Expected { media, planned } = job;
        let ready = done
            .results
            .first()
            .and_then(|made| made.waits_at.as_deref());
        let ([target], Some(ready)) = (media.targets.as_slice(), ready) else {
            return Ok(Settled::default());
        };
        let replacement = Replacement {
            source: &media.source,
            stamp: planned.stamp(),
            ready,
            target,
            keep: keep.is_some(),
            overwrite: media.may_overwrite(0),
        };
        let record = |place: &Path, stamp: Stamp| {
            let record = planned.record(0, stamp, done.salvaged, drops(done, 0));
            let record = record.map(|record| Record {
                target: record
                    .target
                    .with_file_name(place.file_name().unwrap_or_default()),
                ..record
            });
            self.journal.append(record.as_slice())
        };
        let replaced = replacement.take_place(record, &to_trash)?;
        let why = match (&replaced.stayed, keep) {
            (Some(error), _) => Some(error.line()),
            (None, keep) => keep.map(str::to_owned),
        };
        self.tell(&media.source, &replaced.target, why.clone());
        let kept = why.map(|why| format!("the source is kept: {why}"));
        Ok(Settled {
            target: Some(replaced.target),
            warnings: kept.into_iter().collect(),
            is_unfinished: replaced.stayed.is_some(),
            ..Settled::default()
        })
    }

    /// Finishes what an earlier run could not: sources whose replacement is in
    /// place go to the trash. Tells of those that cannot.
    pub(super) fn retire(&self, retiring: &[(PathBuf, PathBuf)]) -> usize {
        let mut stayed = 0;
        for (source, target) in retiring {
            let kept = to_trash(source).err().map(|error| error.line());
            if let Some(why) = &kept {
                stayed += 1;
                say!("rushes: {}", shown(why));
            }
            self.tell(source, target, kept);
        }
        stayed
    }

    fn tell(&self, source: &Path, target: &Path, kept: Option<String>) {
        if self.style == Style::Json {
            let event = Event::SourceReplaced {
                source: source.display().to_string(),
                target: target.display().to_string(),
                kept,
            };
            announce(Style::Json, &event);
        }
    }
}

/// Whether something of the source is not in result `index`.
fn drops(done: &Done, index: usize) -> bool {
    let made = done.results.get(index);
    made.is_some_and(|made| !made.dropped.is_empty() || !made.lost.is_empty())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
