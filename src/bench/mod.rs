//! Threads against processes: a matrix of cells, measured, compared and told.
//!
//! [`matrix`] says what is measured, [`run`] measures each [`cell`] in a fresh
//! process, [`summary`] draws conclusions, [`export`] writes them down.

pub mod cell;
pub mod compare;
pub mod equal;
pub mod export;
pub mod export_csv;
pub mod fit;
#[cfg(test)]
pub(crate) mod fixture;
pub mod load;
pub mod matrix;
pub mod original;
pub mod results;
pub mod run;
pub mod startup;
pub mod stats;
pub mod summary;
pub mod verdict;
