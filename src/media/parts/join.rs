//! What came of the parts, put into the files in their order.

use std::collections::BTreeMap;

use super::work::{Made, Spool};
use super::{Lane, Plan};
use crate::error::Result;
use crate::media::{Input, Muxer, Origin};

/// Parts in their order.
#[derive(Default)]
pub(super) struct Join {
    // Those that wait for others before them.
    waiting: BTreeMap<usize, Made>,
    joined: usize,
    lanes: Vec<Joined>,
    damaged: u64,
    unsuited: bool,
}

/// What is written of a lane.
#[derive(Default)]
struct Joined {
    // Of its packets, once there are any.
    kind: Option<u64>,
    frames: u64,
    position_s: f64,
}

impl Join {
    /// Adds what came of a part.
    pub(super) fn add(&mut self, made: Made) {
        self.unsuited |= made.strayed;
        self.waiting.insert(made.number, made);
    }

    /// Whether a part does not go with those before.
    pub(super) fn is_unsuited(&self) -> bool {
        self.unsuited
    }

    /// How many parts are written.
    pub(super) fn joined(&self) -> usize {
        self.joined
    }

    /// Writes all parts whose turn it is.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub(super) fn write(
        &mut self,
        plan: &Plan,
        origin: (&Input, usize),
        outputs: &mut [Muxer],
    ) -> Result<()> {
        self.lanes.resize_with(plan.lanes.len(), Joined::default);
        while !self.unsuited
            && let Some(made) = self.waiting.remove(&self.joined)
        {
            for ((spool, lane), joined) in made
                .tracks
                .into_iter()
                .zip(&plan.lanes)
                .zip(&mut self.lanes)
            {
                let output = &mut outputs[lane.product];
                self.unsuited |= !joined.append(spool, lane, origin, output)?;
            }
            // What another process kept may be any number.
            self.damaged = self.damaged.saturating_add(made.damaged);
            self.joined += 1;
        }
        Ok(())
    }

    /// Frames of a lane.
    pub(super) fn frames(&self, lane: usize) -> u64 {
        self.lanes.get(lane).map_or(0, |joined| joined.frames)
    }

    /// Where the last frame is, in seconds.
    pub(super) fn position_s(&self) -> f64 {
        self.lanes.first().map_or(0.0, |joined| joined.position_s)
    }

    /// Packets that could not be decoded.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Whether there was a frame in each lane.
    pub(super) fn has_begun(&self) -> bool {
        !self.lanes.is_empty() && self.lanes.iter().all(|joined| joined.kind.is_some())
    }
}

impl Joined {
    /// Writes what comes next; whether it is of the same kind as what came before.
    fn append(
        &mut self,
        spool: Spool,
        lane: &Lane,
        (input, stream): (&Input, usize),
        output: &mut Muxer,
    ) -> Result<bool> {
        match (self.kind, spool.kind) {
            (None, Some(_)) => {
                let Some(encoded) = spool.encoded else {
                    return Ok(false);
                };
                let origin = Origin::of(input, stream)?;
                output.encoded(lane.index, &encoded, lane.tag.as_deref(), Some(origin))?;
                self.kind = Some(encoded.kind());
            }
            (Some(before), Some(kind)) if before != kind => return Ok(false),
            _ => {}
        }
        for packet in spool.packets {
            output.write_leading(lane.index, packet)?;
        }
        self.frames = self.frames.saturating_add(spool.frames);
        if spool.frames > 0 {
            self.position_s = spool.position_s;
        }
        Ok(true)
    }
}
