//! What an answer of a worker may be: a worker that a hostile video has taken over may answer
//! anything. Numbers are within what libav's types hold, names have the characters of names,
//! and filters are those that this program makes; nothing else is believed.

use super::protocol::{Answer, Found};
use crate::engine::{Probed, Ran};
use crate::error::Told;
use crate::job::{Details, Limits, MediaInfo, Progress, Ratio, StreamInfo, StreamKind};
use crate::media::structure::Damage;
use crate::media::survey::Survey;
use crate::media::verify::Checked;

/// What is wrong with an answer, in words.
pub(super) type Check = Result<(), &'static str>;

/// Packets and frames: a century at a thousand a second is fewer.
const MOST_COUNTED: u64 = 1 << 48;
/// Seconds: a microsecond clock of 64 bits ends there.
const MOST_S: f64 = 9.3e12;
/// A side of a picture: libav takes none with more than 2^28 pixels and their edges.
const MOST_SIDE: u32 = 1 << 21;
/// A path, as the system has it.
const LONGEST_PATH: usize = 4096;
/// A name of a codec, a format or a layout.
const LONGEST_NAME: usize = 256;
/// A sentence or a tag for people.
const LONGEST_TEXT: usize = 64 << 10;
/// Lines that libav said, warnings, names of tags.
const MOST_LINES: usize = 10_000;
/// Lines of a log, and how long one may be.
const MOST_LOGGED: usize = 1000;
const LONGEST_LOGGED: usize = 8 << 10;
/// Chapters of a file.
const MOST_CHAPTERS: usize = 1 << 20;

/// Whether `answer` is one that a worker can honestly give.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(answer: &Answer, limits: &Limits) -> Check {
    match answer {
        Answer::Hello { .. } | Answer::Alive => Ok(()),
        Answer::Open { path, .. } => holds(path.as_os_str().len() <= LONGEST_PATH, "a path"),
        Answer::Progress(said) => progress(said),
        Answer::Failed { error, log } => {
            failure(error)?;
            self::log(log)
        }
        Answer::Done(found) => self::found(found, limits),
    }
}

fn found(found: &Found, limits: &Limits) -> Check {
    match found {
        Found::Started | Found::Written | Found::Digest(_) => Ok(()),
        Found::Ran(found) => ran(found, limits),
        Found::Probed(Probed { info, log }) => {
            media(info, limits)?;
            self::log(log)
        }
        Found::Survey(found) => survey(found, limits),
        Found::DeadStreams(streams) => {
            holds(streams.len() <= most_streams(limits), "a list of streams")?;
            all(streams, |stream| position(*stream, limits))
        }
        Found::Best(ms) => seconds(*ms as f64 / 1e3),
        Found::Checked(found) => checked(found),
        Found::Difference(said) | Found::Decoded(said) => all(said, |said| text(said)),
        Found::Likeness(score) => all(score, |score| self::score(*score)),
    }
}

fn progress(said: &Progress) -> Check {
    count(said.frames)?;
    seconds(said.position_s)
}

fn failure(error: &Told) -> Check {
    text(&error.message)?;
    all(&error.cure, |cure| text(cure))
}

fn ran(ran: &Ran, limits: &Limits) -> Check {
    holds(ran.frames.len() <= most_streams(limits), "a list of frames")?;
    all(ran.frames.iter().flatten(), |frames| count(*frames))?;
    seconds(ran.media_s)?;
    holds(
        ran.damaged.len() <= most_streams(limits),
        "a list of streams",
    )?;
    all(&ran.damaged, |(stream, packets)| {
        position(*stream, limits)?;
        count(*packets)
    })?;
    all(&ran.survey, |found| survey(found, limits))?;
    log(&ran.log)?;
    all(&ran.pictures, |time| seconds(*time))
}

fn survey(survey: &Survey, limits: &Limits) -> Check {
    holds(
        survey.streams.len() <= most_streams(limits),
        "a list of streams",
    )?;
    all(&survey.ended_early, |why| text(why))?;
    microseconds(survey.start_us)?;
    all(&survey.streams, |span| {
        position(span.stream, limits)?;
        for packets in [
            span.packets,
            span.endless,
            span.events,
            span.damaged,
            span.before_key,
        ] {
            count(packets)?;
        }
        let times = [span.first_us, span.last_us, span.end_us];
        all(times.iter().flatten(), |time| microseconds(*time))?;
        microseconds(span.longest_us)?;
        microseconds(span.longest_at_us)
    })?;
    damage(&survey.damage, limits)
}

fn damage(damage: &Damage, limits: &Limits) -> Check {
    count(damage.places)?;
    holds(
        damage.holes.len() <= most_streams(limits),
        "a list of holes",
    )?;
    all(&damage.holes, |hole| {
        position(hole.stream, limits)?;
        microseconds(hole.from_us)?;
        microseconds(hole.to_us)
    })
}

