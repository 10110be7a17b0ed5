//! Sources of which something is missing or wrong that others rely on: keyframes,
//! times, lengths, parameters, the second half of an image.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::source::{Ran, Source};
use crate::common::{
    DISPATCHES, ENGINES, decoded, ffmpeg, ffprobe, names, rushes, shared_media, stderr, stdout,
};

fn report(ran: &Ran) -> Value {
    serde_json::from_slice(&fs::read(ran.out.join("report.json")).unwrap()).unwrap()
}

/// Two seconds of black, then four that are not.
const BLACK_FIRST: &str = "-f lavfi -i color=black:size=160x120:rate=25:duration=2[a];\
                           testsrc2=size=160x120:rate=25:duration=4[b];[a][b]concat";

#[test]
fn a_best_picture_is_found_where_keyframes_or_times_are_missing() {
    for (name, codec) in [
        ("segment.ts", "-c:v libx264 -g 1000 -f mpegts"),
        ("one-key.mp4", "-c:v libx264 -g 1000"),
        ("raw.h264", "-c:v libx264 -g 1000"),
        ("raw.h264", "-c:v libx264 -g 5"),
        ("raw.m4v", "-c:v mpeg4 -g 300"),
        ("raw.mpg", "-c:v mpeg2video -bf 2 -f mpeg2video"),
        ("no-length.mkv", "-c:v libx264 -g 1000 -live 1"),
    ] {
        let arguments = format!("{BLACK_FIRST} -pix_fmt yuv420p {codec}");
        let source = Source::made(name, &arguments);
        let mut hashes = Vec::new();
        for dispatch in DISPATCHES {
            let ran = source.run("frames", dispatch, &["--best", "--format", "png"]);
            assert_eq!(ran.code, Some(0), "{name} {codec}: {}", ran.terminal);
            let time_s = report(&ran)["sources"][0]["results"][0]["time_s"].as_f64();
            assert!(time_s.unwrap() >= 2.0, "{name} {codec}: {time_s:?}");
            let picture = names(&ran.out).pop().unwrap();
            hashes.push(decoded(&ran.out.join(picture)).frames[0].hash);
        }
        assert_eq!(hashes[0], hashes[1], "{name} {codec}");
        assert_eq!(hashes[0], hashes[2], "{name} {codec}");
    }
}

#[test]
fn pictures_are_spread_over_the_packets_of_a_source_that_stores_no_length() {
    for (name, codec) in [
        ("live.mkv", "-c:v libx264 -bf 2 -live 1"),
        ("raw.h264", "-c:v libx264 -bf 0"),
        ("raw-b.h264", "-c:v libx264 -bf 2"),
        ("raw.hevc", "-c:v libx265"),
        ("raw.m4v", "-c:v mpeg4"),
        ("raw.mjpeg", "-c:v mjpeg"),
        ("stream.flv", "-c:v flv1 -flvflags no_duration_filesize"),
    ] {
        let arguments = format!(
            "-f lavfi -i testsrc2=size=160x120:rate=25:duration=6 -pix_fmt yuv420p {codec}"
        );
        let source = Source::made(name, &arguments);
        for dispatch in DISPATCHES {
            let ran = source.run("frames", dispatch, &["--count", "3", "--format", "png"]);
            assert_eq!(ran.code, Some(0), "{name} {dispatch}: {}", ran.terminal);
            let folder = ran.out.join(source.path.file_stem().unwrap());
            let list = fs::read(folder.join("frames.json")).unwrap();
            let list: Value = serde_json::from_slice(&list).unwrap();
            let pictures = list["pictures"].as_array().unwrap().iter();
            let times: Vec<f64> = pictures
                .map(|one| one["time_s"].as_f64().unwrap())
                .collect();
            // The last packet of some has no length.
            let near = |(time, wanted): (&f64, f64)| (time - wanted).abs() <= 0.05;
            assert_eq!(times.len(), 3, "{name} {dispatch}");
            assert!(
                times.iter().zip([1.0, 3.0, 5.0]).all(near),
                "{name} {dispatch}: {times:?}"
            );
        }
        let sheet = source.run("frames", "workers", &["--sheet", "2x2"]);
        assert_eq!(sheet.code, Some(0), "{name}: {}", sheet.terminal);
    }
}

