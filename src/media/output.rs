//! Where packets of a product go.

use std::path::Path;

use ffmpeg_next::Packet;

use super::{Input, Muxer};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::recipe::{Product, Sink};

/// One file being written.
pub(super) struct Output(Muxer);

impl Output {
    /// Begins `product` as the new file `target`.
    pub(super) fn open(
        input: &Input,
        product: &Product,
        target: &Path,
        cancel: &Cancel,
    ) -> Result<Self> {
        let Sink::File { muxer, options } = &product.sink else {
            return Err(Error::failed("pictures and files cannot be made together"));
        };
        let mut muxer = Muxer::create(target, muxer, options, product.tracks.len(), cancel)?;
        muxer.copy_metadata(input)?;
        Ok(Self(muxer))
    }

    /// Whether encoders must keep their headers out of the packets.
    pub(super) fn wants_global_header(&self) -> bool {
        self.0.wants_global_header()
    }

    /// Describes a stream.
    pub(super) fn describe(
        &mut self,
        describe: impl FnOnce(&mut Muxer) -> Result<()>,
    ) -> Result<()> {
        describe(&mut self.0)
    }

    /// Writes a packet of stream `index`.
    pub(super) fn write(&mut self, index: usize, packet: Packet) -> Result<()> {
        self.0.write(index, packet)
    }

    /// Bytes handed over so far.
    pub(super) fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// Writes what remains.
    pub(super) fn finish(self) -> Result<()> {
        self.0.finish()
    }
}
