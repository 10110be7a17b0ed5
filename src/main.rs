//! The `rushes` program: parse, run, exit code.

#![warn(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use clap::Parser;
use rushes::cli::{Cli, Ending, exit_code};
use rushes::dispatch::Cancel;
use rushes::say;
use rushes::say::all_told;

fn main() -> ExitCode {
    // Before there is any other thread.
    rushes::priority::stay_usual();
    rushes::media::silence_encoders();
    let cancel = Cancel::new();
    let ran = Cli::parse().begin().and_then(|cli| {
        if cli.watches_signals() {
            rushes::signals::watch(&cancel)?;
        }
        cli.run(&cancel)
    });
    let result = ran.and_then(|ending| all_told().map(|()| ending));
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::SomeFailed) => ExitCode::from(1),
        Err(error) => {
            say!("rushes: {}", error.report());
            ExitCode::from(exit_code(&error, &cancel))
        }
    }
}
