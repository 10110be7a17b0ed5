//! What a job is: plain data, no I/O. How it runs is an [`crate::engine::Engine`]'s business.

mod info;
mod limits;
mod outcome;
mod property;
mod ratio;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use info::{Colour, Details, Extra, Fields, HLG, Light, MediaInfo, PQ, StreamInfo, StreamKind};
pub use limits::{Limits, SandboxMode};
pub use outcome::{Done, Failure, Made, Outcome, Progress, Verdict};
pub use property::{Held, Property};
pub use ratio::Ratio;

use crate::media::verify::Depth;
use crate::recipe::Pipeline;

/// One unit of work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// Position in the plan, from 0; names the job in events.
    pub id: usize,
    /// What people see: the source's file name, or the load's name.
    pub name: String,
    /// What is to be done.
    pub work: Work,
    /// Predicted cost, about in nanoseconds of a core; the dispatcher starts the costliest first.
    pub cost: f64,
    /// What it has in common with jobs that take as long for the same cost.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// What a job does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Work {
    /// A media file becomes another file, or a folder of pictures.
    Media(Arc<MediaJob>),
    /// One of the two reference loads of the original exercise.
    Load(Load),
}

/// A source, what becomes of it, and where the results go.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MediaJob {
    /// The file to read; never written to.
    #[serde(with = "os_path")]
    pub source: PathBuf,
    /// The final names, one a product of the pipeline: files, or folders of pictures.
    #[serde(with = "os_paths")]
    pub targets: Vec<PathBuf>,
    /// The recipes, resolved for this source.
    pub pipeline: Pipeline,
    /// Length of the source in seconds, where its container tells.
    pub duration_s: Option<f64>,
    /// The same, where the container does not merely guess it: what it promises to hold.
    pub claimed_s: Option<f64>,
    /// How much is looked at before a result takes its place.
    pub verify: Depth,
    /// Size of the source in bytes.
    pub source_bytes: u64,
    /// Of each target, whether what has that name is overwritten, as was asked for, or as it is
    /// an outdated result; where nothing is said, it stays.
    #[serde(default)]
    pub overwrite: Vec<bool>,
    /// Whether its result is to take the source's place: then it waits beside that until it may.
    pub replace: bool,
}

impl MediaJob {
    /// Whether what has the name of target `index` may be overwritten.
    pub fn may_overwrite(&self, index: usize) -> bool {
        self.overwrite.get(index).copied().unwrap_or(false)
    }
}

/// How long the parts are in which a film is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartLength {
    /// At least so many seconds each.
    Seconds(f64),
    /// The longer, the more is left; such that so many threads end together.
    Guided {
        /// How many.
        threads: usize,
    },
}

/// The reference loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Load {
    /// A pure computation.
    Cpu {
        /// Steps of the computation; calibrated beforehand to a time of one core.
        iterations: u64,
    },
    /// A wait.
    Io {
        /// How long, in milliseconds.
        milliseconds: u64,
    },
}

impl Job {
    /// The same job with other media work.
    pub fn with(&self, media: MediaJob) -> Self {
        Self {
            work: Work::Media(Arc::new(media)),
            ..self.clone()
        }
    }

    /// The same job with so many threads for each codec, or as many as it has, if more.
    pub fn on_threads(&self, threads: usize) -> Self {
        let mut job = self.clone();
        if let Work::Media(media) = &mut job.work {
            let pipeline = &mut Arc::make_mut(media).pipeline;
            pipeline.codec_threads = pipeline.codec_threads.max(threads);
        }
        job
    }

    /// The source file, where the job has one.
    pub fn source(&self) -> Option<&Path> {
        match &self.work {
            Work::Media(media) => Some(&media.source),
            Work::Load(_) => None,
        }
    }

    /// Length of the source in seconds, where known.
    pub fn duration_s(&self) -> Option<f64> {
        match &self.work {
            Work::Media(media) => media.duration_s,
            Work::Load(_) => None,
        }
    }

    /// Size of the source in bytes, where the job has one.
    pub fn source_bytes(&self) -> Option<u64> {
        match &self.work {
            Work::Media(media) => Some(media.source_bytes),
            Work::Load(_) => None,
        }
    }
}

/// As [`os_path`], for lists.
pub(crate) mod os_paths {
    use std::ffi::OsString;
    use std::path::PathBuf;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        let names: Vec<_> = paths.iter().map(|path| path.as_os_str()).collect();
        names.serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<PathBuf>, D::Error> {
        let names = Vec::<OsString>::deserialize(deserializer)?;
        Ok(names.into_iter().map(PathBuf::from).collect())
    }
}

/// Paths as serde data: file names need not be UTF-8, so they travel as [`std::ffi::OsString`].
pub(crate) mod os_path {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        OsString::deserialize(deserializer).map(PathBuf::from)
    }
}
