//! `rushes slideshow`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use globset::Glob;

use super::Ending;
use super::encoding;
use crate::dispatch::{Cancel, OnError};
use crate::error::{Error, Result};
use crate::film::photo::Fit;
use crate::film::render;
use crate::film::slideshow::{Quality, film, find, storyboard};
use crate::film::storyboard::{Colours, Settings, Storyboard};
use crate::film::transition::{Easing, Kind};
use crate::job::Ratio;
use crate::plan::{Existing, Found, Wanted, free_names};
use crate::recipe::{Rate, Size, Video};
use crate::report::Style;
use crate::report::film::Telling;
use crate::values;

/// Make a film of pictures: H.264 in mp4, with a chapter a picture.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pictures, folders of pictures, or one storyboard file (.toml).
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// The film, a name that ends in .mp4.
    #[arg(short, long, value_name = "FILE", default_value = "slideshow.mp4")]
    output: PathBuf,

    /// Take what this pattern matches, such as '*.jpg', instead of all pictures; may be repeated.
    #[arg(long, value_name = "GLOB", value_parser = values::glob)]
    include: Vec<Glob>,

    /// Leave out what this pattern matches: files, or folders with all in them; may be repeated.
    #[arg(long, value_name = "GLOB", value_parser = values::glob)]
    exclude: Vec<Glob>,

    #[command(flatten)]
    look: LookFlags,

    /// Constant quality; lower is better.
    #[arg(long, value_name = "Q", value_parser = encoding::crf, default_value = "20")]
    crf: f32,

    /// libx264's own speed preset.
    #[arg(long, value_name = "PRESET", default_value = "medium")]
    speed: String,

    /// What a picture that cannot be read means for the film.
    #[arg(long, value_name = "WHAT", value_enum, default_value = "continue")]
    on_error: OnError,

    /// What to do where the film already exists.
    #[arg(long, value_name = "WHAT", value_enum, default_value = "skip")]
    exists: Existing,

    /// Print events on stdout, one JSON object a line.
    #[arg(long)]
    json: bool,

    /// Tell of failures alone.
    #[arg(short, long, conflicts_with = "json")]
    quiet: bool,

    /// Print the film's storyboard, which can be changed and given as PATH, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// How the film looks; a storyboard file may say all of it, too, and these flags go before.
#[derive(Debug, clap::Args)]
struct LookFlags {
    /// How long a picture is seen, the transition to the next one included [default: 3s].
    #[arg(long, value_name = "TIME", value_parser = values::seconds)]
    seconds: Option<f64>,

    /// How a picture goes over into the next one [default: fade].
    #[arg(long, value_name = "HOW", value_enum)]
    transition: Option<Kind>,

    /// Length of a transition [default: 0.5s].
    #[arg(long, value_name = "TIME", value_parser = values::seconds)]
    transition_seconds: Option<f64>,

    /// How a transition's speed changes [default: smooth].
    #[arg(long, value_name = "HOW", value_enum)]
    easing: Option<Easing>,

    /// How a picture of another shape than the film's is shown [default: blur].
    #[arg(long, value_name = "HOW", value_enum)]
    fit: Option<Fit>,

    /// Title of the film, shown on a card before the first picture.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// What a card after the last picture says.
    #[arg(long, value_name = "TEXT")]
    closing: Option<String>,

    /// What is written on pictures.
    #[arg(long, value_name = "WHICH", value_enum, default_value = "none")]
    captions: Captions,

    /// Colours of cards, captions and what is behind pictures [default: dark].
    #[arg(long, value_name = "WHICH", value_enum)]
    theme: Option<Colours>,

    /// Size of the film [default: 1920x1080].
    #[arg(long, value_name = "WxH", value_parser = values::size)]
    size: Option<Size>,

