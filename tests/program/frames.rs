//! `rushes frames`: which picture is given for a time, and what is written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{
    DISPATCHES, QUARTER_TURN, decoded, ffmpeg, ffprobe, names, run, sample, set_display_matrix,
    stderr, succeed, tiny,
};
use serde_json::Value;

/// 90 frames of 40 ms that all differ.
const MOVING: &str = "testsrc2=size=160x120:rate=25:duration=3.6,noise=alls=20:allf=t";

/// A clip of moving pictures, made by these options.
fn clip(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let mut arguments = args!["-f", "lavfi", "-i", MOVING].to_vec();
    arguments.extend(options.iter().map(Into::into));
    ffmpeg(arguments, &path);
    path
}

/// What all frames of `clip` look like, by their times in 90,000ths of a second,
/// as the `ffmpeg` program decodes them from the beginning on.
fn all_frames(clip: &Path, folder: &Path) -> BTreeMap<i64, u64> {
    fs::create_dir(folder).unwrap();
    let options = [
        "-fps_mode",
        "passthrough",
        "-enc_time_base",
        "1:90000",
        "-pix_fmt",
        "rgb24",
        "-frame_pts",
        "1",
    ];
    let mut arguments = args!["-i", clip].to_vec();
    arguments.extend(options.map(Into::into));
    ffmpeg(arguments, &folder.join("%d.png"));
    let pictures = fs::read_dir(folder).unwrap();
    let pictures = pictures.map(|entry| {
        let path = entry.unwrap().path();
        let pts = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        (pts, decoded(&path).frames[0].hash)
    });
    pictures.collect()
}

/// What a player shows at that time.
fn shown(all: &BTreeMap<i64, u64>, time_ms: i64) -> u64 {
    let by = all.range(..=time_ms * 90).next_back();
    *by.or(all.first_key_value()).unwrap().1
}

/// Times all over a clip of that length, also just at and just before frames.
fn times(all: &BTreeMap<i64, u64>) -> Vec<i64> {
    let last_ms = all.last_key_value().unwrap().0 / 90;
    let mut random = fastrand::Rng::with_seed(11);
    let mut times: Vec<i64> = (0..25).map(|_| random.i64(0..=last_ms)).collect();
    for pts in all.keys().step_by(7) {
        // In whole milliseconds: when it is there, and when it is not yet.
        let at = (pts + 89) / 90;
        times.extend([at, (at - 1).max(0)]);
    }
    times.sort_unstable();
    times.dedup();
    times
}

fn joined(times: &[i64]) -> String {
    let words: Vec<String> = times
        .iter()
        .map(|time| format!("{}.{:03}", time / 1000, time % 1000))
        .collect();
    words.join(",")
}

/// Runs `rushes frames` on one clip and gives the folder of its pictures.
fn frames(clip: &Path, out: &Path, arguments: &[&str]) -> PathBuf {
    let mut all = args!["frames", clip, "-o", out, "-q", "--format", "png"].to_vec();
    all.extend(arguments.iter().map(Into::into));
    succeed(all);
    out.join(clip.file_stem().unwrap())
}

fn list(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("frames.json")).unwrap()).unwrap()
}

fn assert_shown(name: &str, options: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(folder.path(), name, options);
    let all = all_frames(&clip, &folder.path().join("all"));
    assert!(all.len() > 20, "{name}: {} frames", all.len());
    let times = times(&all);
    for dispatch in DISPATCHES {
        let out = folder.path().join(dispatch);
        let at = joined(&times);
        let pictures = frames(&clip, &out, &["--dispatch", dispatch, "--at", &at]);
        let list = list(&pictures);
        assert_eq!(list["pictures"].as_array().unwrap().len(), times.len());
        for (entry, time_ms) in list["pictures"].as_array().unwrap().iter().zip(&times) {
            assert_eq!(entry["time_s"], *time_ms as f64 / 1e3, "{name} {dispatch}");
            let picture = decoded(&pictures.join(entry["file"].as_str().unwrap()));
            assert_eq!(
                picture.frames[0].hash,
                shown(&all, *time_ms),
                "{name} {dispatch}: at {time_ms} ms"
            );
        }
    }
}

const X264: &str = "libx264";

/// Frames that others refer to across key frames, both ways.
const OPEN_GOP: &str = "open-gop=1:keyint=12:min-keyint=6:bframes=3:b-pyramid=normal:scenecut=0";

#[test]
fn a_picture_is_what_a_player_shows_then_on_closed_and_on_open_gops() {
    for name in ["closed.mp4", "closed.mkv", "closed.ts"] {
        assert_shown(name, &["-c:v", X264, "-g", "15", "-bf", "3"]);
    }
    for name in ["open.mp4", "open.mkv", "open.ts"] {
        assert_shown(name, &["-c:v", X264, "-x264-params", OPEN_GOP]);
    }
}

