//! When subtitles end whose source gives no end: at the next event, or with the film.
//!
//! VobSub events may say nothing of their length, and libav gives all ones where
//! its own decoders do not know it. Matroska can hold that. In MP4, the length of
//! an event is that of its sample: it refuses all ones, and shows 0 not at all.

use ffmpeg_next::Packet;

/// The subtitle events of one stream, in order.
#[derive(Default)]
pub(super) struct Events {
    // The last event, where its end is not known yet.
    open: Option<Packet>,
}

impl Events {
    /// Takes the next event; gives those whose ends are known.
    pub(super) fn take(&mut self, event: Packet) -> impl Iterator<Item = Packet> + use<> {
        let before = event.pts().and_then(|pts| self.end(pts));
        let known = match event.duration() > 0 {
            true => Some(event),
            false => {
                self.open = Some(event);
                None
            }
        };
        before.into_iter().chain(known)
    }

    /// The last event, if it has not ended before `end`, in its ticks.
    pub(super) fn end(&mut self, end: i64) -> Option<Packet> {
        let mut event = self.open.take()?;
        let begin = event.pts().unwrap_or(end);
        event.set_duration(end.saturating_sub(begin).clamp(0, i64::from(i32::MAX)));
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(pts: i64, duration: i64) -> Packet {
        let mut packet = Packet::copy(&[1]);
        packet.set_pts(Some(pts));
        packet.set_duration(duration);
        packet
    }

    #[test]
    fn an_event_without_an_end_lasts_until_the_next_or_the_end() {
        let mut events = Events::default();
        let mut seen = Vec::new();
        for packet in [event(0, 0), event(500, 200), event(900, 0), event(950, 0)] {
            seen.extend(events.take(packet));
        }
        seen.extend(events.end(2000));
        seen.extend(events.end(3000));
        let seen: Vec<_> = seen.iter().map(|it| (it.pts(), it.duration())).collect();
        let expected = [(0, 500), (500, 200), (900, 50), (950, 1050)];
        assert_eq!(seen, expected.map(|(pts, length)| (Some(pts), length)));
    }

    #[test]
    fn an_event_after_the_films_end_is_kept_and_none_lasts_for_ages() {
        let mut events = Events::default();
        assert_eq!(events.take(event(900, 0)).count(), 0);
        assert_eq!(events.end(100).unwrap().duration(), 0);
        assert_eq!(events.take(event(0, 0)).count(), 0);
        assert_eq!(
            events.end(i64::MAX).unwrap().duration(),
            i64::from(i32::MAX)
        );
    }
}
