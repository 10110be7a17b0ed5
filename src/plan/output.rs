//! The folder that results go to.

use std::io;
use std::path::Path;

use crate::error::{Error, Result};

/// Makes sure that `folder` is there and can be written to, before anything starts.
///
/// # Errors
/// Where it is a file, cannot be made, or cannot be written to.
pub fn prepare_output(folder: &Path) -> Result<()> {
    let shown = folder.display();
    if folder.exists() && !folder.is_dir() {
        return Err(
            Error::usage(format!("the output folder '{shown}' is a file"))
                .cure("choose another folder with -o, or move that file away"),
        );
    }
    let try_out = || -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        tempfile::Builder::new()
            .prefix(".try")
            // A kill leaves it: then it goes like what is unfinished.
            .suffix(".rushes-part")
            .tempfile_in(folder)
            .map(drop)
    };
    try_out().map_err(|error| {
        let cure = match error.kind() {
            io::ErrorKind::PermissionDenied => {
                "change its permissions, or choose another folder with -o"
            }
            io::ErrorKind::StorageFull => {
                "free some space, or choose a folder on another disk with -o"
            }
            _ => "choose another folder with -o",
        };
        Error::usage(format!("cannot write to the output folder '{shown}'"))
            .because(error)
            .cure(cure)
    })
}
