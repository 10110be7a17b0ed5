//! Threads that help with parts, for as long as they are lent.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::Plan;
use super::work::{Made, Part, Sums, Work};
use crate::error::{Error, Result};
use crate::media::log;

/// Parts that wait, the threads that take them, and what comes of them.
pub(super) struct Crew {
    shared: Arc<Shared>,
    results: Receiver<Finished>,
    threads: Vec<JoinHandle<()>>,
}

/// What a thread made of a part, and what libav said meanwhile.
type Finished = (Result<Made>, Vec<String>);

struct Shared {
    plan: Arc<Plan>,
    state: Mutex<State>,
    results: Sender<Finished>,
    tally: Tally,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Part>,
    // Threads at work, and those that may be.
    helpers: usize,
    lent: usize,
    // Nothing more is wanted of anyone; nor of this process, where it is about to end.
    closed: bool,
    process_ends: bool,
}

impl Crew {
    pub(super) fn new(plan: &Arc<Plan>) -> Self {
        let (sender, results) = unbounded();
        let shared = Shared {
            plan: Arc::clone(plan),
            state: Mutex::default(),
            results: sender,
            tally: Tally::default(),
        };
        Self {
            shared: Arc::new(shared),
            results,
            threads: vec![],
        }
    }

    /// Adds a part to those that wait.
    pub(super) fn add(&mut self, part: Part) {
        self.shared.lock().waiting.push_back(part);
    }

    /// How many parts wait.
    pub(super) fn waiting(&self) -> usize {
        self.shared.lock().waiting.len()
    }

    /// The next part, to be worked on by the caller.
    pub(super) fn take(&mut self) -> Option<Part> {
        self.shared.lock().waiting.pop_front()
    }

    /// So many threads may help from now on; those beyond stop after their part.
    pub(super) fn lend(&mut self, threads: usize) {
        let mut state = self.shared.lock();
        state.lent = threads;
        let missing = threads
            .saturating_sub(state.helpers)
            .min(state.waiting.len());
        state.helpers += missing;
        drop(state);
        self.threads.retain(|thread| !thread.is_finished());
        for _ in 0..missing {
            let shared = Arc::clone(&self.shared);
            let helper = thread::Builder::new().name("part".into());
            match helper.spawn(move || shared.help()) {
                Ok(thread) => self.threads.push(thread),
                // Then there is one fewer: the job goes on with those that are there.
                Err(_) => self.shared.lock().helpers -= 1,
            }
        }
    }

    /// What came of a part, where that is known within so long.
    ///
    /// # Errors
    /// Where the part failed.
    pub(super) fn made(&self, within: Duration) -> Result<Option<Made>> {
        match self.results.recv_timeout(within) {
            Ok((made, said)) => {
                log::add(said);
                made.map(Some)
            }
            Err(_) => Ok(None),
        }
    }

    /// What all parts together amount to.
    pub(super) fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    /// Ends all work as soon as can be: this process is about to end.
    pub(super) fn abandon(&mut self) {
        self.shared.lock().process_ends = true;
        self.close();
    }

