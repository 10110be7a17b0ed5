//! What a file's packets say, whatever its container claims: how many there
//! are of each stream, and from when to when.

use std::path::Path;

use ffmpeg::{Packet, Rational};
use ffmpeg_next as ffmpeg;
use memchr::memmem;
use serde::{Deserialize, Serialize};

use super::Input;
use super::filter::rescale;
use super::structure::Damage;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// What was read of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// One entry a stream that was read, in the order in which they were named.
    pub streams: Vec<Span>,
    /// Why the reading ended before the file's end, where it did.
    pub ended_early: Option<String>,
    /// Where the file begins, in microseconds of its own clock.
    pub start_us: i64,
    /// Whether its clock jumped: then its container's words about its length are worth nothing.
    pub has_jumped: bool,
    /// Damage to the file's structure.
    #[serde(default)]
    pub damage: Box<Damage>,
}

/// What was read of a stream. Times are in microseconds from the file's beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The stream.
    pub stream: usize,
    /// Packets that are to be shown or heard.
    pub packets: u64,
    /// Those of them whose length is unknown.
    #[serde(default)]
    pub endless: u64,
    /// Those that show something: MPEG-4 text stores two zero bytes for a time without any.
    #[serde(default)]
    pub events: u64,
    /// Whether closed captions of television are among the pictures.
    #[serde(default)]
    pub captions: bool,
    /// Packets that the demuxer knows to be damaged.
    pub damaged: u64,
    /// Those before the first key frame.
    #[serde(default)]
    pub before_key: u64,
    /// Whether there is a key frame.
    #[serde(default)]
    pub has_key: bool,
    /// Whether the container does not tell when they are due: then what follows is when they are
    /// decoded.
    pub undated: bool,
    /// When the first is due.
    pub first_us: Option<i64>,
    /// When the last one begins.
    pub last_us: Option<i64>,
    /// When the last one ends, as far as its length is known.
    pub end_us: Option<i64>,
    /// Whether the length of the last one is unknown: then the stream ends later than `end_us`.
    #[serde(default)]
    pub open_end: bool,
    /// The longest time that goes by from one to the next, or that one of them takes.
    pub longest_us: i64,
    /// When that begins.
    pub longest_at_us: i64,
}

impl Survey {
    /// For these streams of a file.
    pub fn of(streams: &[usize]) -> Self {
        let span = |stream: &usize| Span {
            stream: *stream,
            ..Span::default()
        };
        Self {
            streams: streams.iter().map(span).collect(),
            ..Self::default()
        }
    }

    /// What is known of `stream`.
    pub fn span(&self, stream: usize) -> Option<&Span> {
        self.streams.iter().find(|span| span.stream == stream)
    }

    /// Takes note of a packet, its times in `time_base`.
    pub(super) fn note(&mut self, packet: &Packet, time_base: Rational) {
        let stream = packet.stream();
        if let Some(span) = self.streams.iter_mut().find(|span| span.stream == stream) {
            span.note(packet, time_base);
        }
    }

    /// The same with times of the file's own clock.
    #[must_use]
    pub(super) fn by_own_clock(mut self) -> Self {
        for span in &mut self.streams {
            for time in [&mut span.first_us, &mut span.last_us, &mut span.end_us] {
                *time = time.map(|time| time.saturating_add(self.start_us));
            }
        }
        self
    }

    /// When the last of all streams ends, in seconds.
    pub fn end_s(&self) -> f64 {
        self.end_us() as f64 / 1e6
    }

    /// The same in microseconds.
    pub(super) fn end_us(&self) -> i64 {
        let ends = self.streams.iter().filter_map(|span| span.end_us);
        ends.max().unwrap_or(0)
    }
}

impl Span {
    /// When the stream ends, in seconds from the file's beginning; a last packet of unknown length
    /// counts as long as the others on average. None where no packet has a time.
    pub fn end_s(&self) -> Option<f64> {
        let (first, last, end) = (self.first_us?, self.last_us?, self.end_us?);
        let others = self.packets.saturating_sub(1);
        let unknown_us = match self.open_end && others > 0 {
            true => last.saturating_sub(first) as f64 / others as f64,
            false => 0.0,
        };
        Some((end as f64 + unknown_us) / 1e6)
    }

