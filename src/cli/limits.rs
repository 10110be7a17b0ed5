//! Flags that say what a job may cost.

use std::time::Duration;

use clap::Args;

use crate::job::{self, SandboxMode};
use crate::values;

/// What a job may cost at most.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits of a job, which no honest video meets")]
pub struct Limits {
    /// Time without any progress, after which a job fails; on threads, nothing can be done about
    /// one [default: 5m].
    #[arg(long, value_name = "TIME", value_parser = values::limit_of_time)]
    pub stall_timeout: Option<Duration>,

    /// Time that a job may take [default: 720:00:00].
    #[arg(long, value_name = "TIME", value_parser = values::limit_of_time)]
    pub job_timeout: Option<Duration>,

    /// Memory that the process of a job may take, such as 4GiB; threads share theirs [default: that
    /// of the machine].
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub memory_limit: Option<u64>,

    /// Size of a job's results together, such as 100GiB [default: 4TiB].
    #[arg(long, value_name = "SIZE", value_parser = values::bytes)]
    pub max_output: Option<u64>,

    /// Pixels that a picture of a source may have [default: 142606336, which is 16K].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub max_pixels: Option<u64>,

    /// Streams that a file may have [default: 1000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_streams: Option<u32>,

    /// Pictures that one frame may become where there are to be so many a second, or one every so
    /// often [default: 1000000].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub max_repeats: Option<u64>,

    /// Take playlists and scripts, too, which name other files to be read.
    #[arg(long)]
    pub trust_input: bool,

    /// The sandbox of processes that open media.
    #[arg(long, value_name = "MODE", default_value = "try")]
    pub sandbox: SandboxMode,
}

impl Limits {
    /// As asked for, or as usual.
    pub fn resolve(&self) -> job::Limits {
        let usual = job::Limits::default();
        job::Limits {
            stall: self.stall_timeout.unwrap_or(usual.stall),
            time: self.job_timeout.unwrap_or(usual.time),
            memory: self.memory_limit.unwrap_or(usual.memory),
            output: self.max_output.unwrap_or(usual.output),
            pixels: self.max_pixels.unwrap_or(usual.pixels),
            streams: self.max_streams.unwrap_or(usual.streams),
            repeats: self.max_repeats.unwrap_or(usual.repeats),
            trust: self.trust_input,
            sandbox: self.sandbox,
        }
    }
}
