//! Sources with something missing inside: damaged files, and disks that fail while they are read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::disk::unreadable;
use crate::common::source::{Ran, Source};
use crate::common::{self, DISPATCHES, decoded, ffmpeg, ffprobe, have, rushes, stderr, stdout};

/// Three seconds with sound.
const AV: &str = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=3 -f lavfi -i sine=duration=3";
const H264: &str = "-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 25 -c:a aac";

/// Containers whose demuxers pass over damage without a word, with codecs that they hold.
fn containers() -> [(&'static str, String); 6] {
    [
        ("a.mkv", H264.into()),
        (
            "a.webm",
            "-c:v libvpx -deadline realtime -g 25 -c:a libopus".into(),
        ),
        ("a.avi", "-c:v mpeg4 -q:v 4 -c:a libmp3lame".into()),
        ("a.flv", format!("{H264} -bf 0 -ar 44100")),
        ("a.ogv", "-c:v libtheora -q:v 6 -c:a libvorbis".into()),
        ("a.ts", H264.into()),
    ]
}

/// What is done to the bytes of a file.
type Harm = fn(Vec<u8>) -> Vec<u8>;

fn zeroed(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0);
    bytes
}

fn cut_out(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes.drain(middle..middle + 9001);
    bytes
}

fn cut_off(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - 3001);
    bytes
}

const HARMS: [(&str, Harm); 3] = [
    ("zeroed", zeroed),
    ("cut out", cut_out),
    ("cut off", cut_off),
];

impl Source {
    fn harm(&self, harm: Harm) {
        let bytes = fs::read(&self.path).unwrap();
        fs::write(&self.path, harm(bytes)).unwrap();
    }
}

fn assert_salvaged(ran: &Ran, what: &str) {
    assert_eq!(ran.code, Some(1), "{what}: {}", ran.terminal);
    assert!(
        ran.terminal.contains("SALVAGED"),
        "{what}: {}",
        ran.terminal
    );
    assert!(ran.terminal.contains("damaged"), "{what}: {}", ran.terminal);
}

#[test]
fn what_is_missing_inside_is_reported_for_every_container_and_dispatch() {
    for (name, codecs) in containers() {
        for (harm, damage) in HARMS {
            let source = Source::made(name, &format!("{AV} {codecs}"));
            source.harm(damage);
            for dispatch in DISPATCHES {
                let ran = source.run(
                    "convert",
                    dispatch,
                    &["--copy", "never", "--speed", "ultrafast"],
                );
                assert_salvaged(&ran, &format!("{name} {harm} {dispatch}"));
            }
        }
    }
}

#[test]
fn copies_and_the_deeper_verifications_report_it_too() {
    let source = Source::made("a.mkv", &format!("{AV} {H264}"));
    source.harm(cut_out);
    for flags in [
        &["--preset", "remux"][..],
        &["--copy", "never", "--verify", "decode"],
        &["--copy", "never", "--verify", "ssim"],
    ] {
        let ran = source.run("convert", "workers", flags);
        assert_salvaged(&ran, &flags.join(" "));
        assert!(
            ran.terminal.contains("its structure is broken at byte"),
            "{}",
            ran.terminal
        );
        assert!(
            ran.terminal.contains("stream 0: nothing is left between"),
            "{}",
            ran.terminal
        );
    }
}

#[test]
fn a_source_with_something_missing_is_not_replaced() {
    for dispatch in DISPATCHES {
        let source = Source::made("a.mkv", &format!("{AV} {H264}"));
        source.harm(zeroed);
        let damaged = fs::read(&source.path).unwrap();
        let output = rushes()
            .args([
                "convert",
                "--replace",
                "--copy",
                "never",
                "--dispatch",
                dispatch,
            ])
            .arg(&source.path)
            .output()
            .unwrap();
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        assert!(printed.contains("SALVAGED"), "{printed}");
        assert!(fs::read(&source.path).unwrap() == damaged, "{printed}");
    }
}

#[test]
fn times_without_frames_are_no_damage() {
    for (name, arguments) in [
        (
            "varied.mkv",
            format!("{AV} -vf select='not(mod(n,7))+lt(mod(n,31),4)' -fps_mode vfr {H264}"),
        ),
        (
            "hole.mkv",
            format!("{AV} -vf select='lt(t,1)+gt(t,2.5)' -fps_mode vfr {H264}"),
        ),
        (
            "hole.flv",
            format!("{AV} -vf select='lt(t,1)+gt(t,2.5)' -fps_mode vfr {H264} -bf 0 -ar 44100"),
        ),
        (
            "hole.ts",
            format!("{AV} -vf select='lt(t,1)+gt(t,2.5)' -fps_mode vfr {H264}"),
        ),
        (
            "silence.mkv",
            format!("{AV} -af aselect='lt(t,0.5)+gt(t,1.2)' {H264}"),
        ),
        ("live.mkv", format!("{AV} {H264} -live 1")),
        (
            "fragments.mp4",
            format!("{AV} {H264} -movflags frag_keyframe+empty_moov"),
        ),
    ] {
        let source = Source::made(name, &arguments);
        for dispatch in ["threads", "processes"] {
            for flags in [&["--preset", "remux"][..], &["--copy", "never"]] {
                let ran = source.run("convert", dispatch, flags);
                assert_eq!(ran.code, Some(0), "{name} {dispatch}: {}", ran.terminal);
                assert!(
                    !ran.terminal.contains("damage"),
                    "{name} {dispatch}: {}",
                    ran.terminal
                );
            }
        }
    }
}

