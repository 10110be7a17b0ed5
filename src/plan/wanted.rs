//! Which files of a folder are worked on.

use std::ffi::OsStr;
use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::error::{Error, Result};

/// File endings that are taken for videos when a folder is walked. A file
/// named on the command line is taken whatever its ending.
const ENDINGS: [&str; 40] = [
    "3g2", "3gp", "amv", "asf", "avi", "divx", "dv", "f4v", "flv", "h264", "hevc", "ivf", "m2ts",
    "m2v", "m4v", "mjpeg", "mjpg", "mkv", "mod", "mov", "mp4", "mpe", "mpeg", "mpg", "mts", "mxf",
    "nut", "obu", "ogm", "ogv", "ps", "qt", "rm", "rmvb", "tod", "ts", "vob", "webm", "wmv", "y4m",
];

/// The same for pictures: what the decoders of pictures are built in for.
const PICTURE_ENDINGS: [&str; 18] = [
    "bmp", "dib", "gif", "jfif", "jpe", "jpeg", "jpg", "pam", "pbm", "pgm", "png", "pnm", "ppm",
    "qoi", "tga", "tif", "tiff", "webp",
];

/// What file systems, desktops and network storage keep for themselves: bins,
/// thumbnails, found pieces. Those whose names begin with a dot are hidden anyway.
const SYSTEM: [&str; 7] = [
    "$RECYCLE.BIN",
    "System Volume Information",
    "lost+found",
    "@eaDir",
    "#recycle",
    "Thumbs.db",
    "desktop.ini",
];

/// What files hold that are taken by their endings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Medium {
    #[default]
    Videos,
    Pictures,
}

/// Which files of a folder are worked on: videos, or pictures, by their ending, unless patterns say
/// otherwise.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    medium: Medium,
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Wanted {
    /// What one of `include` matches, or any video where that is empty, and none of `exclude`.
    ///
    /// # Errors
    /// Where the patterns are too large together.
    pub fn new(include: &[Glob], exclude: &[Glob]) -> Result<Self> {
        Ok(Self {
            medium: Medium::Videos,
            include: match include {
                [] => None,
                globs => Some(set("--include", globs)?),
            },
            exclude: set("--exclude", exclude)?,
        })
    }

    /// The same of pictures.
    ///
    /// # Errors
    /// As [`Wanted::new`].
    pub fn pictures(include: &[Glob], exclude: &[Glob]) -> Result<Self> {
        Ok(Self {
            medium: Medium::Pictures,
            ..Self::new(include, exclude)?
        })
    }

    /// What is looked for, in one word.
    pub(super) fn what(&self) -> &'static str {
        match self.medium {
            Medium::Videos => "videos",
            Medium::Pictures => "pictures",
        }
    }

    /// What to do where nothing is wanted.
    pub(super) fn cure(&self) -> &'static str {
        if self.include.is_some() {
            "no file there matches --include, or --exclude leaves it out; \
             patterns are held against the path below the folder that is named"
        } else if self.exclude.is_empty() {
            "name the files themselves, or give --include a pattern, if their endings are unusual"
        } else {
            "give --exclude fewer patterns; \
             files with unusual endings are to be named, or matched by --include"
        }
    }

    /// Whether a file is wanted that a walk found at `below` its folder.
    pub(super) fn takes(&self, below: &Path) -> bool {
        match &self.include {
            Some(include) => matches(include, below) && !self.leaves_out(below),
            None => self.has_ending(below) && !self.leaves_out(below),
        }
    }

    /// Whether a file is wanted that was named itself.
    pub(super) fn takes_named(&self, name: &Path) -> bool {
        let included = self.include.as_ref();
        included.is_none_or(|include| matches(include, name)) && !matches(&self.exclude, name)
    }

    fn has_ending(&self, path: &Path) -> bool {
        let endings: &[&str] = match self.medium {
            Medium::Videos => &ENDINGS,
            Medium::Pictures => &PICTURE_ENDINGS,
        };
        let ending = path.extension().and_then(OsStr::to_str);
        let ending = ending.map(str::to_ascii_lowercase);
        ending.is_some_and(|ending| endings.binary_search(&ending.as_str()).is_ok())
    }

    /// Whether the search goes into the folder `below`, as far as its name tells.
    pub fn enters(&self, below: &Path) -> bool {
        let name = below.file_name().unwrap_or_default();
        !name.as_encoded_bytes().starts_with(b".") && !self.leaves_out(below)
    }

    /// Whether a file, or a folder with all that is in it, is left out.
    pub(super) fn leaves_out(&self, below: &Path) -> bool {
        let system = below
            .file_name()
            .and_then(OsStr::to_str)
            .is_some_and(|name| {
                SYSTEM
                    .iter()
                    .any(|system| system.eq_ignore_ascii_case(name))
            });
        system || matches(&self.exclude, below)
    }
}

