//! Each property of a stream arrives in each container, or a warning names it.
//!
//! What arrived is read by `ffprobe`, never by the code under test.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::source::Source;
use crate::common::{ENGINES, ffmpeg, ffprobe, rushes, shared_media, stderr};

/// Streams with all that Matroska stores about them; text in `subtitles`.
fn source(root: &Path) -> PathBuf {
    let (path, subtitles, chapters) = (
        root.join("in/a.mkv"),
        root.join("a.srt"),
        root.join("chapters.txt"),
    );
    fs::create_dir(root.join("in")).unwrap();
    fs::write(&subtitles, "1\n00:00:00,100 --> 00:00:00,900\nword\n").unwrap();
    fs::write(
        &chapters,
        ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=one\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\ntitle=two\n",
    )
    .unwrap();
    let (subtitles, chapters) = (subtitles.display(), chapters.display());
    let arguments = format!(
        "-f lavfi -i testsrc2=size=160x120:duration=1 -f lavfi -i sine=duration=1 \
         -f lavfi -i anullsrc=channel_layout=5.1:sample_rate=48000:duration=1 \
         -i {subtitles} -f ffmetadata -i {chapters} -map 0 -map 1 -map 2 -map 3 -map_chapters 4 \
         -c:v libx264 -pix_fmt yuv420p -c:a aac -c:s srt \
         -vf setsar=4/3,setparams=color_primaries=smpte170m:color_trc=smpte170m:colorspace=smpte170m \
         -metadata:s:v title=Picture -metadata:s:v language=fre \
         -metadata:s:a:0 title=Director -metadata:s:a:0 language=ger \
         -metadata:s:a:1 language=en-US -metadata:s:s title=Signs -metadata:s:s language=jpn \
         -metadata:s:v timecode=01:02:03:04 \
         -disposition:v default -disposition:a:0 default+comment \
         -disposition:a:1 original+visual_impaired -disposition:s forced+hearing_impaired"
    );
    ffmpeg(arguments.split_whitespace(), &path);
    path
}

/// What `ffprobe` prints of one entry of the streams of a kind.
fn probed(path: &Path, stream: &str, entries: &str) -> String {
    let arguments = ["-select_streams", stream, "-show_entries", entries];
    ffprobe(&[&arguments[..], &["-of", "default=nw=1"]].concat(), path)
}

/// A property: where `ffprobe` shows it, what it shows of one that arrived, and what a warning
/// about a lost one contains.
struct Row {
    stream: &'static str,
    entries: &'static str,
    shown: &'static [&'static str],
    words: &'static str,
}

const fn row(
    stream: &'static str,
    entries: &'static str,
    shown: &'static [&'static str],
    words: &'static str,
) -> Row {
    Row {
        stream,
        entries,
        shown,
        words,
    }
}

const TAGS: &str = "stream_tags";
const MARKS: &str = "stream_disposition";

const ROWS: [Row; 18] = [
    row("v:0", TAGS, &["=Picture"], "title 'Picture'"),
    row(
        "v:0",
        TAGS,
        &["language=fre", "language=fra"],
        "language 'fre'",
    ),
    row("v:0", TAGS, &["01:02:03:04"], "timecode"),
    row("v:0", MARKS, &["default=1"], "mark 'default'"),
    row(
        "v:0",
        "stream=color_primaries",
        &["smpte170m"],
        "colour primaries",
    ),
    row(
        "v:0",
        "stream=color_transfer",
        &["smpte170m"],
        "colour transfer",
    ),
    row("v:0", "stream=color_space", &["smpte170m"], "colour matrix"),
    row(
        "v:0",
        "stream=display_aspect_ratio",
        &["16:9", "71:40"],
        "aspect",
    ),
    row("a:0", TAGS, &["=Director"], "title 'Director'"),
    row("a:0", TAGS, &["language=ger"], "language 'ger'"),
    row("a:0", MARKS, &["comment=1"], "mark 'comment'"),
    row("a:1", TAGS, &["language=en-US"], "language 'en-US'"),
    row("a:1", "stream=channels", &["channels=6"], "channels"),
    row("a:1", MARKS, &["original=1"], "mark 'original'"),
    row(
        "a:1",
        MARKS,
        &["visual_impaired=1"],
        "mark 'visual_impaired'",
    ),
    row("s:0", TAGS, &["=Signs"], "title 'Signs'"),
    row("s:0", MARKS, &["forced=1"], "mark 'forced'"),
    row(
        "s:0",
        MARKS,
        &["hearing_impaired=1"],
        "mark 'hearing_impaired'",
    ),
];

