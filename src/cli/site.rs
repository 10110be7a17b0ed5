//! Where a batch works: its sources, its output folder, and what is known there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::running::Running;
use crate::delivery::{Links, Swept, sweep_with};
use crate::error::{Error, Result};
use crate::job::{Job, Work};
use crate::journal::{self, Journal, Known};
use crate::plan::{self, Existing, Found, Plan, prepare_output};
use crate::report::words;
use crate::say;

/// Finds the sources, makes sure of the output folder, keeps other runs out of
/// it, and clears away what killed ones left. A dry run looks alone.
pub(super) fn open(running: &Running) -> Result<(Found, Option<Journal>)> {
    let found = running.sources()?;
    if running.dry_run {
        return Ok((found, None));
    }
    let (journal, cleared) = take(running)?;
    // What came back was not to be found before, and another run may just have replaced some.
    let found = if cleared || running.replace {
        running.sources()?
    } else {
        found
    };
    Ok((found, Some(journal)))
}

/// Takes the output folder for this run alone, and tells whether something was cleared away.
pub(super) fn take(running: &Running) -> Result<(Journal, bool)> {
    let output = &running.output;
    // Before anything is created there.
    journal::refuse_above(output)?;
    prepare_output(output)?;
    let journal = Journal::open(output)?;
    let cleared = tidy(running, &journal)?;
    if cleared > 0 && !running.quiet {
        let what = words::count(cleared, "leftover");
        say!("{what} of an earlier run cleared away");
    }
    Ok((journal, cleared > 0))
}

/// Clears away what killed runs left where this one works.
///
/// # Errors
/// If another run works below, and was there first.
fn tidy(running: &Running, journal: &Journal) -> Result<usize> {
    let wanted = running.wanted()?;
    let (output, known) = (&running.output, journal.known());
    let sweep = || {
        let links = Links {
            enters: &|link| wanted.enters(link.strip_prefix(output).unwrap_or(link)),
            claims: &|folder| journal.claim(folder).is_ok(),
        };
        // With --replace, results are where the sources are, also behind links.
        let links = running.replace.then_some(links);
        sweep_with(output, &known, &|folder| journal.is_taken(folder), links)
    };
    sweep_alone(sweep)
}

/// Sweeps until no run is left below that has just started.
fn sweep_alone(sweep: impl Fn() -> Swept) -> Result<usize> {
    let mut cleared = 0;
    loop {
        let swept = sweep();
        cleared += swept.cleared;
        if swept.busy.is_empty() {
            return Ok(cleared);
        }
        for folder in swept.busy {
            journal::wait_for(&folder)?;
        }
    }
}

/// Keeps other runs out of all folders to which results of `plan` go.
///
/// # Errors
/// If another run works there.
pub(super) fn claim(plan: &Plan, journal: &Journal) -> Result<()> {
    let targets = plan.jobs.iter().flat_map(targets);
    let folders: BTreeSet<&Path> = targets.filter_map(|target| target.parent()).collect();
    folders
        .into_iter()
        .try_for_each(|folder| claim_folder(folder, journal))
}

/// Where the results of `job` go.
pub(super) fn targets(job: &Job) -> &[PathBuf] {
    match &job.work {
        Work::Media(media) => &media.targets,
        Work::Load(_) => &[],
    }
}

/// Keeps other runs out of `folder`. One that is reached through a link was not tidied before.
pub(super) fn claim_folder(folder: &Path, journal: &Journal) -> Result<()> {
    let Some(linked) = journal.claim(folder)? else {
        return Ok(());
    };
    let (is_taken, known) = (|folder: &Path| journal.is_taken(folder), Known::default());
    sweep_alone(|| sweep_with(&linked, &known, &is_taken, None)).map(drop)
}

/// With `--replace`, results go where the sources are, which is one folder.
///
/// # Errors
/// Where it is several, and where flags contradict it.
pub(super) fn beside_sources(running: &mut Running) -> Result<()> {
    if running.exists == Existing::Overwrite {
        return Err(Error::usage(
            "--replace --exists overwrite: what is replaced is not there to be done again",
        )
        .cure("leave --exists out, and take sources out of the trash to do them again"));
    }
    if running.paths.is_empty() {
        return Ok(());
    }
    // Results must not go anywhere else because a folder cannot be looked at just now.
    let places = running.paths.iter().map(|path| Place::of(path));
    let places = places.collect::<Result<Vec<_>>>()?;
    let root = places[0].folder.clone();
    let whole = places.iter().any(|place| place.is_folder);
    let one = places.iter().all(|place| place.real == places[0].real);
    if running.paths.len() > 1 && (whole || !one) {
        return Err(Error::usage(
            "--replace: the PATHs are neither one folder nor files of one folder",
        )
        .cure("run it for each folder"));
    }
    if !whole {
        // Named by way of the folder, as results are.
        for path in &mut running.paths {
            *path = root.join(path.file_name().unwrap_or_default());
        }
    }
    running.output = root;
    Ok(())
}

/// The folder that a PATH is, or that it lies in.
struct Place {
    folder: PathBuf,
    real: PathBuf,
    is_folder: bool,
}

impl Place {
    fn of(path: &Path) -> Result<Self> {
        let unreadable = |error| plan::unreadable(path, error);
        let is_folder = path.metadata().map_err(unreadable)?.is_dir();
        let folder = match (is_folder, path.parent()) {
            (true, _) => path.to_owned(),
            (false, Some(parent)) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        let real = folder.canonicalize().map_err(unreadable)?;
        Ok(Self {
            folder,
            real,
            is_folder,
        })
    }
}

/// What is known of results in the output folder.
pub(super) fn known(running: &Running, journal: Option<&Journal>) -> journal::Known {
    journal.map_or_else(
        || journal::peek(&running.output),
        |journal| journal.known().clone(),
    )
}
