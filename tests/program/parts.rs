//! Films that are cut at key frames and encoded in parts: nothing of that shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{
    self, DISPATCHES, decoded, ffmpeg, ffprobe, leftovers, rushes, shared_media, stderr, succeed,
    tree, wait_for,
};

/// x264 without loss: what differs in the result differed in what went into it.
const LOSSLESS: [&str; 6] = ["--copy", "never", "--crf", "0", "--speed", "ultrafast"];

/// Converts `sources` with `flags` to a new folder.
fn convert(sources: &[PathBuf], out: &Path, flags: &[&str]) {
    let mut program = rushes();
    program.arg("convert").args(sources).arg("-o").arg(out);
    let output = program.args(flags).arg("-q").output().unwrap();
    // Of real files, some hold nothing that can be decoded.
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{code:?}: {}", stderr(&output));
}

/// Converts `sources` whole and in parts of `length`, and expects equal frames, times and sound.
fn assert_no_seam(sources: &[PathBuf], length: &str, flags: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    let [whole, parts] = ["never", length].map(|split| {
        let out = root.path().join(split);
        convert(sources, &out, &[flags, &["--split", split]].concat());
        out
    });
    assert_alike(&whole, &parts);
    // Where no file was cut, nothing was shown.
    let files = tree(&whole);
    let is_cut = |name: &PathBuf| {
        whole.join(name).is_file()
            && fs::read(whole.join(name)).unwrap() != fs::read(parts.join(name)).unwrap()
    };
    let cut = files.iter().filter(|name| is_cut(name)).count();
    assert!(cut * 5 >= files.len(), "{cut} of {} are cut", files.len());
}

/// Expects equal results; a key frame more a part takes some bytes, which are told last.
fn assert_alike(whole: &Path, parts: &Path) {
    let mut found = common::differences(whole, parts);
    found.retain(|one| !one.what.starts_with("sizes differ"));
    assert!(found.is_empty(), "{found:#?}");
}

/// A film of 6 s that moves, with sound, as `encoder` makes it with `options`.
fn film(folder: &Path, name: &str, encoder: &str, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let video = "testsrc2=size=192x144:rate=25:duration=6,format=yuv420p";
    let sound = "sine=frequency=300:sample_rate=48000:duration=6";
    let mut arguments = vec!["-f", "lavfi", "-i", video, "-f", "lavfi", "-i", sound];
    arguments.extend(["-c:v", encoder, "-c:a", "aac", "-threads", "1"]);
    arguments.extend(options);
    ffmpeg(arguments, &path);
    path
}

#[test]
fn real_films_in_parts_have_the_same_frames_times_and_sound() {
    let Some(folder) = shared_media("good") else {
        return;
    };
    let picked = [
        "ax_iibbibb_editlist_videoonly.mp4",
        "iio_cockatoo.mp4",
        "mp4p_MOV00006.3gp",
    ];
    let all = tree(&folder).into_iter().filter(|name| {
        let ending = name
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        ["mp4", "mov", "mkv", "webm", "3gp"].contains(&ending.as_str())
    });
    let wanted: Vec<_> = all
        .filter(|name| common::long() || picked.iter().any(|picked| name.ends_with(picked)))
        .map(|name| folder.join(name))
        .collect();
    assert!(wanted.len() >= picked.len());
    assert_no_seam(
        &wanted,
        "0.5",
        &[&LOSSLESS[..], &["--dispatch", "threads"]].concat(),
    );
}

