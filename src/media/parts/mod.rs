//! A film in parts: cut at key frames, encoded side by side, joined without a seam.
//!
//! The job's thread reads the source once. What is to be encoded of its pictures
//! goes to parts (`cutter`); each is decoded, filtered and encoded by itself
//! (`work`), on the job's thread or on one that is lent to it (`crew`); what
//! comes of them goes to the files in their order (`join`). All else of the
//! source takes its usual way meanwhile.

mod checkpoint;
mod crew;
mod cutter;
mod join;
mod record;
mod work;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ffmpeg_next::Packet;

use self::checkpoint::Checkpoint;
use self::crew::Crew;
use self::cutter::Cutter;
use self::join::Join;
use self::work::{Made, Part, Sums, Work};
use super::decode::StreamFacts;
use super::{Input, Muxer};
use crate::engine::Watch;
use crate::error::Result;
use crate::job::{MediaJob, PartLength, Progress};
use crate::recipe::{Pipeline, VideoWay, Way};

/// So long the job's thread waits for the others in one go.
const TICK: Duration = Duration::from_millis(20);

/// A track that is encoded in parts.
struct Lane {
    /// Its product's position in the pipeline.
    product: usize,
    /// Its own position in the product.
    index: usize,
    way: VideoWay,
    tag: Option<String>,
    /// Whether its file keeps stream headers apart.
    global_header: bool,
}

/// What becomes of every part.
struct Plan {
    lanes: Vec<Lane>,
    codec_threads: usize,
}

/// A stream of the source that is encoded in parts.
pub(super) struct Parted {
    stream: usize,
    cutter: Cutter,
    crew: Crew,
    // The part that this thread is at.
    own: Option<Work>,
    join: Join,
    // Where others find what is made, should this process be killed.
    checkpoint: Option<Checkpoint>,
    // Whether it is known what the packets of others are of.
    described: bool,
    plan: Arc<Plan>,
    // How many threads may work on parts at this moment.
    threads: usize,
    told: Progress,
}

impl Parted {
    /// The stream that is to be encoded in parts, if `watch` asks for that and
    /// the source and its pipeline allow it.
    pub(super) fn of(
        input: &Input,
        job: &MediaJob,
        outputs: &mut [Muxer],
        watch: &Watch,
    ) -> Result<Option<Self>> {
        let (Some(length), Some(duration_s)) = (watch.part_length(), job.duration_s) else {
            return Ok(None);
        };
        if !input.has_own_timestamps() {
            // Its frames get their times from those before them.
            return Ok(None);
        }
        let is_asked_for = matches!(length, PartLength::Seconds(_));
        let Some(stream) = job.pipeline.stream_to_cut(is_asked_for) else {
            return Ok(None);
        };
        let plan = Arc::new(Plan::of(&job.pipeline, stream, outputs));
        for lane in &plan.lanes {
            outputs[lane.product].hold();
        }
        let facts = StreamFacts::of(input, stream)?;
        Ok(Some(Self {
            stream,
            cutter: Cutter::new(facts, length, duration_s),
            crew: Crew::new(&plan),
            own: None,
            join: Join::default(),
            checkpoint: None,
            described: false,
            plan,
            threads: 1,
            told: Progress::default(),
        }))
    }

    /// The same for a job that writes `target`, parts of which other processes may
    /// have made, and others may need.
    pub(super) fn going_on(mut self, target: Option<&Path>) -> Self {
        self.checkpoint = target.and_then(Checkpoint::of);
        self
    }

    /// The source's stream.
    pub(super) fn stream(&self) -> usize {
        self.stream
    }

    /// Whether it turned out that parts cannot be made so that nothing shows.
    pub(super) fn is_unsuited(&self) -> bool {
        self.cutter.is_unsuited() || self.join.is_unsuited()
    }

    /// Takes a packet of its stream.
    ///
    /// # Errors
    /// Where a part was made before, and its encoders cannot be opened now.
    pub(super) fn packet(&mut self, packet: Packet) -> Result<()> {
        match self.cutter.take(packet)? {
            Some(part) => self.add(part),
            None => Ok(()),
        }
    }

    /// Has `part` made, unless it was made before.
    fn add(&mut self, part: Part) -> Result<()> {
        let kept = self.checkpoint.as_mut().and_then(|it| it.take(&part));
        let Some(mut made) = kept.filter(|made| made.tracks.len() == self.plan.lanes.len()) else {
            self.crew.add(part);
            return Ok(());
        };
        if !self.described {
            self.described = made.tracks.iter().all(|track| track.kind.is_some());
            made = Work::begin(part, &self.plan)?.describe(made)?;
        }
        self.crew.tally().add(Sums::default(), made.sums());
        self.join.add(made);
        Ok(())
    }

