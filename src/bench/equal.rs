//! Whether two dispatches did the same work: decoded frames, not bytes, are compared.

use std::path::{Path, PathBuf};

use crate::dispatch::Cancel;
use crate::error::Result;
use crate::media::hash::content;
use crate::report::summary;

/// A file that differs between two folders of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The file, relative to the folders.
    pub file: PathBuf,
    /// In what.
    pub what: String,
}

/// Sizes of two encodes of one source may differ by this share: containers hold encoder names and dates.
const SIZE_TOLERANCE: f64 = 0.01;

/// Decodes all files below `a` and `b` and tells the first difference of each.
///
/// # Errors
/// Where a file cannot be read or decoded.
pub fn differences(a: &Path, b: &Path, cancel: &Cancel) -> Result<Vec<Difference>> {
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
    for file in files_a.iter().filter(|file| files_b.contains(file)) {
        let what = difference(&a.join(file), &b.join(file), cancel)?;
        found.extend(what.map(|what| Difference {
            file: file.clone(),
            what,
        }));
    }
    Ok(found)
}

fn difference(a: &Path, b: &Path, cancel: &Cancel) -> Result<Option<String>> {
    if std::fs::read(a)
        .is_ok_and(|bytes_a| std::fs::read(b).is_ok_and(|bytes_b| bytes_a == bytes_b))
    {
        return Ok(None);
    }
    let (content_a, content_b) = (content(a, cancel)?, content(b, cancel)?);
    if let Some(frame) = content_a.first_difference(&content_b) {
        let (n, m) = (content_a.frames.len(), content_b.frames.len());
        return Ok(Some(format!("frame {frame} differs ({n} and {m} frames)")));
    }
    if content_a.audio_samples != content_b.audio_samples {
        return Ok(Some(format!(
            "audio samples differ: {:?} and {:?}",
            content_a.audio_samples, content_b.audio_samples
        )));
    }
    let size = |path: &Path| std::fs::metadata(path).map_or(0.0, |data| data.len() as f64);
    let (size_a, size_b) = (size(a), size(b));
    let apart = (size_a - size_b).abs() / size_a.max(size_b).max(1.0);
    Ok((apart > SIZE_TOLERANCE).then(|| format!("sizes differ by {:.1} %", apart * 100.0)))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let walk = ignore::WalkBuilder::new(folder)
        .standard_filters(false)
        .hidden(true)
        .sort_by_file_path(Path::cmp)
        .build();
    walk.filter_map(|entry| entry.ok())
        // What the program keeps beside its results is none.
        .filter(|entry| entry.file_name() != summary::FILE)
        .filter(|entry| entry.file_type().is_some_and(|kind| kind.is_file()))
        .filter_map(|entry| entry.path().strip_prefix(folder).ok().map(Path::to_owned))
        .collect()
}
