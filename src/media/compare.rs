//! Whether two files hold the same, whatever their bytes are.

use std::path::Path;

use super::hash::content;
use super::outline::outline;
use crate::dispatch::Cancel;
use crate::error::Result;

/// In words where two files first differ: in what they decode to, or in what
/// they say of themselves.
///
/// # Errors
/// Where one cannot be read or decoded.
pub fn difference(a: &Path, b: &Path, cancel: &Cancel) -> Result<Option<String>> {
    let (content_a, content_b) = (content(a, cancel)?, content(b, cancel)?);
    if let Some(difference) = content_a.difference(&content_b) {
        return Ok(Some(difference));
    }
    Ok(line_difference(&outline(a, cancel)?, &outline(b, cancel)?))
}

/// The first line in which two outlines differ.
fn line_difference(a: &[String], b: &[String]) -> Option<String> {
    let lines = (0..a.len().max(b.len())).map(|line| (a.get(line), b.get(line)));
    lines
        .into_iter()
        .find(|(a, b)| a != b)
        .map(|pair| match pair {
            (Some(a), Some(b)) => format!("'{a}' and '{b}'"),
            (a, b) => format!("only one has '{}'", a.or(b).map_or("", String::as_str)),
        })
}
