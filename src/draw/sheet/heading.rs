//! What stands above the pictures: the name of the video, and what it is.

use std::path::Path;

use super::layout::Style;
use crate::draw::svg::{Ink, Svg};
use crate::draw::text::Face;
use crate::draw::{Raster, Theme, glyphs, raster};
use crate::error::Result;
use crate::job::{MediaInfo, StreamInfo, StreamKind};
use crate::report::words;

/// Between two details.
const DOT: &str = " · ";

/// Lines on which details may stand where the pictures leave but little width.
const MOST_LINES: usize = 4;

/// Frames a second above which a rate is that of a container's clock.
const MOST_RATE: f64 = 999.0;

/// What stands above the pictures; both may hold anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heading {
    /// The video's name; cut in the middle where it is too long.
    pub name: String,
    /// What it is, e.g. `1920×1080`, `1:02:33`; left out from the end where they are too many.
    pub details: Vec<String>,
}

impl Heading {
    /// That of the file at `path` of so many `bytes`, with [`details`] of what it holds.
    pub fn of(path: &Path, bytes: u64, details: &[String]) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Self {
            name: name.to_string_lossy().into_owned(),
            details: [details, &[words::bytes(bytes)]].concat(),
        }
    }

    /// The characters for which no font is embedded: boxes are drawn for them.
    pub fn missing(&self) -> Vec<char> {
        glyphs::missing(&format!("{}{}", self.name, self.details.concat()))
    }
}

/// What a video is, as far as it is known: `1920×1080`, `25 fps`, `1:02:33`, `H.264 + AAC`.
pub fn details(media: &MediaInfo) -> Vec<String> {
    let video = media.main_video();
    let details = [
        video.and_then(resolution),
        video.and_then(frame_rate),
        length(media),
        codecs(media),
    ];
    details.into_iter().flatten().collect()
}

fn resolution(video: &StreamInfo) -> Option<String> {
    match video.kind {
        StreamKind::Video { width, height, .. } if width > 0 && height > 0 => {
            let (width, height) = match video.is_turned() {
                true => (height, width),
                false => (width, height),
            };
            Some(format!("{width}×{height}"))
        }
        _ => None,
    }
}

fn frame_rate(video: &StreamInfo) -> Option<String> {
    match video.kind {
        StreamKind::Video { frame_rate, .. } if frame_rate.is_positive() => Some(frame_rate)
            .map(|rate| rate.as_f64())
            .filter(|rate| *rate <= MOST_RATE)
            .map(words::frame_rate),
        _ => None,
    }
}

fn length(media: &MediaInfo) -> Option<String> {
    let seconds = media.duration_s.filter(|seconds| *seconds > 0.0)?;
    let about = if media.duration_is_guessed {
        "about "
    } else {
        ""
    };
    Some(format!("{about}{}", words::duration(seconds)))
}

/// Those that a player would show and play.
fn codecs(media: &MediaInfo) -> Option<String> {
    let sound = media.audio().find(|stream| stream.is_default);
    let sound = sound.or_else(|| media.audio().next());
    let streams = media.main_video().into_iter().chain(sound);
    let codecs: Vec<String> = streams.map(|stream| words::codec(&stream.codec)).collect();
    (!codecs.is_empty()).then(|| codecs.join(" + "))
}

/// A heading whose lines fit.
pub(super) struct Block {
    style: Style,
    name: String,
    face: Face,
    lines: Vec<String>,
}

impl Block {
    /// `heading` in so much `room`, in pixels: as many details as fit it.
    pub(super) fn of(heading: &Heading, style: Style, room: (u64, u64)) -> Self {
        let width = room.0 as f64;
        let name = glyphs::drawable(&heading.name);
        let largest = Face::bold(style.title as f64);
        let face = largest.shrunk_to(&name, width);
        let face = Face {
            size: face.size.max(largest.size * 0.8),
            ..face
        };
        let mut most = (1..=MOST_LINES).rev();
        let most = most.find(|lines| style.heading(*lines as u64) <= room.1);
        let mut lines = lines(&heading.details, details_face(style), width);
        lines.truncate(most.unwrap_or(1));
        Self {
            style,
            name: face.cut_middle(&name, width),
            face,
            lines,
        }
    }

    /// Height down to the first row of pictures.
    pub(super) fn height(&self) -> u64 {
        if self.name.is_empty() && self.lines.is_empty() {
            return 0;
        }
        self.style.heading(self.lines.len() as u64)
    }

    /// The strip of so many pixels' width above the pictures, its margins included.
    pub(super) fn draw(&self, width: u32, theme: &Theme) -> Result<Raster> {
        let Style { margin, .. } = self.style;
        let height = u32::try_from(margin + self.height()).unwrap_or(u32::MAX);
        let mut svg = Svg::new(f64::from(width), f64::from(height), theme.background);
        let at = |line: u64| (margin as f64, (margin + line) as f64);
        let ink = Ink::new(self.face, theme.text);
        svg.text(&self.name, at(self.style.title_line()), ink);
        for (number, line) in (1..).zip(&self.lines) {
            let ink = Ink::new(details_face(self.style), theme.muted);
            svg.text(line, at(self.style.details_line(number)), ink);
        }
        raster::render(&svg.finish(), width, height)
    }
}

