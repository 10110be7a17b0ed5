//! Where a batch works: its sources, its output folder, and what is known there.

use std::path::{Path, PathBuf};

use super::running::Running;
use crate::delivery::sweep;
use crate::error::{Error, Result};
use crate::journal::{self, Journal};
use crate::plan::{Existing, Found, prepare_output};
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
    // What came back was not to be found before.
    let found = if cleared { running.sources()? } else { found };
    Ok((found, Some(journal)))
}

/// Takes the output folder for this run alone, and tells whether something was cleared away.
pub(super) fn take(running: &Running) -> Result<(Journal, bool)> {
    let output = &running.output;
    prepare_output(output)?;
    let journal = Journal::open(output)?;
    let cleared = sweep(output, &journal.known());
    if cleared > 0 && !running.quiet {
        let what = words::count(cleared, "leftover");
        say!("{what} of an earlier run cleared away");
    }
    Ok((journal, cleared > 0))
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
    let Some(first) = running.paths.first() else {
        return Ok(());
    };
    // Told by the search for sources.
    if running.paths.iter().any(|path| !path.exists()) {
        return Ok(());
    }
    let folder = |path: &Path| {
        if path.is_dir() {
            return path.to_owned();
        }
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        }
    };
    let root = folder(first);
    let same = |path: &PathBuf| folder(path).canonicalize().ok() == root.canonicalize().ok();
    let whole = running.paths.iter().any(|path| path.is_dir());
    let one = running.paths.len() == 1 || !whole && running.paths.iter().all(same);
    if !one {
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

/// What is known of results in the output folder.
pub(super) fn known(running: &Running, journal: Option<&Journal>) -> journal::Known {
    journal.map_or_else(
        || journal::peek(&running.output),
        |journal| journal.known().clone(),
    )
}
