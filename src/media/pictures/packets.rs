//! The packets around given times: read without being decoded, until it is sure
//! which of them is shown at each time.

use std::collections::BTreeSet;

use ffmpeg::codec::packet::Ref;
use ffmpeg::{Packet, Rational, ffi};
use ffmpeg_next as ffmpeg;

use crate::error::Result;
use crate::media::Input;
use crate::media::clock::{End, LastFrame};

/// So many bytes of packets are held at once: more than any stretch between two
/// key frames has that somebody would seek in.
const HELD: usize = 64 << 20;

/// So many packets more are read than should be needed: containers may lie a
/// little about decoding times, and no codec reorders by more (H.264, A.3.1).
const MARGIN: usize = 16;

/// Packets of one stream in order of decoding, from a key frame on.
pub(super) struct Packets<'a> {
    input: &'a mut Input,
    stream: usize,
    list: List,
    bytes: usize,
    // Times at which a frame begins.
    begins: BTreeSet<i64>,
    // The last decoding time that is known, at each packet.
    decoded_by: Vec<Option<i64>>,
    // Whether they begin where the file does.
    from_beginning: bool,
    ended: bool,
}

/// Packets of one stream in order of decoding.
#[derive(Default)]
pub(super) struct List(pub Vec<Packet>);

impl List {
    /// By how many packets the order of decoding differs from that of showing, at most.
    pub(super) fn reordered(&self) -> usize {
        let mut most = 0;
        for (number, packet) in self.0.iter().enumerate() {
            let before = &self.0[number.saturating_sub(2 * MARGIN)..number];
            let later = before.iter().filter(|other| other.pts() > packet.pts());
            most = most.max(later.count());
        }
        most
    }

    /// The stretch of the list to decode for the frame of `pts`: from the last key frame that is
    /// shown by then.
    pub(super) fn stretch(&self, pts: i64) -> Option<std::ops::RangeInclusive<usize>> {
        let position = self.0.iter().position(|packet| packet.pts() == Some(pts))?;
        let is_start = |packet: &Packet| packet.is_key() && packet.pts() <= Some(pts);
        let start = self.0[..=position].iter().rposition(is_start);
        Some(start.unwrap_or(0)..=position)
    }
}

/// What is shown at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// The frame of this pts.
    Frame(i64),
    /// Nothing: it is after the end, which is here, in ticks.
    AfterEnd(i64),
    /// The frame of this pts, the last one, if that is not over yet: its length is
    /// that of any frame, which the decoder tells once it has decoded one.
    Unsure(i64),
}

/// The source does not tell enough to be sought in.
#[derive(Debug)]
pub(super) struct Unsuited;

/// A result, or that the source does not tell enough for one.
pub(super) type Suited<T> = Result<std::result::Result<T, Unsuited>>;

impl<'a> Packets<'a> {
    /// Goes to a key frame that is shown at `time` or before, in ticks; to the
    /// beginning where there is none.
    pub(super) fn before(input: &'a mut Input, stream: usize, time: i64) -> Suited<Self> {
        let second = ticks_of(1, input.time_base(stream));
        let mut packets = Self {
            input,
            stream,
            list: List::default(),
            bytes: 0,
            begins: BTreeSet::new(),
            decoded_by: vec![],
            from_beginning: false,
            ended: false,
        };
        let mut back = 0;
        loop {
            let target = time.saturating_sub(back);
            // Nothing begins so long before the beginning.
            packets.from_beginning = target < -ticks_of(60, packets.input.time_base(stream));
            let target = if packets.from_beginning {
                i64::MIN
            } else {
                target
            };
            packets.forget();
            if !packets.input.seek_in(stream, target) {
                return Ok(Err(Unsuited));
            }
            match packets.starts_by(time)? {
                Err(unsuited) => return Ok(Err(unsuited)),
                Ok(true) => return Ok(Ok(packets)),
                Ok(false) => back = back.saturating_mul(4).max(second),
            }
        }
    }

    /// What was read.
    pub(super) fn into_list(self) -> List {
        self.list
    }

    fn decoded_by(&self) -> Option<i64> {
        self.decoded_by.last().copied().flatten()
    }

    fn forget(&mut self) {
        self.list.0.clear();
        self.begins.clear();
        self.decoded_by.clear();
        self.bytes = 0;
        self.ended = false;
    }

    /// Reads up to the first packet to begin with; whether that is shown by `time`.
    fn starts_by(&mut self, time: i64) -> Suited<bool> {
        loop {
            if let Err(unsuited) = self.read()? {
                return Ok(Err(unsuited));
            }
            if self.from_beginning {
                return Ok(Ok(true));
            }
            let Some(packet) = self.list.0.last().filter(|_| !self.ended) else {
                return Ok(Ok(false));
            };
            if packet.is_key() {
                let is_early = packet.pts().is_some_and(|pts| pts <= time);
                let key = self.list.0.pop();
                self.forget();
                key.into_iter().for_each(|key| self.hold(key));
                return Ok(Ok(is_early));
            }
            if self.decoded_by() > Some(time) {
                return Ok(Ok(false));
            }
        }
    }

