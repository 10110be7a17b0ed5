//! `rushes bench`.

mod import;
mod measuring;

use std::path::{Path, PathBuf};

use self::measuring::Measuring;
use super::Ending;
use crate::bench::export::{write_charts, write_data, write_report};
use crate::bench::matrix::Matrix;
use crate::bench::results::Results;
use crate::bench::run::{Follow, Step, run};
use crate::chart::charts;
use crate::dispatch::Cancel;
use crate::draw::Theme;
use crate::error::Result;
use crate::film;
use crate::plan::prepare_output;
use crate::report::bench::Telling;
use crate::report::{Style, answer};

/// Measure threads against ffmpeg processes and workers: numbers, charts, a report and a film.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    measuring: Measuring,

    /// Where results go.
    #[arg(short, long, value_name = "DIR", default_value = "output/bench")]
    output: PathBuf,

    /// Measure nothing, and say what follows from the times in this file: rows of
    /// nthreads CpuThread CpuProcess IoThread IoProcess, with or without a header.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["Measuring", "Encoding"])]
    import: Option<PathBuf>,

    /// Make no film.
    #[arg(long)]
    no_film: bool,

    /// Tell of nothing but the result.
    #[arg(short, long)]
    quiet: bool,
}

/// The film's file name in the result folder.
const FILM: &str = "summary.mp4";

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        let mut telling = Telling::new(if self.quiet {
            Style::Quiet
        } else {
            Style::Auto
        });
        if let Some(file) = &self.import {
            let results = import::import(file, &self.output)?;
            prepare_output(&self.output)?;
            self.deliver(&results, cancel, telling)?;
            return Ok(Ending::Done);
        }
        let options = self.measuring.options(&self.output, cancel)?;
        let matrix = Matrix::plan(options, cancel)?;
        for refused in &matrix.refused {
            eprintln!("left out {}: {}", refused.source.display(), refused.reason);
        }
        let mut follow = Following {
            telling: &mut telling,
            output: &self.output,
        };
        let results = run(&matrix, None, cancel, &mut follow)?;
        self.deliver(&results, cancel, telling)?;
        Ok(if matrix.refused.is_empty() {
            Ending::Done
        } else {
            Ending::SomeFailed
        })
    }

    /// Writes everything that follows from `results`, and prints the answer.
    fn deliver(&self, results: &Results, cancel: &Cancel, mut telling: Telling) -> Result<()> {
        let mut written = write_data(results, &self.output)?;
        let charts = charts(results, &Theme::DARK)?;
        write_charts(&charts, &self.output)?;
        written.push(self.output.join("charts"));
        // Whole before there is a film, whose making may be interrupted.
        written.push(write_report(results, None, &self.output)?);
        if !self.no_film && !charts.is_empty() {
            let film = self.output.join(FILM);
            let shown = film::bench::film(results, &charts, &Theme::DARK);
            film::render(&shown, &film, cancel, &mut telling)?;
            written.push(film);
            write_report(results, Some(FILM), &self.output)?;
        }
        telling.finish();
        print(results, &written);
        Ok(())
    }
}

/// Tells of a run, and keeps its numbers as they come.
struct Following<'a> {
    telling: &'a mut Telling,
    output: &'a Path,
}

impl Follow for Following<'_> {
    fn step(&mut self, step: &Step) {
        self.telling.step(step);
    }

    fn keep(&mut self, results: &Results) -> Result<()> {
        write_data(results, self.output).map(drop)
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
