//! What a run costs and what it runs on.

pub mod machine;
mod memory;
mod others;
mod usage;

pub use memory::busiest_child;
pub use usage::{Kernel, Usage, run_measured};
