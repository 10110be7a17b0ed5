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
    let cli = Cli::parse();
    let cancel = Cancel::new();
    let watched = match cli.watches_signals() {
        true => rushes::signals::watch(&cancel),
        false => Ok(()),
    };
    let ran = watched.and_then(|()| cli.run(&cancel));
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
