//! From a recipe and flags to a batch, and from its outcomes to a table and an exit code.

use comfy_table::{CellAlignment, Table, presets};

use super::running::Running;
use super::{Ending, watch};
use crate::dispatch::{Cancel, Event};
use crate::error::{Error, Kind, Result};
use crate::job::{Job, Outcome, Verdict, Work};
use crate::plan::{Plan, plan, prepare_output};
use crate::recipe::Recipe;
use crate::report::{Style, announce, run_batch, words};

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
            Style::Auto | Style::Quiet => print_plan(&plan),
        }
        return Ok(if plan.refused.is_empty() {
            Ending::Done
        } else {
            Ending::SomeFailed
        });
    }
    let outcomes = run_batch(
        &plan.jobs,
        engine.as_ref(),
        &running.terms(),
        cancel,
        running.style(),
    )?;
    if running.style() == Style::Auto {
        print_summary(&plan, &outcomes);
    }
    ending(&plan, &outcomes, cancel)
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

fn ending(plan: &Plan, outcomes: &[Outcome], cancel: &Cancel) -> Result<Ending> {
    let any_stopped = outcomes
        .iter()
        .any(|outcome| outcome.verdict == Verdict::Cancelled);
    // Without a signal it was a failure that kept them from starting (`--on-error stop`).
    if any_stopped && cancel.is_set() {
        return Err(
            Error::interrupted().cure("run the same command again: what is done is not done twice")
        );
    }
    let failed = outcomes
        .iter()
        .any(|outcome| matches!(outcome.verdict, Verdict::Failed(_)));
    Ok(if failed || !plan.refused.is_empty() {
        Ending::SomeFailed
    } else {
        Ending::Done
    })
}

fn print_plan(plan: &Plan) {
    for job in &plan.jobs {
        if let Work::Media(media) = &job.work {
            let length = media
                .duration_s
                .map(|s| format!(" ({})", words::duration(s)))
                .unwrap_or_default();
            for target in &media.targets {
                println!("{}{length} → {}", media.source.display(), target.display());
            }
        }
    }
    for skipped in &plan.skipped {
        println!("{} → skipped: its result exists", skipped.display());
    }
    let length: f64 = plan.jobs.iter().filter_map(Job::duration_s).sum();
    println!(
        "{} to do ({}), {} skipped, {} refused",
        words::count(plan.jobs.len(), "job"),
        words::duration(length),
        plan.skipped.len(),
        plan.refused.len()
    );
}

fn print_summary(plan: &Plan, outcomes: &[Outcome]) {
    let done: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| Some((outcome, outcome.done()?)))
        .collect();
    let wall = outcomes
        .iter()
        .map(|outcome| outcome.end_s)
        .fold(0.0, f64::max);
    let length: f64 = done.iter().map(|(_, done)| done.media_s).sum();
    let failed = outcomes
        .iter()
        .filter(|outcome| matches!(outcome.verdict, Verdict::Failed(_)))
        .count();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let speed = if wall > 0.0 && length > 0.0 {
        format!("{:.1} × real time", length / wall)
    } else {
        "–".into()
    };
    let rows = [
        ("done", done.len().to_string()),
        ("failed", (failed + plan.refused.len()).to_string()),
        ("skipped", plan.skipped.len().to_string()),
        (
            "frames",
            done.iter()
                .map(|(_, done)| done.frames)
                .sum::<u64>()
                .to_string(),
        ),
        (
            "written",
            words::bytes(done.iter().map(|(_, done)| done.bytes).sum()),
        ),
        ("time", words::duration(wall)),
        ("speed", speed),
    ];
    for (name, value) in rows {
        table.add_row([name.to_owned(), value]);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
}
