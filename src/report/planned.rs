//! What a dry run would do, for people.

use super::words;
use crate::job::{Job, MediaJob, Work};
use crate::plan::Plan;
use crate::recipe::{DroppedBy, Medium, Product, Track, Way};

/// The plan in lines: per source its results, what is copied, encoded and left
/// out, what is skipped, and totals.
pub fn lines(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for job in &plan.jobs {
        if let Work::Media(media) = &job.work {
            add_job(&mut lines, media);
        }
    }
    for skipped in &plan.skipped {
        lines.push(format!("{}: skipped, its result exists", skipped.display()));
    }
    let length: f64 = plan.jobs.iter().filter_map(Job::duration_s).sum();
    let bytes: u64 = plan.jobs.iter().filter_map(Job::source_bytes).sum();
    lines.push(format!(
        "{} to do ({}, {}), {} skipped, {} refused",
        words::count(plan.jobs.len(), "job"),
        words::duration(length),
        words::bytes(bytes),
        plan.skipped.len(),
        plan.refused.len()
    ));
    lines
}

fn add_job(lines: &mut Vec<String>, media: &MediaJob) {
    let length = media
        .duration_s
        .map(|s| format!("{}, ", words::duration(s)))
        .unwrap_or_default();
    let bytes = words::bytes(media.source_bytes);
    lines.push(format!("{} ({length}{bytes})", media.source.display()));
    for (product, target) in media.pipeline.products.iter().zip(&media.targets) {
        lines.push(format!("  → {}", target.display()));
        lines.push(format!("    {}", tracks(product)));
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
    match &track.way {
        Way::Copy(_) | Way::Attach { .. } => format!("{kind} {stream}"),
        Way::Video(way) => format!("{kind} {stream} ({})", way.encoder.name),
        Way::Audio(way) => format!("{kind} {stream} ({})", way.encoder.name),
        Way::Subtitle { encoder } => format!("{kind} {stream} ({encoder})"),
    }
}
