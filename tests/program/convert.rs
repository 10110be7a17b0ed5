//! What `rushes convert` makes of a source: presets, what is copied, what arrives, what is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::common::{
    self, DISPATCHES, QUARTER_TURN, decoded, events, ffmpeg, ffprobe, long_sample, run, sample,
    set_display_matrix, stderr, succeed, tiny,
};
use serde_json::Value;

/// A folder for sources and results of one test.
struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Converts `source` by `flags` into a folder of its own, and gives that folder.
    fn convert(&self, source: &Path, dispatch: &str, flags: &[&str]) -> PathBuf {
        let out = self.path(dispatch);
        let _ = fs::remove_dir_all(&out);
        let mut arguments = args!["convert", source, "-o", &out, "--dispatch", dispatch].to_vec();
        arguments.extend(flags.iter().map(Into::into));
        succeed(arguments);
        out
    }
}

/// Streams as `index codec type default`, a line each.
fn streams(path: &Path) -> Vec<String> {
    let entries = "stream=index,codec_name,codec_type:stream_disposition=default,attached_pic";
    let text = ffprobe(&["-show_entries", entries, "-of", "csv=p=0"], path);
    text.lines().map(str::to_owned).collect()
}

fn tag(path: &Path, name: &str) -> String {
    let entries = format!("format_tags={name}");
    ffprobe(&["-show_entries", &entries, "-of", "csv=p=0"], path)
}

/// A clip with all that a container can hold: two tracks of sound in two
/// languages, subtitles, chapters, tags, a cover and an attached file.
fn rich(folder: &Path) -> PathBuf {
    let at = |name: &str| folder.join(name);
    fs::write(
        at("said.srt"),
        "1\n00:00:00,200 --> 00:00:00,900\nfirst words\n\n2\n00:00:01,000 --> 00:00:01,500\nlast words\n",
    )
    .unwrap();
    fs::write(
        at("tags.txt"),
        ";FFMETADATA1\ntitle=A rich clip\nartist=Nobody\ncreation_time=2020-02-02T02:02:02.000000Z\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n\
         [CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n",
    )
    .unwrap();
    fs::write(at("font.ttf"), b"no real font").unwrap();
    ffmpeg(
        [
            "-f",
            "lavfi",
            "-i",
            "color=red:size=64x64",
            "-frames:v",
            "1",
        ],
        &at("cover.png"),
    );
    let target = at("rich.mkv");
    let lavfi = ["-f", "lavfi", "-i"];
    let mut all: Vec<std::ffi::OsString> = Vec::new();
    for input in [
        "testsrc2=size=160x120:rate=25:duration=2",
        "sine=frequency=300:sample_rate=48000:duration=2",
        "sine=frequency=600:sample_rate=48000:duration=2",
    ] {
        all.extend(lavfi.map(Into::into));
        all.push(input.into());
    }
    all.extend(args!["-i", at("said.srt"), "-i", at("tags.txt")]);
    all.extend(
        "-map 0:v -map 1:a -map 2:a -map 3:s -map_metadata 4 -map_chapters 4 \
         -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a flac -c:s srt \
         -metadata:s:a:0 language=eng -metadata:s:a:1 language=fra -metadata:s:s:0 language=deu \
         -disposition:a:0 0 -disposition:a:1 default"
            .split_whitespace()
            .map(Into::into),
    );
    all.extend(args!["-attach", at("cover.png")]);
    all.extend(["-metadata:s:4", "mimetype=image/png"].map(Into::into));
    all.extend(["-metadata:s:4", "filename=cover.png"].map(Into::into));
    all.extend(args!["-attach", at("font.ttf")]);
    all.extend(["-metadata:s:5", "mimetype=font/ttf"].map(Into::into));
    ffmpeg(all, &target);
    target
}

