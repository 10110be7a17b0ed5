//! What a dry run would do, for people.

use super::words;
use crate::job::{Job, MediaJob, Work};
use crate::plan::{Plan, Planned, Skipped};
use crate::recipe::{DroppedBy, Medium, Product, Track};
use crate::terminal::shown_path;

/// The plan in lines: per source its results, what is copied, encoded and left
/// out, what is skipped, and totals.
pub fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (job, planned) in plan.jobs.iter().zip(&plan.subjects) {
        if let Work::Media(media) = &job.work {
            add_job(&mut lines, media, planned);
        }
    }
    for (source, target) in &plan.retiring {
        lines.push(format!("{} → trash", shown_path(source)));
        lines.push(format!("    replaced: {}", shown_path(target)));
    }
    for Skipped { source, because } in &plan.skipped {
        lines.push(format!("{}: skipped", shown_path(source)));
        lines.push(format!("    {}", because.words()));
    }
    let bytes: u64 = plan.jobs.iter().filter_map(Job::source_bytes).sum();
    lines.push(format!(
        "{} to do ({}, {}), {} skipped, {} refused",
        words::count(plan.jobs.len(), "job"),
        length(&plan.jobs),
        words::bytes(bytes),
        plan.skipped.len(),
        plan.refused.len()
    ));
    lines
}

/// The length of all sources, as far as their containers store it.
fn length(jobs: &[Job]) -> String {
    let known: Vec<f64> = jobs.iter().filter_map(Job::duration_s).collect();
    let sum = words::duration(known.iter().sum());
    match jobs.len() - known.len() {
        0 => sum,
        _ if known.is_empty() => "of unknown length".into(),
        unknown => format!("{sum} and {unknown} of unknown length"),
    }
}

fn add_job(lines: &mut Vec<String>, media: &MediaJob, planned: &Planned) {
    let length = media
        .duration_s
        .map(|s| format!("{}, ", words::duration(s)))
        .unwrap_or_default();
    let bytes = words::bytes(media.source_bytes);
    lines.push(format!("{} ({length}{bytes})", shown_path(&media.source)));
    let results = media.pipeline.products.iter().zip(&media.targets);
    for ((product, target), anew) in results.zip(&planned.anew) {
        lines.push(format!("  → {}", shown_path(target)));
        lines.extend(anew.map(|anew| format!("    {}", anew.words())));
        lines.push(format!("    {}", tracks(product)));
        lines.extend(product.notes.iter().map(|note| format!("    note: {note}")));
        for dropped in &product.dropped {
            if dropped.by != DroppedBy::Recipe {
                lines.push(format!(
                    "    left out: stream {}, {}: {}",
                    dropped.stream, dropped.what, dropped.reason
                ));
            }
        }
    }
}

/// `copy video 0, sound 1; encode subtitles 2 (mov_text)`.
fn tracks(product: &Product) -> String {
    let list = |copied: bool| -> Vec<String> {
        let tracks = product.tracks.iter();
        let chosen = tracks.filter(|track| track.way.is_copy() == copied);
        chosen.map(words_of).collect()
    };
    let parts = [("copy", list(true)), ("encode", list(false))];
    let parts = parts.into_iter().filter(|(_, tracks)| !tracks.is_empty());
    let parts: Vec<String> = parts
        .map(|(what, tracks)| format!("{what} {}", tracks.join(", ")))
        .collect();
    parts.join("; ")
}

fn words_of(track: &Track) -> String {
    let kind = match track.way.medium() {
        Medium::Video => "video",
        Medium::Audio => "sound",
        Medium::Subtitle => "subtitles",
        Medium::Attached => "attachment",
    };
    let stream = track.stream;
    match track.way.encoder() {
        Some(encoder) => format!("{kind} {stream} ({encoder})"),
        None => format!("{kind} {stream}"),
    }
}