#[test]
fn a_source_whose_packets_have_no_times_is_not_spread_over() {
    let source = Source::made(
        "still.mjpeg",
        "-f lavfi -i testsrc2=size=160x120 -frames:v 1 -c:v mjpeg",
    );
    fs::write(&source.path, b"\xff\xd8\xff").unwrap();
    let ran = source.run("frames", "workers", &["--count", "3"]);
    assert_eq!(ran.code, Some(1), "{}", ran.terminal);
}

/// Replaces all of these bytes in a file; there is at least one place.
fn patch(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let places = bytes.windows(from.len()).enumerate();
    let places: Vec<usize> = places
        .filter(|(_, at)| *at == from)
        .map(|it| it.0)
        .collect();
    assert!(!places.is_empty(), "{}", path.display());
    for place in places {
        bytes[place..place + to.len()].copy_from_slice(to);
    }
    fs::write(path, bytes).unwrap();
}

/// When the subtitles of a result are shown, and for how long; then the film's length.
fn events(path: &Path) -> Vec<String> {
    let entries = "packet=pts_time,duration_time:format=duration";
    let arguments = [
        "-select_streams",
        "s",
        "-show_entries",
        entries,
        "-of",
        "csv=p=0",
    ];
    let lines = ffprobe(&arguments, path);
    lines
        .lines()
        .map(|line| line.trim_end_matches(',').to_owned())
        .collect()
}

#[test]
fn a_bitmap_subtitle_of_unknown_length_ends_at_the_next_one_or_with_the_film() {
    let Some(media) = shared_media("good") else {
        return;
    };
    let bitmaps = media.join("ax_sample_with_pgs_subtitles.mkv");
    let arguments = format!(
        "-f lavfi -i testsrc2=size=160x120:duration=4 -stream_loop 1 -i {} -map 0:v -map 1:s \
         -c:v libx264 -pix_fmt yuv420p -c:s dvdsub",
        bitmaps.display()
    );
    // All ones, as FFmpeg has it; and none.
    for has_length in [true, false] {
        let source = Source::made("a.mkv", &arguments);
        if !has_length {
            let endless = b"\x9b\x84\xff\xff\xff\xff";
            patch(&source.path, endless, b"\xec\x84\0\0\0\0");
        }
        // When the second one begins.
        let next = events(&source.path)[1]
            .split(',')
            .next()
            .unwrap()
            .to_owned();
        assert!((1.2..1.3).contains(&next.parse().unwrap()), "{next}");
        for dispatch in ENGINES {
            for flags in [
                &["--format", "mp4"][..],
                &["--preset", "remux", "--format", "mp4"],
                &["--copy", "never", "--format", "mp4"],
            ] {
                let ran = source.run("convert", dispatch, flags);
                assert_eq!(ran.code, Some(0), "{dispatch} {flags:?}: {}", ran.terminal);
                assert!(!ran.terminal.contains("warning"), "{}", ran.terminal);
                assert_eq!(
                    events(&ran.out.join("a.mp4")),
                    [
                        format!("0.000000,{next}"),
                        format!("{next},{:.6}", 4.0 - next.parse::<f64>().unwrap()),
                        "4.000000".into()
                    ],
                    "{dispatch} {flags:?}"
                );
            }
            // There, a length may be unknown; it is not the film's.
            let ran = source.run("convert", dispatch, &["--format", "mkv"]);
            assert_eq!(ran.code, Some(0), "{dispatch}: {}", ran.terminal);
            assert_eq!(
                events(&ran.out.join("a.mkv")),
                ["0.000000,N/A", &format!("{next},N/A"), "4.000000"],
                "{dispatch}"
            );
        }
    }
}

