//! What all threads that take pictures of one source share.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ffmpeg_next::Frame;

use super::finish::Finisher;
use crate::dispatch::Cancel;
use crate::engine::Watch;
use crate::error::{Error, Kind, Result};
use crate::job::{MediaJob, Progress};
use crate::media::decode::Decoder;
use crate::media::{Input, files, log};
use crate::recipe::{Sink, VideoWay};

/// One source whose pictures are taken.
pub(super) struct Studio<'a, 'w> {
    pub job: &'a MediaJob,
    pub way: &'a VideoWay,
    pub stream: usize,
    /// How many threads may work on it.
    pub threads: usize,
    extension: &'a str,
    folder: &'a Path,
    filter: String,
    watch: Mutex<&'a mut Watch<'w>>,
    // How far it is, in pictures, bytes and microseconds of the source.
    written: AtomicU64,
    bytes: AtomicU64,
    position_us: AtomicU64,
    idle: Mutex<Vec<Finisher>>,
    failure: Mutex<Option<Error>>,
    said: Mutex<Vec<String>>,
}

impl<'a, 'w> Studio<'a, 'w> {
    pub(super) fn of(
        job: &'a MediaJob,
        folder: &'a Path,
        watch: &'a mut Watch<'w>,
    ) -> Result<Self> {
        let product = job.pipeline.products.first();
        let (Some(way), Some(Sink::Pictures { extension, .. }), Some(track)) = (
            product.and_then(|product| product.pictures()),
            product.map(|product| &product.sink),
            product.and_then(|product| product.tracks.first()),
        ) else {
            return Err(Error::failed("the recipe makes no pictures"));
        };
        let filter = match way.orient.as_str() {
            "" => way.filter.clone(),
            orient => format!("{orient},{}", way.filter),
        };
        Ok(Self {
            job,
            way,
            stream: track.stream,
            threads: watch.threads(),
            extension,
            folder,
            filter,
            watch: Mutex::new(watch),
            written: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            position_us: AtomicU64::new(0),
            idle: Mutex::default(),
            failure: Mutex::default(),
            said: Mutex::default(),
        })
    }

    /// The flag that stops the job.
    pub(super) fn cancel(&self) -> Cancel {
        lock(&self.watch).cancel().clone()
    }

    /// Opens the source for its pictures alone.
    pub(super) fn open(&self) -> Result<(Input, Decoder)> {
        let pipeline = &self.job.pipeline;
        let cancel = self.cancel();
        let mut input = Input::open(&self.job.source, Some(&pipeline.input_format), &cancel)?;
        input.select(&[self.stream]);
        let threads = pipeline.codec_threads;
        let mut decoder = match &self.way.decoder {
            Some(name) => Decoder::open_named(&input, self.stream, threads, name)?,
            None => Decoder::open(&input, self.stream, threads)?,
        };
        if pipeline.key_frames_only {
            decoder.take_key_frames();
        }
        Ok((input, decoder))
    }

    /// Writes `frame` as the pictures of these numbers, from 1.
    pub(super) fn picture(&self, numbers: &[u64], frame: &Frame) -> Result<()> {
        let idle = lock(&self.idle).pop();
        let mut finisher = idle.unwrap_or_else(|| Finisher::new(&self.filter, &self.way.encoder));
        let bytes = finisher.bytes(frame)?;
        lock(&self.idle).push(finisher);
        for number in numbers {
            let path = self
                .folder
                .join(Sink::picture_name(*number, self.extension));
            files::write(&path, &bytes).map_err(|error| {
                Error::failed(format!("cannot write '{}'", path.display())).because(error)
            })?;
            self.written.fetch_add(1, Ordering::Relaxed);
            self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Tells how far the job is; `position_s` is the latest time in the source that was reached.
    ///
    /// # Errors
    /// Where the job must stop, also since another thread failed.
    pub(super) fn advance(&self, position_s: f64) -> Result<()> {
        let reached = (position_s.max(0.0) * 1e6) as u64;
        let before = self.position_us.fetch_max(reached, Ordering::Relaxed);
        let progress = Progress {
            frames: self.written.load(Ordering::Relaxed),
            position_s: before.max(reached) as f64 / 1e6,
            bytes: self.bytes.load(Ordering::Relaxed),
        };
        lock(&self.watch).advance(progress)?;
        if self.is_stopped() {
            Err(Error::interrupted())
        } else {
            Ok(())
        }
    }

    /// Does `work` on a thread that helps the job's own.
    pub(super) fn help(&self, work: impl FnOnce() -> Result<()>) {
        let (ended, said) = log::capture(work);
        lock(&self.said).extend(said);
        if let Err(error) = ended {
            self.fail(error);
        }
    }

    /// Keeps what failed first; that others stopped for it is no failure.
    fn fail(&self, error: Error) {
        let mut failure = lock(&self.failure);
        let is_first = failure.as_ref().is_none_or(|known| {
            known.kind() == Kind::Interrupted && error.kind() != Kind::Interrupted
        });
        if is_first {
            *failure = Some(error);
        }
    }

    fn is_stopped(&self) -> bool {
        lock(&self.failure).is_some()
    }

    /// The end of all helpers: what the job's own thread ended with, or else what they failed with.
    pub(super) fn ended<T>(&self, own: Result<T>) -> Result<T> {
        log::add(std::mem::take(&mut lock(&self.said)));
        let own = own.map_err(|error| self.fail(error));
        match (lock(&self.failure).take(), own) {
            (None, Ok(result)) => Ok(result),
            (Some(error), _) => Err(error),
            (None, Err(())) => Err(Error::interrupted()),
        }
    }

    /// Forgets all pictures: they are written anew.
    pub(super) fn start_again(&self) {
        self.written.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
