//! One reference load in a process of its own: `rushes-load cpu ITERATIONS` or
//! `rushes-load io MILLISECONDS`. It links no libav, so that starting it costs
//! what starting a small process costs.

use std::process::ExitCode;
use std::time::Duration;

#[path = "../engine/reference.rs"]
mod reference;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, amount] = arguments.as_slice() else {
        return usage();
    };
    let Ok(amount) = amount.parse::<u64>() else {
        return usage();
    };
    match kind.as_str() {
        "cpu" => reference::compute(amount, || true),
        "io" => reference::wait(Duration::from_millis(amount), || true),
        _ => return usage(),
    };
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("usage: rushes-load cpu ITERATIONS | io MILLISECONDS");
    ExitCode::from(2)
}