#[test]
fn a_picture_is_what_a_player_shows_then_where_the_frame_rate_varies() {
    let varying = ["-vf", "select=lt(mod(n\\,11)\\,4)", "-fps_mode", "vfr"];
    for name in ["varying.mp4", "varying.mkv"] {
        let coded = ["-c:v", X264, "-g", "9", "-bf", "2"];
        assert_shown(name, &[&varying[..], &coded].concat());
    }
}

#[test]
fn a_picture_is_what_a_player_shows_then_whatever_the_codec() {
    let refreshed = "intra-refresh=1:keyint=20:bframes=0";
    for (name, options) in [
        // No key frame but the first: columns are renewed one after the other.
        (
            "refreshed.mp4",
            &["-c:v", X264, "-x264-params", refreshed][..],
        ),
        (
            "hevc.mp4",
            &[
                "-c:v",
                "libx265",
                "-x265-params",
                "keyint=12:log-level=none",
            ],
        ),
        // Frames that are never shown.
        (
            "vp9.webm",
            &[
                "-c:v",
                "libvpx-vp9",
                "-g",
                "20",
                "-auto-alt-ref",
                "1",
                "-lag-in-frames",
                "16",
                "-b:v",
                "200k",
            ],
        ),
        (
            "vp8.webm",
            &[
                "-c:v",
                "libvpx",
                "-g",
                "20",
                "-auto-alt-ref",
                "1",
                "-lag-in-frames",
                "16",
                "-b:v",
                "200k",
            ],
        ),
        (
            "mpeg2.mpg",
            &["-c:v", "mpeg2video", "-g", "12", "-bf", "2", "-q:v", "3"],
        ),
        (
            "mpeg2.ts",
            &["-c:v", "mpeg2video", "-g", "12", "-bf", "2", "-q:v", "3"],
        ),
        ("prores.mov", &["-c:v", "prores"]),
    ] {
        assert_shown(name, options);
    }
}

#[test]
fn a_picture_is_what_a_player_shows_then_where_packets_tell_no_times() {
    assert_shown(
        "mpeg4.avi",
        &["-c:v", "mpeg4", "-g", "12", "-bf", "2", "-q:v", "3"],
    );
    assert_shown("h264.avi", &["-c:v", X264, "-g", "15", "-bf", "2"]);
    assert_shown("raw.h264", &["-c:v", X264, "-g", "15", "-bf", "0"]);
}

#[test]
fn before_the_first_frame_that_one_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let late = folder.path().join("late.mp4");
    let sound = ["-f", "lavfi", "-i", "sine=duration=4"];
    let options = [
        "-itsoffset",
        "0.5",
        "-f",
        "lavfi",
        "-i",
        MOVING,
        "-c:v",
        X264,
    ];
    ffmpeg([&sound[..], &options].concat(), &late);
    let all = all_frames(&late, &folder.path().join("all"));
    for dispatch in DISPATCHES {
        let out = folder.path().join(dispatch);
        let pictures = frames(&late, &out, &["--at", "0,0.2,0.6", "--dispatch", dispatch]);
        for (number, time_ms) in [(1, 0), (2, 200), (3, 600)] {
            let picture = decoded(&pictures.join(format!("{number:06}.png")));
            assert_eq!(
                picture.frames[0].hash,
                shown(&all, time_ms),
                "{dispatch} {time_ms}"
            );
        }
    }
}

#[test]
fn times_are_taken_in_order_and_once_from_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my times.txt");
    fs::write(&file, "# of the talk\n0:00.8\n\n0.2\n00:00:00.2, 400ms\n").unwrap();
    let at = format!("@{}", file.display());
    let pictures = frames(&tiny(), &folder.path().join("out"), &["--at", &at]);
    let list = list(&pictures);
    let times: Vec<f64> = list["pictures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["time_s"].as_f64().unwrap())
        .collect();
    assert_eq!(times, [0.2, 0.4, 0.8]);
    assert_eq!(list["version"], 1);
    assert!(list["source"].as_str().unwrap().ends_with("tiny.mp4"));
}

#[test]
fn times_after_the_end_are_told_and_none_is_a_failure() {
    for dispatch in DISPATCHES {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let some = args![
            "frames",
            tiny(),
            "-o",
            &out,
            "--at",
            "0.5,7,9",
            "--dispatch",
            dispatch
        ];
        let some = succeed(some);
        let said = stderr(&some);
        assert!(said.contains("1 of 3 pictures"), "{dispatch}: {said}");
        assert_eq!(names(&out.join("tiny")), ["000001.jpg"]);
        let none = args![
            "frames",
            tiny(),
            "-o",
            folder.path().join("none"),
            "--at",
            "7",
            "--dispatch",
            dispatch
        ];
        let none = run(none);
        assert_eq!(none.status.code(), Some(1), "{dispatch}");
        let said = stderr(&none);
        assert!(
            said.contains("ends before the first time") && said.contains("earlier times"),
            "{dispatch}: {said}"
        );
        assert_eq!(names(&folder.path().join("none")), Vec::<String>::new());
    }
}

