//! `--dispatch workers`: what kills a worker costs one job and nothing else.
#![cfg(target_os = "linux")]

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::common::told::Told;
use crate::common::{
    self, decoded, events, leftovers, long_sample, names, rushes, stderr, tiny, wait_for,
};
use rushes::engine::workers::protocol::VERSION;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::{Value, json};

/// When a run is given up: it hangs.
const LATE: Duration = Duration::from_secs(120);

/// A variable that a program's children inherit.
const MARK: &str = "RUSHES_TEST";

/// Sources, and a run over them.
struct Batch {
    root: tempfile::TempDir,
}

impl Batch {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("in")).unwrap();
        Self { root }
    }

    /// A batch of so many clips that take a moment.
    fn of(count: usize) -> Self {
        let batch = Self::new();
        for number in 0..count {
            batch.add(&long_sample("bars-360p25.mp4"), &format!("{number}.mp4"));
        }
        batch
    }

    fn add(&self, source: &Path, name: &str) {
        fs::copy(source, self.source(name)).unwrap();
    }

    fn source(&self, name: &str) -> PathBuf {
        self.root.path().join("in").join(name)
    }

    fn out(&self) -> PathBuf {
        self.root.path().join("out")
    }

    fn command(&self, flags: &[&str]) -> Command {
        let mut command = rushes();
        command
            .args(args![
                "convert",
                self.root.path().join("in"),
                "-o",
                self.out()
            ])
            .args(["--dispatch", "workers", "--json", "--copy", "never"])
            .args(flags)
            .env(MARK, self.root.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts a run, and calls `meanwhile` over and over until it ends.
    fn run(&self, flags: &[&str], mut meanwhile: impl FnMut(&Self)) -> Told {
        let mut child = self.command(flags).spawn().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut text = Vec::new();
            stdout.read_to_end(&mut text).unwrap();
            text
        });
        let ended = wait_for(LATE, || {
            meanwhile(self);
            child.try_wait().unwrap().is_some()
        });
        if !ended {
            child.kill().unwrap();
        }
        let mut output = child.wait_with_output().unwrap();
        output.stdout = reader.join().unwrap();
        assert!(ended, "it hangs: {}", stderr(&output));
        Told {
            code: output.status.code(),
            events: events(&output),
            stderr: stderr(&output),
        }
    }

    /// Worker processes of this batch's run.
    fn workers(&self) -> Vec<i32> {
        let mark = format!("{MARK}={}\0", self.root.path().display());
        let of_us = |pid: &i32| {
            let read = |name| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
            let name = read("comm");
            let variables = String::from_utf8_lossy(&read("environ")).into_owned();
            name == b"rushes worker\n" && variables.contains(&mark)
        };
        processes().filter(of_us).collect()
    }

    /// Workers that have the source `name` open.
    fn workers_on(&self, name: &str) -> Vec<i32> {
        let source = self.source(name);
        let mut workers = self.workers();
        workers.retain(|pid| open_files(*pid).contains(&source));
        workers
    }
}

fn processes() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

fn open_files(pid: i32) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten();
    entries
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .collect()
}

fn signal(pid: i32, signal: Signal) {
    // It may have ended meanwhile.
    let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
}

#[test]
fn workers_that_are_killed_now_and_then_cost_no_job() {
    let batch = Batch::of(8);
    let signals = [Signal::KILL, Signal::SEGV, Signal::ABORT];
    // A job has two tries, so that none is hit twice here.
    let mut hit = HashSet::new();
    let told = batch.run(&["--speed", "fast"], |batch| {
        for number in (0..8).step_by(2) {
            let name = format!("{number}.mp4");
            let workers = batch.workers_on(&name);
            if let (Some(pid), false) = (workers.first(), hit.contains(&name)) {
                // Anywhere in its work.
                std::thread::sleep(Duration::from_millis(fastrand::u64(0..150)));
                signal(*pid, signals[hit.len() % 3]);
                hit.insert(name);
            }
        }
    });
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(hit.len() >= 3, "only {hit:?} were hit");
    let first = decoded(&batch.out().join("0.mp4"));
    for number in 1..8 {
        let other = decoded(&batch.out().join(format!("{number}.mp4")));
        assert_eq!(first.difference(&other), None, "{number}");
    }
    assert_eq!(leftovers(&batch.out()), Vec::<PathBuf>::new());
}

