//! A slideshow as plain data: the file that a person may write.

use std::fmt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::format::Format;
use super::photo::Fit;
use super::transition::{Easing, Kind, Transition};
use crate::document;
use crate::draw::Theme;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::recipe::Size;
use crate::values;

/// Thousands of slides with captions are far smaller.
const MOST_BYTES: u64 = 64 << 20;

/// The film as a whole, and its slides in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storyboard {
    /// What holds for all slides.
    #[serde(default)]
    pub film: Settings,
    /// The slides.
    #[serde(default, rename = "slide")]
    pub slides: Vec<Scene>,
}

/// A slide.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// The picture's file; in a storyboard file, seen from the folder of that.
    pub picture: PathBuf,
    /// What is written on it.
    pub caption: Option<String>,
    /// How long it is seen, its transition included; the film's where it is not given.
    pub seconds: Option<f64>,
    /// How it goes over into the next one.
    pub transition: Option<Kind>,
    /// For how long.
    pub transition_seconds: Option<f64>,
    /// How it is fitted.
    pub fit: Option<Fit>,
    /// Whether the camera moves over it.
    pub motion: Option<bool>,
}

/// What holds for all slides; what is not given is as usual.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Title of the film, and of a card before the first slide.
    pub title: Option<String>,
    /// What a card after the last slide says.
    pub closing: Option<String>,
    /// Size in pixels.
    #[serde(default, with = "as_size")]
    pub size: Option<Size>,
    /// Frames a second.
    #[serde(default, with = "as_rate")]
    pub fps: Option<Ratio>,
    /// Colours of what is drawn.
    pub theme: Option<Colours>,
    /// How pictures of other shapes are fitted.
    pub fit: Option<Fit>,
    /// Seconds a slide.
    pub seconds: Option<f64>,
    /// How slides go over into each other.
    pub transition: Option<Kind>,
    /// For how long.
    pub transition_seconds: Option<f64>,
    /// How fast when.
    pub easing: Option<Easing>,
    /// Whether the camera moves over pictures.
    pub motion: Option<bool>,
    /// What is heard, one file after the other; in a storyboard file, seen from its folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub music: Vec<PathBuf>,
}

/// A theme by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Colours {
    /// For dark rooms.
    Dark,
    /// For bright ones.
    Light,
}

impl Colours {
    /// The theme.
    pub fn theme(self) -> Theme {
        match self {
            Self::Dark => Theme::DARK,
            Self::Light => Theme::LIGHT,
        }
    }
}

/// The longest that a slide may be seen, and with all slides a film.
const LONGEST_S: f64 = 24.0 * 3600.0;

impl Settings {
    /// These, and what they do not give from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            title: self.title.or(other.title),
            closing: self.closing.or(other.closing),
            size: self.size.or(other.size),
            fps: self.fps.or(other.fps),
            theme: self.theme.or(other.theme),
            fit: self.fit.or(other.fit),
            seconds: self.seconds.or(other.seconds),
            transition: self.transition.or(other.transition),
            transition_seconds: self.transition_seconds.or(other.transition_seconds),
            easing: self.easing.or(other.easing),
            motion: self.motion.or(other.motion),
            music: match self.music.is_empty() {
                true => other.music,
                false => self.music,
            },
        }
    }

    /// What is used where nothing is given for a film of `format`.
    pub fn usual(format: Format) -> Self {
        let mut look = Look::default();
        if format == Format::Gif {
            // What is sent around, and hundredths of a second that come out even.
            look.size = Size {
                width: 640,
                height: 360,
            };
            look.fps = Ratio::new(25, 2);
        }
        look.into()
    }
}

/// How a film, or a slide of it, is shown, with nothing left open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Size in pixels.
    pub size: Size,
    /// Frames a second.
    pub fps: Ratio,
    /// Colours of what is drawn.
    pub theme: Colours,
    /// How pictures of other shapes are fitted.
    pub fit: Fit,
    /// Seconds a slide.
    pub seconds: f64,
    /// How slides go over into each other.
    pub transition: Transition,
    /// Whether the camera moves over pictures.
    pub motion: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            size: Size {
                width: 1920,
                height: 1080,
            },
            fps: Ratio::new(30, 1),
            theme: Colours::Dark,
            fit: Fit::Blur,
            seconds: 3.0,
            transition: Transition {
                kind: Kind::Fade,
                seconds: 0.5,
                easing: Easing::Smooth,
            },
            motion: false,
        }
    }
}

