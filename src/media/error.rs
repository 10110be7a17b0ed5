//! libav's return codes as errors, and its two signals that are none.

use ffmpeg_next as ffmpeg;

use crate::error::{Error, Result};

/// What a codec or filter answered when asked for output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poll {
    /// Output was given.
    Ready,
    /// It wants more input first (`EAGAIN`).
    NeedInput,
    /// It is drained (`AVERROR_EOF`).
    End,
}

/// Tells output, "again" and "end" apart; anything else is an error that `what` failed.
pub fn poll(result: Result<(), ffmpeg::Error>, what: &str) -> Result<Poll> {
    match result {
        Ok(()) => Ok(Poll::Ready),
        Err(ffmpeg::Error::Other {
            errno: ffmpeg::error::EAGAIN,
        }) => Ok(Poll::NeedInput),
        Err(ffmpeg::Error::Eof) => Ok(Poll::End),
        Err(error) => Err(failed(what, error)),
    }
}

/// A libav return code: the number where it is not negative.
pub fn check(code: i32, what: &str) -> Result<i32> {
    if code >= 0 {
        Ok(code)
    } else {
        Err(failed(what, ffmpeg::Error::from(code)))
    }
}

/// An allocation by libav: refuses null.
pub fn non_null<T>(pointer: *mut T, what: &str) -> Result<*mut T> {
    if pointer.is_null() {
        Err(Error::failed(format!("out of memory for {what}")))
    } else {
        Ok(pointer)
    }
}

/// "failed to `what`", with libav's words as the cause.
pub fn failed(what: &str, error: ffmpeg::Error) -> Error {
    match error {
        ffmpeg::Error::Exit => Error::interrupted(),
        error => Error::failed(format!("failed to {what}")).because(error),
    }
}
