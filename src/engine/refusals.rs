//! Jobs that the `ffmpeg` program would get wrong, and that it is not given.

use super::JobError;
use super::ffmpeg::Ffmpeg;
use crate::error::{Error, Result};
use crate::job::MediaJob;
use crate::media::survey::{Span, Survey};
use crate::recipe::{Medium, Pipeline, Track, Way};

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

/// Refuses AMR sound with several frames a packet, of which an old program decodes the first.
/// `survey` reads the packets of the job.
///
/// # Errors
/// If there is such sound, or the source cannot be read.
pub(super) fn check_sound(
    job: &MediaJob,
    ffmpeg: &Ffmpeg,
    survey: impl FnOnce() -> Result<Survey, JobError>,
) -> Result<(), JobError> {
    let mut tracks = job.pipeline.products.iter().flat_map(|one| &one.tracks);
    if ffmpeg.decodes_whole_amr_packets() || !tracks.clone().any(is_amr) {
        return Ok(());
    }
    let survey = survey()?;
    let has_several = |track: &&Track| {
        let span = survey.span(track.stream);
        is_amr(track) && span.is_some_and(|span| packet_us(span) > SEVERAL_US)
    };
    let Some(track) = tracks.find(has_several) else {
        return Ok(());
    };
    let (version, stream) = (ffmpeg.version(), track.stream);
    let error = format!(
        "ffmpeg {version} decodes only the first AMR frame of each packet of stream {stream}"
    );
    Err(Error::failed(error)
        .cure("use --dispatch workers, or FFmpeg 6.1 or newer")
        .into())
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
