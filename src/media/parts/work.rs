//! A part, decoded, filtered and encoded.

use std::sync::Arc;

use ffmpeg_next::Packet;

use super::crew::Tally;
use super::{Lane, Plan};
use crate::error::{Kind, Result};
use crate::media::chain::{Chain, Port, Stamped};
use crate::media::decode::{Decoder, StreamFacts, is_intra};
use crate::media::encode::Encoded;

/// A part of a stream; its times are in the stream's ticks.
pub(super) struct Part {
    /// Its position, from 0.
    pub number: usize,
    /// How many threads its encoders may use at least.
    pub threads: usize,
    /// What a decoder must know.
    pub facts: StreamFacts,
    /// The stream's first packet, where the part does not begin with it: it tells
    /// decoders more than its pictures, such as which encoder's faults to expect.
    pub first: Option<Packet>,
    /// All that is needed to decode its pictures, in that order.
    pub packets: Vec<Packet>,
    /// The time of its first frame; the first part has all before its end.
    pub from: Option<i64>,
    /// The time of the first frame of the next part, which is not made here;
    /// the last part has all from its beginning on.
    pub until: Option<i64>,
}

/// What came of a part.
pub(super) struct Made {
    /// Its part's position.
    pub number: usize,
    /// As those of its part.
    pub from: Option<i64>,
    pub until: Option<i64>,
    /// What was encoded, one a lane.
    pub tracks: Vec<Spool>,
    /// Packets that could not be decoded.
    pub damaged: u64,
    /// Whether its frames are not those that its packets promised.
    pub strayed: bool,
}

/// Encoded packets that wait for those before them.
#[derive(Default)]
pub(super) struct Spool {
    /// What they are of; none where there was no frame, or another process encoded it.
    pub encoded: Option<Encoded>,
    /// [`Encoded::kind`] of that; none where there was no frame.
    pub kind: Option<u64>,
    /// In the encoder's order and ticks.
    pub packets: Vec<Packet>,
    /// Frames that were encoded.
    pub frames: u64,
    /// Where the last of them is, in seconds.
    pub position_s: f64,
    /// From the first of them to the last, in seconds.
    pub length_s: f64,
    /// Whether its encoder keeps its header out of the packets.
    pub global_header: bool,
}

impl Port for Spool {
    fn wants_global_header(&self) -> bool {
        self.global_header
    }

    fn describe(&mut self, encoded: Encoded) -> Result<()> {
        self.kind = Some(encoded.kind());
        self.encoded = Some(encoded);
        Ok(())
    }

    fn write(&mut self, packet: Packet) -> Result<()> {
        self.packets.push(packet);
        Ok(())
    }
}

impl Made {
    /// How much it is.
    pub(super) fn sums(&self) -> Sums {
        let first = self.tracks.first();
        first.map_or_else(Sums::default, |track| Sums {
            frames: track.frames,
            length_s: track.length_s,
        })
    }
}

/// A part at work.
pub(super) struct Work {
    part: Part,
    plan: Arc<Plan>,
    run: Run,
    tried_again: bool,
}

/// One attempt at a part.
struct Run {
    decoder: Decoder,
    chains: Vec<(Chain, Spool)>,
    // How many packets were decoded.
    decoded: usize,
    first: Option<i64>,
    strayed: bool,
    done: bool,
}

impl Work {
    /// # Errors
    /// Where its decoder cannot be opened.
    pub(super) fn begin(part: Part, plan: &Arc<Plan>) -> Result<Self> {
        let run = Run::begin(&part, plan)?;
        Ok(Self {
            part,
            plan: Arc::clone(plan),
            run,
            tried_again: false,
        })
    }

    /// Works on the next packet, and counts for `tally`; what came of the part
    /// where that was the last one. A part that fails is begun once more.
    ///
    /// # Errors
    /// Where it fails again.
    pub(super) fn step(&mut self, tally: &Tally) -> Result<Option<Made>> {
        let before = self.run.so_far();
        let ended = match self.run.step(&self.part) {
            Err(error) if error.kind() != Kind::Interrupted && !self.tried_again => {
                self.tried_again = true;
                self.run = Run::begin(&self.part, &self.plan)?;
                tally.add(before, Sums::default());
                return Ok(None);
            }
            ended => ended?,
        };
        tally.add(before, self.run.so_far());
        Ok(ended.then(|| self.run.made(&self.part)))
    }

