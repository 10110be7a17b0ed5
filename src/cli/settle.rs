//! What follows an outcome: the journal learns of results, and with `--replace`
//! they take their sources' places.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::delivery::{Replacement, to_trash};
use crate::dispatch::Event;
use crate::error::{Error, Result};
use crate::job::{Done, Failure, Job, MediaJob, Outcome, Verdict, Work};
use crate::journal::{Content, Journal, Placed, Record, Stamp};
use crate::plan::Planned;
use crate::report::{Style, announce};
use crate::say;
use crate::terminal::shown;

/// What follows the outcomes of a batch.
pub(super) struct Settling<'a> {
    journal: &'a Journal,
    style: Style,
    jobs: Mutex<HashMap<usize, Expected>>,
}

/// What is needed of a job once it ends.
struct Expected {
    media: Arc<MediaJob>,
    planned: Planned,
}

impl<'a> Settling<'a> {
    pub(super) fn new(journal: &'a Journal, style: Style) -> Self {
        Self {
            journal,
            style,
            jobs: Mutex::default(),
        }
    }

    /// Remembers what is needed of a job, before it can end.
    pub(super) fn expect(&self, job: &Job, planned: Planned) {
        if let Work::Media(media) = &job.work {
            let expected = Expected {
                media: Arc::clone(media),
                planned,
            };
            locked(&self.jobs).insert(job.id, expected);
        }
    }

    /// Does what is left to do for a job that has ended, and returns its outcome after that. Its
    /// slot calls this, so that those of other slots go on.
    pub(super) fn settle(&self, mut outcome: Outcome) -> Outcome {
        let job = locked(&self.jobs).remove(&outcome.job);
        let (Some(job), Verdict::Done(done)) = (job, &mut outcome.verdict) else {
            return outcome;
        };
        let settled = if job.media.replace {
            self.replace(&job, done)
        } else {
            self.record(&job, done)
        };
        match settled {
            Ok(()) => {}
            Err(error) if job.media.replace => {
                outcome.verdict = Verdict::Failed(Failure {
                    reason: error.line(),
                    log: vec![],
                });
            }
            Err(error) => {
                let cause = error.line();
                done.warnings
                    .push(format!("it will be skipped or done again: {cause}"));
            }
        }
        outcome
    }

    /// Between the result's rename and this there may be a kill: then nobody
    /// knows whose result that is, and it is kept as a stranger's.
    fn record(&self, job: &Expected, done: &mut Done) -> Result<()> {
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
            records.extend(job.planned.record(index, placed(done, index, stamp)));
        }
        done.warnings.append(&mut warnings);
        self.journal.append(&records)
    }

    /// Gives a result its source's place.
    fn replace(&self, job: &Expected, done: &mut Done) -> Result<()> {
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
            return Ok(());
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
            let record = planned.record(0, placed(done, 0, stamp));
            let record = record.map(|record| Record {
                target: record
                    .target
                    .with_file_name(place.file_name().unwrap_or_default()),
                ..record
            });
            self.journal.append(record.as_slice())
        };
        let replaced = replacement.take_place(record, &to_trash)?;
        let stayed = replaced.stayed.as_ref().map(Error::line);
        done.unfinished = stayed.is_some();
        let why = stayed.or(keep.map(str::to_owned));
        self.announce(&media.source, &replaced.target, why.clone());
        let kept = why.map(|why| format!("the source is kept: {why}"));
        done.warnings.extend(kept);
        if let Some(made) = done.results.first_mut() {
            made.target = replaced.target.display().to_string();
        }
        Ok(())
    }

    /// Finishes what an earlier run could not: sources whose replacement is in
    /// place go to the trash. Returns how many cannot.
    pub(super) fn retire(&self, retiring: &[(PathBuf, PathBuf)]) -> usize {
        let mut stayed = 0;
        for (source, target) in retiring {
            let kept = to_trash(source).err().map(|error| error.line());
            if let Some(why) = &kept {
                stayed += 1;
                say!("rushes: {}", shown(why));
            }
            self.announce(source, target, kept);
        }
        stayed
    }

    fn announce(&self, source: &Path, target: &Path, kept: Option<String>) {
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

/// What the journal is to keep of result `index`, which is as `stamp` shows.
fn placed(done: &Done, index: usize, stamp: Stamp) -> Placed {
    let made = done.results.get(index);
    Placed {
        stamp,
        content: made.and_then(|made| made.content).map(Content),
        salvaged: done.salvaged,
        dropped: drops(done, index),
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
