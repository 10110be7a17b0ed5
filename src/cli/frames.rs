//! `rushes frames`.

use clap::ValueEnum;

use super::running::Running;
use super::{Ending, outcome};
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::job::Ratio;
use crate::recipe::{CodecThreads, Frames, Pick, PictureFormat, Recipe, Size};
use crate::values;

/// Take pictures out of videos: a folder of pictures a video.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,

    /// The pictures' format.
    #[arg(long, value_enum, default_value = "jpg")]
    format: Format,

    /// JPEG quality, from 2 (best) to 31.
    #[arg(long, value_name = "Q", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=31))]
    quality: u8,

    /// Box that pictures must fit, such as 320x240; aspect kept, never enlarged.
    #[arg(long, value_name = "WxH", value_parser = values::size)]
    size: Option<Size>,

    #[command(flatten)]
    running: Running,
}

/// Which frames are taken.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Choice {
    /// Time from one picture to the next; the first is taken at the beginning [default: 1s].
    #[arg(long, value_name = "TIME", value_parser = values::positive_seconds)]
    every: Option<Ratio>,

    /// Take the first frame and then one in N.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    nth: Option<u32>,

    /// Take N frames, spread evenly over the length.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: Option<u32>,

    /// Take all key frames; nothing else is decoded.
    #[arg(long)]
    keyframes: bool,
}

impl Choice {
    fn pick(&self) -> Pick {
        match (self.nth, self.count, self.keyframes) {
            (Some(number), ..) => Pick::Nth(number),
            (_, Some(number), _) => Pick::Count(number),
            (.., true) => Pick::KeyFrames,
            _ => Pick::Every(self.every.unwrap_or(Ratio::new(1, 1))),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Jpg,
    Png,
}

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        let recipe = Recipe::Frames(Frames {
            pick: self.choice.pick(),
            format: match self.format {
                Format::Jpg => PictureFormat::Jpeg,
                Format::Png => PictureFormat::Png,
            },
            quality: self.quality,
            fit: self.size,
            codec_threads: CodecThreads(usize::from(self.running.codec_threads)),
        });
        outcome::run_recipes(&[recipe], &self.running, cancel)
    }
}
