//! Encoders that a user names: each gets pixels, times and a quality that it takes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "these are tests"
)]

mod common;

use std::path::Path;

use common::{DISPATCHES, decoded, ffmpeg, have, run, stderr, succeed};

fn source(path: &Path) {
    let drawn = "testsrc2=size=320x240:rate=30000/1001:duration=1";
    ffmpeg(
        ["-f", "lavfi", "-i", drawn, "-c:v", "libx264", "-crf", "10"],
        path,
    );
}

#[test]
fn an_encoder_that_knows_neither_our_pixels_nor_our_clock_nor_a_crf_works_by_its_name_alone() {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("clip.mp4");
    source(&file);
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
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("clip.mp4");
    source(&file);
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
