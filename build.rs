//! Passes on which FFmpeg is linked: `src/media/compat/` asks `cfg(ffmpeg_6_1)`
//! and the like where libav's interface changed. Refuses an FFmpeg that is too old.

use std::env;
use std::process::exit;

/// Versions at which the interface changed.
const CHANGES: [&str; 3] = ["6_1", "7_1", "8_1"];

/// Versions that are too old, newest first.
const TOO_OLD: [&str; 6] = ["5_0", "4_4", "4_3", "4_2", "4_1", "4_0"];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Set by the build script of `ffmpeg-sys-next`, which looks at the headers.
    let at_least = |version: &str| {
        let name = format!("DEP_FFMPEG_FFMPEG_{version}");
        env::var(name).is_ok_and(|value| value == "true")
    };
    if !at_least("5_1") {
        let found = TOO_OLD.into_iter().find(|version| at_least(version));
        let found = found.map_or("older than 4.0".to_owned(), |version| {
            version.replace('_', ".")
        });
        eprintln!("error: the FFmpeg that is installed is {found}; rushes needs 5.1 or newer");
        eprintln!("hint: `pkg-config --modversion libavcodec` must print 59.37 or newer;");
        eprintln!("hint: Debian 12 and Ubuntu 24.04 have that: apt install libavcodec-dev \\");
        eprintln!(
            "hint:     libavfilter-dev libavformat-dev libavutil-dev; macOS: brew install ffmpeg"
        );
        exit(1);
    }
    for version in CHANGES {
        println!("cargo:rustc-check-cfg=cfg(ffmpeg_{version})");
        if at_least(version) {
            println!("cargo:rustc-cfg=ffmpeg_{version}");
        }
    }
}
