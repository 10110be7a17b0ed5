//! What became of a batch, as `report.json` tells it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::job::{Job, Made, Outcome, Verdict};
use crate::plan::{Because, Plan};

/// The report's name in the output folder.
pub const FILE: &str = "report.json";

/// Version of its form.
const VERSION: u32 = 1;

/// What became of a batch; as JSON the content of `report.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this form.
    pub version: u32,
    /// Version of the program.
    pub rushes: String,
    /// When the batch began, in local time with its offset from UTC.
    pub started: String,
    /// What was asked for, in words; one entry a recipe.
    pub recipes: Vec<String>,
    /// All together.
    pub totals: Totals,
    /// Every source.
    pub sources: Vec<SourceReport>,
}

/// All sources of a batch together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Sources whose results are in place, whole.
    pub done: usize,
    /// Sources that did not hold what they claim; what they hold is in place.
    pub salvaged: usize,
    /// Sources whose work failed, and nothing is in place.
    pub failed: usize,
    /// Sources that cannot be worked on.
    pub refused: usize,
    /// Sources whose results were there already.
    pub skipped: usize,
    /// Those among the done and salvaged of which something else could not be done: a source
    /// that `--replace` could not move to the trash.
    #[serde(default)]
    pub unfinished: usize,
    /// Those among the skipped that an earlier run salvaged.
    pub salvaged_before: usize,
    /// Sources that were not begun, or stopped.
    pub cancelled: usize,
    /// Frames encoded or copied, or pictures written.
    pub frames: u64,
    /// Bytes of the sources whose results are in place.
    pub bytes_in: u64,
    /// Bytes of these results.
    pub bytes_out: u64,
    /// Seconds of video or sound that were gone through.
    pub media_s: f64,
    /// Seconds from the first job's start to the last one's end.
    pub wall_s: f64,
}

/// What became of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its results are in place.
    Done,
    /// It did not hold what it claims; what it holds is in place.
    Salvaged,
    /// Nothing is in place.
    Failed,
    /// It cannot be worked on.
    Refused,
    /// Its results were there already.
    Skipped,
    /// It was not begun, or stopped; nothing is in place.
    Cancelled,
}

/// One source of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceReport {
    /// The source.
    pub source: String,
    /// What became of it.
    pub status: Status,
    /// Its size in bytes, where it was worked on.
    pub bytes_in: Option<u64>,
    /// Seconds of it that were gone through.
    pub media_s: Option<f64>,
    /// Seconds that this took.
    pub took_s: Option<f64>,
    /// Seconds of it a second.
    pub speed: Option<f64>,
    /// The results, one a recipe.
    pub results: Vec<Made>,
    /// Things that the user should know.
    pub warnings: Vec<String>,
    /// Whether its result is in place and something else could not be done: with `--replace`, it
    /// could not go to the trash.
    #[serde(default)]
    pub unfinished: bool,
    /// Whether it was skipped since an earlier run salvaged it.
    pub salvaged_before: bool,
    /// Why it failed, was refused or skipped.
    pub reason: Option<String>,
    /// The last lines that libav or ffmpeg said about it.
    pub log: Vec<String>,
}

impl Report {
    /// Whether the file at `path` is a report, of whatever version.
    pub fn is_at(path: &Path) -> bool {
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "version")]
            _version: u32,
            #[serde(rename = "rushes")]
            _rushes: String,
        }
        let text = || -> io::Result<Vec<u8>> {
            // Opening a pipe would wait for its other end.
            let mut options = File::options();
            let mut file = options
                .read(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(path)?;
            let mut text = vec![];
            if file.metadata()?.is_file() {
                file.read_to_end(&mut text)?;
            }
            Ok(text)
        };
        text().is_ok_and(|text| serde_json::from_slice::<Head>(&text).is_ok())
    }

    /// What became of `plan`, which was begun at `started`.
    pub fn new(plan: &Plan, outcomes: &[Outcome], recipes: Vec<String>, started: String) -> Self {
        let mut sources: Vec<SourceReport> = plan
            .jobs
            .iter()
            .zip(outcomes)
            .map(|(job, outcome)| SourceReport::of(job, outcome))
            .collect();
        sources.extend(plan.refused.iter().map(|refused| SourceReport {
            reason: Some(refused.reason.clone()),
            log: refused.log.clone(),
            ..SourceReport::untouched(refused.source.display().to_string(), Status::Refused)
        }));
        sources.extend(plan.skipped.iter().map(|skipped| SourceReport {
            reason: Some(skipped.because.words().into()),
            salvaged_before: skipped.because == Because::Salvaged,
            ..SourceReport::untouched(skipped.source.display().to_string(), Status::Skipped)
        }));
        let end = |outcome: &Outcome| outcome.end_s;
        Self {
            version: VERSION,
            rushes: env!("CARGO_PKG_VERSION").into(),
            started,
            recipes,
            totals: Totals::of(&sources, outcomes.iter().map(end).fold(0.0, f64::max)),
            sources,
        }
    }
}

impl Totals {
    fn of(sources: &[SourceReport], wall_s: f64) -> Self {
        let mut totals = Self {
            wall_s,
            ..Self::default()
        };
        for source in sources {
            match source.status {
                Status::Done => totals.done += 1,
                Status::Salvaged => totals.salvaged += 1,
                Status::Failed => totals.failed += 1,
                Status::Refused => totals.refused += 1,
                Status::Skipped => totals.skipped += 1,
                Status::Cancelled => totals.cancelled += 1,
            }
            totals.unfinished += usize::from(source.unfinished);
            totals.salvaged_before += usize::from(source.salvaged_before);
            if matches!(source.status, Status::Done | Status::Salvaged) {
                let results = &source.results;
                totals.frames += results.iter().filter_map(|made| made.frames).sum::<u64>();
                totals.bytes_in += source.bytes_in.unwrap_or(0);
                totals.bytes_out += results.iter().map(|made| made.bytes).sum::<u64>();
                totals.media_s += source.media_s.unwrap_or(0.0);
            }
        }
        totals
    }
}

impl SourceReport {
    fn untouched(source: String, status: Status) -> Self {
        Self {
            source,
            status,
            bytes_in: None,
            media_s: None,
            took_s: None,
            speed: None,
            results: vec![],
            warnings: vec![],
            unfinished: false,
            salvaged_before: false,
            reason: None,
            log: vec![],
        }
    }

    fn of(job: &Job, outcome: &Outcome) -> Self {
        let source = job
            .source()
            .map_or_else(|| job.name.clone(), |source| source.display().to_string());
        match &outcome.verdict {
            Verdict::Done(done) => {
                let took_s = outcome.end_s - outcome.start_s;
                let status = if done.salvaged {
                    Status::Salvaged
                } else {
                    Status::Done
                };
                Self {
                    bytes_in: job.source_bytes(),
                    media_s: Some(done.media_s),
                    took_s: Some(took_s),
                    speed: (took_s > 0.0).then(|| done.media_s / took_s),
                    results: done.results.clone(),
                    warnings: done.warnings.clone(),
                    unfinished: done.unfinished,
                    ..Self::untouched(source, status)
                }
            }
            Verdict::Failed(failure) => Self {
                bytes_in: job.source_bytes(),
                reason: Some(failure.reason.clone()),
                log: failure.log.clone(),
                ..Self::untouched(source, Status::Failed)
            },
            Verdict::Cancelled => Self::untouched(source, Status::Cancelled),
        }
    }
}
