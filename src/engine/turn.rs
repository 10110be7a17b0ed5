//! Turns of jobs whose encoders disturb each other in one process.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::Duration;

use super::Watch;
use crate::error::Result;
use crate::recipe::{Pipeline, Way};

/// Between two looks whether it is a job's turn.
const LOOK: Duration = Duration::from_millis(10);

static RUNNING: Mutex<()> = Mutex::new(());

thread_local! {
    /// Whether this thread's job has the turn; a thread of a pool may take up another job while
    /// it waits for a part of that one.
    static IS_MINE: Cell<bool> = const { Cell::new(false) };
}

/// The turn of a job, until it is dropped.
pub(super) struct Turn {
    _running: MutexGuard<'static, ()>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        IS_MINE.set(false);
    }
}

/// Waits until no other job of this process runs encoders that would disturb those of `pipeline`;
/// `None` where it has no such encoder.
///
/// # Errors
/// Where the job must stop.
pub(super) fn take(pipeline: &Pipeline, watch: &mut Watch) -> Result<Option<Turn>> {
    let mut tracks = pipeline.products.iter().flat_map(|one| &one.tracks);
    let is_shared = tracks.any(|track| match &track.way {
        Way::Video(way) => way.encoder.shares_state(),
        _ => false,
    });
    if !is_shared || IS_MINE.get() {
        return Ok(None);
    }
    loop {
        match RUNNING.try_lock() {
            Ok(running) => return Ok(Some(turn(running))),
            Err(TryLockError::Poisoned(poisoned)) => return Ok(Some(turn(poisoned.into_inner()))),
            Err(TryLockError::WouldBlock) => {}
        }
        thread::sleep(LOOK);
        watch.advance(watch.last())?;
    }
}

fn turn(running: MutexGuard<'static, ()>) -> Turn {
    IS_MINE.set(true);
    Turn { _running: running }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::dispatch::Cancel;
    use crate::error::Kind;
    use crate::job::{MediaInfo, StreamInfo, StreamKind};
    use crate::recipe::{Presets, Recipe, resolve};

    fn pipeline(preset: &str) -> Pipeline {
        let presets = Presets::own().unwrap();
        let recipe = Recipe::Transcode(presets.get(preset).unwrap().recipe(preset));
        let video = StreamInfo::of_kind(video(), "h264");
        let info = MediaInfo {
            format: "matroska".into(),
            duration_s: Some(1.0),
            duration_is_guessed: false,
            bit_rate: None,
            tags: vec![],
            chapters: 0,
            starts_late: false,
            streams: vec![video],
        };
        resolve(&[&recipe], &info).unwrap()
    }

    fn video() -> StreamKind {
        StreamKind::Video {
            width: 64,
            height: 64,
            frame_rate: crate::job::Ratio::new(25, 1),
            sample_aspect: crate::job::Ratio::new(1, 1),
            orient: String::new(),
            pixel_format: "yuv420p".into(),
            alpha: false,
            depth: 8,
            fields: crate::job::Fields::Progressive,
            light: None,
        }
    }

    #[test]
    fn jobs_with_svt_av1_take_turns_and_others_do_not() {
        let (av1, hevc) = (pipeline("av1"), pipeline("hevc"));
        let running = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let (cancel, mut unheard) = (Cancel::new(), |_| {});
                    let mut watch = Watch::new(&cancel, &mut unheard);
                    let turn = take(&av1, &mut watch).unwrap();
                    assert!(turn.is_some());
                    assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
                    assert!(take(&hevc, &mut watch).unwrap().is_none());
                    // A part of the same job.
                    assert!(take(&av1, &mut watch).unwrap().is_none());
                    thread::sleep(LOOK);
                    running.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
    }

    #[test]
    fn a_job_that_waits_for_its_turn_can_be_stopped() {
        let av1 = pipeline("av1");
        let (cancel, mut unheard) = (Cancel::new(), |_| {});
        let mut watch = Watch::new(&cancel, &mut unheard);
        let turn = take(&av1, &mut watch).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                let stopped = Cancel::new();
                stopped.set();
                let mut unheard = |_| {};
                let mut watch = Watch::new(&stopped, &mut unheard);
                let error = take(&av1, &mut watch).map(drop).unwrap_err();
                assert_eq!(error.kind(), Kind::Interrupted);
            });
        });
        drop(turn);
    }
}