impl From<Look> for Settings {
    fn from(look: Look) -> Self {
        Self {
            title: None,
            closing: None,
            size: Some(look.size),
            fps: Some(look.fps),
            theme: Some(look.theme),
            fit: Some(look.fit),
            seconds: Some(look.seconds),
            transition: Some(look.transition.kind),
            transition_seconds: Some(look.transition.seconds),
            easing: Some(look.transition.easing),
            motion: Some(look.motion),
            music: vec![],
        }
    }
}

impl Look {
    /// What `film` says, and the usual where it says nothing.
    pub(super) fn of(film: &Settings) -> Self {
        let usual = Self::default();
        Self {
            size: film.size.unwrap_or(usual.size),
            fps: film.fps.unwrap_or(usual.fps),
            theme: film.theme.unwrap_or(usual.theme),
            fit: film.fit.unwrap_or(usual.fit),
            seconds: film.seconds.unwrap_or(usual.seconds),
            transition: Transition {
                kind: film.transition.unwrap_or(usual.transition.kind),
                seconds: film.transition_seconds.unwrap_or(usual.transition.seconds),
                easing: film.easing.unwrap_or(usual.transition.easing),
            },
            motion: film.motion.unwrap_or(usual.motion),
        }
    }

    /// For how long a slide and the next one are both seen.
    pub(super) fn overlap_s(&self) -> f64 {
        match self.transition.kind {
            Kind::None => 0.0,
            _ => self.transition.seconds.min(self.seconds),
        }
    }

    /// The same for one slide, which may say otherwise.
    pub(super) fn with(mut self, scene: &Scene) -> Self {
        self.seconds = scene.seconds.unwrap_or(self.seconds);
        self.transition.kind = scene.transition.unwrap_or(self.transition.kind);
        self.transition.seconds = scene.transition_seconds.unwrap_or(self.transition.seconds);
        self.fit = scene.fit.unwrap_or(self.fit);
        self.motion = scene.motion.unwrap_or(self.motion);
        self
    }
}

impl Storyboard {
    /// Reads a storyboard file; pictures are seen from its folder.
    ///
    /// # Errors
    /// Where it cannot be read, is no storyboard, or has no slides.
    pub fn read(file: &Path) -> Result<Self> {
        let shown = file.display();
        let text = document::read_text(file, MOST_BYTES).map_err(|error| {
            Error::usage(format!("cannot read the storyboard '{shown}'")).because(error)
        })?;
        let wrong = |cause: String| {
            Error::usage(format!("'{shown}' is no storyboard: {cause}"))
                .cure("`rushes slideshow --dry-run` writes one for a folder of pictures")
        };
        let mut board: Self =
            toml::from_str(&text).map_err(|error| wrong(error.to_string().trim().to_owned()))?;
        let folder = file.parent().unwrap_or(Path::new(""));
        for slide in &mut board.slides {
            slide.picture = folder.join(&slide.picture);
        }
        for file in &mut board.film.music {
            *file = folder.join(&*file);
        }
        if board.slides.is_empty() {
            return Err(wrong("it has no [[slide]]".into()));
        }
        Ok(board)
    }

    /// The storyboard as a file's text.
    ///
    /// # Errors
    /// Where a picture's name is no text.
    pub fn text(&self) -> Result<String> {
        let pictures = self.slides.iter().map(|slide| &slide.picture);
        let mut files = pictures.chain(&self.film.music);
        if let Some(file) = files.find(|file| file.to_str().is_none()) {
            let shown = file.display();
            return Err(Error::failed(format!(
                "'{shown}': a storyboard is text, and this name is none"
            ))
            .cure("rename it, or leave it out with --exclude"));
        }
        toml::to_string(self)
            .map_err(|error| Error::failed("cannot write the storyboard").because(error))
    }

