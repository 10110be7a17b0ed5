//! `rushes frames`.

use clap::ValueEnum;

use super::running::Running;
use super::{Ending, outcome};
use crate::bench::results::Work;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::media;
use crate::recipe::{
    CodecThreads, Deinterlace, Frames, Grid, Hdr, Pick, PictureFormat, Recipe, Size,
};
use crate::values;

/// Take pictures out of videos: a folder of pictures a video, or one picture.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,

    /// The pictures' format.
    #[arg(long, value_enum, default_value = "jpg")]
    format: Format,

    /// Quality of JPEG and WebP, from 1 (smallest) to 100 (best) [default: 90].
    #[arg(long, value_name = "Q", value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: Option<u8>,

    /// Box that pictures, or a contact sheet, must fit, such as 320x240; aspect kept, never
    /// enlarged.
    #[arg(long, value_name = "WxH", value_parser = values::size)]
    size: Option<Size>,

    /// Whether pictures of two fields, as of television, become whole.
    #[arg(long, value_name = "WHICH", value_enum, default_value = "auto")]
    deinterlace: Deinterlace,

    /// What becomes of high dynamic range (HLG, PQ): tone-map it, or keep it.
    #[arg(long, value_name = "WHICH", value_enum, default_value = "auto")]
    hdr: Hdr,

    #[command(flatten)]
    pub(super) running: Running,
}

/// Which frames are taken.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Choice {
    /// Time from one picture to the next; the first is taken at the beginning [default: 1s].
    #[arg(help_heading = "Which frames; one of", long, value_name = "TIME", value_parser = values::positive_seconds)]
    every: Option<Ratio>,

    /// Take the first frame and then one in N.
    #[arg(help_heading = "Which frames; one of", long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    nth: Option<u32>,

    /// Take what is shown at these times, such as 3.2,0:10, or at those of a file, @times.txt.
    #[arg(help_heading = "Which frames; one of", long, value_name = "TIMES", value_parser = values::times)]
    at: Option<values::Times>,

    /// Take N frames, spread evenly over the length.
    #[arg(help_heading = "Which frames; one of", long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: Option<u32>,

    /// Take all key frames; nothing else is decoded.
    #[arg(help_heading = "Which frames; one of", long)]
    keyframes: bool,

    /// Take the first frame of each scene: what differs from the frame before by more than this,
    /// from 0 to 1 [default: 0.3].
    #[arg(help_heading = "Which frames; one of", 
        long,
        value_name = "DIFFERENCE",
        value_parser = values::share,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "0.3"
    )]
    scenes: Option<f32>,

    /// Take the one picture that stands best for the video.
    #[arg(help_heading = "Which frames; one of", long)]
    best: bool,

    /// Make one contact sheet of so many columns and rows, such as 5x4, with times.
    #[arg(help_heading = "Which frames; one of", long, value_name = "COLUMNSxROWS", value_parser = values::grid)]
    sheet: Option<Grid>,
}

impl Choice {
    fn pick(self) -> Result<Pick> {
        let at = self.at.map(values::Times::resolve).transpose()?;
        let given = [
            self.nth.map(Pick::Nth),
            at.map(Pick::At),
            self.count.map(Pick::Count),
            self.keyframes.then_some(Pick::KeyFrames),
            self.scenes.map(Pick::Scenes),
            self.best.then_some(Pick::Best),
            self.sheet.map(Pick::Sheet),
        ];
        let every = || Pick::Every(self.every.unwrap_or(Ratio::new(1, 1)));
        Ok(given.into_iter().flatten().next().unwrap_or_else(every))
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Jpg,
    Png,
    Webp,
}

impl From<Format> for PictureFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Jpg => Self::Jpeg,
            Format::Png => Self::Png,
            Format::Webp => Self::WebP,
        }
    }
}

impl Args {
    pub(super) fn run(mut self, cancel: &Cancel) -> Result<Ending> {
        let format = PictureFormat::from(self.format);
        if format == PictureFormat::Png && self.quality.is_some() {
            return Err(Error::usage("--format png --quality: PNG loses nothing")
                .cure("leave --quality out, or use --format jpg or webp"));
        }
        let usual = Frames::default();
        let recipe = Recipe::Frames(Frames {
            pick: self.choice.pick()?,
            format,
            quality: self.quality.unwrap_or(usual.quality),
            deinterlace: self.deinterlace,
            hdr: self.hdr.into(),
            fit: self.size,
            codec_threads: CodecThreads(usize::from(self.running.codec_threads)),
        });
        let encoder = format.encoder_name();
        if !media::has_encoder(encoder) {
            return Err(Error::usage(format!(
                "--format {}: the linked FFmpeg has no encoder '{encoder}'",
                format.extension()
            ))
            .cure("use another format, or an FFmpeg that was built with it"));
        }
        self.running.choose(Work::Frames);
        outcome::run_recipes(&[recipe], &self.running, cancel)
    }
}
