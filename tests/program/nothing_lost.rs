//! Every property of a source is in its result, or a warning names it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::common::source::Source;
use crate::common::{self, ENGINES, ffprobe, names, rushes, shared_media, stderr, stdout, succeed};

fn entry(path: &Path, entries: &str, stream: &str) -> String {
    let arguments = ["-select_streams", stream, "-show_entries", entries];
    ffprobe(&[&arguments[..], &["-of", "csv=p=0"]].concat(), path)
        .trim()
        .to_owned()
}

const VIDEO: &str = "-f lavfi -i testsrc2=size=160x120:duration=1";

/// Silence of these channels, one second.
fn sound(layout: &str) -> String {
    format!("-f lavfi -i anullsrc=channel_layout={layout}:sample_rate=48000 -t 1")
}

#[test]
fn no_channel_is_lost_without_a_word_whatever_the_encoder() {
    for (layout, encoder, format, wanted, is_told) in [
        ("quad", "aac", "mp4", "4,quad", false),
        ("quad", "flac", "mkv", "4,quad", false),
        ("quad", "pcm_s24le", "mov", "4,quad", false),
        ("quad", "libopus", "mkv", "4,quad", false),
        ("2.1", "libopus", "mkv", "6,5.1", false),
        ("6.1", "flac", "mkv", "7,6.1", false),
        ("7.1", "ac3", "mkv", "6,5.1", true),
        ("5.1", "libmp3lame", "mkv", "2,stereo", true),
    ] {
        let source = Source::made("a.mka", &format!("{} -c:a flac", sound(layout)));
        let flags = ["--preset", "audio", "--acodec", encoder, "--format", format];
        for (result, told) in source.converted(&flags, &format!("a.{format}")) {
            let found = entry(&result, "stream=channels,channel_layout", "a:0");
            assert!(found.starts_with(wanted), "{encoder} of {layout}: {found}");
            assert_eq!(told.contains("mixed down"), is_told, "{told}");
        }
    }
}

#[test]
fn every_audio_encoder_is_given_what_it_takes() {
    let source = Source::made(
        "a.mka",
        &format!("{} -ar 22050 -c:a pcm_s24le", sound("mono")),
    );
    for encoder in [
        "alac",
        "mp2",
        "ac3",
        "eac3",
        "pcm_s32le",
        "pcm_f32le",
        "pcm_s16be",
        "flac",
        "libvorbis",
        "wavpack",
        "tta",
    ] {
        let flags = ["--preset", "audio", "--acodec", encoder, "--format", "mkv"];
        for (result, _) in source.converted(&flags, "a.mkv") {
            let found = entry(&result, "stream=channels", "a:0");
            assert_eq!(found, "1", "{encoder}");
            fs::remove_dir_all(result.parent().unwrap()).unwrap();
        }
    }
}

