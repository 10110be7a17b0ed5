//! Whether two dispatches did the same work: decoded frames, not bytes, are compared.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use super::facts;
use crate::dispatch::Cancel;
use crate::engine::{Watch, Workers};
use crate::error::Result;
use crate::plan::walk;
use crate::report::summary;
use crate::threads;

/// A file that differs between two folders of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file, relative to the folders.
    pub file: PathBuf,
    /// In what.
    pub what: String,
}

/// Sizes of two encodes of one source may differ by this share, and so many
/// bytes: containers hold encoder names and dates, and tables of times.
const SIZE_TOLERANCE: f64 = 0.01;
const SIZE_TOLERANCE_BYTES: f64 = 4096.0;

/// Has `workers` decode all files below `a` and `b`, on all cores, and returns the first
/// difference of each.
///
/// # Errors
/// Where a file cannot be read or decoded.
pub fn differences(
    workers: &Workers,
    [a, b]: [&Path; 2],
    cancel: &Cancel,
) -> Result<Vec<Difference>> {
    let (files_a, files_b) = (files(a), files(b));
    let mut found = Vec::new();
    for file in files_a
        .iter()
        .filter(|file| !files_b.contains(file))
        .chain(files_b.iter().filter(|file| !files_a.contains(file)))
    {
        found.push(Difference {
            file: file.clone(),
            what: "only one dispatch made it".into(),
        });
    }
    let both: Vec<&PathBuf> = files_a
        .iter()
        .filter(|file| files_b.contains(file))
        .collect();
    let differ = both.into_par_iter().map(|file| {
        let what = difference(workers, &a.join(file), &b.join(file), cancel)?;
        Ok(what.map(|what| Difference {
            file: file.clone(),
            what,
        }))
    });
    let differ: Result<Vec<Option<Difference>>> = threads::shared()?.install(|| differ.collect());
    found.extend(differ?.into_iter().flatten());
    Ok(found)
}

/// A hash over what all files below `folder` decode to: of pictures what is
/// seen, of sound how long it is. Lists that lie beside them are not in it.
///
/// # Errors
/// Where a file cannot be read or decoded.
pub fn digest(workers: &Workers, folder: &Path, cancel: &Cancel) -> Result<String> {
    let mut untold = |_| {};
    let mut watch = Watch::new(cancel, &mut untold);
    let mut hash = Xxh3::new();
    let files = files(folder).into_iter().filter(|file| !is_list(file));
    for file in files {
        hash.update(file.as_os_str().as_encoded_bytes());
        let own = workers.digest(&folder.join(&file), &mut watch);
        hash.update(&own.map_err(|failure| failure.error)?.to_le_bytes());
    }
    Ok(facts::shown(&hash))
}

/// Size of all files below `folder`.
pub fn size(folder: &Path) -> u64 {
    let sizes = files(folder).into_iter();
    let size = |file: PathBuf| std::fs::metadata(folder.join(file)).map_or(0, |data| data.len());
    sizes.map(size).sum()
}

fn is_list(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "json")
}

fn difference(workers: &Workers, a: &Path, b: &Path, cancel: &Cancel) -> Result<Option<String>> {
    if std::fs::read(a)
        .is_ok_and(|bytes_a| std::fs::read(b).is_ok_and(|bytes_b| bytes_a == bytes_b))
    {
        return Ok(None);
    }
    if is_list(a) {
        return Ok(Some("the lists differ".into()));
    }
    let mut untold = |_| {};
    let mut watch = Watch::new(cancel, &mut untold);
    let difference = workers.difference(a, b, &mut watch);
    if let Some(difference) = difference.map_err(|failure| failure.error)? {
        return Ok(Some(difference));
    }
    let size = |path: &Path| std::fs::metadata(path).map_or(0.0, |data| data.len() as f64);
    let (size_a, size_b) = (size(a), size(b));
    let (apart, larger) = ((size_a - size_b).abs(), size_a.max(size_b));
    let differ = apart > larger * SIZE_TOLERANCE + SIZE_TOLERANCE_BYTES;
    Ok(differ.then(|| format!("sizes differ by {:.1} %", apart / larger * 100.0)))
}

/// All files below `folder`, relative to it, in the order of their paths.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let all = Mutex::new(vec![]);
    walk(folder, 1, &|_, _| true, &|seen| {
        let Ok(path) = seen else { return };
        // What the program keeps beside its results is none.
        if path.file_name() != Some(summary::FILE.as_ref())
            && let Ok(path) = path.strip_prefix(folder)
        {
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(path.to_owned());
        }
    });
    let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort();
    all
}
