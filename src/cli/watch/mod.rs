//! `--watch`: what arrives in folders is worked on until someone stops it.
//!
//! The folders are listed again and again. That is plain, and it works where
//! notices of changes do not: on network shares, whose other end writes the files.

mod shared;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use self::shared::Shared;
use super::running::Running;
use super::settle::Settling;
use super::{Ending, site};
use crate::dispatch::{Cancel, Event, Queue};
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::job::Job;
use crate::journal::{Journal, Stamp};
use crate::plan::{
    Arrival, Arrivals, Existing, Found, Listed, Plan, Planned, Refused, Rules, Wanted, plan, survey,
};
use crate::recipe::Recipe;
use crate::report::{Style, run_fed};
use crate::terminal::shown_path;
use crate::{out, say};

/// Time between two lists; shorter where a file settles sooner.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Between two lists there is this many times the time that one takes, so that
/// a slow share is not kept busy by being looked at.
const REST: u32 = 20;

/// Works on all that arrives, once it has not changed for `settle`, until it is stopped.
pub(super) fn run(
    recipes: &[Recipe],
    running: &Running,
    settle: Duration,
    cancel: &Cancel,
) -> Result<Ending> {
    let engine = running.dispatch().engine(running.limits.resolve())?;
    refuse_own_results(running)?;
    running.report_missing_sandbox();
    let (journal, _) = site::take(running)?;
    let settling = Settling::new(&journal, running.style());
    tell_missing(running);
    let began = Instant::now();
    let shared = Shared::default();
    let mut watcher = Watcher {
        recipes,
        running,
        engine: engine.as_ref(),
        wanted: running.wanted()?,
        cancel,
        shared: &shared,
        journal: &journal,
        settling: &settling,
        arrivals: Arrivals::new(settle),
        told: HashSet::new(),
        jobs: 0,
    };
    let pause = LOOK_EVERY.min(settle / 4);
    run_fed(
        engine.as_ref(),
        &running.terms(),
        cancel,
        running.style(),
        |queue, events| watcher.watch(pause, queue, events),
        &|outcome| {
            let outcome = settling.settle(outcome);
            shared.ended(&outcome);
            outcome
        },
    )?;
    if running.style() == Style::Auto {
        out!("{}", shared.tally().words(began.elapsed()));
    }
    if cancel.is_set() {
        return Err(Error::interrupted()
            .cure("run the same command again to go on: what is done is not done twice"));
    }
    // A failure stopped it (`--on-error stop`).
    Ok(Ending::SomeFailed)
}

/// In the folder that results go to, each of them would arrive.
fn refuse_own_results(running: &Running) -> Result<()> {
    let output = running.output.canonicalize().ok();
    let same = |path: &&PathBuf| output.is_some() && path.canonicalize().ok() == output;
    match running.paths.iter().find(same) {
        Some(path) => Err(Error::usage(format!(
            "--watch: '{}' is the output folder, too, so results would be converted again",
            path.display()
        ))
        .cure("choose another output folder with -o; it may lie in the watched one")),
        None => Ok(()),
    }
}

/// Says which of the folders are not there yet.
fn tell_missing(running: &Running) {
    let missing = running.paths.iter().filter(|path| !path.exists());
    if running.style() != Style::Quiet {
        for path in missing {
            say!("'{}' is not there yet; waiting for it", shown_path(path));
        }
    }
}

/// Looks, plans, and queues.
struct Watcher<'a> {
    recipes: &'a [Recipe],
    running: &'a Running,
    engine: &'a dyn Engine,
    wanted: Wanted,
    cancel: &'a Cancel,
    shared: &'a Shared,
    journal: &'a Journal,
    settling: &'a Settling<'a>,
    arrivals: Arrivals,
    // What could not be read and was told; told again once it was readable in between.
    told: HashSet<PathBuf>,
    jobs: usize,
}