#[test]
fn pictures_at_equal_distances_are_the_same_read_in_order_and_sought_for() {
    let folder = tempfile::tempdir().unwrap();
    let clip = clip(
        folder.path(),
        "clip.mp4",
        &["-c:v", X264, "-g", "15", "-bf", "3"],
    );
    let all = all_frames(&clip, &folder.path().join("all"));
    for dispatch in DISPATCHES {
        let out = folder.path().join(dispatch);
        let pictures = frames(&clip, &out, &["--every", "0.7", "--dispatch", dispatch]);
        // 3.6 s long: at 0 to 3.5.
        assert_eq!(names(&pictures).len(), 6, "{dispatch}");
        for number in 0..6 {
            let picture = decoded(&pictures.join(format!("{:06}.png", number + 1)));
            assert_eq!(
                picture.frames[0].hash,
                shown(&all, number * 700),
                "{dispatch}"
            );
        }
    }
}

#[test]
fn a_cut_is_a_scene() {
    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.mp4");
    let scenes = "color=red:size=160x120:rate=25:duration=1[a];\
                  color=white:size=160x120:rate=25:duration=1[b];[a][b]concat";
    ffmpeg(["-f", "lavfi", "-i", scenes, "-c:v", X264], &cut);
    for dispatch in DISPATCHES {
        let out = folder.path().join(dispatch);
        let pictures = frames(&cut, &out, &["--scenes", "--dispatch", dispatch]);
        let list = list(&pictures);
        let times: Vec<f64> = list["pictures"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["time_s"].as_f64().unwrap())
            .collect();
        assert_eq!(times, [0.0, 1.0], "{dispatch}");
    }
}

