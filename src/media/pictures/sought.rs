//! Pictures at given times of a source that can be sought in: times between the
//! same key frames go together, and such groups are spread over the threads of the pool.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::chooser::{Instant, mark};
use super::packets::{Unsuited, ticks_of};
use super::seeker::Seeker;
use super::studio::Studio;
use crate::engine::Ran;
use crate::error::Result;
use crate::media::bounds;
use crate::media::filter::rescale;
use crate::media::survey::{Span, Survey, survey};
use crate::recipe::Times;
use crate::threads;

/// Where the container has no index, times within so many seconds go together.
const TOGETHER_S: i64 = 2;

/// So many times are looked at in one go at most: how many there are is known only
/// once the end was seen, whatever the container claims.
const AT_ONCE: f64 = 100_000.0;

/// Takes the pictures at `times`; `None` where the source does not tell enough
/// to be sought in, or not all of what was sought for could be decoded.
pub(super) fn run(studio: &Studio, times: &Times) -> Result<Option<Ran>> {
    let Some(length_s) = studio.job.duration_s else {
        return Ok(None);
    };
    // Read in order, it shows which frame is shown for so long, before one is repeated.
    let most = bounds::get().repeats as f64;
    let is_endless = |count: f64| times.marks.is_none() && count > most;
    if is_endless(length_s / times.unit.as_f64()) {
        return Ok(None);
    }
    let search = Search {
        studio,
        times,
        found: Mutex::default(),
    };
    let seeker = Seeker::open(studio, times)?;
    if !seeker.input.has_own_timestamps() {
        return Ok(None);
    }
    if seeker.input.may_jump() && clock_jumps(studio)? {
        return Ok(None);
    }
    let mut seeker = Some(seeker);
    // One more than there should be shows the end.
    let at_once = (length_s / times.unit.as_f64() + 2.0).min(AT_ONCE) as usize;
    let at_once = times.marks.as_ref().map_or(at_once, Vec::len);
    let mut begin = 0;
    while search.found().end.is_none() && mark(times, begin).is_some() {
        let groups = search.groups(seeker.as_ref(), begin..begin + at_once);
        let own = search.take(&groups, &mut seeker);
        studio.ended(own)?;
        if search.found().unsuited {
            return Ok(None);
        }
        begin += at_once;
        if is_endless(begin as f64) {
            return Ok(None);
        }
    }
    Ok(seeker.map(|seeker| search.ran(&seeker)))
}

/// Whether the clock of the file jumps somewhere: then its times are not those
/// from the beginning. All packets tell, which is still far less than all frames.
fn clock_jumps(studio: &Studio) -> Result<bool> {
    let (job, streams) = (studio.job, [studio.stream]);
    let format = Some(job.pipeline.input_format.as_str());
    Ok(survey(&job.source, format, &streams, &studio.cancel())?.has_jumped)
}

/// What the threads that seek in one source share.
struct Search<'a, 'b, 'w> {
    studio: &'a Studio<'b, 'w>,
    times: &'a Times,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    // Whether it has turned out that the source cannot be sought in.
    unsuited: bool,
    // Where the last frame ends, in ticks, once that is known.
    end: Option<i64>,
}

impl<'a, 'b, 'w> Search<'a, 'b, 'w> {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Splits the times at those positions into those that are decoded together.
    fn groups(&self, seeker: Option<&Seeker>, positions: Range<usize>) -> Vec<Range<usize>> {
        let (Some(seeker), stream) = (seeker, self.studio.stream) else {
            return vec![];
        };
        let together = ticks_of(TOGETHER_S, seeker.input.time_base(stream));
        let key = |position: usize| {
            let time = seeker.time_of(position)?;
            let indexed = seeker.input.key_before(stream, time);
            Some(indexed.unwrap_or(time.div_euclid(together)))
        };
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut last = None;
        for position in positions {
            let key = key(position);
            match groups.last_mut() {
                Some(group) if key == last => group.end = position + 1,
                _ => groups.push(position..position + 1),
            }
            last = key;
        }
        groups
    }

    /// Takes the pictures of all groups: on this thread with `seeker`, and on
    /// those that are idle with others.
    fn take(&self, groups: &[Range<usize>], seeker: &mut Option<Seeker<'a, 'b, 'w>>) -> Result<()> {
        let next = &AtomicUsize::new(0);
        threads::scope(|scope| {
            for _ in 1..self.studio.threads.min(groups.len()) {
                scope.spawn(move |_| {
                    self.studio.help(|| self.work(groups, next, &mut None));
                });
            }
            self.work(groups, next, seeker)
        })
    }

    /// Takes one group after the other until none is left.
    fn work(
        &self,
        groups: &[Range<usize>],
        next: &AtomicUsize,
        seeker: &mut Option<Seeker<'a, 'b, 'w>>,
    ) -> Result<()> {
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            let seeker = match seeker {
                Some(seeker) => seeker,
                None => seeker.insert(Seeker::open(self.studio, self.times)?),
            };
            if self.is_over(seeker.time_of(group.start)) {
                return Ok(());
            }
            match seeker.take(group.clone())? {
                Err(Unsuited) => self.found().unsuited = true,
                Ok(end) => {
                    let mut found = self.found();
                    found.end = found.end.or(end);
                }
            }
        }
        Ok(())
    }

    /// Whether nothing more is to be found from `time` on, in ticks.
    fn is_over(&self, time: Option<i64>) -> bool {
        let found = self.found();
        found.unsuited
            || found
                .end
                .is_some_and(|end| time.is_none_or(|time| time >= end))
    }

    fn ran(&self, seeker: &Seeker) -> Ran {
        let stream = self.studio.stream;
        let time_base = seeker.input.time_base(stream);
        let end = self.found().end;
        let is_shown = |mark: &u64| {
            let time = Instant::of_mark(*mark, self.times.unit);
            end.is_none_or(|end| time.is_before(Instant::new(end, time_base)))
        };
        let marks = (0..).map_while(|position| mark(self.times, position));
        let marks = marks.take_while(is_shown);
        let pictures: Vec<f64> = marks.map(|mark| self.times.seconds(mark)).collect();
        // What the container claims is known to be there only where the end was seen.
        let survey = end.filter(|_| self.times.marks.is_none()).map(|end| {
            let end_us = rescale(end, time_base, ffmpeg_next::Rational(1, 1_000_000));
            let mut survey = Survey::of(&[]);
            survey.start_us = seeker.input.start_us();
            survey.streams.push(Span {
                stream,
                end_us: Some(end_us),
                ..Span::default()
            });
            survey
        });
        Ran {
            frames: vec![Some(pictures.len() as u64)],
            media_s: pictures.last().copied().unwrap_or(0.0),
            pictures,
            survey,
            ..Ran::default()
        }
    }
}
