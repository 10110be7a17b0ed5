//! The `ffmpeg` program on the PATH: where it is, its version, its encoders.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::sandbox::Kind;
use crate::error::{Error, Result};
use crate::job::{Job, Work};

/// The libavcodec of FFmpeg 5.1, the oldest version that is supported.
const OLDEST: (u32, u32) = (59, 37);

/// The libavcodec of FFmpeg 6.1.
const DECODES_AMR: (u32, u32) = (60, 31);

/// The libavcodec of FFmpeg 7.1.
const DRAINS: (u32, u32) = (61, 19);

const INSTALL: &str = "Debian, Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg";

/// The program, of a supported version.
#[derive(Debug, Clone)]
pub struct Ffmpeg {
    path: PathBuf,
    version: String,
    libavcodec: (u32, u32),
    // What `-filters` prints, once it was asked for.
    filters: OnceLock<Option<String>>,
}

impl Ffmpeg {
    /// Finds the program on the PATH and asks it for its version.
    ///
    /// # Errors
    /// Where there is none, it does not start, or it is older than FFmpeg 5.1.
    pub fn find() -> Result<Self> {
        let path = which::which("ffmpeg").map_err(|error| {
            Error::usage(
                "--dispatch processes needs the program 'ffmpeg', which is not on the PATH",
            )
            .because(error)
            .cure(format!("install it ({INSTALL}), or use --dispatch workers"))
        })?;
        let said = ask(&path, ["-version"]).ok_or_else(|| {
            Error::usage(format!("'{} -version' fails", path.display())).cure(format!(
                "install FFmpeg again ({INSTALL}), or use --dispatch workers"
            ))
        })?;
        let version = version_of(&said).to_owned();
        match libavcodec(&said) {
            Some(found) if found >= OLDEST => Ok(Self {
                path,
                version,
                libavcodec: found,
                filters: OnceLock::new(),
            }),
            found => Err(too_old(&path, &version, found)),
        }
    }

    /// Where the program is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a script, which starts the program proper.
    pub fn kind(&self) -> Kind {
        let mut begin = [0; 2];
        let file = std::fs::File::open(&self.path);
        let read = file.and_then(|mut file| file.read_exact(&mut begin));
        match read.is_ok() && begin == *b"#!" {
            true => Kind::Script,
            false => Kind::Program,
        }
    }

    /// Its version, e.g. `7.1.5-0+deb13u1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether the program has the filter of that name. One that does not answer has all: the job
    /// then shows what is wrong with it.
    pub fn has_filter(&self, name: &str) -> bool {
        let listed = self
            .filters
            .get_or_init(|| ask(&self.path, ["-hide_banner", "-filters"]));
        listed.as_ref().is_none_or(|listed| is_listed(name, listed))
    }

    /// Whether the program decodes all frames of an AMR packet. That of FFmpeg 5.1 decodes the
    /// first (`media::compat` has the details).
    pub fn decodes_whole_amr_packets(&self) -> bool {
        self.libavcodec >= DECODES_AMR
    }

    /// Whether a bitstream filter that looks ahead loses no last packet of an encoder of
    /// subtitles. It does in FFmpeg 5.1, and does not in 7.1.
    pub fn drains_subtitle_filters(&self) -> bool {
        self.libavcodec >= DRAINS
    }

    /// Whether the program has every encoder that the jobs need: the linked
    /// libraries may have more.
    ///
    /// # Errors
    /// Where one is missing; names it.
    pub fn check(&self, jobs: &[Job]) -> Result<()> {
        let wanted = encoders(jobs);
        if wanted.is_empty() {
            return Ok(());
        }
        let listed = ask(&self.path, ["-hide_banner", "-encoders"]).unwrap_or_default();
        let Some(missing) = wanted.iter().find(|name| !is_listed(name, &listed)) else {
            return Ok(());
        };
        Err(Error::usage(format!(
            "the program '{}' (FFmpeg {}) has no encoder '{missing}', which the linked FFmpeg has",
            self.path.display(),
            self.version
        ))
        .cure(format!(
            "use --dispatch workers, choose another encoder, or install an FFmpeg with it ({INSTALL})"
        )))
    }
}

