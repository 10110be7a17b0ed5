//! Threads against processes: a matrix of cells, measured, compared and told.
//!
//! [`matrix`] says what is measured, [`run`] measures each [`cell`] at its [`turn`] in a
//! fresh process, [`summary`] draws conclusions, [`export`] writes them down.
//! [`versus`] sets two such runs beside each other.

pub mod ahead;
pub mod best;
mod budget;
pub mod cell;
pub mod compare;
pub mod costs;
pub mod encoders;
pub mod equal;
pub mod export;
pub mod export_csv;
pub mod facts;
pub mod fit;
#[cfg(test)]
pub(crate) mod fixture;
mod jobs;
pub mod load;
pub mod matrix;
pub mod noise;
pub mod original;
pub mod profile;
pub mod python;
pub mod results;
pub mod resume;
pub mod run;
pub mod sentence;
pub mod startup;
pub mod stats;
mod stopping;
pub mod summary;
pub mod turn;
pub mod verdict;
pub mod versus;
mod warm_up;
