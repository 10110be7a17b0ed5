//! `rushes bench --import`: what follows from times that another program took.

use std::path::Path;

use crate::bench::original::{self, read_original};
use crate::bench::results::Results;
use crate::document;
use crate::error::{Error, Result};

/// More than this is no table of a few numbers a line.
const MOST_BYTES: u64 = 4 << 20;

/// The results that the data file at `path` carries, to be written to `output`.
///
/// # Errors
/// Where it cannot be read, holds anything else, or would be written over.
pub(super) fn import(path: &Path, output: &Path) -> Result<Results> {
    let shown = path.display();
    let wrong = || Error::usage(format!("--import: cannot read '{shown}'"));
    let own = output.join(original::FILE_NAME);
    if let (Ok(own), Ok(given)) = (own.canonicalize(), path.canonicalize())
        && own == given
    {
        return Err(Error::usage(format!(
            "--import: '{shown}' lies where this run writes its own"
        ))
        .cure("give another folder with --output"));
    }
    let text = document::read_text(path, MOST_BYTES)
        .map_err(|error| wrong().because(error).cure(rows()))?;
    let samples =
        read_original(&text).map_err(|error| wrong().because(error.chain()).cure(rows()))?;
    if samples.is_empty() {
        return Err(wrong().because("it holds no times").cure(rows()));
    }
    let mut results = Results::of_times(samples);
    results.notes.push(format!(
        "these are wall times read from '{shown}': how they were taken is not known, nor by which machine"
    ));
    Ok(results)
}

fn rows() -> String {
    format!("give a file with rows of: {}", original::columns())
}