#[test]
fn bit_rates_are_for_stereo_and_grow_with_the_channels() {
    for (layout, default, asked) in [
        ("mono", "64000", "96000"),
        ("stereo", "128000", "192000"),
        ("5.1", "384000", "576000"),
    ] {
        let source = Source::made("a.mka", &format!("{} -c:a flac", sound(layout)));
        // The rate of this encoder is constant.
        let flags = [
            "--preset",
            "audio",
            "--format",
            "mkv",
            "--acodec",
            "ac3",
            "--abitrate",
        ];
        for (bits, given) in [(default, "128k"), (asked, "192k")] {
            let flags = [&flags[..], &[given]].concat();
            for (result, _) in source.converted(&flags, "a.mkv") {
                assert_eq!(entry(&result, "stream=bit_rate", "a:0"), bits, "{layout}");
                fs::remove_dir_all(result.parent().unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn dispositions_stay_as_they_are() {
    let subtitles = tempfile::tempdir().unwrap();
    let text = subtitles.path().join("a.srt");
    fs::write(&text, "1\n00:00:00,100 --> 00:00:00,900\nword\n").unwrap();
    let text = text.display();
    let source = Source::made(
        "a.mkv",
        &format!(
            "{VIDEO} -i {text} -i {text} -f lavfi -i sine=duration=1 -f lavfi -i sine=duration=1 \
             -map 0 -map 3 -map 4 -map 1 -map 2 -c:s srt -c:a aac \
             -disposition:a:0 comment -disposition:a:1 original -disposition:s:0 0 -disposition:s:1 forced"
        ),
    );
    let list = |path: &Path| {
        entry(
            path,
            "stream_disposition=default,forced,comment,original",
            "a",
        ) + &entry(path, "stream_disposition=default,forced", "s")
    };
    for preset in ["web", "remux"] {
        for (result, _) in source.converted(&["--preset", preset, "--format", "mkv"], "a.mkv") {
            assert_eq!(list(&result), list(&source.path), "{preset}");
            fs::remove_dir_all(result.parent().unwrap()).unwrap();
        }
    }
}

#[test]
fn numbers_of_the_sources_packets_do_not_stay_on_what_was_encoded_anew() {
    let source = Source::made(
        "a.mkv",
        &format!(
            "{VIDEO} -f lavfi -i sine=duration=1 -c:a aac -metadata:s:v BPS=12345 \
             -metadata:s:v NUMBER_OF_BYTES-eng=7 -metadata:s:a _STATISTICS_WRITING_APP=mkvmerge \
             -metadata:s:a title=speech"
        ),
    );
    for (result, _) in source.converted(&["--copy", "never", "--format", "mkv"], "a.mkv") {
        let tags = ffprobe(&["-show_entries", "stream_tags"], &result);
        for name in ["BPS", "NUMBER_OF_BYTES", "_STATISTICS"] {
            assert!(!tags.contains(name), "{tags}");
        }
        assert!(tags.contains("speech"), "{tags}");
    }
}

#[test]
fn a_stream_of_data_is_told_to_be_left_out_and_what_arrived_otherwise_is_not() {
    let Some(media) = shared_media("good") else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let told = |name: &str| {
        let source = media.join(name);
        let out = out.path().join(name);
        let args = args!["convert", "--preset", "remux", source, "-o", out];
        stderr(&common::run(args))
    };
    let phone = told("mex_with-gps.mov");
    assert!(phone.contains("stream 2: data (mebx) left out"), "{phone}");
    let broadcast = told("ax_sample_scte35.ts");
    assert!(broadcast.contains("data (scte_35) left out"), "{broadcast}");
    // Titles of chapters, and how to send other streams.
    for name in ["ax_sample_with_chapters.mp4", "mp4p_multiTrack.3gp"] {
        let told = told(name);
        assert!(!told.contains("left out"), "{told}");
    }
}

#[test]
fn a_stream_that_no_decoder_is_there_for_is_no_damage() {
    let source = Source::made(
        "a.mp4",
        &format!(
            "{VIDEO} -f lavfi -i sine=duration=1 -f lavfi -i sine=duration=1 -map 0 -map 1 -map 2 -c:a aac"
        ),
    );
    // The name of the second track's codec becomes one that nobody knows.
    let mut bytes = fs::read(&source.path).unwrap();
    let second = bytes
        .windows(4)
        .enumerate()
        .filter_map(|(at, four)| (four == b"mp4a").then_some(at))
        .nth(1)
        .unwrap();
    bytes[second..second + 4].copy_from_slice(b"apac");
    let described = bytes[second..].windows(4).position(|four| four == b"esds");
    let described = second + described.unwrap();
    bytes[described..described + 4].copy_from_slice(b"free");
    fs::write(&source.path, bytes).unwrap();
    for preset in ["web", "remux"] {
        for (result, told) in source.converted(&["--preset", preset, "--format", "mkv"], "a.mkv") {
            assert!(told.contains("apac) left out"), "{preset}: {told}");
            assert!(!told.contains("SALVAGED"), "{preset}: {told}");
            assert_eq!(entry(&result, "stream=codec_name", "a"), "aac");
            fs::remove_dir_all(result.parent().unwrap()).unwrap();
        }
    }
}

#[test]
fn pictures_that_would_be_shown_out_of_order_are_not_copied() {
    for name in ["a.avi", "a.mxf"] {
        let source = Source::made(name, &format!("{VIDEO} -c:v libx264 -bf 3"));
        for dispatch in ENGINES {
            let out = source.root.path().join("out");
            let args = args!["convert", "--preset", "remux", "--dispatch", dispatch];
            let output = rushes()
                .args(args)
                .arg(&source.path)
                .arg("-o")
                .arg(&out)
                .output()
                .unwrap();
            let told = stderr(&output);
            assert!(
                matches!(output.status.code(), Some(1 | 2)),
                "{name}: {told}"
            );
            assert!(
                told.contains("out of order") && told.contains("--vcodec"),
                "{told}"
            );
            assert_eq!(names(&out), Vec::<String>::new());
        }
        // The index that the `ffmpeg` program writes into MXF misleads decoders, too.
        if name == "a.mxf" {
            continue;
        }
        // Encoded, they are in order, and none is missing; also where the smaller is kept.
        for (result, _) in source.converted(&["--keep-smaller"], "a.mp4") {
            let times = entry(&result, "frame=pts_time", "v:0");
            let times: Vec<f64> = times
                .lines()
                .map(|line| line.trim_end_matches(','))
                .filter(|line| !line.is_empty())
                .map(|line| line.parse().unwrap())
                .collect();
            assert_eq!(times.len(), 25);
            assert!(times.is_sorted(), "{times:?}");
        }
    }
    // Where nothing is reordered, and where the order follows from the codec, copies are right.
    for codec in ["libx264 -bf 0", "mpeg4 -bf 2", "mpeg2video -bf 2", "mjpeg"] {
        let source = Source::made("a.avi", &format!("{VIDEO} -c:v {codec}"));
        for (result, _) in source.converted(&["--preset", "remux"], "a.mkv") {
            assert_eq!(common::decoded(&result).frames.len(), 25, "{codec}");
        }
    }
}

/// Says in an mp4 file, as cameras do, that its pictures lie on a sphere, and are for one eye on
/// the left and for the other on the right (Spherical Video RFC, version 1).
fn make_spherical(path: &Path) {
    const ID: [u8; 16] = [
        0xff, 0xcc, 0x82, 0x63, 0xf8, 0x55, 0x4a, 0x93, 0x88, 0x14, 0x58, 0x7a, 0x02, 0x52, 0x1f,
        0xdd,
    ];
    let facts = [
        ("Spherical", "true"),
        ("Stitched", "true"),
        ("StitchingSoftware", "test"),
        ("ProjectionType", "equirectangular"),
        ("StereoMode", "left-right"),
    ];
    let facts =
        facts.map(|(name, value)| format!("<GSpherical:{name}>{value}</GSpherical:{name}>"));
    let text = format!(
        "<rdf:SphericalVideo>{}</rdf:SphericalVideo>",
        facts.concat()
    );
    let mut bytes = fs::read(path).unwrap();
    let at =
        |name: &[u8], bytes: &[u8]| bytes.windows(4).position(|four| four == name).unwrap() - 4;
    let (moov, trak) = (at(b"moov", &bytes), at(b"trak", &bytes));
    let size = |at: usize, bytes: &[u8]| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let added = 8 + ID.len() + text.len();
    let end = trak + size(trak, &bytes) as usize;
    for outer in [moov, trak] {
        let grown = size(outer, &bytes) + added as u32;
        bytes[outer..outer + 4].copy_from_slice(&grown.to_be_bytes());
    }
    let own = [
        &(added as u32).to_be_bytes()[..],
        b"uuid",
        &ID,
        text.as_bytes(),
    ]
    .concat();
    bytes.splice(end..end, own);
    fs::write(path, bytes).unwrap();
}

#[test]
fn the_projection_of_a_sphere_arrives_or_is_told_to_be_lost() {
    // Its index is at its end: what is added moves no packet.
    let source = Source::made("a.mp4", &format!("{VIDEO} -c:v libx264"));
    make_spherical(&source.path);
    for format in ["mp4", "mkv", "webm", "mov"] {
        for flags in [&["--preset", "remux"][..], &["--copy", "never"]] {
            if format == "webm" && flags[0] == "--preset" {
                continue;
            }
            let more: &[&str] = if format == "webm" {
                &["--vcodec", "libvpx-vp9", "--acodec", "libopus"]
            } else {
                &[]
            };
            let flags = [flags, &["--format", format], more].concat();
            for (result, told) in source.converted(&flags, &format!("a.{format}")) {
                let side = ffprobe(
                    &["-show_entries", "stream_side_data=side_data_type"],
                    &result,
                );
                for (name, words) in [("Spherical", "360°"), ("Stereo 3D", "3D video")] {
                    let (arrived, is_told) = (side.contains(name), told.contains(words));
                    assert!(arrived != is_told, "{flags:?} {name}: {side}\n{told}");
                    assert!(arrived || format == "mov", "{flags:?} {name}: {side}");
                }
                fs::remove_dir_all(result.parent().unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn fields_too_small_for_the_deinterlacer_are_encoded_as_they_are() {
    for size in ["10x6", "16x4", "4x16", "2x2"] {
        let source = Source::made(
            "a.mkv",
            &format!(
                "-f lavfi -i testsrc2=size={size}:duration=1 -c:v ffv1 -vf setfield=tff -field_order tt"
            ),
        );
        for flags in [&["--deinterlace", "on"][..], &["--deinterlace", "auto"]] {
            for (result, _) in source.converted(flags, "a.mp4") {
                assert_eq!(entry(&result, "stream=nb_frames", "v:0"), "25", "{size}");
                fs::remove_dir_all(result.parent().unwrap()).unwrap();
            }
        }
    }
}

#[test]
fn nobody_may_read_a_result_who_may_not_read_its_source() {
    let source = Source::made("a.mp4", VIDEO);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    fs::set_permissions(&source.path, Permissions::from_mode(0o600)).unwrap();
    for (result, _) in source.converted(&["--copy", "never"], "a.mp4") {
        assert_eq!(mode(&result), 0o600);
    }
    let pictures = source.root.path().join("pictures");
    succeed(args![
        "frames",
        &source.path,
        "--count",
        "2",
        "-o",
        &pictures
    ]);
    assert_eq!(mode(&pictures.join("a")), 0o700);
    let sheet = source.root.path().join("sheets");
    succeed(args![
        "frames",
        &source.path,
        "--sheet",
        "2x2",
        "-o",
        &sheet
    ]);
    assert_eq!(mode(&sheet.join("a.jpg")), 0o600);
}

#[test]
fn results_in_a_folder_below_are_no_sources_and_that_is_said() {
    let source = Source::made("a.mp4", VIDEO);
    let root = source.path.parent().unwrap();
    let convert = |out: &Path| {
        let args = args!["convert", "--copy", "never", root, "-o", out];
        stderr(&succeed(args))
    };
    convert(&root.join("small"));
    let told = convert(&root.join("web"));
    assert!(
        told.contains("1 result of earlier runs left alone"),
        "{told}"
    );
    let results = names(&root.join("web"));
    assert_eq!(results, ["a.mp4"]);
    // A user who names the folder of results converts them.
    let (from, to) = (root.join("small"), root.join("again"));
    succeed(args!["convert", "--copy", "never", from, "-o", &to]);
    assert_eq!(names(&to), ["a.mp4"]);
}

#[test]
fn a_salvaged_file_is_named_also_where_little_is_said() {
    let source = Source::made("a.avi", &format!("{VIDEO} -c:v mpeg4"));
    let mut bytes = fs::read(&source.path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 2000].fill(0xff);
    fs::write(&source.path, bytes).unwrap();
    let args = args![
        "convert",
        "-q",
        "--copy",
        "never",
        &source.path,
        "-o",
        source.root.path().join("out")
    ];
    let output = common::run(args);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("SALVAGED") && told.contains("a.avi"),
        "{told}"
    );
    assert!(stdout(&output).is_empty());
}

#[test]
fn pictures_are_of_the_video_however_long_the_sound_is() {
    for name in ["a.mp4", "a.mkv", "a.mov"] {
        let source = Source::made(
            name,
            "-f lavfi -i testsrc2=size=160x120:duration=3 -f lavfi -i sine=duration=10 -c:a aac -c:v libx264",
        );
        for (flags, count) in [
            (&["--every", "1s"][..], 3),
            (&["--count", "12"], 12),
            (&["--nth", "25"], 3),
        ] {
            let out = source.root.path().join(flags[0]);
            let output = common::run(
                [
                    args!["frames", &source.path, "-o", &out].to_vec(),
                    flags.iter().map(Into::into).collect(),
                ]
                .concat(),
            );
            assert_eq!(
                output.status.code(),
                Some(0),
                "{name} {flags:?}: {}",
                stderr(&output)
            );
            let found = names(&out.join("a"));
            let pictures = found.iter().filter(|name| name.ends_with(".jpg")).count();
            // In Matroska, the encoder's delay makes the sound begin, and all last, a little longer.
            let more = usize::from(name == "a.mkv");
            let more = more * usize::from(flags[0] == "--every");
            assert!(
                (count..=count + more).contains(&pictures),
                "{name} {flags:?}: {pictures}"
            );
            fs::remove_dir_all(out).unwrap();
        }
    }
}

#[test]
fn a_poster_is_not_taken_for_the_film() {
    for (name, codec) in [("a.mp4", "libx264"), ("a.mkv", "png"), ("a.mp4", "mjpeg")] {
        let source = Source::made(
            name,
            &format!(
                "{VIDEO} -f lavfi -i testsrc2=size=1280x720:duration=0.04 -map 0 -map 1 -c:v libx264 \
                 -c:v:1 {codec} -disposition:v:0 default -disposition:v:1 default"
            ),
        );
        let out = source.root.path().join("out");
        succeed(args!["frames", &source.path, "--count", "3", "-o", &out]);
        let picture = out.join("a/000003.jpg");
        assert_eq!(
            entry(&picture, "stream=width", "v:0"),
            "160",
            "{name} {codec}"
        );
    }
}

#[test]
fn a_source_is_not_replaced_by_a_result_that_lacks_something() {
    for dispatch in ENGINES {
        let source = Source::made("a.mka", &format!("{} -c:a flac", sound("5.1")));
        let flags = args![
            "convert",
            "--replace",
            "--preset",
            "audio",
            "--acodec",
            "libmp3lame",
            "--format",
            "mkv",
            "--dispatch",
            dispatch
        ];
        let output = rushes().args(flags).arg(&source.path).output().unwrap();
        let printed = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{printed}");
        assert!(source.path.exists(), "{printed}");
        assert!(source.path.with_extension("mkv").exists(), "{printed}");
        for words in ["mixed down", "the source is kept"] {
            assert!(printed.contains(words), "{words}: {printed}");
        }
    }
}
