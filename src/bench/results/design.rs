//! On what a run was made, and what it was asked to do.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Clip, Dispatch, Encoder};
use crate::report::words;

/// The machine of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
pub struct Machine {
    /// Host name.
    pub host: String,
    /// Operating system and kernel.
    pub os: String,
    /// Processor model as the system names it.
    pub cpu: String,
    /// Logical cores this process may use.
    pub cores: usize,
    /// Physical memory in bytes.
    pub memory_bytes: u64,
    /// What sets the processor's clock rate, such as `performance`, where the system tells.
    #[serde(default)]
    pub governor: Option<String>,
}

/// The FFmpeg of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
pub struct Ffmpeg {
    /// Version of the linked libraries, e.g. `5.1.9`.
    pub linked: String,
    /// First line of `ffmpeg -version`, where the program was found.
    pub program: Option<String>,
    /// Whether linked libraries and program have the same version.
    pub same_version: bool,
    /// What the linked libraries were configured with.
    #[serde(default)]
    pub configuration: String,
    /// The encoders that made the results.
    #[serde(default)]
    pub encoders: Vec<Encoder>,
}

/// What a run was asked to do.
#[derive(Debug, Clone, Default, Serialize, Deserialize, PartialEq)]
pub struct Design {
    /// The loads.
    pub works: Vec<Work>,
    /// The dispatches.
    pub dispatches: Vec<Dispatch>,
    /// The worker counts.
    pub workers: Vec<usize>,
    /// Codec threads a job; where several counts were asked for, the first, of which charts tell.
    pub codec_threads: usize,
    /// The other counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub further_codec_threads: Vec<usize>,
    /// Rounds that were completed after the warm-up.
    pub rounds: usize,
    /// Seed of the order of cells within rounds.
    pub seed: u64,
    /// Time allowed, in seconds.
    pub budget_s: f64,
    /// Milliseconds of one core that a `cpu` job takes.
    pub cpu_ms: u64,
    /// Milliseconds that an `io` job waits.
    pub io_ms: u64,
    /// Iterations of the reference computation that take `cpu_ms` on one idle core.
    pub cpu_iterations: u64,
    /// File names of the clips, without folders.
    pub clips: Vec<String>,
    /// Length of all clips together, in seconds.
    pub clips_s: f64,
    /// What is known of each clip.
    #[serde(default)]
    pub clip_facts: Vec<Clip>,
    /// Words for what a transcode job does, e.g. `H.264 CRF 23 medium + AAC 128k`.
    pub recipe: String,
    /// Words for what a frames job does.
    #[serde(default)]
    pub frames_recipe: String,
    /// Hashes over all that a transcode and a frames job do: words do not tell everything.
    #[serde(default)]
    pub settings: [String; 2],
}

impl Design {
    /// The loads, each at each of the codec threads that it has.
    pub fn loads(&self) -> Vec<Load> {
        let further = &self.further_codec_threads;
        let counts = [&[self.codec_threads], further.as_slice()].concat();
        loads(&self.works, &counts)
    }

    /// All counts of codec threads, as they are asked for.
    pub fn codec_threads_told(&self) -> String {
        let all = std::iter::once(&self.codec_threads).chain(&self.further_codec_threads);
        let all: Vec<String> = all.map(usize::to_string).collect();
        all.join(",")
    }

    /// The codec threads of `load` in words, where the run has several counts.
    pub fn with_threads(&self, load: Load) -> String {
        load.threads_told(!self.further_codec_threads.is_empty())
    }

    /// What a transcode job does, so that no two of them are told alike.
    pub fn transcode_settings(&self) -> String {
        exact(&self.recipe, &self.settings[0])
    }

    /// What a frames job does, so that no two of them are told alike.
    pub fn frames_settings(&self) -> String {
        exact(&self.frames_recipe, &self.settings[1])
    }
}

fn exact(words: &str, hash: &str) -> String {
    match hash.is_empty() {
        true => words.to_owned(),
        false => format!("{words} ({hash})"),
    }
}

/// What a cell does.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Work {
    /// Every clip to H.264 + AAC: strong scaling, the same clips whatever the worker count.
    Transcode,
    /// Pictures out of every clip: strong scaling.
    Frames,
    /// The streams of every clip in another container: strong scaling.
    Remux,
    /// A pure computation, one job a worker: weak scaling, as in the original exercise.
    Cpu,
    /// A wait, one job a worker: weak scaling, as in the original exercise.
    Io,
}

impl Work {
    /// All loads in reporting order.
    pub const ALL: [Work; 5] = [
        Work::Transcode,
        Work::Frames,
        Work::Remux,
        Work::Cpu,
        Work::Io,
    ];

    /// The name used on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Work::Transcode => "transcode",
            Work::Frames => "frames",
            Work::Remux => "remux",
            Work::Cpu => "cpu",
            Work::Io => "io",
        }
    }

    /// Whether every worker brings its own job (weak scaling), as the reference loads do.
    pub fn one_job_a_worker(self) -> bool {
        matches!(self, Work::Cpu | Work::Io)
    }

    /// Whether codecs run, which may have several threads.
    pub fn has_codecs(self) -> bool {
        matches!(self, Work::Transcode | Work::Frames)
    }
}

/// A load with the threads that each codec of its jobs has: what all cells that
/// are compared have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Load {
    /// What is done.
    pub work: Work,
    /// Codec threads a job.
    pub codec_threads: usize,
}

impl Load {
    /// Its codec threads in words, to stand behind its name, where it may be one of `several`
    /// of that name.
    pub fn threads_told(self, several: bool) -> String {
        match several && self.work.has_codecs() {
            true => format!(" with {}", words::count(self.codec_threads, "codec thread")),
            false => String::new(),
        }
    }
}

/// Each of `works` at each of `codec_threads`; at the first of them where no codec runs.
pub fn loads(works: &[Work], codec_threads: &[usize]) -> Vec<Load> {
    let of = |work: &Work| {
        let counts = match work.has_codecs() {
            true => codec_threads.len(),
            false => 1,
        };
        let work = *work;
        let counts = codec_threads.iter().take(counts);
        counts.map(move |count| Load {
            work,
            codec_threads: *count,
        })
    };
    works.iter().flat_map(of).collect()
}

/// For documents of before there were several counts.
pub(in crate::bench) fn one() -> usize {
    1
}
