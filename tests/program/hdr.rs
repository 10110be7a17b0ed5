//! High dynamic range: it becomes BT.709 where the result cannot carry it, by the frames that
//! the `ffmpeg` program makes with the usual filters, and it stays as it is everywhere else.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::common::{
    self, ENGINES, decoded, ffmpeg, ffprobe, have, run, rushes, shared_media, stderr, stdout,
    succeed,
};

/// A source with its colours, and what a reference must know of it.
struct Source {
    name: &'static str,
    transfer: &'static str,
    x265: &'static str,
    /// Its brightest pixel in units of white.
    peak: u32,
}

/// HLG, and PQ without and with the metadata of HDR10.
const SOURCES: [Source; 3] = [
    Source {
        name: "hlg.mkv",
        transfer: "arib-std-b67",
        x265: "",
        peak: 10,
    },
    Source {
        name: "pq.mkv",
        transfer: "smpte2084",
        x265: "",
        peak: 10,
    },
    Source {
        name: "hdr10.mkv",
        transfer: "smpte2084",
        x265: ":master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(40000000,50)\
               :max-cll=4000,400",
        peak: 40,
    },
];

/// A moving test image that is dark on the left and bright on the right.
const IMAGE: &str = "testsrc2=size=320x180:rate=10:duration=1,format=gray10le,\
                     format=yuv420p10le,geq=lum='64+X*2.7':cb='cb(X,Y)+80*sin(Y/20)':cr='430+X/4'";

/// The test image in HEVC with the colours of HDR.
fn encode(transfer: &str, x265: &str, crf: &str, path: &Path) {
    let colours = format!("colorspace=bt2020nc:color_primaries=bt2020:color_trc={transfer}");
    // A filter of the input would not do: `lavfi` gives out no tags.
    let tags = format!("setparams=range=tv:{colours}");
    let x265 = format!("log-level=error{x265}");
    let input = ["-f", "lavfi", "-i", IMAGE, "-vf", &tags, "-c:v", "libx265"];
    ffmpeg(
        [&input[..], &["-crf", crf, "-x265-params", &x265]].concat(),
        path,
    );
}

impl Source {
    fn make(&self, root: &Path) -> PathBuf {
        let path = root.join(self.name);
        encode(self.transfer, self.x265, "12", &path);
        path
    }

    /// The usual filters, as they are written everywhere, up to BT.709 of any kind.
    fn usual(&self) -> String {
        format!(
            "zscale=t=linear:npl=100,format=gbrpf32le,zscale=p=bt709,\
             tonemap=tonemap=hable:desat=0:peak={}",
            self.peak
        )
    }
}

struct Case {
    root: TempDir,
}

