//! On which machine a benchmark ran, and how it was measured.

use crate::bench::results::{Machine, Results};
use crate::report::words;

/// Names and values, in the order in which they are shown.
pub(super) type Facts = Vec<(&'static str, String)>;

/// `libx264 core 164 r3095 baee400, aac libavcodec 59.37.100`.
fn encoders(results: &Results) -> String {
    let encoders = results.ffmpeg.encoders.iter();
    let told: Vec<String> = encoders
        .map(|encoder| format!("{} {}", encoder.name, encoder.told()))
        .collect();
    match told.is_empty() {
        true => "not known".to_owned(),
        false => told.join(", "),
    }
}

/// The machine; nothing where it is not known, as of times that were read from a file.
pub(super) fn machine(results: &Results) -> Facts {
    let machine = &results.machine;
    let ffmpeg = &results.ffmpeg;
    if *machine == Machine::default() {
        return vec![("rushes", results.rushes.clone())];
    }
    let program = ffmpeg.program.as_deref().unwrap_or("not found");
    let facts = [
        ("Host", machine.host.clone()),
        ("System", machine.os.clone()),
        ("Processor", machine.cpu.clone()),
        ("Cores", machine.cores.to_string()),
        ("Memory", words::bytes(machine.memory_bytes)),
        (
            "Clock governor",
            machine.governor.clone().unwrap_or("not told".into()),
        ),
        ("Linked FFmpeg", ffmpeg.linked.clone()),
        ("ffmpeg program", program.to_owned()),
        ("Encoders", encoders(results)),
        ("rushes", results.rushes.clone()),
    ];
    facts.into()
}

/// What stands above the answer.
pub(super) fn kicker(results: &Results) -> String {
    let mut parts = vec!["rushes bench".to_owned()];
    if results.machine.cores > 0 {
        parts.push(words::count(results.machine.cores, "core"));
    }
    parts.push(words::count(results.design.rounds, "round"));
    parts.join(" · ")
}

/// What was measured, and how.
pub(super) fn method(results: &Results) -> Facts {
    let design = &results.design;
    if results.started.is_empty() {
        return vec![("Rounds", design.rounds.to_string())];
    }
    let clips = words::count(design.clips.len(), "clip");
    let facts = [
        ("Started", results.started.clone()),
        ("Rounds", design.rounds.to_string()),
        ("Seed of the order", design.seed.to_string()),
        ("Budget", words::duration(design.budget_s)),
        (
            "Clips",
            format!(
                "{clips}, {:.1} s: {}",
                design.clips_s,
                design.clips.join(", ")
            ),
        ),
        ("Transcode", design.recipe.clone()),
        ("Codec threads a job", design.codec_threads_told()),
        ("Frames", design.frames_recipe.clone()),
        ("A cpu job", format!("{} ms of one core", design.cpu_ms)),
        ("An io job", format!("a wait of {} ms", design.io_ms)),
    ];
    let mut facts = Vec::from(facts);
    if let Some(python) = &results.python {
        facts.push(("Python", python.version.clone()));
    }
    if let Some(share) = results.noise.others_share {
        facts.push((
            "Used by others",
            format!("{:.1} % of the cores", 100.0 * share),
        ));
    }
    facts
}
