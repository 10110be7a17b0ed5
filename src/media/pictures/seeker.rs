//! Decodes what is shown at times that lie together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ffmpeg_next::{Frame, Packet, Rational};

use super::chooser::{Instant, mark};
use super::packets::{At, Packets, Suited, Unsuited};
use super::studio::Studio;
use crate::error::Result;
use crate::media::Input;
use crate::media::decode::{Decoder, is_intra};
use crate::recipe::Times;

/// A group is tried so often: first without the frames that no other needs, then
/// with all, then knowing which packets gave none.
const TRIES: usize = 5;

/// One thread's way into the source.
pub(super) struct Seeker<'a, 'b, 'w> {
    studio: &'a Studio<'b, 'w>,
    times: &'a Times,
    pub input: Input,
    decoder: Decoder,
    // Known once a frame was decoded.
    frame_rate: Option<Rational>,
}

/// Frames that are wanted, by pts, and the positions of the times at which they are shown.
type Wanted = BTreeMap<i64, Vec<usize>>;

/// What a look at the packets brought.
struct Sighted<'s> {
    packets: Packets<'s>,
    wanted: Wanted,
    // Where the last frame ends, in ticks, where that was seen.
    end: Option<i64>,
    // Positions of times of which that is not known yet.
    unsure: Vec<usize>,
}

impl<'a, 'b, 'w> Seeker<'a, 'b, 'w> {
    pub(super) fn open(studio: &'a Studio<'b, 'w>, times: &'a Times) -> Result<Self> {
        let (input, decoder) = studio.open()?;
        Ok(Self {
            studio,
            times,
            input,
            decoder,
            frame_rate: None,
        })
    }

    /// The time at that position in the stream's ticks, rounded down: a frame
    /// that begins in the middle of a tick there is none.
    pub(super) fn time_of(&self, position: usize) -> Option<i64> {
        let mark = mark(self.times, position)?;
        let time = Instant::of_mark(mark, self.times.unit);
        Some(time.ticks_in(self.input.time_base(self.studio.stream)))
    }

    /// Takes the pictures at those positions of the times; tells where the last frame
    /// ends, where that was seen: then there is none for times from there on.
    pub(super) fn take(&mut self, positions: Range<usize>) -> Suited<Option<i64>> {
        let mut left: Vec<usize> = positions.collect();
        let (mut hidden, mut end) = (BTreeSet::new(), None);
        for attempt in 0..TRIES {
            let damaged = self.decoder.damaged();
            let stream = self.studio.stream;
            let times: Vec<(usize, i64)> = left
                .iter()
                .filter_map(|position| Some((*position, self.time_of(*position)?)))
                .collect();
            let look = Look {
                stream,
                hidden: &hidden,
                frame_rate: self.frame_rate,
            };
            let mut sighted = match look.sight(&mut self.input, &times)? {
                Err(unsuited) => return Ok(Err(unsuited)),
                Ok(sighted) => sighted,
            };
            end = end.or(sighted.end);
            let unsure = std::mem::take(&mut sighted.unsure);
            // Times that tell of another order than the decoder's are wrong; to see
            // that they are, all frames are looked at.
            let (told, known) = (sighted.packets.reordered(), self.decoder.reordered());
            if told > known {
                return Ok(Err(Unsuited));
            }
            let skip = attempt == 0 && (told > 0 || known == 0);
            let missing = match decode(&mut self.decoder, self.studio, sighted, skip)? {
                Err(unsuited) => return Ok(Err(unsuited)),
                Ok(missing) => missing,
            };
            if self.decoder.damaged() > damaged || self.decoder.has_guessed() {
                // What a player shows then depends on all that came before.
                return Ok(Err(Unsuited));
            }
            self.frame_rate = Some(self.decoder.frame_rate());
            if !skip {
                hidden.extend(missing.keys());
            }
            left = missing.into_values().flatten().chain(unsure).collect();
            left.sort_unstable();
            if left.is_empty() {
                return Ok(Ok(end));
            }
        }
        Ok(Err(Unsuited))
    }
}

/// What is known when packets are looked at.
struct Look<'h> {
    stream: usize,
    // Times of packets that give no frame.
    hidden: &'h BTreeSet<i64>,
    frame_rate: Option<Rational>,
}

