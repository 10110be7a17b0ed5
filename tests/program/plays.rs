//! Results play: in a real browser from beginning to end, and for `ffmpeg` without a word of
//! complaint.

#[allow(dead_code, reason = "each test file uses a part of it")]
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::browser;
use crate::common::browser::Seen;
use crate::common::{
    DISPATCHES, ffmpeg, ffprobe, long_sample, names, rushes, samples, stderr, tiny,
};

/// A way to convert, and what is expected of its results.
struct Row {
    flags: &'static [&'static str],
    /// The ending of the results' names.
    ending: &'static str,
    /// What is converted.
    sources: Sources,
    /// The box that pictures are to fit.
    fit: Option<(u32, u32)>,
    /// Whether browsers play it everywhere.
    in_browsers: bool,
}

#[derive(Clone, Copy)]
enum Sources {
    /// All samples, and what cameras make besides.
    All,
    /// Two of them, where encoding is slow.
    Few,
}

const ROWS: &[Row] = &[
    Row {
        flags: &["--speed", "ultrafast"],
        ending: "mp4",
        sources: Sources::All,
        fit: None,
        in_browsers: true,
    },
    Row {
        flags: &[
            "--size",
            "320x180",
            "--fps",
            "30",
            "--bitrate",
            "500k",
            "--speed",
            "veryfast",
        ],
        ending: "mp4",
        sources: Sources::Few,
        fit: Some((320, 180)),
        in_browsers: true,
    },
    Row {
        flags: &["--acodec", "libmp3lame", "--speed", "veryfast"],
        ending: "mp4",
        sources: Sources::Few,
        fit: None,
        in_browsers: true,
    },
    Row {
        flags: &["--vcodec", "libvpx-vp9", "--acodec", "libopus"],
        ending: "mp4",
        sources: Sources::Few,
        fit: None,
        in_browsers: true,
    },
    Row {
        // What fits is copied.
        flags: &[],
        ending: "mp4",
        sources: Sources::All,
        fit: None,
        in_browsers: true,
    },
    Row {
        flags: &["--preset", "720p", "--speed", "ultrafast"],
        ending: "mp4",
        sources: Sources::Few,
        fit: Some((1280, 720)),
        in_browsers: true,
    },
    Row {
        flags: &["--preset", "480p", "--speed", "ultrafast"],
        ending: "mp4",
        sources: Sources::Few,
        fit: Some((854, 480)),
        in_browsers: true,
    },
    Row {
        flags: &["--preset", "av1", "--speed", "12"],
        ending: "mp4",
        sources: Sources::Few,
        fit: None,
        in_browsers: true,
    },
    Row {
        flags: &["--preset", "proxy"],
        ending: "mov",
        sources: Sources::Few,
        fit: Some((1280, 720)),
        in_browsers: false,
    },
    Row {
        flags: &["--preset", "audio"],
        ending: "m4a",
        sources: Sources::Few,
        fit: None,
        in_browsers: false,
    },
    Row {
        flags: &["--preset", "remux"],
        ending: "mkv",
        sources: Sources::All,
        fit: None,
        in_browsers: false,
    },
    Row {
        flags: &["--preset", "hevc", "--speed", "ultrafast"],
        ending: "mp4",
        sources: Sources::Few,
        fit: None,
        in_browsers: false,
    },
    Row {
        // Browsers play it where the graphics card does.
        flags: &["--vcodec", "libx265", "--speed", "ultrafast"],
        ending: "mp4",
        sources: Sources::Few,
        fit: None,
        in_browsers: false,
    },
];

/// Lengths may differ by a picture and by a block of sound.
const SECONDS_APART: f64 = 0.2;

/// When a conversion is given up: it hangs.
const LATE: Duration = Duration::from_secs(120);

/// A source as a player shows it.
struct Source {
    duration_s: f64,
    width: u32,
    height: u32,
    has_sound: bool,
}

