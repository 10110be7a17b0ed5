//! Projection, stereo layout and Dolby Vision: which containers store them.

use super::{Container, Track};
use crate::job::{Extra, StreamInfo};

impl Extra {
    /// Its name in messages.
    pub fn words(self) -> &'static str {
        match self {
            Extra::Projection => "the projection of 360° video",
            Extra::Stereo3d => "the layout of 3D video",
            Extra::DolbyVision => "Dolby Vision",
        }
    }

    /// The reason if a result in `container` cannot hold it.
    fn lost(self, is_copy: bool, container: Container) -> Option<String> {
        let is_dolby = self == Extra::DolbyVision;
        if is_dolby && !is_copy {
            return Some("re-encoding keeps only the base layer".to_owned());
        }
        let has_place = match container {
            Container::Mov => !is_dolby && crate::media::mov_takes_projections(),
            Container::M4a => false,
            Container::Mp4 | Container::Mkv | Container::Webm => true,
        };
        (!has_place).then(|| format!("{container} has no place for it; --format mkv has"))
    }
}

/// Whether any track carries a description that FFmpeg's mp4 muxer writes only with `-strict
/// unofficial`.
pub(super) fn any_in(tracks: &[Track]) -> bool {
    tracks.iter().any(|track| !track.extras.is_empty())
}

/// Splits a stream's descriptions into those that the result holds and a warning for each
/// other one.
pub(super) fn sort(
    stream: &StreamInfo,
    track: &Track,
    container: Container,
) -> (Vec<Extra>, Vec<String>) {
    let (mut kept, mut notes) = (vec![], vec![]);
    for extra in &stream.details.extras {
        match extra.lost(track.way.is_copy(), container) {
            None => kept.push(*extra),
            Some(why) => notes.push(format!(
                "stream {}: {} is lost: {why}",
                stream.index,
                extra.words()
            )),
        }
    }
    (kept, notes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_without_a_place_is_the_reason() {
        use Container::{Mkv, Mov, Mp4};
        let lost = |extra: Extra, is_copy, container| extra.lost(is_copy, container).is_some();
        for container in [Mkv, Mp4] {
            assert!(!lost(Extra::Projection, false, container));
            assert!(!lost(Extra::Stereo3d, true, container));
            assert!(!lost(Extra::DolbyVision, true, container));
            assert!(lost(Extra::DolbyVision, false, container));
        }
        assert!(lost(Extra::DolbyVision, true, Mov));
    }
}
