//! The findings about one result.

use serde::{Deserialize, Serialize};

use super::Evidence;
use crate::media::structure::Damage;
use crate::recipe::{DroppedBy, Medium};

/// What looking at a result brought to light.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Checked {
    /// Frames of the first track.
    pub frames: Option<u64>,
    /// Whether the source did not give all that it was to hold.
    pub salvaged: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// What of the source is not in the result; the user is warned of that, too.
    pub lost: Vec<String>,
    /// Structural similarity to the source, where it was asked for: 1 is the same.
    pub ssim: Option<f64>,
}

/// A source may claim to be longer than it is by this share, and by so many
/// seconds at most: lengths are rounded, and some count the last picture twice.
const CLAIM: f64 = 0.2;
const CLAIM_S: f64 = 0.5;

/// So many packets of sound may be torn: a recording of a broadcast begins and
/// ends in the middle of one.
const TORN: u64 = 2;

impl Checked {
    /// Warns of damage.
    pub(super) fn salvage(&mut self, warning: String) {
        self.salvaged = true;
        self.warnings.push(warning);
    }

    /// Warns of something that is in the source and not in the result.
    pub(super) fn lose(&mut self, what: String) {
        self.lost.push(what.clone());
        self.warnings.push(what);
    }

    /// Adds what is known of the source: planned losses, damage, and a length that it claims.
    pub(super) fn source(&mut self, evidence: &Evidence) {
        self.warnings.extend(evidence.product.notes.iter().cloned());
        for dropped in &evidence.product.dropped {
            let told = format!(
                "stream {}: {} left out: {}",
                dropped.stream, dropped.what, dropped.reason
            );
            match dropped.by {
                DroppedBy::Source => self.salvage(told),
                DroppedBy::Container => self.warnings.push(told),
                DroppedBy::Recipe => {}
            }
        }
        for (stream, count) in evidence.damaged {
            let told = format!("stream {stream}: {count} damaged packets or pictures");
            let mut sounds = evidence.product.tracks_of(Medium::Audio);
            if *count <= TORN && sounds.any(|track| track.stream == *stream) {
                self.warnings.push(told);
            } else {
                self.salvage(told);
            }
        }
        for (stream, count) in made_up(evidence) {
            self.salvage(format!(
                "stream {stream}: it begins far from a key frame: its first {count} pictures \
                 show only a part of what was filmed"
            ));
        }
        if let Some(error) = &evidence.survey.ended_early {
            self.salvage(format!("the source ends early: {error}"));
        }
        for warning in structure(&evidence.survey.damage) {
            self.salvage(warning);
        }
        if evidence.survey.has_jumped {
            let told = "the source's clock jumps; times go on where they were";
            self.warnings.push(told.into());
            return;
        }
        let read = evidence.survey.end_s();
        // Some containers count from 0, some from the beginning.
        let counted = read.max(read + evidence.survey.start_us as f64 / 1e6);
        if let Some(claimed) = evidence.job.claimed_s
            && read > 0.0
            && claimed - counted > (claimed * CLAIM).clamp(0.1, CLAIM_S)
        {
            self.salvage(format!(
                "the source claims {} and holds {}",
                seconds(claimed),
                seconds(read)
            ));
        }
    }
}

/// Encoded streams with the number of their pictures before the first key frame, where those are
/// not counted as damaged: the decoder of HEVC makes up the pictures that they refer to.
fn made_up(evidence: &Evidence) -> Vec<(usize, u64)> {
    let tracks = evidence.product.tracks_of(Medium::Video);
    let encoded = tracks.filter(|track| !track.way.is_copy());
    let damaged = |stream| {
        evidence
            .damaged
            .iter()
            .any(|(damaged, _)| *damaged == stream)
    };
    let spans = encoded.filter_map(|track| evidence.survey.span(track.stream));
    spans
        .filter(|span| span.has_key && span.before_key > 0 && !damaged(span.stream))
        .map(|span| (span.stream, span.before_key))
        .collect()
}

/// What is missing because a file's structure is damaged, in words.
fn structure(damage: &Damage) -> Vec<String> {
    let mut warnings = Vec::new();
    if damage.places > 0 {
        let places = match damage.places {
            1 => "its structure is broken".to_owned(),
            places => format!("its structure is broken in {places} places, the first"),
        };
        let (at, bytes) = (damage.at, damage.bytes);
        warnings.push(format!(
            "the source is damaged: {places} at byte {at}; {bytes} bytes are unusable"
        ));
    }
    if damage.missing > 0 {
        let missing = damage.missing;
        warnings.push(format!(
            "the source is damaged: {missing} bytes are missing at its end or before"
        ));
    }
    warnings.extend(damage.holes.iter().map(|hole| {
        format!(
            "stream {}: nothing is left between {} and {}",
            hole.stream,
            seconds(hole.from_us as f64 / 1e6),
            seconds(hole.to_us as f64 / 1e6)
        )
    }));
    warnings
}

pub(super) fn seconds(seconds: f64) -> String {
    format!("{seconds:.2} s")
}
