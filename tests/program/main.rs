//! Behaviour, shown through the real program: one test program, so that it is
//! linked once and its tests share the machine evenly.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "these are tests"
)]

#[macro_use]
mod common;

mod bad_input;
mod bench_compare;
mod bench_import;
mod bench_profile;
mod bench_report;
mod bench_run;
mod bench_told;
mod cancel;
mod convert;
mod deinterlace;
mod docs;
mod encoders;
mod engines_agree;
mod equal_work;
mod faults;
mod few_threads;
mod frames;
mod fuzz;
mod gaps;
mod hard_inputs;
mod harm;
mod hdr;
mod hostile;
mod inventory;
mod late_streams;
mod limits;
mod mixed_versions;
mod names;
mod nothing_lost;
mod odd_sources;
mod pace;
mod parts;
mod pipes;
mod plays;
mod resume;
mod safety;
mod scan;
mod shell;
mod slideshow;
mod slideshow_faults;
mod slideshow_formats;
mod status;
mod transparent;
mod two_runs;
mod watch;
mod workers;
