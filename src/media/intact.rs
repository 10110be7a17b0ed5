//! Whether all of a file decodes.

use std::path::Path;

use super::Input;
use super::decode::Decoder;
use super::hash::picture_format;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// Decodes all video and sound of the file at `path`; in words what is damaged, if anything is.
///
/// # Errors
/// Where it cannot be opened as media, or the work was cancelled.
pub fn damage(path: &Path, cancel: &Cancel) -> Result<Option<String>> {
    let mut input = Input::open(path, picture_format(path), cancel)?;
    let info = super::probe::describe(&input);
    let streams = info.streams.iter();
    let decodable = streams
        .filter(|stream| (stream.is_video() || stream.is_audio()) && stream.decodable)
        .map(|stream| stream.index);
    let mut decoders = decodable
        .map(|stream| Ok((stream, Decoder::open(&input, stream, 1)?)))
        .collect::<Result<Vec<_>>>()?;
    let mut frames = 0_u64;
    let mut count = |_, _| {
        frames += 1;
        Ok(())
    };
    while let Some(packet) = input.read()? {
        if cancel.is_set() {
            return Err(Error::interrupted());
        }
        let decoder = decoders
            .iter_mut()
            .find(|(stream, _)| *stream == packet.stream());
        if let Some((_, decoder)) = decoder {
            decoder.decode(Some(packet), &mut count)?;
        }
    }
    for (_, decoder) in &mut decoders {
        decoder.decode(None, &mut count)?;
    }
    let packets: u64 = decoders.iter().map(|(_, decoder)| decoder.damaged()).sum();
    let structure = input.damage();
    Ok(if frames == 0 && !decoders.is_empty() {
        Some("nothing in it decodes".to_owned())
    } else if packets > 0 {
        Some(format!("{packets} of its packets do not decode"))
    } else if structure.missing > 0 {
        Some(format!("{} bytes are missing", structure.missing))
    } else if structure.places > 0 {
        Some(format!("its structure is broken at byte {}", structure.at))
    } else {
        None
    })
}