#[test]
fn a_text_of_unknown_length_ends_at_the_next_one_or_with_the_film() {
    let root = tempfile::tempdir().unwrap();
    let text = root.path().join("a.srt");
    let lines = "1\n00:00:00,500 --> 00:00:01,500\none\n\n2\n00:00:02,000 --> 00:00:03,000\ntwo\n";
    fs::write(&text, lines).unwrap();
    let arguments = format!(
        "-f lavfi -i testsrc2=size=160x120:duration=4 -i {} -c:v libx264 -pix_fmt yuv420p -c:s srt",
        text.display()
    );
    let source = Source::made("a.mkv", &arguments);
    patch(&source.path, b"\x9b\x82\x03\xe8", b"\xec\x82\0\0");
    for dispatch in DISPATCHES {
        let ran = source.run("convert", dispatch, &["--format", "mp4"]);
        if dispatch == "processes" && ran.code != Some(0) {
            // Before 7.1, the program gives such events no length, and shows the last one never.
            let warning = "stream 1: 1 of 2 subtitles have arrived";
            assert!(ran.terminal.contains(warning), "{}", ran.terminal);
            continue;
        }
        assert_eq!(ran.code, Some(0), "{dispatch}: {}", ran.terminal);
        let shown = events(&ran.out.join("a.mp4"));
        for line in ["0.500000,1.500000", "2.000000,2.000000", "4.000000"] {
            assert!(shown.iter().any(|it| it == line), "{dispatch}: {shown:?}");
        }
    }
}

#[test]
fn a_damaged_picture_of_a_slideshow_is_named_and_left_out() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("1.jpg");
    let picture = "-f lavfi -i testsrc2=size=320x240 -frames:v 1 -update 1";
    ffmpeg(picture.split_whitespace(), &whole);
    let damaged = root.path().join("damaged");
    fs::create_dir(&damaged).unwrap();
    for ending in [
        "jpg", "png", "webp", "gif", "bmp", "tiff", "ppm", "tga", "qoi",
    ] {
        if ending == "qoi" && !encodes("qoi") {
            continue;
        }
        let path = root.path().join("all").with_extension(ending);
        ffmpeg(picture.split_whitespace(), &path);
        let bytes = fs::read(&path).unwrap();
        let (half, end) = (bytes.len() / 2, bytes.len() - 5);
        fs::write(damaged.join("half").with_extension(ending), &bytes[..half]).unwrap();
        if ending == "jpg" {
            fs::write(damaged.join("end.jpg"), &bytes[..end]).unwrap();
            let torn = [&bytes[..half], &[0xff; 64], &bytes[half + 64..]].concat();
            fs::write(damaged.join("middle.jpg"), torn).unwrap();
        }
    }
    for name in names(&damaged) {
        let film = root.path().join("film.mp4");
        let slideshow = || {
            let mut command = rushes();
            command.args([
                "slideshow",
                "--seconds",
                "1",
                "--size",
                "320x240",
                "--exists",
                "overwrite",
            ]);
            command.args([&whole, &damaged.join(&name), Path::new("-o"), &film]);
            command
        };
        let output = slideshow().output().unwrap();
        let terminal = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {terminal}");
        assert!(
            terminal.contains("left out: ") && terminal.contains(&name),
            "{terminal}"
        );
        let seconds = ffprobe(
            &["-show_entries", "format=duration", "-of", "csv=p=0"],
            &film,
        );
        assert_eq!(seconds, "1.000000", "{name}");
        let stopped = slideshow().args(["--on-error", "stop"]).output().unwrap();
        assert_eq!(stopped.status.code(), Some(1), "{}", stderr(&stopped));
    }
}

/// Whether the `ffmpeg` program has this encoder.
fn encodes(name: &str) -> bool {
    let output = std::process::Command::new("ffmpeg")
        .args(["-hide_banner", "-encoders"])
        .output();
    String::from_utf8_lossy(&output.unwrap().stdout).contains(&format!(" {name} "))
}

/// The checksum of a page of Ogg (RFC 3533, section 6).
fn ogg_checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
            (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    })
}

/// Sets the granule positions of all pages but those of headers.
fn set_granules(path: &Path, granule: i64) {
    let mut bytes = fs::read(path).unwrap();
    let mut at = 0;
    while at < bytes.len() {
        assert_eq!(&bytes[at..at + 4], b"OggS");
        let segments = usize::from(bytes[at + 26]);
        let lengths = &bytes[at + 27..at + 27 + segments];
        let size: usize = lengths.iter().map(|length| usize::from(*length)).sum();
        let page = &mut bytes[at..at + 27 + segments + size];
        at += page.len();
        if page[6..14] != [0; 8] {
            page[6..14].copy_from_slice(&granule.to_le_bytes());
            page[22..26].fill(0);
            let checksum = ogg_checksum(page);
            page[22..26].copy_from_slice(&checksum.to_le_bytes());
        }
    }
    fs::write(path, bytes).unwrap();
}

