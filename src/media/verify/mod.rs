//! Whether a written file is what its pipeline planned, and what its source holds.

mod checked;
mod film;
mod inventory;
mod last_frame;
mod pictures;
mod written;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::{MediaJob, StreamInfo, StreamKind};
use crate::media::ssim;
use crate::media::survey::{Span, Survey};
use crate::recipe::{ENCODE_INSTEAD, Medium, Product, Sink, Track, Way, tells_times};

pub use checked::Checked;
use checked::seconds;
pub use film::verify_film;
use pictures::verify_pictures;
use written::{Decoded, ENOUGH, Stretch, Written, undecodable};

/// How much is looked at before a result takes its place.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Depth {
    /// Streams, frames, first and last times; some pictures near the end are decoded.
    #[default]
    Quick,
    /// All of it is decoded.
    Decode,
    /// All of it is decoded and compared with the source, picture by picture.
    Ssim,
}

/// What is known of a result before it is looked at.
pub struct Evidence<'a> {
    /// The job.
    pub job: &'a MediaJob,
    /// What was to be made.
    pub product: &'a Product,
    /// Frames that went into its first track, where known.
    pub frames: Option<u64>,
    /// What was read of the source.
    pub survey: &'a Survey,
    /// Streams of the source with the number of packets that could not be decoded.
    pub damaged: &'a [(usize, u64)],
}

/// Sound may end so much before its source's: damaged timestamps are put right by cutting.
const SOUND_S: f64 = 0.25;

/// Where a container does not tell when pictures are due, decoders show them
/// later than they get them: by not more than 16 pictures (H.264, A.3.1).
const REORDERED: f64 = 16.0;

/// Times are rounded to the ticks of two containers.
const ROUNDING_S: f64 = 0.002;

/// Opens the result at `path` and holds it against the plan, what was written, and the source.
///
/// # Errors
/// Says what is wrong with it; then it must not take its place.
pub fn verify(path: &Path, evidence: &Evidence, cancel: &Cancel) -> Result<Checked> {
    match &evidence.product.sink {
        Sink::File { .. } => File::open(path, evidence, cancel)?.check(cancel),
        Sink::Pictures { extension, .. } => {
            verify_pictures(path, extension, evidence)?;
            let mut checked = Checked {
                frames: evidence.frames,
                ..Checked::default()
            };
            checked.source(evidence);
            Ok(checked)
        }
    }
}

fn wrong(what: impl std::fmt::Display) -> Error {
    Error::failed(format!("the result is not as planned: {what}"))
}

/// The error for a copy whose decoded frames are out of order, because its source stores no
/// reliable presentation times.
fn out_of_order(stream: usize) -> Error {
    Error::failed(format!(
        "the source stores no reliable presentation times for stream {stream}: a copy shows its \
         frames out of order"
    ))
    .cure(ENCODE_INSTEAD)
}

/// All that a written file is to hold is there: reading it does not end early, nor does any
/// packet.
fn can_be_read(survey: &Survey) -> Result<()> {
    if let Some(error) = &survey.ended_early {
        return Err(wrong(format!("it cannot be read to its end: {error}")));
    }
    match survey.streams.iter().find(|span| span.damaged > 0) {
        Some(span) => {
            let stream = span.stream;
            Err(wrong(format!("a packet of stream {stream} is broken off")))
        }
        None => Ok(()),
    }
}

/// A written file that is looked at.
struct File<'a> {
    path: &'a Path,
    evidence: &'a Evidence<'a>,
    written: Written<'a>,
    // What its packets say, by its own clock: that of its source, which begins at 0.
    survey: Survey,
}

impl<'a> File<'a> {
    fn open(path: &'a Path, evidence: &'a Evidence, cancel: &Cancel) -> Result<Self> {
        let written = Written::open(path, cancel)?;
        let survey = written.survey.clone().by_own_clock();
        Ok(Self {
            path,
            evidence,
            written,
            survey,
        })
    }

