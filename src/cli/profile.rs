//! What was measured here with `bench --save-profile`, kept in the user's
//! configuration folder. Others may have written there: it is read with care.

use std::io::ErrorKind;
use std::path::PathBuf;

use super::config;
use crate::bench::profile::{Profile, VERSION};
use crate::bench::results::{Results, Work};
use crate::delivery::place_bytes;
use crate::document;
use crate::error::{Error, Result};
use crate::measure::machine;
use crate::values;

const FILE_NAME: &str = "profile.json";

/// More than this no profile has to say.
const MOST_BYTES: u64 = 64 << 10;

/// Keeps what `results` recommend; where that is.
///
/// # Errors
/// Where they show too little, or there is no place for it.
pub(super) fn save(results: &Results) -> Result<PathBuf> {
    let profile = Profile::of(results).ok_or_else(|| {
        Error::failed("--save-profile: transcode and frames were measured too little to choose by")
            .cure("give --work transcode,frames and a --budget for at least 6 rounds")
    })?;
    let place = config::place(FILE_NAME).ok_or_else(|| {
        Error::failed("--save-profile: there is no configuration folder")
            .cure("set HOME or XDG_CONFIG_HOME")
    })?;
    let json = document::json(&profile, FILE_NAME)?;
    place_bytes(&place, &json)?;
    Ok(place)
}

/// What was saved on this machine, and where it is; what keeps a profile from
/// being used is told by `warn`.
pub(super) fn load(warn: &dyn Fn(String)) -> Option<(Profile, PathBuf)> {
    let place = config::place(FILE_NAME)?;
    let read = match document::read(&place, MOST_BYTES) {
        // The usual thing.
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        read => read.map_err(|error| error.to_string()),
    };
    let shown = place.display();
    let profile: Profile = match read.and_then(|bytes| {
        serde_json::from_slice(&bytes).map_err(|error| format!("it is no profile: {error}"))
    }) {
        Ok(profile) => profile,
        Err(why) => {
            warn(format!("'{shown}' is ignored: {why}"));
            return None;
        }
    };
    match unfit(&profile) {
        Some(why) => {
            warn(format!("'{shown}' is ignored: {why}"));
            None
        }
        None => Some((profile, place)),
    }
}

/// Why a profile does not hold here.
fn unfit(profile: &Profile) -> Option<String> {
    if profile.version != VERSION {
        return Some(format!("it is of version {}", profile.version));
    }
    let choices = [Work::Transcode, Work::Frames].map(|work| profile.choice(work));
    let strange = |workers: usize| values::jobs(&workers.to_string()).is_err();
    if choices
        .iter()
        .flatten()
        .any(|choice| strange(choice.workers))
    {
        return Some("its numbers of workers cannot be".into());
    }
    let here = machine::machine();
    if (&profile.cpu, profile.cores) != (&here.cpu, here.cores) {
        return Some(
            "it was measured on another machine; bench --save-profile measures this one".into(),
        );
    }
    None
}