/// Codecs and numbers of packets, and the film's length.
fn packets(path: &Path) -> String {
    let entries = "stream=codec_name,start_time,nb_read_packets:format=duration";
    ffprobe(
        &["-count_packets", "-show_entries", entries, "-of", "csv=p=0"],
        path,
    )
}

#[test]
fn frames_without_usable_times_follow_each_other_by_their_rate() {
    let video = "-f lavfi -i testsrc2=size=160x120:rate=25:duration=2 -c:v libtheora";
    let sound = "-f lavfi -i sine=duration=2 -c:a libvorbis";
    let both = format!("{} {}", video.replace("-c:v libtheora", ""), sound);
    // None; one that no clock shows; and one that overflows as soon as it is scaled.
    for granule in [-1, 0x7fff_ffff_ffff_fff0, i64::MIN + 1] {
        let film = Source::made("a.ogv", video);
        set_granules(&film.path, granule);
        let heard = Source::made("a.ogv", &format!("{both} -c:v libtheora"));
        set_granules(&heard.path, granule);
        for dispatch in ENGINES {
            let ran = film.run("convert", dispatch, &["--format", "mkv"]);
            assert_eq!(ran.code, Some(0), "{dispatch} {granule}: {}", ran.terminal);
            let found = packets(&ran.out.join("a.mkv"));
            assert_eq!(found, "h264,0.000000,50\n2.000000", "{dispatch} {granule}");
            let ran = heard.run("convert", dispatch, &["--format", "mkv"]);
            if dispatch == "processes" && ran.code != Some(0) {
                assert!(
                    ran.terminal.contains("--dispatch workers"),
                    "{}",
                    ran.terminal
                );
                continue;
            }
            assert_eq!(ran.code, Some(0), "{dispatch} {granule}: {}", ran.terminal);
            let found = packets(&ran.out.join("a.mkv"));
            let lines: Vec<&str> = found.lines().collect();
            let counted = lines[0].starts_with("h264,0.0") && lines[0].ends_with(",50");
            assert!(counted && lines[1].starts_with("aac,"), "{found}");
            let seconds: f64 = found.lines().last().unwrap().parse().unwrap();
            assert!((seconds - 2.0).abs() < 0.1, "{dispatch} {granule}: {found}");
        }
        let flags = ["--preset", "remux", "--format", "mkv"];
        let ran = film.run("convert", "threads", &flags);
        assert_eq!(ran.code, Some(0), "{granule}: {}", ran.terminal);
        let found = packets(&ran.out.join("a.mkv"));
        assert_eq!(found, "theora,0.000000,50\n2.000000", "{granule}");
        // The program makes up no times for what it copies.
        let ran = film.run("convert", "processes", &flags);
        assert_eq!(ran.code, Some(1), "{granule}: {}", ran.terminal);
        assert!(
            ran.terminal.contains("stream 0 has no usable times"),
            "{}",
            ran.terminal
        );
    }
}

/// Two tracks of video and two of sound, of which one carries nothing.
fn with_empty_stream(stream: &str) -> Source {
    Source::made(
        "a.ts",
        &format!(
            "-f lavfi -i testsrc2=size=160x120:duration=2 -f lavfi -i testsrc2=size=160x120:duration=2 \
             -f lavfi -i sine=duration=2 -f lavfi -i sine=duration=2 -map 0 -map 1 -map 2 -map 3 \
             -c:v libx264 -pix_fmt yuv420p -c:a aac -bsf:{stream} noise=drop=1 -f mpegts"
        ),
    )
}

