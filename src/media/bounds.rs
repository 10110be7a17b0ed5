//! What this process takes of any media: set once, before any is opened, as
//! libav's log is.

use std::sync::{PoisonError, RwLock};

use crate::job::Limits;

static LIMITS: RwLock<Option<Limits>> = RwLock::new(None);

/// From now on, no media is taken that goes beyond `limits`.
pub fn set(limits: Limits) {
    *LIMITS.write().unwrap_or_else(PoisonError::into_inner) = Some(limits);
}

/// What is taken.
pub fn get() -> Limits {
    let limits = *LIMITS.read().unwrap_or_else(PoisonError::into_inner);
    limits.unwrap_or_default()
}
