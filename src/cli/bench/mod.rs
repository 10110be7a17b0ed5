//! `rushes bench`.

mod compare;
mod import;
mod measuring;

use std::path::{Path, PathBuf};

use self::measuring::Measuring;
use super::encoding::Encoding;
use super::{Ending, profile};
use crate::bench::ahead::Ahead;
use crate::bench::export::{write_charts, write_data, write_report};
use crate::bench::load::load;
use crate::bench::matrix::Matrix;
use crate::bench::results::Results;
use crate::bench::resume;
use crate::bench::run::{Follow, Step, run};
use crate::chart::charts;
use crate::dispatch::Cancel;
use crate::draw::Theme;
use crate::error::{Error, Kind, Result};
use crate::film;
use crate::film::format::Format;
use crate::plan::{Refused, prepare_output};
use crate::report::bench::{Telling, events};
use crate::report::{Style, ahead, answer, costs, words};
use crate::terminal::shown;
use crate::{out, say};

/// Measure threads against ffmpeg processes and workers: numbers, charts, a report and a film.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    instead: Option<Instead>,

    #[command(flatten)]
    measuring: Measuring,

    #[command(flatten)]
    encoding: Encoding,

    /// Where results go.
    #[arg(short, long, value_name = "DIR", default_value = "output/bench")]
    output: PathBuf,

    /// Measure nothing, and say what follows from the times in this file: rows of
    /// nthreads CpuThread CpuProcess IoThread IoProcess, with or without a header.
    #[arg(long, value_name = "FILE", conflicts_with_all = Encoding::FLAGS, conflicts_with_all = ["resume", "save_profile"])]
    import: Option<PathBuf>,

    /// Go on with the run in the output folder that was stopped, or whose budget
    /// was spent; the other flags must be as they were, but for the budget.
    #[arg(long)]
    resume: bool,

    /// Have `convert` and `frames` choose dispatch and jobs by what is measured here.
    #[arg(long)]
    save_profile: bool,

    /// Make no film.
    #[arg(long)]
    no_film: bool,

    /// Print events on stdout, one JSON object a line.
    #[arg(long)]
    json: bool,

    /// Tell of nothing but the result.
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// Print what would be measured, and do nothing.
    #[arg(long, conflicts_with_all = ["import", "save_profile"])]
    dry_run: bool,
}

#[derive(Debug, clap::Subcommand)]
enum Instead {
    Compare(compare::Args),
}

/// The file with all that was measured.
const RESULTS: &str = "results.json";

