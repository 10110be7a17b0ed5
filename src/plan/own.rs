//! Leaves out files that are results of earlier runs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Rules, SourceFile, decide};
use crate::journal::{self, Known, Stamp};

/// Returns the `sources` that no journal lists as a result: neither that of `output` nor those
/// of the folders below the one that the user named. The named folder's own journal is not
/// read, so that users can convert results by naming their folder.
pub(super) fn without_results(
    sources: &[SourceFile],
    output: &Path,
    rules: &Rules,
) -> Vec<SourceFile> {
    let below = std::path::absolute(output).ok();
    let mut folders = Folders::default();
    let mut is_result = |source: &SourceFile| {
        let path = std::path::absolute(&source.path);
        let of_output = below
            .as_deref()
            .zip(path.ok())
            .is_some_and(|(below, path)| decide::written(&path, below, rules).is_some());
        of_output || folders.have_made(source)
    };
    let sources = sources.iter();
    sources
        .filter(|source| !is_result(source))
        .cloned()
        .collect()
}

/// The journals of folders, each read once.
#[derive(Default)]
struct Folders(HashMap<PathBuf, Known>);

impl Folders {
    /// Whether `source` is a result of a run into a folder below the one that was named.
    fn have_made(&mut self, source: &SourceFile) -> bool {
        let inner = source.relative.components().count().saturating_sub(1);
        let folders = source.path.ancestors().skip(1).take(inner);
        let mut stamp = None;
        for folder in folders {
            if !self.0.contains_key(folder) {
                self.0.insert(folder.to_owned(), journal::peek(folder));
            }
            let record = self
                .0
                .get(folder)
                .and_then(|known| known.of_target(source.path.strip_prefix(folder).ok()?));
            let Some(record) = record else { continue };
            let stamp = stamp.get_or_insert_with(|| Stamp::of(&source.path).ok());
            if *stamp == Some(record.placed.stamp) {
                return true;
            }
        }
        false
    }
}
