//! Where packets of a product go: a file, or a folder of pictures.

use std::path::{Path, PathBuf};

use ffmpeg_next::Packet;

use super::mux::payload;
use super::{Input, Muxer, files};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::recipe::{Product, Sink};

/// One product being written.
pub(super) enum Output {
    /// Streams of a file.
    File(Muxer),
    /// Files of their own, numbered from 1.
    Pictures {
        folder: PathBuf,
        extension: String,
        written: u64,
        bytes: u64,
    },
}

impl Output {
    /// Begins `product` at `target`: a new file, or an existing empty folder.
    pub(super) fn open(
        input: &Input,
        product: &Product,
        target: &Path,
        cancel: &Cancel,
    ) -> Result<Self> {
        match &product.sink {
            Sink::File { muxer, options } => {
                let mut muxer =
                    Muxer::create(target, muxer, options, product.tracks.len(), cancel)?;
                muxer.copy_metadata(input)?;
                Ok(Self::File(muxer))
            }
            Sink::Pictures { extension } => Ok(Self::Pictures {
                folder: target.to_owned(),
                extension: extension.clone(),
                written: 0,
                bytes: 0,
            }),
        }
    }

    /// Whether encoders must keep their headers out of the packets.
    pub(super) fn wants_global_header(&self) -> bool {
        match self {
            Self::File(muxer) => muxer.wants_global_header(),
            Self::Pictures { .. } => false,
        }
    }

    /// Describes a stream of a file; pictures have none.
    pub(super) fn describe(
        &mut self,
        describe: impl FnOnce(&mut Muxer) -> Result<()>,
    ) -> Result<()> {
        match self {
            Self::File(muxer) => describe(muxer),
            Self::Pictures { .. } => Ok(()),
        }
    }

    /// Writes a packet of stream `index`.
    pub(super) fn write(&mut self, index: usize, packet: Packet) -> Result<()> {
        match self {
            Self::File(muxer) => muxer.write(index, packet),
            Self::Pictures {
                folder,
                extension,
                written,
                bytes,
            } => {
                *written += 1;
                let path = folder.join(Sink::picture_name(*written, extension));
                *bytes += packet.size() as u64;
                files::write(&path, payload(&packet)).map_err(|error| {
                    Error::failed(format!("cannot write '{}'", path.display())).because(error)
                })
            }
        }
    }

    /// Bytes handed over so far.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::File(muxer) => muxer.bytes(),
            Self::Pictures { bytes, .. } => *bytes,
        }
    }

    /// Writes what remains.
    pub(super) fn finish(self) -> Result<()> {
        match self {
            Self::File(muxer) => muxer.finish(),
            Self::Pictures { .. } => Ok(()),
        }
    }
}