/// The film's file name in the result folder.
const FILM: &str = "summary.mp4";

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        if let Some(Instead::Compare(args)) = &self.instead {
            return args.run();
        }
        if self.dry_run {
            return self.ahead(cancel);
        }
        let mut telling = Telling::new(self.style());
        if let Some(file) = &self.import {
            let results = import::import(file, &self.output)?;
            prepare_output(&self.output)?;
            self.deliver(&results, &[], cancel, telling)?;
            return Ok(Ending::Done);
        }
        let before = self.resume.then(|| self.before()).transpose()?;
        let asked = self
            .measuring
            .options(&self.encoding, &self.output, cancel)?;
        let mut matrix = Matrix::plan(asked.options, cancel)?;
        matrix.check_engines()?;
        matrix.refused.splice(0..0, asked.unreadable);
        telling.refused(&matrix.refused);
        if let Some(before) = &before {
            resume::check(before, &matrix)?;
            matrix.go_on(&before.design);
        }
        let mut follow = Following {
            telling: &mut telling,
            output: &self.output,
            kept: None,
        };
        let results = match run(&matrix, before, cancel, &mut follow) {
            Ok(results) => results,
            Err(error) => return Err(self.stopped(error, follow.kept)),
        };
        self.deliver(&results, &matrix.refused, cancel, telling)?;
        if self.save_profile {
            let file = profile::save(&results)?;
            match self.style() {
                Style::Json => out!("{}", events::profile_saved(&file)),
                Style::Auto | Style::Quiet => out!("{}", file.display()),
            }
        }
        Ok(ending(&matrix.refused))
    }

    /// Tells what would be measured.
    fn ahead(&self, cancel: &Cancel) -> Result<Ending> {
        let asked = self.measuring.options_ahead(&self.encoding, &self.output)?;
        let before = load(&self.output.join(RESULTS)).ok();
        let (ahead, mut refused) = Ahead::of(&asked.options, before.as_ref(), cancel)?;
        refused.splice(0..0, asked.unreadable);
        Telling::new(self.style()).refused(&refused);
        match self.style() {
            Style::Json => out!("{}", events::planned(&ahead)),
            Style::Auto | Style::Quiet => {
                for line in ahead::lines(&ahead) {
                    out!("{line}");
                }
            }
        }
        Ok(ending(&refused))
    }

    fn style(&self) -> Style {
        Style::of(self.json, self.quiet)
    }

    /// What a stopped run has left here.
    fn before(&self) -> Result<Results> {
        let file = self.output.join(RESULTS);
        if !file.exists() {
            return Err(Error::usage(format!(
                "--resume: there is no run to go on with in '{}'",
                self.output.display()
            ))
            .cure("name its folder with --output, or start anew without --resume"));
        }
        load(&file)
    }

    /// Tells of what is kept of a run that was stopped; the report of it is made, too.
    fn stopped(&self, error: Error, kept: Option<Results>) -> Error {
        let Some(results) = kept.filter(|_| error.kind() == Kind::Interrupted) else {
            return error;
        };
        // What was asked for is to stop: where there is no room for a report, that is that.
        let _ = write_report(&results, None, &self.output);
        say!(
            "stopped after {} of all cells; they are kept in '{}', and the same command with --resume goes on",
            words::count(results.design.rounds, "round"),
            self.output.display()
        );
        error
    }

    /// Writes everything that follows from `results`, and prints the answer.
    /// Of `refused` it was told before.
    fn deliver(
        &self,
        results: &Results,
        refused: &[Refused],
        cancel: &Cancel,
        mut telling: Telling,
    ) -> Result<()> {
        let mut written = write_data(results, &self.output)?;
        let charts = charts(results, &Theme::DARK)?;
        write_charts(&charts, &self.output)?;
        written.push(self.output.join("charts"));
        // Whole before there is a film, whose making may be interrupted.
        written.push(write_report(results, None, &self.output)?);
        let people = self.style() != Style::Json;
        if people {
            // The film takes a while, and changes nothing of the answer.
            telling.aside(|| print(results, refused));
        }
        if !self.no_film && !charts.is_empty() {
            let film = self.output.join(FILM);
            let encoding = film::bench::encoding(Format::Mp4);
            let shown = film::bench::film(results, film::bench::Look::default(), encoding);
            film::render(&shown, &film, cancel, &mut telling)?;
            written.push(film);
            write_report(results, Some(FILM), &self.output)?;
        }
        telling.finish();
        match people {
            false => out!("{}", events::finished(results, &written)),
            true => written.iter().for_each(|path| out!("{}", path.display())),
        }
        Ok(())
    }
}

/// Tells of a run, and keeps its numbers as they come.
struct Following<'a> {
    telling: &'a mut Telling,
    output: &'a Path,
    kept: Option<Results>,
}

impl Follow for Following<'_> {
    fn step(&mut self, step: &Step) {
        self.telling.step(step);
    }

    fn keep(&mut self, results: &Results) -> Result<()> {
        write_data(results, self.output)?;
        self.kept = Some(results.clone());
        Ok(())
    }
}

fn ending(refused: &[Refused]) -> Ending {
    match refused {
        [] => Ending::Done,
        _ => Ending::SomeFailed,
    }
}

fn print(results: &Results, refused: &[Refused]) {
    out!("{}", answer::table(results));
    if let Some(table) = costs::table(results) {
        out!("\n{table}\n");
    }
    for sentence in answer::sentences(results) {
        out!("{}", shown(&sentence));
    }
    let told: Vec<String> = refused.iter().map(Refused::told).collect();
    for note in results.notes.iter().filter(|note| !told.contains(note)) {
        out!("note: {}", shown(note));
    }
    out!();
}