/// A film of 25 frames/s with a key frame every so many of them.
fn film(folder: &Path, size: &str, seconds: u32, gop: &str) -> PathBuf {
    let film = folder.join("film.mp4");
    let picture = format!("testsrc2=size={size}:rate=25:duration={seconds}");
    let made = args!["-f", "lavfi", "-i", picture, "-g", gop, "-crf", "30"];
    common::ffmpeg(made, &film);
    film
}

#[test]
fn a_worker_that_is_killed_over_the_parts_of_a_film_costs_no_frame() {
    let source = tempfile::tempdir().unwrap();
    let film = film(source.path(), "320x180", 12, "25");
    let run = |kills: usize| {
        let batch = Batch::new();
        batch.add(&film, "film.mp4");
        let mut killed = 0;
        let told = batch.run(&["--speed", "slow", "--split", "1", "-j", "2"], |batch| {
            for pid in batch.workers_on("film.mp4") {
                // With parts on more than one thread.
                let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
                if killed < kills && threads > 1 {
                    killed += 1;
                    signal(pid, Signal::KILL);
                }
            }
        });
        assert_eq!(told.code, Some(0), "{told:?}");
        assert_eq!(killed, kills);
        assert_eq!(leftovers(&batch.out()), Vec::<PathBuf>::new());
        fs::read(batch.out().join("film.mp4")).unwrap()
    };
    assert!(run(3) == run(0));
}

/// Which parts of a film a worker and those before it have made, in the order in which they
/// are in its checkpoint: a file without a name, of records with a number and a length each.
fn made_parts(pid: i32) -> Vec<u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"));
    let mut files = entries.into_iter().flatten().filter_map(Result::ok);
    let checkpoint = files.find(|entry| {
        fs::read_link(entry.path()).is_ok_and(|file| file.to_string_lossy().ends_with("(deleted)"))
    });
    let bytes = checkpoint.and_then(|entry| fs::read(entry.path()).ok());
    let (bytes, mut at) = (bytes.unwrap_or_default(), 0);
    let mut numbers = vec![];
    while let Some(head) = bytes.get(at..at + 16) {
        let number = |half: &[u8]| u64::from_le_bytes(half.try_into().unwrap());
        numbers.push(number(&head[..8]));
        at += 16 + number(&head[8..]) as usize;
    }
    numbers
}

#[test]
fn parts_that_are_made_are_not_made_again_where_their_worker_is_killed() {
    let source = tempfile::tempdir().unwrap();
    let film = film(source.path(), "640x360", 16, "50");
    let run = |kills: usize| {
        let batch = Batch::new();
        batch.add(&film, "film.mp4");
        let mut seen = vec![];
        let told = batch.run(&["--speed", "slow", "--split", "2", "-j", "1"], |batch| {
            for pid in batch.workers_on("film.mp4") {
                let made = made_parts(pid);
                if seen.len() < kills && made.len() > seen.last().map_or(0, Vec::len) {
                    seen.push(made);
                    // Somewhere in the next one.
                    std::thread::sleep(Duration::from_millis(fastrand::u64(0..100)));
                    signal(pid, Signal::KILL);
                }
            }
        });
        assert_eq!(told.code, Some(0), "{told:?}");
        assert_eq!(names(&batch.out()), ["film.mp4"]);
        (fs::read(batch.out().join("film.mp4")).unwrap(), seen)
    };
    let (whole, _) = run(0);
    let (film, seen) = run(4);
    assert!(film == whole);
    assert_eq!(seen.len(), 4);
    for parts in seen {
        assert_eq!(parts, (0..parts.len() as u64).collect::<Vec<_>>());
    }
}

#[test]
fn a_job_that_always_kills_its_worker_fails_alone_and_tells_how() {
    let batch = Batch::of(3);
    batch.add(&long_sample("fractal-720p24.mkv"), "poison.mkv");
    let mut kills = 0;
    // The clip takes long enough that it cannot be missed.
    let told = batch.run(&["--speed", "slow"], |batch| {
        for pid in batch.workers_on("poison.mkv") {
            if common::part_of(&batch.out(), "poison.mp4").is_some() {
                kills += 1;
                signal(pid, Signal::SEGV);
            }
        }
    });
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(kills >= 2, "{kills}");
    told.assert_failed("poison.mkv", "SIGSEGV");
    assert_eq!(names(&batch.out()), ["0.mp4", "1.mp4", "2.mp4"]);
}

