//! How alike a result's pictures are to those that went into its encoder.

use std::collections::VecDeque;
use std::path::Path;

use ffmpeg::{Frame, Rational};
use ffmpeg_next as ffmpeg;

use super::decode::Decoder;
use super::error::Poll;
use super::filter::Shape;
use super::probe::frame_rate;
use super::verify::Evidence;
use super::version::dictionary_value;
use super::{Graph, Input, Picture, probe};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::MediaJob;
use crate::recipe::{Product, Way};

/// Mean SSIM over all planes and pictures; 1 is the same. `None` where the
/// pictures were copied.
///
/// Pictures are compared by their order: the filters that precede the encoder
/// give exactly as many as it takes.
///
/// # Errors
/// Where one of the two cannot be decoded.
pub(super) fn score(path: &Path, evidence: &Evidence, cancel: &Cancel) -> Result<Option<f64>> {
    alike(path, (evidence.job, evidence.product), cancel)
}

/// The same of the file at `path` that `job` made as its first product.
///
/// # Errors
/// Where one of the two cannot be decoded.
pub fn likeness(path: &Path, job: &MediaJob, cancel: &Cancel) -> Result<Option<f64>> {
    match job.pipeline.products.first() {
        Some(product) => alike(path, (job, product), cancel),
        None => Ok(None),
    }
}

fn alike(path: &Path, made: (&MediaJob, &Product), cancel: &Cancel) -> Result<Option<f64>> {
    let (job, product) = made;
    let Some(track) = product.tracks.first() else {
        return Ok(None);
    };
    let Way::Video(way) = &track.way else {
        return Ok(None);
    };
    let pipeline = &job.pipeline;
    let filter = match way.orient.as_str() {
        "" => way.filter.clone(),
        orient => format!("{orient},{}", way.filter),
    };
    let result_info = probe(path, cancel)?;
    let result_stream = result_info
        .streams
        .iter()
        .find(|stream| stream.is_video())
        .ok_or_else(|| Error::failed("the result has no pictures"))?;
    let mut source = Pictures::open(
        &job.source,
        &pipeline.input_format,
        track.stream,
        &filter,
        cancel,
    )?;
    let mut result = Pictures::open(
        path,
        &result_info.format,
        result_stream.index,
        "null",
        cancel,
    )?;
    let mut mean = Mean::default();
    let mut comparison = None;
    while let (Some(a), Some(b)) = (source.next()?, result.next()?) {
        let comparison = match &mut comparison {
            Some(comparison) => comparison,
            None => comparison.insert(Graph::comparison(&a, &b, "ssim")?),
        };
        mean.add(compare(comparison, a, b, mean.count)?);
    }
    Ok(mean.value())
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: i64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

fn compare(graph: &mut Graph, mut a: Frame, mut b: Frame, number: i64) -> Result<f64> {
    a.set_pts(Some(number));
    b.set_pts(Some(number));
    graph.push_pair(&mut a, &mut b)?;
    let (state, frame) = graph.pull()?;
    // The filter waits for the second input of the pair at most.
    if state != Poll::Ready {
        return Err(Error::failed("two pictures could not be compared"));
    }
    // SAFETY: the frame is valid for the call.
    let text = unsafe { dictionary_value((*frame.as_ptr()).metadata, c"lavfi.ssim.All") };
    text.and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| Error::failed("two pictures could not be compared"))
}

/// The filtered pictures of a stream, one by one.
struct Pictures {
    input: Input,
    stream: usize,
    decoder: Decoder,
    description: String,
    rate: Rational,
    graph: Option<(Shape, Graph)>,
    // Size of the first filtered picture; later ones are scaled to it, as for the encoder.
    fixed_size: Option<(u32, u32)>,
    ready: VecDeque<Frame>,
    ended: bool,
}

impl Pictures {
    fn open(
        path: &Path,
        format: &str,
        stream: usize,
        description: &str,
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut input = Input::open(path, Some(format), cancel)?;
        input.select(&[stream]);
        let decoder = Decoder::open(&input, stream, 1)?;
        let rate = frame_rate(&input, stream).into();
        Ok(Self {
            input,
            stream,
            decoder,
            description: description.to_owned(),
            rate,
            graph: None,
            fixed_size: None,
            ready: VecDeque::new(),
            ended: false,
        })
    }

    fn next(&mut self) -> Result<Option<Frame>> {
        while self.ready.is_empty() && !self.ended {
            let packet = self.input.read()?;
            self.ended = packet.is_none();
            if packet
                .as_ref()
                .is_none_or(|packet| packet.stream() == self.stream)
            {
                self.decode(packet)?;
            }
        }
        Ok(self.ready.pop_front())
    }

    fn decode(&mut self, packet: Option<ffmpeg::Packet>) -> Result<()> {
        let Self {
            decoder,
            description,
            rate,
            graph,
            fixed_size,
            ready,
            ..
        } = self;
        decoder.decode(packet, |mut frame, time_base| {
            let shape = Shape::of(&frame);
            if graph.as_ref().is_none_or(|(of, _)| *of != shape) {
                let description = match fixed_size {
                    Some((width, height)) => {
                        format!("{description},scale={width}:{height}:flags=bicubic")
                    }
                    None => description.clone(),
                };
                let made = Graph::new(&frame, time_base, *rate, &description, 1)?;
                *graph = Some((shape, made));
            }
            if let Some((_, graph)) = graph {
                graph.push(&mut frame)?;
                take_all(graph, ready)?;
            }
            if let (None, Some(first)) = (&fixed_size, ready.front()) {
                *fixed_size = Some(Picture::of_data_of(first)?.size());
            }
            Ok(())
        })?;
        if self.ended
            && let Some((_, graph)) = &mut self.graph
        {
            graph.close(self.decoder.end())?;
            take_all(graph, &mut self.ready)?;
        }
        Ok(())
    }
}

fn take_all(graph: &mut Graph, ready: &mut VecDeque<Frame>) -> Result<()> {
    loop {
        let (state, frame) = graph.pull()?;
        if state != Poll::Ready {
            return Ok(());
        }
        ready.push_back(frame);
    }
}
