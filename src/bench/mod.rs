//! Threads against processes: a matrix of cells, measured, compared and told.
//!
//! [`matrix`] says what is measured, [`run`] measures each [`cell`] in a fresh
//! process, [`summary`] draws conclusions, [`export`] writes them down.

pub mod compare;
pub mod export_csv;
pub mod fit;
pub mod original;
pub mod results;
pub mod stats;
pub mod summary;
pub mod verdict;
