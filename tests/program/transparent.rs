//! Transparent sources: what can hold that keeps it, and what cannot says so.

use std::path::{Path, PathBuf};

use crate::common::{DISPATCHES, ffmpeg, have, stderr, stdout, succeed};

/// Half a second of red that is seen on the left and not on the right: VP9, which
/// holds that apart, and QuickTime Animation, whose pixels do.
fn sources(root: &Path) -> [PathBuf; 2] {
    let drawn = "color=red:size=64x48:rate=10:duration=0.5,format=yuva420p,\
                 geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='if(lt(X,32),255,0)'";
    let webm = root.join("apart.webm");
    ffmpeg(
        [
            "-f",
            "lavfi",
            "-i",
            drawn,
            "-c:v",
            "libvpx-vp9",
            "-crf",
            "10",
            "-metadata:s:v:0",
            "alpha_mode=1",
        ],
        &webm,
    );
    let mov = root.join("within.mov");
    ffmpeg(["-f", "lavfi", "-i", drawn, "-c:v", "qtrle"], &mov);
    [webm, mov]
}

/// How opaque a picture is on its left and on its right side, from 0 to 255.
fn opacity(picture: &Path) -> (u8, u8) {
    let pixels = image::open(picture).unwrap().to_rgba8();
    (pixels.get_pixel(8, 24)[3], pixels.get_pixel(56, 24)[3])
}

#[test]
fn pictures_of_formats_that_can_be_are_transparent_where_the_source_is() {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    for source in sources(root.path()) {
        let stem = source.file_stem().unwrap().to_owned();
        for dispatch in DISPATCHES {
            for format in ["png", "webp"] {
                let out = root
                    .path()
                    .join(format!("{}-{dispatch}-{format}", stem.display()));
                let said = succeed(args![
                    "frames",
                    &source,
                    "-o",
                    &out,
                    "--count",
                    "2",
                    "--format",
                    format,
                    "--dispatch",
                    dispatch
                ]);
                assert!(!stderr(&said).contains("transparent"), "{}", stderr(&said));
                let picture = out.join(&stem).join(format!("000002.{format}"));
                let (left, right) = opacity(&picture);
                assert!(left > 240 && right < 15, "{dispatch}: {left} {right}");
            }
        }
    }
}

#[test]
fn what_cannot_be_transparent_says_so_once() {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let told = "what is transparent becomes opaque in";
    for source in sources(root.path()) {
        let out = |name: &str| root.path().join(name).join(source.file_stem().unwrap());
        let jpeg = succeed(args!["frames", &source, "-o", out("jpeg")]);
        assert_eq!(stderr(&jpeg).matches(told).count(), 1, "{}", stderr(&jpeg));
        let plan = succeed(args!["convert", &source, "-o", out("plan"), "--dry-run"]);
        assert_eq!(stdout(&plan).matches(told).count(), 1, "{}", stdout(&plan));
        let film = succeed(args!["convert", &source, "-o", out("film")]);
        assert_eq!(stderr(&film).matches(told).count(), 1, "{}", stderr(&film));
    }
}

#[test]
fn an_encoder_that_can_keeps_what_the_pixels_tell() {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let [_, source] = sources(root.path());
    let out = root.path().join("out");
    let said = succeed(args![
        "convert",
        &source,
        "-o",
        &out,
        "--vcodec",
        "prores_ks",
        "--format",
        "mov"
    ]);
    assert!(!stderr(&said).contains("transparent"), "{}", stderr(&said));
    let pictures = root.path().join("pictures");
    let result = out.join("within.mov");
    succeed(args![
        "frames", &result, "-o", &pictures, "--nth", "1", "--format", "png"
    ]);
    let (left, right) = opacity(&pictures.join("within/000001.png"));
    assert!(left > 240 && right < 15, "{left} {right}");
}