impl Source {
    fn probe(path: &Path) -> Self {
        let value = |arguments: &[&str]| {
            ffprobe(&[arguments, &["-of", "default=nk=1:nw=1"]].concat(), path)
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let video = ["-select_streams", "v:0", "-show_entries"];
        let of_video = |entry: &str| value(&[&video[..], &[entry]].concat());
        let size: Vec<f64> = of_video("stream=width,height")
            .iter()
            .map(|number| number.parse().unwrap())
            .collect();
        let aspect = of_video("stream=sample_aspect_ratio")
            .first()
            .and_then(|ratio| {
                let (over, under) = ratio.split_once(':')?;
                Some(over.parse::<f64>().ok()? / under.parse::<f64>().ok()?)
            })
            .unwrap_or(1.0);
        let turned = of_video("stream_side_data=rotation")
            .first()
            .is_some_and(|degrees| degrees.trim_start_matches('-') == "90");
        let (width, height) = ((size[0] * aspect).round() as u32, size[1] as u32);
        let (width, height) = if turned {
            (height, width)
        } else {
            (width, height)
        };
        Self {
            duration_s: value(&["-show_entries", "format=duration"])[0]
                .parse()
                .unwrap(),
            width,
            height,
            has_sound: !value(&["-select_streams", "a", "-show_entries", "stream=index"])
                .is_empty(),
        }
    }

    /// Its size in pixels once it fits `fit`.
    fn fitted(&self, fit: Option<(u32, u32)>) -> (f64, f64) {
        let (width, height) = (f64::from(self.width), f64::from(self.height));
        let scale = fit.map_or(1.0, |(most_width, most_height)| {
            (f64::from(most_width) / width)
                .min(f64::from(most_height) / height)
                .min(1.0)
        });
        (width * scale, height * scale)
    }
}

/// The folders of sources below `root`.
fn sources(root: &Path) -> impl Fn(Sources) -> PathBuf {
    let (all, few) = (root.join("all"), root.join("few"));
    for folder in [&all, &few] {
        fs::create_dir(folder).unwrap();
    }
    for name in names(&samples()) {
        fs::copy(samples().join(&name), all.join(&name)).unwrap();
    }
    fs::copy(tiny(), few.join("tiny.mp4")).unwrap();
    fs::copy(samples().join("noise-240p15.avi"), few.join("noise.avi")).unwrap();
    let copy = ["-c", "copy"].map(std::ffi::OsString::from);
    let made = |name: &str, arguments: &[&str]| {
        let mut list = args!["-i", tiny()].to_vec();
        list.extend(copy.iter().cloned());
        list.extend(arguments.iter().map(Into::into));
        ffmpeg(list, &all.join(name));
    };
    made("turned.mov", &["-metadata:s:v:0", "rotate=90"]);
    made("wide-pixels.mkv", &["-aspect", "16:9"]);
    made("mute.mp4", &["-an"]);
    move |which| match which {
        Sources::All => all.clone(),
        Sources::Few => few.clone(),
    }
}

/// A result, the source that it was made of, and how.
struct Made {
    path: PathBuf,
    source: Source,
    row: &'static Row,
}

fn convert(row: &'static Row, folder: &Path, out: &Path, dispatch: &str) -> Vec<Made> {
    let mut arguments = args!["convert", folder, "-o", out, "--dispatch", dispatch, "-q"].to_vec();
    arguments.extend(row.flags.iter().map(Into::into));
    let output = assert_cmd::Command::from_std(rushes())
        .args(arguments)
        .timeout(LATE)
        .output()
        .unwrap();
    let flags = row.flags.join(" ");
    assert!(output.status.success(), "{flags}: {}", stderr(&output));
    let made = names(folder).into_iter().map(|name| Made {
        path: out.join(&name).with_extension(row.ending),
        source: Source::probe(&folder.join(&name)),
        row,
    });
    let made: Vec<_> = made.collect();
    // The program's own files may be there, too.
    let results = names(out).into_iter();
    let results = results.filter(|name| name.ends_with(row.ending));
    assert_eq!(results.count(), made.len(), "{:?}", names(out));
    made
}

impl Made {
    fn what(&self) -> String {
        format!("{} ({})", self.path.display(), self.row.flags.join(" "))
    }

    /// `ffmpeg` decodes it, and has nothing to say.
    fn assert_decodes_in_silence(&self) {
        let output = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-xerror", "-i"])
            .arg(&self.path)
            .args(["-f", "null", "-"])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            self.what(),
            stderr(&output)
        );
        assert_eq!(stderr(&output), "", "{}", self.what());
    }

    fn assert_plays(&self, seen: &Seen) {
        let what = format!("{}: {seen:?}", self.what());
        assert_eq!(seen.error, None, "{what}");
        assert!(seen.can_play && seen.ended, "{what}");
        let duration = self.source.duration_s;
        assert!(
            (seen.duration_s - duration).abs() < SECONDS_APART,
            "{duration} s planned, {what}"
        );
        let (width, height) = self.source.fitted(self.row.fit);
        // Halved colour wants even numbers.
        assert!(
            (f64::from(seen.width) - width).abs() <= 2.0
                && (f64::from(seen.height) - height).abs() <= 2.0,
            "{width:.0}×{height:.0} planned, {what}"
        );
        assert!(seen.frames_shown > 1, "{what}");
        assert!(seen.last_frame_s > seen.duration_s - 0.5, "{what}");
        assert!(
            (seen.sought_s - seen.duration_s / 2.0).abs() < SECONDS_APART,
            "{what}"
        );
        assert_eq!(seen.audio_bytes > 0, self.source.has_sound, "{what}");
    }
}

#[test]
fn every_result_decodes_in_silence_and_plays_to_its_end_in_a_browser() {
    let root = tempfile::tempdir().unwrap();
    let folder_of = sources(root.path());
    let mut made = Vec::new();
    for (number, row) in ROWS.iter().enumerate() {
        for dispatch in DISPATCHES {
            let out = root.path().join(format!("{number}-{dispatch}"));
            made.extend(convert(row, &folder_of(row.sources), &out, dispatch));
        }
    }
    made.iter().for_each(Made::assert_decodes_in_silence);
    let Some(program) = browser::find() else {
        return;
    };
    made.retain(|made| made.row.in_browsers);
    let files: Vec<_> = made.iter().map(|made| made.path.clone()).collect();
    for (made, seen) in made.iter().zip(browser::look(&program, &files)) {
        made.assert_plays(&seen);
    }
}

#[test]
fn the_browser_tells_of_a_file_that_is_cut_off() {
    let Some(program) = browser::find() else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    // Its index is in front: the beginning plays, the end is missing.
    let (whole, torn) = (root.path().join("whole.mp4"), root.path().join("torn.mp4"));
    ffmpeg(
        args![
            "-i",
            long_sample("bars-360p25.mp4"),
            "-c",
            "copy",
            "-movflags",
            "+faststart"
        ],
        &whole,
    );
    let bytes = fs::read(&whole).unwrap();
    fs::write(&torn, &bytes[..bytes.len() / 2]).unwrap();
    let seen = browser::look(&program, &[whole, torn]);
    assert!(seen[0].ended && seen[0].error.is_none(), "{seen:?}");
    assert!(
        seen[1].error.is_some() || seen[1].last_frame_s < 3.0,
        "{seen:?}"
    );
}
