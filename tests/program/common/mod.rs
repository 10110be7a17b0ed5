//! What all behaviour tests share: the program, folders, clips, and how to look at results.
#![allow(dead_code, reason = "each test file uses a part of it")]

/// The arguments as `OsString`s, for lists that mix text and paths.
macro_rules! args {
    ($($argument:expr),* $(,)?) => {
        [$(std::ffi::OsString::from($argument)),*]
    };
}

pub mod browser;
pub mod disk;
pub mod slides;
pub mod source;
pub mod told;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rushes::bench::equal::{self, Difference};
use rushes::dispatch::Cancel;
use rushes::engine::Workers;
use rushes::job::Limits;
use rushes::media::hash::{Content, content};

/// The ways of running jobs.
pub const DISPATCHES: [&str; 3] = ["threads", "processes", "workers"];

/// Those of them that run different engines: linked libav, and the `ffmpeg`
/// program. Workers run the engine of threads.
pub const ENGINES: [&str; 2] = ["threads", "processes"];

/// The program under test, told nothing by the environment about a terminal.
pub fn rushes() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("rushes"));
    command.env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs `rushes` with `arguments`.
pub fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    rushes().args(arguments).output().unwrap()
}

/// Runs `rushes` with `arguments` and expects exit code 0.
pub fn succeed<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    output
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `text` with each folder of `folders` replaced by its name in brackets.
pub fn without_folders(text: &str, folders: &[(&Path, &str)]) -> String {
    folders.iter().fold(text.to_owned(), |text, (path, name)| {
        text.replace(&*path.to_string_lossy(), name)
    })
}

/// How the results below two folders differ once they are decoded.
pub fn differences(a: &Path, b: &Path) -> Vec<Difference> {
    let workers = Workers::find(Limits::default()).unwrap();
    equal::differences(&workers, [a, b], &Cancel::new()).unwrap()
}

/// Whether the long runs were asked for.
pub fn long() -> bool {
    std::env::var_os("RUSHES_LONG").is_some_and(|value| value != "0" && !value.is_empty())
}

/// Whether a program is on the PATH; says so where it is not. Those that
/// scripts/lib.sh installs for the tests are missed where `CI` is set.
pub fn have(program: &str) -> bool {
    let found = which::which(program).is_ok();
    if !found {
        assert!(!installed_for_tests(program), "there is no '{program}'");
        eprintln!("skipped: there is no '{program}' on the PATH");
    }
    found
}

/// Whether `program` must be there, since all tests are to run.
pub fn installed_for_tests(program: &str) -> bool {
    all_must_run() && ["ffmpeg", "gnuplot", "python3", "browser"].contains(&program)
}

/// Whether a test without its input fails instead of being skipped.
pub fn all_must_run() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// The folder with media that others made. Where it is missing, the test is
/// skipped with a message, or fails if `CI` is set.
pub fn shared_media(part: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/media");
    let root = std::env::var_os("RUSHES_MEDIA").map_or(beside, PathBuf::from);
    let folder = root.join(part);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(!all_must_run(), "there is no media at '{}'", root.display());
    eprintln!(
        "skipped: no media at '{}'; RUSHES_MEDIA may name their folder",
        root.display()
    );
    None
}

/// Runs `make` once over all test programs for the folder `name`, and gives that folder.
fn made_once(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::create_dir_all(root).unwrap();
    let lock = File::create(root.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let (folder, ready) = (root.join(name), root.join(format!("{name}.ready")));
    if !ready.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        make(&folder);
        File::create(ready).unwrap();
    }
    folder
}

/// The program's own sample clips.
pub fn samples() -> PathBuf {
    // Another recipe of the samples is another folder.
    let recipe = include_bytes!("../../../samples/samples.toml");
    let name = format!("samples-{:016x}", xxhash_rust::xxh3::xxh3_64(recipe));
    made_once(&name, |folder| {
        succeed([OsStr::new("samples"), OsStr::new("-o"), folder.as_os_str()]);
    })
}

/// One of the samples.
pub fn sample(name: &str) -> PathBuf {
    let path = samples().join(name);
    assert!(path.exists(), "{}", path.display());
    path
}

/// One of the samples three times in a row: work that takes a while.
pub fn long_sample(name: &str) -> PathBuf {
    let source = sample(name);
    let recipe = samples();
    let recipe = recipe.file_name().unwrap().to_str().unwrap();
    made_once(&format!("long-{recipe}-{name}"), |folder| {
        let arguments = ["-stream_loop", "2", "-i"].map(OsStr::new);
        let copy = ["-c", "copy"].map(OsStr::new);
        let all = arguments.into_iter().chain([source.as_os_str()]);
        ffmpeg(all.chain(copy), &folder.join(name));
    })
    .join(name)
}