fn checked(checked: &Checked) -> Check {
    all(&checked.frames, |frames| count(*frames))?;
    lines(&checked.warnings)?;
    lines(&checked.lost)?;
    all(&checked.ssim, |score| self::score(*score))
}

fn media(info: &MediaInfo, limits: &Limits) -> Check {
    name(&info.format)?;
    all(&info.duration_s, |length| seconds(*length))?;
    all(&info.bit_rate, |rate| bit_rate(*rate))?;
    lines(&info.tags)?;
    holds(info.chapters <= MOST_CHAPTERS, "a number of chapters")?;
    holds(
        info.streams.len() <= most_streams(limits),
        "a list of streams",
    )?;
    all(info.streams.iter().enumerate(), |(place, one)| {
        holds(one.index == place, "a list of streams in no order")?;
        stream(one)
    })
}

fn stream(stream: &StreamInfo) -> Check {
    name(&stream.codec)?;
    all(&stream.duration_s, |length| seconds(*length))?;
    all(&stream.bit_rate, |rate| bit_rate(*rate))?;
    details(&stream.details)?;
    match &stream.kind {
        StreamKind::Video {
            width,
            height,
            frame_rate,
            sample_aspect,
            orient,
            pixel_format,
            depth,
            ..
        } => {
            holds(*width <= MOST_SIDE && *height <= MOST_SIDE, "a size")?;
            ratio(*frame_rate)?;
            ratio(*sample_aspect)?;
            holds(is_orientation(orient), "an orientation")?;
            name(pixel_format)?;
            holds(*depth <= 64, "a depth")
        }
        StreamKind::Audio {
            sample_rate,
            channels,
            layout,
            bits,
        } => {
            holds(i32::try_from(*sample_rate).is_ok(), "a sample rate")?;
            holds(u16::try_from(*channels).is_ok(), "a number of channels")?;
            name(layout)?;
            holds(*bits <= 64, "a depth")
        }
        StreamKind::Cover
        | StreamKind::Subtitle { .. }
        | StreamKind::Attachment
        | StreamKind::Other => Ok(()),
    }
}

fn details(details: &Details) -> Check {
    let colour = &details.colour;
    let names = [
        &colour.range,
        &colour.primaries,
        &colour.transfer,
        &colour.matrix,
        &colour.chroma_location,
    ];
    all(names, |one| name(one))?;
    all(&details.marks, |one| name(one))?;
    let texts = [
        &details.title,
        &details.language,
        &details.timecode,
        &details.file_name,
        &details.tag,
    ];
    all(texts, |one| text(one))?;
    lines(&details.tags)?;
    lines(&details.statistics)?;
    holds(details.extras.len() <= MOST_LINES, "a list of descriptions")?;
    all(&details.end_s, |end| seconds(*end))
}

fn most_streams(limits: &Limits) -> usize {
    limits.streams as usize
}

fn position(stream: usize, limits: &Limits) -> Check {
    holds(stream < most_streams(limits), "a stream's position")
}

fn count(count: u64) -> Check {
    holds(count <= MOST_COUNTED, "a count")
}

fn bit_rate(rate: u64) -> Check {
    holds(i64::try_from(rate).is_ok(), "a bit rate")
}

fn seconds(time: f64) -> Check {
    holds(time.is_finite() && time.abs() <= MOST_S, "a time")
}

fn microseconds(time: i64) -> Check {
    holds(time != i64::MIN, "a time")
}

fn ratio(ratio: Ratio) -> Check {
    holds(ratio.num != i32::MIN && ratio.den != i32::MIN, "a ratio")
}

fn score(score: f64) -> Check {
    holds(
        score.is_finite() && (-1.0..=1.0).contains(&score),
        "a score",
    )
}

/// A name of libav: of none of its characters is a filter graph or an option made.
fn name(name: &str) -> Check {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || "_.,-+()@| #/".contains(char);
    holds(
        name.len() <= LONGEST_NAME && name.chars().all(is_plain),
        "a name",
    )
}

fn text(text: &str) -> Check {
    holds(text.len() <= LONGEST_TEXT, "a text")
}

fn lines(lines: &[String]) -> Check {
    holds(lines.len() <= MOST_LINES, "a list of texts")?;
    all(lines, |line| text(line))
}

/// The last lines that libav said are few; they are kept with each failure.
fn log(log: &[String]) -> Check {
    holds(log.len() <= MOST_LOGGED, "a log")?;
    all(log, |line| {
        holds(line.len() <= LONGEST_LOGGED, "a line of a log")
    })
}

