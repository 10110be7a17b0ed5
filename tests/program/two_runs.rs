//! Two runs, or a run and somebody else's program, at the same files: nothing that is reported
//! as done is broken or another's, and no other file is touched.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::common::{self, DISPATCHES, decoded, have, names, rushes, stderr, tiny, wait_for};
use rushes::journal::Journal;
use rustix::process::{Pid, Signal, kill_process};

const LATE: Duration = Duration::from_secs(60);

/// A folder with sources in two levels, and an output folder.
struct Site {
    root: tempfile::TempDir,
}

impl Site {
    /// Adds the picture `a.png`.
    fn add_photo(&self) {
        let arguments = "-f lavfi -i testsrc2=size=320x240 -frames:v 1";
        common::ffmpeg(arguments.split_whitespace(), &self.at("a.png"));
    }

    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in ["a.mov", "sub/a.mov", "sub/deep/b.mov"] {
            let path = root.path().join("in").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::copy(tiny(), path).unwrap();
        }
        Self { root }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A run on folders of this site, named in the arguments by `@`.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = rushes();
        for argument in arguments {
            match argument.strip_prefix('@') {
                Some(name) => command.arg(self.at(name)),
                None => command.arg(argument),
            };
        }
        command
            .env("XDG_DATA_HOME", self.at("data"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn convert(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(&["convert"]);
        command.args(self.command(arguments).get_args());
        command.args(["--copy", "never", "--speed", "ultrafast", "-j", "1"]);
        command
    }

    fn run(&self, arguments: &[&str], code: i32) -> String {
        let output = self.convert(arguments).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    /// A source that takes long, at half the speed.
    fn slow(&self, name: &str) -> PathBuf {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let long = "testsrc2=size=320x240:rate=25:duration=40";
        common::ffmpeg(["-f", "lavfi", "-i", long, "-c:v", "mpeg4"], &path);
        path
    }
}

/// Starts two runs, the second this much later, and gives how both ended.
fn both(mut first: Command, mut second: Command, later: Duration) -> [Output; 2] {
    let first = first.spawn().unwrap();
    std::thread::sleep(later);
    let second = second.spawn().unwrap();
    [first, second].map(|child| child.wait_with_output().unwrap())
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

fn assert_names_holder(said: &str) {
    let pid = format!("process {}", std::process::id());
    for word in ["another rushes works in", &pid, " on ", "since 2", "→"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn a_run_above_or_below_another_is_refused_however_the_folder_is_named() {
    let site = Site::new();
    fs::create_dir_all(site.at("out/sub")).unwrap();
    symlink(site.at("out"), site.at("link")).unwrap();
    symlink(site.at("out/sub"), site.at("link-to-sub")).unwrap();
    symlink(site.at("in"), site.at("link-to-in")).unwrap();
    let above = Journal::open(&site.at("out")).unwrap();
    for below in [
        "@out/sub",
        "@link",
        "@link/sub",
        "@link-to-sub",
        "@out/new/deep",
    ] {
        assert_names_holder(&site.run(&["@in", "-o", below], 2));
    }
    assert_eq!(names(&site.at("out")), ["sub"]);
    assert!(!site.at("out/sub/.rushes").exists());
    drop(above);
    let below = Journal::open(&site.at("out/sub")).unwrap();
    for above in ["@out", "@link"] {
        assert_names_holder(&site.run(&["@in", "-o", above], 2));
    }
    drop(below);
    let above = Journal::open(&site.at("in")).unwrap();
    for below in ["@in/sub", "@link-to-in/sub/deep"] {
        assert_names_holder(&site.run(&[below, "--replace"], 2));
    }
    drop(above);
    let _below = Journal::open(&site.at("in/sub")).unwrap();
    assert_names_holder(&site.run(&["@in", "--replace"], 2));
    // Somewhere else, all goes on.
    site.run(&["@in", "-o", "@other"], 0);
}

#[test]
fn a_run_whose_results_go_through_a_link_keeps_others_out_there() {
    let site = Site::new();
    fs::create_dir_all(site.at("out")).unwrap();
    fs::create_dir_all(site.at("else")).unwrap();
    symlink(site.at("else"), site.at("out/sub")).unwrap();
    let other = Journal::open(&site.at("else")).unwrap();
    assert_names_holder(&site.run(&["@in", "-o", "@out"], 2));
    drop(other);
    fs::write(site.at("else/.x.mp4.rushes-part"), b"half").unwrap();
    site.run(&["@in", "-o", "@out"], 0);
    assert_eq!(names(&site.at("else")), ["a.mp4", "deep", "deep/b.mp4"]);
}

#[test]
fn of_two_runs_that_start_at_once_in_nested_folders_one_works() {
    for later in [0, 0, 0, 5, 20, 80] {
        let site = Site::new();
        let later = Duration::from_millis(later);
        let [above, below] = both(
            site.convert(&["@in", "-o", "@out"]),
            site.convert(&["@in/sub", "-o", "@out/sub", "--size", "80x60"]),
            later,
        );
        assert_one_or_after(&above, &below);
        let size = |name: &str| {
            let size = ["-select_streams", "v:0", "-show_entries", "stream=width"];
            let arguments = [&size[..], &["-of", "csv=p=0"]].concat();
            common::ffprobe(&arguments, &site.at(name))
        };
        for name in names(&site.at("out")) {
            if name.ends_with(".mp4") {
                let above_done = above.status.code() == Some(0);
                assert_eq!(decoded(&site.at("out").join(&name)).frames.len(), 25);
                // One after the other, if the first ended while the second waited for it.
                if above.status.code() == below.status.code() {
                    continue;
                }
                let wanted = if above_done { "160" } else { "80" };
                assert_eq!(size(&format!("out/{name}")), wanted, "{name}");
            }
        }
    }
}

/// One of two runs worked, and the other was refused with the usual error unless it came after.
fn assert_one_or_after(a: &Output, b: &Output) {
    let codes = [a, b].map(|output| output.status.code());
    let said = format!("{}\n{}", stderr(a), stderr(b));
    if codes == [Some(0), Some(0)] {
        return;
    }
    assert!(
        codes == [Some(0), Some(2)] || codes == [Some(2), Some(0)],
        "{codes:?}: {said}"
    );
    assert!(said.contains("another rushes works in"), "{said}");
}

#[test]
fn a_film_is_made_by_one_run() {
    let site = Site::new();
    site.add_photo();
    let film = |seconds| {
        site.command(&[
            "slideshow",
            "@a.png",
            "-o",
            "@film.mp4",
            "--size",
            "320x180",
            "--seconds",
            seconds,
            "-q",
        ])
    };
    let first = film("60").spawn().unwrap();
    assert!(wait_for(LATE, || common::part_of(
        site.root.path(),
        "film.mp4"
    )
    .is_some()));
    signal(&first, Signal::STOP);
    let second = film("1").output().unwrap();
    signal(&first, Signal::CONT);
    let said = stderr(&second);
    assert_eq!(second.status.code(), Some(2), "{said}");
    let holder = format!("film.mp4': process {}", first.id());
    assert!(said.contains(&holder), "{said}");
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert!(decoded(&site.at("film.mp4")).frames.len() > 1000);
    assert_eq!(common::leftovers(site.root.path()), Vec::<PathBuf>::new());
}

#[test]
fn what_a_living_run_writes_is_not_tidied_away() {
    let site = Site::new();
    site.add_photo();
    let arguments = [
        "slideshow",
        "@a.png",
        "-o",
        "@out/film.mp4",
        "--size",
        "320x180",
        "--seconds",
        "60",
        "-q",
    ];
    let first = site.command(&arguments).spawn().unwrap();
    let part = || common::part_of(&site.at("out"), "film.mp4");
    assert!(wait_for(LATE, || part().is_some()));
    signal(&first, Signal::STOP);
    let said = site.run(&["@in", "-o", "@out"], 0);
    assert!(!said.contains("leftover") && part().is_some(), "{said}");
    signal(&first, Signal::CONT);
    let first = first.wait_with_output().unwrap();
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert!(decoded(&site.at("out/film.mp4")).frames.len() > 1000);
}

/// How a run ended that must not wait for ever.
fn ended(mut command: Command) -> Output {
    let mut child = command.spawn().unwrap();
    let in_time = wait_for(LATE, || child.try_wait().unwrap().is_some());
    if !in_time {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(in_time, "it waits: {}", stderr(&output));
    output
}

fn pipe(path: &Path) {
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, path, kind, mode, 0).unwrap();
}

#[test]
fn nothing_is_written_through_what_was_planted_in_its_own_folder() {
    for planted in [".rushes", ".rushes/lock", ".rushes/journal"] {
        for is_link in [true, false] {
            let site = Site::new();
            let (victim, place) = (site.at("victim"), site.at("out").join(planted));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            match (is_link, planted) {
                (true, ".rushes") => fs::create_dir(&victim).unwrap(),
                _ => fs::write(&victim, b"precious").unwrap(),
            }
            match is_link {
                true => symlink(&victim, &place).unwrap(),
                false => pipe(&place),
            }
            let output = ended(site.convert(&["@in", "-o", "@out"]));
            let said = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{planted}: {said}");
            assert!(said.contains(planted) && said.contains("→"), "{said}");
            match victim.is_dir() {
                true => assert_eq!(names(&victim), Vec::<String>::new()),
                false => assert_eq!(fs::read(&victim).unwrap(), b"precious"),
            }
            // A look at it does not wait, either.
            ended(site.convert(&["@in", "-o", "@out", "--dry-run"]));
        }
    }
}

#[test]
fn a_journal_is_rewritten_beside_a_link_and_a_report_that_is_a_pipe_is_kept() {
    let site = Site::new();
    site.run(&["@in", "-o", "@out"], 0);
    let journal = site.at("out/.rushes/journal");
    let text = fs::read(&journal).unwrap();
    fs::write(&journal, [&text[..], &b"x\n".repeat(50)].concat()).unwrap();
    fs::write(site.at("victim"), b"precious").unwrap();
    symlink(site.at("victim"), site.at("out/.rushes/journal.new")).unwrap();
    fs::remove_file(site.at("out/report.json")).unwrap();
    pipe(&site.at("out/report.json"));
    let output = ended(site.convert(&["@in", "-o", "@out"]));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(fs::read(site.at("victim")).unwrap(), b"precious");
    assert!(fs::read(&journal).unwrap().len() <= text.len());
    assert!(site.at("out/.rushes/report.json").is_file());
}

/// A slow conversion of `a.mov` whose temporary file is there.
fn at_work(site: &Site, flags: &[&str]) -> (Child, PathBuf) {
    site.slow("in/a.mov");
    let mut command = site.convert(&["@in/a.mov", "-o", "@out", "--limit-cpu", "50"]);
    let mut child = command.args(flags).spawn().unwrap();
    let part = || common::part_of(&site.at("out"), "a.mp4");
    let began = wait_for(LATE, || {
        part().is_some_and(|part| fs::metadata(part).is_ok_and(|data| data.len() > 0))
            || child.try_wait().unwrap().is_some()
    });
    assert!(began && part().is_some(), "it was never seen at work");
    (child, part().unwrap())
}

#[test]
fn a_temporary_file_that_is_exchanged_fails_the_job_and_touches_no_other() {
    for (dispatch, is_link) in DISPATCHES
        .map(|dispatch| (dispatch, true))
        .into_iter()
        .chain([(DISPATCHES[2], false)])
    {
        let site = Site::new();
        let victim = site.at("victim");
        fs::write(&victim, b"precious").unwrap();
        let (child, part) = at_work(&site, &["--dispatch", dispatch]);
        fs::remove_file(&part).unwrap();
        match is_link {
            true => symlink(&victim, &part).unwrap(),
            false => fs::copy(&victim, &part).map(drop).unwrap(),
        }
        let output = child.wait_with_output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{dispatch}: {said}");
        assert!(said.contains("while rushes wrote it"), "{said}");
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert!(!site.at("out/a.mp4").exists(), "{dispatch}");
    }
}

#[test]
fn below_a_linked_folder_a_source_that_a_kill_has_hidden_comes_back() {
    let site = Site::new();
    fs::create_dir_all(site.at("else")).unwrap();
    fs::copy(tiny(), site.at("else/.c.mp4.rushes-source")).unwrap();
    fs::write(site.at("else/.d.mp4.rushes-part"), b"half").unwrap();
    symlink(site.at("else"), site.at("in/link")).unwrap();
    let said = site.run(&["@in", "--replace"], 0);
    assert!(said.contains("2 leftovers"), "{said}");
    assert_eq!(names(&site.at("else")), ["c.mp4"]);
    assert!(!site.at("else/.rushes").exists());
}

/// Fails the `fsync` of folders, but of those of the journal.
const NO_SYNC: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>
int fsync(int fd) {
    struct stat data;
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    if (fstat(fd, &data) == 0 && S_ISDIR(data.st_mode)) { errno = EIO; return -1; }
    return next(fd);
}
"#;

#[test]
#[cfg(target_os = "linux")]
fn a_result_whose_folder_cannot_be_made_durable_is_made_by_the_next_run() {
    if !have("cc") {
        return;
    }
    for replace in [false, true] {
        let site = Site::new();
        let (code, library) = (site.at("no_sync.c"), site.at("no_sync.so"));
        fs::write(&code, NO_SYNC).unwrap();
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&library, &code])
            .arg("-ldl")
            .status()
            .unwrap();
        assert!(built.success());
        let arguments = match replace {
            false => &["@in/a.mov", "-o", "@out"][..],
            true => &["@in/a.mov", "--replace"][..],
        };
        let mut failing = site.convert(arguments);
        let output = failing.env("LD_PRELOAD", &library).output().unwrap();
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("could not be stored durably"), "{said}");
        assert!(site.at("in/a.mov").exists());
        assert!(!site.at("out/a.mp4").exists() && !site.at("in/a.mp4").exists());
        site.run(arguments, 0);
        let result = if replace { "in/a.mp4" } else { "out/a.mp4" };
        assert_eq!(decoded(&site.at(result)).frames.len(), 25);
    }
}
