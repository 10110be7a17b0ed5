//! A worker between the program and a true worker: it passes on what that one answers, and
//! lies from time to time.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use fastrand::Rng;

use crate::lies::{Lie, lie};

/// Where the true program is, which lies are told, and where they are counted.
pub const PROGRAM: &str = "HOSTILE_PROGRAM";
pub const SEED: &str = "HOSTILE_SEED";
pub const COUNT: &str = "HOSTILE_COUNT";
/// Of a hundred answers, so many are lies.
pub const PERCENT: &str = "HOSTILE_PERCENT";

/// Serves as a worker, until the program or the true worker ends.
pub fn run() -> io::Result<bool> {
    let setting = |name: &str| std::env::var(name).map_err(io::Error::other);
    let number =
        |name: &str| -> io::Result<u64> { setting(name)?.parse().map_err(io::Error::other) };
    let mut random = Rng::with_seed(number(SEED)? ^ u64::from(std::process::id()));
    let percent = number(PERCENT)?;
    let mut count = OpenOptions::new().append(true).open(setting(COUNT)?)?;
    // It has the socket on which tasks and files arrive.
    let mut worker = Command::new(setting(PROGRAM)?)
        .arg("worker")
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let mut answers = BufReader::new(worker.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?);
    let mut out = io::stdout().lock();
    let mut line = vec![];
    while answers.read_until(b'\n', &mut line)? > 0 {
        if random.u64(0..100) >= percent {
            out.write_all(&line)?;
            out.flush()?;
        } else {
            count.write_all(b".")?;
            tell(lie(&line, &mut random), &line, &mut out)?;
        }
        line.clear();
    }
    worker.wait()?;
    Ok(true)
}

fn tell(lie: Lie, line: &[u8], out: &mut impl Write) -> io::Result<()> {
    match lie {
        Lie::Say(bytes) => out.write_all(&bytes)?,
        Lie::Mutter(bytes) => {
            io::stderr().write_all(&bytes)?;
            out.write_all(line)?;
        }
        Lie::Repeat(bytes) => loop {
            out.write_all(&bytes)?;
        },
        Lie::FallSilent => loop {
            std::thread::park();
        },
        Lie::End => std::process::exit(7),
    }
    out.flush()
}