    fn close(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.waiting.clear();
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.close();
        for thread in self.threads.drain(..) {
            // What a panic said was said already; its part is missed by the joiner.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ends(&self) -> (bool, bool) {
        let state = self.lock();
        (state.closed, state.process_ends)
    }

    /// Works on one part after the other, for as long as there are any.
    fn help(&self) {
        while let Some(part) = self.next() {
            let (result, said) = log::capture(|| {
                let attempt = std::panic::AssertUnwindSafe(|| self.work_on(part));
                std::panic::catch_unwind(attempt).unwrap_or_else(|_| {
                    Err(Error::failed(
                        "a defect of rushes stopped this job → report it with the lines above",
                    ))
                })
            });
            let Some(made) = result.transpose() else {
                continue;
            };
            let _ = self.results.send((made, said));
        }
    }

    /// The next part for a helper that goes on.
    fn next(&self) -> Option<Part> {
        let mut state = self.lock();
        let part = match state.helpers <= state.lent && !state.closed {
            true => state.waiting.pop_front(),
            false => None,
        };
        if part.is_none() {
            state.helpers -= 1;
        }
        part
    }

    /// What came of a part; nothing where that is not wanted any more.
    fn work_on(&self, part: Part) -> Result<Option<Made>> {
        let mut work = Work::begin(part, &self.plan)?;
        loop {
            let (closed, process_ends) = self.ends();
            if closed {
                // Else, what the encoders hold would be kept for as long as the process lives.
                if process_ends {
                    work.abandon();
                }
                return Ok(None);
            }
            if let Some(made) = work.step(&self.tally)? {
                return Ok(Some(made));
            }
        }
    }
}

/// How much of all parts is made, while they are.
#[derive(Default)]
pub(super) struct Tally {
    frames: AtomicU64,
    micros: AtomicU64,
}

impl Tally {
    /// A part that was so far is now further; or begins anew, which counts back.
    pub(super) fn add(&self, before: Sums, now: Sums) {
        let micros = |sums: Sums| (sums.length_s.max(0.0) * 1e6) as u64;
        let frames = now.frames.wrapping_sub(before.frames);
        self.frames.fetch_add(frames, Ordering::Relaxed);
        let grown = micros(now).wrapping_sub(micros(before));
        self.micros.fetch_add(grown, Ordering::Relaxed);
    }

    /// Frames, and seconds of the source.
    pub(super) fn sums(&self) -> (u64, f64) {
        let micros = self.micros.load(Ordering::Relaxed);
        (self.frames.load(Ordering::Relaxed), micros as f64 / 1e6)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "these are tests")]
mod tests {
    use std::fs;
    use std::time::Instant;

    use ffmpeg_next::Packet;

    use super::super::Lane;
    use super::*;
    use crate::job::Ratio;
    use crate::media::decode::StreamFacts;
    use crate::media::try_video_encoder;
    use crate::recipe::{Choose, EncoderSpec, VideoWay};

    fn spec() -> EncoderSpec {
        EncoderSpec {
            name: "libsvtav1".into(),
            options: vec![("preset".into(), "12".into())],
            qscale: None,
            width: None,
        }
    }

    fn plan() -> Arc<Plan> {
        let way = VideoWay {
            decoder: None,
            orient: String::new(),
            choose: Choose::All,
            filter: "format=yuv420p".into(),
            encoder: spec(),
            time_base: Ratio::new(1, 25),
            frame_s: 0.04,
            rate: None,
            colours: Default::default(),
        };
        let lane = Lane {
            product: 0,
            index: 0,
            way,
            tag: None,
            global_header: false,
        };
        Arc::new(Plan {
            lanes: vec![lane],
            codec_threads: 1,
        })
    }

    /// So many raw pictures.
    fn part(pictures: i64) -> Part {
        let packet = |pts| {
            let mut packet = Packet::copy(&[64; 64 * 64 * 3 / 2]);
            packet.set_pts(Some(pts));
            packet.set_flags(ffmpeg_next::codec::packet::Flags::KEY);
            packet
        };
        Part {
            number: 0,
            threads: 1,
            facts: StreamFacts::example((1, 25).into()),
            first: None,
            packets: (0..pictures).map(packet).collect(),
            from: None,
            until: None,
        }
    }

    /// Threads of this process that helpers are, or that their encoders began.
    fn helping() -> usize {
        let threads = fs::read_dir("/proc/self/task").unwrap();
        let names = threads.filter_map(|thread| fs::read(thread.ok()?.path().join("comm")).ok());
        names.filter(|name| name == b"part\n").count()
    }

    #[test]
    fn encoders_of_parts_that_nobody_wants_any_more_are_closed() {
        crate::media::init();
        if !cfg!(target_os = "linux") || try_video_encoder(&spec(), "yuv420p").is_err() {
            return;
        }
        let mut crew = Crew::new(&plan());
        crew.add(part(10_000));
        crew.lend(1);
        while crew.tally().sums().0 == 0 {
            assert!(crew.made(Duration::from_millis(5)).unwrap().is_none());
        }
        drop(crew);
        // The kernel may show a thread for a moment after it ended.
        let begin = Instant::now();
        while helping() > 0 {
            assert!(begin.elapsed() < Duration::from_secs(30), "{}", helping());
            thread::sleep(Duration::from_millis(10));
        }
    }
}