impl Case {
    /// None where the `ffmpeg` program cannot map tones.
    fn new() -> Option<Self> {
        let root = tempfile::tempdir().unwrap();
        (have("ffmpeg") && maps_tones()).then_some(Self { root })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Converts `source` with `flags` in a folder of its own; gives the result and what is printed.
    fn convert(&self, source: &Path, flags: &str) -> (PathBuf, String) {
        let stem = source.file_stem().unwrap().to_str().unwrap();
        let out = self.path(&format!("{stem} {flags}"));
        let mut arguments = args!["convert", source, "--exists", "overwrite", "-o", &out].to_vec();
        arguments.extend(flags.split_whitespace().map(OsString::from));
        let printed = stderr(&succeed(arguments));
        let result = common::names(&out).into_iter().next().unwrap();
        (out.join(result), printed)
    }
}

/// Whether the `ffmpeg` program has the filters; without them there is no reference.
fn maps_tones() -> bool {
    let listed = Command::new("ffmpeg")
        .args(["-hide_banner", "-filters"])
        .output();
    let listed = stdout(&listed.unwrap());
    let has = |name: &str| {
        listed
            .lines()
            .any(|line| line.split_whitespace().nth(1) == Some(name))
    };
    let found = has("zscale") && has("tonemap");
    if !found {
        eprintln!("skipped: the ffmpeg program has no zscale or no tonemap");
    }
    found
}

/// Checksums of all frames of `path` through `filter`, on one thread.
fn frames(path: &Path, filter: &str) -> Vec<String> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-filter_threads", "1", "-i"])
        .arg(path)
        .args(["-map", "0:v", "-vf", filter, "-f", "framemd5", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let lines = stdout(&output);
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    let sums = lines.filter_map(|line| line.rsplit(',').next());
    sums.map(|sum| sum.trim().to_owned()).collect()
}

/// Mean SSIM of `path` against `source` through `filter`.
fn ssim(path: &Path, source: &Path, filter: &str) -> f64 {
    let graph = format!("[1:v]{filter},setpts=N[b];[0:v]setpts=N[a];[a][b]ssim");
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(path)
        .arg("-i")
        .arg(source)
        .args(["-lavfi", &graph, "-f", "null", "-"])
        .output()
        .unwrap();
    let printed = stderr(&output);
    let (_, rest) = printed
        .rsplit_once("All:")
        .unwrap_or_else(|| panic!("{printed}"));
    rest.split_whitespace().next().unwrap().parse().unwrap()
}

/// Range, matrix, transfer and primaries of the first video stream.
fn colours(path: &Path) -> String {
    let entries = "stream=color_range,color_space,color_transfer,color_primaries";
    let shown = ["-select_streams", "v:0", "-show_entries", entries, "-of"];
    let found = ffprobe(&[&shown[..], &["csv=p=0"]].concat(), path);
    found.trim_end_matches(',').to_owned()
}

/// What stream and frames say of how bright they are meant.
fn brightness(path: &Path) -> Vec<String> {
    let entries = "stream_side_data:frame_side_data";
    let shown = ["-select_streams", "v:0", "-show_frames", "-show_streams"];
    let found = ffprobe(&[&shown[..], &["-show_entries", entries]].concat(), path);
    let words = ["Mastering", "Content light", "HDR", "Dolby", "DOVI"];
    let is_such = |line: &&str| words.iter().any(|word| line.contains(word));
    found.lines().filter(is_such).map(str::to_owned).collect()
}

const BT709: &str = "tv,bt709,bt709,bt709";

#[test]
fn both_engines_map_tones_as_the_ffmpeg_program_does_with_the_usual_filters() {
    let Some(case) = Case::new() else { return };
    for source in SOURCES {
        let path = source.make(case.root.path());
        let usual = format!(
            "{},zscale=t=bt709:m=bt709:r=tv,format=yuv420p",
            source.usual()
        );
        let reference = frames(&path, &usual);
        assert_eq!(reference.len(), 10);
        for dispatch in ENGINES {
            let name = source.name;
            // Without loss: the very frames that the encoder gets.
            let lossless = format!("--dispatch {dispatch} --crf 0 --speed ultrafast");
            let (result, printed) = case.convert(&path, &lossless);
            assert_eq!(frames(&result, "null"), reference, "{name} {dispatch}");
            assert_eq!(colours(&result), BT709, "{name} {dispatch}");
            assert_eq!(brightness(&result), [""; 0], "{name} {dispatch}");
            let note = "becomes SDR (BT.709)";
            assert!(printed.contains(note), "{name} {dispatch}: {printed}");
            let more = format!("{lossless} --codec-threads 3 --split never");
            let (threaded, _) = case.convert(&path, &more);
            assert_eq!(frames(&threaded, "null"), reference, "{name} {dispatch}");
            let (usual_quality, _) = case.convert(&path, &format!("--dispatch {dispatch}"));
            let score = ssim(&usual_quality, &path, &usual);
            eprintln!("{name} {dispatch}: SSIM {score}");
            assert!(score > 0.97, "{name} {dispatch}: {score}");
        }
    }
}

#[test]
fn images_have_the_very_pixels_of_the_usual_filters() {
    let Some(case) = Case::new() else { return };
    for source in SOURCES {
        let path = source.make(case.root.path());
        let scaled = "scale=161:91:flags=bicubic,format=yuv444p10le,";
        for (flags, before) in [(&[][..], ""), (&["--size", "161x91"], scaled)] {
            let usual = source.usual();
            let filter = format!("{before}{usual},zscale=t=bt709:r=pc,format=gbrp,format=rgb24");
            let reference = frames(&path, &filter);
            for dispatch in ENGINES {
                let what = format!("{} {dispatch} {flags:?}", source.name);
                let out = case.path(&what);
                let mut arguments =
                    args!["frames", "-q", &path, "--nth", "1", "--format", "png"].to_vec();
                arguments.extend(args!["--dispatch", dispatch, "-o", &out]);
                arguments.extend(flags.iter().map(OsString::from));
                succeed(arguments);
                let pattern = out.join(path.file_stem().unwrap()).join("%06d.png");
                assert_eq!(frames(&pattern, "format=rgb24"), reference, "{what}");
            }
        }
    }
}

#[test]
fn hdr_stays_where_the_result_carries_it_and_where_it_is_to_stay() {
    let Some(case) = Case::new() else { return };
    let source = &SOURCES[2];
    let path = source.make(case.root.path());
    let hdr = "tv,bt2020nc,smpte2084,bt2020";
    for dispatch in ENGINES {
        let of = |flags: &str| case.convert(&path, &format!("--dispatch {dispatch} {flags}"));
        let (result, printed) = of("--preset hevc --speed ultrafast --copy never");
        assert_eq!(colours(&result), hdr, "{dispatch}");
        assert!(!brightness(&result).is_empty(), "{dispatch}");
        assert!(!printed.contains("HDR"), "{dispatch}: {printed}");
        let (result, printed) = of("--preset remux");
        assert_eq!(colours(&result), hdr, "{dispatch}");
        assert!(!printed.contains("HDR"), "{dispatch}: {printed}");
        let (result, printed) = of("--hdr keep --crf 0 --speed ultrafast");
        assert_eq!(colours(&result), hdr, "{dispatch}");
        let scaled = frames(&path, "scale=flags=bicubic,format=yuv420p");
        assert_eq!(frames(&result, "null"), scaled, "{dispatch}");
        for words in ["stays HDR in 8 bits", "washed out"] {
            assert!(printed.contains(words), "{dispatch}: {printed}");
        }
    }
}

#[test]
fn tone_mapping_can_be_had_in_10_bits_but_not_of_copies() {
    let Some(case) = Case::new() else { return };
    let source = &SOURCES[2];
    let path = source.make(case.root.path());
    let usual = format!(
        "{},zscale=t=bt709:m=bt709:r=tv,format=yuv420p10le",
        source.usual()
    );
    for dispatch in ENGINES {
        let flags = format!("--dispatch {dispatch} --preset hevc --hdr tonemap --crf 10");
        let (result, printed) = case.convert(&path, &flags);
        assert_eq!(colours(&result), BT709, "{dispatch}");
        assert_eq!(brightness(&result), [""; 0], "{dispatch}");
        assert!(printed.contains("becomes SDR"), "{dispatch}: {printed}");
        let score = ssim(&result, &path, &usual);
        assert!(score > 0.97, "{dispatch}: {score}");
    }
    for flags in ["--preset remux", "--vcodec copy"] {
        let mut arguments = args!["convert", &path, "--hdr", "tonemap"].to_vec();
        arguments.extend(flags.split_whitespace().map(OsString::from));
        let refused = run(arguments);
        assert_eq!(refused.status.code(), Some(2), "{flags}");
        assert!(stderr(&refused).contains("--hdr tonemap"), "{flags}");
    }
}

#[test]
fn what_would_be_copied_is_encoded_where_it_is_to_become_sdr() {
    let Some(case) = Case::new() else { return };
    let path = case.path("small.mp4");
    encode("arib-std-b67", "", "40", &path);
    for (flags, what) in [
        ("", "copy video 0"),
        ("--hdr keep", "copy video 0"),
        ("--hdr tonemap", "encode video 0"),
    ] {
        let mut arguments = args!["convert", "--dry-run", &path, "--preset", "hevc"].to_vec();
        arguments.extend(args!["-o", case.path("none")]);
        arguments.extend(flags.split_whitespace().map(OsString::from));
        let planned = stdout(&succeed(arguments));
        assert!(planned.contains(what), "{flags}: {planned}");
    }
}

#[test]
fn tags_that_are_missing_are_made_up_for() {
    let Some(case) = Case::new() else { return };
    let path = SOURCES[0].make(case.root.path());
    let tagged = case.path("tagged.mkv");
    let bare = case.path("bare.mkv");
    let forget = "setparams=colorspace=unknown:color_primaries=unknown";
    let hlg = "setparams=color_trc=arib-std-b67";
    for (target, filter) in [(&tagged, "null"), (&bare, forget)] {
        let filter = format!("{filter},{hlg}");
        let input = args!["-i", &path, "-vf", filter, "-c:v", "ffv1"];
        ffmpeg(input, target);
    }
    assert!(colours(&bare).contains("unknown"), "{}", colours(&bare));
    for dispatch in ENGINES {
        let flags = format!("--dispatch {dispatch} --crf 0 --speed ultrafast");
        let [a, b] = [&tagged, &bare].map(|source| case.convert(source, &flags).0);
        assert_eq!(frames(&a, "null"), frames(&b, "null"), "{dispatch}");
        assert_eq!(colours(&b), BT709, "{dispatch}");
    }
}

#[test]
fn sources_that_are_not_hdr_are_untouched() {
    let Some(case) = Case::new() else { return };
    let (deep, usual) = (case.path("deep.mkv"), case.path("usual.mp4"));
    let tags = "setparams=colorspace=bt709:color_trc=bt709:color_primaries=bt709";
    let image = "testsrc2=size=160x120:rate=10:duration=1";
    for (path, pixels) in [(&deep, "yuv420p10le"), (&usual, "yuv420p")] {
        let input = ["-f", "lavfi", "-i", image, "-vf", tags, "-c:v", "libx264"];
        ffmpeg([&input[..], &["-pix_fmt", pixels]].concat(), path);
        for dispatch in ENGINES {
            let bytes = ["auto", "keep", "tonemap"].map(|which| {
                let flags = format!("--dispatch {dispatch} --copy never --hdr {which}");
                let (result, printed) = case.convert(path, &flags);
                assert!(!printed.contains("HDR"), "{printed}");
                std::fs::read(result).unwrap()
            });
            assert!(bytes.iter().all(|one| *one == bytes[0]), "{dispatch}");
        }
    }
}

#[test]
fn the_plan_names_the_loss_and_the_source_is_not_replaced() {
    let Some(case) = Case::new() else { return };
    for dispatch in ENGINES {
        let folder = case.path(dispatch);
        std::fs::create_dir(&folder).unwrap();
        let path = SOURCES[1].make(&folder);
        let plan = args!["convert", "--dry-run", &path, "-o", case.path("none")];
        let planned = stdout(&succeed(plan));
        let note = "note: stream 0: HDR (PQ) becomes SDR (BT.709)";
        assert!(planned.contains(note), "{planned}");
        let replace = args!["convert", "--replace", &path, "--dispatch", dispatch];
        let printed = stderr(&succeed(replace));
        assert!(path.exists(), "{printed}");
        assert!(path.with_extension("mp4").exists(), "{printed}");
        assert!(printed.contains("the source is kept"), "{printed}");
    }
}

/// Containers describe brightness, too: AV1 in mp4 with `mdcv` and `clli`.
#[test]
fn descriptions_of_the_container_do_not_outlive_hdr() {
    let (Some(case), Some(media)) = (Case::new(), shared_media("good")) else {
        return;
    };
    let real = media.join("ax_sample_with_colr_mdcv_and_clli.mp4");
    assert!(!brightness(&real).is_empty());
    let results = ENGINES.map(|dispatch| {
        let flags = format!("--dispatch {dispatch} --speed ultrafast --size 320x180 --split never");
        let (result, _) = case.convert(&real, &flags);
        assert_eq!(brightness(&result), [""; 0], "{dispatch}");
        assert_eq!(colours(&result), BT709, "{dispatch}");
        result
    });
    let [a, b] = results.each_ref().map(|result| decoded(result).frames);
    assert!(a == b, "the engines differ");
    let [a, b] = results.map(|result| result.parent().unwrap().to_owned());
    let found = common::differences(&a, &b);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn filters_that_the_program_lacks_are_named_and_hdr_stays() {
    let Some(case) = Case::new() else { return };
    let path = SOURCES[0].make(case.root.path());
    let folder = case.path("bin");
    std::fs::create_dir(&folder).unwrap();
    let own = which::which("ffmpeg").unwrap();
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' -filters '*) '{0}' \"$@\" | grep -v zscale ;; \
         *) exec '{0}' \"$@\" ;; esac\n",
        own.display()
    );
    let program = folder.join("ffmpeg");
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let before = std::env::var_os("PATH").unwrap_or_default();
    let places = std::iter::once(folder).chain(std::env::split_paths(&before));
    let output = rushes()
        .env("PATH", std::env::join_paths(places).unwrap())
        .args(args![
            "convert",
            "--dry-run",
            &path,
            "--dispatch",
            "processes"
        ])
        .args(args!["-o", case.path("none")])
        .output()
        .unwrap();
    let planned = stdout(&output);
    assert!(planned.contains("lacks the filters zscale"), "{planned}");
    assert!(!planned.contains("becomes SDR"), "{planned}");
}
