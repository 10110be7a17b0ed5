//! One line of the journal: `CHECKSUM JSON`. A line that a crash tore, or that
//! anything else spoilt, is none.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

use super::{Content, Fingerprint, Stamp};

/// The version of the lines that are written here.
const VERSION: u32 = 1;

/// What is known of one result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The result's place below the output folder.
    #[serde(with = "name")]
    pub target: PathBuf,
    /// The source's place below the folder that was named.
    #[serde(with = "name")]
    pub source: PathBuf,
    /// Where the source was, absolute.
    #[serde(with = "name")]
    pub path: PathBuf,
    /// The source as it was when the work was planned.
    pub source_stamp: Stamp,
    /// The recipe.
    pub recipe: Fingerprint,
    /// The result.
    #[serde(flatten)]
    pub placed: Placed,
}

/// A result as it was put in place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// What shows cheaply that it is still the same.
    #[serde(rename = "target_stamp")]
    pub stamp: Stamp,
    /// Its bytes; earlier versions did not write this.
    #[serde(
        default,
        rename = "target_content",
        skip_serializing_if = "Option::is_none"
    )]
    pub content: Option<Content>,
    /// Whether the source did not give all that it was to hold.
    pub salvaged: bool,
    /// Whether a stream of the source did not arrive.
    pub dropped: bool,
}

/// What a line of a journal is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// About a result.
    Record(Box<Record>),
    /// Whole, and of a version that is not known here.
    Newer,
    /// Spoilt.
    Garbage,
}

/// The version comes first, so that it can be read whatever else there is.
#[derive(Serialize, Deserialize)]
struct Versioned {
    v: u32,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    #[serde(flatten)]
    record: &'a Record,
}

/// `record` as a line with its end.
pub(super) fn write(record: &Record) -> serde_json::Result<String> {
    let v = VERSION;
    // JSON has no line ends in it.
    let json = serde_json::to_string(&Written { v, record })?;
    Ok(format!("{:016x} {json}\n", xxh3_64(json.as_bytes())))
}

/// Reads a line without its end.
pub(super) fn read(line: &[u8]) -> Line {
    let Some(json) = checked(line) else {
        return Line::Garbage;
    };
    match serde_json::from_slice::<Versioned>(json) {
        Ok(Versioned { v }) if v > VERSION => Line::Newer,
        Ok(_) => match serde_json::from_slice::<Box<Record>>(json) {
            Ok(record) if is_below(&record.target) => Line::Record(record),
            _ => Line::Garbage,
        },
        Err(_) => Line::Garbage,
    }
}

/// Whether a place is one below the output folder, whatever wrote it down.
fn is_below(target: &Path) -> bool {
    let mut parts = target.components();
    target.parent().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// The JSON of a line whose checksum holds.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (sum, rest) = line.split_at_checked(16)?;
    let json = rest.strip_prefix(b" ")?;
    let sum = u64::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
    (sum == xxh3_64(json)).then_some(json)
}

/// File names as text where they are text, else as their bytes.
mod name {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Name {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        let name = match path.to_str() {
            Some(text) => Name::Text(text.to_owned()),
            None => Name::Bytes(path.as_os_str().as_bytes().to_vec()),
        };
        name.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Ok(match Name::deserialize(deserializer)? {
            Name::Text(text) => PathBuf::from(text),
            Name::Bytes(bytes) => PathBuf::from(OsString::from_vec(bytes)),
        })
    }
}
