//! `rushes`: folders of video in, what people need out, and the numbers that
//! show which way of running the work is best.
//!
//! The modules in the order in which a job passes through them:
//! folder → plan → dispatch → outcome → statistics → charts → film.

#![warn(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "`println!` panics where nobody reads: `out!` and `say!` are for that"
)]

pub mod cli;

pub mod error;

pub mod document;

pub mod terminal;

pub mod say;

pub mod signals;

pub mod priority;

pub mod values;

pub mod threads;

pub mod plan;

pub mod samples;

pub mod recipe;

pub mod job;

pub mod dispatch;

pub mod delivery;

pub mod journal;

pub mod status;

pub mod engine;

#[allow(
    unsafe_code,
    reason = "libav is C: this is the one room that talks to it"
)]
pub mod media;

pub mod report;

pub mod measure;

pub mod bench;

pub mod draw;

pub mod chart;

pub mod film;

pub use error::{Error, Result};
