//! Decodes what is shown at times that lie together.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ffmpeg_next::{Frame, Packet, Rational};

use super::chooser::{Instant, mark};
use super::packets::{At, List, Packets, Suited, Unsuited};
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
    // Whether frames are known to come in the order of their times.
    trusted: bool,
}

/// Frames that are wanted, by pts, and the positions of the times at which they are shown.
type Wanted = BTreeMap<i64, Vec<usize>>;

/// What a look at the packets brought.
#[derive(Default)]
struct Sighted {
    packets: List,
    wanted: Wanted,
    // Where the last frame ends, in ticks, where that was seen.
    end: Option<i64>,
    // Positions of times of which that is not known yet.
    unsure: Vec<usize>,
}

impl Sighted {
    /// Has all packets decoded.
    fn look_at_all(&mut self) {
        for pts in self.packets.0.iter().filter_map(Packet::pts) {
            self.wanted.entry(pts).or_default();
        }
    }
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
            trusted: false,
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
        let mut group = Group {
            left: positions.collect(),
            hidden: BTreeSet::new(),
            end: None,
        };
        for attempt in 0..TRIES {
            if let Err(unsuited) = self.attempt(&mut group, attempt == 0)? {
                return Ok(Err(unsuited));
            }
            if group.left.is_empty() {
                return Ok(Ok(group.end));
            }
        }
        Ok(Err(Unsuited))
    }

    /// Takes what is left of `group`; `skip` passes over frames that no other needs.
    fn attempt(&mut self, group: &mut Group, skip: bool) -> Suited<()> {
        let mut sighted = match self.sight(group)? {
            Err(unsuited) => return Ok(Err(unsuited)),
            Ok(sighted) => sighted,
        };
        group.end = group.end.or(sighted.end);
        let unsure = std::mem::take(&mut sighted.unsure);
        let (told, known) = (sighted.packets.reordered(), self.decoder.reordered());
        // Times may tell of another order than there is: that shows in what the
        // decoder makes of a number of frames, all of them decoded.
        let doubt = known > 0 && !self.trusted;
        if doubt {
            sighted.look_at_all();
        }
        let skip = skip && !doubt;
        let damaged = self.decoder.damaged();
        let missing = match decode(&mut self.decoder, self.studio, sighted, skip)? {
            // What a player shows of what is damaged depends on all that came before.
            Ok(_) if self.decoder.damaged() > damaged => return Ok(Err(Unsuited)),
            Ok(_) if self.decoder.has_guessed() || told > known => return Ok(Err(Unsuited)),
            Err(unsuited) => return Ok(Err(unsuited)),
            Ok(missing) => missing,
        };
        self.frame_rate = Some(self.decoder.frame_rate());
        self.trusted |= doubt;
        if !skip {
            group.hidden.extend(missing.keys());
        }
        group.left = missing.into_values().flatten().chain(unsure).collect();
        group.left.sort_unstable();
        Ok(Ok(()))
    }

    fn sight(&mut self, group: &Group) -> Suited<Sighted> {
        let timed = |position: &usize| Some((*position, self.time_of(*position)?));
        let times: Vec<(usize, i64)> = group.left.iter().filter_map(timed).collect();
        let look = Look {
            stream: self.studio.stream,
            hidden: &group.hidden,
            frame_rate: self.frame_rate,
        };
        look.sight(&mut self.input, &times)
    }
}

/// Times that are decoded together.
struct Group {
    // Positions of those that have no picture yet.
    left: Vec<usize>,
    // Times of packets that give no frame.
    hidden: BTreeSet<i64>,
    // Where the last frame ends, in ticks, where that was seen.
    end: Option<i64>,
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
    fn sight(&self, input: &mut Input, times: &[(usize, i64)]) -> Suited<Sighted> {
        let first = times.first().map_or(0, |(_, time)| *time);
        let mut packets = match Packets::before(input, self.stream, first)? {
            Ok(packets) => packets,
            Err(unsuited) => return Ok(Err(unsuited)),
        };
        let mut sighted = Sighted::default();
        for (number, (position, time)) in times.iter().enumerate() {
            match packets.at(*time, self.hidden, self.frame_rate)? {
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
        sighted.packets = packets.into_list();
        Ok(Ok(sighted))
    }
}

/// Decodes what is wanted and needed for it; gives back what of it did not come.
fn decode(decoder: &mut Decoder, studio: &Studio, sighted: Sighted, skip: bool) -> Suited<Wanted> {
    let Sighted {
        packets, wanted, ..
    } = sighted;
    let mut needed = vec![false; packets.0.len()];
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
    for (packet, needed) in packets.0.into_iter().zip(needed) {
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