    fn check(&mut self, cancel: &Cancel) -> Result<Checked> {
        let mut checked = Checked::default();
        checked.source(self.evidence);
        can_be_read(&self.survey)?;
        let videos = self.streams(Medium::Video);
        let planned: Vec<&Track> = self.evidence.product.tracks_of(Medium::Video).collect();
        if videos.len() != planned.len() {
            return Err(wrong(format!(
                "it has {} video streams instead of {}",
                videos.len(),
                planned.len()
            )));
        }
        for (track, stream) in planned.iter().zip(&videos) {
            self.times(track, *stream, &mut checked)?;
        }
        self.frames(&mut checked)?;
        self.sound(&mut checked)?;
        self.is_heard()?;
        self.inventory(&mut checked);
        self.captions(&mut checked);
        self.company(&mut checked);
        self.tags(&mut checked);
        self.decodes(&mut checked, cancel)?;
        if self.evidence.job.verify == Depth::Ssim && !videos.is_empty() {
            checked.ssim = ssim::score(self.path, self.evidence, cancel)?;
        }
        Ok(checked)
    }

    /// The result's streams of a kind.
    fn streams(&self, medium: Medium) -> Vec<usize> {
        let of_kind = self
            .written
            .info
            .streams
            .iter()
            .filter(|stream| match medium {
                Medium::Video => stream.is_video(),
                Medium::Audio => stream.is_audio(),
                Medium::Subtitle => matches!(stream.kind, StreamKind::Subtitle { .. }),
                Medium::Attached => {
                    matches!(stream.kind, StreamKind::Cover | StreamKind::Attachment)
                }
            });
        of_kind.map(|stream| stream.index).collect()
    }

    /// What describes the source's streams describes the result's.
    fn inventory(&self, checked: &mut Checked) {
        let (product, info) = (self.evidence.product, &self.written.info);
        for medium in [Medium::Video, Medium::Audio, Medium::Subtitle] {
            let streams = self.streams(medium);
            // Where one is missing, it is not known which.
            if streams.len() == product.tracks_of(medium).count() {
                inventory::compare(product, medium, info, &streams, checked);
            }
        }
        let (planned, found) = (self.evidence.job.pipeline.chapters, info.chapters);
        if found < planned {
            checked.lose(format!("{found} of {planned} chapters have arrived"));
        }
    }

    /// Closed captions among the source's pictures are among the result's.
    fn captions(&self, checked: &mut Checked) {
        let tracks = self.evidence.product.tracks_of(Medium::Video);
        let has = |span: Option<&Span>| span.is_some_and(|span| span.captions);
        for (track, result) in tracks.zip(self.streams(Medium::Video)) {
            let index = track.stream;
            if has(self.evidence.survey.span(index)) && !has(self.span(result)) {
                checked.lose(format!(
                    "stream {index}: its closed captions did not arrive"
                ));
            }
        }
    }

    /// As many frames are in the file as were put into it.
    fn frames(&self, checked: &mut Checked) -> Result<()> {
        let first = &self.evidence.product.tracks[0];
        if first.way.medium() != Medium::Video {
            return Ok(());
        }
        let stream = self.streams(Medium::Video)[0];
        let found = self.span(stream).map_or(0, |span| span.packets);
        if found == 0 {
            return Err(if first.way.is_copy() {
                Error::failed("no picture in it could be read")
            } else {
                wrong("it has no pictures")
            });
        }
        match self.evidence.frames {
            // Of copied packets, some are decoded and not shown: those are not counted here.
            Some(written) if found != written && !first.way.is_copy() => {
                Err(wrong(format!("it has {found} frames instead of {written}")))
            }
            _ => {
                checked.frames = Some(found);
                Ok(())
            }
        }
    }

    fn span(&self, stream: usize) -> Option<&Span> {
        self.survey.span(stream)
    }

