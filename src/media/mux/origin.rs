//! Where a stream of a result comes from.

use ffmpeg_next::{Rational, ffi};

use crate::error::{Error, Result};
use crate::media::Input;

/// A stream of the source, from which one of the result descends.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    input: &'a Input,
    stream: usize,
}

impl<'a> Origin<'a> {
    /// Stream `stream` of `input`.
    ///
    /// # Errors
    /// Where there is none: a source can change after it was probed.
    pub fn of(input: &'a Input, stream: usize) -> Result<Self> {
        if stream < input.context().nb_streams() as usize {
            Ok(Self { input, stream })
        } else {
            Err(Error::failed(format!(
                "there is no stream {stream} any more"
            )))
        }
    }

    /// The stream's ticks.
    pub(super) fn time_base(&self) -> Rational {
        self.input.time_base(self.stream)
    }

    /// The stream as libav has it.
    pub(in crate::media) fn raw(&self) -> *const ffi::AVStream {
        // SAFETY: `of` held the number against the context's.
        unsafe { *(*self.input.context().as_ptr()).streams.add(self.stream) }
    }

    /// The attached picture; empty where there is none.
    pub(in crate::media) fn picture(&self) -> &'a [u8] {
        // SAFETY: a stream's attached picture lives as long as the input.
        unsafe {
            let packet = &(*self.raw()).attached_pic;
            if packet.data.is_null() {
                &[]
            } else {
                std::slice::from_raw_parts(packet.data, packet.size.max(0) as usize)
            }
        }
    }
}
