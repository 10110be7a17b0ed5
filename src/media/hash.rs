//! The oracle: what a file decodes to, frame by frame.

use std::path::Path;

use ffmpeg_next as ffmpeg;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::Input;
use super::decode::Decoder;
use super::error::check;
use super::filter::rescale;
use super::number::c;
use super::stream::bytes;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// What a file decodes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Every frame of the first video stream, in order.
    pub frames: Vec<Unit>,
    /// What all other streams of video and sound hold, in stream order.
    pub others: Vec<StreamContent>,
    /// Samples a channel of every audio stream, in stream order.
    pub audio_samples: Vec<u64>,
    /// Packets that could not be decoded.
    pub damaged: u64,
}

/// What one stream decodes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamContent {
    /// Position in the file.
    pub stream: usize,
    /// Whether it is sound.
    pub is_sound: bool,
    /// Its frames in order.
    pub frames: Vec<Unit>,
}

/// One decoded frame, of video or of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Presentation time in microseconds from the file's beginning; `None` where nothing tells it.
    pub time_us: Option<i64>,
    /// XXH3 over the visible pixels, or the samples, of all planes.
    pub hash: u64,
}

impl Content {
    /// A hash over what is seen of all pictures, and how long each sound is.
    pub fn digest(&self) -> u64 {
        let mut hash = Xxh3::new();
        for frame in &self.frames {
            hash.update(&frame.hash.to_le_bytes());
        }
        for samples in &self.audio_samples {
            hash.update(&samples.to_le_bytes());
        }
        hash.digest()
    }

    /// In words where the two first differ, where they do.
    pub fn difference(&self, other: &Self) -> Option<String> {
        if let Some(words) = first_difference(&self.frames, &other.frames, 0) {
            return Some(words);
        }
        let streams = |content: &Self| content.others.iter().map(|one| one.stream).collect();
        let (mine, theirs): (Vec<usize>, Vec<usize>) = (streams(self), streams(other));
        if mine != theirs {
            return Some(format!("streams {mine:?} and {theirs:?} were decoded"));
        }
        if self.audio_samples != other.audio_samples {
            let (mine, theirs) = (&self.audio_samples, &other.audio_samples);
            return Some(format!("audio samples differ: {mine:?} and {theirs:?}"));
        }
        self.others.iter().zip(&other.others).find_map(|(a, b)| {
            let apart_us = if a.is_sound { SOUND_APART_US } else { 0 };
            let words = first_difference(&a.frames, &b.frames, apart_us)?;
            Some(format!("stream {}: {words}", a.stream))
        })
    }
}

/// Times of sound may differ by less than this: those that a source tells in
/// ticks of a millisecond, the program rounds once more where it has to wait
/// for the other streams.
const SOUND_APART_US: i64 = 1000;

/// The first frame that differs in what it holds, or by more than so much in its time.
fn first_difference(a: &[Unit], b: &[Unit], apart_us: i64) -> Option<String> {
    let is_near = |a: &Unit, b: &Unit| match (a.time_us, b.time_us) {
        (Some(a), Some(b)) => a.saturating_sub(b).saturating_abs() <= apart_us,
        (a, b) => a == b,
    };
    let is_same = |(a, b): (&Unit, &Unit)| a.hash == b.hash && is_near(a, b);
    let (n, m) = (a.len(), b.len());
    let common = a.iter().zip(b).position(|pair| !is_same(pair));
    let frame = common.or((n != m).then(|| n.min(m)))?;
    let what = match (a.get(frame), b.get(frame)) {
        (Some(a), Some(b)) if a.hash == b.hash => {
            let at = |unit: &Unit| {
                unit.time_us
                    .map_or("no time".into(), |us| format!("{} s", us as f64 / 1e6))
            };
            format!("is at {} and at {}", at(a), at(b))
        }
        _ => "differs".into(),
    };
    Some(format!("frame {frame} {what} ({n} and {m} frames)"))
}

