//! `rushes slideshow`: the film is what its storyboard says, to the frame.

#[allow(dead_code, reason = "each test file uses a part of it")]
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::common::browser;
use crate::common::slides::*;
use crate::common::*;
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use rustix::process::{Pid, Signal, kill_process};
use wait4::Wait4;

/// Levels far enough apart to tell slides from each other.
const LEVELS: [u8; 5] = [40, 200, 90, 240, 140];

#[test]
fn every_slide_is_seen_in_the_frames_that_its_storyboard_says() {
    let root = tempfile::tempdir().unwrap();
    let lengths = [1.0, 0.5, 0.7, 1.2, 0.9];
    let transitions = ["fade", "none", "wipe", "push", "fade"];
    let mut text = String::from("[film]\nsize = '128x72'\nfps = 30\ntransition_seconds = 0.2\n");
    for (number, level) in LEVELS.iter().enumerate() {
        grey(root.path(), &format!("{number}.png"), *level);
        text += &format!(
            "[[slide]]\npicture = '{number}.png'\nseconds = {}\ntransition = '{}'\n",
            lengths[number], transitions[number]
        );
    }
    let (board, film) = (root.path().join("board.toml"), root.path().join("film.mp4"));
    fs::write(&board, text).unwrap();
    made(args![&board, "-o", &film, "--crf", "8"]);
    let frames = frames(&film, 128, 72);
    let starts = [0, 30, 45, 66, 102, 129];
    assert_eq!(frames.len(), starts[5]);
    for (slide, level) in LEVELS.iter().enumerate() {
        let over = if transitions[slide] == "none" || slide == 4 {
            0
        } else {
            6
        };
        let alone = starts[slide + 1] - over;
        for (number, frame) in frames.iter().enumerate().take(alone).skip(starts[slide]) {
            let found = mean(frame);
            assert!(
                (found - luma(*level)).abs() < 1.5,
                "frame {number}: {found}"
            );
        }
        let Some(next) = LEVELS.get(slide + 1).filter(|_| over > 0) else {
            continue;
        };
        // Every frame of a transition is nearer to the next slide than the one before it.
        let ends = [luma(*level), luma(*next)];
        let way = |frame: &Vec<u8>| (mean(frame) - ends[0]) / (ends[1] - ends[0]);
        let ways: Vec<f64> = frames[alone..starts[slide + 1]].iter().map(way).collect();
        assert!(ways.is_sorted_by(|a, b| a < b), "slide {slide}: {ways:?}");
        assert!(ways[0] > 0.01 && ways[5] < 0.99, "slide {slide}: {ways:?}");
    }
    let found: Vec<f64> = chapters(&film).iter().map(|(start, ..)| *start).collect();
    assert_eq!(found, [0.0, 1.0, 1.5, 2.2, 3.4]);
    let keys = key_times(&film);
    assert_eq!(keys, found, "a key frame a slide");
}

#[test]
fn a_folder_is_shown_in_the_order_in_which_people_count_with_names_and_a_title() {
    let root = tempfile::tempdir().unwrap();
    let photos = root.path().join("photos");
    fs::create_dir_all(photos.join("b")).unwrap();
    for name in ["a10.png", "a2.png", "a1.bmp", "b/x_y.png"] {
        grey(&photos, name, 100);
    }
    fs::write(photos.join("notes.txt"), "no picture").unwrap();
    let film = root.path().join("film.mp4");
    let rest = [
        "--size",
        "320x180",
        "--seconds",
        "0.4",
        "--title",
        "Ten <days>",
        "--closing",
        "End",
    ];
    let flags = args![&photos, "-o", &film, "--captions", "names"];
    made(flags.into_iter().chain(rest.map(OsString::from)));
    assert_eq!(
        titles(&film),
        ["Ten <days>", "a1", "a2", "a10", "x y", "End"]
    );
    let told = |entries: &str| {
        ffprobe(
            &["-show_entries", entries, "-of", "default=nk=1:nw=1"],
            &film,
        )
    };
    assert_eq!(told("format_tags=title"), "Ten <days>");
    let stream = ffprobe(
        &[
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=codec_name,pix_fmt,color_range,color_space,color_transfer,color_primaries",
            "-of",
            "csv=p=0",
        ],
        &film,
    );
    assert_eq!(stream, "h264,yuv420p,tv,bt709,bt709,bt709");
    assert!(leftovers(root.path()).is_empty());
}

