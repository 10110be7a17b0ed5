//! What tests of slideshows share.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use image::{Rgb, RgbImage};

use super::*;

/// A picture of one grey.
pub fn grey(folder: &Path, name: &str, level: u8) -> PathBuf {
    let path = folder.join(name);
    RgbImage::from_pixel(64, 36, Rgb([level; 3]))
        .save(&path)
        .unwrap();
    path
}

/// What a grey of RGB is in a film.
pub fn luma(level: u8) -> f64 {
    16.0 + f64::from(level) * 219.0 / 255.0
}

/// Makes a film with small pictures, so that tests are quick.
pub fn slideshow(arguments: impl IntoIterator<Item = OsString>) -> std::process::Output {
    let usual = args!["slideshow", "--speed", "ultrafast"];
    run(usual.into_iter().chain(arguments))
}

pub fn made(arguments: impl IntoIterator<Item = OsString>) {
    let output = slideshow(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

/// Frames of the film at `path`, as bytes of luma of `width` × `height`.
pub fn frames(path: &Path, width: usize, height: usize) -> Vec<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-vf", "extractplanes=y", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let frames = output.stdout.chunks_exact(width * height);
    frames.map(<[u8]>::to_vec).collect()
}

pub fn mean(frame: &[u8]) -> f64 {
    frame.iter().map(|byte| f64::from(*byte)).sum::<f64>() / frame.len() as f64
}

/// Start, end and title of each chapter.
pub fn chapters(path: &Path) -> Vec<(f64, f64, String)> {
    let text = ffprobe(&["-show_chapters", "-of", "json"], path);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let time = |chapter: &serde_json::Value, field: &str| -> f64 {
        chapter[field].as_str().unwrap().parse().unwrap()
    };
    let chapters = value["chapters"].as_array().unwrap().iter();
    chapters
        .map(|chapter| {
            let title = chapter["tags"]["title"].as_str().unwrap().to_owned();
            (
                time(chapter, "start_time"),
                time(chapter, "end_time"),
                title,
            )
        })
        .collect()
}

/// Times of all key frames, in seconds.
pub fn key_times(path: &Path) -> Vec<f64> {
    let keys = ["-select_streams", "v:0", "-skip_frame", "nokey"];
    let times = ["-show_entries", "frame=pts_time", "-of", "csv=p=0"];
    let text = ffprobe(&[keys, times].concat(), path);
    let lines = text.lines().map(|line| line.trim_matches(','));
    let lines = lines.filter(|line| !line.is_empty());
    lines.map(|line| line.parse().unwrap()).collect()
}

pub fn titles(path: &Path) -> Vec<String> {
    chapters(path)
        .into_iter()
        .map(|(.., title)| title)
        .collect()
}