#[test]
fn a_stream_of_which_nothing_is_known_is_left_out_and_the_rest_is_converted() {
    for (stream, codec, what) in [
        (
            "a:0",
            "h264 h264 aac",
            "stream 2: sound (aac) left out: nothing in it shows",
        ),
        (
            "a:1",
            "h264 h264 aac",
            "stream 3: sound (aac) left out: nothing in it shows",
        ),
        (
            "v:0",
            "h264 aac aac",
            "stream 0: video (h264) left out: nothing in it shows",
        ),
        (
            "v:1",
            "h264 aac aac",
            "stream 1: video (h264) left out: nothing in it shows",
        ),
    ] {
        let source = with_empty_stream(stream);
        for dispatch in ENGINES {
            for flags in [
                &["--format", "mkv"][..],
                &["--copy", "never", "--format", "mkv"],
                &["--preset", "remux", "--format", "mkv"],
                &["--preset", "remux", "--format", "mp4"],
            ] {
                let ran = source.run("convert", dispatch, flags);
                let context = format!("{stream} {dispatch} {flags:?}: {}", ran.terminal);
                assert!(ran.terminal.contains(what), "{context}");
                let result = ran.out.join("a").with_extension(flags.last().unwrap());
                let arguments = ["-show_entries", "stream=codec_name", "-of", "csv=p=0"];
                let found = ffprobe(&arguments, &result).replace('\n', " ");
                assert_eq!(found, codec, "{context}");
            }
        }
        let ran = source.run("convert", "threads", &["--preset", "audio"]);
        assert!(ran.out.join("a.m4a").exists(), "{stream}: {}", ran.terminal);
    }
}

#[test]
fn subtitles_that_carry_nothing_do_not_keep_the_rest_back() {
    let Some(media) = shared_media("good") else {
        return;
    };
    let bitmaps = media.join("ax_sample_with_vobsub.mkv");
    let arguments = format!(
        "-f lavfi -i testsrc2=size=160x120:duration=2 -i {} -map 0:v -map 1:s -c:v libx264 \
         -pix_fmt yuv420p -c:s dvbsub -bsf:s noise=drop=1 -f mpegts",
        bitmaps.display()
    );
    let source = Source::made("a.ts", &arguments);
    for dispatch in ENGINES {
        for flags in [
            &["--format", "mkv"][..],
            &["--preset", "remux", "--format", "mkv"],
            &["--preset", "remux", "--format", "mp4"],
        ] {
            let ran = source.run("convert", dispatch, flags);
            assert_eq!(ran.code, Some(0), "{dispatch} {flags:?}: {}", ran.terminal);
        }
    }
}

#[test]
fn a_film_whose_only_video_carries_nothing_says_so() {
    let arguments = "-f lavfi -i testsrc2=size=160x120:duration=2 -f lavfi -i sine=duration=2 \
                     -c:v libx264 -c:a aac -bsf:v noise=drop=1 -f mpegts";
    let source = Source::made("a.ts", arguments);
    for dispatch in ENGINES {
        for (flags, cause) in [
            (&["--preset", "remux"][..], "--preset audio"),
            (&["--preset", "web"], "no picture in it could be decoded"),
        ] {
            let ran = source.run("convert", dispatch, flags);
            assert_ne!(ran.code, Some(0), "{dispatch} {flags:?}");
            assert!(
                ran.terminal.contains(cause),
                "{dispatch} {flags:?}: {}",
                ran.terminal
            );
        }
    }
}

#[test]
fn an_unknown_length_is_no_length_of_nothing() {
    let arguments = "-f lavfi -i testsrc2=size=160x120:duration=2 -c:v libx264 -live 1";
    let source = Source::made("a.mkv", arguments);
    let output = rushes()
        .args(["convert", "--dry-run"])
        .args([
            &source.path,
            Path::new("-o"),
            &source.root.path().join("out"),
        ])
        .output()
        .unwrap();
    let plan = stdout(&output);
    assert!(plan.contains("1 job to do (of unknown length, "), "{plan}");
    let bench = rushes()
        .args(["bench", "--dry-run", "--work", "transcode", "--json"])
        .args([
            &source.path,
            Path::new("-o"),
            &source.root.path().join("bench"),
        ])
        .output()
        .unwrap();
    let planned = events_of(&bench);
    let length_s = planned["clips_s"].as_f64().unwrap();
    assert!((length_s - 2.0).abs() < 0.1, "{planned}");
    let nothing = rushes()
        .args(["convert", "--dry-run", "--exclude", "*"])
        .args([
            &source.path,
            Path::new("-o"),
            &source.root.path().join("out"),
        ])
        .output()
        .unwrap();
    assert!(!stdout(&nothing).contains("-0"), "{}", stdout(&nothing));
}

/// The event of a benchmark's dry run.
fn events_of(output: &std::process::Output) -> Value {
    let events = crate::common::events(output);
    let planned = events.into_iter().find(|it| it["event"] == "bench_planned");
    planned.unwrap()
}

