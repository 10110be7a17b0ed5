//! Sources of which something is missing or wrong that others rely on: keyframes,
//! times, lengths, parameters, the second half of an image.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{DISPATCHES, decoded, ffmpeg, names, rushes, stderr};

/// A folder with one source in it, written by the `ffmpeg` program.
struct Source {
    root: tempfile::TempDir,
    path: PathBuf,
}

impl Source {
    fn made(name: &str, arguments: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("in").join(name);
        fs::create_dir(path.parent().unwrap()).unwrap();
        ffmpeg(arguments.split_whitespace(), &path);
        Self { root, path }
    }

    /// Runs a command on it; the folder with the results, the exit code and the terminal's text.
    fn run(&self, command: &str, dispatch: &str, flags: &[&str]) -> Ran {
        let out = self
            .root
            .path()
            .join(format!("{dispatch}-{}", flags.join("-")));
        let output = rushes()
            .args([command, "--dispatch", dispatch])
            .args(flags)
            .args([&self.path, Path::new("-o"), &out])
            .output()
            .unwrap();
        let (code, terminal) = (output.status.code(), stderr(&output));
        Ran {
            out,
            code,
            terminal,
        }
    }
}

/// What a command did.
struct Ran {
    out: PathBuf,
    code: Option<i32>,
    terminal: String,
}

impl Ran {
    fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.out.join("report.json")).unwrap()).unwrap()
    }
}

/// Two seconds of black, then four that are not.
const BLACK_FIRST: &str = "-f lavfi -i color=black:size=160x120:rate=25:duration=2[a];\
                           testsrc2=size=160x120:rate=25:duration=4[b];[a][b]concat";

#[test]
fn a_best_picture_is_found_where_keyframes_or_times_are_missing() {
    for (name, codec) in [
        ("segment.ts", "-c:v libx264 -g 1000 -f mpegts"),
        ("one-key.mp4", "-c:v libx264 -g 1000"),
        ("raw.h264", "-c:v libx264 -g 1000"),
        ("raw.h264", "-c:v libx264 -g 5"),
        ("raw.m4v", "-c:v mpeg4 -g 300"),
        ("raw.mpg", "-c:v mpeg2video -bf 2 -f mpeg2video"),
        ("no-length.mkv", "-c:v libx264 -g 1000 -live 1"),
    ] {
        let arguments = format!("{BLACK_FIRST} -pix_fmt yuv420p {codec}");
        let source = Source::made(name, &arguments);
        let mut hashes = Vec::new();
        for dispatch in DISPATCHES {
            let ran = source.run("frames", dispatch, &["--best", "--format", "png"]);
            assert_eq!(ran.code, Some(0), "{name} {codec}: {}", ran.terminal);
            let time_s = ran.report()["sources"][0]["results"][0]["time_s"].as_f64();
            assert!(time_s.unwrap() >= 2.0, "{name} {codec}: {time_s:?}");
            let picture = names(&ran.out).pop().unwrap();
            hashes.push(decoded(&ran.out.join(picture)).frames[0].hash);
        }
        assert_eq!(hashes[0], hashes[1], "{name} {codec}");
        assert_eq!(hashes[0], hashes[2], "{name} {codec}");
    }
}
