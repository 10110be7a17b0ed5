//! A glance at the first frames of a stream, for what only its pictures say.

use ffmpeg_next::Frame;

use super::Input;
use super::decode::Decoder;
use crate::error::Result;

/// How many packets are read at most.
const PACKETS: usize = 250;

/// Decodes `stream` from where `input` stands, and shows each frame to `see` until that
/// returns `false`, or enough packets are read.
///
/// # Errors
/// Where the file cannot be read, or the stream has no decoder.
pub(super) fn glance(
    input: &mut Input,
    stream: usize,
    mut see: impl FnMut(&Frame) -> bool,
) -> Result<()> {
    let mut decoder = Decoder::open(input, stream, 1)?;
    let mut goes_on = true;
    for _ in 0..PACKETS {
        let Some(packet) = input.read()? else { break };
        if packet.stream() != stream {
            continue;
        }
        decoder.decode(Some(packet), |frame, _| {
            goes_on = goes_on && see(&frame);
            Ok(())
        })?;
        if !goes_on {
            return Ok(());
        }
    }
    // A short stream may still be in the decoder.
    decoder.decode(None, |frame, _| {
        goes_on = goes_on && see(&frame);
        Ok(())
    })
}
