//! `rushes status`.

use std::path::PathBuf;

use comfy_table::{CellAlignment, Table, presets};
use indicatif::ProgressBar;
use rayon::prelude::*;

use super::Ending;
use super::limits::Limits;
use crate::dispatch::Cancel;
use crate::engine::Workers;
use crate::error::Result;
use crate::journal::{self, Record};
use crate::media::bounds;
use crate::report::{Style, bytes_bar, words};
use crate::status::{Checker, Event, Finding, State, Totals};
use crate::terminal::{shown, shown_path};
use crate::{out, say, threads, values};

/// Tell whether the results in a folder are still as they were put in place.
///
/// Compares sizes and dates with those in the folder's journal; with --verify, all bytes.
/// Exit code 1 where a result is changed, damaged, missing or cannot be read.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder that was given to -o, or to --replace.
    #[arg(value_name = "DIR")]
    folder: PathBuf,

    /// Read all results, and decode those whose bytes are not as they were put in place.
    #[arg(long)]
    verify: bool,

    /// Results at once [default: the number of cores].
    #[arg(short, long, value_name = "N", value_parser = values::jobs)]
    jobs: Option<usize>,

    /// Print one JSON object per result on stdout.
    #[arg(long)]
    json: bool,

    /// Print only what is not as it was put in place.
    #[arg(short, long)]
    quiet: bool,

    #[command(flatten)]
    limits: Limits,
}

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        let style = Style::of(self.json, self.quiet);
        let known = journal::read_only(&self.folder)?;
        let mut records: Vec<_> = known.records().collect();
        records.sort_by(|a, b| a.target.cmp(&b.target));
        if journal::is_busy(&self.folder) && style == Style::Auto {
            let folder = shown_path(&self.folder);
            say!("a run works in '{folder}' at this moment: it may add and replace results");
        }
        let findings = self.check(&records, style, cancel)?;
        let totals = Totals::of(&findings);
        match style {
            Style::Json => {
                let events = findings.into_iter().map(Event::ResultChecked);
                for event in events.chain([Event::ResultsChecked(totals)]) {
                    print(&event);
                }
            }
            Style::Auto | Style::Quiet => {
                for line in findings.iter().filter_map(line) {
                    out!("{line}");
                }
            }
        }
        if style == Style::Auto {
            out!("{}", table(totals));
            advise(totals);
        }
        Ok(if totals.are_fine() {
            Ending::Done
        } else {
            Ending::SomeFailed
        })
    }

    fn check(&self, records: &[&Record], style: Style, cancel: &Cancel) -> Result<Vec<Finding>> {
        let limits = self.limits.resolve();
        bounds::set(limits);
        let decoder = self.verify.then(|| Workers::find(limits)).transpose()?;
        let bytes = records.iter().map(|record| record.placed.stamp.size).sum();
        let is_shown = style == Style::Auto && self.verify;
        let bar = match is_shown && crate::terminal::can_redraw() {
            true => bytes_bar(bytes),
            false => ProgressBar::hidden(),
        };
        let checker = Checker {
            output: &self.folder,
            decoder: decoder.as_ref(),
            advance: &|bytes| bar.inc(bytes),
            cancel,
        };
        let pool = threads::pool(self.jobs.unwrap_or_else(values::cores), "check")?;
        let findings = pool.install(|| {
            let records = records.par_iter();
            records.map(|record| checker.check(record)).collect()
        });
        bar.finish_and_clear();
        findings
    }
}

fn print(event: &Event) {
    if let Ok(line) = serde_json::to_string(event) {
        out!("{line}");
    }
}

/// A line for a result that is not as it was put in place.
fn line(finding: &Finding) -> Option<String> {
    if finding.state == State::Same {
        return None;
    }
    let reason = finding.reason.as_ref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    let (word, result) = (finding.state.word(), &finding.result);
    Some(shown(&format!("{word} {result}{reason}")))
}

fn table(totals: Totals) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for state in State::ALL {
        let count = totals.count(state);
        if count > 0 || state == State::Same {
            table.add_row([state.word().to_owned(), count.to_string()]);
        }
    }
    if totals.salvaged > 0 {
        table.add_row(["… salvaged".to_owned(), totals.salvaged.to_string()]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Says what can be done about results that are gone or spoilt.
fn advise(totals: Totals) {
    let lost = totals.missing + totals.damaged;
    if lost > 0 {
        let results = words::count(lost, "result");
        say!(
            "{results} can be made again from the sources: remove what is damaged, and run the same command as before"
        );
    }
}