fn set(flag: &str, globs: &[Glob]) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(glob.clone());
    }
    set.build()
        .map_err(|error| Error::usage(format!("{flag}: cannot use these patterns")).because(error))
}

/// Whether the path below its folder, or the name alone, is matched.
fn matches(set: &GlobSet, below: &Path) -> bool {
    set.is_match(below) || below.file_name().is_some_and(|name| set.is_match(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(include: &[&str], exclude: &[&str]) -> Wanted {
        let globs = |texts: &[&str]| -> Vec<Glob> {
            texts
                .iter()
                .map(|text| super::super::glob(text).unwrap())
                .collect()
        };
        Wanted::new(&globs(include), &globs(exclude)).unwrap()
    }

    fn taken<'a>(wanted: &Wanted, paths: &[&'a str]) -> Vec<&'a str> {
        let paths = paths.iter().copied();
        paths.filter(|path| wanted.takes(Path::new(path))).collect()
    }

    #[test]
    fn endings_are_sorted_for_the_search() {
        assert!(ENDINGS.is_sorted() && PICTURE_ENDINGS.is_sorted());
    }

    #[test]
    fn without_patterns_videos_are_wanted_whatever_their_case() {
        let paths = ["a.mp4", "sub/B.MKV", "notes.txt", "mp4"];
        assert_eq!(taken(&wanted(&[], &[]), &paths), ["a.mp4", "sub/B.MKV"]);
    }

    #[test]
    fn an_include_replaces_the_endings_and_matches_names_and_paths() {
        let paths = [
            "a.mp4",
            "a.r3d",
            "day1/b.R3D",
            "day1/b.mp4",
            "day1/sub/c.mp4",
        ];
        let by_name = wanted(&["*.r3d"], &[]);
        assert_eq!(taken(&by_name, &paths), ["a.r3d", "day1/b.R3D"]);
        let by_path = wanted(&["day1/*.mp4"], &[]);
        assert_eq!(taken(&by_path, &paths), ["day1/b.mp4"]);
        let below = wanted(&["day1/**"], &[]);
        assert_eq!(taken(&below, &paths), paths[2..]);
    }

    #[test]
    fn an_exclude_is_stronger_than_an_include() {
        let paths = ["a.mp4", "proxy-a.mp4", "b.mov"];
        let one = wanted(&["*.mp4"], &["proxy-*"]);
        assert_eq!(taken(&one, &paths), ["a.mp4"]);
        assert_eq!(
            taken(&wanted(&[], &["proxy-*"]), &paths),
            ["a.mp4", "b.mov"]
        );
    }

    #[test]
    fn a_named_file_is_taken_whatever_its_ending_unless_a_pattern_is_against_it() {
        let name = Path::new("reel.bin");
        assert!(wanted(&[], &[]).takes_named(name));
        assert!(!wanted(&["*.mp4"], &[]).takes_named(name));
        assert!(!wanted(&[], &["reel.*"]).takes_named(name));
    }

    #[test]
    fn what_systems_keep_for_themselves_is_never_wanted() {
        let all = wanted(&["*"], &[]);
        for name in SYSTEM {
            assert!(all.leaves_out(Path::new(name)), "{name}");
            assert!(
                all.leaves_out(&Path::new("disk").join(name.to_uppercase())),
                "{name}"
            );
        }
        assert!(!all.leaves_out(Path::new("recycle/a.mp4")));
    }
}
