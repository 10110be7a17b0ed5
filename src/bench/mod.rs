//! Threads against processes: a matrix of cells, measured, compared and told.

#[cfg(test)]
pub(crate) mod fixture;
pub mod results;