    /// Frames a second [default: 30].
    #[arg(long, value_name = "RATE", value_parser = values::frame_rate)]
    fps: Option<Ratio>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Captions {
    /// The names of their files.
    Names,
    /// Nothing but what a storyboard says.
    None,
}

impl LookFlags {
    fn settings(&self) -> Settings {
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
        }
    }
}

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        let (board, unreadable) = self.storyboard()?;
        if self.dry_run {
            print!("{}", board.text()?);
            return self.end(&unreadable);
        }
        let quality = self.quality()?;
        let Some(target) = self.target(&board)? else {
            return Ok(Ending::Done);
        };
        let mut telling = Telling::new(self.style(), self.on_error);
        for refused in &unreadable {
            let told = format!("'{}': {}", refused.0.display(), refused.1);
            match self.on_error {
                OnError::Continue => telling.left_out(&told),
                OnError::Stop => return Err(Error::failed(format!("cannot read {told}"))),
            }
        }
        let title = target.file_stem().unwrap_or_default().to_string_lossy();
        let film = film(&board, &title, quality)?;
        let made = render(&film, &target, cancel, &mut telling)?;
        telling.finish(&target, made, made.frames as f64 / film.rate.as_f64());
        Ok(if made.left_out + unreadable.len() > 0 {
            Ending::SomeFailed
        } else {
            Ending::Done
        })
    }

    /// Tells what a dry run could not look into.
    fn end(&self, unreadable: &[(PathBuf, String)]) -> Result<Ending> {
        for (path, reason) in unreadable {
            eprintln!("left out: '{}': {reason}", path.display());
        }
        Ok(match unreadable {
            [] => Ending::Done,
            _ => Ending::SomeFailed,
        })
    }

    /// What is to be shown, and what could not be looked into, with the reason.
    fn storyboard(&self) -> Result<(Storyboard, Vec<(PathBuf, String)>)> {
        let flags = self.look.settings();
        let file = self.paths.iter().find(|path| has_ending(path, "toml"));
        let (board, unreadable) = match file {
            Some(file) if self.paths.len() == 1 => {
                let board = Storyboard::read(file)?;
                let film = flags.or(board.film).or(Settings::usual());
                (Storyboard { film, ..board }, Vec::new())
            }
            Some(file) => {
                return Err(Error::usage(format!(
                    "the storyboard '{}' is not the only PATH",
                    file.display()
                ))
                .cure("name the other pictures in the storyboard"));
            }
            None => {
                let wanted = Wanted::pictures(&self.include, &self.exclude)?;
                let found = find(&self.paths, &wanted)?;
                let names = self.look.captions == Captions::Names;
                let board = storyboard(&found, flags.or(Settings::usual()), names);
                (board, reasons(found))
            }
        };
        board.check()?;
        Ok((board, unreadable))
    }

    fn quality(&self) -> Result<Quality> {
        encoding::linked("slideshow needs", "libx264")?;
        let rate = Rate::Quality(self.crf);
        let video = Video {
            speed: Some(self.speed.clone()),
            rate: Some(rate),
            ..Video::default()
        };
        encoding::try_out(&video, 1)?;
        Ok(Quality {
            rate,
            speed: self.speed.clone(),
        })
    }

    /// The film's name; none where it is there already and is to stay.
    fn target(&self, board: &Storyboard) -> Result<Option<PathBuf>> {
        let (target, shown) = (&self.output, self.output.display());
        if !has_ending(target, "mp4") {
            return Err(Error::usage(format!(
                "-o {shown}: a film's name ends in .mp4"
            )));
        }
        if target.is_dir() {
            return Err(Error::usage(format!("-o {shown}: it is a folder"))
                .cure("name a file in it, such as film.mp4"));
        }
        let Ok(real) = target.canonicalize() else {
            return Ok(Some(target.clone()));
        };
        let is_source = |path: &Path| path.canonicalize().is_ok_and(|path| path == real);
        if board.slides.iter().any(|slide| is_source(&slide.picture)) {
            return Err(
                Error::usage(format!("-o {shown}: it is one of the pictures"))
                    .cure("choose another name for the film"),
            );
        }
        let free = || free_names(target).find(|name| name.symlink_metadata().is_err());
        match self.exists {
            Existing::Overwrite => Ok(Some(target.clone())),
            Existing::Rename => Ok(free()),
            Existing::Error => Err(Error::usage(format!("'{shown}' is there already"))
                .cure("choose another name with -o, or another --exists")),
            Existing::Skip => {
                if !self.quiet {
                    eprintln!("'{shown}' is there already; --exists overwrite makes it anew");
                }
                Ok(None)
            }
        }
    }

    fn style(&self) -> Style {
        match (self.json, self.quiet) {
            (true, _) => Style::Json,
            (_, true) => Style::Quiet,
            _ => Style::Auto,
        }
    }
}

fn reasons(found: Found) -> Vec<(PathBuf, String)> {
    let refused = found.unreadable.into_iter();
    refused
        .map(|refused| (refused.source, refused.reason))
        .collect()
}

fn has_ending(path: &Path, ending: &str) -> bool {
    let found = path.extension().and_then(OsStr::to_str);
    found.is_some_and(|found| found.eq_ignore_ascii_case(ending))
}
