//! What a run costs and what it runs on.

pub mod machine;
mod memory;
mod usage;

pub use usage::{Usage, run_measured};
