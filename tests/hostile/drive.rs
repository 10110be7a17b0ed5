//! The program, without workers that stand by: all of its workers are liars.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use rushes::cli::{Cli, Ending, exit_code};
use rushes::dispatch::Cancel;

/// Runs a command in the folder `place`, and leaves there how much memory it took at most.
pub fn run(place: &Path, command: &[&str]) -> ExitCode {
    if std::env::set_current_dir(place).is_err() {
        return ExitCode::from(99);
    }
    let cancel = Cancel::new();
    let cli = Cli::parse_from(["rushes"].iter().chain(command));
    let ended = cli.run(&cancel);
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM:"));
    if fs::write("peak", peak.unwrap_or_default()).is_err() {
        return ExitCode::from(99);
    }
    match ended {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::SomeFailed) => ExitCode::from(1),
        Err(error) => {
            eprintln!("rushes: {}", error.report());
            ExitCode::from(exit_code(&error, &cancel))
        }
    }
}
