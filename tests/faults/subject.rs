//! The commands under test.

use std::path::Path;
use std::process::Command;

/// A command and the way in which it runs its jobs.
pub struct Subject {
    /// Such as `convert/workers`.
    pub name: &'static str,
    pub arguments: &'static str,
    /// Whether sources go to the trash.
    pub replaces: bool,
}

pub const SUBJECTS: &[Subject] = &[
    Subject {
        name: "convert/threads",
        arguments: "convert in -o out -j 2 --speed ultrafast --dispatch threads",
        replaces: false,
    },
    Subject {
        name: "convert/workers",
        arguments: "convert in -o out -j 2 --speed ultrafast --dispatch workers",
        replaces: false,
    },
    Subject {
        name: "convert/processes",
        arguments: "convert in -o out -j 2 --speed ultrafast --dispatch processes",
        replaces: false,
    },
    Subject {
        name: "split/workers",
        arguments: "convert in -o out -j 2 --speed ultrafast --dispatch workers --split 0.5s",
        replaces: false,
    },
    Subject {
        name: "replace/threads",
        arguments: "convert in --replace -j 2 --speed ultrafast --dispatch threads",
        replaces: true,
    },
    Subject {
        name: "replace/workers",
        arguments: "convert in --replace -j 2 --speed ultrafast --dispatch workers",
        replaces: true,
    },
    Subject {
        name: "replace/processes",
        arguments: "convert in --replace -j 2 --speed ultrafast --dispatch processes",
        replaces: true,
    },
    Subject {
        name: "frames/threads",
        arguments: "frames in -o out -j 2 --every 0.2s --dispatch threads",
        replaces: false,
    },
    Subject {
        name: "frames/workers",
        arguments: "frames in -o out -j 2 --every 0.2s --dispatch workers",
        replaces: false,
    },
    Subject {
        name: "frames/processes",
        arguments: "frames in -o out -j 2 --every 0.2s --dispatch processes",
        replaces: false,
    },
    Subject {
        name: "slideshow/threads",
        arguments: "slideshow photos -o out/film.mp4 --size 64x64 --fps 10 --seconds 0.4s \
                    --transition-seconds 0.1s --speed ultrafast --music music.wav",
        replaces: false,
    },
];

impl Subject {
    /// Adds what the command is given, and where it runs.
    pub fn prepare(&self, command: &mut Command, folder: &Path) {
        let home = folder.join("home");
        command
            .args(self.arguments.split_whitespace())
            .current_dir(folder)
            .env("HOME", &home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("TMPDIR", folder.join("tmp"))
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C")
            .env("RUST_BACKTRACE", "0");
    }
}
