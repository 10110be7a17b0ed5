//! The folder in which one command runs: its sources, its results, a home with a trash.

use std::fs::{self, File, FileTimes};
use std::io::{self, Error};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::unistd::Pid;

use crate::subject::Subject;
use crate::tree::{self, End, Task, Traced};
use crate::watchdog::Watchdog;

/// The sources, each with what `ffmpeg` makes it of: two small videos, of which one keeps its
/// name when it is replaced, two photos, and music.
const SOURCES: &[(&str, &str)] = &[
    (
        "in/a.mp4",
        "-f lavfi -i testsrc=s=64x48:r=10:d=1 -f lavfi -i sine=d=1 -c:v mpeg4 -g 5 -c:a aac",
    ),
    (
        "in/sub/b.avi",
        "-f lavfi -i testsrc2=s=64x48:r=10:d=0.4 -c:v mpeg4",
    ),
    ("photos/1.png", "-f lavfi -i testsrc=s=64x64 -frames:v 1"),
    ("photos/2.jpg", "-f lavfi -i testsrc2=s=64x64 -frames:v 1"),
    ("music.wav", "-f lavfi -i sine=d=0.5"),
];

/// Programs and sources, shared by all lanes.
pub struct Stock {
    pub rushes: PathBuf,
    /// This program.
    pub own: PathBuf,
    /// The library of `alloc.c`.
    pub alloc: PathBuf,
    pub folder: PathBuf,
    pub late: Duration,
}

impl Stock {
    /// Makes the sources in `folder`.
    pub fn make(&self) -> io::Result<()> {
        for (name, arguments) in SOURCES {
            let path = self.folder.join("stock").join(name);
            fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
            let status = Command::new("ffmpeg")
                .args(["-nostdin", "-v", "error", "-bitexact"])
                .args(arguments.split_whitespace())
                .arg(&path)
                .status()?;
            if !status.success() {
                return Err(Error::other(format!("ffmpeg could not make '{name}'")));
            }
        }
        let status = Command::new("cc")
            .args(["-O1", "-fPIC", "-shared", "-o"])
            .arg(&self.alloc)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/alloc.c"))
            .status()?;
        status
            .success()
            .then_some(())
            .ok_or_else(|| Error::other("cc failed"))
    }
}

/// What a run left on the terminal, and how it ended.
pub struct Ran {
    pub traced: Traced,
    pub stderr: String,
}

pub struct Scene<'a> {
    stock: &'a Stock,
    subject: &'a Subject,
    folder: PathBuf,
}

impl<'a> Scene<'a> {
    /// A fresh folder for `subject`; each lane has one of its own.
    pub fn new(stock: &'a Stock, subject: &'a Subject, lane: usize) -> io::Result<Self> {
        let folder = stock.folder.join(format!("lane{lane}"));
        let scene = Self {
            stock,
            subject,
            folder,
        };
        scene.reset()?;
        Ok(scene)
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.join("run")
    }

    /// The sources again, and nothing else.
    pub fn reset(&self) -> io::Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
        for (name, _) in SOURCES {
            let to = self.folder().join(name);
            fs::create_dir_all(to.parent().unwrap_or(&self.folder))?;
            fs::copy(self.stock.folder.join("stock").join(name), &to)?;
            File::options()
                .write(true)
                .open(&to)?
                .set_times(FileTimes::new().set_modified(day))?;
        }
        fs::create_dir_all(self.folder().join("home"))?;
        fs::create_dir_all(self.folder().join("tmp"))
    }

    /// Runs the command with `task`.
    pub fn run(&self, task: Task) -> io::Result<Ran> {
        let mut command = tree::command(&self.stock.own, task, &self.stock.rushes);
        let stderr = self.prepare(&mut command)?;
        let traced = tree::run(command, task, self.stock.late)?;
        let stderr = String::from_utf8_lossy(&fs::read(stderr)?).into_owned();
        Ok(Ran { traced, stderr })
    }

    /// Runs it undisturbed; `with` may change its environment.
    pub fn run_freely(&self, with: impl FnOnce(&mut Command)) -> io::Result<Ran> {
        let mut command = Command::new(&self.stock.rushes);
        let stderr = self.prepare(&mut command)?;
        with(&mut command);
        let mut child = command.spawn()?;
        let pid = Pid::from_raw(i32::try_from(child.id()).map_err(Error::other)?);
        let watchdog = Watchdog::start(pid, Instant::now() + self.stock.late);
        let end = End::of(child.wait()?);
        let (hung, outlived) = watchdog.findings();
        let stderr = String::from_utf8_lossy(&fs::read(stderr)?).into_owned();
        let traced = Traced {
            end,
            calls: vec![],
            hit: None,
            hung,
            outlived,
        };
        Ok(Ran { traced, stderr })
    }

    /// Returns the file that gets what the program prints on stderr.
    fn prepare(&self, command: &mut Command) -> io::Result<PathBuf> {
        let stderr = self.folder.join("stderr");
        self.subject.prepare(command, &self.folder());
        command
            .stdin(Stdio::null())
            .stdout(File::create(self.folder.join("stdout"))?)
            .stderr(File::create(&stderr)?);
        Ok(stderr)
    }

    /// A file for what tests need beside the run.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Such as `in/a.mp4`, of all sources.
    pub fn sources() -> impl Iterator<Item = &'static Path> {
        SOURCES.iter().map(|(name, _)| Path::new(*name))
    }
}