    fn note(&mut self, packet: &Packet, time_base: Rational) {
        let flags = packet.flags();
        if flags.contains(ffmpeg::codec::packet::Flags::CORRUPT) {
            self.damaged += 1;
        }
        // SAFETY: the packet is valid; edit lists mark what is decoded and not shown.
        let discarded = unsafe {
            use ffmpeg::codec::packet::Ref;
            (*packet.as_ptr()).flags & ffmpeg::ffi::AV_PKT_FLAG_DISCARD != 0
        };
        // Also one that is not shown is decoded.
        self.has_key |= packet.is_key();
        if discarded || packet.size() == 0 {
            return;
        }
        self.packets += 1;
        self.before_key += u64::from(!self.has_key);
        self.events += u64::from(packet.data() != Some(&[0, 0]));
        self.captions = self.captions || packet.data().is_some_and(has_captions);
        self.endless += u64::from(packet.duration() <= 0);
        self.undated |= packet.pts().is_none();
        let Some(begin) = packet.pts().or(packet.dts()) else {
            return;
        };
        let micros = Rational::new(1, 1_000_000);
        let (begin, length) = (
            rescale(begin, time_base, micros),
            rescale(packet.duration().max(0), time_base, micros),
        );
        let end = begin.saturating_add(length);
        if self.end_us.is_none_or(|last| end >= last) {
            self.open_end = length == 0;
        }
        // Those that are shown before they are due by their order are no gap.
        let gap = self.last_us.map_or(0, |last| begin.saturating_sub(last));
        for (at, length) in [(self.last_us, gap), (Some(begin), length)] {
            if length > self.longest_us {
                (self.longest_us, self.longest_at_us) = (length, at.unwrap_or(begin));
            }
        }
        self.first_us = Some(self.first_us.map_or(begin, |first| first.min(begin)));
        self.last_us = Some(self.last_us.map_or(begin, |last| last.max(begin)));
        self.end_us = Some(self.end_us.map_or(end, |last| last.max(end)));
    }
}

/// How captions begin in H.264, HEVC and AV1 (ITU-T T.35: United States, ATSC), and in the user
/// data of MPEG-2 (ATSC A/53, part 4, 6.2.3).
const CAPTIONS: [&[u8]; 2] = [b"\xb5\x00\x31GA94", b"\x01\xb2GA94"];

/// They precede the picture in its packet.
const HEADERS: usize = 4096;

/// Whether a packet of video has closed captions.
fn has_captions(data: &[u8]) -> bool {
    let headers = data.get(..HEADERS).unwrap_or(data);
    let mut places = memmem::find_iter(headers, b"GA94");
    places.any(|place| {
        let mut begins = CAPTIONS.iter();
        begins.any(|begin| headers[..place + 4].ends_with(begin))
    })
}

/// Reads the packets of `streams` and decodes nothing.
///
/// # Errors
/// Where the file cannot be opened, or reading was cancelled.
pub fn survey(
    path: &Path,
    format: Option<&str>,
    streams: &[usize],
    cancel: &Cancel,
) -> Result<Survey> {
    read_all(&mut Input::open(path, format, cancel)?, streams, cancel)
}

/// As [`survey`], of a file that is open: reads it to its end.
pub(super) fn read_all(input: &mut Input, streams: &[usize], cancel: &Cancel) -> Result<Survey> {
    input.select(streams);
    let mut survey = Survey::of(streams);
    survey.start_us = input.start_us();
    loop {
        match input.read() {
            Ok(Some(packet)) => {
                let time_base = input.time_base(packet.stream());
                survey.note(&packet, time_base);
            }
            Ok(None) => break,
            Err(error) if error.is_no_damage() => return Err(error),
            Err(error) => {
                survey.ended_early = Some(error.chain());
                break;
            }
        }
        if cancel.is_set() {
            return Err(Error::interrupted());
        }
    }
    survey.has_jumped = input.has_jumped();
    survey.damage = input.damage();
    Ok(survey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_are_found_by_how_they_begin() {
        let sei = b"\0\0\0\x01\x06\x04\x47\xb5\x00\x31GA94\x03\xd4";
        let user_data = b"\0\0\x01\xb2GA94\x03\xd4";
        assert!(has_captions(sei) && has_captions(user_data));
        assert!(!has_captions(b"GA94") && !has_captions(b"\xb5\x00\x31GA9"));
        let late = [&[0; HEADERS][..], sei].concat();
        assert!(!has_captions(&late) && !has_captions(b""));
    }

    #[test]
    fn a_stream_ends_with_its_last_packet_whose_length_is_guessed_if_unknown() {
        let span = Span {
            packets: 5,
            first_us: Some(0),
            last_us: Some(400_000),
            end_us: Some(400_000),
            open_end: true,
            ..Span::default()
        };
        assert_eq!(span.end_s(), Some(0.5));
        let known = Span {
            open_end: false,
            ..span
        };
        assert_eq!(known.end_s(), Some(0.4));
        assert_eq!(Span::default().end_s(), None);
    }
}
