//! A source that a test makes for itself.

use std::fs;
use std::path::{Path, PathBuf};

use super::{ENGINES, ffmpeg, rushes, stderr};

/// A folder with one source in it, made by the `ffmpeg` program.
pub struct Source {
    /// The folder above that of the source.
    pub root: tempfile::TempDir,
    /// The source.
    pub path: PathBuf,
}

/// What a command did.
pub struct Ran {
    /// The folder with the results.
    pub out: PathBuf,
    /// The exit code.
    pub code: Option<i32>,
    /// What the terminal shows.
    pub terminal: String,
}

impl Source {
    /// The file `name`, made with `arguments`.
    pub fn made(name: &str, arguments: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("in").join(name);
        fs::create_dir(path.parent().unwrap()).unwrap();
        ffmpeg(arguments.split_whitespace(), &path);
        Self { root, path }
    }

    /// A copy of `file`.
    pub fn of(file: &Path) -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("in").join(file.file_name().unwrap());
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::copy(file, &path).unwrap();
        Self { root, path }
    }

    /// Runs a command on it; each dispatch and set of flags has a folder of its own.
    pub fn run(&self, command: &str, dispatch: &str, flags: &[&str]) -> Ran {
        let folder = format!("{dispatch}-{}", flags.join("-").replace('/', "-"));
        let out = self.root.path().join(folder);
        let output = rushes()
            .args([command, "--dispatch", dispatch])
            .args(flags)
            .args([&self.path, Path::new("-o"), &out])
            .output()
            .unwrap();
        Ran {
            out,
            code: output.status.code(),
            terminal: stderr(&output),
        }
    }

    /// Converts it with both engines; each result, and what the terminal shows.
    pub fn converted(&self, flags: &[&str], result: &str) -> [(PathBuf, String); 2] {
        ENGINES.map(|dispatch| {
            let ran = self.run("convert", dispatch, flags);
            assert_eq!(ran.code, Some(0), "{dispatch}: {}", ran.terminal);
            (ran.out.join(result), ran.terminal)
        })
    }
}
