//! From recipes and flags to a batch, and from its outcomes to a report and an exit code.

use std::path::Path;

use super::running::Running;
use super::settle::Settling;
use super::{Ending, site, watch};
use crate::delivery::place_bytes;
use crate::dispatch::{Cancel, Event, PlannedResult};
use crate::document;
use crate::engine::Engine;
use crate::error::{Error, Kind, Result};
use crate::job::Work;
use crate::journal::{self, Journal};
use crate::plan::{Plan, plan};
use crate::recipe::Recipe;
use crate::report::summary::{self, Report};
use crate::report::{Style, announce, planned, run_batch, words};
use crate::terminal::{shown, shown_path};
use crate::{out, say};

/// So many sources fit a screen with their lines.
const FEW: usize = 20;

/// The program's exit code for an error: 2 wrong usage, 1 failed, 128 + signal when stopped.
pub fn exit_code(error: &Error, cancel: &Cancel) -> u8 {
    match error.kind() {
        Kind::Usage => 2,
        Kind::Failed | Kind::Unreadable => 1,
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
    if let Some(settle) = running.watch {
        return watch::run(recipes, running, settle, cancel);
    }
    let engine = running.dispatch().engine(running.limits.resolve())?;
    running.report_missing_sandbox();
    let (found, journal) = site::open(running)?;
    let known = site::known(running, journal.as_ref());
    let rules = running.rules(&known, engine.as_ref());
    let mut plan = plan(&found.files, recipes, &running.output, &rules, cancel)?;
    engine.check(&plan.jobs)?;
    if let Some(journal) = &journal {
        site::claim(&plan, journal)?;
    }
    plan.refused.splice(0..0, found.unreadable);
    announce_others(&plan, running.style());
    tell_renamed(&plan);
    let nothing = plan.jobs.is_empty() && plan.skipped.is_empty() && plan.retiring.is_empty();
    if nothing && plan.own_results == 0 {
        return Err(Error::usage(
            "none of the files can be worked on; nothing was started",
        ));
    }
    if running.style() == Style::Auto {
        tell_done(&plan);
    }
    if running.verbose {
        for line in planned::lines(&plan) {
            say!("{line}");
        }
    }
    match journal {
        Some(journal) => run(plan, &journal, engine.as_ref(), recipes, running, cancel),
        None => Ok(show(&plan, running.style())),
    }
}

/// Tells what would be done.
fn show(plan: &Plan, style: Style) -> Ending {
    match style {
        Style::Json => announce_jobs(plan),
        Style::Auto | Style::Quiet => {
            for line in planned::lines(plan) {
                out!("{line}");
            }
        }
    }
    if plan.refused.is_empty() {
        Ending::Done
    } else {
        Ending::SomeFailed
    }
}

fn run(
    mut plan: Plan,
    journal: &Journal,
    engine: &dyn Engine,
    recipes: &[Recipe],
    running: &Running,
    cancel: &Cancel,
) -> Result<Ending> {
    let style = running.style();
    let settling = Settling::new(journal, style);
    let stayed = settling.retire(&plan.retiring);
    for (job, planned) in plan.jobs.iter().zip(std::mem::take(&mut plan.subjects)) {
        settling.expect(job, planned);
    }
    let started = jiff::Zoned::now().strftime("%FT%T%:z").to_string();
    let terms = running.terms();
    let telling = match style {
        Style::Auto if plan.jobs.is_empty() => Style::Quiet,
        style => style,
    };
    let outcomes = run_batch(&plan.jobs, engine, &terms, cancel, telling, &|outcome| {
        settling.settle(outcome)
    })?;
    let words = recipes.iter().map(Recipe::words).collect();
    let report = Report::new(&plan, &outcomes, words, started);
    // The results are in place, whether the report finds room or not.
    if let Err(error) = keep(&report, &running.output) {
        say!("{}", shown(&error.line()));
    }
    tell(&report, style);
    match ending(&report, cancel)? {
        Ending::Done if stayed > 0 => Ok(Ending::SomeFailed),
        ending => Ok(ending),
    }
}

/// Writes `report.json` into the output folder; beside the journal, where the
/// output folder has a file of that name which is none of ours.
fn keep(report: &Report, output: &Path) -> Result<()> {
    let text = document::json(report, summary::FILE)?;
    let usual = output.join(summary::FILE);
    if !usual.exists() || Report::is_at(&usual) {
        return place_bytes(&usual, &text);
    }
    let other = output.join(journal::FOLDER).join(summary::FILE);
    let (usual, shown) = (usual.display(), other.display());
    say!("'{usual}' is not from rushes and is kept; the report is '{shown}'");
    place_bytes(&other, &text)
}

fn tell(report: &Report, style: Style) {
    if style != Style::Auto {
        return;
    }
    // Among many jobs, what went wrong has long left the screen.
    if report.sources.len() > FEW {
        for line in report.failures() {
            say!("{line}");
        }
    }
    out!("{}", report.table());
}

/// Tells which sources will not become jobs, and why.
fn announce_others(plan: &Plan, style: Style) {
    for event in plan.refused.iter().map(Event::from) {
        announce(style, &event);
    }
    for event in plan.skipped.iter().map(Event::from) {
        announce(style, &event);
    }
}

/// The plan as events.
fn announce_jobs(plan: &Plan) {
    for (job, planned) in plan.jobs.iter().zip(&plan.subjects) {
        if let Work::Media(media) = &job.work {
            let products = media.pipeline.products.iter().zip(&planned.anew);
            let event = Event::JobPlanned {
                job: job.id,
                source: media.source.display().to_string(),
                targets: media
                    .targets
                    .iter()
                    .map(|target| target.display().to_string())
                    .collect(),
                duration_s: media.duration_s,
                results: products
                    .map(|(product, anew)| PlannedResult::of(product, *anew))
                    .collect(),
            };
            announce(Style::Json, &event);
        }
    }
}

/// Says what has been done before.
fn tell_done(plan: &Plan) {
    if plan.own_results > 0 {
        let results = words::count(plan.own_results, "result");
        say!("{results} of earlier runs left alone");
    }
    if plan.jobs.is_empty() && plan.retiring.is_empty() {
        say!("nothing is left to do");
    }
}

/// Says which results carry the source's ending in their name, and why.
fn tell_renamed(plan: &Plan) {
    if let Some(first) = plan.by_whole_name.first() {
        say!(
            "{} would have shared a name; their results keep the source's ending, such as that of '{}'",
            words::count(plan.by_whole_name.len(), "file"),
            shown_path(first)
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
    Ok(if bad + totals.unfinished > 0 {
        Ending::SomeFailed
    } else {
        Ending::Done
    })
}