#[test]
fn all_that_a_file_holds_arrives_in_mp4() {
    let bench = Bench::new();
    let source = rich(bench.0.path());
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    fs::File::options()
        .write(true)
        .open(&source)
        .unwrap()
        .set_modified(then)
        .unwrap();
    for dispatch in DISPATCHES {
        let out = bench.convert(&source, dispatch, &["--json"]);
        let file = out.join("rich.mp4");
        assert_eq!(
            streams(&file),
            [
                "0,h264,video,1,0",
                "1,aac,audio,0,0",
                "2,aac,audio,1,0",
                "3,mov_text,subtitle,1,0",
                // The chapters, as players of QuickTime find them.
                "4,bin_data,data,0,0",
                "5,png,video,0,1",
            ],
            "{dispatch}"
        );
        let languages = ffprobe(
            &["-show_entries", "stream_tags=language", "-of", "csv=p=0"],
            &file,
        );
        let languages: Vec<_> = languages.lines().take(4).collect();
        assert_eq!(languages, ["und", "eng", "fra", "deu"], "{dispatch}");
        let chapters = ffprobe(
            &[
                "-show_entries",
                "chapter=start_time:chapter_tags=title",
                "-of",
                "csv=p=0",
            ],
            &file,
        );
        assert_eq!(chapters, "0.000000,One\n1.000000,Two", "{dispatch}");
        assert_eq!(tag(&file, "title"), "A rich clip");
        assert_eq!(tag(&file, "artist"), "Nobody");
        assert_eq!(tag(&file, "creation_time"), "2020-02-02T02:02:02.000000Z");
        assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), then);
        let words = ffprobe(
            &[
                "-select_streams",
                "s",
                "-show_entries",
                "packet=pts_time",
                "-of",
                "csv=p=0",
            ],
            &file,
        );
        assert!(
            words.contains("0.200000") && words.contains("1.000000"),
            "{words}"
        );
    }
}

#[test]
fn what_a_phone_says_of_place_and_device_arrives() {
    let bench = Bench::new();
    let source = bench.0.path().join("phone.mov");
    let place = "+51.5334-000.1255+026.756/";
    ffmpeg(
        args![
            "-i",
            tiny(),
            "-c",
            "copy",
            "-movflags",
            "use_metadata_tags",
            "-metadata",
            format!("com.apple.quicktime.location.ISO6709={place}"),
            "-metadata",
            "com.apple.quicktime.make=Maker",
            "-metadata",
            "title=Title"
        ],
        &source,
    );
    for dispatch in DISPATCHES {
        for flags in [&[][..], &["--copy", "never"], &["--format", "mkv"]] {
            let out = bench.convert(&source, dispatch, flags);
            let ending = if flags.contains(&"mkv") {
                "phone.mkv"
            } else {
                "phone.mp4"
            };
            let result = out.join(ending);
            let what = format!("{dispatch} {flags:?}");
            assert_eq!(
                tag(&result, "com.apple.quicktime.location.ISO6709"),
                place,
                "{what}"
            );
            assert_eq!(tag(&result, "com.apple.quicktime.make"), "Maker", "{what}");
            assert_eq!(tag(&result, "title"), "Title", "{what}");
            // Of the source as a file, this says something wrong.
            assert!(!tag(&result, "major_brand").contains("qt"), "{what}");
        }
    }
}

#[test]
fn a_tag_that_the_container_has_no_place_for_is_told() {
    let bench = Bench::new();
    let source = bench.0.path().join("tagged.mkv");
    let tags = [
        "-c",
        "copy",
        "-metadata",
        "mood=calm",
        "-metadata",
        "title=Title",
    ];
    let mut arguments = args!["-i", tiny()].to_vec();
    arguments.extend(tags.map(Into::into));
    ffmpeg(arguments, &source);
    for dispatch in DISPATCHES {
        let out = bench.0.path().join(dispatch);
        let output = common::rushes()
            .args(args![
                "convert",
                &source,
                "-o",
                &out,
                "--json",
                "--dispatch",
                dispatch
            ])
            .output()
            .unwrap();
        let warnings = warnings_of(&finished(&events(&output))[0]);
        assert_eq!(warnings, ["tags that did not arrive: mood"], "{dispatch}");
    }
}

#[test]
fn all_that_a_file_holds_arrives_in_matroska_untouched() {
    let bench = Bench::new();
    let source = rich(bench.0.path());
    for dispatch in DISPATCHES {
        let out = bench.convert(&source, dispatch, &["--preset", "remux"]);
        let file = out.join("rich.mkv");
        // Covers come last, whatever their place was.
        let kinds = |file: &Path| {
            let mut kinds: Vec<String> = streams(file)
                .iter()
                .map(|line| line.split_once(',').unwrap().1.to_owned())
                .collect();
            kinds.sort();
            kinds
        };
        assert_eq!(kinds(&file), kinds(&source), "{dispatch}");
        let (before, after) = (decoded(&source), decoded(&file));
        assert_eq!(before, after, "{dispatch}");
        assert_eq!(tag(&file, "title"), "A rich clip");
    }
}