    /// First and last picture are due when they are in the source.
    fn times(&self, track: &Track, stream: usize, checked: &mut Checked) -> Result<()> {
        let (Some(source), Some(result)) =
            (self.evidence.survey.span(track.stream), self.span(stream))
        else {
            return Err(wrong(format!("stream {stream} is missing")));
        };
        let frame_s = match &track.way {
            // Where the rate varies, what the container calls it may be far from it.
            Way::Video(way) => way.frame_s.max(usual_distance_s(source)),
            _ => usual_distance_s(source),
        };
        let apart = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (Some(a), Some(b)) => a.saturating_sub(b) as f64 / 1e6,
            _ => 0.0,
        };
        let late = apart(result.first_us, source.first_us);
        let early = apart(source.last_us, result.last_us);
        self.last_frame(track.stream, stream, frame_s, checked);
        let reordered = if source.undated { REORDERED } else { 1.0 };
        let slack = frame_s * reordered + ROUNDING_S;
        for (what, by) in [("begins", late), ("ends", early)] {
            if by.abs() > slack {
                checked.salvage(format!(
                    "stream {}: the result {what} {} {} than the source",
                    track.stream,
                    seconds(by.abs()),
                    if (what == "begins") == (by > 0.0) {
                        "later"
                    } else {
                        "earlier"
                    },
                ));
            }
        }
        Ok(())
    }

    /// Every track of sound is there and as long as its source's.
    fn sound(&self, checked: &mut Checked) -> Result<()> {
        let planned: Vec<&Track> = self.evidence.product.tracks_of(Medium::Audio).collect();
        let silent = |track: &&Track| {
            let span = self.evidence.survey.span(track.stream);
            span.is_none_or(|span| span.packets == 0)
                || self
                    .evidence
                    .damaged
                    .iter()
                    .any(|(stream, _)| *stream == track.stream)
        };
        let streams = self.streams(Medium::Audio);
        if streams.len() == planned.len() {
            for (track, stream) in planned.iter().zip(streams) {
                self.sound_ends(track, stream, checked);
            }
            return Ok(());
        }
        let lost: Vec<_> = planned.iter().filter(|track| silent(track)).collect();
        if planned.len() - lost.len() > streams.len() {
            return Err(wrong(format!(
                "it has {} tracks of sound instead of {}",
                streams.len(),
                planned.len()
            )));
        }
        for track in lost {
            checked.salvage(format!(
                "stream {}: no sound could be decoded",
                track.stream
            ));
        }
        Ok(())
    }

    /// A result that is for its sound alone has some.
    fn is_heard(&self) -> Result<()> {
        let product = self.evidence.product;
        let is_silent = |stream: &usize| self.span(*stream).is_none_or(|span| span.packets == 0);
        let is_sound = product.tracks[0].way.medium() == Medium::Audio;
        match is_sound && self.streams(Medium::Audio).iter().all(is_silent) {
            true => Err(Error::failed("no sound in it could be decoded")),
            false => Ok(()),
        }
    }

    /// Subtitles whose end the source does not store are all there: FFmpeg before 7.1 can lose
    /// such events.
    fn endless_events(&self, checked: &mut Checked) {
        let tracks = self.evidence.product.tracks_of(Medium::Subtitle);
        let is_encoded = |(track, _): &(&Track, usize)| !track.way.is_copy();
        for (track, stream) in tracks
            .zip(self.streams(Medium::Subtitle))
            .filter(is_encoded)
        {
            let source = self.evidence.survey.span(track.stream);
            let planned = source.filter(|span| span.endless > 0);
            let planned = planned.map_or(0, |span| span.events);
            let found = self.span(stream).map_or(0, |span| span.events);
            if found < planned {
                checked.salvage(format!(
                    "stream {}: {found} of {planned} subtitles have arrived",
                    track.stream
                ));
            }
        }
    }

    /// Subtitles, covers and attached files are there, if the source had anything in them.
    fn company(&self, checked: &mut Checked) {
        self.endless_events(checked);
        for (medium, what) in [
            (Medium::Subtitle, "subtitles"),
            (Medium::Attached, "covers and attached files"),
        ] {
            let spans = &self.evidence.survey;
            let planned = self.evidence.product.tracks_of(medium);
            let planned = planned.filter(|track| {
                medium == Medium::Attached
                    || spans
                        .span(track.stream)
                        .is_some_and(|span| span.packets > 0)
            });
            let (planned, found) = (planned.count(), self.streams(medium).len());
            if found < planned {
                checked.salvage(format!("{found} of {planned} {what} have arrived"));
            }
        }
    }

    /// Tells which of the whole file's tags the container has no place for.
    fn tags(&self, checked: &mut Checked) {
        let info = &self.written.info;
        let mut found: Vec<String> = info.tags.iter().map(|name| name.to_lowercase()).collect();
        // MXF has the timecode of the whole file, mp4 and mov that of a stream.
        let is_timed = |stream: &StreamInfo| !stream.details.timecode.is_empty();
        found.extend(info.streams.iter().any(is_timed).then(|| "timecode".into()));
        let wanted = self.evidence.job.pipeline.tags.iter();
        let lost: Vec<&str> = wanted
            .filter(|name| !found.contains(name))
            .map(String::as_str)
            .collect();
        if !lost.is_empty() {
            let lost = lost.join(", ");
            checked.lose(format!("tags that did not arrive: {lost}"));
        }
    }

    fn sound_ends(&self, track: &Track, stream: usize, checked: &mut Checked) {
        let (Some(source), Some(result)) =
            (self.evidence.survey.span(track.stream), self.span(stream))
        else {
            return;
        };
        if result.packets == 0 && source.packets > 0 {
            checked.salvage(format!(
                "stream {}: no sound could be decoded",
                track.stream
            ));
            return;
        }
        if let (Some(a), Some(b)) = (source.end_us, result.end_us) {
            let short = a.saturating_sub(b) as f64 / 1e6;
            let slack = match result.open_end {
                // One packet may be all there is.
                true if result.packets == 1 => f64::INFINITY,
                true => SOUND_S + usual_distance_s(result),
                false => SOUND_S,
            };
            if short > slack {
                checked.salvage(format!(
                    "stream {}: the sound ends {} earlier than in the source",
                    track.stream,
                    seconds(short)
                ));
            }
        }
    }

    /// What is near the end decodes without error, or all of it where that is asked for.
    fn decodes(&mut self, checked: &mut Checked, cancel: &Cancel) -> Result<()> {
        for (stream, track) in self
            .streams(Medium::Video)
            .into_iter()
            .zip(self.evidence.product.tracks_of(Medium::Video))
        {
            let info = &self.written.info.streams[stream];
            if !info.decodable {
                continue;
            }
            let at_most = match track.way.is_copy() {
                // Its source may have been broken off anywhere.
                true => usize::MAX,
                false => ENOUGH,
            };
            let decoded = self.decode(stream, at_most, cancel)?;
            let (frames, damaged) = (decoded.frames, decoded.damaged);
            if track.way.is_copy() {
                if decoded.disordered > 0 && !tells_times(&self.evidence.job.pipeline.input_format)
                {
                    return Err(out_of_order(track.stream));
                }
                if damaged > 0 || frames == 0 {
                    checked.salvage(format!(
                        "stream {}: the copied pictures do not all decode",
                        track.stream
                    ));
                }
            } else if damaged > 0 || frames == 0 {
                return Err(undecodable(stream));
            }
        }
        if self.wants_all() {
            for stream in self.streams(Medium::Audio) {
                if self.decode(stream, usize::MAX, cancel)?.damaged > 0 {
                    return Err(undecodable(stream));
                }
            }
        }
        Ok(())
    }

    fn wants_all(&self) -> bool {
        self.evidence.job.verify >= Depth::Decode
    }

    /// Decodes a stream: all of it where that is asked for, else so many packets at most
    /// from the last key frame on.
    fn decode(&mut self, stream: usize, at_most: usize, cancel: &Cancel) -> Result<Decoded> {
        let stretch = match self.wants_all() {
            true => Stretch::Whole,
            false => Stretch::Last { at_most },
        };
        self.written.decode(stream, stretch, cancel)
    }
}

/// The typical distance of two packets of a stream, in seconds.
fn usual_distance_s(span: &Span) -> f64 {
    match (span.first_us, span.last_us) {
        (Some(first), Some(last)) if span.packets > 1 => {
            last.saturating_sub(first) as f64 / 1e6 / (span.packets - 1) as f64
        }
        _ => 0.04,
    }
}
