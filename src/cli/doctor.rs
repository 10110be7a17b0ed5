//! `rushes doctor`.

use comfy_table::{Table, presets};

use super::Ending;
use crate::engine::{Program, sandbox};
use crate::error::Result;
use crate::job::Limits;
use crate::measure::machine;
use crate::media;
use crate::out;
use crate::report::words;
use crate::values;

/// Tell what this machine has, what is missing, and how to get it.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Encoders that recipes use or users ask for.
const ENCODERS: [&str; 10] = [
    "libx264",
    "libx265",
    "libsvtav1",
    "libvpx-vp9",
    "aac",
    "libopus",
    "libmp3lame",
    "mjpeg",
    "png",
    "libwebp",
];

impl Args {
    pub(super) fn run(self) -> Result<Ending> {
        let machine = machine::machine();
        let ffmpeg = machine::ffmpeg();
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.add_row([
            "machine".to_owned(),
            format!("{}, {}", machine.cpu, machine.os),
        ]);
        table.add_row(["cores".to_owned(), values::cores().to_string()]);
        table.add_row(["memory".to_owned(), words::bytes(machine.memory_bytes)]);
        table.add_row(["linked FFmpeg".to_owned(), ffmpeg.linked]);
        table.add_row([
            "ffmpeg program".to_owned(),
            ffmpeg.program.unwrap_or_else(|| "missing".into()),
        ]);
        let (there, missing): (Vec<_>, Vec<_>) =
            ENCODERS.iter().partition(|name| media::has_encoder(name));
        table.add_row(["encoders".to_owned(), join(&there)]);
        if !missing.is_empty() {
            table.add_row(["not linked".to_owned(), join(&missing)]);
        }
        table.add_row(["sandbox".to_owned(), sandbox_parts()]);
        out!("{table}");
        if let Some(missing) = sandbox::strength().missing() {
            out!("{missing}");
        }
        if let Err(error) = Program::find(Limits::default()) {
            out!("{}", error.report());
        } else if !ffmpeg.same_version {
            out!(
                "the ffmpeg program and the linked FFmpeg differ in version: --dispatch processes \
                 may give other frames, times or sizes than workers and threads"
            );
        }
        Ok(Ending::Done)
    }
}

/// What keeps processes that open media from all else.
fn sandbox_parts() -> String {
    let strength = sandbox::strength();
    let part = |there, name: &str| {
        if there {
            name.to_owned()
        } else {
            format!("no {name}")
        }
    };
    format!(
        "{}, {}",
        part(strength.files, "Landlock"),
        part(strength.calls, "seccomp")
    )
}

fn join(names: &[&&str]) -> String {
    names
        .iter()
        .map(|name| **name)
        .collect::<Vec<_>>()
        .join(", ")
}
