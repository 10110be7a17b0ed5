//! Whether an earlier run can be gone on with: what was measured there and
//! what is to come must be the same thing.

use super::matrix::Matrix;
use super::results::{Encoder, Results};
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

fn differences(before: &Results, matrix: &Matrix) -> Result<Vec<String>> {
    let (design, options) = (&before.design, matrix.options());
    let now = matrix.design(0, matrix.clip_facts()?);
    let (machine, ffmpeg) = (machine::machine(), machine::ffmpeg());
    let names = |names: Vec<&str>| names.join(",");
    let counts = |counts: &[usize]| {
        let counts: Vec<String> = counts.iter().map(usize::to_string).collect();
        counts.join(",")
    };
    let clips = |clips: &[super::results::Clip]| {
        let clips: Vec<String> = clips
            .iter()
            .map(|c| format!("{} {}", c.name, c.hash))
            .collect();
        clips.join(", ")
    };
    let python = |has: bool| if has { "with" } else { "without" }.to_owned();
    let facts = [
        (
            "--work",
            names(design.works.iter().map(|work| work.name()).collect()),
            names(options.works.iter().map(|work| work.name()).collect()),
        ),
        (
            "--dispatch",
            names(design.dispatches.iter().map(|how| how.name()).collect()),
            names(options.dispatches.iter().map(|how| how.name()).collect()),
        ),
        (
            "--workers",
            counts(&design.workers),
            counts(&options.workers),
        ),
        (
            "--codec-threads",
            design.codec_threads.to_string(),
            options.codec_threads.to_string(),
        ),
        (
            "--cpu",
            format!("{} ms", design.cpu_ms),
            format!("{} ms", options.cpu_ms),
        ),
        (
            "--io",
            format!("{} ms", design.io_ms),
            format!("{} ms", options.io_ms),
        ),
        (
            "the encoding",
            design.transcode_settings(),
            now.transcode_settings(),
        ),
        ("--every", design.frames_settings(), now.frames_settings()),
        (
            "--python",
            python(before.python.is_some()),
            python(options.python.is_some()),
        ),
        (
            "the clips",
            clips(&design.clip_facts),
            clips(&now.clip_facts),
        ),
        ("the host", before.machine.host.clone(), machine.host),
        ("the processor", before.machine.cpu.clone(), machine.cpu),
        (
            "the cores",
            before.machine.cores.to_string(),
            machine.cores.to_string(),
        ),
        ("the system", before.machine.os.clone(), machine.os),
        ("linked FFmpeg", before.ffmpeg.linked.clone(), ffmpeg.linked),
        (
            "the ffmpeg program",
            before.ffmpeg.program.clone().unwrap_or_default(),
            ffmpeg.program.unwrap_or_default(),
        ),
        (
            "rushes",
            before.rushes.clone(),
            env!("CARGO_PKG_VERSION").into(),
        ),
    ];
    let differing = facts.into_iter().filter(|(_, then, now)| then != now);
    Ok(differing
        .map(|(what, then, now)| format!("{what}: then {then}, now {now}"))
        .collect())
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
