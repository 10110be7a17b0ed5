//! One subprocess a job: the `ffmpeg` program for media, a small child for the
//! reference loads.

use std::path::{Path, PathBuf};

use super::argv::arguments;
use super::{Engine, JobError, Watch, child};
use crate::error::{Error, Result};
use crate::job::{Done, Job, Load, MediaJob, Progress, Work};
use crate::recipe::Sink;

/// The engine, with the programs that it starts.
#[derive(Debug, Clone)]
pub struct Program {
    ffmpeg: PathBuf,
    child: PathBuf,
}

impl Program {
    /// Finds `ffmpeg` on the PATH, and the small program beside this one.
    ///
    /// # Errors
    /// Where one of them is missing.
    pub fn find() -> Result<Self> {
        let ffmpeg = which::which("ffmpeg").map_err(|error| {
            Error::usage("--dispatch processes needs the program 'ffmpeg', which is not on the PATH")
                .because(error)
                .cure("install it (Debian, Ubuntu: apt install ffmpeg; macOS: brew install ffmpeg), or use --dispatch threads")
        })?;
        Ok(Self {
            ffmpeg,
            child: child::program()?,
        })
    }

    fn transcode(
        &self,
        job: &MediaJob,
        target: &Path,
        watch: &mut Watch,
    ) -> Result<Done, JobError> {
        let mut command = child::command(&self.child, "run");
        command.arg(&self.ffmpeg).args(arguments(job, target));
        let mut report = ProgressReport::default();
        let log = child::run("ffmpeg", command, watch, |line| report.line(line))?;
        let frames = match &job.pipeline.sink {
            Sink::File { .. } => report.progress.frames,
            // The program reports now and then; the folder knows.
            Sink::Pictures { .. } => std::fs::read_dir(target)
                .map(|entries| entries.count() as u64)
                .unwrap_or(0),
        };
        if frames == 0 {
            return Err(JobError {
                error: Error::failed("no picture in it could be decoded"),
                log,
            });
        }
        Ok(Done {
            frames,
            bytes: report.progress.bytes,
            media_s: report.progress.position_s,
            warnings: damage(&log),
        })
    }

    fn load(&self, load: Load, watch: &mut Watch) -> Result<Done, JobError> {
        let (kind, amount) = match load {
            Load::Cpu { iterations } => ("cpu", iterations),
            Load::Io { milliseconds } => ("io", milliseconds),
        };
        let mut command = child::command(&self.child, kind);
        command.arg(amount.to_string());
        child::run("the load", command, watch, |_| None)?;
        Ok(Done::default())
    }
}

impl Engine for Program {
    fn name(&self) -> &'static str {
        "processes"
    }

    fn run(&self, job: &Job, target: &Path, watch: &mut Watch) -> Result<Done, JobError> {
        match &job.work {
            Work::Media(media) => self.transcode(media, target, watch),
            Work::Load(load) => self.load(*load, watch),
        }
    }

    /// Starts `ffmpeg` for nothing but to tell its version.
    fn start_only(&self, watch: &mut Watch) -> Result<(), JobError> {
        let mut command = child::command(&self.child, "run");
        command.arg(&self.ffmpeg);
        command.args(["-hide_banner", "-loglevel", "error", "-version"]);
        child::run("ffmpeg", command, watch, |_| None).map(drop)
    }
}

/// Lines that tell of skipped data though the program ends well.
fn damage(log: &[String]) -> Vec<String> {
    let lines = log.iter().filter(|line| {
        line.contains("Error while decoding") || line.contains("error while decoding")
    });
    lines.take(3).cloned().collect()
}

/// What `-progress` has told so far: `key=value` lines, a block ending in `progress=…`.
#[derive(Debug, Default)]
struct ProgressReport {
    progress: Progress,
}

impl ProgressReport {
    fn line(&mut self, line: &str) -> Option<Progress> {
        let (key, value) = line.split_once('=')?;
        let number = value.trim().parse::<i64>().unwrap_or(0).max(0);
        match key {
            "frame" => self.progress.frames = number as u64,
            "out_time_us" => self.progress.position_s = number as f64 / 1e6,
            "total_size" => self.progress.bytes = number as u64,
            "progress" => return Some(self.progress),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_progress_block_counts_once_it_is_whole() {
        let mut report = ProgressReport::default();
        assert_eq!(report.line("frame=48"), None);
        assert_eq!(report.line("out_time_us=2000000"), None);
        assert_eq!(report.line("total_size=N/A"), None);
        let progress = report.line("progress=continue").unwrap();
        assert_eq!(
            progress,
            Progress {
                frames: 48,
                position_s: 2.0,
                bytes: 0
            }
        );
    }
}
