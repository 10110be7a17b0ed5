//! Jobs that the `ffmpeg` program would get wrong, and that it is not given.

use super::JobError;
use super::ffmpeg::Ffmpeg;
use crate::error::{Error, Result};
use crate::job::MediaJob;
use crate::media::survey::{Span, Survey};
use crate::recipe::{Medium, Pipeline, Product, Track, Way};

/// The program takes the times that a container stores, whatever they are. It counts
/// frames instead where it decodes them, and does so neither in a copy nor for sound.
pub(super) fn check_times(pipeline: &Pipeline) -> Result<()> {
    let tracks = pipeline.products.iter().flat_map(|one| &one.tracks);
    let uncounted = |track: &&Track| {
        let mut untimed = pipeline.untimed.iter();
        let counts = matches!(track.way, Way::Video(_));
        untimed.any(|(stream, rate)| *stream == track.stream && !(counts && rate.is_some()))
    };
    tracks
        .filter(|it| it.way.medium() != Medium::Attached)
        .find(uncounted)
        .map_or(Ok(()), |track| {
            let error = format!(
                "stream {} has no usable times, which the ffmpeg program cannot make up",
                track.stream
            );
            Err(Error::failed(error).cure("--dispatch workers or threads makes them up"))
        })
}

/// A packet of AMR with one frame lasts 20 ms; with several, at least 40.
const SEVERAL_US: i64 = 30_000;

/// What an old program gets wrong, as far as the packets of the job show it; `survey` reads them.
///
/// # Errors
/// Where it would lose something, or the source cannot be read.
pub(super) fn check_packets(
    job: &MediaJob,
    ffmpeg: &Ffmpeg,
    survey: impl FnOnce() -> Result<Survey, JobError>,
) -> Result<(), JobError> {
    let sound = match ffmpeg.decodes_whole_amr_packets() {
        true => vec![],
        false => streams(job, |_, track| is_amr(track)),
    };
    let texts = match ffmpeg.drains_subtitle_filters() {
        true => vec![],
        false => streams(job, ends_texts),
    };
    if sound.is_empty() && texts.is_empty() {
        return Ok(());
    }
    let survey = survey()?;
    let has_several_frames = |stream: &usize| {
        let span = survey.span(*stream);
        span.is_some_and(|span| packet_us(span) > SEVERAL_US)
    };
    let is_endless = |stream: &usize| survey.span(*stream).is_some_and(|span| span.endless > 0);
    let version = ffmpeg.version();
    let (error, since) = if let Some(stream) = sound.into_iter().find(has_several_frames) {
        let fault = "decodes only the first AMR frame of each packet of stream";
        (format!("ffmpeg {version} {fault} {stream}"), "6.1")
    } else if let Some(stream) = texts.into_iter().find(is_endless) {
        let fault = "loses subtitles of unknown length, such as those of stream";
        (format!("ffmpeg {version} {fault} {stream}"), "7.1")
    } else {
        return Ok(());
    };
    let cure = format!("use --dispatch workers, or FFmpeg {since} or newer");
    Err(Error::failed(error).cure(cure).into())
}

/// The source's streams of those tracks.
fn streams(job: &MediaJob, is_wanted: impl Fn(&Product, &Track) -> bool) -> Vec<usize> {
    let products = job.pipeline.products.iter();
    let tracks = products.flat_map(|product| product.tracks.iter().map(move |it| (product, it)));
    let wanted = tracks.filter(|(product, track)| is_wanted(product, track));
    wanted.map(|(_, track)| track.stream).collect()
}

/// Whether subtitles are encoded into a container that stores when each ends.
fn ends_texts(product: &Product, track: &Track) -> bool {
    product.sink.ends_events() && matches!(track.way, Way::Subtitle { .. })
}

fn is_amr(track: &Track) -> bool {
    matches!(&track.way, Way::Audio(way) if way.source_codec.starts_with("amr_"))
}

/// How long a stream's packets are on average.
fn packet_us(span: &Span) -> i64 {
    let (Some(first), Some(end), Ok(packets @ 1..)) =
        (span.first_us, span.end_us, i64::try_from(span.packets))
    else {
        return 0;
    };
    end.saturating_sub(first) / packets
}
