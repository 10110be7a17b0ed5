//! The picture that stands for a whole video.

use ffmpeg_next::{Frame, Rational};

use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::MediaJob;
use crate::media::decode::Decoder;
use crate::media::filter::{Shape, rescale};
use crate::media::frame::{gray_rows, same_frame};
use crate::media::{Graph, Input};

/// So many key frames are looked at, spread over the whole.
const CANDIDATES: usize = 24;

/// Their width and height when they are looked at.
const SIDE: usize = 64;

/// Classes of brightness.
const CLASSES: usize = 32;

/// After a seek, a key frame comes within so many packets, or there is none.
const PATIENCE: usize = 2000;

/// The time in milliseconds of the key frame that stands best for the video: like
/// the others in its brightness, and rich in detail, which black, blank and
/// blurred pictures are not.
///
/// # Errors
/// Where the source cannot be opened, none of its key frames can be decoded, or `cancel` is set.
pub fn best_ms(job: &MediaJob, cancel: &Cancel) -> Result<u64> {
    let stream = job.pipeline.streams().first().copied().unwrap_or_default();
    let mut input = Input::open(&job.source, Some(&job.pipeline.input_format), cancel)?;
    input.select(&[stream]);
    let decoder = Decoder::open(&input, stream, 1)?;
    let mut looker = Looker {
        stream,
        time_base: input.time_base(stream),
        input,
        decoder,
        graph: None,
        seen: vec![],
    };
    let length_ms = job.duration_s.map_or(0, |length_s| (length_s * 1e3) as i64);
    for part in 0..CANDIDATES as i64 {
        let time_ms = length_ms * (2 * part + 1) / (2 * CANDIDATES as i64);
        // Where the length is unknown, one after the other is taken from the beginning on.
        if part == 0 || length_ms > 0 {
            looker.seek(time_ms);
        }
        looker.look()?;
        if cancel.is_set() {
            return Err(Error::interrupted());
        }
    }
    looker
        .best_ms()
        .ok_or_else(|| Error::failed("no picture in it could be decoded"))
}

/// Looks at key frames.
struct Looker {
    input: Input,
    decoder: Decoder,
    stream: usize,
    time_base: Rational,
    graph: Option<(Shape, Graph)>,
    seen: Vec<Seen>,
}

/// A key frame that was looked at.
struct Seen {
    pts: i64,
    // Shares of all pixels.
    brightness: [f64; CLASSES],
    // Mean difference of neighbours, in levels of 256.
    detail: f64,
}

impl Looker {
    fn seek(&mut self, time_ms: i64) {
        let time = rescale(time_ms, Rational(1, 1000), self.time_base);
        self.input.seek_in(self.stream, time);
        self.decoder.restart();
    }

    /// Looks at the next key frame.
    fn look(&mut self) -> Result<()> {
        for _ in 0..PATIENCE {
            // A torn end is no reason not to take what there is.
            let Ok(Some(packet)) = self.input.read() else {
                return Ok(());
            };
            if packet.stream() != self.stream || !packet.is_key() {
                continue;
            }
            let mut frames = Vec::new();
            let mut take = |frame: Frame, _| {
                frames.push(frame);
                Ok(())
            };
            self.decoder.decode(Some(packet), &mut take)?;
            self.decoder.decode(None, &mut take)?;
            self.decoder.restart();
            if let Some(frame) = frames.first() {
                return self.note(frame);
            }
        }
        Ok(())
    }

    fn note(&mut self, frame: &Frame) -> Result<()> {
        let pts = frame.pts().unwrap_or(0);
        if self.seen.iter().any(|seen| seen.pts == pts) {
            return Ok(());
        }
        let rows = self.gray(frame)?;
        let mut brightness = [0.0; CLASSES];
        for level in &rows {
            brightness[usize::from(*level) * CLASSES / 256] += 1.0 / rows.len() as f64;
        }
        let detail = detail(&rows);
        self.seen.push(Seen {
            pts,
            brightness,
            detail,
        });
        Ok(())
    }

    fn gray(&mut self, frame: &Frame) -> Result<Vec<u8>> {
        let shape = Shape::of(frame);
        let tick = Rational(1, 25);
        if self.graph.as_ref().is_none_or(|(of, _)| *of != shape) {
            let small = format!("scale={SIDE}:{SIDE}:flags=area,format=gray");
            self.graph = Some((shape, Graph::new(frame, tick, tick, &small, 1)?));
        }
        let Some((_, graph)) = &mut self.graph else {
            return Ok(vec![]);
        };
        graph.push(&same_frame(frame)?)?;
        gray_rows(&graph.pull()?.1)
    }

    /// The time of the best one, rounded up: that is when it is shown.
    fn best_ms(&self) -> Option<u64> {
        let count = self.seen.len() as f64;
        let mut usual = [0.0; CLASSES];
        for seen in &self.seen {
            for (sum, share) in usual.iter_mut().zip(&seen.brightness) {
                *sum += share / count;
            }
        }
        let best = self
            .seen
            .iter()
            .max_by(|a, b| a.score(&usual).total_cmp(&b.score(&usual)))?;
        let seconds = best.pts as f64 * f64::from(self.time_base);
        Some((seconds * 1e3 - 1e-6).ceil().max(0.0) as u64)
    }
}

impl Seen {
    /// From 0 on; what is like `usual` and rich in detail has more.
    fn score(&self, usual: &[f64; CLASSES]) -> f64 {
        let pairs = self.brightness.iter().zip(usual);
        let apart: f64 = pairs.map(|(own, usual)| (own - usual).abs()).sum();
        // Both sum to 1: they are at most 2 apart.
        (1.0 - apart / 2.0) * self.detail.ln_1p()
    }
}

/// Mean difference of each pixel to those right of it and below.
fn detail(rows: &[u8]) -> f64 {
    let apart = |a: usize, b: usize| match (rows.get(a), rows.get(b)) {
        (Some(a), Some(b)) => f64::from(a.abs_diff(*b)),
        _ => 0.0,
    };
    let all = 0..rows.len();
    let sum: f64 = all.map(|at| apart(at, at + 1) + apart(at, at + SIDE)).sum();
    sum / (2.0 * rows.len().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(level: u8, detail: f64) -> Seen {
        let mut brightness = [0.0; CLASSES];
        brightness[usize::from(level) * CLASSES / 256] = 1.0;
        Seen {
            pts: 0,
            brightness,
            detail,
        }
    }

    #[test]
    fn a_black_picture_among_others_is_not_taken() {
        let usual = seen(128, 0.0).brightness;
        assert!(seen(0, 0.0).score(&usual) < seen(128, 9.0).score(&usual));
        assert!(seen(128, 2.0).score(&usual) < seen(128, 9.0).score(&usual));
    }

    #[test]
    fn detail_is_what_neighbours_differ_by() {
        assert_eq!(detail(&[7; SIDE * SIDE]), 0.0);
        let stripes: Vec<u8> = (0..SIDE * SIDE).map(|at| (at % 2) as u8 * 100).collect();
        assert!((detail(&stripes) - 50.0).abs() < 1.0);
    }
}