/// The properties that a container cannot hold: everything else must arrive.
fn impossible(format: &str) -> &'static [&'static str] {
    match format {
        "mp4" => &["language 'en-US'", "mark 'original'"],
        "mov" => &[
            "language 'en-US'",
            "mark 'original'",
            "mark 'comment'",
            "mark 'visual_impaired'",
            "mark 'forced'",
            "mark 'hearing_impaired'",
        ],
        "webm" => &[
            "mark 'original'",
            "mark 'comment'",
            "mark 'visual_impaired'",
            "mark 'hearing_impaired'",
        ],
        _ => &[],
    }
}

fn check(format: &str, flags: &[&str]) {
    let root = tempfile::tempdir().unwrap();
    let path = source(root.path());
    for dispatch in ENGINES {
        let out = root.path().join(dispatch);
        let mut program = rushes();
        program.args(["convert", "--dispatch", dispatch, "--format", format]);
        let output = program.args(flags).arg(&path).arg("-o").arg(&out).output();
        let output = output.unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{dispatch}: {said}");
        let result = out.join(format!("a.{format}"));
        for row in &ROWS {
            let found = probed(&result, row.stream, row.entries);
            let arrived = row.shown.iter().any(|shown| found.contains(shown));
            let context = format!(
                "{format} {flags:?} {dispatch} {}:\n{found}{said}",
                row.words
            );
            assert_eq!(
                arrived,
                !impossible(format).contains(&row.words),
                "{context}"
            );
            assert_eq!(arrived, !said.contains(row.words), "{context}");
        }
        let chapters = ffprobe(&["-show_chapters", "-of", "default=nw=1"], &result);
        assert_eq!(chapters.matches("TAG:title=").count(), 2, "{chapters}");
    }
}

#[test]
fn every_property_arrives_in_mp4_or_is_named() {
    check("mp4", &["--preset", "remux"]);
    check("mp4", &["--copy", "never", "--speed", "ultrafast"]);
}

#[test]
fn every_property_arrives_in_mov_or_is_named() {
    check("mov", &["--preset", "remux"]);
    check("mov", &["--copy", "never", "--speed", "ultrafast"]);
}

#[test]
fn every_property_arrives_in_mkv_or_is_named() {
    check("mkv", &["--preset", "remux"]);
    check("mkv", &["--copy", "never", "--speed", "ultrafast"]);
}

#[test]
fn every_property_arrives_in_webm_or_is_named() {
    let encoders = ["--vcodec", "libvpx-vp9", "--acodec", "libopus"];
    check("webm", &[&["--copy", "never"], &encoders[..]].concat());
}