#[test]
fn a_dry_run_writes_a_storyboard_that_makes_the_same_film() {
    let root = tempfile::tempdir().unwrap();
    for (number, level) in LEVELS.iter().enumerate() {
        grey(root.path(), &format!("p{number}.png"), *level);
    }
    let (direct, board) = (root.path().join("a.mp4"), root.path().join("board.toml"));
    let flags = [
        "--size",
        "160x90",
        "--seconds",
        "0.3",
        "--fps",
        "30000/1001",
        "--captions",
        "names",
    ];
    let flags = || flags.iter().map(OsString::from);
    made(args![root.path(), "-o", &direct].into_iter().chain(flags()));
    let dry = slideshow(args![root.path(), "--dry-run"].into_iter().chain(flags()));
    assert_eq!(dry.status.code(), Some(0), "{}", stderr(&dry));
    fs::write(&board, &dry.stdout).unwrap();
    let again = root.path().join("b.mp4");
    made(args![&board, "-o", &again]);
    assert_eq!(decoded(&direct).frames, decoded(&again).frames);
    assert_eq!(chapters(&direct), chapters(&again));
}

/// A JPEG whose left half is black and whose right one is white, to be turned by `tag`.
fn turned(path: &Path, tag: u8) {
    let halves = RgbImage::from_fn(64, 32, |x, _| Rgb([if x < 32 { 0 } else { 255 }; 3]));
    halves.save(path).unwrap();
    let bytes = fs::read(path).unwrap();
    let mut exif = vec![0xff, 0xe1, 0, 34];
    exif.extend(b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0");
    exif.extend([tag, 0, 0, 0, 0, 0, 0, 0]);
    fs::write(path, [&bytes[..2], &exif, &bytes[2..]].concat()).unwrap();
}

#[test]
fn a_turned_photo_is_shown_upright() {
    let root = tempfile::tempdir().unwrap();
    let (photo, film) = (root.path().join("turned.jpg"), root.path().join("film.mp4"));
    // The camera was held so that the left side is up.
    turned(&photo, 6);
    made(args![
        &photo,
        "-o",
        &film,
        "--size",
        "64x128",
        "--fit",
        "contain",
        "--seconds",
        "0.2"
    ]);
    let frame = &frames(&film, 64, 128)[0];
    let (above, below) = frame.split_at(64 * 64);
    assert!(mean(&above[..64 * 56]) < 24.0 && mean(&below[64 * 8..]) > 225.0);
}

/// Pictures of every kind that may come along; all can be read.
fn odd_pictures(folder: &Path) -> usize {
    let save = |image: image::DynamicImage, name: &str| image.save(folder.join(name)).unwrap();
    save(RgbImage::from_pixel(1, 1, Rgb([200; 3])).into(), "1x1.png");
    save(
        RgbImage::from_pixel(3000, 1, Rgb([200; 3])).into(),
        "flat.png",
    );
    save(
        RgbImage::from_pixel(1, 3000, Rgb([200; 3])).into(),
        "tall.png",
    );
    save(
        RgbImage::from_pixel(333, 217, Rgb([200; 3])).into(),
        "odd.jpg",
    );
    let deep = image::ImageBuffer::from_pixel(50, 40, Rgb([50_000_u16; 3]));
    save(image::DynamicImage::ImageRgb16(deep), "sixteen.png");
    let clear = RgbaImage::from_pixel(40, 40, Rgba([255, 255, 255, 120]));
    for name in [
        "clear.png",
        "clear.webp",
        "clear.tiff",
        "clear.qoi",
        "clear.tga",
    ] {
        save(clear.clone().into(), name);
    }
    save(image::DynamicImage::new_luma8(30, 60), "grey.pgm");
    ffmpeg(
        ["-f", "lavfi", "-i", "testsrc=size=60x40:rate=5:duration=2"],
        &folder.join("moving.gif"),
    );
    // Names that are no text, and that are.
    let bytes = fs::read(folder.join("1x1.png")).unwrap();
    let names = [
        &b"\xff\xfe bytes.png"[..],
        b"-o.png",
        b"a\n'\"%d:<b>&.png",
        b"picture.jpg",
    ];
    for name in names {
        fs::write(folder.join(OsString::from_vec(name.to_vec())), &bytes).unwrap();
    }
    16
}

#[test]
fn odd_pictures_and_names_are_all_shown() {
    let root = tempfile::tempdir().unwrap();
    let photos = root.path().join("photos");
    fs::create_dir(&photos).unwrap();
    let count = odd_pictures(&photos);
    for fit in ["blur", "contain", "cover"] {
        let film = root.path().join(format!("{fit}.mp4"));
        made(args![
            &photos,
            "-o",
            &film,
            "--size",
            "320x180",
            "--seconds",
            "0.2",
            "--fit",
            fit,
            "--captions",
            "names",
            "--transition-seconds",
            "0.1",
            "--theme",
            "light",
        ]);
        assert_eq!(chapters(&film).len(), count, "{fit}");
        assert_eq!(frames(&film, 320, 180).len(), count * 6, "{fit}");
    }
}

#[test]
fn what_is_behind_a_clear_picture_is_the_theme() {
    let root = tempfile::tempdir().unwrap();
    let photo = root.path().join("clear.png");
    RgbaImage::from_pixel(64, 64, Rgba([9, 9, 9, 0]))
        .save(&photo)
        .unwrap();
    for (theme, level) in [("light", 235.0), ("dark", 34.0)] {
        let film = root.path().join(format!("{theme}.mp4"));
        made(args![
            &photo,
            "-o",
            &film,
            "--size",
            "64x64",
            "--seconds",
            "0.1",
            "--theme",
            theme
        ]);
        let found = mean(&frames(&film, 64, 64)[0]);
        assert!((found - level).abs() < 2.0, "{theme}: {found}");
    }
}

/// A file that says it is a picture of `side` × `side` pixels, and holds none.
fn claim(path: &Path, side: u32) {
    let mut ppm = format!("P6\n{side} {side}\n255\n").into_bytes();
    ppm.extend([1, 2, 3]);
    fs::write(path, ppm).unwrap();
}

#[test]
fn what_cannot_be_read_is_named_and_left_out_or_ends_it() {
    let root = tempfile::tempdir().unwrap();
    let photos = root.path().join("photos");
    fs::create_dir(&photos).unwrap();
    grey(&photos, "a.png", 50);
    grey(&photos, "c.png", 250);
    grey(&photos, "whole.png", 90);
    let whole = fs::read(photos.join("whole.png")).unwrap();
    fs::write(photos.join("b-torn.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(photos.join("d-empty.jpg"), "").unwrap();
    claim(&photos.join("e-huge.ppm"), 4_000_000);
    claim(&photos.join("f-large.ppm"), 60_000);
    let film = root.path().join("film.mp4");
    let flags = ["--size", "128x72", "--seconds", "0.4"];
    let with = |more: &[&str]| {
        let all = args![&photos, "-o", &film].into_iter();
        slideshow(all.chain(flags.iter().chain(more).map(OsString::from)))
    };
    let output = with(&["--on-error", "stop"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(names(root.path()).len(), 8, "{:?}", names(root.path()));
    let output = with(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    for name in ["b-torn.png", "d-empty.jpg", "e-huge.ppm", "f-large.ppm"] {
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
    }
    assert_eq!(titles(&film), ["a", "c", "whole"]);
    assert_eq!(frames(&film, 128, 72).len(), 36);
    assert_even_clock(&film, 36);
    assert!(leftovers(root.path()).is_empty());
}

/// One packet for each of so many frames, 30 a second: also where the encoder began anew,
/// since what it was told of slides that were left out held no more.
fn assert_even_clock(film: &Path, frames: usize) {
    let entries = "packet=pts_time,dts_time";
    let told = ffprobe(
        &[
            "-select_streams",
            "v",
            "-show_entries",
            entries,
            "-of",
            "csv=p=0",
        ],
        film,
    );
    let ticks = |line: &str| -> Vec<i64> {
        let times = line.trim_end_matches(',').split(',');
        times
            .map(|time| (time.parse::<f64>().unwrap() * 30.0).round() as i64)
            .collect()
    };
    let packets: Vec<Vec<i64>> = told.lines().map(ticks).collect();
    let mut shown: Vec<i64> = packets.iter().map(|packet| packet[0]).collect();
    shown.sort_unstable();
    assert_eq!(shown, (0..frames as i64).collect::<Vec<_>>());
    assert!(
        packets.windows(2).all(|two| two[0][1] < two[1][1]),
        "{packets:?}"
    );
}

#[test]
fn nothing_to_show_is_no_film() {
    let root = tempfile::tempdir().unwrap();
    let empty = root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let film = root.path().join("film.mp4");
    let output = slideshow(args![&empty, "-o", &film]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("there are no pictures in"),
        "{}",
        stderr(&output)
    );
    fs::write(empty.join("a.png"), "no picture").unwrap();
    let output = slideshow(args![&empty, "-o", &film]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!film.exists() && leftovers(root.path()).is_empty());
}

#[test]
fn a_film_that_is_there_stays_unless_it_is_said_otherwise() {
    let root = tempfile::tempdir().unwrap();
    let photo = grey(root.path(), "a.png", 80);
    let film = root.path().join("film.mp4");
    fs::write(&film, "somebody's").unwrap();
    let with = |exists: &str| {
        let flags = args!["--size", "64x64", "--seconds", "0.1", "--exists", exists];
        let output = slideshow(args![&photo, "-o", &film].into_iter().chain(flags));
        output.status.code().unwrap()
    };
    assert_eq!((with("skip"), with("error"), with("rename")), (0, 2, 0));
    assert_eq!(fs::read(&film).unwrap(), b"somebody's");
    assert_eq!(titles(&root.path().join("film (2).mp4")), ["a"]);
    assert_eq!(with("overwrite"), 0);
    assert_eq!(titles(&film), ["a"]);
    // A picture is not written over, whatever it is called.
    let picture = root.path().join("picture.mp4");
    fs::copy(&photo, &picture).unwrap();
    let output = slideshow(args![&picture, "-o", &picture, "--exists", "overwrite"]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert_eq!(fs::read(&picture).unwrap(), fs::read(&photo).unwrap());
}

#[test]
fn three_hundred_pictures_take_less_than_500_mib() {
    let root = tempfile::tempdir().unwrap();
    let photos = root.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for number in 0..300 {
        grey(&photos, &format!("{number}.png"), (number % 200 + 20) as u8);
    }
    let film = root.path().join("film.mp4");
    let mut child = rushes()
        .args(args![
            "slideshow",
            &photos,
            "-o",
            &film,
            "-q",
            "--speed",
            "ultrafast"
        ])
        .args(["--seconds", "0.1", "--transition-seconds", "0.03"])
        .spawn()
        .unwrap();
    let used = child.wait4().unwrap();
    assert!(used.status.success());
    assert!(
        used.rusage.maxrss < 500 << 20,
        "{} bytes",
        used.rusage.maxrss
    );
    assert_eq!(chapters(&film).len(), 300);
    let count = [
        "-select_streams",
        "v:0",
        "-count_packets",
        "-show_entries",
        "stream=nb_read_packets",
        "-of",
        "csv=p=0",
    ];
    assert_eq!(ffprobe(&count, &film), "900");
}

#[test]
fn a_stopped_slideshow_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let photo = grey(root.path(), "a.png", 80);
    let film = root.path().join("out/film.mp4");
    let child = rushes()
        .args(args![
            "slideshow",
            &photo,
            "-o",
            &film,
            "--seconds",
            "600",
            "-q"
        ])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let part = || part_of(&root.path().join("out"), "film.mp4");
    let began = wait_for(Duration::from_secs(30), || {
        part().is_some_and(|part| fs::metadata(part).is_ok_and(|data| data.len() > 0))
    });
    assert!(began);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(names(&root.path().join("out")), Vec::<String>::new());
}

#[test]
fn a_slideshow_plays_in_a_browser() {
    let Some(program) = browser::find() else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let photos = root.path().join("photos");
    fs::create_dir(&photos).unwrap();
    for (number, level) in LEVELS.iter().enumerate() {
        grey(&photos, &format!("{number}.png"), *level);
    }
    let film = root.path().join("film.mp4");
    made(args![
        &photos,
        "-o",
        &film,
        "--size",
        "1280x720",
        "--seconds",
        "1",
        "--title",
        "Greys"
    ]);
    let seen = &browser::look(&program, &[film])[0];
    assert_eq!(seen.error, None, "{seen:?}");
    assert!(
        seen.can_play && seen.ended && seen.frames_shown > 1,
        "{seen:?}"
    );
    assert_eq!((seen.width, seen.height), (1280, 720));
    assert!((seen.duration_s - 6.0).abs() < 0.05, "{seen:?}");
    assert_eq!(seen.audio_bytes, 0);
    assert!(
        (seen.sought_s - 3.0).abs() < 0.2 && seen.last_frame_s > 5.5,
        "{seen:?}"
    );
}

#[test]
fn events_tell_of_what_was_left_out_and_what_was_made() {
    let root = tempfile::tempdir().unwrap();
    let photo = grey(root.path(), "a.png", 80);
    let broken = root.path().join("b.png");
    fs::write(&broken, "no picture").unwrap();
    let film = root.path().join("film.mp4");
    let flags = args!["--json", "--size", "64x64", "--seconds", "0.2"];
    let output = slideshow(args![&photo, &broken, "-o", &film].into_iter().chain(flags));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let events = events(&output);
    assert_eq!(events[0]["event"], "picture_left_out");
    let last = events.last().unwrap();
    assert_eq!(
        (&last["event"], &last["frames"], &last["left_out"]),
        (&"film_made".into(), &6.into(), &1.into())
    );
}

#[test]
fn a_moving_picture_moves_without_a_tremble_and_its_caption_stands_still() {
    let root = tempfile::tempdir().unwrap();
    let (photo, film) = (root.path().join("disc.png"), root.path().join("film.mp4"));
    RgbImage::from_fn(1280, 720, |x, y| {
        let away = (f64::from(x) - 500.0).hypot(f64::from(y) - 250.0);
        Rgb([((41.0 - away).clamp(0.0, 1.0) * 220.0) as u8; 3])
    })
    .save(&photo)
    .unwrap();
    let (width, height) = (640, 360);
    let flags = args![
        "--size",
        "640x360",
        "--seconds",
        "2",
        "--motion",
        "--crf",
        "4"
    ];
    made(
        args![&photo, "-o", &film, "--captions", "names"]
            .into_iter()
            .chain(flags),
    );
    let frames = frames(&film, width, height);
    assert_eq!(frames.len(), 60);
    // What is above the caption.
    let centre = |frame: &Vec<u8>| {
        let (mut sum, mut across) = (0.0, 0.0);
        for row in frame.chunks_exact(width).take(height * 3 / 4) {
            for (column, level) in row.iter().enumerate() {
                let weight = f64::from(level.saturating_sub(40));
                sum += weight;
                across += weight * column as f64;
            }
        }
        across / sum
    };
    let places: Vec<f64> = frames.iter().map(centre).collect();
    let steps: Vec<f64> = places.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((places[59] - places[0]).abs() > 5.0, "{places:?}");
    assert!(steps.iter().all(|step| step * steps[0] > 0.0), "{steps:?}");
    let bends: Vec<f64> = steps.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(bends.iter().all(|bend| bend.abs() < 0.12), "{bends:?}");
    let plate = |frame: &Vec<u8>| mean(&frame[width * 320..width * 330]);
    assert!((plate(&frames[0]) - plate(&frames[59])).abs() < 0.5);
}

#[test]
fn what_cover_cuts_is_seen_from_end_to_end_while_the_camera_moves() {
    let root = tempfile::tempdir().unwrap();
    let (photo, film) = (root.path().join("tall.png"), root.path().join("film.mp4"));
    // Brighter line by line: where the camera is, is how bright its middle is.
    RgbImage::from_fn(320, 400, |_, y| Rgb([(y * 250 / 399) as u8; 3]))
        .save(&photo)
        .unwrap();
    let flags = args!["--size", "320x180", "--seconds", "2"];
    let moving = args!["--motion", "--fit", "cover", "--crf", "4"];
    made(
        args![&photo, "-o", &film]
            .into_iter()
            .chain(flags)
            .chain(moving),
    );
    let frames = frames(&film, 320, 180);
    assert_eq!(frames.len(), 60);
    let brightness: Vec<f64> = frames.iter().map(|frame| mean(frame)).collect();
    assert!(brightness.is_sorted(), "{brightness:?}");
    let steps = brightness.windows(2).map(|pair| pair[1] - pair[0]);
    assert!(steps.fold(0.0, f64::max) < 5.0, "{brightness:?}");
    // The first line of the first frame is the picture's first, and so is the last of the last.
    let (first, last) = (&frames[0][..320], &frames[59][320 * 179..320 * 180]);
    assert!(mean(first) < 20.0, "{}", mean(first));
    assert!(mean(last) > 228.0, "{}", mean(last));
}

/// A JPEG of 16×16 pixels of four inks: no cyan, 80 % of magenta and yellow, 20 % of black.
const INKS: &str = "\
    ffd8ffee000e41646f626500640000000000ffdb004300030202030202030303030403030405080505040405\
    0a070706080c0a0c0c0b0a0b0b0d0e12100d0e110e0b0b1016101113141515150c0f171816141812141514ff\
    c000140800100010044311004d11005911004b1100ffc4001f00000105010101010101000000000000000001\
    02030405060708090a0bffc400b5100002010303020403050504040000017d01020300041105122131410613\
    516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a\
    434445464748494a535455565758595a636465666768696a737475767778797a838485868788898a92939495\
    969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3\
    e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9faffda000e0443004d0059004b00003f00fd53af8cabe32afb2e8a28\
    a28a28a28a28a2bfffd9";

#[test]
fn a_picture_of_four_inks_has_its_colours() {
    let root = tempfile::tempdir().unwrap();
    let (photo, film) = (root.path().join("inks.jpg"), root.path().join("film.mp4"));
    let bytes = INKS.as_bytes().chunks_exact(2).map(|two| {
        let two = std::str::from_utf8(two).unwrap();
        u8::from_str_radix(two, 16).unwrap()
    });
    fs::write(&photo, bytes.collect::<Vec<u8>>()).unwrap();
    made(args![
        &photo,
        "-o",
        &film,
        "--size",
        "64x64",
        "--seconds",
        "0.1",
        "--crf",
        "4"
    ]);
    // Red is 204, green and blue are 41.
    let expected = 16.0 + (0.2126 * 204.0 + 0.7874 * 41.0) * 219.0 / 255.0;
    let found = mean(&frames(&film, 64, 64)[0]);
    assert!((found - expected).abs() < 2.0, "{found} {expected}");
}

#[test]
fn letters_that_no_font_has_are_told_once() {
    let root = tempfile::tempdir().unwrap();
    let (photo, film) = (root.path().join("a.png"), root.path().join("film.mp4"));
    fs::rename(grey(root.path(), "b.png", 90), &photo).unwrap();
    let words = |title: &str| {
        let flags = args![
            "--size",
            "64x64",
            "--seconds",
            "0.1",
            "--exists",
            "overwrite"
        ];
        let output = slideshow(
            args![&photo, "-o", &film, "--title", title]
                .into_iter()
                .chain(flags),
        );
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(words("映画 and 映").contains("boxes for 映画"));
    assert!(!words("Ünï Ж").contains("boxes"));
}
