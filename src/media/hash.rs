//! The oracle: what a file decodes to, frame by frame.

use std::path::Path;

use ffmpeg::ffi;
use ffmpeg_next as ffmpeg;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::Input;
use super::decode::Decoder;
use super::error::check;
use super::filter::rescale;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// What a file decodes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Every frame of the first video stream, in order.
    pub frames: Vec<FrameHash>,
    /// Samples a channel of every audio stream, in stream order.
    pub audio_samples: Vec<u64>,
    /// Packets that could not be decoded.
    pub damaged: u64,
}

/// One decoded frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameHash {
    /// Presentation time in microseconds from the file's beginning.
    pub time_us: i64,
    /// XXH3 over the visible pixels of all planes.
    pub pixels: u64,
}

impl Content {
    /// Index of the first frame in which the two differ, where they do.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        let common = self
            .frames
            .iter()
            .zip(&other.frames)
            .position(|(a, b)| a != b);
        common.or((self.frames.len() != other.frames.len())
            .then(|| self.frames.len().min(other.frames.len())))
    }
}

/// Decodes all of `path`.
///
/// # Errors
/// Where it cannot be opened as media.
pub fn content(path: &Path, cancel: &Cancel) -> Result<Content> {
    let mut input = Input::open(path, picture_format(path), cancel)?;
    let info = super::probe::describe(&input);
    let video = info.main_video().map(|stream| stream.index);
    let audio: Vec<usize> = info.audio().map(|stream| stream.index).collect();
    let wanted: Vec<usize> = video.into_iter().chain(audio.iter().copied()).collect();
    input.select(&wanted);
    let mut decoders = wanted
        .iter()
        .map(|stream| Decoder::open(&input, *stream, 1))
        .collect::<Result<Vec<_>>>()?;
    let mut content = Content {
        frames: vec![],
        audio_samples: vec![0; audio.len()],
        damaged: 0,
    };
    let first_audio = usize::from(video.is_some());
    let mut feed = |position: usize, packet: Option<ffmpeg::Packet>| {
        let is_video = position < first_audio;
        decoders[position].decode(packet, |frame, time_base| {
            if is_video {
                content.frames.push(hash_frame(&frame, time_base)?);
            } else {
                // SAFETY: the frame is valid.
                let samples = unsafe { (*frame.as_ptr()).nb_samples }.max(0) as u64;
                content.audio_samples[position - first_audio] += samples;
            }
            Ok(())
        })
    };
    while let Some(packet) = input.read()? {
        if let Some(position) = wanted.iter().position(|stream| *stream == packet.stream()) {
            feed(position, Some(packet))?;
        }
    }
    for position in 0..wanted.len() {
        feed(position, None)?;
    }
    content.damaged = decoders.iter().map(Decoder::damaged).sum();
    Ok(content)
}

/// Single pictures have demuxers of their own, which read no name as a pattern.
fn picture_format(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "jpg" => Some("jpeg_pipe"),
        "png" => Some("png_pipe"),
        _ => None,
    }
}

fn hash_frame(frame: &ffmpeg::Frame, time_base: ffmpeg::Rational) -> Result<FrameHash> {
    // SAFETY: the frame is valid.
    let raw = unsafe { &*frame.as_ptr() };
    // SAFETY: the number came out of a frame that this very libav made.
    let format = unsafe { std::mem::transmute::<i32, ffi::AVPixelFormat>(raw.format) };
    // SAFETY: computes from the three numbers.
    let size = unsafe { ffi::av_image_get_buffer_size(format, raw.width, raw.height, 1) };
    let size = check(size, "measure a frame")? as usize;
    let mut pixels = vec![0_u8; size];
    // SAFETY: the planes are the frame's own; the buffer is as large as libav asked for.
    let code = unsafe {
        ffi::av_image_copy_to_buffer(
            pixels.as_mut_ptr(),
            size as i32,
            raw.data.as_ptr().cast(),
            raw.linesize.as_ptr(),
            format,
            raw.width,
            raw.height,
            1,
        )
    };
    check(code, "copy a frame")?;
    let mut hash = Xxh3::new();
    hash.update(&pixels);
    hash.update(&raw.width.to_le_bytes());
    hash.update(&raw.format.to_le_bytes());
    let pts = frame
        .pts()
        .ok_or_else(|| Error::failed("a decoded frame has no time"))?;
    Ok(FrameHash {
        time_us: rescale(pts, time_base, ffmpeg::Rational::new(1, 1_000_000)),
        pixels: hash.digest(),
    })
}
