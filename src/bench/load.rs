//! `results.json` of an earlier run, read again: it may have been damaged, or be no such file.

use std::path::Path;

use super::results::{Results, VERSION};
use crate::document;
use crate::error::{Error, Result};

/// More than this no run has to say.
const MOST_BYTES: u64 = 256 << 20;

/// Reads the results at `path`.
///
/// # Errors
/// Where it cannot be read, or is not what this version writes.
pub fn load(path: &Path) -> Result<Results> {
    let shown = path.display();
    let unread = |cause: String| {
        Error::usage(format!("cannot read results from '{shown}'"))
            .because(cause)
            .cure("give a results.json that rushes bench has written")
    };
    let bytes = document::read(path, MOST_BYTES).map_err(|error| unread(error.to_string()))?;
    let json: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|error| unread(format!("it is no JSON: {error}")))?;
    match json.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => {
            return Err(Error::usage(format!(
                "'{shown}' is of version {version}, and this rushes knows version {VERSION}"
            ))
            .cure("use the rushes that wrote it, or a newer one"));
        }
        Some(_) => {}
        None => return Err(unread("it has no version".into())),
    }
    serde_json::from_value(json).map_err(|error| unread(format!("it holds no results: {error}")))
}
