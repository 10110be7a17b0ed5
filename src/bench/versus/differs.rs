//! What was not the same in two runs.

use serde::{Deserialize, Serialize};

use crate::bench::results::{Encoder, Results};
use crate::report::words;

/// Something that was not the same in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// What it is.
    pub what: String,
    /// In the first run.
    pub a: String,
    /// In the second run.
    pub b: String,
}

/// Something that two runs may have in common, and how it is told.
type Fact = (&'static str, fn(&Results) -> String);

/// What of machine, versions and settings is not the same in `runs`.
pub(super) fn differs(runs: [&Results; 2]) -> Vec<Difference> {
    let facts: [Fact; 15] = [
        ("host", |r| r.machine.host.clone()),
        ("system", |r| r.machine.os.clone()),
        ("processor", |r| r.machine.cpu.clone()),
        ("cores", |r| r.machine.cores.to_string()),
        ("memory", |r| words::bytes(r.machine.memory_bytes)),
        ("governor", |r| {
            r.machine.governor.clone().unwrap_or_default()
        }),
        ("rushes", |r| r.rushes.clone()),
        ("linked FFmpeg", |r| r.ffmpeg.linked.clone()),
        ("ffmpeg program", |r| {
            r.ffmpeg.program.clone().unwrap_or_default()
        }),
        ("FFmpeg's configuration", |r| r.ffmpeg.configuration.clone()),
        ("clips", |r| clips(r).join(", ")),
        ("transcode", |r| r.design.transcode_settings()),
        ("frames", |r| r.design.frames_settings()),
        ("codec threads a job", |r| r.design.codec_threads_told()),
        ("a wait", |r| format!("{} ms", r.design.io_ms)),
    ];
    let differing = |(what, of): &Fact| {
        let [a, b] = runs.map(of);
        (a != b).then(|| Difference {
            what: (*what).to_owned(),
            a: or_unknown(a),
            b: or_unknown(b),
        })
    };
    let mut differs: Vec<Difference> = facts.iter().filter_map(differing).collect();
    differs.extend(encoders(runs));
    differs
}

/// Encoders that both used, in another version; one that only one of them
/// used shows in the settings.
fn encoders(runs: [&Results; 2]) -> Vec<Difference> {
    let [of_a, of_b] = runs.map(|results| results.ffmpeg.encoders.clone());
    let differing = |a: &Encoder| {
        let b = of_b.iter().find(|b| b.name == a.name)?;
        (a.told() != b.told()).then(|| Difference {
            what: format!("encoder {}", a.name),
            a: a.told(),
            b: b.told(),
        })
    };
    of_a.iter().filter_map(differing).collect()
}

fn or_unknown(text: String) -> String {
    match text.is_empty() {
        true => "not known".into(),
        false => text,
    }
}

/// The clips by what they hold, or by name where that is not known.
pub(super) fn clips(results: &Results) -> Vec<String> {
    let design = &results.design;
    match design.clip_facts.is_empty() {
        true => design.clips.clone(),
        false => {
            let facts = design.clip_facts.iter();
            facts
                .map(|clip| format!("{} ({})", clip.name, clip.hash))
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;

    #[test]
    fn an_encoder_of_another_version_is_told_and_one_not_known_is_no_guess() {
        let run = fixture::two_cores();
        let mut other = run.clone();
        other.ffmpeg.encoders[0].linked = Some("core 155 r2917 0a84d98".into());
        other.ffmpeg.encoders[0].program = other.ffmpeg.encoders[0].linked.clone();
        let found = differs([&run, &other]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].what, "encoder libx264");
        assert_eq!(
            (found[0].a.as_str(), found[0].b.as_str()),
            ("core 164 r3095 baee400", "core 155 r2917 0a84d98")
        );
        // Results of before versions were looked for name no encoders.
        other.ffmpeg.encoders.clear();
        assert_eq!(differs([&run, &other]), []);
    }
}
