//! From recipes and flags to a batch, and from its outcomes to a report and an exit code.

use std::path::Path;

use super::running::Running;
use super::{Ending, watch};
use crate::delivery::{place_bytes, sweep};
use crate::dispatch::{Cancel, Event};
use crate::error::{Error, Kind, Result};
use crate::job::Work;
use crate::journal::Journal;
use crate::plan::{Plan, plan, prepare_output};
use crate::recipe::Recipe;
use crate::report::summary::{self, Report};
use crate::report::{Style, announce, planned, run_batch, words};

/// So many sources fit a screen with their lines.
const FEW: usize = 20;

/// The program's exit code for an error: 2 wrong usage, 1 failed, 128 + signal when stopped.
pub fn exit_code(error: &Error, cancel: &Cancel) -> u8 {
    match error.kind() {
        Kind::Usage => 2,
        Kind::Failed => 1,
        Kind::Interrupted => {
            128 + cancel
                .signal()
                .and_then(|signal| u8::try_from(signal).ok())
                .unwrap_or(2)
        }
    }
}

/// Plans and runs `recipes` for all videos that were named.
pub(super) fn run_recipes(
    recipes: &[Recipe],
    running: &Running,
    cancel: &Cancel,
) -> Result<Ending> {
    if running.paths.is_empty() {
        return Err(Error::usage("no PATH is given")
            .cure("name videos, or folders of videos; --help tells the rest"));
    }
    running.lower_priority()?;
    if let Some(settle) = running.watch {
        return watch::run(recipes, running, settle, cancel);
    }
    let output = &running.output;
    let found = running.sources()?;
    let engine = running.dispatch.engine()?;
    if !running.dry_run {
        prepare_output(output)?;
    }
    // No other run works in the folder as long as this one does.
    let journal = match running.dry_run {
        true => None,
        false => Some(Journal::open(output)?),
    };
    if let Some(journal) = &journal {
        sweep(output, &journal.known());
    }
    let mut plan = plan(&found.files, recipes, output, running.exists, cancel)?;
    plan.refused.splice(0..0, found.unreadable);
    announce_others(&plan, running.style());
    tell_renamed(&plan);
    if plan.jobs.is_empty() && plan.skipped.is_empty() {
        return Err(Error::usage(
            "none of the files can be worked on; nothing was started",
        ));
    }
    if running.dry_run {
        match running.style() {
            Style::Json => announce_jobs(&plan),
            Style::Auto | Style::Quiet => {
                for line in planned::lines(&plan) {
                    println!("{line}");
                }
            }
        }
        return Ok(if plan.refused.is_empty() {
            Ending::Done
        } else {
            Ending::SomeFailed
        });
    }
    for job in &mut plan.jobs {
        job.set_depth(running.verify);
    }
    let started = jiff::Zoned::now().strftime("%FT%T%:z").to_string();
    let outcomes = run_batch(
        &plan.jobs,
        engine.as_ref(),
        &running.terms(),
        cancel,
        running.style(),
    )?;
    let words = recipes.iter().map(Recipe::words).collect();
    let report = Report::new(&plan, &outcomes, words, started);
    // The results are in place, whether the report finds room or not.
    if let Err(error) = keep(&report, output) {
        eprintln!("{}", error.line());
    }
    tell(&report, running.style());
    ending(&report, cancel)
}

/// Writes `report.json` into the output folder.
fn keep(report: &Report, output: &Path) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(report)
        .map_err(|error| Error::failed("cannot describe what was done").because(error))?;
    text.push(b'\n');
    place_bytes(&output.join(summary::FILE), &text)
}

fn tell(report: &Report, style: Style) {
    if style != Style::Auto {
        return;
    }
    // Among many jobs, what went wrong has long left the screen.
    if report.sources.len() > FEW {
        for line in report.failures() {
            eprintln!("{line}");
        }
    }
    println!("{}", report.table());
}

/// Tells which sources will not become jobs, and why.
fn announce_others(plan: &Plan, style: Style) {
    for refused in &plan.refused {
        let event = Event::SourceRefused {
            source: refused.source.display().to_string(),
            reason: refused.reason.clone(),
            log: refused.log.clone(),
        };
        announce(style, &event);
    }
    for skipped in &plan.skipped {
        let source = skipped.display().to_string();
        announce(style, &Event::SourceSkipped { source });
    }
}

/// The plan as events.
fn announce_jobs(plan: &Plan) {
    for job in &plan.jobs {
        if let Work::Media(media) = &job.work {
            let event = Event::JobPlanned {
                job: job.id,
                source: media.source.display().to_string(),
                targets: media
                    .targets
                    .iter()
                    .map(|target| target.display().to_string())
                    .collect(),
                duration_s: media.duration_s,
            };
            announce(Style::Json, &event);
        }
    }
}

/// Says which results carry the source's ending in their name, and why.
fn tell_renamed(plan: &Plan) {
    if let Some(first) = plan.by_whole_name.first() {
        eprintln!(
            "{} would have shared a name; their results keep the source's ending, such as that of '{}'",
            words::count(plan.by_whole_name.len(), "file"),
            first.display()
        );
    }
}

fn ending(report: &Report, cancel: &Cancel) -> Result<Ending> {
    let totals = &report.totals;
    // Without a signal it was a failure that kept them from starting (`--on-error stop`).
    if totals.cancelled > 0 && cancel.is_set() {
        return Err(
            Error::interrupted().cure("run the same command again: what is done is not done twice")
        );
    }
    let bad = totals.failed + totals.refused + totals.salvaged + totals.cancelled;
    Ok(if bad > 0 {
        Ending::SomeFailed
    } else {
        Ending::Done
    })
}