fn details_face(style: Style) -> Face {
    Face::regular(style.details as f64)
}

/// `details` on lines of at most `width` pixels, dots between them.
fn lines(details: &[String], face: Face, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let shown = details.iter().map(|detail| glyphs::drawable(detail));
    for detail in shown.filter(|detail| !detail.is_empty()) {
        let detail = face.cut_middle(&detail, width);
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line}{DOT}{detail}");
            if face.width(&longer) <= width {
                *line = longer;
                continue;
            }
        }
        lines.push(detail);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::sheet::SheetPlan;
    use crate::job::{Fields, Ratio};

    fn stream(index: usize, codec: &str, kind: StreamKind) -> StreamInfo {
        StreamInfo {
            index,
            kind,
            codec: codec.into(),
            decodable: true,
            is_default: index > 1,
            duration_s: None,
            bit_rate: None,
            is_edited: false,
            details: Default::default(),
        }
    }

    fn video(orient: &str, frame_rate: Ratio) -> StreamInfo {
        let kind = StreamKind::Video {
            width: 1920,
            height: 1080,
            frame_rate,
            sample_aspect: Ratio::new(1, 1),
            orient: orient.into(),
            pixel_format: "yuv420p".into(),
            alpha: false,
            depth: 8,
            fields: Fields::default(),
            light: None,
        };
        stream(0, "h264", kind)
    }

    fn sound(index: usize, codec: &str) -> StreamInfo {
        let kind = StreamKind::Audio {
            sample_rate: 48_000,
            channels: 2,
            layout: "stereo".into(),
            bits: 0,
        };
        stream(index, codec, kind)
    }

    fn media(duration_s: Option<f64>, streams: Vec<StreamInfo>) -> MediaInfo {
        MediaInfo {
            format: "mov".into(),
            duration_s,
            duration_is_guessed: false,
            bit_rate: None,
            tags: Vec::new(),
            chapters: 0,
            starts_late: false,
            streams,
        }
    }

    fn details(media: &MediaInfo) -> String {
        let heading = Heading::of(Path::new("a/b.mov"), 769_654_784, &super::details(media));
        assert_eq!(heading.name, "b.mov");
        heading.details.join(", ")
    }

    #[test]
    fn details_tell_what_a_video_is_and_leave_out_what_is_not_known() {
        let ntsc = Ratio::new(30_000, 1001);
        let streams = vec![video("", ntsc), sound(1, "mp3"), sound(2, "aac")];
        assert_eq!(
            details(&media(Some(3753.0), streams)),
            "1920×1080, 29.97 fps, 1:02:33, H.264 + AAC, 734.0 MiB"
        );
        let upright = vec![video("transpose=clock", Ratio::new(90_000, 1))];
        let mut guessed = media(Some(83.0), upright);
        guessed.duration_is_guessed = true;
        assert_eq!(details(&guessed), "1080×1920, about 1:23, H.264, 734.0 MiB");
        assert_eq!(details(&media(None, Vec::new())), "734.0 MiB");
    }

    fn block(name: &str, details: &[&str], room: (u64, u64)) -> Block {
        let plan = SheetPlan {
            columns: 5,
            rows: 4,
            fit: None,
        };
        let heading = Heading {
            name: name.into(),
            details: details.iter().map(|detail| (*detail).into()).collect(),
        };
        Block::of(&heading, Style::of(&plan), room)
    }

    #[test]
    fn details_take_the_lines_that_there_is_room_for() {
        let all = [
            "1920×1080",
            "29.97 fps",
            "1:02:33",
            "H.264 + AAC",
            "734 MiB",
        ];
        assert_eq!(block("a", &all, (1000, 900)).lines, [all.join(DOT)]);
        let narrow = block("a", &all, (250, 900)).lines;
        assert!(narrow.len() > 1);
        assert_eq!(narrow.join(DOT), all.join(DOT));
        assert_eq!(block("a", &all, (250, 0)).lines, narrow[..1]);
    }

    #[test]
    fn no_line_is_wider_than_the_pictures() {
        for wide in [0, 10, 100, 1500] {
            let long = "长 long <name> ".repeat(50);
            let block = block(&long, &[&long, &long], (wide, 900));
            let most = (wide as f64).max(block.face.width("…"));
            assert!(block.face.width(&block.name) <= most);
            let face = details_face(block.style);
            assert!(block.lines.iter().all(|line| face.width(line) <= most));
            assert!(block.lines.len() <= MOST_LINES);
        }
    }

    #[test]
    fn nothing_to_say_takes_no_room() {
        assert_eq!(block("", &[], (1000, 900)).height(), 0);
        assert_eq!(block("a", &["", "b"], (1000, 900)).lines, ["b"]);
        assert_eq!(block("\u{200b}", &[], (1000, 900)).height(), 0);
    }

    #[test]
    fn what_cannot_be_drawn_is_told() {
        let heading = Heading {
            name: "映画.mp4".into(),
            details: vec!["画".into(), "25 fps".into()],
        };
        assert_eq!(heading.missing(), ['映', '画']);
    }
}