#[test]
fn sources_whose_pictures_refer_across_key_frames_are_cut_without_a_seam() {
    let folder = tempfile::tempdir().unwrap();
    let x264 = "open-gop=1:keyint=20:min-keyint=20:bframes=3:scenecut=0";
    let x265 = "open-gop=1:keyint=20:min-keyint=20:bframes=4:scenecut=0:log-level=error:pools=1";
    let sources = [
        film(
            folder.path(),
            "x264.mp4",
            "libx264",
            &["-x264-params", x264],
        ),
        film(
            folder.path(),
            "x264.mkv",
            "libx264",
            &["-x264-params", x264],
        ),
        film(
            folder.path(),
            "x265.mp4",
            "libx265",
            &["-preset", "ultrafast", "-x265-params", x265],
        ),
        film(
            folder.path(),
            "mpeg2.mkv",
            "mpeg2video",
            &["-g", "15", "-bf", "2"],
        ),
        film(
            folder.path(),
            "mpeg4.mp4",
            "mpeg4",
            &["-g", "20", "-bf", "2"],
        ),
        film(
            folder.path(),
            "vp9.webm",
            "libvpx-vp9",
            &["-g", "30", "-deadline", "realtime", "-c:a", "libopus"],
        ),
        film(
            folder.path(),
            "vp8.webm",
            "libvpx",
            &[
                "-g",
                "30",
                "-auto-alt-ref",
                "1",
                "-lag-in-frames",
                "16",
                "-c:a",
                "libopus",
            ],
        ),
        film(folder.path(), "whole-pictures.mov", "mjpeg", &[]),
    ];
    assert_no_seam(&sources, "0.5", &LOSSLESS);
    // Other frames than the source's, to which parts must add up all the same.
    for rate in ["10", "30", "29.97"] {
        assert_no_seam(
            &sources[..3],
            "0.5",
            &[&LOSSLESS[..], &["--fps", rate]].concat(),
        );
    }
}

#[test]
fn a_film_whose_frames_come_at_any_times_is_cut_without_a_seam() {
    let folder = tempfile::tempdir().unwrap();
    let jumpy = [
        "-vf",
        "select='not(mod(n,7))+gt(mod(n,11),4)'",
        "-fps_mode",
        "vfr",
    ];
    let x264 = ["-x264-params", "keyint=12:bframes=3:scenecut=0"];
    let options = [&jumpy[..], &x264].concat();
    let sources =
        ["jumpy.mp4", "jumpy.mkv"].map(|name| film(folder.path(), name, "libx264", &options));
    assert_no_seam(&sources, "0.5", &LOSSLESS);
    // With frames that are shown in another order than they are decoded, too.
    assert_no_seam(
        &sources,
        "0.5",
        &["--copy", "never", "--crf", "0", "--speed", "fast"],
    );
}

