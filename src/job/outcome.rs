//! What becomes of a job.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::recipe::Dropped;

/// How far a job is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Video frames encoded, or pictures written.
    pub frames: u64,
    /// Position in the source in seconds.
    pub position_s: f64,
    /// Bytes written.
    pub bytes: u64,
}

/// Before this much of a job is done, its own speed tells little: opening it counts in.
const TELLING: f64 = 0.05;

impl Progress {
    /// The share of a source of so many seconds that it has gone through, from 0 to 1;
    /// 0 where the length is unknown.
    pub fn share(self, duration_s: f64) -> f64 {
        if duration_s > 0.0 {
            (self.position_s / duration_s).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Seconds that a job which ran so long will still take at its own speed, where
    /// that can be told.
    pub fn left_s(self, duration_s: f64, ran: Duration) -> Option<f64> {
        let share = self.share(duration_s);
        (share >= TELLING).then(|| ran.as_secs_f64() / share * (1.0 - share))
    }
}

/// What a finished job did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Video frames encoded, or pictures written; 0 for a load.
    pub frames: u64,
    /// Size of the result in bytes.
    pub bytes: u64,
    /// Seconds of video that were gone through; containers may claim anything.
    pub media_s: f64,
    /// Things that the user should know: skipped errors and the like.
    pub warnings: Vec<String>,
    /// Whether the source did not give all that it was to hold.
    pub salvaged: bool,
    /// Whether the result is in place and something else could not be done: with `--replace`, the
    /// source could not go to the trash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
    /// The results, one a recipe.
    pub results: Vec<Made>,
}

/// One result in place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Where it is.
    pub target: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// Frames of its first video stream, where it has one.
    pub frames: Option<u64>,
    /// Streams of the source that were taken as they are.
    pub copied: Vec<usize>,
    /// Streams of the source that did not arrive.
    pub dropped: Vec<Dropped>,
    /// What else of the source did not arrive, in words.
    #[serde(default)]
    pub lost: Vec<String>,
    /// Whether the source's streams were kept, since encoding made nothing smaller.
    pub kept_source: bool,
    /// Structural similarity to the source, where it was asked for: 1 is the same.
    pub ssim: Option<f64>,
    /// The picture's time in the source in seconds, where the result is one picture of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_s: Option<f64>,
    /// XXH3 of its bytes, to be compared with those that are there later.
    #[serde(skip)]
    pub content: Option<u64>,
    /// Where it waits, if it is to take its source's place.
    #[serde(skip)]
    pub waits_at: Option<PathBuf>,
}

/// Why a job did not finish.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The reason, with file or flag and cause.
    pub reason: String,
    /// The last lines that libav or ffmpeg said about this job.
    pub log: Vec<String>,
}

/// The end of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The result is in place.
    Done(Done),
    /// Nothing is in place.
    Failed(Failure),
    /// Stopped on request; nothing is in place.
    Cancelled,
}

/// A job's verdict, and when and where it ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The job's position in the plan.
    pub job: usize,
    /// The slot that ran it, from 0.
    pub slot: usize,
    /// Start in seconds since the batch began.
    pub start_s: f64,
    /// End in seconds since the batch began.
    pub end_s: f64,
    /// What came of it.
    pub verdict: Verdict,
}

impl Outcome {
    /// Whether it makes the exit code 1.
    pub fn is_bad(&self) -> bool {
        match &self.verdict {
            Verdict::Done(done) => done.salvaged || done.unfinished,
            Verdict::Failed(_) => true,
            Verdict::Cancelled => false,
        }
    }

    /// What the job did, where it finished.
    pub fn done(&self) -> Option<&Done> {
        match &self.verdict {
            Verdict::Done(done) => Some(done),
            _ => None,
        }
    }
}
