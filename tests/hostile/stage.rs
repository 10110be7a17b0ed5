//! Commands whose workers lie, and what is left after each.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::liar;

/// The most memory that the program may take, in KiB.
const MOST_KIB: u64 = 200 << 10;
/// How long a command may take: its limits for a job are a few seconds.
const LATE: Duration = Duration::from_secs(120);
/// Of a hundred answers, so many are lies: then some jobs get as far as a result.
const PERCENT: [u64; 3] = [4, 15, 50];

const COMMANDS: [&str; 6] = [
    "convert in -o out --speed ultrafast --dispatch workers --verify decode",
    "convert in -o out --speed ultrafast --dispatch workers --split 0.5s --max-output 2MiB",
    "convert in -o out --preset remux --dispatch processes",
    "frames in -o out --dispatch workers --sheet 2x2",
    "frames in -o out --dispatch processes --every 0.5s",
    "convert kept --replace --speed ultrafast --dispatch workers",
];

/// Whether the program stands `count` lies.
pub fn test(count: u64, seed: u64) -> io::Result<bool> {
    let folder = tempfile::tempdir()?;
    let stage = Stage::set(folder.path())?;
    let (mut runs, mut right, mut peak_kib, began) = (0, true, 0, Instant::now());
    let mut codes = BTreeMap::<i32, u64>::new();
    while stage.lies()? < count {
        let seed = seed.wrapping_mul(1_000_003).wrapping_add(runs);
        let seen = stage.run(runs, seed)?;
        peak_kib = peak_kib.max(seen.peak_kib);
        *codes.entry(seen.code).or_default() += 1;
        for wrong in &seen.wrong {
            right = false;
            println!("WRONG after run {runs} (seed {seed}): {wrong}");
        }
        runs += 1;
    }
    println!(
        "{} lies in {runs} runs, {} s; exit codes {codes:?}; at most {} MiB: {}",
        stage.lies()?,
        began.elapsed().as_secs(),
        peak_kib >> 10,
        if right { "nothing wrong" } else { "WRONG" }
    );
    Ok(right)
}

struct Stage {
    place: PathBuf,
    program: PathBuf,
}

#[derive(Default)]
struct Seen {
    wrong: Vec<String>,
    code: i32,
    peak_kib: u64,
}

impl Stage {
    /// Sources, a file outside, and a program whose workers are liars.
    fn set(folder: &Path) -> io::Result<Self> {
        let bin = folder.join("bin");
        fs::create_dir(&bin)?;
        let own = std::env::current_exe()?;
        for name in ["rushes", "rushes-child"] {
            let path = bin.join(name);
            fs::hard_link(&own, &path).or_else(|_| fs::copy(&own, &path).map(drop))?;
        }
        let place = folder.join("place");
        for name in ["in", "outside", "home", "tmp"] {
            fs::create_dir_all(place.join(name))?;
        }
        fs::write(place.join("outside/secret"), "secret")?;
        fs::write(place.join("count"), "")?;
        for (name, rotation) in [("a.mp4", "0"), ("b.mkv", "0"), ("c.mp4", "90")] {
            let made = Command::new("ffmpeg")
                .args(["-v", "error", "-f", "lavfi", "-i"])
                .arg("testsrc2=s=128x96:r=10:d=1.5")
                .args(["-f", "lavfi", "-i", "sine=d=1.5", "-shortest"])
                .args(["-c:v", "libx264", "-preset", "ultrafast", "-g", "5"])
                .args(["-metadata:s:v", &format!("rotate={rotation}")])
                .arg(place.join("in").join(name))
                .stdin(Stdio::null())
                .status()?;
            if !made.success() {
                return Err(io::Error::other("ffmpeg made no source"));
            }
        }
        Ok(Self {
            place,
            program: bin.join("rushes"),
        })
    }

    fn lies(&self) -> io::Result<u64> {
        Ok(fs::metadata(self.place.join("count"))?.len())
    }

