//! The film of a benchmark's results.

use std::path::{Path, PathBuf};

use super::look::Captions;
use super::target::Target;
use super::{Args, Ending, check_music, music};
use crate::bench::load::load;
use crate::delivery;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::film::bench::{Look, encoding, film};
use crate::film::format::Format;
use crate::film::render_as;
use crate::film::storyboard::{Colours, Settings};
use crate::plan::Existing;
use crate::recipe::Size;
use crate::report::film::Telling;

impl Args {
    /// Makes the film of the results at `path`.
    pub(super) fn bench_film(
        &self,
        path: &PathBuf,
        target: &Target,
        cancel: &Cancel,
    ) -> Result<Ending> {
        self.check_flags()?;
        let look = self.bench_look(target.format)?;
        let played = &self.look.music;
        check_music(played, target.format)?;
        let results = load(path)?;
        let encoding = self.encoding(encoding(target.format))?;
        let sources: Vec<&PathBuf> = [path].into_iter().chain(played).collect();
        // Before it is known whether there is one, so that none appears meanwhile.
        let _claim = delivery::claim(&target.path)?;
        let Some(target) = target.free(&sources, self.exists, self.quiet)? else {
            return Ok(Ending::Done);
        };
        let mut film = film(&results, look, encoding);
        if film.slides.len() <= CARDS {
            return Err(nothing(path));
        }
        film.music = music(played, film.seconds(), (&target, cancel))?;
        let mut telling = Telling::new(self.style(), self.on_error);
        let overwrite = self.exists == Existing::Overwrite;
        let made = render_as(&film, (&target, overwrite), cancel, &mut telling)?;
        telling.finish(&target, made, film.seconds());
        Ok(Ending::Done)
    }

    /// Such a film has its own slides, with their own times and words.
    fn check_flags(&self) -> Result<()> {
        let look = &self.look;
        let given = [
            ("--include", !self.include.is_empty()),
            ("--exclude", !self.exclude.is_empty()),
            ("--dry-run", self.dry_run),
            ("--verbose", self.verbose),
            ("--seconds", look.seconds.is_some()),
            ("--transition", look.transition.is_some()),
            ("--transition-seconds", look.transition_seconds.is_some()),
            ("--easing", look.easing.is_some()),
            ("--fit", look.fit.is_some()),
            ("--motion", look.motion),
            ("--title", look.title.is_some()),
            ("--closing", look.closing.is_some()),
            ("--captions", look.captions != Captions::None),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Error::usage(format!(
                "{flag} is of no use to the film of a benchmark"
            ))
            .cure("leave it out: that film has its own slides, times and words")),
            None => Ok(()),
        }
    }

    fn bench_look(&self, format: Format) -> Result<Look> {
        let usual = Settings::usual(format);
        let Look { size, rate, .. } = Look::default();
        let size = self.look.size.or(usual.size).unwrap_or(size);
        let theme = self.look.theme.unwrap_or(Colours::Dark).theme();
        let rate = self.look.fps.or(usual.fps).unwrap_or(rate);
        let Size { width, height } = size;
        // Of 854x480, too.
        let is_wide = (f64::from(width) * 9.0 / 16.0 - f64::from(height)).abs() <= 1.0;
        if width % 2 + height % 2 > 0 || !is_wide || height < 144 {
            return Err(Error::usage(format!(
                "--size {width}x{height}: the film of a benchmark is 16:9, its sides are even"
            ))
            .cure("give 1280x720, 1920x1080 or 3840x2160"));
        }
        Ok(Look { size, rate, theme })
    }
}

/// Slides of a film that has nothing else to show.
const CARDS: usize = 2;

fn nothing(path: &Path) -> Error {
    Error::failed(format!("'{}' holds nothing to draw", path.display()))
        .cure("give the results.json of a benchmark that measured something")
}