/// Times of all frames of a film, in order.
fn times(path: &Path) -> Vec<String> {
    let frames = [
        "-select_streams",
        "v:0",
        "-show_entries",
        "frame=pts",
        "-of",
        "csv=p=0",
    ];
    let text = ffprobe(&frames, path);
    // What else a frame carries has a line without a number.
    let times = text.lines().map(|line| line.trim_end_matches(','));
    times
        .filter(|line| line.parse::<i64>().is_ok())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_encoder_gives_one_stream_of_parts_that_decodes_to_all_frames() {
    let folder = tempfile::tempdir().unwrap();
    let source = film(folder.path(), "film.mp4", "libx264", &["-g", "25"]);
    let encoders: [&[&str]; 5] = [
        &["--vcodec", "libx264"],
        &["--vcodec", "libx265", "--speed", "ultrafast"],
        &["--vcodec", "libsvtav1", "--speed", "12", "--crf", "50"],
        &[
            "--vcodec",
            "libvpx-vp9",
            "--format",
            "webm",
            "--acodec",
            "libopus",
        ],
        &[
            "--vcodec", "libvpx", "--format", "webm", "--acodec", "libopus",
        ],
    ];
    for flags in encoders {
        let [whole, parts] = ["never", "1"].map(|split| {
            let out = folder.path().join(flags[1]).join(split);
            let flags = [flags, &["--copy", "never", "--split", split]].concat();
            convert(std::slice::from_ref(&source), &out, &flags);
            let film = tree(&out)
                .into_iter()
                .find(|name| name.file_stem().is_some_and(|stem| stem == "film"));
            out.join(film.unwrap())
        });
        assert_ne!(
            fs::read(&whole).unwrap(),
            fs::read(&parts).unwrap(),
            "{flags:?} was not cut"
        );
        let before = times(&whole);
        assert_eq!(before.len(), 150, "{flags:?}");
        assert_eq!(times(&parts), before, "{flags:?}");
        // Without damage, and with decoding times that never stand still.
        decoded(&parts);
        let strict = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-xerror", "-i"])
            .arg(&parts)
            .args(["-c", "copy", "-f", "null", "-"])
            .output()
            .unwrap();
        assert!(
            strict.status.success() && strict.stderr.is_empty(),
            "{flags:?}: {}",
            stderr(&strict)
        );
    }
}

#[test]
fn a_film_alone_is_cut_where_there_are_two_slots_and_all_dispatches_of_ours_cut_alike() {
    let Some(folder) = shared_media("bench") else {
        return;
    };
    let source = [folder.join("talk_720p30_h264_aac_42s.mp4")];
    let root = tempfile::tempdir().unwrap();
    let make = |name: &str, flags: &[&str]| {
        let out = root.path().join(name);
        let quick = [
            "--copy",
            "never",
            "--size",
            "160x90",
            "--speed",
            "ultrafast",
        ];
        convert(&source, &out, &[&quick[..], flags].concat());
        fs::read(out.join("talk_720p30_h264_aac_42s.mp4")).unwrap()
    };
    let whole = make("whole", &["-j", "2", "--split", "never"]);
    let threads = make("threads", &["-j", "2", "--dispatch", "threads"]);
    assert!(threads != whole, "it is not cut");
    assert!(
        make("workers", &["-j", "2"]) == threads,
        "workers cut otherwise"
    );
    assert!(
        make("alone", &["-j", "1"]) == whole,
        "one slot has nobody to share with"
    );
}

#[test]
fn what_is_alone_and_has_a_bit_rate_to_keep_gets_codec_threads_and_is_whole() {
    let Some(folder) = shared_media("bench") else {
        return;
    };
    let source = [folder.join("bikes.mp4")];
    let root = tempfile::tempdir().unwrap();
    let make = |name: &str, flags: &[&str]| {
        let out = root.path().join(name);
        let quick = ["--copy", "never", "--bitrate", "200k", "-j", "2"];
        convert(&source, &out, &[&quick[..], flags].concat());
        fs::read(out.join("bikes.mp4")).unwrap()
    };
    let whole = make("whole", &["--split", "never", "--codec-threads", "2"]);
    for dispatch in DISPATCHES {
        let auto = make(dispatch, &["--dispatch", dispatch]);
        if dispatch == "processes" {
            let whole = make("program", &["--split", "never", "--dispatch", dispatch]);
            assert!(auto != whole, "it has one thread");
        } else {
            assert!(auto == whole, "{dispatch}: as on two threads");
        }
    }
    let one = make("one", &["--split", "never"]);
    assert!(one != whole, "two threads are seen");
}

#[test]
fn two_results_of_one_source_are_cut_together() {
    let folder = tempfile::tempdir().unwrap();
    let source = film(folder.path(), "film.mp4", "libx264", &["-g", "25"]);
    let out = folder.path().join("out");
    let presets = [
        "--preset",
        "web",
        "--preset",
        "480p",
        "--copy",
        "never",
        "--speed",
        "ultrafast",
    ];
    convert(&[source], &out, &[&presets[..], &["--split", "1"]].concat());
    // One of them has a rate of its own.
    for (preset, frames) in [("web", 150), ("480p", 180)] {
        let path = out.join(preset).join("film.mp4");
        assert_eq!(times(&path).len(), frames, "{preset}");
        decoded(&path);
    }
}

#[test]
fn a_damaged_film_comes_out_the_same_in_parts_as_whole() {
    let folder = tempfile::tempdir().unwrap();
    let source = film(folder.path(), "film.mkv", "libx264", &["-g", "25"]);
    let mut bytes = fs::read(&source).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 2000].fill(0x55);
    fs::write(&source, &bytes).unwrap();
    let [whole, parts] = ["never", "1"].map(|split| {
        let out = folder.path().join(split);
        convert(
            std::slice::from_ref(&source),
            &out,
            &[&LOSSLESS[..], &["--split", split]].concat(),
        );
        out
    });
    assert!(!tree(&whole).is_empty(), "nothing could be saved");
    assert_alike(&whole, &parts);
}

