//! Sources are hostile and precious: they reach no other file, and nothing reaches them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::{
    self, DISPATCHES, decoded, events, leftovers, names, run, samples, stderr, stdout, succeed,
    tiny, tree,
};

/// A folder with a clip that nobody gave the program, and texts that point at it.
struct Trap {
    root: tempfile::TempDir,
}

impl Trap {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("in")).unwrap();
        common::ffmpeg(
            [
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=160x120:rate=25:duration=2",
                "-c:v",
                "mpeg2video",
            ],
            &root.path().join("secret.ts"),
        );
        Self { root }
    }

    fn secret(&self) -> PathBuf {
        self.root.path().join("secret.ts")
    }

    fn disguised(&self, name: &str, text: &str) -> PathBuf {
        let path = self.root.path().join("in").join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn assert_refused(&self, path: &Path) {
        for dispatch in DISPATCHES {
            for command in ["convert", "frames"] {
                let out = self.root.path().join("out");
                let output = run(args![command, path, "-o", &out, "--dispatch", dispatch]);
                let said = stderr(&output);
                assert_eq!(
                    output.status.code(),
                    Some(2),
                    "{dispatch} {command}: {said}"
                );
                assert!(said.contains(&*path.to_string_lossy()), "{said}");
                assert_eq!(tree(&out), Vec::<PathBuf>::new(), "{dispatch} {command}");
            }
        }
    }
}

#[test]
fn a_playlist_disguised_as_a_video_opens_no_other_file() {
    let trap = Trap::new();
    for (name, url) in [
        ("a.mp4", trap.secret().display().to_string()),
        ("b.mp4", format!("file://{}", trap.secret().display())),
        ("c.mkv", "../secret.ts".to_owned()),
    ] {
        let text = format!(
            "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n\
             #EXTINF:2.0,\n{url}\n#EXT-X-ENDLIST\n"
        );
        trap.assert_refused(&trap.disguised(name, &text));
    }
}

#[test]
fn a_concat_script_disguised_as_a_video_opens_no_other_file() {
    let trap = Trap::new();
    for name in ["a.avi", "a.mp4", "a.ffconcat"] {
        let text = format!("ffconcat version 1.0\nfile '{}'\n", trap.secret().display());
        trap.assert_refused(&trap.disguised(name, &text));
    }
}

#[test]
fn a_script_is_followed_where_the_input_is_trusted() {
    let trap = Trap::new();
    let text = format!("ffconcat version 1.0\nfile '{}'\n", trap.secret().display());
    let script = trap.disguised("a.mp4", &text);
    for dispatch in DISPATCHES {
        let out = trap.root.path().join(dispatch);
        let how = ["--dispatch", dispatch, "--speed", "ultrafast", "-q"];
        let mut arguments = args!["convert", &script, "-o", &out, "--trust-input"].to_vec();
        arguments.extend(how.iter().map(Into::into));
        succeed(arguments);
        assert_eq!(decoded(&out.join("a.mp4")).frames.len(), 50, "{dispatch}");
    }
}