#[test]
fn a_copy_that_cannot_be_kept_leaves_the_encoded_result() {
    let video = "-f lavfi -i testsrc2=size=160x120:rate=25:duration=2 -c:v libtheora";
    let source = Source::made("a.ogv", video);
    set_granules(&source.path, -1);
    // The program cannot copy what has no times; rushes can.
    for (dispatch, codec) in [("threads", "theora"), ("processes", "h264")] {
        let flags = ["--format", "mkv", "--crf", "1", "--keep-smaller"];
        let ran = source.run("convert", dispatch, &flags);
        assert_eq!(ran.code, Some(0), "{dispatch}: {}", ran.terminal);
        let found = packets(&ran.out.join("a.mkv"));
        assert_eq!(
            found,
            format!("{codec},0.000000,50\n2.000000"),
            "{dispatch}"
        );
        let is_kept = !ran
            .terminal
            .contains("the source's own streams are not kept: ");
        assert_eq!(is_kept, codec == "theora", "{}", ran.terminal);
    }
}

#[test]
fn a_result_of_sound_alone_in_which_none_could_be_decoded_is_a_failure() {
    let opus = Source::made("a.ogg", "-f lavfi -i sine=duration=3 -c:a libopus");
    set_granules(&opus.path, -1);
    let aac = Source::made("a.m4a", "-f lavfi -i sine=duration=3 -c:a aac");
    let mut bytes = fs::read(&aac.path).unwrap();
    let at = bytes.windows(4).position(|word| word == b"mdat").unwrap();
    let size = u32::from_be_bytes(bytes[at - 4..at].try_into().unwrap());
    bytes[at + 4..at - 4 + size as usize].fill(0xff);
    fs::write(&aac.path, bytes).unwrap();
    for source in [opus, aac] {
        for dispatch in ENGINES {
            let ran = source.run("convert", dispatch, &["--preset", "audio"]);
            let name = source.path.display();
            assert_eq!(ran.code, Some(1), "{name} {dispatch}: {}", ran.terminal);
            assert!(ran.terminal.contains("FAILED"), "{name}: {}", ran.terminal);
            assert_eq!(names(&ran.out), [""; 0], "{name} {dispatch}");
        }
    }
}

/// Samples of a file's sound.
fn samples(path: &Path) -> Vec<u8> {
    let raw = path.with_extension("s16");
    let arguments = format!("-i {} -map 0:a:0 -f s16le", path.display());
    ffmpeg(arguments.split_whitespace(), &raw);
    fs::read(raw).unwrap()
}

#[test]
fn all_frames_of_an_amr_packet_are_heard() {
    let Some(media) = shared_media("good") else {
        return;
    };
    let sources = [
        "mp4p_multiTrack.3gp",
        "mp4p_MOV00006.3gp",
        "phpff_sample.3gp",
        "mex_sample_3GPP2.3g2",
    ];
    for name in sources {
        let arguments = format!("-i {} -map 0:a:0 -c copy", media.join(name).display());
        // One frame a packet, which all versions decode.
        let single = Source::made("single.amr", &arguments);
        let several = Source::of(&media.join(name));
        let flags = ["--preset", "audio", "--acodec", "alac"];
        let of = |source: &Source, dispatch: &str| {
            let ran = source.run("convert", dispatch, &flags);
            assert_eq!(ran.code, Some(0), "{name} {dispatch}: {}", ran.terminal);
            samples(&ran.out.join(names(&ran.out).pop().unwrap()))
        };
        let expected = of(&single, "processes");
        assert!(expected.iter().any(|byte| *byte != 0), "{name}");
        for dispatch in ["threads", "workers"] {
            let found = of(&several, dispatch);
            assert_eq!(found.len(), expected.len(), "{name} {dispatch}");
            assert!(found == expected, "{name} {dispatch}");
        }
        // An ffmpeg that decodes a part of them is not given the job.
        let ran = several.run("convert", "processes", &flags);
        if ran.code == Some(0) {
            let result = ran.out.join(names(&ran.out).pop().unwrap());
            assert!(samples(&result) == expected, "{name}");
        } else {
            let error = "decodes only the first AMR frame of each packet of stream";
            assert!(ran.terminal.contains(error), "{name}: {}", ran.terminal);
        }
    }
}