#[test]
fn the_best_picture_is_none_of_the_black_ones_and_the_same_in_both_dispatches() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.mp4");
    let scenes = "color=black:size=160x120:rate=25:duration=4[a];\
                  testsrc2=size=160x120:rate=25:duration=4[b];[a][b]concat";
    ffmpeg(
        ["-f", "lavfi", "-i", scenes, "-c:v", X264, "-g", "10"],
        &film,
    );
    let mut hashes = Vec::new();
    for dispatch in DISPATCHES {
        let out = folder.path().join(dispatch);
        frames(&film, &out, &["--best", "--dispatch", dispatch]);
        assert_eq!(names(&out), ["film.png"]);
        let report: Value =
            serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
        let time_s = report["sources"][0]["results"][0]["time_s"].as_f64();
        assert!(time_s.unwrap() >= 4.0, "{report:#}");
        hashes.push(decoded(&out.join("film.png")).frames[0].hash);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn a_contact_sheet_is_one_picture_within_its_box_and_the_same_in_both_dispatches() {
    let folder = tempfile::tempdir().unwrap();
    let source = sample("bars-360p25.mp4");
    let mut hashes = Vec::new();
    for dispatch in DISPATCHES {
        let out = folder.path().join(dispatch);
        frames(
            &source,
            &out,
            &[
                "--sheet",
                "3x2",
                "--size",
                "800x800",
                "--dispatch",
                dispatch,
            ],
        );
        assert_eq!(names(&out), ["bars-360p25.png"]);
        let sheet = out.join("bars-360p25.png");
        let size = ffprobe(
            &["-show_entries", "stream=width,height", "-of", "csv=p=0"],
            &sheet,
        );
        let (width, height) = size.split_once(',').unwrap();
        let (width, height): (u32, u32) = (width.parse().unwrap(), height.parse().unwrap());
        assert!((700..=800).contains(&width) && height <= 800, "{size}");
        hashes.push(decoded(&sheet).frames[0].hash);
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[test]
fn all_formats_show_the_same_colours_whatever_the_matrix_of_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("red.mp4");
    let red = "color=0xd02040:size=160x120:rate=25:duration=1,\
               scale=out_color_matrix=bt709,format=yuv420p,setparams=colorspace=bt709";
    ffmpeg(
        [
            "-f",
            "lavfi",
            "-i",
            red,
            "-c:v",
            X264,
            "-crf",
            "0",
            "-colorspace",
            "bt709",
        ],
        &clip,
    );
    for format in ["jpg", "png", "webp"] {
        let out = folder.path().join(format);
        succeed(args![
            "frames", &clip, "-o", &out, "-q", "--format", format, "--at", "0"
        ]);
        let picture = image::open(out.join("red").join(format!("000001.{format}"))).unwrap();
        let pixel = picture.into_rgb8().get_pixel(80, 60).0;
        for (found, wanted) in pixel.iter().zip([0xd0_u8, 0x20, 0x40]) {
            assert!(found.abs_diff(wanted) <= 4, "{format}: {pixel:?}");
        }
    }
}

#[test]
fn a_better_quality_is_a_larger_file() {
    let folder = tempfile::tempdir().unwrap();
    for format in ["jpg", "webp"] {
        let sizes = ["20", "60", "95"].map(|quality| {
            let out = folder.path().join(format!("{format}{quality}"));
            succeed(args![
                "frames",
                tiny(),
                "-o",
                &out,
                "-q",
                "--format",
                format,
                "--at",
                "0.5",
                "--quality",
                quality
            ]);
            fs::metadata(out.join("tiny").join(format!("000001.{format}")))
                .unwrap()
                .len()
        });
        assert!(
            sizes.is_sorted() && sizes[0] < sizes[2],
            "{format}: {sizes:?}"
        );
    }
}

#[test]
fn pictures_are_turned_upright_and_have_square_samples() {
    let folder = tempfile::tempdir().unwrap();
    let flat = clip(
        folder.path(),
        "flat.mp4",
        &["-c:v", X264, "-vf", "setsar=2/1"],
    );
    let turned = folder.path().join("turned.mp4");
    std::fs::copy(&flat, &turned).unwrap();
    set_display_matrix(&turned, QUARTER_TURN);
    let shape = ["-show_entries", "stream=width,height", "-of", "csv=p=0"];
    for dispatch in DISPATCHES {
        for format in ["jpg", "png", "webp"] {
            let out = folder.path().join(dispatch).join(format);
            succeed(args![
                "frames",
                &turned,
                "-o",
                &out,
                "-q",
                "--at",
                "1",
                "--format",
                format,
                "--dispatch",
                dispatch
            ]);
            let picture = out.join("turned").join(format!("000001.{format}"));
            assert_eq!(ffprobe(&shape, &picture), "120,320", "{dispatch} {format}");
        }
    }
}

#[test]
fn a_second_run_makes_only_what_is_missing_or_wanted_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let job = |at: &str| succeed(args!["frames", tiny(), "-o", &out, "--at", at]);
    job("0.2,0.6");
    let again = stderr(&job("0.2,0.6"));
    assert!(again.contains("nothing is left to do"), "{again}");
    let other = stderr(&job("0.2"));
    assert!(other.contains("done"), "{other}");
    assert_eq!(names(&out.join("tiny")), ["000001.jpg"]);
    fs::remove_dir_all(out.join("tiny")).unwrap();
    job("0.2");
    assert_eq!(names(&out.join("tiny")), ["000001.jpg"]);
}

#[test]
fn wrong_choices_are_refused_with_what_is_right() {
    let told = |arguments: &[&str]| {
        let mut all = args!["frames", tiny(), "-o", "out"].to_vec();
        all.extend(arguments.iter().map(Into::into));
        let output = run(all);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        stderr(&output)
    };
    for (arguments, words) in [
        (&["--at", "x"][..], "'x' is no duration"),
        (&["--at", ","], "there is no time in it"),
        (
            &["--at", "@no such file"],
            "--at @no such file: cannot read the file of times",
        ),
        (&["--at", "1", "--nth", "2"], "cannot be used with"),
        (&["--scenes=2"], "no number from 0 to 1"),
        (&["--sheet", "5"], "write it as 5x4"),
        (&["--sheet", "0x3"], "write it as 5x4"),
        (&["--quality", "0"], "1..=100"),
        (&["--format", "png", "--quality", "5"], "PNG loses nothing"),
    ] {
        let said = told(arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    assert!(!Path::new("out").exists());
}

#[test]
fn more_times_than_a_command_can_hold_are_no_job_for_the_program_and_one_for_libav() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("times.txt");
    let times: Vec<String> = (0..8000).map(|time| format!("{}ms", 1000 + time)).collect();
    // Of all these, the first alone is within the clip.
    fs::write(&file, format!("500ms\n{}", times.join("\n"))).unwrap();
    let at = format!("@{}", file.display());
    for (dispatch, code) in [("processes", 1), ("workers", 0), ("threads", 0)] {
        let out = folder.path().join(dispatch);
        let output = run(args![
            "frames",
            tiny(),
            "-o",
            &out,
            "--at",
            &at,
            "--dispatch",
            dispatch
        ]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{dispatch}: {said}");
        let cured = said.contains("use --dispatch workers");
        assert_eq!(cured, code == 1, "{dispatch}: {said}");
    }
}