/// Decodes all of `path`.
///
/// # Errors
/// Where it cannot be opened as media.
pub fn content(path: &Path, cancel: &Cancel) -> Result<Content> {
    let mut input = Input::open(path, picture_format(path), cancel)?;
    let info = super::probe::describe(&input);
    let video = info.main_video().map(|stream| stream.index);
    let decodable = info
        .streams
        .iter()
        .filter(|stream| (stream.is_video() || stream.is_audio()) && stream.decodable);
    let wanted: Vec<usize> = decodable.map(|stream| stream.index).collect();
    input.select(&wanted);
    let mut decoders = wanted
        .iter()
        .map(|stream| Decoder::open(&input, *stream, 1))
        .collect::<Result<Vec<_>>>()?;
    let mut frames = vec![vec![]; wanted.len()];
    let mut samples = vec![0; wanted.len()];
    let mut feed = |position: usize, packet: Option<ffmpeg::Packet>| {
        decoders[position].decode(packet, |frame, time_base| {
            // SAFETY: the frame is valid.
            samples[position] += unsafe { (*frame.as_ptr()).nb_samples }.max(0) as u64;
            let pts = frame.pts();
            frames[position].push(Unit {
                time_us: pts.map(|pts| rescale(pts, time_base, MICROSECOND)),
                hash: hash_frame(&frame)?,
            });
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
    let is_sound = |stream: usize| info.streams[stream].is_audio();
    let sounds = wanted.iter().zip(samples);
    let mut content = Content {
        frames: vec![],
        others: vec![],
        audio_samples: sounds
            .filter_map(|(stream, samples)| is_sound(*stream).then_some(samples))
            .collect(),
        damaged: decoders.iter().map(Decoder::damaged).sum(),
    };
    for (stream, frames) in wanted.into_iter().zip(frames) {
        if Some(stream) == video {
            content.frames = frames;
        } else {
            let is_sound = is_sound(stream);
            content.others.push(StreamContent {
                stream,
                is_sound,
                frames,
            });
        }
    }
    Ok(content)
}

const MICROSECOND: ffmpeg::Rational = ffmpeg::Rational(1, 1_000_000);

/// Single pictures have demuxers of their own, which read no name as a pattern.
pub(super) fn picture_format(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "jpg" => Some("jpeg_pipe"),
        "png" => Some("png_pipe"),
        "webp" => Some("webp_pipe"),
        _ => None,
    }
}

fn hash_frame(frame: &ffmpeg::Frame) -> Result<u64> {
    // SAFETY: the frame is valid; without data, there is nothing to read.
    let (format, samples, is_empty) = unsafe {
        let raw = frame.as_ptr();
        ((*raw).format, (*raw).nb_samples, frame.is_empty())
    };
    if is_empty {
        return Err(Error::failed("a frame has no data"));
    }
    let mut hash = Xxh3::new();
    hash.update(&format.to_le_bytes());
    match usize::try_from(samples) {
        Ok(samples @ 1..) => hash_samples(frame, samples, &mut hash)?,
        _ => hash_pixels(frame, &mut hash)?,
    }
    Ok(hash.digest())
}

fn hash_pixels(frame: &ffmpeg::Frame, hash: &mut Xxh3) -> Result<()> {
    // SAFETY: the frame is valid.
    let (format, width, height) = unsafe {
        let raw = frame.as_ptr();
        ((*raw).format, (*raw).width, (*raw).height)
    };
    let size = c::av_image_get_buffer_size(format, width, height, 1);
    let size = check(size, "measure a frame")?;
    let mut pixels = vec![0_u8; size as usize];
    // SAFETY: the planes are those of a frame with data; the buffer is as large as libav asked
    // for.
    let code = unsafe {
        let raw = frame.as_ptr();
        c::av_image_copy_to_buffer(
            pixels.as_mut_ptr(),
            size,
            (&raw const (*raw).data).cast(),
            (&raw const (*raw).linesize).cast(),
            format,
            width,
            height,
            1,
        )
    };
    check(code, "copy a frame")?;
    hash.update(&pixels);
    hash.update(&width.to_le_bytes());
    Ok(())
}

fn hash_samples(frame: &ffmpeg::Frame, count: usize, hash: &mut Xxh3) -> Result<()> {
    // SAFETY: the frame is valid.
    let (format, channels, first) = unsafe {
        let raw = frame.as_ptr();
        let channels = (*raw).ch_layout.nb_channels;
        (
            (*raw).format,
            channels.max(0) as usize,
            (*raw).extended_data,
        )
    };
    let sample = check(
        c::av_get_bytes_per_sample(format),
        "measure a frame of sound",
    )?;
    let (planes, interleaved) = match c::av_sample_fmt_is_planar(format) {
        0 => (1, channels),
        _ => (channels, 1),
    };
    for plane in 0..planes {
        // SAFETY: a frame of sound has that many planes of that many bytes
        // (`AVFrame.extended_data`), which nobody writes to while it is borrowed.
        let samples = unsafe { bytes(*first.add(plane), count * sample as usize * interleaved) };
        hash.update(samples);
    }
    Ok(())
}