/// Whether `filters` is empty or made of the filters that turn a picture upright, each as
/// `media::probe` writes it.
fn is_orientation(filters: &str) -> bool {
    const TURNS: [&str; 6] = [
        "transpose=clock",
        "transpose=cclock",
        "transpose=clock_flip",
        "transpose=cclock_flip",
        "hflip",
        "vflip",
    ];
    let is_one = |filter: &str| TURNS.contains(&filter) || is_crop(filter) || is_rotation(filter);
    filters.is_empty() || filters.split(',').all(is_one)
}

/// `crop=w=iw-LEFT-RIGHT:h=ih-TOP-BOTTOM:x=LEFT:y=TOP`.
fn is_crop(filter: &str) -> bool {
    let numbers: Option<Vec<u32>> = filter
        .split(|char: char| !char.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().ok())
        .collect();
    let Some([left, right, top, bottom, ..]) = numbers.as_deref() else {
        return false;
    };
    filter == format!("crop=w=iw-{left}-{right}:h=ih-{top}-{bottom}:x={left}:y={top}")
}

/// `rotate=DEGREES*PI/180`.
fn is_rotation(filter: &str) -> bool {
    let degrees = filter
        .strip_prefix("rotate=")
        .and_then(|rest| rest.strip_suffix("*PI/180"));
    degrees.is_some_and(|degrees| {
        let is_plain = |char: char| char.is_ascii_digit() || char == '.';
        degrees.len() <= 20 && degrees.chars().all(is_plain) && degrees.parse::<f64>().is_ok()
    })
}

fn holds(holds: bool, what: &'static str) -> Check {
    match holds {
        true => Ok(()),
        false => Err(what),
    }
}

fn all<T>(them: impl IntoIterator<Item = T>, check: impl Fn(T) -> Check) -> Check {
    them.into_iter().try_for_each(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(stream: StreamInfo) -> Answer {
        Answer::Done(Found::Probed(Probed {
            info: MediaInfo {
                format: "mov,mp4,m4a,3gp,3g2,mj2".into(),
                duration_s: Some(1.0),
                duration_is_guessed: false,
                bit_rate: None,
                tags: vec![],
                chapters: 0,
                starts_late: false,
                streams: vec![stream],
            },
            log: vec![],
        }))
    }

    fn video(width: u32, orient: &str, pixel_format: &str) -> StreamInfo {
        let kind = StreamKind::Video {
            width,
            height: 240,
            frame_rate: Ratio::new(25, 1),
            sample_aspect: Ratio::new(0, 1),
            orient: orient.into(),
            pixel_format: pixel_format.into(),
            alpha: false,
            depth: 8,
            fields: crate::job::Fields::Unknown,
            light: None,
        };
        StreamInfo::of_kind(kind, "h264")
    }

    #[test]
    fn a_size_a_name_and_an_orientation_are_what_libav_could_say() {
        let check = |stream| check(&answer(stream), &Limits::default());
        let crop = "crop=w=iw-2-4:h=ih-6-8:x=2:y=6";
        for orient in [
            "",
            "transpose=clock",
            "hflip,vflip",
            crop,
            "crop=w=iw-0-0:h=ih-0-8:x=0:y=0,transpose=cclock_flip",
            "rotate=33.000000*PI/180",
        ] {
            assert_eq!(check(video(320, orient, "yuv420p")), Ok(()), "{orient}");
        }
        for orient in [
            "movie=/etc/passwd",
            "hflip,",
            "hflip;movie=a",
            "crop=w=iw-2-4:h=ih-6-8:x=2:y=7",
            "crop=w=iw-2-4:h=ih-6-8:x=2:y=6:keep_aspect=1",
            "rotate=1*PI/180[a]",
            "rotate=-*PI/180",
            "transpose",
        ] {
            let checked = check(video(320, orient, "yuv420p"));
            assert_eq!(checked, Err("an orientation"), "{orient}");
        }
        assert_eq!(check(video(u32::MAX, "", "")), Err("a size"));
        let format = "yuv420p,movie=a";
        assert_eq!(check(video(320, "", format)), Err("a name"));
    }

    #[test]
    fn times_and_counts_are_numbers_that_can_be_added_up() {
        let check = |ran| check(&Answer::Done(Found::Ran(ran)), &Limits::default());
        assert_eq!(check(Ran::default()), Ok(()));
        let frames = vec![Some(u64::MAX)];
        let ran = Ran {
            frames,
            ..Ran::default()
        };
        assert_eq!(check(ran), Err("a count"));
        let ran = Ran {
            media_s: 1e300,
            ..Ran::default()
        };
        assert_eq!(check(ran), Err("a time"));
        let ran = Ran {
            damaged: vec![(usize::MAX, 1)],
            ..Ran::default()
        };
        assert_eq!(check(ran), Err("a stream's position"));
    }
}