#[test]
fn no_worker_outlives_a_program_that_is_killed() {
    let batch = Batch::of(4);
    let mut child = batch.command(&["--speed", "placebo"]).spawn().unwrap();
    let at_work = wait_for(LATE, || !batch.workers_on("0.mp4").is_empty());
    let workers = batch.workers();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(at_work && !workers.is_empty());
    assert!(
        wait_for(Duration::from_secs(10), || batch.workers().is_empty()),
        "{:?}",
        batch.workers()
    );
}

#[test]
fn no_worker_is_left_at_the_end() {
    let batch = Batch::of(1);
    let told = batch.run(&["--speed", "ultrafast"], |_| {});
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(batch.workers(), Vec::<i32>::new());
}

#[test]
fn a_worker_has_no_files_but_its_own_and_those_of_its_job_and_leads_its_group() {
    let batch = Batch::of(1);
    let mut seen = 0;
    let told = batch.run(&["--speed", "slow"], |batch| {
        for pid in batch.workers_on("0.mp4") {
            let mine = [
                Some(batch.source("0.mp4")),
                common::part_of(&batch.out(), "0.mp4"),
            ];
            for file in open_files(pid) {
                let text = file.to_string_lossy();
                let own = ["pipe:[", "socket:[", "/dev/null"];
                let is_own = own.iter().any(|begin| text.starts_with(begin));
                assert!(is_own || mine.contains(&Some(file.clone())), "{text}");
            }
            let stdin = fs::read_link(format!("/proc/{pid}/fd/0")).unwrap();
            assert_eq!(stdin, Path::new("/dev/null"));
            // A signal to all of the group reaches it as its leader.
            assert!(kill_process_group(Pid::from_raw(pid).unwrap(), Signal::CONT).is_ok());
            seen += 1;
        }
    });
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(seen > 0);
}

#[test]
fn a_file_outside_of_a_job_is_out_of_a_workers_reach() {
    if !rushes::engine::sandbox::strength().files {
        eprintln!("skipped: this system has no sandbox");
        return;
    }
    let batch = Batch::of(1);
    // An index of subtitles, whatever it is called: libav opens the file beside it unasked.
    let index = "# VobSub index file, v7 (do not modify this line!)\n\
                 id: en, index: 0\ntimestamp: 00:00:01:000, filepos: 000000000\n";
    fs::write(batch.source("index.mp4"), index).unwrap();
    let beside = args!["-i", tiny(), "-c:v", "mpeg2video", "-an", "-f", "vob"];
    common::ffmpeg(beside, &batch.source("index.sub"));
    let log = batch.root.path().join("log");
    if !common::have("strace") {
        return;
    }
    let output = Command::new("strace")
        .args(["-f", "-z", "-e", "trace=openat,open", "-o"])
        .arg(&log)
        .arg(rushes().get_program())
        .args(batch.command(&["--speed", "ultrafast"]).get_args())
        .output()
        .unwrap();
    assert!(
        names(&batch.out()).contains(&"0.mp4".into()),
        "{}",
        stderr(&output)
    );
    // Only calls that succeeded are in it.
    let opened = fs::read_to_string(log).unwrap();
    assert!(opened.contains("0.mp4\""), "{opened}");
    assert!(!opened.contains("index.sub\""), "{opened}");
    let reason = events(&output)
        .iter()
        .find(|event| event["event"] == "source_refused")
        .map(|event| event["reason"].to_string());
    let reason = reason.unwrap_or_default();
    assert!(reason.contains("Permission denied"), "{reason}");
}

#[test]
fn calls_that_are_refused_are_so_by_their_other_numbers_too() {
    const OTHERWISE: i64 = 0x4000_0000;
    let strength = rushes::engine::sandbox::strength();
    if !cfg!(target_arch = "x86_64") || !strength.calls || !common::have("perl") {
        return;
    }
    // `socket`, `kill` and `ptrace`, which has a number of its own there.
    for call in [41, 62, OTHERWISE + 41, OTHERWISE + 62, OTHERWISE + 521] {
        let script = format!("syscall({call}, 2, 0, 0, 0); print $!{{EPERM}} ? 'refused' : $!");
        let parent = std::process::id().to_string();
        let sandboxed = [
            &parent,
            "sandboxed",
            "4000000000",
            "script",
            "files+calls",
            "0",
            "2",
            "/usr",
            "/lib",
            "0",
        ];
        let output = Command::new(env!("CARGO_BIN_EXE_rushes-child"))
            .args(sandboxed)
            .args(["/usr/bin/env", "perl", "-MErrno", "-e", &script])
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(told, "refused", "{call:#x}: {}", stderr(&output));
    }
}

