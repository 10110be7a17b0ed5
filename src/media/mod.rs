//! The only room that talks to libav, and the only one with `unsafe`, but for the one call of
//! `inherited::close`.
//!
//! Everything here works on one thread at a time: a context is made, used and
//! dropped by the thread that runs its job. libav itself is thread-safe
//! between contexts; what it holds globally (the log) is set once in [`init`].

mod amr;
pub mod bounds;
mod chain;
mod clock;
mod colours;
mod compare;
mod compat;
mod copy;
mod dead;
mod decode;
mod details;
mod encode;
mod encoder_version;
mod error;
mod events;
mod file_io;
pub mod files;
mod filter;
pub(crate) mod fork;
mod frame;
pub(crate) mod fstat;
mod glance;
pub mod hash;
pub mod heap;
pub(crate) mod inherited;
mod input;
pub mod intact;
mod jumps;
mod last_shown;
mod light;
pub mod log;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]
mod memory_tests;
mod mux;
mod number;
mod opened;
mod options;
pub mod outline;
mod parts;
mod photo;
pub mod pictures;
mod planes;
mod probe;
pub mod pulse;
mod run;
mod side_data;
mod sound;
mod sound_offer;
mod ssim;
mod stream;
pub mod structure;
mod subtitle;
pub mod survey;
mod synth;
mod track;
mod transparency;
pub mod verify;
mod version;
mod window;

use std::sync::Once;

/// A decoded or drawn picture, or a stretch of sound.
pub use ffmpeg_next::Frame;

pub use compare::difference;
pub use compat::{matroska_takes_rotation, mov_takes_projections};
pub use dead::dead_streams;
pub use encode::{Encoded, Encoder, Setup, VideoTiming, try_video_encoder};
pub use encoder_version::encoder_version;
pub use filter::Graph;
pub use frame::{Picture, still};
pub use input::{Input, LONG_LOOK, clock_may_jump, is_playlist};
pub use mux::{Chapter, Muxer, Origin};
pub use photo::{Photo, ground, on_backdrop, veil};
pub use planes::Veil;
pub use probe::{cover, probe};
pub use run::run;
pub use sound::Sound;
pub use sound_offer::{
    SampleFormat, SoundOffer, encoder_takes_layout, layout_mask, layout_of, sound_offer,
    usual_layout,
};
pub use ssim::likeness;
pub use synth::{SyntheticClip, synthesise};
pub use version::{
    chroma_shifts, codec_of_encoder, configuration, encoder_has_option, encoder_pixel_formats,
    has_alpha, has_decoder, has_encoder, has_filter, is_rgb, linked_version, muxer_holds,
    nearest_pixel_format, pixel_depth,
};
pub use window::{Stage, Window};

impl From<ffmpeg_next::Rational> for crate::job::Ratio {
    fn from(ratio: ffmpeg_next::Rational) -> Self {
        Self::new(ratio.numerator(), ratio.denominator())
    }
}

impl From<crate::job::Ratio> for ffmpeg_next::Rational {
    fn from(ratio: crate::job::Ratio) -> Self {
        Self::new(ratio.num, ratio.den)
    }
}

/// Keeps encoders that write to stderr by themselves from doing so, here and in
/// children; to be called before any thread is started, and of no effect later.
pub fn silence_encoders() {
    if fork::has_one_thread() {
        // SAFETY: this thread is the only one, and so none reads the environment meanwhile.
        // SVT-AV1 tells of fatal errors alone then.
        unsafe { std::env::set_var("SVT_LOG", "0") };
    }
}

/// Sets up libav once for the whole process; called by whatever opens media.
pub fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without this, libav's own errors have no words.
        ffmpeg_next::error::register_all();
        log::install();
    });
}
