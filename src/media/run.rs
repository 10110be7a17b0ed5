//! Follows a [`Pipeline`]: the linked counterpart of the `ffmpeg` program.

use std::path::Path;

use super::probe::frame_rate;
use super::track::{Medium, Output, Route, Track};
use super::{Input, Muxer};
use crate::engine::Watch;
use crate::error::{Error, Result};
use crate::job::{Done, MediaJob, Progress};
use crate::recipe::{Pipeline, Sink};

/// Runs `job`, writing to `target`: a new file, or an existing empty folder for pictures.
///
/// # Errors
/// Where the source cannot be read or nothing in it can be decoded, where the
/// target cannot be written, and where `watch` asks to stop.
pub fn run(job: &MediaJob, target: &Path, watch: &mut Watch) -> Result<Done> {
    let pipeline = &job.pipeline;
    let mut input = Input::open(&job.source, Some(&pipeline.input_format), watch.cancel())?;
    let wanted: Vec<usize> = std::iter::once(pipeline.video.stream)
        .chain(pipeline.audio.iter().map(|track| track.stream))
        .collect();
    input.select(&wanted);
    let mut tracks = open_tracks(&input, pipeline)?;
    let mut output = open_output(&input, pipeline, target, watch)?;
    let ended_early = pump(&mut input, &mut tracks, &mut output, watch)?;
    for track in &mut tracks {
        track.take(None, &input, &mut output)?;
    }
    finish(output, &tracks, ended_early)
}

fn open_tracks<'a>(input: &Input, pipeline: &'a Pipeline) -> Result<Vec<Track<'a>>> {
    let video = &pipeline.video;
    let filter = match video.orient.as_str() {
        "" => video.filter.clone(),
        orient => format!("{orient},{}", video.filter),
    };
    let medium = Medium::Video {
        time_base: video.time_base,
        frame_rate: frame_rate(input, video.stream),
    };
    let threads = pipeline.codec_threads;
    let picture = Route {
        source: video.stream,
        index: 0,
        medium,
        filter,
        encoder: &video.encoder,
        threads,
    };
    let sounds = pipeline.audio.iter().zip(1..).map(|(audio, index)| Route {
        source: audio.stream,
        index,
        medium: Medium::Audio,
        filter: audio.filter.clone(),
        encoder: &audio.encoder,
        threads,
    });
    std::iter::once(picture)
        .chain(sounds)
        .map(|route| Track::open(input, route))
        .collect()
}

fn open_output(input: &Input, pipeline: &Pipeline, target: &Path, watch: &Watch) -> Result<Output> {
    match &pipeline.sink {
        Sink::File { muxer, options } => {
            let streams = 1 + pipeline.audio.len();
            let mut muxer = Muxer::create(target, muxer, options, streams, watch.cancel())?;
            muxer.copy_metadata(input)?;
            Ok(Output::File(muxer))
        }
        Sink::Pictures { extension } => Ok(Output::Pictures {
            folder: target.to_owned(),
            extension: extension.clone(),
            written: 0,
            bytes: 0,
        }),
    }
}

/// Reads to the end; a read error after the start ends the reading and is told, as damage is.
fn pump(
    input: &mut Input,
    tracks: &mut [Track],
    output: &mut Output,
    watch: &mut Watch,
) -> Result<Option<Error>> {
    loop {
        let packet = match input.read() {
            Ok(Some(packet)) => packet,
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == crate::error::Kind::Interrupted => return Err(error),
            Err(error) => return Ok(Some(error)),
        };
        if let Some(track) = tracks
            .iter_mut()
            .find(|track| track.source() == packet.stream())
        {
            track.take(Some(packet), input, output)?;
        }
        watch.advance(Progress {
            frames: tracks[0].frames(),
            position_s: tracks[0].position_s(),
            bytes: output.bytes(),
        })?;
    }
}

fn finish(output: Output, tracks: &[Track], ended_early: Option<Error>) -> Result<Done> {
    let done = Done {
        frames: tracks[0].frames(),
        bytes: output.bytes(),
        media_s: tracks[0].position_s(),
        warnings: warnings(tracks, ended_early),
    };
    if !tracks[0].has_begun() {
        return Err(Error::failed("no picture in it could be decoded"));
    }
    if let Output::File(muxer) = output {
        if let Some(silent) = (0..tracks.len()).find(|index| muxer.stream_is_missing(*index)) {
            let stream = tracks[silent].source();
            return Err(Error::failed(format!(
                "no sound of stream {stream} could be decoded"
            )));
        }
        muxer.finish()?;
    }
    Ok(done)
}

fn warnings(tracks: &[Track], ended_early: Option<Error>) -> Vec<String> {
    let mut warnings: Vec<String> = tracks
        .iter()
        .filter(|track| track.damaged() > 0)
        .map(|track| {
            format!(
                "stream {}: {} damaged packets passed over",
                track.source(),
                track.damaged()
            )
        })
        .collect();
    warnings.extend(ended_early.map(|error| format!("the source ends early: {}", error.chain())));
    warnings
}
