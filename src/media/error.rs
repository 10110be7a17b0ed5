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
        Err(Error::out_of_memory(&format!("allocate {what}")))
    } else {
        Ok(pointer)
    }
}

/// "failed to `what`", with libav's words as the cause.
pub fn failed(what: &str, error: ffmpeg::Error) -> Error {
    match error {
        ffmpeg::Error::Exit => Error::interrupted(),
        ffmpeg::Error::Other {
            errno: ffmpeg::error::ENOMEM,
        } => Error::out_of_memory(what),
        error => Error::failed(format!("failed to {what}")).because(error),
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn memory_that_runs_out_is_no_damage_of_the_source() {
        for code in [ffmpeg::error::ENOMEM, ffmpeg::error::EINVAL] {
            let error = failed("read on", ffmpeg::Error::Other { errno: code });
            assert_eq!(error.is_no_damage(), code == ffmpeg::error::ENOMEM);
            assert!(
                error.report().contains("failed to read on"),
                "{}",
                error.report()
            );
        }
        assert!(
            non_null(ptr::null_mut::<u8>(), "a frame")
                .unwrap_err()
                .is_no_damage()
        );
    }
}
