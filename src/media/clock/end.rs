//! Where the last frame of a video ends: that decides how often a constant frame
//! rate repeats it, and whether it is shown at a given time.

use ffmpeg::Rational;
use ffmpeg_next as ffmpeg;

use super::{MICROS, frame_us, is_known};
use crate::media::compat::{self, TimestampRules};
use crate::media::filter::rescale;

/// The last frame of a video, as its packets describe it. Times are in ticks of the stream.
pub(in crate::media) struct LastFrame {
    pub time_base: Rational,
    pub pts: i64,
    /// Duration of its packet; 0 where the container stores none.
    pub duration: i64,
    /// When the frame before it begins, where that is known.
    pub previous: Option<i64>,
    /// Whether there is no frame before it.
    pub is_only: bool,
    /// The decoder's frame rate, once a frame was decoded; 0/1 where it has none.
    pub codec_rate: Option<Rational>,
    /// Average frame rate by the container; 0/1 where it has none.
    pub average_rate: Rational,
}

/// When a last frame ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::media) enum End {
    At(i64),
    /// That depends on the decoder's frame rate, which is not known yet.
    NeedsRate,
    /// That depends on the frame before, which was not seen.
    NeedsPrevious,
}

impl LastFrame {
    /// When the frame ends, by the rules of the linked version.
    pub(in crate::media) fn end(&self) -> End {
        match compat::timestamp_rules() {
            TimestampRules::Packets => self.end_by_packets(),
            TimestampRules::Frames => self.end_by_frames(),
        }
    }

    /// Rounded to microseconds, as the program's clock was up to FFmpeg 6.0.
    fn end_by_packets(&self) -> End {
        let length_us = match (self.duration, self.codec_rate) {
            (1.., _) => rescale(self.duration, self.time_base, MICROS),
            (_, Some(rate)) => frame_us(rate),
            (_, None) => return End::NeedsRate,
        };
        let end_us = rescale(self.pts, self.time_base, MICROS).saturating_add(length_us);
        End::At(rescale(end_us, MICROS, self.time_base))
    }

    fn end_by_frames(&self) -> End {
        if self.previous.is_none() && !self.is_only && self.duration <= 1 {
            return End::NeedsPrevious;
        }
        let since_last = self.previous.map_or(-1, |before| self.pts - before);
        if self.codec_rate.is_none() && self.duration <= 0 && since_last <= 0 {
            return End::NeedsRate;
        }
        let by_codec = length_at(self.codec_rate.unwrap_or(Rational(0, 1)), 2, self.time_base);
        let by_average = length_at(self.average_rate, 2, self.time_base);
        let length = Estimate {
            own: self.duration,
            since_last,
            by_codec,
            by_average,
        };
        End::At(self.pts.saturating_add(length.ticks(false).unwrap_or(1)))
    }
}

/// How long a frame may be shown, in ticks: 0 or less where that is unknown.
pub(super) struct Estimate {
    /// The frame's own duration.
    pub own: i64,
    /// The time from the frame before to this one.
    pub since_last: i64,
    pub by_codec: i64,
    pub by_average: i64,
}

impl Estimate {
    /// How long the frame is shown (`video_duration_estimate` of FFmpeg 7.1's
    /// `ffmpeg_dec.c`), where anything tells. libav makes up durations that a
    /// container does not store, so they count only where its timestamps are its own.
    pub(super) fn ticks(&self, unreliable: bool) -> Option<i64> {
        // One tick, where the last frame took more than two, is made up.
        let is_made_up = self.own == 1 && self.since_last > 2;
        if self.own > 0 && !unreliable && !is_made_up {
            return Some(self.own);
        }
        if self.by_codec > 0 && unreliable {
            return Some(self.by_codec);
        }
        let all = [self.since_last, self.own, self.by_codec, self.by_average];
        all.into_iter().find(|ticks| *ticks > 0)
    }
}

/// Length of so many fields at a frame rate, two a frame, in ticks; 0 where the rate is unknown.
pub(super) fn length_at(frame_rate: Rational, fields: i64, time_base: Rational) -> i64 {
    if !is_known(frame_rate) {
        return 0;
    }
    let field = match frame_rate.numerator().checked_mul(2) {
        Some(fields_a_second) => Rational::new(frame_rate.denominator(), fields_a_second),
        None => Rational::new(frame_rate.denominator(), frame_rate.numerator()),
    };
    rescale(fields, field, time_base)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Rational = Rational(1, 1000);

    fn last(duration: i64, previous: Option<i64>, rate: Option<Rational>) -> LastFrame {
        LastFrame {
            time_base: MS,
            pts: 40,
            duration,
            previous,
            is_only: previous.is_none(),
            codec_rate: rate,
            average_rate: Rational(0, 1),
        }
    }

    #[test]
    fn a_frame_without_a_duration_lasts_as_long_as_its_rate_says_by_packets() {
        let end = |duration, rate| last(duration, None, rate).end_by_packets();
        assert_eq!(end(0, Some(Rational(25, 1))), End::At(80));
        assert_eq!(end(33, Some(Rational(25, 1))), End::At(73));
        assert_eq!(end(0, Some(Rational(0, 1))), End::At(40));
        assert_eq!(end(0, None), End::NeedsRate);
    }

    #[test]
    fn a_duration_of_one_tick_is_not_believed_beside_longer_frames() {
        let end = |duration, previous| last(duration, previous, None).end_by_frames();
        assert_eq!(end(1, Some(7)), End::At(73));
        assert_eq!(end(1, Some(38)), End::At(41));
        assert_eq!(end(20, Some(7)), End::At(60));
        let unseen = LastFrame {
            is_only: false,
            ..last(1, None, None)
        };
        assert_eq!(unseen.end_by_frames(), End::NeedsPrevious);
    }

    #[test]
    fn without_any_other_word_the_frame_rate_decides() {
        let estimate = Estimate {
            own: 40,
            since_last: 40,
            by_codec: 20,
            by_average: 0,
        };
        assert_eq!(estimate.ticks(false), Some(40));
        // Of a raw stream, durations and timestamps are made up.
        assert_eq!(estimate.ticks(true), Some(20));
        assert_eq!(length_at(Rational(25, 1), 3, MS), 60);
    }
}