/// A film with captions of television: `lines` of Scenarist's text form.
fn captioned(bench: &Bench, lines: &str) -> PathBuf {
    let (text, film) = (bench.path("said.scc"), bench.path("captioned.mov"));
    fs::write(&text, format!("Scenarist_SCC V1.0\n\n{lines}")).unwrap();
    let picture = "testsrc2=size=160x120:rate=25:duration=6";
    let mut all = args!["-f", "lavfi", "-i", picture, "-i", text].to_vec();
    let codecs = "-map 0:v -map 1:s -c:s copy -c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    all.extend(codecs.split_whitespace().map(Into::into));
    ffmpeg(all, &film);
    film
}

/// Time, length and text of each subtitle, a line each.
fn subtitles(path: &Path) -> Vec<String> {
    let entries = "packet=pts_time,duration_time,data_hash";
    let csv = ["-of", "csv=p=0", "-show_data_hash", "md5"];
    let all = [
        &["-select_streams", "s", "-show_entries", entries],
        &csv[..],
    ]
    .concat();
    ffprobe(&all, path).lines().map(str::to_owned).collect()
}

/// The captions of `film` in that format, of which all dispatches make the same.
fn captions_by_all(bench: &Bench, film: &Path, format: &str) -> Vec<String> {
    let [made, others @ ..] = DISPATCHES.map(|dispatch| {
        let out = bench.convert(film, dispatch, &["--format", format]);
        subtitles(&out.join(format!("captioned.{format}")))
    });
    assert!(
        others.iter().all(|other| *other == made),
        "{made:?}, {others:?}"
    );
    made
}

#[test]
fn the_last_caption_of_television_arrives_too() {
    let bench = Bench::new();
    let film = captioned(
        &bench,
        "00:00:01:00\t94ae 94ae 9420 9420 9470 9470 c8e5 ecec ef80 942f 942f\n\n\
         00:00:03:00\t94ae 94ae 9420 9420 9470 9470 57ef f2ec 6480 942f 942f\n\n\
         00:00:05:00\t942c 942c\n\n",
    );
    assert_eq!(captions_by_all(&bench, &film, "mkv").len(), 2);
}

#[test]
fn captions_that_come_in_one_packet_arrive_once_each_in_every_container() {
    let bench = Bench::new();
    let film = captioned(
        &bench,
        "00:00:01:00\t94ae 94ae 9420 9420 9470 9470 c8e5 ecec ef80 942f 942f\n\n\
         00:00:03:00\t94ae 94ae 9420 9420 9470 9470 57ef f2ec 6480 942f 942f \
         94ae 94ae 9420 9420 9470 9470 c8e5 ecec 6480 942f 942f\n\n\
         00:00:05:00\t942c 942c\n\n",
    );
    for format in ["mkv", "mp4"] {
        let made = captions_by_all(&bench, &film, format);
        assert!(made.len() >= 2, "{made:?}");
    }
}

/// Sound of `path` as samples of 24 bits.
fn samples_of_24_bits(path: &Path) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args("-map 0:a -c:a pcm_s24le -f s24le -".split_whitespace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    output.stdout
}

#[test]
fn sound_of_24_bits_keeps_them_in_flac_and_where_it_cannot_that_is_told() {
    let bench = Bench::new();
    let source = bench.path("deep.mkv");
    let sound = "aevalsrc=0.3*sin(2*PI*440*t)+0.0001*sin(2*PI*97*t):s=48000:d=1";
    let codecs = "-c:v libx264 -preset ultrafast -c:a pcm_s24le -shortest";
    let mut all = args!["-i", tiny(), "-f", "lavfi", "-i", sound].to_vec();
    all.extend("-map 0:v -map 1:a".split_whitespace().map(Into::into));
    all.extend(codecs.split_whitespace().map(Into::into));
    ffmpeg(all, &source);
    let config = bench.path("mine.toml");
    let presets = ["flac", "pcm_s16le"].map(|encoder| {
        format!(
            "[{encoder}]\nabout = \"deep\"\nbase = \"remux\"\n\
             [{encoder}.audio]\nencoder = \"{encoder}\"\n"
        )
    });
    fs::write(&config, presets.concat()).unwrap();
    let config = config.to_str().unwrap();
    for dispatch in DISPATCHES {
        let flags = ["--config", config, "--preset", "flac", "--json"];
        let out = bench.convert(&source, dispatch, &flags);
        let made = out.join("deep.mkv");
        let same = samples_of_24_bits(&made) == samples_of_24_bits(&source);
        assert!(same, "{dispatch}");
    }
    let out = bench.path("shallow");
    let flags = args!["--config", config, "--preset", "pcm_s16le", "--json"];
    let arguments = [&args!["convert", &source, "-o", &out][..], &flags[..]].concat();
    let told = common::stdout(&succeed(arguments));
    let note = "stream 1: samples of 24 bits become samples of 16 in pcm_s16le";
    assert!(told.contains(note), "{told}");
}

