//! Threads and processes do the same work, and it is what a plain ffmpeg does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{
    self, DISPATCHES, decoded, ffmpeg, ffprobe, samples, shared_media, stderr, succeed, tree,
};
use rushes::media::hash::Content;

/// Seconds that are kept of a long clip in a short run.
const CUT: &str = "3";

/// Sizes of two files of the same content may differ by this share.
const SIZE_TOLERANCE: f64 = 0.01;

fn sources_in(folder: &Path) -> Vec<PathBuf> {
    let files = tree(folder).into_iter().map(|name| folder.join(name));
    files
        .filter(|path| path.is_file() && path.extension().is_some_and(|ending| ending != "tsv"))
        .collect()
}

/// The first seconds of `source`, its packets as they are.
fn cut(source: &Path, folder: &Path) -> PathBuf {
    let target = folder.join(source.file_name().unwrap());
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-i"])
        .arg(source)
        .args(["-map", "0:v:0", "-map", "0:a?", "-c", "copy", "-t", CUT])
        .arg(&target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    target
}

/// Runs `command` on `source` in the two dispatches that encode in different
/// ways; gives the folders of results.
fn both(command: &str, source: &Path, flags: &[&str], folder: &Path) -> [PathBuf; 2] {
    ["threads", "processes"].map(|dispatch| {
        let out = folder.join(dispatch);
        let mut arguments = args![command, source, "-o", &out, "--dispatch", dispatch].to_vec();
        arguments.extend(args!["-j", "1", "--codec-threads", "1", "-q"]);
        arguments.extend(flags.iter().map(Into::into));
        succeed(arguments);
        out
    })
}

fn assert_same_content(what: &str, a: &Content, b: &Content) {
    assert_eq!(a.difference(b), None, "{what}");
}

fn assert_same_transcode(source: &Path, speed: &str) {
    let folder = tempfile::tempdir().unwrap();
    let [threads, processes] = both(
        "convert",
        source,
        &["--speed", speed, "--copy", "never", "--split", "never"],
        folder.path(),
    );
    assert_eq!(tree(&threads), tree(&processes), "{}", source.display());
    let files = tree(&threads);
    assert_eq!(files.len(), 1, "{files:?}");
    let (a, b) = (threads.join(&files[0]), processes.join(&files[0]));
    let what = source.display().to_string();
    assert_same_content(&what, &decoded(&a), &decoded(&b));
    let size = |path: &Path| fs::metadata(path).unwrap().len() as f64;
    let apart = (size(&a) - size(&b)).abs() / size(&a);
    assert!(
        apart <= SIZE_TOLERANCE,
        "{what}: {} and {} bytes",
        size(&a),
        size(&b)
    );
}

fn assert_same_frames(source: &Path, flags: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let [threads, processes] = both("frames", source, flags, folder.path());
    let files = tree(&threads);
    assert_eq!(files, tree(&processes), "{}", source.display());
    assert!(files.len() > 2, "{}: {files:?}", source.display());
    for file in files.iter().filter(|file| threads.join(file).is_file()) {
        let what = format!("{}: {}", source.display(), file.display());
        assert_same_content(
            &what,
            &decoded(&threads.join(file)),
            &decoded(&processes.join(file)),
        );
    }
}

#[test]
fn every_sample_becomes_the_same_film_on_threads_and_on_processes() {
    for source in sources_in(&samples()) {
        assert_same_transcode(&source, "ultrafast");
    }
}

#[test]
fn every_sample_gives_the_same_pictures_on_threads_and_on_processes() {
    for source in sources_in(&samples()) {
        assert_same_frames(&source, &["--every", "0.2s"]);
    }
    assert_same_frames(
        &common::sample("portrait-640p30.mp4"),
        &["--every", "0.3s", "--format", "png", "--size", "100x100"],
    );
}

#[test]
fn every_bench_clip_becomes_the_same_film_and_pictures() {
    let Some(media) = shared_media("bench") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    for source in sources_in(&media) {
        if common::long() {
            assert_same_transcode(&source, "medium");
            assert_same_frames(&source, &[]);
        } else {
            let source = cut(&source, folder.path());
            assert_same_transcode(&source, "ultrafast");
            assert_same_frames(&source, &[]);
        }
    }
}

#[test]
fn scaling_a_frame_rate_and_a_bit_rate_are_the_same_work_too() {
    for (sample, flags) in [
        ("fractal-720p24.mkv", ["--size", "427x300", "--crf", "30"]),
        ("cells-240p50.mkv", ["--fps", "23.976", "--bitrate", "300k"]),
        (
            "life-square-12fps.webm",
            ["--fps", "30", "--size", "200x90"],
        ),
    ] {
        let source = common::sample(sample);
        let folder = tempfile::tempdir().unwrap();
        let mut all = vec!["--speed", "ultrafast", "--copy", "never"];
        all.extend(flags);
        let [a, b] = both("convert", &source, &all, folder.path())
            .map(|out| decoded(&out.join(source.file_name().unwrap()).with_extension("mp4")));
        assert_same_content(sample, &a, &b);
    }
}

/// Time from one picture to the next in seconds; `None` where it varies by
/// more than the millisecond to which Matroska rounds.
fn constant_step(source: &Path) -> Option<f64> {
    let times = ffprobe(
        &[
            "-select_streams",
            "v:0",
            "-show_entries",
            "frame=pts_time",
            "-of",
            "csv=p=0",
        ],
        source,
    );
    let times: Vec<f64> = times
        .lines()
        .filter_map(|line| line.trim_end_matches(',').parse().ok())
        .collect();
    let step = (times.last()? - times.first()?) / (times.len() - 1) as f64;
    times
        .windows(2)
        .all(|pair| (pair[1] - pair[0] - step).abs() < 0.0015)
        .then_some(step)
}

/// Seconds from the file's beginning to its first picture.
fn video_starts_after(source: &Path) -> f64 {
    let start = |arguments: &[&str]| -> f64 {
        let mut all = arguments.to_vec();
        all.extend(["-of", "default=nk=1:nw=1"]);
        let text = ffprobe(&all, source);
        text.lines().next().unwrap().parse().unwrap()
    };
    start(&[
        "-select_streams",
        "v:0",
        "-show_entries",
        "stream=start_time",
    ]) - start(&["-show_entries", "format=start_time"])
}

#[test]
fn a_transcode_decodes_to_what_an_ffmpeg_command_written_by_hand_gives() {
    let (mut plain_ones, mut compared) = (0, 0);
    for source in sources_in(&samples()) {
        let Some(step) = constant_step(&source) else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        // Without loss, since the plain command rounds times to its grid, and
        // x264 spends its bits by the times.
        let by_hand = folder.path().join("by-hand.mp4");
        let mut arguments = args![
            "-threads",
            "1",
            "-i",
            &source,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "0",
            "-pix_fmt",
            "yuv420p",
            "-threads",
            "1",
            "-c:a",
            "aac",
            "-b:a",
            "128k",
        ]
        .to_vec();
        // Where sound begins well before the pictures, the program would show the first one twice.
        if video_starts_after(&source) > step * 0.49 {
            arguments.extend(args!["-fps_mode", "passthrough"]);
        } else {
            plain_ones += 1;
        }
        ffmpeg(arguments, &by_hand);
        let out = folder.path().join("out");
        succeed(args![
            "convert",
            &source,
            "-o",
            &out,
            "--speed",
            "ultrafast",
            "--crf",
            "0",
            "--copy",
            "never",
            "-q"
        ]);
        let ours = out.join(source.file_name().unwrap()).with_extension("mp4");
        let (ours, plain) = (decoded(&ours), decoded(&by_hand));
        let what = source.display();
        assert_eq!(ours.frames.len(), plain.frames.len(), "{what}");
        assert_eq!(ours.audio_samples, plain.audio_samples, "{what}");
        let half_a_step = (step * 0.5e6) as i64 + 1;
        for (number, (a, b)) in ours.frames.iter().zip(&plain.frames).enumerate() {
            assert_eq!(a.hash, b.hash, "{what}: picture {number}");
            let (at, plain_at) = (a.time_us.unwrap(), b.time_us.unwrap());
            // The plain command moves times to the grid of its frame rate, which begins at 0.
            assert!(
                (at - plain_at).abs() <= half_a_step,
                "{what}: picture {number} at {} and {} µs",
                at,
                plain_at
            );
        }
        compared += 1;
    }
    assert!(
        compared >= 6 && plain_ones >= 4,
        "only {compared} samples have a constant rate, {plain_ones} from their beginning"
    );
}

#[test]
fn pictures_are_those_that_a_player_shows_at_their_times() {
    let source = common::sample("bars-360p25.mp4");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    succeed(args![
        "frames", &source, "-o", &out, "--every", "1s", "--format", "png", "-q"
    ]);
    let pictures = tree(&out.join("bars-360p25"));
    assert_eq!(pictures.len(), 2);
    for (second, picture) in pictures.iter().enumerate() {
        let by_hand = folder.path().join(format!("{second}.png"));
        let filter = format!("select=eq(n\\,{})", second * 25);
        ffmpeg(
            args![
                "-i",
                &source,
                "-vf",
                filter,
                "-frames:v",
                "1",
                "-pix_fmt",
                "rgb24"
            ],
            &by_hand,
        );
        assert_eq!(
            decoded(&out.join("bars-360p25").join(picture)).frames[0].hash,
            decoded(&by_hand).frames[0].hash,
            "picture at {second} s"
        );
    }
}

#[test]
fn chosen_frames_are_those_that_a_plain_command_chooses() {
    let source = common::sample("bars-360p25.mp4");
    let folder = tempfile::tempdir().unwrap();
    // Key frames in the middle, and frames between them that refer to later ones.
    let clip = folder.path().join("clip.mp4");
    ffmpeg(
        args![
            "-i", &source, "-an", "-c:v", "libx264", "-g", "8", "-bf", "3"
        ],
        &clip,
    );
    for (choice, skip, filter) in [
        (&["--nth", "7"][..], "default", "select=not(mod(n\\,7))"),
        (&["--keyframes"], "nokey", "null"),
    ] {
        let by_hand = folder.path().join(choice[0]);
        fs::create_dir(&by_hand).unwrap();
        let plain = [
            "-vf",
            filter,
            "-fps_mode",
            "passthrough",
            "-pix_fmt",
            "rgb24",
        ];
        let mut arguments = args!["-skip_frame", skip, "-i", &clip].to_vec();
        arguments.extend(plain.map(Into::into));
        ffmpeg(arguments, &by_hand.join("%06d.png"));
        let expected = tree(&by_hand);
        assert!(expected.len() >= 5, "{expected:?}");
        for dispatch in DISPATCHES {
            let out = folder.path().join(format!("{dispatch}{}", choice[0]));
            let mut arguments = args!["frames", &clip, "-o", &out, "--dispatch", dispatch].to_vec();
            arguments.extend(args!["--format", "png", "-q"]);
            arguments.extend(choice.iter().map(Into::into));
            succeed(arguments);
            let ours = out.join("clip");
            assert_eq!(tree(&ours), expected, "{dispatch} {choice:?}");
            for picture in &expected {
                let (a, b) = (
                    decoded(&ours.join(picture)),
                    decoded(&by_hand.join(picture)),
                );
                assert_eq!(
                    a.frames[0].hash, b.frames[0].hash,
                    "{dispatch} {choice:?} {picture:?}"
                );
            }
        }
    }
}

#[test]
fn a_number_of_frames_is_spread_evenly_and_each_is_the_one_shown_at_its_time() {
    // 50 frames of 40 ms: parts of 400 ms, and their middles at frames 5, 15 and so on.
    let source = common::sample("bars-360p25.mp4");
    let folder = tempfile::tempdir().unwrap();
    for dispatch in DISPATCHES {
        let out = folder.path().join(dispatch);
        let mut arguments = args!["frames", &source, "-o", &out, "--dispatch", dispatch].to_vec();
        arguments.extend(args!["--format", "png", "--count", "5", "-q"]);
        succeed(arguments);
        let pictures = tree(&out.join("bars-360p25"));
        assert_eq!(pictures.len(), 5, "{dispatch}: {pictures:?}");
        for (part, picture) in pictures.iter().enumerate() {
            let by_hand = folder.path().join(format!("{dispatch}{part}.png"));
            let filter = format!("select=eq(n\\,{})", 5 + part * 10);
            let one = ["-vf", &filter, "-frames:v", "1", "-pix_fmt", "rgb24"];
            let mut arguments = args!["-i", &source].to_vec();
            arguments.extend(one.map(Into::into));
            ffmpeg(arguments, &by_hand);
            let ours = decoded(&out.join("bars-360p25").join(picture));
            assert_eq!(
                ours.frames[0].hash,
                decoded(&by_hand).frames[0].hash,
                "{dispatch} {part}"
            );
        }
    }
}

/// `MALLOC_PERTURB_` is glibc's: it fills memory before it is used.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn what_memory_held_before_changes_no_result() {
    let root = tempfile::tempdir().unwrap();
    // Shorter than encoders look ahead.
    let short = root.path().join("short.mp4");
    ffmpeg(
        args!["-i", common::tiny(), "-frames:v", "2", "-an", "-c", "copy"],
        &short,
    );
    // Of a width at which x264 may use all that the machine has.
    let wide = root.path().join("wide.mp4");
    ffmpeg(
        args![
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=640x360:rate=25:duration=1"
        ],
        &wide,
    );
    // There the program itself fails where memory held something else.
    let cases = [
        (common::tiny(), "web", &DISPATCHES[..]),
        (wide, "web", &DISPATCHES[..]),
        (short, "hevc", &["threads"]),
    ];
    for (source, preset, dispatches) in cases {
        let mut made = Vec::new();
        for dispatch in dispatches {
            for filling in ["0", "7", "85", "165", "200"] {
                let out = root.path().join(format!("{preset}-{dispatch}-{filling}"));
                let mut command = common::rushes();
                command.args(args![
                    "convert", &source, "-o", &out, "-q", "--preset", preset
                ]);
                command.args(["--copy", "never", "--dispatch", dispatch]);
                let output = command.env("MALLOC_PERTURB_", filling).output().unwrap();
                assert!(output.status.success(), "{filling}: {}", stderr(&output));
                made.push(decoded(&out.join(source.file_name().unwrap())).frames);
            }
        }
        assert!(made.iter().all(|frames| *frames == made[0]), "{preset}");
    }
}
