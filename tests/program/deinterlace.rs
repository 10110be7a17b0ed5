//! Pictures of two fields: which become whole, and which are left as they are.

use std::path::Path;
use std::process::Command;

use crate::common::{self, DISPATCHES, decoded, ffmpeg, have, run, stderr, stdout, succeed};

/// One second of moving fields, the upper one first, and encoded so.
fn fields(path: &Path, codec: &[&str]) {
    let source = "testsrc2=size=720x576:rate=50:duration=1,tinterlace=interleave_top,setfield=tff";
    let mut arguments = vec!["-f", "lavfi", "-i", source, "-flags", "+ilme+ildct"];
    arguments.extend(codec);
    ffmpeg(arguments, path);
}

const H264: [&str; 6] = [
    "-c:v",
    "libx264",
    "-x264-params",
    "tff=1",
    "-pix_fmt",
    "yuv420p",
];

/// How many pictures of a file look like two fields, by libav's own detector; of
/// numbered pictures where the name is a pattern.
fn combed(path: &Path) -> u32 {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(path)
        // Colours of red, green and blue mislead it.
        .args(["-vf", "format=gray,idet", "-f", "null", "-"])
        .output()
        .unwrap();
    let said = stderr(&output);
    // The last line: newer programs set the filters up twice, first without a frame.
    let line = said
        .lines()
        .rfind(|line| line.contains("Single frame"))
        .unwrap();
    let count = |name: &str| -> u32 {
        let after = line.split(name).nth(1).unwrap().trim_start();
        after.split_whitespace().next().unwrap().parse().unwrap()
    };
    count("TFF:") + count("BFF:")
}

fn convert(dispatch: &str, source: &Path, out: &Path, more: &[&str]) {
    let mut arguments = args!["convert", "-q", source, "-o", out, "--dispatch", dispatch].to_vec();
    arguments.extend(more.iter().map(std::ffi::OsString::from));
    succeed(arguments);
}

#[test]
fn marked_pictures_become_whole_unless_told_otherwise() {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let sources: [(&str, &[&str]); 3] = [
        ("camera.mp4", &H264),
        ("disc.mpg", &["-c:v", "mpeg2video", "-b:v", "4M"]),
        // The container does not tell; each picture does.
        ("tape.avi", &["-c:v", "dvvideo", "-pix_fmt", "yuv420p"]),
    ];
    for (name, codec) in sources {
        let source = root.path().join(name);
        fields(&source, codec);
        assert!(combed(&source) > 20, "{name}: {}", combed(&source));
        for dispatch in DISPATCHES {
            for (flags, is_combed) in [
                (&["--speed", "ultrafast"][..], false),
                (&["--deinterlace", "off", "--speed", "ultrafast"], true),
                (&["--deinterlace", "on", "--speed", "ultrafast"], false),
            ] {
                let out = root
                    .path()
                    .join(format!("{name}-{dispatch}-{}", flags.join("")));
                convert(dispatch, &source, &out, flags);
                let result = out.join(name).with_extension("mp4");
                let found = combed(&result);
                assert_eq!(found > 3, is_combed, "{name} {dispatch} {flags:?}: {found}");
                assert_eq!(
                    decoded(&result).frames.len(),
                    25,
                    "{name} {dispatch} {flags:?}"
                );
            }
        }
    }
}

#[test]
fn pictures_taken_of_marked_ones_are_whole_unless_told_otherwise() {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let sources: [(&str, &[&str]); 2] = [
        ("camera.mp4", &H264),
        ("tape.avi", &["-c:v", "dvvideo", "-pix_fmt", "yuv420p"]),
    ];
    for (name, codec) in sources {
        let source = root.path().join(name);
        fields(&source, codec);
        let stem = source.file_stem().unwrap();
        // One after the other, and sought for.
        for pick in [["--nth", "1"], ["--every", "40ms"]] {
            for which in ["auto", "on", "off"] {
                let mut engines = Vec::new();
                for dispatch in DISPATCHES {
                    let out = root
                        .path()
                        .join(format!("{name}-{dispatch}-{which}{}", pick[0]));
                    let mut arguments = args![
                        "frames",
                        "-q",
                        &source,
                        "-o",
                        &out,
                        "--dispatch",
                        dispatch,
                        "--format",
                        "png",
                        "--deinterlace",
                        which
                    ]
                    .to_vec();
                    arguments.extend(pick.map(std::ffi::OsString::from));
                    succeed(arguments);
                    let pictures = out.join(stem);
                    let found = combed(&pictures.join("%06d.png"));
                    let told = format!("{name} {dispatch} {which} {pick:?}: {found}");
                    assert_eq!(found > 3, which == "off", "{told}");
                    engines.push(std::fs::read(pictures.join("000012.png")).unwrap());
                }
                let same = engines.windows(2).all(|pair| pair[0] == pair[1]);
                assert!(same, "{name} {which} {pick:?}");
            }
        }
    }
}

#[test]
fn whole_pictures_pass_untouched_with_their_times() {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let source = root.path().join("film.avi");
    // The container does not tell, so the filter is there.
    let drawn = "testsrc2=size=320x240:duration=1";
    ffmpeg(
        ["-f", "lavfi", "-i", drawn, "-c:v", "mpeg4", "-bf", "2"],
        &source,
    );
    let [auto, off] = ["auto", "off"].map(|which| {
        let out = root.path().join(which);
        convert("threads", &source, &out, &["--deinterlace", which]);
        decoded(&out.join("film.mp4"))
    });
    assert_eq!(auto.difference(&off), None);
}

#[test]
fn what_would_show_combs_is_not_copied_unless_that_was_asked_for() {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let source = root.path().join("camera.mp4");
    fields(&source, &H264);
    for (flags, is_copied) in [
        (&["--preset", "web"][..], false),
        (&["--preset", "web", "--deinterlace", "off"], true),
        (&["--preset", "web", "--deinterlace", "on"], false),
        (&["--preset", "remux"], true),
        (&["--vcodec", "copy"], true),
        (&["--vcodec", "copy", "--deinterlace", "auto"], true),
    ] {
        let mut arguments = args![
            "convert",
            "--dry-run",
            &source,
            "-o",
            root.path().join("out")
        ]
        .to_vec();
        arguments.extend(flags.iter().map(std::ffi::OsString::from));
        let said = stdout(&succeed(arguments));
        assert_eq!(
            said.contains("copy video 0"),
            is_copied,
            "{flags:?}: {said}"
        );
    }
}

#[test]
fn to_copy_and_to_make_whole_contradict_each_other() {
    let root = tempfile::tempdir().unwrap();
    for by in ["--vcodec copy", "--preset remux", "--vcodec none"] {
        let mut arguments =
            args!["convert", common::tiny(), "-o", root.path().join("out")].to_vec();
        arguments.extend(by.split(' ').map(std::ffi::OsString::from));
        arguments.extend(["--deinterlace", "on"].map(std::ffi::OsString::from));
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{by}");
        let said = stderr(&output);
        assert!(
            said.contains(by) && said.contains("--deinterlace on"),
            "{said}"
        );
    }
}