    /// One command; what is wrong after it.
    fn run(&self, number: u64, seed: u64) -> io::Result<Seen> {
        for name in ["out", "kept"] {
            let _ = fs::remove_dir_all(self.place.join(name));
        }
        fs::create_dir(self.place.join("kept"))?;
        for entry in fs::read_dir(self.place.join("in"))? {
            let entry = entry?;
            fs::copy(
                entry.path(),
                self.place.join("kept").join(entry.file_name()),
            )?;
        }
        let _ = fs::remove_file(self.place.join("peak"));
        let before = self.outside()?;
        let command = COMMANDS[number as usize % COMMANDS.len()];
        let percent = PERCENT[number as usize / COMMANDS.len() % PERCENT.len()];
        let (code, said) = self.end(command, percent, seed)?;
        let mut seen = Seen {
            code: code.flatten().unwrap_or(-1),
            ..Seen::default()
        };
        match code {
            Some(Some(0..=2)) => {}
            Some(Some(code)) => seen
                .wrong
                .push(format!("'{command}': exit code {code}: {said}")),
            Some(None) => seen
                .wrong
                .push(format!("'{command}' died of a signal: {said}")),
            None => seen.wrong.push(format!("'{command}' hangs: {said}")),
        }
        if said.contains("panicked") {
            seen.wrong.push(format!("'{command}' panics: {said}"));
        }
        if self.outside()? != before {
            seen.wrong
                .push(format!("'{command}' touches files outside"));
        }
        let peak = fs::read_to_string(self.place.join("peak")).unwrap_or_default();
        let peak = peak.split_whitespace().nth(1);
        seen.peak_kib = peak.and_then(|kib| kib.parse().ok()).unwrap_or(0);
        if seen.peak_kib > MOST_KIB {
            seen.wrong
                .push(format!("'{command}' takes {} KiB", seen.peak_kib));
        }
        Ok(seen)
    }

    /// How a command ended (`None` where it did not in time), and what it said.
    fn end(
        &self,
        command: &str,
        percent: u64,
        seed: u64,
    ) -> io::Result<(Option<Option<i32>>, String)> {
        let said = self.place.join("said");
        let mut child = Command::new(&self.program)
            .arg("drive")
            .arg(&self.place)
            .args(command.split_whitespace())
            .args(["-j", "2", "--stall-timeout", "1s", "--job-timeout", "5s"])
            .env(liar::PROGRAM, env!("CARGO_BIN_EXE_rushes"))
            .env(liar::COUNT, self.place.join("count"))
            .env(liar::SEED, seed.to_string())
            .env(liar::PERCENT, percent.to_string())
            .env("HOME", self.place.join("home"))
            .env("XDG_DATA_HOME", self.place.join("home"))
            .env("XDG_CONFIG_HOME", self.place.join("home"))
            .env("TMPDIR", self.place.join("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&said)?)
            .spawn()?;
        let began = Instant::now();
        let code = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status.code());
            }
            if began.elapsed() > LATE {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let said = fs::read(&said)?;
        let end = &said[said.len().saturating_sub(2000)..];
        Ok((code, String::from_utf8_lossy(end).into_owned()))
    }

    /// All that the program has no business with: names, sizes, times and modes.
    fn outside(&self) -> io::Result<Vec<String>> {
        let mut all = vec![];
        for folder in ["outside", "in", "."] {
            for entry in fs::read_dir(self.place.join(folder))? {
                let entry = entry?;
                let data = entry.metadata()?;
                let name = entry.file_name().into_string().unwrap_or_default();
                if data.is_dir() || ["peak", "said", "count"].contains(&name.as_str()) {
                    continue;
                }
                let times = (data.mtime(), data.ctime(), data.ctime_nsec());
                all.push(format!("{name} {} {:o} {times:?}", data.len(), data.mode()));
            }
        }
        all.sort();
        Ok(all)
    }
}