#[test]
fn what_opens_media_is_in_a_sandbox() {
    let strength = rushes::engine::sandbox::strength();
    for dispatch in ["processes", "workers"] {
        let batch = Batch::of(1);
        let arguments: Vec<_> = batch
            .command(&["--speed", "slow"])
            .get_args()
            .map(|argument| match argument.to_str() {
                Some("workers") => dispatch.into(),
                _ => argument.to_owned(),
            })
            .collect();
        let mut child = rushes()
            .args(arguments)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut seen = None;
        let source = batch.source("0.mp4");
        let program = i32::try_from(child.id()).unwrap();
        let ended = wait_for(LATE, || {
            for pid in processes().filter(|pid| *pid != program) {
                if open_files(pid).contains(&source) {
                    let status = fs::read_to_string(format!("/proc/{pid}/status"));
                    seen = status.ok().or(seen.take());
                }
            }
            child.try_wait().unwrap().is_some()
        });
        if !ended {
            child.kill().unwrap();
        }
        assert!(child.wait().unwrap().success(), "{dispatch}");
        let status = seen.expect(dispatch);
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            line.and_then(|line| line.split_whitespace().nth(1))
                .map(str::to_owned)
        };
        if strength.files {
            assert_eq!(field("NoNewPrivs:").as_deref(), Some("1"), "{dispatch}");
        }
        if strength.calls {
            assert_eq!(field("Seccomp:").as_deref(), Some("2"), "{dispatch}");
        }
    }
}

/// A worker that is spoken to by hand.
struct ByHand {
    child: Child,
    input: UnixStream,
    output: BufReader<std::process::ChildStdout>,
}

impl ByHand {
    fn start() -> Self {
        let (input, theirs) = UnixStream::pair().unwrap();
        let mut child = rushes()
            .arg("worker")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    fn say(&mut self, line: &str) {
        self.input
            .write_all(format!("{line}\n").as_bytes())
            .unwrap();
    }

    fn hear(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or(Value::Null)
    }

    /// Waits for its end; gives exit code and stderr.
    fn end(self) -> (Option<i32>, String) {
        drop(self.input);
        let output = self.child.wait_with_output().unwrap();
        (output.status.code(), stderr(&output))
    }
}

#[test]
fn another_version_is_refused_with_both_named() {
    let mut worker = ByHand::start();
    worker.say(&json!({"hello": {"version": 77}}).to_string());
    let hello = json!({"version": VERSION, "files": false, "calls": false});
    assert_eq!(worker.hear(), json!({"hello": hello}));
    let (code, said) = worker.end();
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("77 there") && said.contains("2 here"),
        "{said}"
    );
}

#[test]
fn garbage_ends_a_worker_with_the_reason() {
    for garbage in ["garbage", "{}", "[1]", "{\"do\":\"nonsense\"}", "\u{0}"] {
        let mut worker = ByHand::start();
        worker.say(&json!({"hello": {"version": VERSION}}).to_string());
        worker.hear();
        worker.say(garbage);
        let (code, said) = worker.end();
        assert_eq!(code, Some(1), "{garbage}: {said}");
        assert!(said.contains("lost its program"), "{garbage}: {said}");
    }
}

#[test]
fn a_worker_asks_for_the_file_that_it_is_to_look_into() {
    let mut worker = ByHand::start();
    worker.say(&json!({"hello": {"version": VERSION}}).to_string());
    worker.hear();
    let name: Vec<u8> = b"/no/such/place".to_vec();
    worker.say(&json!({"do": {"probe": {"source": {"Unix": name}}}}).to_string());
    let asked = worker.hear();
    assert_eq!(asked["open"]["path"]["Unix"], json!(name), "{asked}");
    assert_eq!(asked["open"]["access"], "read");
    // "No such file or directory", as the system says it on Linux.
    worker.say(&json!({"opened": {"error": 2}}).to_string());
    let failed = worker.hear();
    let message = failed["failed"]["error"]["message"].as_str().unwrap();
    assert!(message.contains("No such file or directory"), "{failed}");
    assert_eq!(worker.end().0, Some(0));
}