/// A clip of 160×120 pixels, 25 frames and one second, with sound: the smallest work there is.
pub fn tiny() -> PathBuf {
    made_once("tiny", |folder| {
        ffmpeg(
            [
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=160x120:rate=25:duration=1",
                "-f",
                "lavfi",
                "-i",
                "sine=sample_rate=44100:duration=1",
                "-c:v",
                "libx264",
                "-preset",
                "ultrafast",
                "-pix_fmt",
                "yuv420p",
                "-c:a",
                "aac",
            ],
            &folder.join("tiny.mp4"),
        );
    })
    .join("tiny.mp4")
}

/// Runs the `ffmpeg` program on one thread and expects it to succeed.
pub fn ffmpeg<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>, target: &Path) {
    let output = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-y"])
        .args(arguments)
        .arg(target)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

/// The rotation of a picture by a quarter turn, as [`set_display_matrix`] takes it.
pub const QUARTER_TURN: [i32; 4] = [0, -1, 1, 0];

/// Writes a display matrix into an mp4 file's first track (ISO/IEC 14496-12, 8.3.2).
///
/// The options by which the `ffmpeg` program does that changed: `-metadata:s:v
/// rotate=` is ignored since FFmpeg 7.0, and `-display_rotation` is new in 6.0.
pub fn set_display_matrix(path: &Path, turned: [i32; 4]) {
    let mut bytes = fs::read(path).unwrap();
    let track = bytes.windows(4).position(|four| four == b"tkhd").unwrap();
    let matrix = track + 4 + 40;
    let [a, b, c, d] = turned.map(|number| number << 16);
    for (place, number) in [a, b, 0, c, d, 0, 0, 0, 1 << 30].into_iter().enumerate() {
        let at = matrix + place * 4;
        bytes[at..at + 4].copy_from_slice(&number.to_be_bytes());
    }
    fs::write(path, bytes).unwrap();
}

/// What `ffprobe` prints for `arguments` and `path`.
pub fn ffprobe(arguments: &[&str], path: &Path) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error"])
        .args(arguments)
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    stdout(&output).trim().to_owned()
}

/// What `path` decodes to; it must decode without damage.
pub fn decoded(path: &Path) -> Content {
    let content = content(path, &Cancel::new())
        .unwrap_or_else(|error| panic!("{}: {}", path.display(), error.chain()));
    assert_eq!(content.damaged, 0, "{}", path.display());
    assert!(!content.frames.is_empty(), "{}", path.display());
    content
}

/// A new folder of that name, which stays for a look after the test.
pub fn fresh_folder(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&root).unwrap();
    root
}

/// All files and folders below `folder`, hidden ones too, relative to it, in order.
///
/// What the program keeps of its own beside results is left out.
pub fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if OWN.iter().any(|own| path.ends_with(own)) {
                continue;
            }
            found.push(path.strip_prefix(folder).unwrap().to_owned());
            if path.is_dir() && !path.is_symlink() {
                open.push(path);
            }
        }
    }
    found.sort();
    found
}

/// All entries below `folder` as text, sorted as text.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = tree(folder)
        .iter()
        .map(|path| path.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// What the program keeps beside results: its journal, its report, and its list of pictures.
pub const OWN: [&str; 3] = [".rushes", "report.json", "frames.json"];

/// The temporary name under which the result `name` is being written in `folder`, if it is.
pub fn part_of(folder: &Path, name: &str) -> Option<PathBuf> {
    let (begin, end) = (format!(".{name}."), ".rushes-part");
    let entries = fs::read_dir(folder).ok()?.flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let part = names.find(|name| name.starts_with(&begin) && name.ends_with(end))?;
    Some(folder.join(part))
}

/// Names below `folder` that only unfinished work has.
pub fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let hidden = |path: &PathBuf| {
        path.file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    };
    tree(folder).into_iter().filter(hidden).collect()
}

/// Waits until `condition` holds, at most `limit`; tells whether it did.
pub fn wait_for(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while began.elapsed() < limit {
        if condition() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    condition()
}

/// The events on stdout; every line must be one.
pub fn events(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let event = |line: &str| -> serde_json::Value {
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(value["event"].is_string(), "{line}");
        value
    };
    text.lines().map(event).collect()
}
