//! Follows a [`Pipeline`]: the linked counterpart of the `ffmpeg` program.

use std::path::Path;

use ffmpeg::Packet;
use ffmpeg_next as ffmpeg;

use super::chain::Stamped;
use super::decode::Decoder;
use super::jumps::Expected;
use super::parts::Parted;
use super::survey::Survey;
use super::track::Track;
use super::{Input, Muxer, pictures};
use crate::dispatch::Cancel;
use crate::engine::{Ran, Watch};
use crate::error::{Error, Kind, Result};
use crate::job::{MediaJob, Progress};
use crate::recipe::{Pipeline, Product, Sink};

/// Runs `job`, writing its products to `targets`: new files, or existing empty
/// folders for pictures.
///
/// # Errors
/// Where the source cannot be read or nothing in it can be decoded, where a
/// target cannot be written, and where `watch` asks to stop.
pub fn run<T: AsRef<Path>>(job: &MediaJob, targets: &[T], watch: &mut Watch) -> Result<Ran> {
    if let ([product], [folder]) = (job.pipeline.products.as_slice(), targets)
        && product.is_pictures()
    {
        return pictures::run(job, folder.as_ref(), watch);
    }
    let mut run = Run::open(job, targets, watch)?;
    let mut read = run.pump(watch).and_then(|()| run.drain(watch));
    if run.cannot_be_parted() {
        drop(run);
        run = Run::open_whole(job, targets, watch)?;
        read = run.pump(watch).and_then(|()| run.drain(watch));
    }
    if read
        .as_ref()
        .is_err_and(|error| error.kind() == Kind::Interrupted)
    {
        run.abandon();
    }
    read.and_then(|()| run.finish())
}

/// A pipeline at work.
struct Run<'a> {
    pipeline: &'a Pipeline,
    input: Input,
    sources: Vec<Source<'a>>,
    // The stream that is encoded in parts, which is none of `sources` then.
    parted: Option<Parted>,
    outputs: Vec<Muxer>,
    survey: Survey,
}

/// A stream of the source, and the tracks that it becomes.
struct Source<'a> {
    stream: usize,
    // Where a track wants frames.
    decoder: Option<Decoder>,
    tracks: Vec<Track<'a>>,
}

impl<'a> Run<'a> {
    fn open<T: AsRef<Path>>(job: &'a MediaJob, targets: &[T], watch: &Watch) -> Result<Self> {
        Self::with(job, targets, watch, |input, outputs| {
            let parted = Parted::of(input, job, outputs, watch)?;
            let target = targets.first().map(AsRef::as_ref);
            Ok(parted.map(|parted| parted.going_on(target)))
        })
    }

    /// As [`Run::open`], with nothing made in parts.
    fn open_whole<T: AsRef<Path>>(job: &'a MediaJob, targets: &[T], watch: &Watch) -> Result<Self> {
        Self::with(job, targets, watch, |_, _| Ok(None))
    }

    fn with<T: AsRef<Path>>(
        job: &'a MediaJob,
        targets: &[T],
        watch: &Watch,
        parted: impl FnOnce(&Input, &mut [Muxer]) -> Result<Option<Parted>>,
    ) -> Result<Self> {
        let pipeline = &job.pipeline;
        let mut input = Input::open(&job.source, Some(&pipeline.input_format), watch.cancel())?;
        if pipeline.generate_pts {
            input.generate_pts();
        }
        let streams = pipeline.streams();
        input.select(&streams);
        let mut outputs = pipeline
            .products
            .iter()
            .zip(targets)
            .map(|(product, target)| {
                let of = (product, pipeline.tags_stream);
                begin(&input, of, target.as_ref(), watch.cancel())
            })
            .collect::<Result<Vec<_>>>()?;
        let parted = parted(&input, &mut outputs)?;
        let apart = parted.as_ref().map(Parted::stream);
        let sources = streams
            .iter()
            .filter(|stream| Some(**stream) != apart)
            .map(|stream| Source::open(&input, pipeline, *stream, &mut outputs))
            .collect::<Result<Vec<_>>>()?;
        let mut survey = Survey::of(&streams);
        survey.start_us = input.start_us();
        Ok(Self {
            pipeline,
            input,
            sources,
            parted,
            outputs,
            survey,
        })
    }