#[test]
fn other_formats_that_point_elsewhere_are_refused() {
    let trap = Trap::new();
    let secret = trap.secret().display().to_string();
    let sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n";
    let dash = format!(
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
         mediaPresentationDuration=\"PT2S\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period>\
         <AdaptationSet mimeType=\"video/mp2t\"><Representation id=\"1\" bandwidth=\"1000\">\
         <BaseURL>{secret}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    );
    trap.assert_refused(&trap.disguised("a.sdp", sdp));
    trap.assert_refused(&trap.disguised("b.mp4", sdp));
    trap.assert_refused(&trap.disguised("c.mp4", &dash));
    trap.assert_refused(&trap.disguised("d.mpd", &dash));
}

#[test]
fn a_movie_that_refers_to_another_file_does_not_get_it() {
    let trap = Trap::new();
    // A movie's track may name its data's file: the reference in `dref` is made to look outwards.
    let clip = trap.root.path().join("in/a.mov");
    common::ffmpeg(args!["-i", tiny(), "-c", "copy", "-f", "mov"], &clip);
    let bytes = fs::read(&clip).unwrap();
    let needle = b"url \0\0\0\x01";
    let at = bytes
        .windows(needle.len())
        .position(|window| window == needle);
    let at = at.expect("a movie has a reference to its own data");
    let mut hostile = bytes;
    // The flag "the data is in this file" is taken away.
    hostile[at + 7] = 0;
    fs::write(&clip, hostile).unwrap();
    for dispatch in DISPATCHES {
        let out = trap.root.path().join(dispatch);
        let output = run(args![
            "convert",
            &clip,
            "-o",
            &out,
            "--dispatch",
            dispatch,
            "--speed",
            "ultrafast"
        ]);
        assert!(output.status.code().is_some(), "{}", stderr(&output));
        for file in tree(&out) {
            assert_eq!(decoded(&out.join(file)).frames.len(), 25);
        }
    }
}

#[test]
fn sources_are_untouched() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("in");
    fs::create_dir(&folder).unwrap();
    for name in ["bars-360p25.mp4", "noise-240p15.avi"] {
        fs::copy(samples().join(name), folder.join(name)).unwrap();
    }
    fs::copy(tiny(), folder.join("tiny.mp4")).unwrap();
    let state = || -> Vec<_> {
        let facts = tree(&folder).into_iter().map(|name| {
            let path = folder.join(&name);
            let modified = fs::metadata(&path).unwrap().modified().unwrap();
            (name, fs::read(path).unwrap(), modified)
        });
        facts.collect()
    };
    let before = state();
    for dispatch in DISPATCHES {
        for command in ["convert", "frames"] {
            // Results beside the sources are the hardest case.
            let out = folder.join(".results").join(dispatch);
            let mut arguments =
                args![command, &folder, "-o", &out, "--dispatch", dispatch].to_vec();
            if command == "convert" {
                arguments.extend(args!["--speed", "ultrafast"]);
            }
            succeed(arguments);
        }
    }
    fs::remove_dir_all(folder.join(".results")).unwrap();
    assert!(before == state(), "a source has changed");
}

/// A converted tiny clip in `out`, replaced by a text to tell whether it is written again.
struct Existing {
    root: tempfile::TempDir,
}

impl Existing {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::copy(tiny(), root.path().join("a.mov")).unwrap();
        fs::create_dir(root.path().join("out")).unwrap();
        fs::write(root.path().join("out/a.mp4"), b"mine").unwrap();
        Self { root }
    }

    fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    fn convert(&self, flags: &[&str]) -> std::process::Output {
        let mut arguments =
            args!["convert", self.root.path().join("a.mov"), "-o", self.out()].to_vec();
        arguments.extend(["--speed", "ultrafast"].iter().chain(flags).map(Into::into));
        run(arguments)
    }

    fn is_mine(&self) -> bool {
        fs::read(self.out().join("a.mp4")).unwrap() == b"mine"
    }
}

#[test]
fn an_existing_result_is_skipped_by_default_and_told() {
    let existing = Existing::new();
    for flags in [&[][..], &["--exists", "skip"][..]] {
        let output = existing.convert(flags);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let skipped = stdout(&output)
            .lines()
            .any(|line| line.split_whitespace().eq(["skipped", "1"]));
        assert!(skipped, "{}", stdout(&output));
        assert!(existing.is_mine());
        assert_eq!(names(&existing.out()), ["a.mp4"]);
    }
}

