//! Whether an earlier run can be gone on with: what was measured there and
//! what is to come must be the same thing.

use super::matrix::Matrix;
use super::results::{Design, Encoder, Results};
use crate::error::{Error, Result};
use crate::measure::machine;

/// Checks that `matrix` on this machine is what `before` was measured with.
///
/// # Errors
/// Names all that differs.
pub fn check(before: &Results, matrix: &Matrix) -> Result<()> {
    refuse(&differences(before, matrix)?)
}

/// Checks that the encoders are those of before, as far as they are known:
/// some tell of themselves only in what they made.
///
/// # Errors
/// Names those that differ.
pub fn check_encoders(before: &[Encoder], now: &[Encoder]) -> Result<()> {
    let other = |then: &Encoder| {
        let now = now.iter().find(|now| now.name == then.name)?;
        let (name, then, now) = (&then.name, then.told(), now.told());
        (then != now).then(|| format!("encoder {name}: then {then}, now {now}"))
    };
    refuse(&before.iter().filter_map(other).collect::<Vec<_>>())
}

fn refuse(differs: &[String]) -> Result<()> {
    if differs.is_empty() {
        return Ok(());
    }
    Err(Error::usage("--resume: the stopped run was another one")
        .because(differs.join("; "))
        .cure("repeat its command with --resume added, or start anew without --resume"))
}

/// What it is, what it was then, and what it is now.
type Fact = (&'static str, String, String);

fn differences(before: &Results, matrix: &Matrix) -> Result<Vec<String>> {
    let (then, now) = (&before.design, matrix.design(0, matrix.clip_facts()?));
    let asked = ASKED.iter().map(|(what, of)| (*what, of(then), of(&now)));
    let has = |python: bool| if python { "with" } else { "without" }.to_owned();
    let others: [Fact; 2] = [
        (
            "--python",
            has(before.python.is_some()),
            has(matrix.options().python.is_some()),
        ),
        ("the clips", clips(then), clips(&now)),
    ];
    let facts = asked.chain(others).chain(surroundings(before));
    let differing = facts.filter(|(_, then, now)| then != now);
    Ok(differing
        .map(|(what, then, now)| format!("{what}: then {then}, now {now}"))
        .collect())
}

/// A flag, and how a design tells what it says.
type Flag = (&'static str, fn(&Design) -> String);

/// What flags say.
const ASKED: [Flag; 8] = [
    ("--work", |design| {
        list(&design.works, |work| work.name().into())
    }),
    ("--dispatch", |design| {
        list(&design.dispatches, |how| how.name().into())
    }),
    ("--workers", |design| {
        list(&design.workers, usize::to_string)
    }),
    ("--codec-threads", Design::codec_threads_told),
    ("--cpu", |design| format!("{} ms", design.cpu_ms)),
    ("--io", |design| format!("{} ms", design.io_ms)),
    ("the encoding", Design::transcode_settings),
    ("--every", Design::frames_settings),
];

fn list<T>(values: &[T], told: fn(&T) -> String) -> String {
    let told: Vec<String> = values.iter().map(told).collect();
    told.join(",")
}

fn clips(design: &Design) -> String {
    let clips = design.clip_facts.iter();
    let clips: Vec<String> = clips.map(|c| format!("{} {}", c.name, c.hash)).collect();
    clips.join(", ")
}

/// The machine and the programs.
fn surroundings(before: &Results) -> [Fact; 7] {
    let (then, now) = (before.machine.clone(), machine::machine());
    let (used, found) = (before.ffmpeg.clone(), machine::ffmpeg());
    [
        ("the host", then.host, now.host),
        ("the processor", then.cpu, now.cpu),
        ("the cores", then.cores.to_string(), now.cores.to_string()),
        ("the system", then.os, now.os),
        ("linked FFmpeg", used.linked, found.linked),
        (
            "the ffmpeg program",
            used.program.unwrap_or_default(),
            found.program.unwrap_or_default(),
        ),
        (
            "rushes",
            before.rushes.clone(),
            env!("CARGO_PKG_VERSION").into(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_of_another_version_is_named() {
        let of = |version: &str| Encoder {
            name: "libx264".into(),
            linked: Some(version.into()),
            program: None,
        };
        assert!(check_encoders(&[of("core 164")], &[of("core 164")]).is_ok());
        assert!(check_encoders(&[], &[of("core 164")]).is_ok());
        let error = check_encoders(&[of("core 155")], &[of("core 164")]).unwrap_err();
        let told = error.report();
        assert!(
            told.contains("libx264: then core 155, now core 164"),
            "{told}"
        );
    }
}
