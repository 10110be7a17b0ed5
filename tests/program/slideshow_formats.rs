//! `rushes slideshow`: music, and films that are no mp4.

#[allow(dead_code, reason = "each test file uses a part of it")]
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::slides::*;
use crate::common::*;

/// A tone of full strength.
fn tone(folder: &Path, name: &str, seconds: f64) -> PathBuf {
    let path = folder.join(name);
    let wave = "0.5*sin(2764.6*t)";
    let source = format!("aevalsrc={wave}|{wave}:s=44100:d={seconds}");
    ffmpeg(["-f", "lavfi", "-i", &source], &path);
    path
}

/// How loud every tenth of a second of a film is: 0 to 1.
fn loudness(film: &Path) -> Vec<f64> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(film)
        .args([
            "-map", "0:a:0", "-ac", "1", "-ar", "48000", "-f", "s16le", "-",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let samples: Vec<f64> = output
        .stdout
        .chunks_exact(2)
        .map(|two| f64::from(i16::from_le_bytes([two[0], two[1]])) / 32768.0)
        .collect();
    let root_mean_square = |tenth: &[f64]| {
        let squares = tenth.iter().map(|sample| sample * sample);
        (squares.sum::<f64>() / tenth.len() as f64).sqrt()
    };
    samples.chunks_exact(4800).map(root_mean_square).collect()
}

fn three_greys(folder: &Path) -> PathBuf {
    let photos = folder.join("photos");
    fs::create_dir(&photos).unwrap();
    for (number, level) in [60, 200, 120].into_iter().enumerate() {
        grey(&photos, &format!("{number}.png"), level);
    }
    photos
}

#[test]
fn music_is_repeated_and_cut_to_the_films_length_and_fades_in_and_out() {
    let root = tempfile::tempdir().unwrap();
    let photos = three_greys(root.path());
    let songs = [
        tone(root.path(), "a.mp3", 0.7),
        tone(root.path(), "b.ogg", 1.1),
    ];
    let film = root.path().join("film.mp4");
    let flags = args!["--size", "64x64", "--seconds", "2", "--fps", "30000/1001"];
    let music = args!["--music", &songs[0], &songs[1]];
    made(
        args![&photos, "-o", &film]
            .into_iter()
            .chain(flags)
            .chain(music),
    );
    let told = |stream: &str| {
        let entries = "stream=codec_name,sample_rate,channels,duration";
        let arguments = [
            "-select_streams",
            stream,
            "-show_entries",
            entries,
            "-of",
            "csv=p=0",
        ];
        ffprobe(&arguments, &film)
    };
    assert_eq!(told("a"), "aac,48000,2,6.006000");
    assert!(told("v").ends_with(",6.006000"), "{}", told("v"));
    let loud = loudness(&film);
    let whole = 0.5 / 2_f64.sqrt();
    assert!(loud.len() == 60, "{loud:?}");
    // The first second comes in, the last one and a half go.
    assert!(loud[0] < 0.05 && loud[..10].is_sorted(), "{loud:?}");
    let middle = &loud[11..43];
    assert!(middle.iter().all(|level| *level > whole * 0.6), "{loud:?}");
    let mean = middle.iter().sum::<f64>() / middle.len() as f64;
    assert!((mean - whole).abs() < 0.03, "{loud:?}");
    assert!(
        loud[59] < 0.03 && loud[48..].is_sorted_by(|a, b| a >= b),
        "{loud:?}"
    );
}

#[test]
fn a_storyboard_names_music_from_its_own_folder() {
    let root = tempfile::tempdir().unwrap();
    three_greys(root.path());
    tone(&root.path().join("photos"), "long.wav", 9.0);
    let (board, film) = (
        root.path().join("photos/board.toml"),
        root.path().join("film.mp4"),
    );
    let text = "[film]\nsize = '64x64'\nmusic = ['long.wav']\n[[slide]]\npicture = '0.png'\n";
    fs::write(&board, text).unwrap();
    made(args![&board, "-o", &film]);
    let loud = loudness(&film);
    assert!(
        (30..=31).contains(&loud.len()) && loud[15] > 0.3,
        "{loud:?}"
    );
}

#[test]
fn what_is_no_music_is_named_and_nothing_is_made() {
    let root = tempfile::tempdir().unwrap();
    let photos = three_greys(root.path());
    let mute = root.path().join("mute.mp4");
    ffmpeg(
        ["-f", "lavfi", "-i", "testsrc=size=64x64:duration=0.2"],
        &mute,
    );
    let (torn, absent) = (root.path().join("torn.mp3"), root.path().join("absent.mp3"));
    fs::write(&torn, "no sound").unwrap();
    let film = root.path().join("film.mp4");
    for song in [&mute, &torn, &absent, &photos, &photos.join("0.png")] {
        let output = slideshow(args![&photos, "-o", &film, "--music", song]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(
            said.contains(song.to_str().unwrap()) && said.len() < 500,
            "{said}"
        );
        assert!(!film.exists() && leftovers(root.path()).is_empty());
    }
    let output = slideshow(args!["-o", &film, "--music", &mute, &photos]);
    assert!(
        stderr(&output).contains("--music takes all"),
        "{}",
        stderr(&output)
    );
    let gif = root.path().join("film.gif");
    let output = run(args!["slideshow", &photos, "-o", &gif, "--music", &mute]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn a_webm_is_vp9_and_opus_with_chapters_that_begin_with_key_frames() {
    let root = tempfile::tempdir().unwrap();
    let photos = three_greys(root.path());
    let song = tone(root.path(), "a.wav", 1.0);
    let film = root.path().join("film.webm");
    let output = run(args![
        "slideshow",
        &photos,
        "-o",
        &film,
        "--size",
        "128x72",
        "--seconds",
        "1",
        "--speed",
        "8",
        "--music",
        &song
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let entries = "stream=codec_name,pix_fmt,color_space";
    let streams = ffprobe(&["-show_entries", entries, "-of", "csv=p=0"], &film);
    assert_eq!(streams, "vp9,yuv420p,bt709\nopus");
    assert_eq!(titles(&film), ["0", "1", "2"]);
    assert_eq!(frames(&film, 128, 72).len(), 90);
    let keys = key_times(&film);
    let chapters = chapters(&film);
    for (start, ..) in &chapters {
        assert!(
            keys.iter().any(|key| (key - start).abs() < 0.02),
            "{keys:?} {chapters:?}"
        );
    }
    assert!((loudness(&film).len() as i64 - 30).abs() <= 1);
    let begins = ffprobe(
        &[
            "-show_entries",
            "stream=start_time",
            "-of",
            "csv=p=0",
            "-select_streams",
            "v",
        ],
        &film,
    );
    assert_eq!(begins, "0.000000", "the first picture is seen at once");
}

#[test]
fn a_gif_shows_the_same_slides_in_their_colours() {
    let root = tempfile::tempdir().unwrap();
    let photos = three_greys(root.path());
    let film = root.path().join("film.gif");
    let output = run(args![
        "slideshow",
        &photos,
        "-o",
        &film,
        "--seconds",
        "0.8",
        "--size",
        "128x72"
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let entries = "stream=codec_name,r_frame_rate";
    assert_eq!(
        ffprobe(&["-show_entries", entries, "-of", "csv=p=0"], &film),
        "gif,25/2"
    );
    let shown = ffmpeg_grey(&film, 128 * 72);
    assert_eq!(shown.len(), 30);
    for (frame, level) in [(0, 60.0), (11, 200.0), (25, 120.0), (29, 120.0)] {
        let found = mean(&shown[frame]);
        assert!((found - level).abs() < 3.0, "frame {frame}: {found}");
    }
    let wrong = run(args!["slideshow", &photos, "-o", &film, "--crf", "3"]);
    assert_eq!(wrong.status.code(), Some(2));
}

/// Frames of a GIF as full-range grey.
fn ffmpeg_grey(path: &Path, pixels: usize) -> Vec<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(path)
        .args(["-vf", "format=rgb24,extractplanes=g", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let frames = output.stdout.chunks_exact(pixels);
    frames.map(<[u8]>::to_vec).collect()
}

#[test]
fn name_and_format_must_fit() {
    let root = tempfile::tempdir().unwrap();
    let photos = three_greys(root.path());
    for (name, more) in [
        ("film.mkv", vec![]),
        ("film", vec![]),
        ("film.gif", vec!["--format", "webm"]),
        ("film.webm", vec!["--speed", "medium"]),
    ] {
        let film = root.path().join(name);
        let flags = args!["slideshow", &photos, "-o", &film];
        let output = run(flags.into_iter().chain(more.into_iter().map(Into::into)));
        assert_eq!(output.status.code(), Some(2), "{name}: {}", stderr(&output));
        assert!(!film.exists());
    }
}

#[test]
fn bit_rates_are_those_that_are_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let photos = three_greys(root.path());
    let song = tone(root.path(), "a.wav", 1.0);
    let film = root.path().join("film.mp4");
    let flags = args![
        "slideshow",
        &photos,
        "-o",
        &film,
        "--size",
        "128x72",
        "--verbose"
    ];
    let rates = args!["--bitrate", "123k", "--abitrate", "48k", "--music", &song];
    let output = run([&flags[..], &rates].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("[[slide]]"), "{}", stderr(&output));
    let bytes = std::fs::read(&film).unwrap();
    let told = String::from_utf8_lossy(&bytes);
    assert!(
        told.contains("rc=abr") && told.contains("bitrate=123 "),
        "as x264 tells"
    );
    let entries = [
        "-select_streams",
        "a",
        "-show_entries",
        "stream=bit_rate",
        "-of",
        "csv=p=0",
    ];
    let sound: f64 = ffprobe(&entries, &film).trim().parse().unwrap();
    assert!(
        (20e3..80e3).contains(&sound),
        "{sound} b/s, and 192k are usual"
    );

    for (name, flag) in [("a.gif", "--bitrate=1M"), ("a.gif", "--abitrate=48k")] {
        let output = run(args![
            "slideshow",
            &photos,
            "-o",
            root.path().join(name),
            flag
        ]);
        assert_eq!(output.status.code(), Some(2), "{flag}");
        let named = flag.split('=').next().unwrap();
        assert!(stderr(&output).contains(named), "{}", stderr(&output));
    }
}
