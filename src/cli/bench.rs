//! `rushes bench`.

use std::path::{Path, PathBuf};

use super::Ending;
use super::encoding::Encoding;
use crate::bench::export::{write_charts, write_data, write_report};
use crate::bench::matrix::{Matrix, Options};
use crate::bench::results::{Dispatch, Results, Work};
use crate::bench::run::run;
use crate::chart::charts;
use crate::dispatch::Cancel;
use crate::draw::Theme;
use crate::error::Result;
use crate::film;
use crate::film::format::Format;
use crate::job::{Limits, Ratio};
use crate::plan::{SourceFile, Wanted, prepare_output, scan};
use crate::recipe::{CodecThreads, Frames, Pick, Transcode, Video};
use crate::report::bench::Telling;
use crate::report::{Style, answer};
use crate::samples;
use crate::values;

/// Measure threads against ffmpeg processes and workers: numbers, charts, a report and a film.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Videos, or folders of videos [default: samples made from FFmpeg's own sources].
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Where results go.
    #[arg(short, long, value_name = "DIR", default_value = "output/bench")]
    output: PathBuf,

    /// Loads to measure.
    #[arg(long, value_name = "LOAD", value_enum, value_delimiter = ',', default_values = ["transcode", "frames", "cpu", "io"])]
    work: Vec<Work>,

    /// Dispatches to compare.
    #[arg(long, value_name = "HOW", value_enum, value_delimiter = ',', default_values = ["threads", "processes", "workers"])]
    dispatch: Vec<Dispatch>,

    /// Worker counts, such as 1-3 [default: 1 to 2 × cores − 1].
    #[arg(long, value_name = "LIST", value_parser = counts)]
    workers: Option<Counts>,

    /// Threads that each codec of a job may use.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    codec_threads: u16,

    /// Time that measuring may take; rounds that do not fit are not begun.
    #[arg(long, value_name = "TIME", default_value = "5:30", value_parser = values::seconds)]
    budget: f64,

    /// Seed of the random order of cells [default: drawn, and recorded].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Time of one core that a cpu job takes.
    #[arg(long, value_name = "TIME", default_value = "300ms", value_parser = values::positive_seconds)]
    cpu: Ratio,

    /// Time that an io job waits.
    #[arg(long, value_name = "TIME", default_value = "300ms", value_parser = values::positive_seconds)]
    io: Ratio,

    /// Time from one picture to the next of a frames job.
    #[arg(long, value_name = "TIME", default_value = "0.5s", value_parser = values::positive_seconds)]
    every: Ratio,

    #[command(flatten)]
    encoding: Encoding,

    /// Make no film.
    #[arg(long)]
    no_film: bool,

    /// Tell of nothing but the result.
    #[arg(short, long)]
    quiet: bool,
}

/// The film's file name in the result folder.
const FILM: &str = "summary.mp4";

/// libx264's speed preset where none is given.
const SPEED: &str = "veryfast";

/// What is to be measured; what cannot be read is told and left out.
fn videos(paths: &[PathBuf], output: &Path) -> Result<Vec<SourceFile>> {
    let found = scan(paths, &Wanted::default(), Some(output))?;
    for refused in &found.unreadable {
        eprintln!(
            "left out '{}': {}",
            refused.source.display(),
            refused.reason
        );
    }
    Ok(found.files)
}

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        let options = self.options(cancel)?;
        let mut telling = Telling::new(if self.quiet {
            Style::Quiet
        } else {
            Style::Auto
        });
        let matrix = Matrix::plan(options, cancel)?;
        for refused in &matrix.refused {
            eprintln!("left out {}: {}", refused.source.display(), refused.reason);
        }
        let results = run(&matrix, cancel, &mut |step| telling.step(step))?;
        let mut written = write_data(&results, &self.output)?;
        let charts = charts(&results, &Theme::DARK)?;
        write_charts(&charts, &self.output)?;
        written.push(self.output.join("charts"));
        // Whole before there is a film, whose making may be interrupted.
        written.push(write_report(&results, None, &self.output)?);
        if !self.no_film && !charts.is_empty() {
            let film = self.output.join(FILM);
            let encoding = film::bench::encoding(Format::Mp4);
            let shown = film::bench::film(&results, film::bench::Look::default(), encoding);
            film::render(&shown, &film, cancel, &mut telling)?;
            written.push(film);
            write_report(&results, Some(FILM), &self.output)?;
        }
        telling.finish();
        print(&results, &written);
        Ok(if matrix.refused.is_empty() {
            Ending::Done
        } else {
            Ending::SomeFailed
        })
    }

    fn options(&self, cancel: &Cancel) -> Result<Options> {
        for dispatch in &self.dispatch {
            dispatch.engine(Limits::default())?;
        }
        // Short jobs leave time for the rounds that a verdict takes.
        let mut transcode = Transcode {
            video: Some(Video {
                speed: Some(SPEED.into()),
                ..Video::default()
            }),
            codec_threads: CodecThreads(usize::from(self.codec_threads)),
            ..Transcode::default()
        };
        self.encoding.apply(&mut transcode, SPEED)?;
        // What is named is looked at before anything is made.
        let named = if self.paths.is_empty() {
            None
        } else {
            Some(videos(&self.paths, &self.output)?)
        };
        prepare_output(&self.output)?;
        let sources = match named {
            Some(sources) => sources,
            None => videos(
                &samples::make(&samples::folder_beside(&self.output), cancel)?,
                &self.output,
            )?,
        };
        Ok(Options {
            sources,
            output: self.output.clone(),
            works: distinct(&self.work),
            dispatches: distinct(&self.dispatch),
            workers: match &self.workers {
                Some(counts) => counts.0.clone(),
                None => (1..2 * values::cores().max(1)).collect(),
            },
            codec_threads: usize::from(self.codec_threads),
            budget_s: self.budget,
            seed: self.seed.unwrap_or_else(|| fastrand::u64(..1 << 32)),
            cpu_ms: milliseconds(self.cpu),
            io_ms: milliseconds(self.io),
            transcode,
            frames: Frames {
                pick: Pick::Every(self.every),
                ..Frames::default()
            },
        })
    }
}

fn print(results: &Results, written: &[PathBuf]) {
    println!("{}", answer::table(results));
    for sentence in answer::sentences(results) {
        println!("{sentence}");
    }
    for note in &results.notes {
        println!("note: {note}");
    }
    println!();
    for path in written {
        println!("{}", path.display());
    }
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
