//! What a job may cost at most. A source is hostile until proven otherwise;
//! no honest video comes near what is allowed where nothing is asked for.

use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What a job may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Time without any progress.
    pub stall: Duration,
    /// Time of the whole.
    pub time: Duration,
    /// Bytes of memory; a limit of processes of their own.
    pub memory: u64,
    /// Bytes of all results of a job together.
    pub output: u64,
    /// Pixels of a picture.
    pub pixels: u64,
    /// Streams of a file.
    pub streams: u32,
    /// Pictures that one frame may become.
    pub repeats: u64,
    /// Whether a source may name other files, as playlists do.
    pub trust: bool,
    /// The sandbox of processes that open media.
    pub sandbox: SandboxMode,
}

/// What is asked of the sandbox of processes that open media.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum SandboxMode {
    /// A whole one: where the system has none, nothing is done.
    Require,
    /// As much of it as the system has.
    #[default]
    Try,
    /// None.
    Off,
}

/// A packet takes milliseconds, or seconds at the slowest settings; a disk that
/// sleeps or a tape takes a minute.
const STALL: Duration = Duration::from_secs(5 * 60);

/// The longest film at the slowest settings takes days.
const TIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// Hours of 4K without loss.
const OUTPUT: u64 = 4 << 40;

/// A picture of 16K, the largest that the highest level of H.265 (7.2) knows.
const PIXELS: u64 = 142_606_336;

/// As libav has it: a broadcast's whole multiplex has some hundred.
const STREAMS: u32 = 1000;

/// A picture that stands still for eleven days, at one a second; or for nine
/// hours, at 30.
const REPEATS: u64 = 1_000_000;

/// What is left to a job on a small machine.
const LEAST_MEMORY: u64 = 2 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            stall: STALL,
            time: TIME,
            // What is more than that would be taken from all others.
            memory: memory_of_machine().map_or(u64::MAX, |bytes| bytes.max(LEAST_MEMORY)),
            output: OUTPUT,
            pixels: PIXELS,
            streams: STREAMS,
            repeats: REPEATS,
            trust: false,
            sandbox: SandboxMode::default(),
        }
    }
}

fn memory_of_machine() -> Option<u64> {
    #[cfg(target_os = "linux")]
    {
        let info = rustix::system::sysinfo();
        #[allow(clippy::unnecessary_cast, reason = "its width is the machine's")]
        let bytes = (info.totalram as u64).checked_mul(u64::from(info.mem_unit))?;
        Some(bytes)
    }
    #[cfg(not(target_os = "linux"))]
    None
}

/// A length of time for people.
fn time(length: Duration) -> String {
    match length.as_secs() {
        0 => format!("{} ms", length.as_millis()),
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

/// A number of bytes for people.
fn bytes(count: u64) -> String {
    crate::report::words::bytes(count)
}

impl Limits {
    /// Why a job ends that stood still.
    pub fn stalled(&self) -> Error {
        Error::failed(format!("it made no progress for {}", time(self.stall)))
            .cure("--stall-timeout gives it longer")
    }

    /// Why a job ends that took too long.
    pub fn too_long(&self) -> Error {
        Error::failed(format!("it took longer than {}", time(self.time)))
            .cure("--job-timeout gives it longer")
    }

    /// Why a job ends that wrote too much.
    pub fn too_large(&self) -> Error {
        let most = bytes(self.output);
        Error::failed(format!("its results grow beyond {most}")).cure("--max-output allows more")
    }

    /// Why pictures of this size are not taken, where they are too large.
    ///
    /// # Errors
    /// Says so.
    pub fn check_pixels(&self, width: u64, height: u64) -> Result<(), Error> {
        if width.saturating_mul(height) <= self.pixels {
            return Ok(());
        }
        Err(Error::failed(format!(
            "its pictures have {width}×{height} pixels, more than the {} that are allowed",
            self.pixels
        ))
        .cure("--max-pixels allows more"))
    }

    /// Why a file with so many streams is not taken, where these are too many.
    ///
    /// # Errors
    /// Says so.
    pub fn check_streams(&self, count: u64) -> Result<(), Error> {
        if count <= u64::from(self.streams) {
            return Ok(());
        }
        Err(self.too_many_streams())
    }

    /// Why a file with too many streams is not taken.
    pub fn too_many_streams(&self) -> Error {
        Error::failed(format!("it has more than {} streams", self.streams))
            .cure("--max-streams allows more")
    }

    /// Why a frame that is shown from one second until another is not repeated
    /// at `rate` pictures a second, where that takes too many.
    ///
    /// # Errors
    /// Says so.
    pub fn check_repeats(&self, from_s: f64, until_s: f64, rate: f64) -> Result<(), Error> {
        let count = (until_s - from_s) * rate;
        if count <= self.repeats as f64 {
            return Ok(());
        }
        Err(Error::failed(format!(
            "its clock jumps from {from_s:.1} to {until_s:.1} s, which {count:.0} pictures of one frame would fill, more than the {} that are allowed",
            self.repeats
        ))
        .cure("--max-repeats allows more"))
    }

    /// The error of a process that had this limit; where memory was out, with the way to more.
    pub fn explain(&self, error: Error, log: &[String]) -> Error {
        const OUT: [&str; 4] = [
            "Cannot allocate memory",
            "out of memory",
            "memory allocation of ",
            "malloc of size ",
        ];
        let says = |text: &str| OUT.iter().any(|words| text.contains(words));
        if !says(&error.chain()) && !log.iter().any(|line| says(line)) {
            return error;
        }
        let most = bytes(self.memory);
        Error::failed(format!("it needs more than {most} of memory"))
            .because(error.chain())
            .cure("--memory-limit allows more")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_names_itself_and_its_flag() {
        let limits = Limits {
            memory: 100 << 20,
            ..Limits::default()
        };
        let out = Error::failed("failed to decode").because("Cannot allocate memory");
        for (error, limit, flag) in [
            (limits.stalled(), "5 min", "--stall-timeout"),
            (limits.too_long(), "720 h", "--job-timeout"),
            (limits.too_large(), "4.0 TiB", "--max-output"),
            (limits.explain(out, &[]), "100.0 MiB", "--memory-limit"),
            (
                limits.check_pixels(20_000, 20_000).unwrap_err(),
                "142606336",
                "--max-pixels",
            ),
            (
                limits.check_repeats(0.5, 1e9, 30.0).unwrap_err(),
                "0.5 to 1000000000.0 s",
                "--max-repeats",
            ),
            (
                limits.check_streams(1001).unwrap_err(),
                "1000",
                "--max-streams",
            ),
        ] {
            let line = error.line();
            assert!(line.contains(limit) && line.contains(flag), "{line}");
        }
        let other = limits.explain(Error::failed("no such file"), &[]);
        assert_eq!(other.line(), "no such file");
        assert!(limits.check_pixels(16_384, 8_704).is_ok());
    }
}
