//! Encoders that a user names: each gets pixels, times and a quality that it takes.

use std::path::PathBuf;

use crate::common::{self, DISPATCHES, decoded, ffmpeg, have, run, stderr, succeed};
use tempfile::TempDir;

/// A clip in a folder of its own.
fn clip() -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("clip.mp4");
    let drawn = "testsrc2=size=320x240:rate=30000/1001:duration=1";
    ffmpeg(
        ["-f", "lavfi", "-i", drawn, "-c:v", "libx264", "-crf", "10"],
        &path,
    );
    (root, path)
}

#[test]
fn an_encoder_that_knows_neither_our_pixels_nor_our_clock_nor_a_crf_works_by_its_name_alone() {
    if !have("ffmpeg") {
        return;
    }
    let (root, file) = clip();
    for (encoder, format) in [
        ("prores_ks", "mov"),
        ("mpeg4", "mp4"),
        ("mjpeg", "mkv"),
        ("ffv1", "mkv"),
    ] {
        let mut results = Vec::new();
        for dispatch in DISPATCHES {
            let out = root.path().join(format!("{encoder}-{dispatch}"));
            succeed(args![
                "convert",
                "-q",
                &file,
                "-o",
                &out,
                "--dispatch",
                dispatch,
                "--vcodec",
                encoder,
                "--format",
                format,
                "--verify",
                "ssim"
            ]);
            let report = std::fs::read_to_string(out.join("report.json")).unwrap();
            let report: serde_json::Value = serde_json::from_str(&report).unwrap();
            let ssim = report["sources"][0]["results"][0]["ssim"].as_f64().unwrap();
            assert!(ssim > 0.95, "{encoder} {dispatch}: {ssim}");
            results.push(decoded(&out.join("clip").with_extension(format)));
        }
        assert_eq!(results[0].frames.len(), 30, "{encoder}");
        for other in &results[1..] {
            assert_eq!(results[0].difference(other), None, "{encoder}");
        }
    }
}

#[test]
fn a_preset_of_the_users_may_name_such_an_encoder_too() {
    if !have("ffmpeg") {
        return;
    }
    let (root, file) = clip();
    let presets = root.path().join("presets.toml");
    let text = "[edit]\nformat = \"mov\"\nvideo = { encoder = \"prores_ks\" }\n\
                [old]\nvideo = { encoder = \"mpeg4\", bitrate = \"2M\", pixels = [\"yuv422p\"] }\n";
    std::fs::write(&presets, text).unwrap();
    let out = root.path().join("out");
    succeed(args![
        "convert", "-q", &file, "-o", &out, "--config", &presets, "--preset", "edit", "--preset",
        "old"
    ]);
    for name in ["edit/clip.mov", "old/clip.mp4"] {
        assert_eq!(decoded(&out.join(name)).frames.len(), 30, "{name}");
    }
}

#[test]
fn a_quality_that_was_asked_for_is_refused_where_the_encoder_knows_none() {
    let root = tempfile::tempdir().unwrap();
    let output = run(args![
        "convert",
        common::tiny(),
        "-o",
        root.path().join("out"),
        "--vcodec",
        "mpeg4",
        "--crf",
        "20"
    ]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("mpeg4") && said.contains("crf"), "{said}");
}

/// The scheduling policies of all threads of process `root` and of those below it.
#[cfg(target_os = "linux")]
fn policies(root: u32) -> Vec<String> {
    let tasks = |process: u32| std::fs::read_dir(format!("/proc/{process}/task"));
    let mut found = vec![];
    let mut left = vec![root];
    while let Some(process) = left.pop() {
        for task in tasks(process).into_iter().flatten().flatten() {
            let read = |name: &str| std::fs::read_to_string(task.path().join(name));
            let children = read("children").unwrap_or_default();
            left.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
            // Behind the name, which may hold anything, `policy` is the 39th (proc_pid_stat(5)).
            let stat = read("stat").unwrap_or_default();
            let behind = stat.rsplit_once(')').map(|(_, behind)| behind.to_owned());
            let policy =
                behind.and_then(|behind| behind.split_whitespace().nth(38).map(str::to_owned));
            found.extend(policy);
        }
    }
    found
}

#[test]
#[cfg(target_os = "linux")]
fn an_encoder_that_puts_itself_before_all_others_is_not_let_by_root_either() {
    if !have("ffmpeg") {
        return;
    }
    let (root, file) = clip();
    for dispatch in DISPATCHES {
        let out = root.path().join(dispatch);
        let mut running = std::process::Command::new(env!("CARGO_BIN_EXE_rushes"))
            .args(["convert", "-q", "--vcodec", "libsvtav1", "--speed", "8"])
            .args(["--dispatch", dispatch, "-o"])
            .args([&out, &file])
            .spawn()
            .unwrap();
        let mut most = 0;
        while running.try_wait().unwrap().is_none() {
            let policies = policies(running.id());
            most = most.max(policies.len());
            let others: Vec<_> = policies.iter().filter(|policy| *policy != "0").collect();
            assert!(others.is_empty(), "{dispatch}: {others:?}");
        }
        assert!(running.wait().unwrap().success(), "{dispatch}");
        assert!(
            most > 5,
            "{dispatch}: its encoder was seen, of many threads"
        );
    }
}
