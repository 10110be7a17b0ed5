//! A worker that a hostile video has taken over: every system call that it could try, and lies
//! in place of answers. Nothing outside its job is reached, and the program stays whole.
//!
//! `scripts/hostile-worker` builds and starts this.
#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "a test program")]

#[cfg(target_arch = "x86_64")]
mod attempts;
#[cfg(target_arch = "x86_64")]
mod calls;
mod drive;
mod liar;
mod lies;
mod stage;

use std::io;
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
usage: scripts/hostile-worker [calls | lies] [OPTIONS]

calls    tries system calls in the sandbox of a worker, and holds the answers against
         the table in docs/worker.md
lies     changes what workers answer at random, and looks at what the program does

  --count N   lies (default: 300)
  --seed N    other lies (default: 1)
  --write     write the table of calls into docs/worker.md";

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let own = arguments.next().unwrap_or_default();
    let arguments: Vec<String> = arguments.collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match (Path::new(&own).file_name(), words.as_slice()) {
        (Some(name), [_, "run", ..]) if name == "rushes-child" => liar::run(),
        (_, ["drive", place, rest @ ..]) => return drive::run(Path::new(place), rest),
        #[cfg(target_arch = "x86_64")]
        (_, ["attempt", place, victim]) => calls::attempt(Path::new(place), victim),
        _ => test(&words),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all is as it is to be.
fn test(words: &[&str]) -> io::Result<bool> {
    let (mut calls, mut lies, mut write) = (true, true, false);
    let (mut count, mut seed) = (300, 1);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || {
            let number = words.next().and_then(|word| word.parse().ok());
            number.ok_or_else(|| io::Error::other(format!("{word} needs a number")))
        };
        match *word {
            "calls" => lies = false,
            "lies" => calls = false,
            "--count" => count = number()?,
            "--seed" => seed = number()?,
            "--write" => write = true,
            _ => return Err(io::Error::other(HELP)),
        }
    }
    #[cfg(target_arch = "x86_64")]
    let calls = !calls || calls::test(write)?;
    #[cfg(not(target_arch = "x86_64"))]
    let calls = {
        println!("calls (tried: {calls}, --write: {write}): the table is one of x86_64");
        true
    };
    let lies = !lies || stage::test(count, seed)?;
    Ok(calls && lies)
}
