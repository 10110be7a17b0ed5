//! What happens while a batch runs. Bars, plain lines and `--json` read the same events.

use serde::{Deserialize, Serialize};

use crate::job::{Job, Outcome, Progress};
use crate::plan::{Anew, Because};
use crate::recipe::{Dropped, Product};

/// One thing that happened; as JSON an object with `event` naming it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A source cannot be worked on; told before the batch starts.
    SourceRefused {
        /// The source.
        source: String,
        /// Why not.
        reason: String,
        /// The last lines that libav said about it.
        log: Vec<String>,
    },
    /// Nothing is to be done on a source; told before the batch starts.
    SourceSkipped {
        /// The source.
        source: String,
        /// Why.
        because: Because,
    },
    /// A source's replacement is in place.
    SourceReplaced {
        /// The source.
        source: String,
        /// The result that is there instead, or beside it.
        target: String,
        /// Why the source is still there; nothing where it is in the trash.
        kept: Option<String>,
    },
    /// What a dry run would do.
    JobPlanned {
        /// The job's position in the plan.
        job: usize,
        /// The source.
        source: String,
        /// Where its results would go.
        targets: Vec<String>,
        /// Length of the source in seconds, where known.
        duration_s: Option<f64>,
        /// What each result is made of, one a target.
        results: Vec<PlannedResult>,
    },
    /// Jobs are about to start.
    BatchStarted {
        /// Number of jobs.
        jobs: usize,
        /// Jobs at once.
        slots: usize,
        /// The engine's name.
        engine: String,
        /// Length of all sources together in seconds, where known.
        duration_s: f64,
        /// Predicted cost of all jobs together.
        cost: f64,
    },
    /// A job came while the batch was running; all totals grow by it.
    JobAdded {
        /// The job's number; those of the plan are counted on.
        job: usize,
        /// The job's name.
        name: String,
        /// Length of its source in seconds, where known.
        duration_s: Option<f64>,
        /// Predicted cost.
        cost: f64,
    },
    /// A job got a slot.
    JobStarted {
        /// The job's position in the plan.
        job: usize,
        /// The slot, from 0.
        slot: usize,
        /// The job's name.
        name: String,
        /// Length of its source in seconds, where known.
        duration_s: Option<f64>,
        /// Predicted cost.
        cost: f64,
        /// Size of its source in bytes, where it has one.
        bytes_in: Option<u64>,
        /// Seconds since the batch began.
        at_s: f64,
    },
    /// A job got further.
    JobProgress {
        /// The job's position in the plan.
        job: usize,
        /// The slot, from 0.
        slot: usize,
        /// How far it is.
        #[serde(flatten)]
        progress: Progress,
    },
    /// A job ended.
    JobFinished {
        /// The job's name.
        name: String,
        /// How.
        #[serde(flatten)]
        outcome: Outcome,
    },
    /// All jobs ended.
    BatchFinished {
        /// Seconds since the batch began.
        wall_s: f64,
    },
}

/// What a result would be made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PlannedResult {
    /// Streams of the source that are taken as they are.
    pub copied: Vec<usize>,
    /// Streams of the source that are encoded, and by what.
    pub encoded: Vec<Encoded>,
    /// Streams of the source that do not arrive.
    pub dropped: Vec<Dropped>,
    /// What else the user should know of it, e.g. that it is not transparent any more.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Why it is made anew, where an earlier run made it before.
    pub anew: Option<Anew>,
}

/// A stream that would be encoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoded {
    /// The source's stream.
    pub stream: usize,
    /// libav's name of the encoder.
    pub encoder: String,
}

impl PlannedResult {
    /// What `product` is made of.
    pub fn of(product: &Product, anew: Option<Anew>) -> Self {
        let mut result = Self {
            dropped: product.dropped.clone(),
            notes: product.notes.clone(),
            anew,
            ..Self::default()
        };
        for track in &product.tracks {
            match track.way.encoder() {
                Some(encoder) => result.encoded.push(Encoded {
                    stream: track.stream,
                    encoder: encoder.to_owned(),
                }),
                None => result.copied.push(track.stream),
            }
        }
        result
    }
}

impl Event {
    /// `job` came while the batch was running.
    pub(super) fn added(job: &Job) -> Self {
        Self::JobAdded {
            job: job.id,
            name: job.name.clone(),
            duration_s: job.duration_s(),
            cost: job.cost,
        }
    }
}