    /// Takes what came of a part just now.
    fn take(&mut self, made: Made) {
        if let Some(checkpoint) = &mut self.checkpoint {
            checkpoint.keep(&made);
        }
        self.join.add(made);
    }

    /// Works on what there is until there is room for more.
    ///
    /// # Errors
    /// Where a part fails twice, a file cannot be written, or the job must stop.
    pub(super) fn make_room(
        &mut self,
        input: &Input,
        outputs: &mut [Muxer],
        watch: &mut Watch,
    ) -> Result<()> {
        loop {
            self.turn(input, outputs, watch)?;
            // One that waits for each thread, so that none has to.
            if self.is_unsuited() || self.crew.waiting() < self.threads {
                return Ok(());
            }
            self.work()?;
        }
    }

    /// Takes the end of its stream, and works until all is written.
    ///
    /// # Errors
    /// As [`Parted::make_room`].
    pub(super) fn drain(
        &mut self,
        input: &Input,
        outputs: &mut [Muxer],
        watch: &mut Watch,
    ) -> Result<()> {
        if let Some(part) = self.cutter.end() {
            self.add(part)?;
        }
        loop {
            self.turn(input, outputs, watch)?;
            if self.is_unsuited() {
                return Ok(());
            }
            if self.join.joined() == self.cutter.parts() {
                break;
            }
            self.work()?;
        }
        outputs.iter_mut().try_for_each(Muxer::release_all)
    }

    /// What is due between two pieces of work.
    fn turn(&mut self, input: &Input, outputs: &mut [Muxer], watch: &mut Watch) -> Result<()> {
        self.threads = watch.hands();
        self.crew.lend(self.threads - 1);
        while let Some(made) = self.crew.made(Duration::ZERO)? {
            self.take(made);
        }
        self.join.write(&self.plan, (input, self.stream), outputs)?;
        let progress = self.progress(outputs);
        if progress == self.told {
            return watch.wait();
        }
        self.told = progress;
        watch.advance(progress)
    }

    fn work(&mut self) -> Result<()> {
        if self.own.is_none()
            && let Some(part) = self.crew.take()
        {
            self.own = Some(Work::begin(part, &self.plan)?);
        }
        let made = match &mut self.own {
            Some(work) => work.step(self.crew.tally())?,
            None => self.crew.made(TICK)?,
        };
        if let Some(made) = made {
            if self.own.as_ref().is_some_and(|own| own.is_done()) {
                self.own = None;
            }
            self.take(made);
        }
        Ok(())
    }

    /// How far all parts together are.
    pub(super) fn progress(&self, outputs: &[Muxer]) -> Progress {
        let (frames, position_s) = self.crew.tally().sums();
        Progress {
            frames,
            position_s,
            bytes: outputs.iter().map(Muxer::bytes).sum(),
        }
    }

    /// Frames of the first track of a product, where that is one of its lanes.
    pub(super) fn written(&self, product: usize) -> Option<u64> {
        let is_it = |lane: &Lane| lane.product == product && lane.index == 0;
        let lane = self.plan.lanes.iter().position(is_it)?;
        Some(self.join.frames(lane))
    }

    /// Where the last frame is, in seconds.
    pub(super) fn position_s(&self) -> f64 {
        self.join.position_s()
    }

    /// Packets that could not be decoded.
    pub(super) fn damaged(&self) -> u64 {
        self.join.damaged()
    }

    /// Whether no picture ever came.
    pub(super) fn is_dead(&self) -> bool {
        !self.join.has_begun()
    }

    /// Ends without what the encoders still hold.
    pub(super) fn abandon(&mut self) {
        self.crew.abandon();
        if let Some(own) = self.own.take() {
            own.abandon();
        }
    }
}

impl Plan {
    fn of(pipeline: &Pipeline, stream: usize, outputs: &[Muxer]) -> Self {
        let mut lanes = Vec::new();
        for (product, plan) in pipeline.products.iter().enumerate() {
            for (index, track) in plan.tracks.iter().enumerate() {
                if let (true, Way::Video(way)) = (track.stream == stream, &track.way) {
                    lanes.push(Lane {
                        product,
                        index,
                        way: way.clone(),
                        tag: track.tag.clone(),
                        global_header: outputs[product].wants_global_header(),
                    });
                }
            }
        }
        Self {
            lanes,
            codec_threads: pipeline.codec_threads,
        }
    }
}