/// The encoders of all jobs, each once.
fn encoders(jobs: &[Job]) -> Vec<&str> {
    let mut names: Vec<&str> = vec![];
    for job in jobs {
        let Work::Media(media) = &job.work else {
            continue;
        };
        let tracks = media.pipeline.products.iter().flat_map(|one| &one.tracks);
        names.extend(tracks.filter_map(|track| track.way.encoder()));
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether a line of `ffmpeg -encoders` or `-filters` names it: ` V....D libx264   libx264 H.264 …`.
fn is_listed(name: &str, list: &str) -> bool {
    list.lines()
        .any(|line| line.split_whitespace().nth(1) == Some(name))
}

/// What the program prints on stdout. `Command::output` would panic if the pipe failed.
fn ask<A: AsRef<OsStr>>(path: &Path, arguments: impl IntoIterator<Item = A>) -> Option<String> {
    let mut child = Command::new(path)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut bytes = vec![];
    let read = child.stdout.take()?.read_to_end(&mut bytes);
    let status = child.wait().ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (read.is_ok() && status.success()).then_some(text)
}

/// The first line of `ffmpeg -version` of the program on the PATH, where there is one.
pub fn version_line() -> Option<String> {
    let said = ask(Path::new("ffmpeg"), ["-version"])?;
    said.lines().next().map(str::to_owned)
}

/// From the first line of `ffmpeg -version`: `ffmpeg version 7.1.5-0+deb13u1 Copyright …`.
pub fn version_of(said: &str) -> &str {
    let mut words = said.lines().next().unwrap_or_default().split_whitespace();
    words.nth(2).unwrap_or("unknown")
}

/// The program's version of libavcodec: `libavcodec     59. 37.100 / 59. 37.100`. The
/// version of FFmpeg itself may be anything, such as a date or a commit.
fn libavcodec(said: &str) -> Option<(u32, u32)> {
    let line = said
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("libavcodec"))?;
    // Built against, and linked at run time.
    let linked = line.rsplit('/').next()?;
    let mut numbers = linked
        .split('.')
        .map(|number| number.trim().parse::<u32>().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn too_old(path: &Path, version: &str, found: Option<(u32, u32)>) -> Error {
    let library = match found {
        Some((major, minor)) => format!("libavcodec {major}.{minor}"),
        None => "unknown libavcodec".into(),
    };
    Error::usage(format!(
        "'{}' is FFmpeg {version} ({library}); --dispatch processes needs FFmpeg 5.1 or newer",
        path.display()
    ))
    .cure(format!(
        "install a newer one ({INSTALL}), or use --dispatch workers"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_whatever_a_build_calls_itself() {
        let said = "ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026\n\
                    libavutil      57. 28.100 / 57. 28.100\n\
                    libavcodec     59. 37.100 / 59. 37.100\n";
        assert_eq!(version_of(said), "5.1.9-0+deb12u1");
        assert_eq!(libavcodec(said), Some((59, 37)));
        let nightly =
            "ffmpeg version N-119-g1a2b3c4 Copyright\n  libavcodec     62. 11.100 / 63.  1.100\n";
        assert_eq!(version_of(nightly), "N-119-g1a2b3c4");
        assert_eq!(libavcodec(nightly), Some((63, 1)));
        assert_eq!(libavcodec("something else"), None);
        assert!(libavcodec("libavcodec 58.134.100 / 58.134.100") < Some(OLDEST));
    }

    #[test]
    fn encoders_are_found_in_the_list_by_their_whole_name() {
        let list = "Encoders:\n V..... = Video\n ------\n V....D libx264rgb           libx264 RGB\n A....D aac  AAC\n";
        assert!(is_listed("aac", list));
        assert!(!is_listed("libx264", list));
    }

    #[test]
    fn a_program_that_is_too_old_is_refused_with_what_was_found_and_what_is_needed() {
        let error = too_old(Path::new("/usr/bin/ffmpeg"), "4.4.2", Some((58, 134)));
        let line = error.report();
        for part in ["4.4.2", "58.134", "5.1 or newer", "apt install", "workers"] {
            assert!(line.contains(part), "{line}");
        }
    }
}