#[test]
fn a_dry_run_names_what_a_container_cannot_hold() {
    let root = tempfile::tempdir().unwrap();
    let path = source(root.path());
    let mut program = rushes();
    program.args([
        "convert",
        "--dry-run",
        "--preset",
        "remux",
        "--format",
        "mov",
    ]);
    let output = program.arg(&path).arg("-o").arg(root.path().join("out"));
    let output = output.output().unwrap();
    let said = [
        stderr(&output),
        String::from_utf8_lossy(&output.stdout).into(),
    ]
    .concat();
    for words in impossible("mov") {
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// A phone that is held upright records pictures that lie on their side, and says so.
#[test]
fn a_copy_stays_upright_or_a_warning_says_that_it_does_not() {
    let root = tempfile::tempdir().unwrap();
    let [flat, path] = ["flat.mp4", "in.mp4"].map(|name| root.path().join(name));
    let clip = "-f lavfi -i testsrc2=size=160x120:duration=1 -c:v libx264 -pix_fmt yuv420p";
    ffmpeg(clip.split_whitespace(), &flat);
    turned(&flat, &path);
    for format in ["mp4", "mov", "mkv"] {
        for dispatch in ENGINES {
            let out = root.path().join(format!("{format}-{dispatch}"));
            let mut program = rushes();
            program.args(["convert", "--preset", "remux", "--dispatch", dispatch]);
            let output = program
                .args(["--format", format])
                .arg(&path)
                .arg("-o")
                .arg(&out);
            let said = stderr(&output.output().unwrap());
            let sides = probed(&out.join(format!("in.{format}")), "v:0", "stream_side_data");
            let arrived = sides.contains("rotation=90") || sides.contains("rotation=-90");
            assert_eq!(
                arrived,
                !said.contains("the rotation is lost"),
                "{format}: {said}"
            );
            assert!(arrived || format == "mkv", "{format}: {sides}");
        }
    }
}

/// Writes into the track header that its pictures are to be turned by a quarter. FFmpeg's own
/// flags for that differ between versions.
fn turned(from: &Path, to: &Path) {
    let mut bytes = fs::read(from).unwrap();
    let header = bytes.windows(4).position(|name| name == b"tkhd").unwrap();
    let matrix = [0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30];
    // Version 0 of the box: 40 bytes of flags, times and numbers come before the matrix.
    let at = header + 4 + 40;
    for (index, number) in matrix.iter().enumerate() {
        let place = at + 4 * index;
        bytes[place..place + 4].copy_from_slice(&i32::to_be_bytes(*number));
    }
    fs::write(to, bytes).unwrap();
}

/// A GIF of ten pictures whose last one is shown for 1.8 seconds.
fn long_last_gif(path: &Path) {
    ffmpeg(
        "-f lavfi -i testsrc2=size=160x120:rate=10:duration=1".split_whitespace(),
        path,
    );
    let mut bytes = fs::read(path).unwrap();
    let mark = |four: &[u8]| four == [0x21, 0xf9, 0x04].as_slice();
    let last = bytes.windows(3).rposition(mark).unwrap();
    bytes[last + 4..last + 6].copy_from_slice(&180u16.to_le_bytes());
    fs::write(path, bytes).unwrap();
}

/// The length that the container states, in seconds.
fn length_s(path: &Path) -> f64 {
    let entries = ["-show_entries", "format=duration", "-of", "csv=p=0"];
    ffprobe(&entries, path).trim().parse().unwrap()
}

#[test]
fn the_last_frame_is_shown_as_long_as_in_the_source_or_a_warning_says_that_it_is_not() {
    let root = tempfile::tempdir().unwrap();
    let [gif, mkv, mp4] = ["a.gif", "b.mkv", "c.mp4"].map(|name| root.path().join(name));
    long_last_gif(&gif);
    // Two more containers hold that last frame as long.
    let copy = |to: &Path| {
        let arguments = [
            "-i",
            gif.to_str().unwrap(),
            "-c:v",
            "ffv1",
            "-fps_mode",
            "passthrough",
        ];
        ffmpeg(arguments, to);
    };
    copy(&mkv);
    let sound =
        "-f lavfi -i testsrc2=size=160x120:rate=1/2:duration=4 -c:v libx264 -pix_fmt yuv420p";
    ffmpeg(sound.split_whitespace(), &mp4);
    for (source, name, length) in [(&gif, "a", 2.7), (&mp4, "c", 4.0)] {
        for (format, encoder) in [
            ("mp4", "libx264"),
            ("mp4", "mpeg4"),
            ("mkv", "ffv1"),
            ("mov", "prores_ks"),
        ] {
            for dispatch in ENGINES {
                let out = root
                    .path()
                    .join(format!("{name}-{format}-{encoder}-{dispatch}"));
                let mut program = rushes();
                program.args(["convert", "--copy", "never", "--vcodec", encoder]);
                program.args(["--format", format, "--dispatch", dispatch]);
                let output = program.arg(source).arg("-o").arg(&out).output().unwrap();
                let said = stderr(&output);
                let result = out.join(format!("{name}.{format}"));
                let arrived = (length_s(&result) - length).abs() < 0.15;
                let context = format!("{}: {} s\n{said}", out.display(), length_s(&result));
                assert_eq!(
                    arrived,
                    !said.contains("the last frame is shown for"),
                    "{context}"
                );
                assert!(arrived || dispatch == "processes", "{context}");
            }
        }
    }
}

/// Tags of a whole file in lower case.
fn file_tags(path: &Path) -> String {
    let shown = ffprobe(&["-show_entries", "format_tags", "-of", "flat=h=0"], path);
    shown.to_lowercase()
}

#[test]
fn the_tags_that_an_ogg_has_on_its_streams_become_those_of_the_result() {
    let tags = "-metadata:s:0 artist=Someone -metadata:s:0 title=Name -metadata:s:0 date=1999 \
                -metadata:s:0 language=eng";
    let sound = "-f lavfi -i sine=duration=1";
    let film = format!("-f lavfi -i testsrc2=size=160x120:duration=1 {sound}");
    for (name, arguments, preset, result) in [
        (
            "a.opus",
            format!("{sound} -c:a libopus {tags}"),
            "audio",
            "a.m4a",
        ),
        (
            "a.ogg",
            format!("{sound} -c:a libvorbis {tags}"),
            "audio",
            "a.m4a",
        ),
        (
            "a.ogv",
            format!("{film} -c:v libtheora -c:a libvorbis {tags}"),
            "web",
            "a.mp4",
        ),
    ] {
        let source = Source::made(name, &arguments);
        for (path, terminal) in source.converted(&["--preset", preset], result) {
            let found = file_tags(&path);
            for tag in ["artist=\"someone\"", "title=\"name\"", "date=\"1999\""] {
                assert!(found.contains(tag), "{name}: {found}");
            }
            assert!(!found.contains("language"), "{name}: {found}");
            assert!(!terminal.contains("warning"), "{name}: {terminal}");
        }
    }
}

#[test]
fn a_tag_of_a_stream_arrives_or_a_warning_names_it() {
    let source = Source::made(
        "a.mkv",
        "-f lavfi -i testsrc2=size=160x120:duration=1 -c:v libx264 -pix_fmt yuv420p \
         -metadata:s:0 comment=Seen -metadata:s:0 artist=Someone",
    );
    for (_, terminal) in source.converted(&["--format", "mp4"], "a.mp4") {
        for tag in ["comment", "artist"] {
            let warning = format!("stream 0: the tag '{tag}' is lost: mp4 has no place for it");
            assert!(terminal.contains(&warning), "{terminal}");
        }
    }
    for flags in [
        &["--format", "mkv"][..],
        &["--format", "mkv", "--copy", "never"],
    ] {
        for (path, terminal) in source.converted(flags, "a.mkv") {
            let found = ffprobe(&["-show_entries", "stream_tags=comment,artist"], &path);
            assert!(
                found.contains("=Seen") && found.contains("=Someone"),
                "{found}"
            );
            assert!(!terminal.contains("warning"), "{terminal}");
        }
    }
}

#[test]
fn a_channel_layout_that_the_result_cannot_have_is_a_warning() {
    for (layout, name, flags, warning) in [
        (
            "quad",
            "a.mov",
            &["--preset", "remux", "--format", "mkv"][..],
            "the channel layout 'quad' is lost: mkv has no place for it",
        ),
        (
            "hexagonal",
            "a.mov",
            &["--preset", "audio", "--acodec", "aac"],
            "hexagonal",
        ),
    ] {
        let source = Source::made(
            name,
            &format!(
                "-f lavfi -i testsrc2=size=160x120:duration=1 -f lavfi \
                 -i aevalsrc=0.1|0.1|0.1|0.1|0.1|0.1:c=6.0:d=1,aformat=channel_layouts={layout} \
                 -c:v libx264 -pix_fmt yuv420p -c:a pcm_s16le"
            ),
        );
        for dispatch in ENGINES {
            let ran = source.run("convert", dispatch, flags);
            assert_eq!(ran.code, Some(0), "{layout} {dispatch}: {}", ran.terminal);
            assert!(ran.terminal.contains(warning), "{layout}: {}", ran.terminal);
        }
    }
}

#[test]
fn covers_keep_the_names_by_which_matroska_tells_them_apart() {
    let picture = Source::made("small.png", "-f lavfi -i color=red:size=32x32 -frames:v 1");
    let shown = picture.path.display();
    let source = Source::made(
        "a.mkv",
        &format!(
            "-f lavfi -i testsrc2=size=160x120:duration=1 -c:v libx264 -pix_fmt yuv420p \
             -attach {shown} -metadata:s:1 mimetype=image/png -metadata:s:1 filename=cover.png \
             -attach {shown} -metadata:s:2 mimetype=image/png \
             -metadata:s:2 filename=small_cover.png"
        ),
    );
    for (path, _) in source.converted(&["--format", "mkv"], "a.mkv") {
        let found = ffprobe(&["-show_entries", "stream_tags=filename"], &path);
        for name in ["=cover.png", "=small_cover.png"] {
            assert!(found.contains(name), "{found}");
        }
    }
}

#[test]
fn closed_captions_arrive_or_a_warning_says_that_they_did_not() {
    let Some(media) = shared_media("good") else {
        return;
    };
    let source = Source::of(&media.join("ax_fragmented_captions.mp4"));
    let warning = "stream 0: its closed captions did not arrive";
    let captions = |path: &Path| {
        let entries = [
            "-show_frames",
            "-show_entries",
            "frame_side_data=side_data_type",
        ];
        ffprobe(&entries, path).contains("Closed Captions")
    };
    assert!(captions(&source.path));
    let fast = ["--copy", "never", "--speed"];
    for (flags, format) in [
        (&[&fast[..], &["ultrafast"]].concat()[..], "mp4"),
        (&["--preset", "remux"], "mkv"),
        (&["--preset", "hevc", "--speed", "ultrafast"], "mp4"),
        (&["--preset", "proxy"], "mov"),
    ] {
        for (path, terminal) in source.converted(flags, &format!("ax_fragmented_captions.{format}"))
        {
            let is_lost = terminal.contains(warning);
            assert_eq!(is_lost, !captions(&path), "{flags:?}: {terminal}");
        }
    }
}