#[test]
fn a_chapter_keeps_all_that_is_said_of_it() {
    let bench = Bench::new();
    let tags = bench.path("tags.txt");
    let chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\n";
    fs::write(
        &tags,
        format!(";FFMETADATA1\n{chapter}title=One\nartist=Somebody\n"),
    )
    .unwrap();
    let source = bench.path("told.mkv");
    let mut all = args!["-i", tiny(), "-i", &tags].to_vec();
    all.extend("-map_chapters 1 -c copy".split_whitespace().map(Into::into));
    ffmpeg(all, &source);
    for dispatch in DISPATCHES {
        let out = bench.convert(&source, dispatch, &["--format", "mkv"]);
        let entries = ["-show_entries", "chapter_tags", "-of", "csv=p=0"];
        let mut found: Vec<String> = ffprobe(&entries, &out.join("told.mkv"))
            .split(',')
            .map(str::to_owned)
            .collect();
        found.sort_unstable();
        assert_eq!(found, ["One", "Somebody"], "{dispatch}");
    }
}

#[test]
fn what_does_not_arrive_is_told_with_the_reason() {
    let bench = Bench::new();
    let source = rich(bench.0.path());
    let out = bench.path("out");
    let output = succeed(args!["convert", &source, "-o", &out, "--json"]);
    let warnings = warnings_of(&finished(&events(&output))[0]);
    assert_eq!(
        warnings,
        ["stream 5: attachment left out: mp4 has no place for it; --format mkv has"]
    );
}

fn finished(events: &[Value]) -> Vec<Value> {
    let is = |event: &&Value| event["event"] == "job_finished";
    events.iter().filter(is).cloned().collect()
}

