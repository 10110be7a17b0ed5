//! What the `ffmpeg` program reports on stderr about its source and its result.

use super::child::{Complaint, Said};

/// Why the end of a result could not be written, where a line of the log reports
/// that. FFmpeg 5.1 ends with exit code 0 all the same.
pub(super) fn unfinished(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("Error writing trailer")?;
    // Up to FFmpeg 6.0, the name of the file precedes the cause, and may be anything.
    Some(rest.rsplit_once(": ").map_or(rest, |(_, cause)| cause))
}

/// Errors of the system, in its words, that the program reports about its source. It ends with
/// exit code 0 all the same.
const READ_ERRORS: [&str; 5] = [
    "Input/output error",
    "Stale file handle",
    "Connection timed out",
    "No such device",
    "Remote I/O error",
];

/// What a line of the log reports.
pub(super) fn tally(line: &str) -> Option<Complaint> {
    let read_error = || {
        let (_, cause) = line.rsplit_once(": ")?;
        let known = READ_ERRORS.into_iter().find(|words| *words == cause)?;
        Some(Complaint::Unreadable(known))
    };
    damaged_stream(line)
        .map(Complaint::Damage)
        .or_else(read_error)
}

/// The read error that the program reported.
pub(super) fn read_error(said: &Said) -> Option<&'static str> {
    said.counts.keys().find_map(|complaint| match complaint {
        Complaint::Unreadable(cause) => Some(*cause),
        Complaint::Damage(_) => None,
    })
}

/// Streams with the number of packets that could not be decoded.
pub(super) fn damaged(said: &Said) -> Vec<(usize, u64)> {
    let counts = said.counts.iter();
    let damaged = counts.filter_map(|(complaint, count)| match complaint {
        Complaint::Damage(stream) => Some((*stream, *count)),
        Complaint::Unreadable(_) => None,
    });
    damaged.collect()
}

/// The stream of which a line of the log reports that a packet could not be
/// decoded, or a frame only in part.
fn damaged_stream(line: &str) -> Option<usize> {
    const PACKET: &str = "Error while decoding stream #0:";
    const FRAME: &str = ": corrupt decoded frame in stream ";
    if let Some((_, number)) = line.split_once(FRAME) {
        return number.trim().parse().ok();
    }
    if let Some((_, rest)) = line.split_once(PACKET) {
        return rest.split(':').next()?.parse().ok();
    }
    damaged_stream_since_6_1(line)
}

/// As above, in the words of FFmpeg 6.1 and later, whose lines begin with the
/// stream: `[vist#0:2/h264 @ 0x…] [dec:h264 @ 0x…] corrupt decoded frame`.
fn damaged_stream_since_6_1(line: &str) -> Option<usize> {
    const DAMAGE: [&str; 3] = [
        "Error submitting packet to decoder: ",
        "Decoding error: ",
        "corrupt decoded frame",
    ];
    let (prefix, message) = line.rsplit_once("] ")?;
    if !DAMAGE.iter().any(|words| message.starts_with(words)) {
        return None;
    }
    let (_, stream) = prefix.split_once("ist#0:")?;
    let digits = stream.find(|letter: char| !letter.is_ascii_digit())?;
    stream[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_damage_name_their_stream() {
        let line = "Error while decoding stream #0:2: Invalid data found when processing input";
        assert_eq!(damaged_stream(line), Some(2));
        assert_eq!(
            damaged_stream("a: b.avi: corrupt decoded frame in stream 1"),
            Some(1)
        );
        assert_eq!(damaged_stream("[h264 @ 0x1] no frame!"), None);
    }

    #[test]
    fn lines_about_damage_name_their_stream_in_the_words_of_newer_versions_too() {
        for message in [
            "corrupt decoded frame",
            "Error submitting packet to decoder: Invalid data found when processing input",
            "Decoding error: Invalid data found when processing input",
        ] {
            let line = format!("[vist#0:12/h264 @ 0x5] [dec:h264 @ 0x6] {message}");
            assert_eq!(damaged_stream(&line), Some(12), "{line}");
        }
        let other = "[vist#0:0/h264 @ 0x5] [dec:h264 @ 0x6] No filtered frames";
        assert_eq!(damaged_stream(other), None);
    }

    #[test]
    fn a_read_error_is_no_damage_of_a_stream() {
        let mut said = Said::default();
        for line in [
            "/videos/a.mkv: Input/output error",
            "[in#0/matroska,webm @ 0x5] Error during demuxing: Stale file handle",
            "Error while decoding stream #0:2: Invalid data found when processing input",
            "Input/output error: corrupt decoded frame in stream 1",
        ] {
            *said.counts.entry(tally(line).unwrap()).or_default() += 1;
        }
        assert_eq!(read_error(&said), Some("Input/output error"));
        assert_eq!(damaged(&said), [(1, 1), (2, 1)]);
        assert_eq!(tally("[mp4 @ 0x1] Non-monotonous DTS"), None);
    }

    #[test]
    fn a_result_without_its_end_is_reported_with_the_cause() {
        let line = "Error writing trailer of file:out/a: b.part: No space left on device";
        assert_eq!(unfinished(line), Some("No space left on device"));
        let newer = "[out#0/mp4 @ 0x1] Error writing trailer: No space left on device";
        assert_eq!(unfinished(newer), Some("No space left on device"));
        assert_eq!(unfinished("[mp4 @ 0x1] Non-monotonous DTS"), None);
    }
}
