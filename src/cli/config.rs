//! The user's configuration folder.

use std::path::PathBuf;

/// Where a file of this name belongs; `None` where there is no such folder.
pub(super) fn place(name: &str) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let folder = match variable("XDG_CONFIG_HOME") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(variable("HOME")?).join(".config"),
    };
    Some(folder.join("rushes").join(name))
}