fn warnings_of(event: &Value) -> Vec<String> {
    let warnings = event["verdict"]["done"]["warnings"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    warnings.iter().map(text).collect()
}

#[test]
fn a_stream_that_already_fits_is_copied_bit_by_bit() {
    let bench = Bench::new();
    let source = tiny();
    for dispatch in DISPATCHES {
        let out = bench.convert(&source, dispatch, &[]);
        assert_eq!(
            decoded(&out.join("tiny.mp4")),
            decoded(&source),
            "{dispatch}"
        );
        let never = bench.convert(&source, dispatch, &["--copy", "never"]);
        assert_ne!(
            decoded(&never.join("tiny.mp4")),
            decoded(&source),
            "{dispatch}"
        );
    }
}

#[test]
fn a_stream_that_does_not_fit_the_recipe_is_encoded() {
    let bench = Bench::new();
    let source = tiny();
    for flags in [
        &["--size", "80x60"][..],
        &["--fps", "10"],
        &["--crf", "30"],
        &["--speed", "ultrafast"],
        &["--vcodec", "libx264"],
    ] {
        let output = succeed(
            args![
                "convert",
                &source,
                "-o",
                bench.path("out"),
                "--json",
                "--exists",
                "overwrite"
            ]
            .into_iter()
            .chain(flags.iter().map(Into::into)),
        );
        let done = &finished(&events(&output))[0]["verdict"]["done"];
        // The sound fits all the same.
        assert_eq!(
            done["results"][0]["copied"],
            serde_json::json!([1]),
            "{flags:?}"
        );
    }
}

#[test]
fn several_presets_decode_once_and_write_each() {
    let bench = Bench::new();
    let source = sample("cells-240p50.mkv");
    for dispatch in DISPATCHES {
        let flags = ["--preset", "720p", "--preset", "480p", "--preset", "audio"];
        let mut flags = flags.to_vec();
        flags.truncate(4);
        let out = bench.convert(&source, dispatch, &flags);
        for preset in ["720p", "480p"] {
            let file = out.join(preset).join("cells-240p50.mp4");
            let rate = ffprobe(
                &[
                    "-select_streams",
                    "v",
                    "-show_entries",
                    "stream=avg_frame_rate",
                    "-of",
                    "csv=p=0",
                ],
                &file,
            );
            assert_eq!(rate, "30/1", "{dispatch} {preset}");
            assert_eq!(decoded(&file).frames.len(), 30);
        }
    }
}

#[test]
fn all_dispatches_make_the_same_of_every_preset() {
    let bench = Bench::new();
    let source = tiny();
    for (preset, ending, speed) in [
        ("web", "mp4", Some("ultrafast")),
        ("720p", "mp4", Some("ultrafast")),
        ("480p", "mp4", Some("ultrafast")),
        ("hevc", "mp4", Some("ultrafast")),
        ("av1", "mp4", Some("12")),
        ("proxy", "mov", None),
        ("remux", "mkv", None),
    ] {
        let mut flags = vec!["--preset", preset];
        flags.extend(speed.iter().flat_map(|speed| ["--speed", *speed]));
        let [a, b, c] = DISPATCHES.map(|dispatch| {
            let out = bench.convert(&source, dispatch, &flags);
            let file = out.join("tiny").with_extension(ending);
            (streams(&file), decoded(&file))
        });
        assert_eq!(a.0, b.0, "{preset}");
        assert_eq!(a.1.difference(&b.1), None, "{preset}");
        assert_eq!(a.1.audio_samples, b.1.audio_samples, "{preset}");
        assert_eq!(a, c, "{preset}");
    }
}

#[test]
fn the_audio_preset_takes_the_sound_and_the_chapters() {
    let bench = Bench::new();
    let source = rich(bench.0.path());
    for dispatch in DISPATCHES {
        let out = bench.convert(&source, dispatch, &["--preset", "audio"]);
        let streams = streams(&out.join("rich.m4a"));
        assert_eq!(
            streams,
            [
                "0,aac,audio,0,0",
                "1,aac,audio,1,0",
                "2,bin_data,data,0,0",
                "3,png,video,0,1"
            ],
            "{dispatch}"
        );
    }
}

#[test]
fn ten_bits_stay_ten_bits_where_the_preset_can() {
    let bench = Bench::new();
    let source = bench.path("deep.mkv");
    ffmpeg(
        "-f lavfi -i testsrc2=size=160x120:rate=25:duration=0.4 -c:v libx265 -preset ultrafast \
         -pix_fmt yuv420p10le -x265-params log-level=error \
         -vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
            .split_whitespace(),
        &source,
    );
    let facts = |file: &Path| {
        let entries = "stream=pix_fmt,color_space,color_transfer,color_primaries,codec_tag_string";
        ffprobe(
            &[
                "-select_streams",
                "v",
                "-show_entries",
                entries,
                "-of",
                "csv=p=0",
            ],
            file,
        )
    };
    let tags = facts(&source);
    assert!(
        tags.ends_with("yuv420p10le,bt2020nc,smpte2084,bt2020"),
        "{tags}"
    );
    for dispatch in DISPATCHES {
        let flags = [
            "--preset",
            "hevc",
            "--copy",
            "never",
            "--speed",
            "ultrafast",
        ];
        let out = bench.convert(&source, dispatch, &flags);
        assert_eq!(
            facts(&out.join("deep.mp4")),
            "hvc1,yuv420p10le,bt2020nc,smpte2084,bt2020",
            "{dispatch}"
        );
        let out = bench.convert(
            &source,
            dispatch,
            &["--preset", "web", "--speed", "ultrafast", "--hdr", "keep"],
        );
        assert_eq!(
            facts(&out.join("deep.mp4")),
            "avc1,yuv420p,bt2020nc,smpte2084,bt2020",
            "{dispatch}"
        );
    }
}

#[test]
fn what_is_not_smaller_keeps_the_sources_streams_where_asked_for() {
    let bench = Bench::new();
    let source = tiny();
    for dispatch in DISPATCHES {
        let flags = ["--copy", "never", "--crf", "1", "--keep-smaller"];
        let out = bench.convert(&source, dispatch, &flags);
        assert_eq!(
            decoded(&out.join("tiny.mp4")),
            decoded(&source),
            "{dispatch}"
        );
        let flags = [
            "--copy",
            "never",
            "--crf",
            "40",
            "--abitrate",
            "32k",
            "--keep-smaller",
        ];
        let out = bench.convert(&source, dispatch, &flags);
        assert_ne!(
            decoded(&out.join("tiny.mp4")),
            decoded(&source),
            "{dispatch}"
        );
    }
}

#[test]
fn contradictions_are_refused_with_the_reason_before_anything_starts() {
    let bench = Bench::new();
    let source = tiny();
    let refused = |flags: &str| {
        let out = bench.path("out");
        let arguments = args!["convert", &source, "-o", &out];
        let output = run(arguments
            .into_iter()
            .chain(flags.split_whitespace().map(Into::into)));
        assert_eq!(output.status.code(), Some(2), "{flags}");
        assert!(!out.exists(), "{flags}");
        stderr(&output)
    };
    // The original exercise's command, which ffmpeg takes without a word.
    insta::assert_snapshot!(refused("--vcodec copy --size 1280x720 --bitrate 2M"), @r"
    rushes: --vcodec copy takes the video as it is, and --size scales it: both cannot be
      → leave out --size, or --vcodec copy
    ");
    insta::assert_snapshot!(refused("--preset remux --crf 20"), @r"
    rushes: --preset remux takes the video as it is, and --crf gives it a quality: both cannot be
      → leave out --crf, or --preset remux
    ");
    insta::assert_snapshot!(refused("--acodec copy --abitrate 64k"), @r"
    rushes: --acodec copy takes the sound as it is, and --abitrate gives it a bit rate: both cannot be
      → leave out --abitrate, or --acodec copy
    ");
    insta::assert_snapshot!(refused("--vcodec none --acodec none"), @r"
    rushes: --vcodec none --acodec none: nothing would be left of the source
      → leave one of them out
    ");
    insta::assert_snapshot!(refused("--preset audio --fps 25"), @r"
    rushes: --fps: the preset 'audio' takes no pictures
      → name an encoder with --vcodec, or leave the flag out
    ");
    insta::assert_snapshot!(refused("--vcodec libx264 --format webm"), @r"
    rushes: --vcodec libx264: webm cannot hold h264
      → choose another container with --format (mkv holds nearly everything), or another encoder
    ");
    insta::assert_snapshot!(refused("--preset remux --copy never"), @r"
    rushes: --copy never: the preset 'remux' copies all streams
      → leave --copy out, or choose another preset
    ");
    insta::assert_snapshot!(refused("--preset web --preset web"), @r"
    rushes: --preset: one of them is given twice
      → give each once
    ");
    insta::assert_snapshot!(refused("--preset nonsense"), @r"
    rushes: there is no preset 'nonsense'
      → those that there are: web, 720p, 480p, hevc, av1, proxy, audio, remux
    ");
    insta::assert_snapshot!(refused("--format m4a"), @r"
    rushes: --format m4a holds sound alone
      → use --preset audio, or another format
    ");
}

#[test]
fn presets_are_listed_and_a_file_of_the_users_adds_to_them() {
    let bench = Bench::new();
    let config = bench.path("mine.toml");
    fs::write(
        &config,
        "[mail]\nabout = \"small enough to send\"\nbase = \"480p\"\n[mail.video]\nsize = \"80x60\"\n",
    )
    .unwrap();
    let output = succeed(args!["convert", "--config", &config, "--preset", "help"]);
    let list = common::stdout(&output);
    for word in [
        "web ",
        "720p ",
        "480p ",
        "hevc ",
        "av1 ",
        "proxy ",
        "audio ",
        "remux ",
        "small enough to send",
    ] {
        assert!(list.contains(word), "{word}: {list}");
    }
    let source = tiny();
    let config = config.to_str().unwrap().to_owned();
    let out = bench.convert(
        &source,
        "threads",
        &["--config", &config, "--preset", "mail"],
    );
    let size = ffprobe(
        &[
            "-select_streams",
            "v",
            "-show_entries",
            "stream=width,height",
            "-of",
            "csv=p=0",
        ],
        &out.join("tiny.mp4"),
    );
    assert_eq!(size, "80,60");
}

/// First and last time of a stream's packets in seconds, from the file's beginning.
fn span(path: &Path, stream: &str) -> (f64, f64) {
    let text = ffprobe(
        &[
            "-select_streams",
            stream,
            "-show_entries",
            "packet=pts_time",
            "-of",
            "csv=p=0",
        ],
        path,
    );
    let times = text
        .lines()
        .filter_map(|line| line.trim_end_matches(',').parse::<f64>().ok());
    times.fold((f64::INFINITY, f64::NEG_INFINITY), |(first, last), time| {
        (first.min(time), last.max(time))
    })
}

#[test]
fn sound_that_begins_late_and_a_varying_frame_rate_stay_in_sync() {
    let bench = Bench::new();
    let source = bench.path("late.mkv");
    ffmpeg(
        "-f lavfi -i testsrc2=size=160x120:rate=30:duration=3 -itsoffset 0.7 \
         -f lavfi -i sine=sample_rate=48000:duration=2 -vf select=not(between(n\\,20\\,47)) \
         -fps_mode vfr -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a libopus"
            .split_whitespace(),
        &source,
    );
    let frame = 1.0 / 30.0 + 0.002;
    for dispatch in DISPATCHES {
        for flags in [&["--copy", "auto"][..], &["--copy", "never"]] {
            let out = bench.convert(&source, dispatch, flags);
            let result = out.join("late.mp4");
            for stream in ["v:0", "a:0"] {
                let (was, is) = (span(&source, stream), span(&result, stream));
                assert!(
                    (was.0 - is.0).abs() < frame,
                    "{dispatch} {stream}: {was:?} {is:?}"
                );
            }
            let (was, is) = (span(&source, "v:0"), span(&result, "v:0"));
            assert!((was.1 - is.1).abs() < frame, "{dispatch}: {was:?} {is:?}");
        }
    }
}

/// `source` without its last part.
fn cut_short(source: &Path, target: &Path, share: f64) {
    let bytes = fs::read(source).unwrap();
    let keep = (bytes.len() as f64 * share) as usize;
    fs::write(target, &bytes[..keep]).unwrap();
}

#[test]
fn a_source_cut_short_is_salvaged_and_no_success_is_claimed() {
    let bench = Bench::new();
    let whole = long_sample("fractal-720p24.mkv");
    let torn = bench.path("torn.mkv");
    cut_short(&whole, &torn, 0.5);
    for dispatch in DISPATCHES {
        for flags in [&["--speed", "ultrafast"][..], &["--preset", "remux"]] {
            let out = bench.path("out");
            let _ = fs::remove_dir_all(&out);
            let output = run(args![
                "convert",
                &torn,
                "-o",
                &out,
                "--json",
                "--dispatch",
                dispatch
            ]
            .into_iter()
            .chain(flags.iter().map(Into::into)));
            assert_eq!(output.status.code(), Some(1), "{dispatch} {flags:?}");
            let finished = finished(&events(&output));
            let done = &finished[0]["verdict"]["done"];
            assert_eq!(done["salvaged"], true, "{dispatch} {flags:?}: {done}");
            let warnings = warnings_of(&finished[0]).join("\n");
            assert!(warnings.contains("the source claims"), "{warnings}");
            let target = done["results"][0]["target"].as_str().unwrap();
            let frames = decoded(Path::new(target)).frames.len();
            assert!(
                (10..decoded(&whole).frames.len()).contains(&frames),
                "{frames}"
            );
        }
    }
}

#[test]
fn a_rotated_source_stays_upright_whether_copied_or_encoded() {
    let bench = Bench::new();
    let source = bench.path("turned.mp4");
    fs::copy(tiny(), &source).unwrap();
    set_display_matrix(&source, QUARTER_TURN);
    let shown = |file: &Path| {
        let entries = "stream=width,height:stream_side_data=rotation";
        ffprobe(
            &[
                "-select_streams",
                "v",
                "-show_entries",
                entries,
                "-of",
                "csv=p=0",
            ],
            file,
        )
    };
    assert!(shown(&source).ends_with("90"), "{}", shown(&source));
    for dispatch in DISPATCHES {
        let copied = bench.convert(&source, dispatch, &[]).join("turned.mp4");
        assert_eq!(shown(&copied), shown(&source), "{dispatch}");
        let encoded = bench
            .convert(&source, dispatch, &["--copy", "never"])
            .join("turned.mp4");
        assert_eq!(shown(&encoded), "120,160", "{dispatch}");
    }
}