    /// What came of the part is `kept`, made by another process: says what its packets are of,
    /// by opening the same encoders.
    ///
    /// # Errors
    /// As [`Work::step`].
    pub(super) fn describe(mut self, mut kept: Made) -> Result<Made> {
        let nobody = Tally::default();
        loop {
            if let Some(made) = self.step(&nobody)? {
                return Ok(made);
            }
            let mut lanes = self.run.chains.iter().zip(&kept.tracks);
            if lanes.all(|((_, spool), track)| spool.kind.is_some() || track.kind.is_none()) {
                break;
            }
        }
        for ((_, spool), track) in self.run.chains.iter_mut().zip(&mut kept.tracks) {
            track.encoded = spool.encoded.take();
        }
        Ok(kept)
    }

    /// Whether all of it is made.
    pub(super) fn is_done(&self) -> bool {
        self.run.done
    }

    /// Ends without what the encoders still hold.
    pub(super) fn abandon(self) {
        for (mut chain, _) in self.run.chains {
            chain.abandon();
        }
    }
}

/// How much of a part is made.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    /// Frames of its first lane.
    pub frames: u64,
    /// Seconds of the source.
    pub length_s: f64,
}

impl Run {
    fn begin(part: &Part, plan: &Plan) -> Result<Self> {
        let threads = plan.codec_threads.max(part.threads);
        let chain = |lane: &Lane| {
            let chain = Chain::video(part.facts.frame_rate, &lane.way, threads);
            let spool = Spool {
                global_header: lane.global_header,
                ..Spool::default()
            };
            (chain, spool)
        };
        let mut decoder = Decoder::of(&part.facts, plan.codec_threads)?;
        if let Some(first) = &part.first {
            decoder.decode(Some(first.clone()), |_, _| Ok(()))?;
            decoder.restart();
            decoder.show_all();
        }
        Ok(Self {
            decoder,
            chains: plan.lanes.iter().map(chain).collect(),
            decoded: 0,
            first: None,
            strayed: false,
            done: false,
        })
    }

    /// Decodes the next packet, or what is left; whether that was all.
    fn step(&mut self, part: &Part) -> Result<bool> {
        let packet = part.packets.get(self.decoded).cloned();
        self.decoded += 1;
        self.done = packet.is_none();
        let Self {
            decoder,
            chains,
            first,
            strayed,
            ..
        } = self;
        decoder.decode(packet, |mut frame, time_base| {
            let Some(pts) = frame.pts() else {
                *strayed = true;
                return Ok(());
            };
            if part.until.is_some_and(|until| pts >= until) {
                // Of the next part, and only decoded for others' sake.
                *strayed |= Some(pts) != part.until;
                return Ok(());
            }
            *strayed |= part.from.is_some_and(|from| pts < from);
            if first.is_none() {
                *first = Some(pts);
                *strayed |= part
                    .from
                    .is_some_and(|from| pts != from || !is_intra(&frame));
            }
            let mut left = chains.len();
            for (chain, spool) in chains.iter_mut() {
                left -= 1;
                let stamp = Stamped {
                    time_base,
                    is_last_use: left == 0,
                };
                chain.take(&mut frame, stamp, spool)?;
            }
            Ok(())
        })?;
        if self.done {
            let end = part.until.unwrap_or(self.decoder.end());
            for (chain, spool) in &mut self.chains {
                chain.drain(end, spool)?;
            }
            // What is missing may be there where all is decoded from the beginning.
            let is_whole = self.first.is_some() && self.decoder.damaged() == 0;
            self.strayed |= part.from.is_some() && !is_whole;
        }
        Ok(self.done)
    }

    fn so_far(&self) -> Sums {
        let chain = self.chains.first();
        chain.map_or_else(Sums::default, |(chain, _)| Sums {
            frames: chain.frames(),
            length_s: chain.length_s(),
        })
    }

    fn made(&mut self, part: &Part) -> Made {
        let spools = self.chains.drain(..).map(|(chain, mut spool)| {
            spool.frames = chain.frames();
            spool.position_s = chain.position_s();
            spool.length_s = chain.length_s();
            spool
        });
        Made {
            number: part.number,
            from: part.from,
            until: part.until,
            tracks: spools.collect(),
            damaged: self.decoder.damaged(),
            strayed: self.strayed,
        }
    }
}
