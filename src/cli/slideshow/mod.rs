//! `rushes slideshow`.

mod look;
mod results;
mod target;

use std::path::{Path, PathBuf};

use globset::Glob;
use look::{Captions, LookFlags};
use target::{Target, has_ending};

use super::{Ending, encoders, encoding};
use crate::delivery;
use crate::dispatch::{Cancel, OnError};
use crate::error::{Error, Result};
use crate::film::format::{Encoding, Format};
use crate::film::music::Music;
use crate::film::render_as;
use crate::film::slideshow::{film, find, missing, storyboard};
use crate::film::storyboard::{Settings, Storyboard};
use crate::job::Ratio;
use crate::plan::{Existing, Refused, Wanted};
use crate::report::Style;
use crate::report::film::Telling;
use crate::terminal::shown;
use crate::values;
use crate::{out, say};

/// Make a film of pictures, with a chapter a picture.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pictures, folders of pictures, one storyboard file (.toml), or the results of one benchmark
    /// (.json).
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The film [default: slideshow.mp4, or as --format says].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// The film's format [default: by the ending of its name].
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,

    /// Take what this pattern matches, such as '*.jpg', instead of all pictures; may be repeated.
    #[arg(long, value_name = "GLOB", value_parser = values::glob)]
    include: Vec<Glob>,

    /// Leave out what this pattern matches: files, or folders with all in them; may be repeated.
    #[arg(long, value_name = "GLOB", value_parser = values::glob)]
    exclude: Vec<Glob>,

    #[command(flatten)]
    look: LookFlags,

    /// Constant quality; lower is better [default: 20 in mp4, 32 in webm].
    #[arg(long, value_name = "Q", value_parser = encoding::crf)]
    crf: Option<f32>,

    /// Average video bit rate, such as 2M, in place of a constant quality.
    #[arg(long, value_name = "RATE", value_parser = values::bit_rate, conflicts_with = "crf")]
    bitrate: Option<u64>,

    /// The encoder's own speed preset, for webm 0 (slow) to 8 [default: medium in mp4, 4 in webm].
    #[arg(long, value_name = "PRESET")]
    speed: Option<String>,

    /// Bit rate of the music [default: 192k in mp4, 160k in webm].
    #[arg(long, value_name = "RATE", value_parser = values::bit_rate)]
    abitrate: Option<u64>,

    /// What to do if a picture is damaged: `continue` leaves it out of the film, `stop` makes no
    /// film. If a disk, the network or memory fails, rushes makes no film.
    #[arg(
        long,
        value_name = "WHAT",
        value_enum,
        default_value = "continue",
        hide_possible_values = true
    )]
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

    /// Tell the film's storyboard first, as --dry-run does.
    #[arg(short, long, conflicts_with_all = ["quiet", "json", "dry_run"])]
    verbose: bool,

    /// Print the film's storyboard, which can be changed and given as PATH, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Args {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        if self.paths.is_empty() {
            return Err(self.no_path());
        }
        let target = Target::of(self.output.as_deref(), self.format)?;
        if let [results] = &self.paths[..]
            && has_ending(results, "json")
        {
            return self.bench_film(results, &target, cancel);
        }
        let (board, unreadable) = self.storyboard(target.format)?;
        if self.dry_run {
            out!("{}", board.text()?.trim_end());
            return self.end(&unreadable);
        }
        if self.verbose {
            say!("{}", board.text()?.trim_end());
        }
        let encoding = self.encoding(Encoding::usual(target.format))?;
        let pictures = board.slides.iter().map(|slide| &slide.picture);
        let sources: Vec<&PathBuf> = pictures.chain(&board.film.music).collect();
        // Before it is known whether there is one, so that none appears meanwhile.
        let _claim = delivery::claim(&target.path)?;
        let Some(target) = target.free(&sources, self.exists, self.quiet)? else {
            return Ok(Ending::Done);
        };
        let mut telling = Telling::new(self.style(), self.on_error);
        self.leave_out(&unreadable, &telling)?;
        let missing: String = missing(&board).into_iter().collect();
        if !missing.is_empty() && !self.quiet {
            say!(
                "the film has boxes for {}: no font is embedded for them",
                shown(&missing)
            );
        }
        let title = target.file_stem().unwrap_or_default().to_string_lossy();
        let mut film = film(&board, &title, encoding)?;
        film.music = music(&board.film.music, film.seconds(), (&target, cancel))?;
        let overwrite = self.exists == Existing::Overwrite;
        let made = render_as(&film, (&target, overwrite), cancel, &mut telling)?;
        telling.finish(&target, made, made.frames as f64 / film.rate.as_f64());
        Ok(if made.left_out + unreadable.len() > 0 {
            Ending::SomeFailed
        } else {
            Ending::Done
        })
    }

    fn no_path(&self) -> Error {
        Error::usage("no PATH is given").cure(match self.look.music.is_empty() {
            true => "name pictures, folders of pictures, or a storyboard; --help tells the rest",
            false => "--music takes all that follows it: name the pictures before it",
        })
    }

    /// Tells what could not be looked into.
    ///
    /// # Errors
    /// Where that ends the film.
    fn leave_out(&self, unreadable: &[Refused], telling: &Telling) -> Result<()> {
        for refused in unreadable {
            let told = format!("'{}': {}", refused.source.display(), refused.reason);
            match self.on_error {
                OnError::Continue => telling.left_out(&told),
                OnError::Stop => return Err(Error::failed(format!("cannot read {told}"))),
            }
        }
        Ok(())
    }

    /// Tells what a dry run could not look into.
    fn end(&self, unreadable: &[Refused]) -> Result<Ending> {
        for refused in unreadable {
            say!("{}", shown(&refused.told()));
        }
        Ok(match unreadable {
            [] => Ending::Done,
            _ => Ending::SomeFailed,
        })
    }

    /// What is to be shown, and what could not be looked into, with the reason.
    fn storyboard(&self, format: Format) -> Result<(Storyboard, Vec<Refused>)> {
        let flags = self.look.settings();
        let file = self.paths.iter().find(|path| has_ending(path, "toml"));
        let (board, unreadable) = match file {
            Some(file) if self.paths.len() == 1 => {
                let board = Storyboard::read(file)?;
                let film = flags.or(board.film).or(Settings::usual(format));
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
                if found.may_find_more {
                    return Err(incomplete(&found.unreadable));
                }
                let names = self.look.captions == Captions::Names;
                let board = storyboard(&found, flags.or(Settings::usual(format)), names);
                (board, found.unreadable)
            }
        };
        board.check()?;
        check_music(&board.film.music, format)?;
        Ok((board, unreadable))
    }

    /// What the film is encoded as; `usual` is so where nothing else is asked for.
    fn encoding(&self, usual: Encoding) -> Result<Encoding> {
        let format = usual.format;
        if format == Format::Gif {
            return match self.of_no_use_in_a_gif() {
                Some(flag) => Err(Error::usage(format!("{flag}: gif has no such thing"))
                    .cure("a smaller --size or --fps makes a smaller gif")),
                None => Ok(usual),
            };
        }
        let encoding = Encoding {
            quality: self.crf.unwrap_or(usual.quality),
            bitrate: self.bitrate,
            sound_bitrate: self.abitrate,
            speed: self.speed.clone().unwrap_or(usual.speed),
            format,
        };
        if format == Format::Webm && !matches!(encoding.speed.parse(), Ok(0..=8_u8)) {
            return Err(Error::usage(format!(
                "--speed {}: webm has 0 (slow) to 8 (fast)",
                encoding.speed
            )));
        }
        encoders::linked("slideshow needs", format.encoder())?;
        encoders::try_out(&encoding.video(Ratio::new(30, 1), 1), 1)?;
        Ok(encoding)
    }

    fn of_no_use_in_a_gif(&self) -> Option<&'static str> {
        let given = [
            ("--crf", self.crf.is_some()),
            ("--bitrate", self.bitrate.is_some()),
            ("--speed", self.speed.is_some()),
            ("--abitrate", self.abitrate.is_some()),
        ];
        let first = given.into_iter().find(|(_, given)| *given);
        first.map(|(flag, _)| flag)
    }

    fn style(&self) -> Style {
        Style::of(self.json, self.quiet)
    }
}

/// Why there is no film while the system cannot list all pictures: the next run would take a
/// film without them for complete.
fn incomplete(unreadable: &[Refused]) -> Error {
    let error = Error::failed("cannot find all pictures");
    let reasons = unreadable.iter().map(Refused::told);
    error
        .because(reasons.collect::<Vec<_>>().join("; "))
        .cure("run the same command again; if it fails again, check the disk or the network")
}

/// Music is of no use where there is no sound.
fn check_music(files: &[PathBuf], format: Format) -> Result<()> {
    if files.is_empty() || format.audio().is_some() {
        return Ok(());
    }
    let name = format.extension();
    Err(Error::usage(format!("--music: {name} holds no sound")).cure("make mp4 or webm"))
}

/// Decodes the music of a film of `seconds` that is to be `target`.
fn music(
    files: &[PathBuf],
    seconds: f64,
    (target, cancel): (&Path, &Cancel),
) -> Result<Option<Music>> {
    match files {
        [] => Ok(None),
        _ => Music::decode(files, seconds, target, cancel).map(Some),
    }
}