impl Watcher<'_> {
    fn watch(&mut self, pause: Duration, queue: &Queue, events: &Sender<Event>) {
        while !self.cancel.is_set() && !queue.is_stopped() {
            let began = Instant::now();
            let listed = self.list(events);
            let busy = self.shared.busy().values().cloned().collect();
            let settled = self.arrivals.settled(listed, &busy, Instant::now());
            let (again, new): (Vec<_>, Vec<_>) = settled.into_iter().partition(|one| one.again);
            self.take(&new, self.running.exists, queue, events);
            // A result of this very run that is out of date is not what `skip` is to keep.
            let existing = match self.running.exists {
                Existing::Skip => Existing::Overwrite,
                other => other,
            };
            self.take(&again, existing, queue, events);
            self.cancel.sleep(pause.max(began.elapsed() * REST));
        }
    }

    /// All that is there. A folder that is not, may come later or again.
    fn list(&mut self, events: &Sender<Event>) -> Vec<Listed> {
        let there = self.running.paths.iter().filter(|path| path.exists());
        let there: Vec<_> = there.cloned().collect();
        let Found {
            files, unreadable, ..
        } = survey(&there, &self.wanted, Some(&self.running.output));
        self.told
            .retain(|path| unreadable.iter().any(|refused| refused.source == *path));
        for refused in unreadable {
            if self.told.insert(refused.source.clone()) {
                let _ = events.send(Event::from(&refused));
            }
        }
        let listed = files.into_iter().filter_map(|source| {
            // What has vanished since is not there.
            let data = std::fs::metadata(&source.path).ok()?;
            let stamp = Stamp::from(&data);
            Some(Listed { source, stamp })
        });
        listed.collect()
    }

    fn take(
        &mut self,
        arrived: &[Arrival],
        existing: Existing,
        queue: &Queue,
        events: &Sender<Event>,
    ) {
        if arrived.is_empty() {
            return;
        }
        match self.plan(arrived, existing) {
            Ok(plan) => self.queue(plan, arrived, queue, events),
            Err(error) if error.kind() == Kind::Interrupted => {}
            Err(error) => match arrived {
                [one] => self.refuse(
                    Refused {
                        source: one.source.path.clone(),
                        reason: error.line(),
                        log: vec![],
                    },
                    events,
                ),
                // It is the error of some of them, not of all.
                several => {
                    for one in several.chunks(1) {
                        self.take(one, existing, queue, events);
                    }
                }
            },
        }
    }

    /// Plans what arrived beside what might want the same names.
    fn plan(&self, arrived: &[Arrival], existing: Existing) -> Result<Plan> {
        let mut sources: Vec<_> = arrived.iter().map(|one| one.source.clone()).collect();
        sources.extend(self.arrivals.siblings(arrived));
        let output = &self.running.output;
        let known = self.journal.known().clone();
        let rules = Rules {
            existing,
            ..self.running.rules(&known, self.engine)
        };
        let plan = plan(&sources, self.recipes, output, &rules, self.cancel)?;
        self.engine.check(&plan.jobs)?;
        Ok(plan)
    }

    /// Queues the jobs of what arrived, and tells of the rest.
    fn queue(&mut self, plan: Plan, arrived: &[Arrival], queue: &Queue, events: &Sender<Event>) {
        let arrived: HashSet<&Path> = arrived.iter().map(|one| &*one.source.path).collect();
        for refused in plan.refused {
            if arrived.contains(&*refused.source) {
                self.refuse(refused, events);
            }
        }
        for skipped in plan.skipped {
            if arrived.contains(&*skipped.source) {
                self.shared.tally().skipped += 1;
                let _ = events.send(Event::from(&skipped));
            }
        }
        for (job, planned) in plan.jobs.into_iter().zip(plan.subjects) {
            let source = job.source().map(Path::to_owned);
            let Some(source) = source.filter(|source| arrived.contains(&**source)) else {
                continue;
            };
            let mut folders = site::targets(&job)
                .iter()
                .filter_map(|target| target.parent());
            match folders.try_for_each(|folder| site::claim_folder(folder, self.journal)) {
                Ok(()) => self.start(job, planned, source, queue, events),
                Err(error) => self.refuse(
                    Refused {
                        source,
                        reason: error.line(),
                        log: vec![],
                    },
                    events,
                ),
            }
        }
    }

    fn start(
        &mut self,
        mut job: Job,
        planned: Planned,
        source: PathBuf,
        queue: &Queue,
        events: &Sender<Event>,
    ) {
        job.id = self.jobs;
        self.jobs += 1;
        self.arrivals.made(&source);
        // Before it can end.
        self.settling.expect(&job, planned);
        self.shared.busy().insert(job.id, source);
        queue.push(job, events);
    }

    fn refuse(&mut self, refused: Refused, events: &Sender<Event>) {
        if refused.source.exists() {
            self.shared.tally().failed += 1;
            let _ = events.send(Event::from(&refused));
        } else {
            self.arrivals.forget(&refused.source);
        }
    }
}