#[test]
fn an_existing_result_is_overwritten_where_asked_for() {
    let existing = Existing::new();
    let output = existing.convert(&["--exists", "overwrite"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(names(&existing.out()), ["a.mp4"]);
    assert_eq!(decoded(&existing.out().join("a.mp4")).frames.len(), 25);
}

#[test]
fn an_existing_result_is_kept_beside_the_new_one_where_asked_for() {
    let existing = Existing::new();
    // The second time it is there already.
    for _ in 0..2 {
        let output = existing.convert(&["--exists", "rename"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(names(&existing.out()), ["a (2).mp4", "a.mp4"]);
        assert!(existing.is_mine());
    }
    assert_eq!(decoded(&existing.out().join("a (2).mp4")).frames.len(), 25);
    // Another one is kept, too.
    std::fs::write(existing.out().join("a (2).mp4"), b"changed").unwrap();
    existing.convert(&["--exists", "rename"]);
    let all = ["a (2).mp4", "a (3).mp4", "a.mp4"];
    assert_eq!(names(&existing.out()), all);
}

#[test]
fn an_existing_result_stops_everything_where_asked_for() {
    let existing = Existing::new();
    let output = existing.convert(&["--exists", "error"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("out/a.mp4' exists"),
        "{}",
        stderr(&output)
    );
    assert_eq!(names(&existing.out()), ["a.mp4"]);
    assert!(existing.is_mine());
}

#[test]
fn a_failed_overwrite_leaves_the_existing_result() {
    let existing = Existing::new();
    // Its headers are whole, its pictures are gone.
    let clip = existing.root.path().join("a.mov");
    let mut bytes = fs::read(&clip).unwrap();
    let at = bytes
        .windows(4)
        .position(|window| window == b"mdat")
        .unwrap();
    let moov = bytes
        .windows(4)
        .position(|window| window == b"moov")
        .unwrap();
    let end = if moov > at { moov - 4 } else { bytes.len() };
    bytes[at + 4..end].fill(0);
    fs::write(&clip, bytes).unwrap();
    for dispatch in DISPATCHES {
        let output = existing.convert(&["--exists", "overwrite", "--dispatch", dispatch]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{dispatch}: {}",
            stderr(&output)
        );
        assert!(existing.is_mine(), "{dispatch}");
        assert_eq!(names(&existing.out()), ["a.mp4"], "{dispatch}");
    }
}

#[test]
fn pictures_that_exist_are_skipped_or_replaced_as_a_folder() {
    let root = tempfile::tempdir().unwrap();
    let (clip, out) = (tiny(), root.path().join("out"));
    fs::create_dir_all(out.join("tiny")).unwrap();
    fs::write(out.join("tiny/000007.jpg"), b"mine").unwrap();
    succeed(args!["frames", &clip, "-o", &out]);
    assert_eq!(names(&out), ["tiny", "tiny/000007.jpg"]);
    succeed(args!["frames", &clip, "-o", &out, "--exists", "rename"]);
    assert_eq!(
        names(&out),
        ["tiny", "tiny (2)", "tiny (2)/000001.jpg", "tiny/000007.jpg"]
    );
    succeed(args!["frames", &clip, "-o", &out, "--exists", "overwrite"]);
    assert_eq!(
        names(&out),
        ["tiny", "tiny (2)", "tiny (2)/000001.jpg", "tiny/000001.jpg"]
    );
}

#[test]
fn a_folder_that_is_not_all_pictures_goes_for_no_result() {
    for (command, folder) in [("convert", "tiny.mp4"), ("frames", "tiny")] {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("out");
        fs::create_dir_all(out.join(folder)).unwrap();
        fs::write(out.join(folder).join("keep.txt"), b"mine").unwrap();
        let overwrite = args![command, tiny(), "-o", &out, "--exists", "overwrite"];
        let output = run(overwrite);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(folder), "{}", stderr(&output));
        assert_eq!(names(&out), [folder, &format!("{folder}/keep.txt")]);
    }
}

#[test]
fn what_appears_under_a_results_name_while_it_is_made_stays() {
    for dispatch in DISPATCHES {
        let existing = Existing::new();
        let target = existing.out().join("a.mp4");
        fs::remove_file(&target).unwrap();
        let source = existing.root.path().join("a.mov");
        let long = "testsrc2=size=320x240:rate=25:duration=40";
        common::ffmpeg(["-f", "lavfi", "-i", long, "-c:v", "mpeg4"], &source);
        let slow = args![
            "convert",
            source,
            "-o",
            existing.out(),
            "--limit-cpu",
            "50",
            "--dispatch",
            dispatch
        ];
        let mut child = common::rushes()
            .args(slow)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        while common::part_of(&existing.out(), "a.mp4").is_none() {
            assert!(
                child.try_wait().unwrap().is_none(),
                "it was never seen at work"
            );
        }
        fs::write(&target, b"mine").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("a.mp4' has appeared meanwhile"), "{said}");
        assert!(existing.is_mine());
        assert_eq!(names(&existing.out()), ["a.mp4"]);
    }
}

#[test]
fn a_dry_run_prints_the_plan_and_writes_nothing() {
    for command in ["convert", "frames"] {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("in");
        fs::create_dir(&folder).unwrap();
        fs::copy(tiny(), folder.join("a.mov")).unwrap();
        let before = tree(root.path());
        let output = succeed(args![
            command,
            &folder,
            "-o",
            root.path().join("out"),
            "--dry-run"
        ]);
        assert_eq!(tree(root.path()), before);
        let plan = stdout(&output);
        assert!(plan.contains("in/a.mov (1.0 s, 46.9 KiB)\n  → "), "{plan}");
        assert!(
            plan.ends_with("1 job to do (1.0 s, 46.9 KiB), 0 skipped, 0 refused\n"),
            "{plan}"
        );
    }
}

#[test]
fn json_is_all_that_is_on_stdout_and_tells_the_whole_story() {
    for dispatch in DISPATCHES {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("in");
        fs::create_dir(&folder).unwrap();
        for name in ["a.mov", "b.mp4"] {
            fs::copy(tiny(), folder.join(name)).unwrap();
        }
        fs::write(folder.join("c.mp4"), b"just text").unwrap();
        let output = run(args![
            "convert",
            &folder,
            "-o",
            root.path().join("out"),
            "--json",
            "--dispatch",
            dispatch,
            "--speed",
            "ultrafast"
        ]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let events = events(&output);
        let kinds: Vec<&str> = events
            .iter()
            .filter_map(|event| event["event"].as_str())
            .collect();
        assert_eq!(kinds[..2], ["source_refused", "batch_started"]);
        assert_eq!(kinds.last(), Some(&"batch_finished"));
        for kind in ["job_started", "job_finished"] {
            assert_eq!(
                kinds.iter().filter(|other| **other == kind).count(),
                2,
                "{kinds:?}"
            );
        }
        let refused: Vec<_> = events
            .iter()
            .filter(|event| event["event"] == "source_refused")
            .collect();
        assert_eq!(refused.len(), 1, "{events:?}");
        assert!(refused[0]["source"].as_str().unwrap().ends_with("in/c.mp4"));
        assert!(
            refused[0]["reason"]
                .as_str()
                .unwrap()
                .contains("Invalid data")
        );
    }
}

#[test]
fn nothing_but_results_is_in_the_output_folder() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    succeed(args![
        "convert",
        tiny(),
        "-o",
        &out,
        "--speed",
        "ultrafast",
        "-q"
    ]);
    assert_eq!(leftovers(&out), Vec::<PathBuf>::new());
    assert_eq!(names(&out), ["tiny.mp4"]);
}

#[test]
fn a_dry_run_with_json_prints_the_plan_as_events() {
    let existing = Existing::new();
    let planned = |flags: &[&str]| {
        let mut all = vec!["--dry-run", "--json"];
        all.extend(flags);
        let output = existing.convert(&all);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let events = events(&output);
        assert_eq!(events.len(), 1, "{events:?}");
        events[0].clone()
    };
    let skipped = planned(&[]);
    assert_eq!(skipped["event"], "source_skipped");
    assert!(skipped["source"].as_str().unwrap().ends_with("a.mov"));
    let job = planned(&["--exists", "rename"]);
    assert_eq!(job["event"], "job_planned");
    assert!(
        job["targets"][0]
            .as_str()
            .unwrap()
            .ends_with("out/a (2).mp4")
    );
    assert_eq!(job["duration_s"], 1.0);
    assert!(existing.is_mine());
}
