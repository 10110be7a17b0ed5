//! What a video holds, decoded by the `ffmpeg` program.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Decoded files by their bytes: most results have the same ones.
static KNOWN: Mutex<Option<HashMap<u64, String>>> = Mutex::new(None);

/// The hashes of all frames, and what ffmpeg complains about.
pub fn decoded(bytes: &[u8]) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    let key = hasher.finish();
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known().get_or_insert_default().get(&key) {
        return Ok(found.clone());
    }
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-xerror", "-i"])
        .arg(file.path())
        .args(["-map", "0", "-f", "framemd5", "-"])
        .stdin(Stdio::null())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let found = lines.collect::<Vec<_>>().join("\n");
    known().get_or_insert_default().insert(key, found.clone());
    Ok(found)
}