    /// Refuses times that no film can have, and sizes that colour cannot be halved in.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn check(&self) -> Result<()> {
        let all = [self.film.seconds, self.film.transition_seconds];
        let each = self.slides.iter();
        let each = each.flat_map(|slide| [slide.seconds, slide.transition_seconds]);
        for seconds in all.into_iter().chain(each).flatten() {
            if !(0.0..=LONGEST_S).contains(&seconds) {
                return Err(Error::usage(format!(
                    "a slide or a transition of {seconds} s is not possible"
                ))
                .cure("give seconds from 0 to 86400"));
            }
        }
        match self.film.size {
            Some(size)
                if size.width % 2 + size.height % 2 > 0 || size.width.min(size.height) < 64 =>
            {
                Err(Error::usage(format!(
                    "--size {}: a film's sides are even, and at least 64 pixels",
                    Text(size)
                )))
            }
            _ => Ok(()),
        }
    }
}

/// A size or a rate as the command line takes it.
struct Text<T>(T);

impl fmt::Display for Text<Size> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.0.width, self.0.height)
    }
}

mod as_size {
    use super::{Size, Text, values};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(size: &Option<Size>, to: S) -> Result<S::Ok, S::Error> {
        match size {
            Some(size) => to.collect_str(&Text(*size)),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Size>, D::Error> {
        let text = String::deserialize(from)?;
        values::size(&text).map(Some).map_err(D::Error::custom)
    }
}

mod as_rate {
    use super::{Ratio, values};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Rate {
        Whole(u32),
        Decimal(f64),
        Text(String),
    }

    pub fn serialize<S: Serializer>(rate: &Option<Ratio>, to: S) -> Result<S::Ok, S::Error> {
        match rate {
            Some(rate) if rate.den == 1 => to.serialize_i32(rate.num),
            Some(rate) => to.collect_str(rate),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Ratio>, D::Error> {
        let text = match Rate::deserialize(from)? {
            Rate::Whole(rate) => rate.to_string(),
            Rate::Decimal(rate) => rate.to_string(),
            Rate::Text(text) => text,
        };
        values::frame_rate(&text)
            .map(Some)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storyboard_reads_back_as_it_was_written() {
        let board = Storyboard {
            film: Settings {
                title: Some("A \"title\"\nof two lines".into()),
                fps: Some(Ratio::new(30_000, 1001)),
                ..Settings::usual(Format::Mp4)
            },
            slides: vec![
                Scene {
                    picture: "a.jpg".into(),
                    caption: Some("first".into()),
                    seconds: Some(2.0),
                    transition: Some(Kind::Push),
                    ..Scene::default()
                },
                Scene {
                    picture: "b.png".into(),
                    ..Scene::default()
                },
            ],
        };
        let text = board.text().unwrap();
        assert_eq!(
            toml::from_str::<Storyboard>(&text).unwrap(),
            board,
            "{text}"
        );
    }

    #[test]
    fn what_a_storyboard_cannot_mean_is_refused() {
        let parse = |text: &str| toml::from_str::<Storyboard>(text);
        assert!(parse("[film]\ncolour = 'blue'").is_err());
        assert!(parse("[film]\nsize = 'large'").is_err());
        assert!(parse("[[slide]]\ncaption = 'no picture'").is_err());
        assert_eq!(
            parse("[film]\nfps = 25").unwrap().film.fps,
            Some(Ratio::new(25, 1))
        );
        for text in [
            "seconds = -1.0",
            "seconds = nan",
            "transition_seconds = inf",
            "size = '101x100'",
        ] {
            let board = parse(&format!("[film]\n{text}")).unwrap();
            assert!(board.check().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_given_first_counts() {
        let flags = Settings {
            seconds: Some(1.0),
            ..Settings::default()
        };
        let all = flags.or(Settings::usual(Format::Mp4));
        assert_eq!((all.seconds, all.transition), (Some(1.0), Some(Kind::Fade)));
    }
}
