//! Descriptions of pictures that not every container has a place for: where they arrive.

use super::{Container, Track};
use crate::job::{Extra, StreamInfo};

impl Extra {
    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Extra::Projection => "the projection of 360° video",
            Extra::Stereo3d => "the layout of 3D video",
            Extra::DolbyVision => "Dolby Vision",
        }
    }

    /// Why it cannot arrive, where it cannot.
    fn lost(self, is_copy: bool, container: Container) -> Option<String> {
        let is_dolby = self == Extra::DolbyVision;
        if is_dolby && !is_copy {
            return Some("encoding keeps the base layer alone".to_owned());
        }
        // FFmpeg writes these boxes of mov since 7.1.
        let has_place = match container {
            Container::Mov => !is_dolby && crate::media::mov_takes_projections(),
            Container::M4a => false,
            Container::Mp4 | Container::Mkv | Container::Webm => true,
        };
        (!has_place).then(|| format!("{container} has no place for it; --format mkv has"))
    }
}

/// Which of a stream's descriptions are to arrive with `track`, and what the user should know
/// of the others.
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
    fn what_has_no_place_is_told_with_the_reason() {
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