    /// Whether it turned out that parts would show.
    fn cannot_be_parted(&self) -> bool {
        self.parted.as_ref().is_some_and(Parted::is_unsuited)
    }

    /// Reads to the end; a read error after the start ends the reading and is told, as damage is.
    fn pump(&mut self, watch: &mut Watch) -> Result<()> {
        loop {
            if let Some(parted) = &mut self.parted {
                parted.make_room(&self.input, &mut self.outputs, watch)?;
            }
            if self.cannot_be_parted() {
                return Ok(());
            }
            let packet = match self.input.read() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(()),
                Err(error) if error.is_no_damage() => return Err(error),
                Err(error) => {
                    self.survey.ended_early = Some(error.chain());
                    return Ok(());
                }
            };
            let stream = packet.stream();
            self.survey.note(&packet, self.input.time_base(stream));
            if let Some(parted) = self.parted.as_mut().filter(|it| it.stream() == stream) {
                parted.packet(packet)?;
                continue;
            }
            let mut sources = self.sources.iter_mut();
            if let Some(source) = sources.find(|source| source.stream == stream) {
                source.take(packet, &self.input, &mut self.outputs)?;
                if let Some(expected) = source.expected() {
                    self.input.expect(stream, expected);
                }
            }
            watch.advance(self.progress())?;
        }
    }

    fn progress(&self) -> Progress {
        if let Some(parted) = &self.parted {
            return parted.progress(&self.outputs);
        }
        Progress {
            frames: self.main(0).map_or(0, Track::written),
            position_s: self.main(0).map_or(0.0, Track::position_s),
            bytes: self.outputs.iter().map(Muxer::bytes).sum(),
        }
    }

    /// The first track of a product: what is told of it is the product's.
    fn main(&self, product: usize) -> Option<&Track<'a>> {
        let mut tracks = self.sources.iter().flat_map(|source| &source.tracks);
        tracks.find(|track| track.is_main_of(product))
    }

    fn drain(&mut self, watch: &mut Watch) -> Result<()> {
        let film_end_us = self.survey.end_us();
        for source in &mut self.sources {
            source.drain(film_end_us, &self.input, &mut self.outputs)?;
        }
        if let Some(parted) = &mut self.parted {
            parted.drain(&self.input, &mut self.outputs, watch)?;
        }
        watch.advance(self.progress())
    }

    /// Leaves all as it is: this process is about to end.
    fn abandon(&mut self) {
        let tracks = self
            .sources
            .iter_mut()
            .flat_map(|source| &mut source.tracks);
        tracks.for_each(Track::abandon);
        if let Some(parted) = &mut self.parted {
            parted.abandon();
        }
    }

    /// Frames or packets of a product's first track.
    fn written(&self, product: usize) -> Option<u64> {
        let parted = self.parted.as_ref().and_then(|it| it.written(product));
        parted.or_else(|| self.main(product).map(Track::written))
    }

    fn damaged(&self) -> Vec<(usize, u64)> {
        let whole = self
            .sources
            .iter()
            .map(|source| (source.stream, source.damaged()));
        let parted = self.parted.iter().map(|it| (it.stream(), it.damaged()));
        let mut damaged: Vec<_> = whole
            .chain(parted)
            .filter(|(_, packets)| *packets > 0)
            .collect();
        damaged.sort_unstable();
        damaged
    }

    fn finish(self) -> Result<Ran> {
        let tracks = || self.sources.iter().flat_map(|source| &source.tracks);
        if let Some(dead) = tracks().find(|track| track.is_dead()) {
            return Err(nothing_decoded(dead));
        }
        if self.parted.as_ref().is_some_and(Parted::is_dead) {
            return Err(Error::failed("no picture in it could be decoded"));
        }
        let products = 0..self.pipeline.products.len();
        let parted_s = self.parted.as_ref().map(Parted::position_s);
        let ran = Ran {
            frames: products.map(|product| self.written(product)).collect(),
            media_s: self
                .main(0)
                .map(Track::position_s)
                .or(parted_s)
                .unwrap_or(0.0),
            damaged: self.damaged(),
            survey: Some(Survey {
                has_jumped: self.input.has_jumped(),
                damage: self.input.damage(),
                ..self.survey
            }),
            ..Ran::default()
        };
        self.outputs.into_iter().try_for_each(Muxer::finish)?;
        Ok(ran)
    }
}

