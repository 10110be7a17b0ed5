//! Inputs with which programs around libav go wrong: clocks that jump, streams
//! that change on the way, colours of all kinds, damage. Each is made by the
//! `ffmpeg` program, goes through both engines, and must come out the same.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{
    self, ENGINES, ffmpeg, ffprobe, have, rushes, set_display_matrix, stderr, tree,
};

/// One source: a name, and what is joined end to end to make it, each part by
/// the arguments that the `ffmpeg` program gets.
type Row = (&'static str, &'static [&'static str]);

/// Two seconds of pictures and sound.
const AV: &str = "-f lavfi -i testsrc2=size=320x240:duration=2 -f lavfi -i sine=duration=2";
/// Pictures alone.
const V: &str = "-f lavfi -i testsrc2=size=320x240:duration=1";
/// The same in RGB, of odd size.
const ODD: &str = "-f lavfi -i testsrc=size=321x241:duration=1";
/// As recordings of cameras are.
const H264: &str = "-c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p -g 25 -c:a aac";
const MPEG2: &str = "-c:v mpeg2video -g 12 -bf 2 -c:a mp2 -ar 48000";
/// As broadcasts are.
const INTERLACED: &str = "-f lavfi -i testsrc2=size=320x240:rate=50:duration=1 \
    -vf tinterlace=interleave_top,setfield=tff -flags +ilme+ildct";

/// Clocks that jump, run over, begin late, or are not there.
const CLOCKS: &[Row] = &[
    (
        "forward.ts",
        &[
            "{AV} {H264} -output_ts_offset 10",
            "{AV} {H264} -output_ts_offset 1000",
        ],
    ),
    (
        "backward.ts",
        &[
            "{AV} {H264} -output_ts_offset 1000",
            "{AV} {H264} -output_ts_offset 10",
        ],
    ),
    (
        "little-forward.ts",
        &["{AV} {H264}", "{AV} {H264} -output_ts_offset 7"],
    ),
    ("again.ts", &["{AV} {H264}", "{AV} {H264}", "{AV} {H264}"]),
    (
        "mpeg2-backward.ts",
        &["{AV} {MPEG2} -output_ts_offset 500", "{AV} {MPEG2}"],
    ),
    ("again.vob", &["{AV} {MPEG2}", "{AV} {MPEG2}"]),
    // 2^33 ticks of 90 kHz are 95443.7 s.
    ("over.ts", &["{AV} {H264} -output_ts_offset 95443"]),
    ("over.vob", &["{AV} {MPEG2} -output_ts_offset 95443"]),
    (
        "late-sound.mkv",
        &[
            "-f lavfi -i testsrc2=size=320x240:duration=2 -itsoffset 0.7 -f lavfi -i sine=duration=2 {H264}",
        ],
    ),
    (
        "late-pictures.ts",
        &[
            "-itsoffset 0.7 -f lavfi -i testsrc2=size=320x240:duration=2 -f lavfi -i sine=duration=2 {H264}",
        ],
    ),
    (
        "late-pictures.mp4",
        &[
            "-itsoffset 0.7 -f lavfi -i testsrc2=size=320x240:duration=2 -f lavfi -i sine=duration=2 {H264} -fps_mode passthrough",
        ],
    ),
    (
        "ahead.mp4",
        &["{AV} {H264} -movflags +negative_cts_offsets"],
    ),
    ("ahead.mkv", &["{AV} {H264} -avoid_negative_ts disabled"]),
    ("plain.mp4", &["{AV} {H264} -use_editlist 0"]),
    (
        "hole.mp4",
        &["{V} -vf select='lt(t,0.3)+gt(t,0.7)' -fps_mode vfr {H264}"],
    ),
    (
        "varied.mkv",
        &["{AV} -vf select='not(mod(n,3))+lt(mod(n,17),4)' -fps_mode vfr {H264}"],
    ),
    ("order.avi", &["{AV} -c:v mpeg4 -bf 2 -c:a mp3"]),
    ("order-264.avi", &["{AV} {H264} -c:a mp3"]),
    ("raw.h264", &["{V} {H264}"]),
    ("raw-ntsc.h264", &["{V} -r 30000/1001 {H264}"]),
    ("raw.m2v", &["{V} {MPEG2}"]),
];

/// Sound and pictures that stop, or are others on the way.
const CHANGES: &[Row] = &[
    (
        "gap.mkv",
        &["{AV} -af aselect='lt(t,0.5)+gt(t,1.2)' {H264}"],
    ),
    ("gap.ts", &["{AV} -af aselect='lt(t,0.5)+gt(t,1.2)' {H264}"]),
    (
        "gap-pcm.mkv",
        &["{AV} -af aselect='lt(t,0.5)+gt(t,1.2)' {H264} -c:a pcm_s16le"],
    ),
    ("short-sound.mkv", &["{AV} {H264} -af atrim=end=0.8"]),
    (
        "rate.ts",
        &[
            "{AV} {H264} -ac 2",
            "{AV} {H264} -ac 1 -ar 48000 -output_ts_offset 2",
        ],
    ),
    (
        "channels.ts",
        &[
            "{AV} {H264} -c:a ac3 -ac 2",
            "{AV} {H264} -c:a ac3 -ac 6 -output_ts_offset 2",
        ],
    ),
    (
        "larger.ts",
        &["{AV} {H264}", "{AV} -s 480x270 {H264} -output_ts_offset 2"],
    ),
    (
        "smaller.ts",
        &["{AV} -s 480x270 {H264}", "{AV} {H264} -output_ts_offset 2"],
    ),
    (
        "format.ts",
        &[
            "{AV} {H264}",
            "{AV} {H264} -pix_fmt yuv444p -output_ts_offset 2",
        ],
    ),
    (
        "range.ts",
        &[
            "{AV} {H264}",
            "{AV} {H264} -pix_fmt yuvj420p -output_ts_offset 2",
        ],
    ),
    (
        "samples.ts",
        &[
            "{AV} -vf setsar=16/15 {H264}",
            "{AV} -vf setsar=64/45 {H264} -output_ts_offset 2",
        ],
    ),
    ("larger.h264", &["{V} {H264}", "{V} -s 480x270 {H264}"]),
];

/// Several tracks, of which none may be lost.
const TRACKS: &[Row] = &[
    ("tracks.mkv", &["{AV} {MORE} {H264}"]),
    ("tracks.mp4", &["{AV} {MORE} {H264}"]),
    ("tracks.ts", &["{AV} {MORE} {H264}", "{AV} {MORE} {H264}"]),
    ("timecode.mov", &["{AV} -timecode 01:00:00:00 {H264}"]),
];
const MORE: &str = "-f lavfi -i testsrc2=size=160x120:rate=30:duration=2 \
    -f lavfi -i sine=frequency=880:sample_rate=48000:duration=2 -map 0 -map 1 -map 2 -map 3";

/// Files that are damaged afterwards.
const TORN: &[Row] = &[
    ("torn.ts", &["{AV} {H264}"]),
    ("torn.mp4", &["{AV} {H264}"]),
    ("torn.mkv", &["{AV} {H264}"]),
    ("torn.avi", &["{AV} -c:v mpeg4 -bf 2 -c:a mp3"]),
    ("torn.mpg", &["{AV} {MPEG2}"]),
];

/// Shapes and colours.
const PICTURES: &[Row] = &[
    ("odd-rgb.mkv", &["{ODD} -c:v ffv1 -pix_fmt bgr0"]),
    ("odd.mp4", &["{ODD} {H264} -pix_fmt yuv444p"]),
    ("odd.mov", &["{ODD} -c:v png"]),
    (
        "full.mp4",
        &["{V} -vf scale=out_range=pc {H264} -pix_fmt yuvj420p"],
    ),
    (
        "full.mkv",
        &["{V} -vf scale=out_range=pc -c:v ffv1 -pix_fmt yuv420p -color_range pc"],
    ),
    ("motion.avi", &["{V} -c:v mjpeg"]),
    ("hd.mov", &["{V} -s 1280x720 -c:v png -pix_fmt rgb24"]),
    ("deep.mov", &["{V} -c:v png -pix_fmt rgb48be"]),
    ("planes.mkv", &["{V} -c:v ffv1 -pix_fmt gbrp10le"]),
    ("gray.mkv", &["{V} -c:v ffv1 -pix_fmt gray"]),
    ("411.mkv", &["{V} -c:v ffv1 -pix_fmt yuv411p"]),
    ("422p10.mkv", &["{V} -c:v ffv1 -pix_fmt yuv422p10le"]),
    ("alpha.mkv", &["{V} -c:v ffv1 -pix_fmt yuva420p"]),
    ("palette.gif", &["{V} -r 10"]),
    ("ten.mp4", &["{V} {H264} -pix_fmt yuv420p10le"]),
    (
        "hdr10.mp4",
        &[
            "{V} -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params \
           log-level=error:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:\
           master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400",
        ],
    ),
    (
        "hlg.mp4",
        &[
            "{V} -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params \
           log-level=error:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc",
        ],
    ),
    (
        "tagged-601.mp4",
        &["{V} -s 1280x720 {H264} -color_primaries bt470bg -color_trc gamma28 -colorspace bt470bg"],
    ),
    ("interlaced.mp4", &["{INTERLACED} {H264}"]),
    ("interlaced.mpg", &["{INTERLACED} {MPEG2}"]),
    ("interlaced.mkv", &["{INTERLACED} -c:v ffv1"]),
];

fn words(part: &str) -> Vec<String> {
    let names = [
        ("{INTERLACED}", INTERLACED),
        ("{AV}", AV),
        ("{MORE}", MORE),
        ("{V}", V),
        ("{ODD}", ODD),
        ("{H264}", H264),
        ("{MPEG2}", MPEG2),
    ];
    let text = names.iter().fold(part.to_owned(), |text, (name, whole)| {
        text.replace(name, whole)
    });
    text.split_whitespace().map(str::to_owned).collect()
}

/// Makes the sources of `rows` in `folder`.
fn make(rows: &[Row], folder: &Path) {
    for (name, parts) in rows {
        let target = folder.join(name);
        let mut whole = Vec::new();
        for part in *parts {
            let piece = folder.join(format!("part-{name}"));
            ffmpeg(words(part), &piece);
            whole.extend(fs::read(&piece).unwrap());
            fs::remove_file(piece).unwrap();
        }
        fs::write(target, whole).unwrap();
    }
}

/// Converts all of `sources` with both engines, each file whole: a file whose clock
/// jumps claims to be long, and a long file is spread over slots that happen to be
/// free, with other encoder threads and so other bytes.
fn made(sources: &Path, flags: &[&str], root: &Path) -> [PathBuf; 2] {
    ENGINES.map(|dispatch| {
        let out = root.join(dispatch);
        let mut program = rushes();
        program.args(["convert", "-q", "--include", "*", "--dispatch", dispatch]);
        let output = program
            .args(["--split", "never"])
            .args(flags)
            .arg(sources)
            .arg("-o")
            .arg(&out)
            .output()
            .unwrap();
        // Shown where the test fails.
        eprintln!("{dispatch}: {}", stderr(&output));
        assert!(matches!(output.status.code(), Some(0 | 1)), "{flags:?}");
        out
    })
}

fn assert_same(rows: &[Row], flags: &[&str]) {
    if !have("ffmpeg") {
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in");
    fs::create_dir(&sources).unwrap();
    make(rows, &sources);
    assert_all_make_the_same_of(&sources, rows.len(), flags, root.path());
}

fn assert_all_make_the_same_of(sources: &Path, count: usize, flags: &[&str], root: &Path) {
    let [a, b] = made(sources, flags, root);
    assert_eq!(tree(&a).len(), count);
    let found = common::differences(&a, &b);
    assert!(found.is_empty(), "{flags:?}: {found:#?}");
}

/// All is encoded, whatever fits.
const ALL: [&str; 4] = ["--copy", "never", "--speed", "ultrafast"];

#[test]
fn clocks_that_jump_go_on_where_they_were() {
    assert_same(CLOCKS, &ALL);
}

#[test]
fn clocks_that_jump_go_on_in_copies_too() {
    let timed: Vec<Row> = CLOCKS
        .iter()
        .copied()
        .filter(|(name, _)| !name.contains("raw") && *name != "order-264.avi")
        .collect();
    assert_same(&timed, &["--preset", "remux"]);
}

#[test]
fn a_constant_rate_fills_no_gap_that_is_a_jump_of_the_clock() {
    assert_same(CLOCKS, &["--preset", "720p", "--speed", "ultrafast"]);
}

#[test]
fn streams_that_change_on_the_way_come_out_the_same() {
    assert_same(CHANGES, &ALL);
}

#[test]
fn all_colours_and_shapes_come_out_the_same() {
    assert_same(PICTURES, &ALL);
}

#[test]
fn deep_colours_stay_deep_and_come_out_the_same() {
    let deep = |name: &str| {
        ["hdr10", "hlg", "ten", "422p10", "deep"]
            .iter()
            .any(|part| name.starts_with(part))
    };
    let rows: Vec<Row> = PICTURES
        .iter()
        .copied()
        .filter(|(name, _)| deep(name))
        .collect();
    assert_same(
        &rows,
        &[
            "--preset",
            "hevc",
            "--copy",
            "never",
            "--speed",
            "ultrafast",
        ],
    );
}

#[test]
fn more_codec_threads_make_the_same() {
    let rows: Vec<Row> = CLOCKS.iter().chain(CHANGES).copied().step_by(3).collect();
    assert_same(
        &rows,
        &[
            "--copy",
            "never",
            "--speed",
            "ultrafast",
            "--codec-threads",
            "2",
        ],
    );
}

/// The length of a stream by its packets, in seconds.
fn length_s(path: &Path, kind: &str) -> f64 {
    let shown = [
        "-select_streams",
        kind,
        "-show_entries",
        "stream=duration",
        "-of",
        "csv=p=0",
    ];
    ffprobe(&shown, path)
        .lines()
        .next()
        .unwrap()
        .trim_end_matches(',')
        .parse()
        .unwrap()
}

#[test]
fn joined_recordings_are_as_long_as_their_parts_and_nothing_is_told_to_be_lost() {
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in");
    fs::create_dir(&sources).unwrap();
    let rows: Vec<Row> = CLOCKS
        .iter()
        .copied()
        .filter(|(name, _)| name.ends_with("ward.ts") && !name.contains("little"))
        .collect();
    make(&rows, &sources);
    for dispatch in ENGINES {
        let out = root.path().join(dispatch);
        let mut program = rushes();
        program.args(["convert", "-q", "--include", "*", "--dispatch", dispatch]);
        let output = program
            .args(ALL)
            .arg(&sources)
            .arg("-o")
            .arg(&out)
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{dispatch}: {}",
            stderr(&output)
        );
        for name in tree(&out) {
            let path = out.join(&name);
            for kind in ["v", "a"] {
                let length = length_s(&path, kind);
                assert!(
                    (3.9..4.2).contains(&length),
                    "{dispatch}: {name:?} {kind}: {length} s"
                );
            }
        }
    }
}

/// Red, green and blue of the first picture's corner, as a player reads them that believes the
/// tags.
fn colour(path: &Path) -> Vec<u8> {
    let pixel = tempfile::tempdir().unwrap();
    let pixel = pixel.path().join("pixel.rgb");
    let read = "scale=in_color_matrix=auto:flags=accurate_rnd,format=rgb24,crop=1:1:0:0";
    ffmpeg(
        args!["-i", path, "-frames:v", "1", "-vf", read, "-f", "rawvideo"],
        &pixel,
    );
    fs::read(pixel).unwrap()
}

#[test]
fn colours_of_rgb_sources_are_those_that_their_tags_tell_of() {
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in");
    fs::create_dir(&sources).unwrap();
    for (name, size) in [("small.mov", "320x240"), ("large.mov", "1280x720")] {
        let drawn = format!("color=c=0xC02040:size={size}:duration=0.2,format=rgb24");
        ffmpeg(
            args!["-f", "lavfi", "-i", drawn, "-c:v", "png"],
            &sources.join(name),
        );
    }
    for out in made(&sources, &ALL, root.path()) {
        for name in ["small.mp4", "large.mp4"] {
            let path = out.join(name);
            let tags = [
                "-show_entries",
                "stream=color_space,color_range",
                "-of",
                "csv=p=0",
            ];
            assert_eq!(ffprobe(&tags, &path), "tv,bt709", "{}", path.display());
            let (found, drawn) = (colour(&path), [0xC0, 0x20, 0x40]);
            let is_near = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= 4;
            assert!(
                found.iter().zip(&drawn).all(is_near),
                "{}: {found:?}",
                path.display()
            );
        }
    }
}

#[test]
fn all_tracks_come_out_the_same() {
    assert_same(TRACKS, &ALL);
    assert_same(TRACKS, &["--preset", "remux"]);
}

/// Changes some bytes in the middle third, always the same.
fn tear(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let third = bytes.len() / 3;
    let mut place = 7_usize;
    for _ in 0..30 {
        place = place.wrapping_mul(1_103_515_245).wrapping_add(12_345) % (1 << 31);
        bytes[third + place % third] ^= 0x55;
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn damage_is_passed_over_counted_and_told_and_leaves_the_same() {
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in");
    fs::create_dir(&sources).unwrap();
    make(TORN, &sources);
    for (name, _) in TORN {
        tear(&sources.join(name));
    }
    assert_all_make_the_same_of(&sources, TORN.len(), &ALL, root.path());
    for dispatch in ENGINES {
        let report = fs::read(root.path().join(dispatch).join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        for source in report["sources"].as_array().unwrap() {
            assert!(
                source.to_string().contains("damaged packets"),
                "{dispatch}: {source}"
            );
        }
    }
}

#[test]
fn pictures_come_upright_whichever_way_they_are_turned_or_mirrored() {
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in");
    fs::create_dir(&sources).unwrap();
    let ways = [
        [1, 0, 0, 1],
        [-1, 0, 0, 1],
        [1, 0, 0, -1],
        [-1, 0, 0, -1],
        [0, 1, -1, 0],
        [0, -1, 1, 0],
        [0, 1, 1, 0],
        [0, -1, -1, 0],
    ];
    for (number, turned) in ways.into_iter().enumerate() {
        let path = sources.join(format!("{number}.mp4"));
        // Of an odd size, so that it is scaled, too.
        ffmpeg(
            words("-f lavfi -i testsrc=size=161x91:duration=0.2 {H264} -pix_fmt yuv444p"),
            &path,
        );
        set_display_matrix(&path, turned);
    }
    assert_all_make_the_same_of(&sources, ways.len(), &ALL, root.path());
    let width = [
        "-select_streams",
        "v",
        "-show_entries",
        "stream=width",
        "-of",
        "csv=p=0",
    ];
    let widths: Vec<String> = (0..ways.len())
        .map(|number| ffprobe(&width, &root.path().join(format!("threads/{number}.mp4"))))
        .collect();
    assert_eq!(widths, ["162", "162", "162", "162", "92", "92", "92", "92"]);
}

/// Writes a clean aperture of this size, in the middle of the frame, into an mp4
/// file whose only track is H.264, and whose index is at its end (ISO/IEC 14496-12, 12.1.4).
fn set_clean_aperture(path: &Path, (width, height): (u32, u32)) {
    let mut bytes = fs::read(path).unwrap();
    // Each box lies in the one before it.
    let mut parents = [0; 7];
    let names = [
        b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1",
    ];
    let mut from = 0;
    for (place, name) in parents.iter_mut().zip(names) {
        let at = bytes[from..].windows(4).position(|four| four == name);
        from += at.unwrap();
        *place = from - 4;
    }
    let size_at =
        |bytes: &[u8], at: usize| u32::from_be_bytes(*bytes[at..].first_chunk::<4>().unwrap());
    let end = parents[6] + size_at(&bytes, parents[6]) as usize;
    let numbers = [width, 1, height, 1, 0, 1, 0, 1].map(u32::to_be_bytes);
    let clap = [&40_u32.to_be_bytes()[..], b"clap", &numbers.concat()].concat();
    for at in parents {
        let size = size_at(&bytes, at) + clap.len() as u32;
        bytes[at..at + 4].copy_from_slice(&size.to_be_bytes());
    }
    bytes.splice(end..end, clap);
    fs::write(path, bytes).unwrap();
}

/// FFmpeg reads and applies a container's cropping since 7.1 ("Cropping metadata
/// parsing and writing in Matroska and MP4/MOV de/muxers").
fn applies_cropping(path: &Path) -> bool {
    let shown = ffprobe(&["-show_entries", "stream_side_data=side_data_type"], path);
    shown.contains("Frame Cropping")
}

#[test]
fn what_codec_and_container_crop_is_cut_off_to_the_pixel() {
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in");
    fs::create_dir(&sources).unwrap();
    let source = "-f lavfi -i testsrc2=size=320x240:duration=0.4 {H264}";
    let codec = "-bsf:v h264_metadata=crop_left=6:crop_right=2:crop_top=2:crop_bottom=10";
    ffmpeg(
        words(&format!("{source} {codec}")),
        &sources.join("codec.mp4"),
    );
    for name in ["container.mp4", "both.mp4"] {
        let how = if name == "both.mp4" { codec } else { "" };
        ffmpeg(words(&format!("{source} {how}")), &sources.join(name));
        set_clean_aperture(&sources.join(name), (300, 200));
    }
    assert_all_make_the_same_of(&sources, 3, &ALL, root.path());
    let size = |name: &str| {
        let entries = ["-show_entries", "stream=width,height", "-of", "csv=p=0"];
        ffprobe(&entries, &root.path().join("threads").join(name))
    };
    // Up to 6.0, codecs crop at the left only to where rows are aligned in memory.
    let [by_codec, by_container] = match applies_cropping(&sources.join("container.mp4")) {
        true => ["312,228", "300,200"],
        false => ["318,228", "320,240"],
    };
    assert_eq!(size("codec.mp4"), by_codec);
    assert_eq!(size("container.mp4"), by_container);
    let pictures = ENGINES.map(|dispatch| {
        let out = root.path().join("pictures").join(dispatch);
        common::succeed(args![
            "frames",
            &sources,
            "-o",
            &out,
            "--every",
            "0.1s",
            "--dispatch",
            dispatch,
            "-q"
        ]);
        out
    });
    let found = common::differences(&pictures[0], &pictures[1]);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_gap_in_the_sound_is_silence_of_its_length() {
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in");
    fs::create_dir(&sources).unwrap();
    let rows: Vec<Row> = CHANGES
        .iter()
        .copied()
        .filter(|(name, _)| name.starts_with("gap"))
        .collect();
    make(&rows, &sources);
    for out in made(
        &sources,
        &["--copy", "never", "--format", "mkv", "--speed", "ultrafast"],
        root.path(),
    ) {
        for name in tree(&out) {
            let output = std::process::Command::new("ffmpeg")
                .args(["-hide_banner", "-nostdin", "-i"])
                .arg(out.join(&name))
                .args([
                    "-af",
                    "silencedetect=noise=-50dB:duration=0.2",
                    "-f",
                    "null",
                    "-",
                ])
                .output()
                .unwrap();
            let said = stderr(&output);
            let at = |word: &str| -> f64 {
                let after = said
                    .split(word)
                    .nth(1)
                    .unwrap_or_else(|| panic!("{name:?}: {said}"));
                after.split_whitespace().next().unwrap().parse().unwrap()
            };
            let (from, to) = (at("silence_start: "), at("silence_end: "));
            // Sound is cut by packets of 1024 samples.
            assert!(
                (from - 0.5).abs() < 0.06 && (to - 1.2).abs() < 0.06,
                "{name:?}: {from}–{to} s"
            );
        }
    }
}

#[test]
fn sound_of_another_rate_goes_on_when_it_is_due() {
    // The program counts the first frame after such a change in samples of the
    // one rate and reads it in those of the other: it is late by 9 %, and so
    // the later the longer the film has run. So there is nothing to compare with.
    let rows: [Row; 2] = [
        (
            "rate.mp3",
            &[
                "-f lavfi -i sine=duration=3 -ar 44100",
                "-f lavfi -i sine=duration=3 -ar 48000",
            ],
        ),
        (
            "rate-mp2.ts",
            &[
                "{AV} {MPEG2} -ar 44100",
                "{AV} {MPEG2} -ar 48000 -output_ts_offset 2",
            ],
        ),
    ];
    let root = tempfile::tempdir().unwrap();
    let (sources, out) = (root.path().join("in"), root.path().join("out"));
    fs::create_dir(&sources).unwrap();
    make(&rows, &sources);
    let mut program = rushes();
    program
        .args(["convert", "-q", "--include", "*", "--preset", "audio"])
        .arg(&sources);
    let output = program.arg("-o").arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for (name, length) in [("rate.m4a", 6.0), ("rate-mp2.m4a", 4.0)] {
        let path = out.join(name);
        let times = ffprobe(
            &["-show_entries", "packet=pts_time", "-of", "csv=p=0"],
            &path,
        );
        let times: Vec<f64> = times
            .lines()
            .filter_map(|line| line.trim_end_matches(',').parse().ok())
            .collect();
        let widest = times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .fold(0.0, f64::max);
        assert!(widest < 0.1, "{name}: {widest} s between two packets");
        let found = times.last().unwrap();
        assert!((found - length).abs() < 0.2, "{name}: {found} s");
    }
}

#[test]
fn how_bright_a_film_is_meant_arrives_with_it() {
    let root = tempfile::tempdir().unwrap();
    let sources = root.path().join("in");
    fs::create_dir(&sources).unwrap();
    let rows: Vec<Row> = PICTURES
        .iter()
        .copied()
        .filter(|(name, _)| *name == "hdr10.mp4")
        .collect();
    make(&rows, &sources);
    for (preset, red, most) in [
        (
            "hevc",
            "red_x=\"34000/50000\"",
            "max_luminance=\"10000000/10000\"",
        ),
        // AV1 has other fractions.
        (
            "av1",
            "red_x=\"44564/65536\"",
            "max_luminance=\"256000/256\"",
        ),
    ] {
        let flags = ["--preset", preset, "--copy", "never"];
        for out in made(&sources, &flags, &root.path().join(preset)) {
            let path = out.join("hdr10.mp4");
            let shown = ["-read_intervals", "%+#1", "-show_frames", "-of", "flat"];
            let said = ffprobe(&shown, &path);
            for told in [red, most, "max_content=1000", "max_average=400"] {
                assert!(said.contains(told), "{preset}: {told}: {said}");
            }
        }
    }
}