#[test]
fn a_stop_in_the_middle_of_parts_leaves_nothing() {
    let Some(folder) = shared_media("bench") else {
        return;
    };
    for dispatch in ["threads", "workers"] {
        let out = tempfile::tempdir().unwrap();
        let mut program = rushes();
        program
            .arg("convert")
            .arg(folder.join("trailer_bbb.mp4"))
            .arg("-o")
            .arg(out.path());
        program.args([
            "--copy", "never", "--speed", "slow", "--split", "2", "-j", "2", "-q",
        ]);
        let mut child = program.args(["--dispatch", dispatch]).spawn().unwrap();
        let began = || !leftovers(out.path()).is_empty();
        assert!(
            wait_for(std::time::Duration::from_secs(60), began),
            "{dispatch}"
        );
        let id = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{dispatch}");
        assert_eq!(leftovers(out.path()), Vec::<PathBuf>::new(), "{dispatch}");
    }
}

/// SSIM of each frame of `a` to that of `b`.
fn ssim(a: &Path, b: &Path, folder: &Path) -> Vec<f64> {
    let log = folder.join("ssim.log");
    let filter = format!("[0:v][1:v]ssim=stats_file={}", log.display());
    let mut program = Command::new("ffmpeg");
    program
        .args(["-nostdin", "-v", "error", "-i"])
        .arg(a)
        .arg("-i")
        .arg(b);
    let output = program
        .args(["-lavfi", &filter, "-f", "null", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = fs::read_to_string(log).unwrap();
    let all = |line: &str| {
        let all = line.split("All:").nth(1)?;
        all.split_whitespace().next()?.parse().ok()
    };
    text.lines().map(|line| all(line).unwrap()).collect()
}

#[test]
fn quality_at_the_joins_is_that_of_the_whole_and_so_is_the_size() {
    if !common::long() {
        return;
    }
    let Some(folder) = shared_media("bench") else {
        return;
    };
    let source = folder.join("trailer_bbb.mp4");
    let root = tempfile::tempdir().unwrap();
    let [whole, parts] = ["never", "auto"].map(|split| {
        let out = root.path().join(split);
        succeed(args![
            "convert", &source, "-o", &out, "-j", "2", "--copy", "never", "--speed", "medium",
            "--split", split, "-q"
        ]);
        out.join("trailer_bbb.mp4")
    });
    let size = |path: &Path| fs::metadata(path).unwrap().len() as f64;
    let grown = size(&parts) / size(&whole);
    assert!((0.98..=1.02).contains(&grown), "{grown}");
    let [before, after] = [&whole, &parts].map(|path| ssim(path, &source, root.path()));
    assert_eq!(before.len(), after.len());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!(
        mean(&after) > mean(&before) - 0.001,
        "{} {}",
        mean(&before),
        mean(&after)
    );
    // Half a second on both sides of each key frame of the source, where cuts are.
    let keys = ffprobe(
        &[
            "-select_streams",
            "v:0",
            "-show_entries",
            "packet=flags",
            "-of",
            "csv=p=0",
        ],
        &source,
    );
    for (at, _) in keys
        .lines()
        .enumerate()
        .filter(|(_, flags)| flags.starts_with('K'))
    {
        let near = at.saturating_sub(12)..(at + 12).min(before.len());
        let (whole, parts) = (mean(&before[near.clone()]), mean(&after[near.clone()]));
        assert!(parts > whole - 0.005, "at frame {at}: {whole} {parts}");
    }
}
