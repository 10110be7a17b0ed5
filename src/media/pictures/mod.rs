//! Pictures out of a video.
//!
//! Where times are given, the source is sought in, and stretches between key
//! frames are decoded side by side (`sought`); else, or where its packets do
//! not tell enough for that, it is decoded from the beginning on (`in_order`).
//! Scaling and encoding a picture is work of its own, which goes to idle threads
//! of the pool that the job runs on.

mod best;
mod chooser;
mod finish;
mod in_order;
mod packets;
mod seeker;
mod sought;
mod studio;

use std::path::Path;

pub use best::best_ms;
pub use finish::encode_rgba;

use crate::engine::{Ran, Watch};
use crate::error::Result;
use crate::job::MediaJob;
use crate::recipe::Choose;
use studio::Studio;

/// Takes the pictures of `job`, whose only product they are, into the empty folder `folder`.
///
/// # Errors
/// Where the source cannot be read or nothing in it can be decoded, where a
/// picture cannot be written, and where `watch` asks to stop.
pub(super) fn run(job: &MediaJob, folder: &Path, watch: &mut Watch) -> Result<Ran> {
    let studio = Studio::of(job, folder, watch)?;
    if let Choose::Times(times) = &studio.way.choose {
        if let Some(ran) = sought::run(&studio, times)? {
            return Ok(ran);
        }
        studio.start_again();
    }
    in_order::run(&studio)
}
