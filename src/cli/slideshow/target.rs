//! Where a film goes, and what kind of file it is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::film::format::Format;
use crate::plan::{Existing, free_names};
use crate::say;

/// Where the film goes.
pub(super) struct Target {
    pub path: PathBuf,
    pub format: Format,
}

impl Target {
    /// Name and format follow from each other where one is not given.
    pub fn of(path: Option<&Path>, format: Option<Format>) -> Result<Self> {
        let Some(path) = path else {
            let format = format.unwrap_or_default();
            let path = Path::new("slideshow").with_extension(format.extension());
            return Ok(Self { path, format });
        };
        let shown = path.display();
        let named = Format::ALL
            .into_iter()
            .find(|format| has_ending(path, format.extension()));
        match (named, format) {
            (Some(named), given) if given.is_none_or(|given| given == named) => Ok(Self {
                path: path.to_owned(),
                format: named,
            }),
            (_, Some(given)) => Err(Error::usage(format!(
                "-o {shown}: the name of such a film ends in .{}",
                given.extension()
            ))),
            (_, None) => Err(Error::usage(format!(
                "-o {shown}: a film's name ends in .mp4, .webm or .gif"
            ))),
        }
    }

    /// The name that the film of `sources` gets; none where it is there already and is to stay.
    pub fn free(
        &self,
        sources: &[&PathBuf],
        exists: Existing,
        quiet: bool,
    ) -> Result<Option<PathBuf>> {
        let (target, shown) = (&self.path, self.path.display());
        if target.is_dir() {
            return Err(Error::usage(format!("-o {shown}: it is a folder"))
                .cure("name a file in it, such as film.mp4"));
        }
        let Ok(real) = target.canonicalize() else {
            return Ok(Some(target.clone()));
        };
        let is_source = |path: &PathBuf| path.canonicalize().is_ok_and(|path| path == real);
        if sources.iter().any(|path| is_source(path)) {
            return Err(
                Error::usage(format!("-o {shown}: it is one of the sources"))
                    .cure("choose another name for the film"),
            );
        }
        let free = || free_names(target).find(|name| name.symlink_metadata().is_err());
        match exists {
            Existing::Overwrite => Ok(Some(target.clone())),
            Existing::Rename => Ok(free()),
            Existing::Error => Err(Error::usage(format!("'{shown}' is there already"))
                .cure("choose another name with -o, or another --exists")),
            Existing::Skip => {
                if !quiet {
                    say!("'{shown}' is there already; --exists overwrite makes it anew");
                }
                Ok(None)
            }
        }
    }
}

/// Whether a file's name ends so, whatever the case of its letters.
pub(super) fn has_ending(path: &Path, ending: &str) -> bool {
    let found = path.extension().and_then(OsStr::to_str);
    found.is_some_and(|found| found.eq_ignore_ascii_case(ending))
}
