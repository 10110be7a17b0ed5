//! Threads against processes: a matrix of cells, measured, compared and told.

pub mod compare;
pub mod fit;
pub mod results;
pub mod stats;
pub mod summary;
pub mod verdict;
