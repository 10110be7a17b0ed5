//! What a user wants of pictures taken out of a video.

use serde::{Deserialize, Serialize};

use super::{CodecThreads, Deinterlace, HdrRule, Size};
use crate::job::Ratio;

/// Pictures taken out of a video.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frames {
    /// Which frames become pictures.
    pub pick: Pick,
    /// The pictures' format.
    pub format: PictureFormat,
    /// From 1 (smallest) to 100 (best), on the scale that JPEG and WebP share; of no effect on PNG.
    pub quality: u8,
    /// Whether pictures of two fields become whole.
    pub deinterlace: Deinterlace,
    /// What becomes of high dynamic range.
    pub hdr: HdrRule,
    /// Box that the pictures must fit, aspect kept; that of a contact sheet is for the whole sheet.
    pub fit: Option<Size>,
    /// Threads that each codec and filter of a job may use.
    pub codec_threads: CodecThreads,
}

/// Which frames become pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pick {
    /// The frames that are shown at the beginning and then so many seconds apart.
    Every(Ratio),
    /// The first frame and then one in so many; at least 1.
    Nth(u32),
    /// Those shown at these times in milliseconds, ascending, each once.
    At(Vec<u64>),
    /// So many, spread evenly: those shown in the middle of as many equal parts; at least 1.
    Count(u32),
    /// Those that are decoded without others.
    KeyFrames,
    /// The first frame, and those that differ from the one before by more than this, from 0 to 1.
    Scenes(f32),
    /// One that stands for all.
    Best,
    /// As `Count`, on one contact sheet.
    Sheet(Grid),
}

/// The pictures of a contact sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grid {
    /// Pictures side by side.
    pub columns: u32,
    /// Pictures one below the other.
    pub rows: u32,
}

/// Formats that pictures are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PictureFormat {
    /// JPEG, file ending `jpg`.
    Jpeg,
    /// PNG, file ending `png`.
    Png,
    /// WebP with loss, file ending `webp`.
    WebP,
}

impl Default for Frames {
    fn default() -> Self {
        Self {
            pick: Pick::Every(Ratio::new(1, 1)),
            format: PictureFormat::Jpeg,
            quality: 90,
            deinterlace: Deinterlace::default(),
            hdr: HdrRule::default(),
            fit: None,
            codec_threads: CodecThreads::default(),
        }
    }
}

impl Frames {
    /// The recipe in a few words, e.g. `one jpg picture every 1 s`.
    pub(super) fn words(&self) -> String {
        let format = self.format.extension();
        match &self.pick {
            Pick::Every(seconds) => format!("one {format} picture every {} s", seconds.as_f64()),
            Pick::Nth(1) => format!("one {format} picture a frame"),
            Pick::Nth(number) => format!("one {format} picture every {number} frames"),
            Pick::At(times) => format!("{} {format} pictures at given times", times.len()),
            Pick::Count(number) => format!("{number} {format} pictures, spread evenly"),
            Pick::KeyFrames => format!("one {format} picture a key frame"),
            Pick::Scenes(_) => format!("one {format} picture a scene"),
            Pick::Best => format!("one {format} picture"),
            Pick::Sheet(grid) => format!(
                "one {format} contact sheet of {}×{} pictures",
                grid.columns, grid.rows
            ),
        }
    }

    /// The file ending of a source's result; none where that is a folder.
    pub fn file_ending(&self) -> Option<&'static str> {
        matches!(self.pick, Pick::Best | Pick::Sheet(_)).then(|| self.format.extension())
    }
}

impl Grid {
    /// Pictures on the sheet.
    pub fn cells(self) -> u32 {
        self.columns * self.rows
    }
}

impl PictureFormat {
    /// All of them.
    pub const ALL: [PictureFormat; 3] =
        [PictureFormat::Jpeg, PictureFormat::Png, PictureFormat::WebP];

    /// The file ending, without a dot.
    pub fn extension(self) -> &'static str {
        match self {
            PictureFormat::Jpeg => "jpg",
            PictureFormat::Png => "png",
            PictureFormat::WebP => "webp",
        }
    }
}
