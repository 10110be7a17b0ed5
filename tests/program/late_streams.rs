//! Recordings whose streams show what they are only far from their beginning: those of television
//! begin anywhere between two key frames.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{self, ENGINES, ffmpeg, ffprobe, rushes, stderr};

/// Packets of MPEG-TS.
const PACKET: usize = 188;

/// A recording of 24 s that begins just after a key frame; the next one is 20 s later.
fn recording(folder: &Path, encoder: &str) -> PathBuf {
    let whole = folder.join("whole.ts");
    let inputs = "-f lavfi -i testsrc2=s=320x240:r=25:d=24 -f lavfi -i sine=d=24";
    let arguments = format!("{inputs} {encoder} -c:a mp2");
    ffmpeg(arguments.split_whitespace(), &whole);
    let bytes = fs::read(&whole).unwrap();
    // The second key frame is past the middle; the tables come again and again.
    let from = bytes.len() / PACKET / 20 * PACKET;
    let path = folder.join("recording.ts");
    fs::write(&path, &bytes[from..]).unwrap();
    path
}

const ENCODERS: [&str; 3] = [
    "-c:v libx264 -preset ultrafast -bf 0 -g 500 -keyint_min 500 -sc_threshold 0",
    "-c:v libx265 -preset ultrafast -x265-params keyint=500:min-keyint=500:scenecut=0:log-level=none",
    "-c:v mpeg2video -bf 0 -g 500 -sc_threshold 1000000000 -b:v 2M",
];

const FAST: [&str; 2] = ["--speed", "ultrafast"];

fn size(path: &Path) -> String {
    let entries = [
        "-select_streams",
        "v:0",
        "-show_entries",
        "stream=width,height",
    ];
    ffprobe(&[&entries[..], &["-of", "csv=p=0"]].concat(), path)
}

#[test]
fn a_recording_that_begins_far_before_a_key_frame_keeps_its_size() {
    for encoder in ENCODERS {
        let root = tempfile::tempdir().unwrap();
        let recording = recording(root.path(), encoder);
        let mut made = vec![];
        for engine in ENGINES {
            for flags in [&FAST[..], &["--size", "160x160"], &["--preset", "remux"]] {
                let out = root.path().join(format!("{engine}{}", flags[0]));
                let mut command = rushes();
                command.arg("convert").arg(&recording).arg("-o").arg(&out);
                command.args(["--dispatch", engine]);
                let output = command.args(flags).output().unwrap();
                // What was before the key frame is lost, and reported.
                assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
                assert!(stderr(&output).contains("SALVAGED"), "{}", stderr(&output));
                let name = ["recording.mp4", "recording.mkv"].map(|name| out.join(name));
                let result = name.into_iter().find(|path| path.exists()).unwrap();
                let expected = match flags.first() {
                    Some(&"--size") => "160,120",
                    _ => "320,240",
                };
                assert_eq!(
                    size(&result).trim(),
                    expected,
                    "{encoder} {engine} {flags:?}"
                );
                if flags == FAST {
                    made.push(common::decoded(&result));
                }
            }
        }
        assert_eq!(made[0].difference(&made[1]), None, "{encoder}");
        assert!((50..600).contains(&made[0].frames.len()), "{encoder}");
    }
}

#[test]
fn pictures_of_such_a_recording_have_its_size() {
    let root = tempfile::tempdir().unwrap();
    let recording = recording(root.path(), ENCODERS[0]);
    for engine in ENGINES {
        let out = root.path().join(engine);
        let mut command = rushes();
        command.arg("frames").arg(&recording).arg("-o").arg(&out);
        command.args(["--every", "1s", "--dispatch", engine]);
        let output = command.output().unwrap();
        assert!(output.status.code() < Some(2), "{}", stderr(&output));
        let first = out.join("recording/000001.jpg");
        assert_eq!(size(&first).trim(), "320,240", "{}", stderr(&output));
    }
}

/// Its key frame is later than the longest look at a file: the filters find out the size.
#[test]
fn a_recording_whose_key_frame_is_beyond_the_longest_look_keeps_its_size() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole.ts");
    let encoder = "-c:v libx264 -preset ultrafast -bf 0 -g 700 -keyint_min 700 -sc_threshold 0";
    let source = "testsrc2=s=320x240:r=5:d=150,format=yuv444p,scale=320:241";
    let inputs = format!("-f lavfi -i {source} -f lavfi -i sine=d=150");
    let arguments = format!("{inputs} {encoder} -c:a mp2");
    ffmpeg(arguments.split_whitespace(), &whole);
    let bytes = fs::read(&whole).unwrap();
    let recording = root.path().join("recording.ts");
    fs::write(&recording, &bytes[bytes.len() / PACKET / 20 * PACKET..]).unwrap();
    for engine in ENGINES {
        for (flags, expected) in [
            // 4:2:0 has even sizes only.
            (FAST, "320,242"),
            (["--size", "160x160"], "160,120"),
            (["--size", "640x480"], "320,240"),
        ] {
            let out = root.path().join(format!("{engine}{}", flags[1]));
            let mut command = rushes();
            command.arg("convert").arg(&recording).arg("-o").arg(&out);
            let output = command.args(["--dispatch", engine]).args(flags).output();
            let output = output.unwrap();
            assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
            let result = out.join("recording.mp4");
            assert_eq!(size(&result).trim(), expected, "{engine} {flags:?}");
        }
    }
}
