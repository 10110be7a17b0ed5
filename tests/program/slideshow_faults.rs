//! `rushes slideshow` where the system fails: no film without pictures that the next run reads.

use std::fs;

use crate::common::disk::unreadable;
use crate::common::slides::*;
use crate::common::*;
use image::{Rgb, RgbImage};

#[test]
fn a_picture_on_a_failing_disk_is_not_left_out_and_the_next_run_makes_the_film() {
    let root = tempfile::tempdir().unwrap();
    let photos = root.path().join("photos");
    fs::create_dir(&photos).unwrap();
    grey(&photos, "a.png", 50);
    // Reads fail from its 200,000th byte on.
    let noise = RgbImage::from_fn(400, 400, |_, _| Rgb([0; 3].map(|_: u8| fastrand::u8(..))));
    noise.save(photos.join("broken-disk.png")).unwrap();
    let film = root.path().join("film.mp4");
    let flags = ["--size", "64x64", "--seconds", "0.4"];
    let run = |library: Option<&std::path::Path>| {
        let mut command = rushes();
        command.arg("slideshow").arg(&photos).arg("-o").arg(&film);
        command.args(flags);
        if let Some(library) = library {
            command.env("LD_PRELOAD", library);
        }
        command.output().unwrap()
    };
    let library = unreadable(root.path());
    let output = run(Some(&library));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stderr(&output).contains("broken-disk.png"));
    assert!(stderr(&output).contains("run the same command again"));
    assert!(!film.exists() && leftovers(root.path()).is_empty());
    let output = run(None);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(titles(&film), ["a", "broken-disk"]);
}

#[test]
fn music_that_a_killed_run_was_decoding_leaves_nothing_after_the_next_run() {
    let root = tempfile::tempdir().unwrap();
    let photo = grey(root.path(), "a.png", 50);
    let music = root.path().join("music.wav");
    ffmpeg("-f lavfi -i sine=d=0.2".split_whitespace(), &music);
    let temporary = root.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    // As a run leaves it that is killed while its worker writes.
    fs::write(
        root.path().join(".film.mp4.0123abcd.rushes-part"),
        b"samples",
    )
    .unwrap();
    let film = root.path().join("film.mp4");
    let output = rushes()
        .env("TMPDIR", &temporary)
        .args(args!["slideshow", &photo, "-o", &film, "--music", &music])
        .args(["--size", "64x64", "--seconds", "0.4"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(leftovers(root.path()).is_empty());
    assert!(names(&temporary).is_empty());
}