/// Begins `product` as the new file `target`.
fn begin(
    input: &Input,
    (product, tags_stream): (&Product, Option<usize>),
    target: &Path,
    cancel: &Cancel,
) -> Result<Muxer> {
    let Sink::File { muxer, options } = &product.sink else {
        return Err(Error::failed("pictures and files cannot be made together"));
    };
    let mut muxer = Muxer::create(target, muxer, options, product.tracks.len(), cancel)?;
    muxer.copy_metadata(input, tags_stream)?;
    for (index, track) in product.tracks.iter().enumerate() {
        muxer.follow(index, track);
    }
    Ok(muxer)
}

fn nothing_decoded(track: &Track) -> Error {
    if track.is_main() {
        Error::failed("no picture in it could be decoded")
    } else {
        Error::failed(format!(
            "nothing of stream {} could be decoded",
            track.source()
        ))
    }
}

impl<'a> Source<'a> {
    fn open(
        input: &Input,
        pipeline: &'a Pipeline,
        stream: usize,
        outputs: &mut [Muxer],
    ) -> Result<Self> {
        let threads = pipeline.codec_threads;
        let mut tracks = Vec::new();
        for (position, product) in pipeline.products.iter().enumerate() {
            for index in 0..product.tracks.len() {
                if product.tracks[index].stream == stream {
                    let output = &mut outputs[position];
                    tracks.push(Track::open(
                        input,
                        (position, product),
                        index,
                        threads,
                        output,
                    )?);
                }
            }
        }
        let mut decoder = match tracks.iter().any(Track::decodes) {
            true => Some(Decoder::open(input, stream, threads)?),
            false => None,
        };
        if let Some(decoder) = &mut decoder {
            for track in &mut tracks {
                track.begin(decoder, input, &mut outputs[track.product])?;
            }
        }
        Ok(Self {
            stream,
            decoder,
            tracks,
        })
    }

    fn take(&mut self, packet: Packet, input: &Input, outputs: &mut [Muxer]) -> Result<()> {
        for track in &mut self.tracks {
            track.packet(&packet, &mut outputs[track.product])?;
        }
        self.decode(Some(packet), input, outputs)
    }

    /// Decodes `packet` (`None` drains) once, for all tracks that want frames.
    fn decode(
        &mut self,
        packet: Option<Packet>,
        input: &Input,
        outputs: &mut [Muxer],
    ) -> Result<()> {
        let Some(decoder) = &mut self.decoder else {
            return Ok(());
        };
        let tracks = &mut self.tracks;
        decoder.decode(packet, |mut frame, time_base| {
            let mut left = tracks.iter().filter(|track| track.decodes()).count();
            for track in tracks.iter_mut().filter(|track| track.decodes()) {
                left -= 1;
                let stamp = Stamped {
                    time_base,
                    is_last_use: left == 0,
                };
                track.frame(&mut frame, stamp, input, &mut outputs[track.product])?;
            }
            Ok(())
        })
    }

    /// When the next packet is due, where what was made of the last one tells.
    fn expected(&self) -> Option<Expected> {
        match &self.decoder {
            Some(decoder) => decoder.expected(),
            None => self.tracks.iter().find_map(Track::expected),
        }
    }

    fn drain(&mut self, film_end_us: i64, input: &Input, outputs: &mut [Muxer]) -> Result<()> {
        self.decode(None, input, outputs)?;
        let end = self.decoder.as_ref().map_or(0, Decoder::end);
        for track in &mut self.tracks {
            track.drain((end, film_end_us), input, &mut outputs[track.product])?;
        }
        Ok(())
    }

    /// Packets that could not be decoded.
    fn damaged(&self) -> u64 {
        let decoded = self.decoder.as_ref().map_or(0, Decoder::damaged);
        decoded + self.tracks.iter().map(Track::damaged).sum::<u64>()
    }
}
