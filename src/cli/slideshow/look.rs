//! Flags that say how the film looks.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::film::photo::Fit;
use crate::film::storyboard::{Colours, Settings};
use crate::film::transition::{Easing, Kind};
use crate::job::Ratio;
use crate::recipe::Size;
use crate::values;

/// How the film looks; a storyboard file may say all of it, too, and these flags go before.
#[derive(Debug, clap::Args)]
pub(super) struct LookFlags {
    /// How long a picture is seen, the transition to the next one included [default: 3s].
    #[arg(long, value_name = "TIME", value_parser = values::seconds)]
    pub seconds: Option<f64>,

    /// How a picture goes over into the next one [default: fade].
    #[arg(long, value_name = "HOW", value_enum)]
    pub transition: Option<Kind>,

    /// Length of a transition [default: 0.5s].
    #[arg(long, value_name = "TIME", value_parser = values::seconds)]
    pub transition_seconds: Option<f64>,

    /// How a transition's speed changes [default: smooth].
    #[arg(long, value_name = "HOW", value_enum)]
    pub easing: Option<Easing>,

    /// How a picture of another shape than the film's is shown [default: blur].
    #[arg(long, value_name = "HOW", value_enum)]
    pub fit: Option<Fit>,

    /// Move the camera slowly over every picture; with `--fit cover`, along all of it.
    #[arg(long)]
    pub motion: bool,

    /// Title of the film, shown on a card before the first picture.
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// What a card after the last picture says.
    #[arg(long, value_name = "TEXT")]
    pub closing: Option<String>,

    /// What is written on pictures.
    #[arg(long, value_name = "WHICH", value_enum, default_value = "none")]
    pub captions: Captions,

    /// Colours of cards, captions and what is behind pictures [default: dark].
    #[arg(long, value_name = "WHICH", value_enum)]
    pub theme: Option<Colours>,

    /// Size of the film [default: 1920x1080].
    #[arg(long, value_name = "WxH", value_parser = values::size)]
    pub size: Option<Size>,

    /// Frames a second [default: 30].
    #[arg(long, value_name = "RATE", value_parser = values::frame_rate)]
    pub fps: Option<Ratio>,

    /// Music: files with sound in them, one after the other, cut or repeated to the film's length.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub music: Vec<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Captions {
    /// The names of their files.
    Names,
    /// Nothing but what a storyboard says.
    None,
}

impl LookFlags {
    /// What is asked for; all else as usual.
    pub fn settings(&self) -> Settings {
        Settings {
            title: self.title.clone(),
            closing: self.closing.clone(),
            size: self.size,
            fps: self.fps,
            theme: self.theme,
            fit: self.fit,
            seconds: self.seconds,
            transition: self.transition,
            transition_seconds: self.transition_seconds,
            easing: self.easing,
            motion: self.motion.then_some(true),
            music: self.music.clone(),
        }
    }
}
