//! Where a stream of a result comes from.

use crate::error::{Error, Result};
use crate::media::Input;
use crate::media::stream::Stream;

/// A stream of the source, from which one of the result descends.
#[derive(Clone, Copy)]
pub struct Origin<'a>(Stream<'a>);

impl<'a> Origin<'a> {
    /// Stream `stream` of `input`.
    ///
    /// # Errors
    /// Where there is none: a source can change after it was probed.
    pub fn of(input: &'a Input, stream: usize) -> Result<Self> {
        let found = input.stream(stream).map(Self);
        found.ok_or_else(|| Error::failed(format!("there is no stream {stream} any more")))
    }

    /// The stream.
    pub(in crate::media) fn stream(&self) -> Stream<'a> {
        self.0
    }
}
