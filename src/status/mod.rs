//! What has become of results since they were put in place.

mod checker;
mod finding;

pub use checker::Checker;
pub use finding::{Event, Finding, State, Totals};
