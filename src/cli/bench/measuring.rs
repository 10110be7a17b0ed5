//! Flags that say what is measured, and the plan that follows from them.

use std::path::{Path, PathBuf};

use crate::bench::matrix::Options;
use crate::bench::python;
use crate::bench::results::{Dispatch, Work};
use crate::cli::encoding::Encoding;
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::job::{Limits, Ratio};
use crate::plan::{Found, Refused, SourceFile, Wanted, prepare_output, scan};
use crate::recipe::{Frames, Pick, Transcode, Video};
use crate::samples;
use crate::values;

/// What is to be measured, and what cannot be looked into.
pub(super) struct Asked {
    pub options: Options,
    pub unreadable: Vec<Refused>,
}

/// What is measured.
// A group with flags by `flatten` is empty to clap, and would conflict with nothing.
#[derive(Debug, clap::Args)]
#[group(conflicts_with = "import")]
pub(super) struct Measuring {
    /// Videos, or folders of videos [default: samples made from FFmpeg's own sources].
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Loads to measure.
    #[arg(long, value_name = "LOAD", value_enum, value_delimiter = ',', default_values = ["transcode", "frames", "cpu", "io"])]
    work: Vec<Work>,

    /// Dispatches to compare.
    #[arg(long, value_name = "HOW", value_enum, value_delimiter = ',', default_values = ["threads", "processes", "workers"])]
    dispatch: Vec<Dispatch>,

    /// Worker counts, such as 1-3 [default: 1 to 2 × cores − 1].
    #[arg(long, value_name = "LIST", value_parser = counts)]
    workers: Option<Counts>,

    /// Threads that each codec of a job may use; transcode and frames are measured at each
    /// count, and charts tell of the first.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1], value_parser = clap::value_parser!(u16).range(1..=64))]
    codec_threads: Vec<u16>,

    /// Time that measuring may take; rounds that do not fit are not begun.
    #[arg(long, value_name = "TIME", default_value = "5:30", value_parser = values::seconds)]
    budget: f64,

    /// Rounds, whatever the intervals [default: as many as it takes, 12 to 24].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: Option<u16>,

    /// Run cpu and io on Python's threads and processes, too.
    #[arg(long)]
    python: bool,

    /// Seed of the random order of cells [default: drawn, and recorded].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Time of one core that a cpu job takes.
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = values::positive_seconds)]
    cpu: Ratio,

    /// Time that an io job waits.
    #[arg(long, value_name = "TIME", default_value = "200ms", value_parser = values::positive_seconds)]
    io: Ratio,

    /// Time from one picture to the next of a frames job.
    #[arg(long, value_name = "TIME", default_value = "0.5s", value_parser = values::positive_seconds)]
    every: Ratio,

    /// Run all dispatches on this one: what they then differ in is noise.
    #[arg(
        long,
        value_name = "HOW",
        value_enum,
        hide = true,
        conflicts_with = "resume"
    )]
    all_on: Option<Dispatch>,
}

/// libx264's speed preset where none is given: short jobs leave time for the
/// rounds that a verdict takes.
const SPEED: &str = "veryfast";

impl Measuring {
    /// What is to be measured, with results in `output`, which is made.
    ///
    /// # Errors
    /// Where something that it takes is missing or cannot be made.
    pub(super) fn options(
        &self,
        encoding: &Encoding,
        output: &Path,
        cancel: &Cancel,
    ) -> Result<Asked> {
        self.check_engines()?;
        // What is named is looked at before anything is made.
        let named = self.named(output)?;
        prepare_output(output)?;
        let found = match named {
            Some(found) => found,
            None => {
                let made = samples::make(&samples::folder_beside(output), cancel)?;
                videos(&made, output)?
            }
        };
        self.asked(found, encoding, output)
    }

    /// What would be measured; samples that are not there are not made.
    ///
    /// # Errors
    /// Where something that it takes is missing.
    pub(super) fn options_ahead(&self, encoding: &Encoding, output: &Path) -> Result<Asked> {
        self.check_engines()?;
        let made = || samples::made(&samples::folder_beside(output));
        let found = match (self.named(output)?, made()) {
            (Some(found), _) => found,
            (None, Some(made)) => videos(&made, output)?,
            (None, None) => Found::default(),
        };
        self.asked(found, encoding, output)
    }

    fn check_engines(&self) -> Result<()> {
        let mut engines = self.dispatch.iter();
        engines.try_for_each(|how| how.engine(Limits::default()).map(drop))
    }

    fn asked(&self, found: Found, encoding: &Encoding, output: &Path) -> Result<Asked> {
        let options = self.options_of(found.files, encoding, output)?;
        Ok(Asked {
            options,
            unreadable: found.unreadable,
        })
    }

    fn options_of(
        &self,
        sources: Vec<SourceFile>,
        encoding: &Encoding,
        output: &Path,
    ) -> Result<Options> {
        Ok(Options {
            sources,
            output: output.to_owned(),
            works: distinct(&self.work),
            dispatches: distinct(&self.dispatch),
            workers: match &self.workers {
                Some(counts) => counts.0.clone(),
                None => (1..2 * values::cores().max(1)).collect(),
            },
            codec_threads: self.codec_threads(),
            budget_s: self.budget,
            rounds: self.rounds.map(usize::from),
            python: self.python.then(python::find).transpose()?,
            all_on: self.all_on,
            seed: self.seed.unwrap_or_else(|| fastrand::u64(..1 << 32)),
            cpu_ms: milliseconds(self.cpu),
            io_ms: milliseconds(self.io),
            transcode: self.transcode(encoding)?,
            frames: Frames {
                pick: Pick::Every(self.every),
                ..Frames::default()
            },
        })
    }

    /// Each count once, in the order in which they are asked for.
    fn codec_threads(&self) -> Vec<usize> {
        let mut counts: Vec<usize> = vec![];
        for count in self.codec_threads.iter().map(|count| usize::from(*count)) {
            if !counts.contains(&count) {
                counts.push(count);
            }
        }
        counts
    }

    fn transcode(&self, encoding: &Encoding) -> Result<Transcode> {
        let mut transcode = Transcode {
            video: Some(Video {
                speed: Some(SPEED.into()),
                ..Video::default()
            }),
            ..Transcode::default()
        };
        encoding.apply(&mut transcode, SPEED)?;
        Ok(transcode)
    }

    /// The videos that are named, where any are.
    fn named(&self, output: &Path) -> Result<Option<Found>> {
        let named = !self.paths.is_empty();
        named.then(|| videos(&self.paths, output)).transpose()
    }
}

fn videos(paths: &[PathBuf], output: &Path) -> Result<Found> {
    scan(paths, &Wanted::default(), Some(output))
}

/// The values in reporting order, each once.
fn distinct<T: Ord + Copy>(values: &[T]) -> Vec<T> {
    let mut values = values.to_vec();
    values.sort();
    values.dedup();
    values
}

fn milliseconds(time: Ratio) -> u64 {
    (time.as_f64() * 1000.0).round() as u64
}

/// A list of counts as one value: clap would take a `Vec` for repeated flags.
#[derive(Debug, Clone)]
struct Counts(Vec<usize>);

fn counts(text: &str) -> Result<Counts, String> {
    values::counts(text).map(Counts)
}
