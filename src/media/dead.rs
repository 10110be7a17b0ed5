//! Streams that claim to hold pictures of which none can be decoded.

use std::cell::Cell;

use super::Input;
use super::decode::Decoder;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::MediaJob;
use crate::recipe::Way;

/// The streams of a job's source that it encodes as video, and of which no picture can be decoded.
///
/// # Errors
/// Where the source cannot be opened, or the search was cancelled.
pub fn dead_streams(job: &MediaJob, cancel: &Cancel) -> Result<Vec<usize>> {
    let tracks = job
        .pipeline
        .products
        .iter()
        .flat_map(|product| &product.tracks);
    let encoded = tracks.filter(|track| matches!(track.way, Way::Video(_)));
    let mut streams: Vec<usize> = encoded.map(|track| track.stream).collect();
    streams.sort_unstable();
    streams.dedup();
    let mut dead = Vec::new();
    for stream in streams {
        if !has_picture(job, stream, cancel)? {
            dead.push(stream);
        }
    }
    Ok(dead)
}

fn has_picture(job: &MediaJob, stream: usize, cancel: &Cancel) -> Result<bool> {
    let mut input = Input::open(&job.source, Some(&job.pipeline.input_format), cancel)?;
    input.select(&[stream]);
    let mut decoder = Decoder::open(&input, stream, 1)?;
    let found = Cell::new(false);
    let mut take = |_, _| {
        found.set(true);
        Ok(())
    };
    loop {
        let packet = match input.read() {
            Ok(packet) => packet,
            Err(error) if error.is_no_damage() => return Err(error),
            // What cannot be read on ends here.
            Err(_) => None,
        };
        let last = packet.is_none();
        if packet
            .as_ref()
            .is_none_or(|packet| packet.stream() == stream)
        {
            decoder.decode(packet, &mut take)?;
        }
        if cancel.is_set() {
            return Err(Error::interrupted());
        }
        if last || found.get() {
            return Ok(found.get());
        }
    }
}
