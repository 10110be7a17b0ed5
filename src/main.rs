//! The `rushes` program: parse, run, exit code.

use std::process::ExitCode;

use clap::Parser;
use rushes::cli::{Cli, Ending, exit_code};
use rushes::dispatch::Cancel;

fn main() -> ExitCode {
    // Before there is any other thread.
    rushes::priority::stay_usual();
    rushes::media::silence_encoders();
    let cancel = Cancel::new();
    let result = Cli::parse().begin().and_then(|cli| {
        if cli.watches_signals() {
            rushes::signals::watch(&cancel)?;
        }
        cli.run(&cancel)
    });
    match result {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::SomeFailed) => ExitCode::from(1),
        Err(error) => {
            eprintln!("rushes: {}", error.report());
            ExitCode::from(exit_code(&error, &cancel))
        }
    }
}
