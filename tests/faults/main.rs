//! System calls of rushes fail, one in each run: files under final names are whole, sources
//! are safe, the exit code is honest, and the next run completes the work.
//!
//! `scripts/faults` builds and starts this.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]
#![allow(missing_docs, reason = "a test program")]

mod calls;
mod frames;
mod options;
mod plan;
mod registers;
mod scene;
mod site;
mod snapshot;
mod subject;
mod sweep;
mod table;
mod tree;
mod trial;
mod verdict;
mod watchdog;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use options::Options;
use scene::Stock;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some((tree::SHIM, rest)) = arguments
        .split_first()
        .map(|(first, rest)| (&first[..], rest))
    {
        return tree::shim(rest);
    }
    let options = match Options::parse(arguments.into_iter()) {
        Ok(options) => options,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether no violation was found.
fn run(options: &Options) -> io::Result<bool> {
    let began = Instant::now();
    // In memory, where it can be: `fsync` of a disk would take most of the time.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = tempfile::Builder::new()
        .prefix("rushes-faults-")
        .tempdir_in(place)?;
    let rushes = std::env::var_os("RUSHES").unwrap_or(env!("CARGO_BIN_EXE_rushes").into());
    let stock = Stock {
        rushes: rushes.into(),
        own: std::env::current_exe()?,
        alloc: folder.path().join("alloc.so"),
        folder: folder.path().to_owned(),
        late: options.late,
    };
    stock.make()?;
    let table = sweep::run(&stock, options)?;
    if options.list {
        return Ok(true);
    }
    table.print();
    let (injected, wrong) = (table.injected(), table.wrong());
    let seconds = began.elapsed().as_secs();
    println!(
        "{injected} faults in {seconds} s, {wrong} violations, seed {}",
        options.seed
    );
    Ok(wrong == 0)
}