impl Look<'_> {
    /// Finds out which frames are shown at `times` (position, ticks), which are in order.
    fn sight<'s>(&self, input: &'s mut Input, times: &[(usize, i64)]) -> Suited<Sighted<'s>> {
        let first = times.first().map_or(0, |(_, time)| *time);
        let packets = match Packets::before(input, self.stream, first)? {
            Ok(packets) => packets,
            Err(unsuited) => return Ok(Err(unsuited)),
        };
        let mut sighted = Sighted {
            packets,
            wanted: Wanted::new(),
            end: None,
            unsure: vec![],
        };
        for (number, (position, time)) in times.iter().enumerate() {
            match sighted.packets.at(*time, self.hidden, self.frame_rate)? {
                Err(unsuited) => return Ok(Err(unsuited)),
                Ok(At::Frame(pts)) => sighted.wanted.entry(pts).or_default().push(*position),
                Ok(At::AfterEnd(end)) => {
                    sighted.end = Some(end);
                    break;
                }
                Ok(At::Unsure(last)) => {
                    sighted.wanted.entry(last).or_default();
                    let rest = times[number..].iter();
                    sighted.unsure = rest.map(|(position, _)| *position).collect();
                    break;
                }
            }
        }
        Ok(Ok(sighted))
    }
}

/// Decodes what is wanted and needed for it; gives back what of it did not come.
fn decode(decoder: &mut Decoder, studio: &Studio, sighted: Sighted, skip: bool) -> Suited<Wanted> {
    let Sighted {
        packets, wanted, ..
    } = sighted;
    let mut needed = vec![false; packets.list.len()];
    for stretch in wanted.keys().filter_map(|pts| packets.stretch(*pts)) {
        needed[stretch].fill(true);
    }
    let mut decoding = Decoding {
        decoder,
        studio,
        wanted,
        start: None,
        lied: false,
    };
    for (packet, needed) in packets.list.into_iter().zip(needed) {
        if needed {
            decoding.take(packet, skip)?;
        } else if decoding.start.is_some() {
            decoding.finish()?;
        }
    }
    if decoding.start.is_some() {
        decoding.finish()?;
    }
    Ok(match decoding.lied {
        true => Err(Unsuited),
        false => Ok(decoding.wanted),
    })
}

/// Stretches of packets, each from a key frame on, being decoded.
struct Decoding<'d, 'a, 'w> {
    decoder: &'d mut Decoder,
    studio: &'d Studio<'a, 'w>,
    wanted: Wanted,
    // The pts of the first packet of the stretch at hand.
    start: Option<i64>,
    // Whether what should have been a key frame was none.
    lied: bool,
}

impl Decoding<'_, '_, '_> {
    fn take(&mut self, packet: Packet, skip: bool) -> Result<()> {
        let pts = packet.pts().unwrap_or(i64::MIN);
        self.start.get_or_insert(pts);
        let is_wanted = self.wanted.contains_key(&pts);
        self.decoder.skip_unreferenced(skip && !is_wanted);
        self.pass(Some(packet))
    }

    /// Gets all out of the decoder, and makes it ready for another stretch.
    fn finish(&mut self) -> Result<()> {
        self.pass(None)?;
        self.decoder.restart();
        self.start = None;
        Ok(())
    }

    fn pass(&mut self, packet: Option<Packet>) -> Result<()> {
        let Self {
            decoder,
            studio,
            wanted,
            start,
            lied,
        } = self;
        let mut reached_s = None;
        decoder.decode(packet, |frame: Frame, time_base| {
            *lied |= frame.pts() == *start && !is_intra(&frame);
            let pts = frame.pts().unwrap_or(i64::MIN);
            if let Some(positions) = wanted.remove(&pts) {
                let numbers: Vec<u64> = positions.iter().map(|at| *at as u64 + 1).collect();
                if !numbers.is_empty() {
                    studio.picture(&numbers, &frame)?;
                }
                reached_s = Some(pts as f64 * f64::from(time_base));
            }
            Ok(())
        })?;
        self.studio.advance(reached_s.unwrap_or(0.0))
    }
}