    /// Reads one packet, or the end.
    fn read(&mut self) -> Suited<()> {
        loop {
            let packet = match self.input.read() {
                Ok(Some(packet)) => packet,
                Ok(None) => {
                    self.ended = true;
                    return Ok(Ok(()));
                }
                Err(error) if error.is_no_damage() => return Err(error),
                // That is told where it is read from the beginning on.
                Err(_) => return Ok(Err(Unsuited)),
            };
            if packet.stream() != self.stream {
                continue;
            }
            // Some demuxers do not know the decoding times of the first ones.
            let falls = packet
                .dts()
                .is_some_and(|dts| self.decoded_by() > Some(dts));
            let is_late = packet.pts() < packet.dts();
            if packet.pts().is_none() || falls || is_late || self.bytes > HELD {
                return Ok(Err(Unsuited));
            }
            self.hold(packet);
            return Ok(Ok(()));
        }
    }

    fn hold(&mut self, packet: Packet) {
        // SAFETY: the packet is valid; edit lists mark what is decoded and not shown.
        let is_hidden = unsafe { (*packet.as_ptr()).flags & ffi::AV_PKT_FLAG_DISCARD != 0 };
        self.bytes += packet.size();
        self.decoded_by.push(packet.dts().or(self.decoded_by()));
        if let Some(pts) = packet.pts().filter(|_| !is_hidden && packet.size() > 0) {
            self.begins.insert(pts);
        }
        self.list.0.push(packet);
    }

    /// What is shown at `time`, given that frames of `hidden` never are: reads on
    /// until no later packet can be. What follows has a larger decoding time, and
    /// no frame is shown before it is decoded.
    pub(super) fn at(
        &mut self,
        time: i64,
        hidden: &BTreeSet<i64>,
        frame_rate: Option<Rational>,
    ) -> Suited<At> {
        let decided = |packets: &Self| {
            let by = if packets.from_beginning {
                // Before the first frame, that is what is shown.
                packets
                    .first(hidden)
                    .map_or(i64::MAX, |first| time.max(first))
            } else {
                time
            };
            let sure = packets.list.0.len().checked_sub(MARGIN + 1);
            sure.is_some_and(|sure| packets.decoded_by[sure] > Some(by))
        };
        while !self.ended && !decided(self) {
            if let Err(unsuited) = self.read()? {
                return Ok(Err(unsuited));
            }
        }
        if self.ended
            && let Some(last) = self.last(hidden)
            && time > last
        {
            return Ok(self.at_end(last, time, (hidden, frame_rate)));
        }
        let mut shown = self.begins.range(..=time).rev();
        let shown = shown.find(|pts| !hidden.contains(pts)).copied();
        let shown = shown.or_else(|| self.from_beginning.then(|| self.first(hidden))?);
        Ok(shown.map(At::Frame).ok_or(Unsuited))
    }

    fn first(&self, hidden: &BTreeSet<i64>) -> Option<i64> {
        self.begins.difference(hidden).next().copied()
    }

    fn last(&self, hidden: &BTreeSet<i64>) -> Option<i64> {
        let mut backwards = self.begins.iter().rev();
        backwards.find(|pts| !hidden.contains(pts)).copied()
    }

    /// What is shown at a time after the last frame has begun.
    fn at_end(
        &self,
        last: i64,
        time: i64,
        (hidden, codec_rate): (&BTreeSet<i64>, Option<Rational>),
    ) -> std::result::Result<At, Unsuited> {
        let packet = self.list.0.iter().find(|packet| packet.pts() == Some(last));
        let mut before = self.begins.range(..last).rev();
        let previous = before.find(|pts| !hidden.contains(pts)).copied();
        let frame = LastFrame {
            time_base: self.input.time_base(self.stream),
            pts: last,
            duration: packet.map_or(0, Packet::duration),
            previous,
            is_only: previous.is_none() && self.from_beginning,
            codec_rate,
            average_rate: self.input.average_rate(self.stream),
        };
        match frame.end() {
            End::NeedsRate => Ok(At::Unsure(last)),
            End::NeedsPrevious => Err(Unsuited),
            End::At(end) if time < end => Ok(At::Frame(last)),
            End::At(end) => Ok(At::AfterEnd(end)),
        }
    }
}

/// So many seconds in ticks.
pub(super) fn ticks_of(seconds: i64, time_base: Rational) -> i64 {
    crate::media::filter::rescale(seconds, Rational(1, 1), time_base).max(1)
}