#[test]
fn recordings_that_are_joined_are_no_damage() {
    let source = Source::made("a.ts", &format!("{AV} {H264}"));
    let later = source.root.path().join("later.ts");
    let arguments = format!("{AV} {H264} -output_ts_offset 7");
    ffmpeg(arguments.split_whitespace(), &later);
    source.harm(|bytes| bytes);
    let joined = [fs::read(&source.path).unwrap(), fs::read(&later).unwrap()].concat();
    fs::write(&source.path, joined).unwrap();
    let ran = source.run("convert", "workers", &["--copy", "never"]);
    assert_eq!(ran.code, Some(0), "{}", ran.terminal);
}

#[test]
fn lost_packets_of_a_broadcast_are_found_by_their_numbers() {
    let source = Source::made("a.ts", &format!("{AV} {H264}"));
    // Some frames and their sound, and neither the first nor the last byte of a packet is missed.
    source.harm(|mut bytes| {
        let packets = bytes.len() / 188;
        bytes.drain(188 * (packets / 2)..188 * (packets / 2 + 101));
        bytes
    });
    let ran = source.run("convert", "workers", &["--copy", "never"]);
    assert_salvaged(&ran, "lost packets");
}

/// A source of about a megabyte, half of which can be read.
fn on_a_failing_disk(name: &str) -> Source {
    let source = Source::made(
        name,
        "-f lavfi -i testsrc2=size=640x360:rate=25:duration=8 -c:v mpeg4 -q:v 4 -g 25",
    );
    let length = fs::metadata(&source.path).unwrap().len();
    assert!(length > 600_000, "{length}");
    source
}

impl Source {
    fn run_on_failing_disk(&self, dispatch: &str) -> (Option<i32>, String) {
        let mut command = self.again(dispatch);
        command
            .env("LD_PRELOAD", unreadable(self.root.path()))
            .env("UNREADABLE_IN", self.path.parent().unwrap())
            // So that it is within reach of what opens media.
            .env("LD_LIBRARY_PATH", self.root.path());
        let output = command.output().unwrap();
        (output.status.code(), stderr(&output) + &stdout(&output))
    }

    fn again(&self, dispatch: &str) -> Command {
        let mut command = rushes();
        let flags = [
            "convert",
            "--copy",
            "never",
            "--speed",
            "ultrafast",
            "--dispatch",
            dispatch,
        ];
        command
            .args(flags)
            .arg(&self.path)
            .arg("-o")
            .arg(self.out(dispatch));
        command.stdin(Stdio::null());
        command
    }

    fn out(&self, dispatch: &str) -> PathBuf {
        self.root.path().join(dispatch)
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_read_error_fails_the_job_and_the_next_run_does_it() {
    for name in [
        "broken-disk.mkv",
        "broken-disk.avi",
        "broken-disk.mp4",
        "broken-disk.ts",
    ] {
        let source = on_a_failing_disk(name);
        for dispatch in DISPATCHES {
            let (code, printed) = source.run_on_failing_disk(dispatch);
            // Where all of a file is read to plan its job, no job is started.
            assert!(matches!(code, Some(1 | 2)), "{name} {dispatch}: {printed}");
            for words in ["FAILED", "cannot read", name, "Input/output error"] {
                assert!(printed.contains(words), "{name} {dispatch}: {printed}");
            }
            let output = source.again(dispatch).output().unwrap();
            assert_eq!(
                output.status.code(),
                Some(0),
                "{name} {dispatch}: {}",
                stderr(&output)
            );
            let result = source.out(dispatch).join("broken-disk.mp4");
            assert_eq!(decoded(&result).frames.len(), 200, "{name} {dispatch}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_read_error_that_only_the_ffmpeg_program_meets_fails_the_job() {
    let source = on_a_failing_disk("program.mkv");
    let (code, printed) = source.run_on_failing_disk("processes");
    assert_eq!(code, Some(1), "{printed}");
    for words in ["FAILED", "cannot read", "Input/output error"] {
        assert!(printed.contains(words), "{printed}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_read_that_fails_twice_and_then_succeeds_is_no_error() {
    let source = on_a_failing_disk("hiccup.mkv");
    for dispatch in ["threads", "workers"] {
        let (code, printed) = source.run_on_failing_disk(dispatch);
        assert_eq!(code, Some(0), "{dispatch}: {printed}");
        let result = source.out(dispatch).join("hiccup.mp4");
        assert_eq!(decoded(&result).frames.len(), 200, "{dispatch}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_salvaged_though_its_demuxer_calls_that_a_read_error() {
    for (name, codecs) in containers() {
        let source = Source::made(name, &format!("{AV} {codecs}"));
        source.harm(|mut bytes| {
            bytes.truncate(bytes.len() / 2 + 77);
            bytes
        });
        let ran = source.run("convert", "processes", &["--copy", "never"]);
        assert_salvaged(&ran, name);
    }
}

#[test]
fn damage_at_random_places_is_always_reported() {
    if !have("python3") {
        return;
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/damage");
    let count = if common::long() { "20" } else { "1" };
    let output = Command::new("bash")
        .arg(script)
        .args([count, "--seed", "1"])
        .env("RUSHES", rushes().get_program())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = stdout(&output);
    assert!(output.status.success(), "{printed}{}", stderr(&output));
    assert!(printed.contains(" 0 violations"), "{printed}");
}

#[test]
fn a_result_of_a_damaged_source_holds_what_is_left() {
    let source = Source::made("a.mkv", &format!("{AV} {H264}"));
    source.harm(zeroed);
    let ran = source.run("convert", "workers", &["--copy", "never"]);
    let entries = [
        "-count_frames",
        "-select_streams",
        "v",
        "-show_entries",
        "stream=nb_read_frames",
        "-of",
        "csv=p=0",
    ];
    let frames = ffprobe(&entries, &ran.out.join("a.mp4"));
    let frames: u64 = frames.trim_end_matches(',').parse().unwrap();
    assert!((40..75).contains(&frames), "{frames}");
}
