//! The picture that stands for a whole video.

use ffmpeg_next::{Frame, Packet, Rational};

use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::MediaJob;
use crate::media::decode::Decoder;
use crate::media::filter::{Shape, rescale};
use crate::media::frame::{gray_rows, same_frame};
use crate::media::survey::survey;
use crate::media::{Graph, Input};

/// Number of keyframes that are compared, spread over the whole.
const CANDIDATES: usize = 24;

/// Fewer keyframes do not show what is usual in a video: then all its frames are decoded.
const FEW: usize = 3;

/// Their width and height when they are compared.
const SIDE: usize = 64;

/// Classes of brightness.
const CLASSES: usize = 32;

/// After a seek, a keyframe comes within this number of packets, or there is none.
const PATIENCE: usize = 2000;

/// The time in milliseconds of the frame that stands best for the video: like the
/// others in its brightness, and rich in detail, which black, blank and blurred
/// frames are not.
///
/// Keyframes are candidates. Where there are too few of them, or the source cannot
/// be sought in, candidates are frames spread over all that it decodes to.
///
/// # Errors
/// Where the source cannot be opened, nothing in it can be decoded, or `cancel` is set.
pub fn best_ms(job: &MediaJob, cancel: &Cancel) -> Result<u64> {
    let mut looker = Looker::open(job, cancel)?;
    looker.look_at_keyframes(job)?;
    if looker.seen.len() < FEW {
        looker = Looker::open(job, cancel)?;
        looker.look_at_all()?;
    }
    looker
        .best_ms()
        .ok_or_else(|| Error::failed("no picture in it could be decoded"))
}

/// Looks at the frames of one stream.
struct Looker<'a> {
    cancel: &'a Cancel,
    input: Input,
    decoder: Decoder,
    stream: usize,
    time_base: Rational,
    graph: Option<(Shape, Graph)>,
    seen: Vec<Seen>,
}

/// A frame that was looked at.
struct Seen {
    // When it is shown, in seconds.
    time_s: f64,
    // Shares of all pixels.
    brightness: [f64; CLASSES],
    // Mean difference of neighbours, in levels of 256.
    detail: f64,
}

impl<'a> Looker<'a> {
    fn open(job: &MediaJob, cancel: &'a Cancel) -> Result<Self> {
        let stream = job.pipeline.streams().first().copied().unwrap_or_default();
        let mut input = Input::open(&job.source, Some(&job.pipeline.input_format), cancel)?;
        input.select(&[stream]);
        let decoder = Decoder::open(&input, stream, 1)?;
        Ok(Self {
            cancel,
            time_base: input.time_base(stream),
            stream,
            input,
            decoder,
            graph: None,
            seen: vec![],
        })
    }

    /// Looks at keyframes until one cannot be sought.
    fn look_at_keyframes(&mut self, job: &MediaJob) -> Result<()> {
        if !self.input.has_own_timestamps() || self.input.may_jump() && clock_jumps(job, self)? {
            return Ok(());
        }
        let length_ms = job.duration_s.map_or(0, |length_s| (length_s * 1e3) as i64);
        for part in 0..CANDIDATES as i64 {
            let time_ms = length_ms * (2 * part + 1) / (2 * CANDIDATES as i64);
            // Where the length is unknown, one after the other is taken from the beginning on.
            if (part == 0 || length_ms > 0) && !self.seek(time_ms) {
                return Ok(());
            }
            self.look()?;
            self.check_cancel()?;
        }
        Ok(())
    }

    /// Goes to a keyframe before that time; whether that could be done.
    fn seek(&mut self, time_ms: i64) -> bool {
        let time = rescale(time_ms, Rational(1, 1000), self.time_base);
        let done = self.input.seek_in(self.stream, time);
        self.decoder.restart();
        done
    }

    /// The next packet; a file that is cut off ends there.
    fn read(&mut self) -> Result<Option<Packet>> {
        match self.input.read() {
            Err(error) if !error.is_no_damage() => Ok(None),
            read => read,
        }
    }

    /// Looks at the next keyframe.
    fn look(&mut self) -> Result<()> {
        for _ in 0..PATIENCE {
            let Some(packet) = self.read()? else {
                return Ok(());
            };
            if packet.stream() != self.stream || !packet.is_key() {
                continue;
            }
            if packet.pts().or(packet.dts()).is_none() {
                // Only its place among all frames shows when it is due.
                return Ok(());
            }
            let mut frames = Vec::new();
            let mut take = |frame: Frame, time_base| {
                frames.push((frame, time_base));
                Ok(())
            };
            self.decoder.decode(Some(packet), &mut take)?;
            self.decoder.decode(None, &mut take)?;
            self.decoder.restart();
            if let Some((frame, time_base)) = frames.first() {
                return self.note(frame, *time_base);
            }
        }
        Ok(())
    }

    /// Looks at frames spread over all of them, whose number is unknown until the end.
    fn look_at_all(&mut self) -> Result<()> {
        let (mut decoded, mut step) = (0_usize, 1_usize);
        loop {
            self.check_cancel()?;
            let packet = self.read()?;
            let ended = packet.is_none();
            if packet.as_ref().is_some_and(|it| it.stream() != self.stream) {
                continue;
            }
            let mut frames = Vec::new();
            self.decoder.decode(packet, |frame, time_base| {
                decoded += 1;
                if decoded.is_multiple_of(step) {
                    frames.push((frame, time_base));
                }
                Ok(())
            })?;
            for (frame, time_base) in &frames {
                self.note(frame, *time_base)?;
            }
            if self.seen.len() >= 2 * CANDIDATES {
                self.thin_out();
                step *= 2;
            }
            if ended {
                return self.check_cancel();
            }
        }
    }

    /// Keeps every second one.
    fn thin_out(&mut self) {
        let mut keep = false;
        self.seen.retain(|_| {
            keep = !keep;
            keep
        });
    }

    fn check_cancel(&self) -> Result<()> {
        match self.cancel.is_set() {
            true => Err(Error::interrupted()),
            false => Ok(()),
        }
    }

    fn note(&mut self, frame: &Frame, time_base: Rational) -> Result<()> {
        let time_s = frame.pts().unwrap_or(0) as f64 * f64::from(time_base);
        if self.seen.iter().any(|seen| seen.time_s == time_s) {
            return Ok(());
        }
        let rows = self.gray(frame)?;
        let mut brightness = [0.0; CLASSES];
        for level in &rows {
            brightness[usize::from(*level) * CLASSES / 256] += 1.0 / rows.len() as f64;
        }
        let detail = detail(&rows);
        self.seen.push(Seen {
            time_s,
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
        graph.push(&mut same_frame(frame)?)?;
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
        Some((best.time_s * 1e3 - 1e-6).ceil().max(0.0) as u64)
    }
}

/// Whether the clock of the file jumps somewhere: then its times are not those
/// from the beginning.
fn clock_jumps(job: &MediaJob, looker: &Looker) -> Result<bool> {
    let format = Some(job.pipeline.input_format.as_str());
    Ok(survey(&job.source, format, &[looker.stream], looker.cancel)?.has_jumped)
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
            time_s: 0.0,
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
