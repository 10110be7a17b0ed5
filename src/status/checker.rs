//! Compares results with what the journal knows of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Finding, State};
use crate::dispatch::Cancel;
use crate::engine::{Watch, Workers};
use crate::error::{Error, Kind, Result};
use crate::journal::{Content, Record, Stamp};

/// Compares the results in a folder with what was put in place.
pub struct Checker<'a> {
    /// The output folder.
    pub output: &'a Path,
    /// What decodes results whose bytes are not as they were. Without it, sizes and dates alone
    /// are compared.
    pub decoder: Option<&'a Workers>,
    /// Gets the number of bytes whenever some were read.
    pub advance: &'a (dyn Fn(u64) + Sync),
    /// Stops it.
    pub cancel: &'a Cancel,
}

impl Checker<'_> {
    /// Looks at the result that `record` is about.
    ///
    /// # Errors
    /// Only where it was cancelled, or no worker can be started.
    pub fn check(&self, record: &Record) -> Result<Finding> {
        if self.cancel.is_set() {
            return Err(Error::interrupted());
        }
        let path = self.output.join(&record.target);
        let (state, reason) = match self.state(&path, record) {
            Err(Failure::System(error)) if error.kind() == io::ErrorKind::NotFound => {
                (State::Missing, None)
            }
            Err(Failure::System(error)) => (State::Unreadable, Some(error.to_string())),
            Err(Failure::Stopped(error)) => return Err(error),
            Ok(found) => found,
        };
        Ok(Finding {
            result: record.target.display().to_string(),
            source: record.path.display().to_string(),
            state,
            reason,
            salvaged: record.placed.salvaged,
        })
    }

    fn state(&self, path: &Path, record: &Record) -> Found {
        let stamp = Stamp::of(path)?;
        let Some(decoder) = self.decoder else {
            return Ok(if stamp == record.placed.stamp {
                (State::Same, None)
            } else {
                let reason = "its size or its date is another";
                (State::Changed, Some(reason.to_owned()))
            });
        };
        // Where sizes differ, so do the bytes.
        if stamp.size == record.placed.stamp.size
            && let Some(content) = record.placed.content
            && self.content(path)? == content
        {
            return Ok((State::Same, None));
        }
        if let Some(damage) = self.damage(decoder, path)? {
            return Ok((State::Damaged, Some(damage)));
        }
        if record.placed.content.is_none() && stamp == record.placed.stamp {
            let reason = "it decodes; the version of rushes that made it kept no hash of its bytes";
            return Ok((State::Same, Some(reason.to_owned())));
        }
        Ok((
            State::Changed,
            Some("it decodes; its bytes are others".into()),
        ))
    }

    fn content(&self, path: &Path) -> Result<Content, Failure> {
        let mut go_on = |bytes| {
            (self.advance)(bytes);
            !self.cancel.is_set()
        };
        match Content::at(path, &mut go_on) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                Err(Failure::Stopped(Error::interrupted()))
            }
            content => Ok(content?),
        }
    }

    /// Why a result, or a picture of one that is a folder, does not decode whole.
    fn damage(&self, decoder: &Workers, path: &Path) -> Result<Option<String>, Failure> {
        if !path.is_dir() {
            return self.damage_of_file(decoder, path);
        }
        let pictures = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
        let mut pictures = pictures.collect::<io::Result<Vec<PathBuf>>>()?;
        // The list of pictures is none.
        pictures.retain(|path| path.extension().is_none_or(|ending| ending != "json"));
        pictures.sort();
        for picture in pictures {
            if let Some(damage) = self.damage_of_file(decoder, &picture)? {
                let name = picture.file_name().unwrap_or_default().display();
                return Ok(Some(format!("'{name}': {damage}")));
            }
        }
        Ok(None)
    }

    fn damage_of_file(&self, decoder: &Workers, path: &Path) -> Result<Option<String>, Failure> {
        let mut ignore = |_| {};
        let mut watch = Watch::new(self.cancel, &mut ignore);
        match decoder.decode(path, &mut watch) {
            Ok(damage) => Ok(damage),
            Err(failure) => match failure.error.kind() {
                Kind::Failed => Ok(Some(failure.error.line())),
                Kind::Unreadable => Err(Failure::System(io::Error::other(failure.error.line()))),
                Kind::Interrupted | Kind::Usage => Err(Failure::Stopped(failure.error)),
            },
        }
    }
}

type Found = Result<(State, Option<String>), Failure>;

/// Why nothing was found out.
enum Failure {
    /// The system cannot read it.
    System(io::Error),
    /// It was cancelled, or nothing can be decoded here.
    Stopped(Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}
