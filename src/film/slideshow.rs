//! Pictures as a storyboard, and a storyboard as a film.

use std::cmp::Ordering;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::format::Encoding;
use super::motion::Motion;
use super::photo::{self, Fit};
use super::storyboard::{Look, Scene, Settings, Storyboard};
use super::transition::{Kind, Transition};
use super::{Film, Moving, Shot, Slide};
use crate::draw::Theme;
use crate::draw::caption::{caption, card};
use crate::draw::glyphs;
use crate::draw::raster::{Raster, render};
use crate::error::Result;
use crate::media::{Picture, Stage, Veil, ground, still, veil};
use crate::plan::{Found, Wanted, scan};
use crate::recipe::Size;

/// The pictures at `paths`, those of a folder in the order in which people count:
/// `a2` before `a10`.
///
/// # Errors
/// As [`scan`].
pub fn find(paths: &[PathBuf], wanted: &Wanted) -> Result<Found> {
    let mut all = Found::default();
    for path in paths {
        let mut found = scan(std::slice::from_ref(path), wanted, None)?;
        found
            .files
            .sort_by(|a, b| natural(&a.relative, &b.relative));
        all.files.append(&mut found.files);
        all.unreadable.append(&mut found.unreadable);
        all.may_find_more |= found.may_find_more;
    }
    Ok(all)
}

/// Folder by folder, numbers by their value.
fn natural(a: &Path, b: &Path) -> Ordering {
    let (mut a_parts, mut b_parts) = (a.components(), b.components());
    loop {
        let ordering = match (a_parts.next(), b_parts.next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => alphanumeric_sort::compare_os_str(a.as_os_str(), b.as_os_str()),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

/// A storyboard of these files, with their names as captions where that is wanted.
pub fn storyboard(found: &Found, film: Settings, names: bool) -> Storyboard {
    let slides = found.files.iter().map(|file| Scene {
        caption: names.then(|| name_of(&file.path)),
        picture: file.path.clone(),
        ..Scene::default()
    });
    Storyboard {
        slides: slides.collect(),
        film,
    }
}

/// A file's name as a person reads it.
fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem.replace('_', " ").trim().to_owned()
}

/// The characters of all that `board` writes for which boxes are drawn.
pub fn missing(board: &Storyboard) -> Vec<char> {
    let captions = board
        .slides
        .iter()
        .filter_map(|scene| scene.caption.as_ref());
    let cards = [&board.film.title, &board.film.closing];
    let words = cards.into_iter().flatten().chain(captions);
    let words: Vec<&str> = words.flat_map(|text| text.split_whitespace()).collect();
    glyphs::missing(&words.concat())
}

/// What all slides share.
struct Studio {
    size: Size,
    theme: Theme,
    // Of the film's size, and of what the camera moves over.
    ground: Picture,
    stage: Picture,
}

/// The film of `board`, which was checked, with `title` where it names none. Its
/// slides are those of the board, after the title card where there is one.
///
/// # Errors
/// Where memory is out.
pub fn film<'a>(board: &'a Storyboard, title: &str, encoding: Encoding) -> Result<Film<'a>> {
    let usual = Look::of(&board.film);
    let (size, theme) = (usual.size, usual.theme.theme());
    let studio = std::sync::Arc::new(Studio {
        ground: ground((size.width, size.height), theme.background.opaque())?,
        stage: {
            let stage = Motion::stage(size);
            ground((stage.width, stage.height), theme.background.opaque())?
        },
        size,
        theme,
    });
    let mut slides = Vec::with_capacity(board.slides.len() + 2);
    let text_slide = |text: &'a String| {
        let studio = studio.clone();
        slide(
            usual,
            text.clone(),
            None,
            Box::new(move || studio.card(text).map(Shot::Still)),
        )
    };
    slides.extend(board.film.title.as_ref().map(text_slide));
    // Each picture is seen while the one before it goes over into it.
    let mut coming_s = board.film.title.as_ref().map_or(0.0, |_| usual.overlap_s());
    slides.extend(board.slides.iter().enumerate().map(|(number, scene)| {
        let studio = studio.clone();
        let look = usual.with(scene);
        let moves = look.motion.then(|| {
            let moves = -coming_s..=look.seconds;
            (Motion::of(number, size), moves)
        });
        coming_s = look.overlap_s();
        let title = scene
            .caption
            .clone()
            .unwrap_or_else(|| name_of(&scene.picture));
        let seen = moves.as_ref().map(|(_, moves)| moves.clone());
        let draw = move || match &moves {
            None => studio.scene(scene, look.fit).map(Shot::Still),
            Some((motion, moves)) => studio
                .moving_scene(scene, look.fit, (*motion, moves.clone()))
                .map(Shot::Moving),
        };
        slide(look, title, seen, Box::new(draw))
    }));
    slides.extend(board.film.closing.as_ref().map(text_slide));
    Ok(Film {
        title: board.film.title.clone().unwrap_or_else(|| title.to_owned()),
        slides,
        size,
        rate: usual.fps,
        encoding,
        music: None,
    })
}

fn slide<'a>(
    look: Look,
    title: String,
    moves: Option<RangeInclusive<f64>>,
    draw: Box<dyn Fn() -> Result<Shot<'a>> + Send + Sync + 'a>,
) -> Slide<'a> {
    let transition = match look.transition.kind {
        Kind::None => Transition::NONE,
        _ => look.transition,
    };
    Slide {
        title,
        seconds: look.seconds,
        transition,
        moves,
        draw,
    }
}

impl Studio {
    fn draw(&self, svg: &str) -> Result<Raster> {
        render(svg, self.size.width, self.size.height)
    }

    fn card(&self, text: &str) -> Result<Picture> {
        let raster = self.draw(&card(text, self.size, &self.theme))?;
        still(raster.width, raster.height, &raster.rgba)
    }

    fn scene(&self, scene: &Scene, fit: Fit) -> Result<Picture> {
        let mut picture = photo::read(&scene.picture, fit, &self.ground, self.theme.background)?;
        if let Some(veil) = self.caption(scene)? {
            picture.cover(&veil)?;
        }
        Ok(picture)
    }

    /// The camera moves over the picture, and not over what is written on it.
    fn moving_scene(
        &self,
        scene: &Scene,
        fit: Fit,
        (motion, moves): (Motion, RangeInclusive<f64>),
    ) -> Result<Moving<'static>> {
        let picture = self.picture_to_move_over(scene, fit)?;
        let (width, height) = picture.size();
        let motion = motion.over(Size { width, height });
        let stage = Stage::new(picture)?;
        let veil = self.caption(scene)?;
        let size = (self.size.width, self.size.height);
        let (first, last) = (*moves.start(), *moves.end());
        Ok(Moving::new(moves, move |seconds| {
            let share = (seconds - first) / (last - first).max(f64::MIN_POSITIVE);
            let mut seen = stage.through(motion.at(share), size)?;
            if let Some(veil) = &veil {
                seen.cover(veil)?;
            }
            Ok(seen)
        }))
    }

    /// Of the stage's size, or longer on the side that would be cut.
    fn picture_to_move_over(&self, scene: &Scene, fit: Fit) -> Result<Picture> {
        let background = self.theme.background;
        match fit {
            Fit::Cover => photo::read_along(&scene.picture, Motion::stage(self.size), background),
            Fit::Blur | Fit::Contain => photo::read(&scene.picture, fit, &self.stage, background),
        }
    }

    fn caption(&self, scene: &Scene) -> Result<Option<Veil>> {
        let text = scene.caption.as_deref().unwrap_or_default();
        let Some(svg) = caption(text, self.size, &self.theme) else {
            return Ok(None);
        };
        let raster = self.draw(&svg)?;
        veil(raster.width, raster.height, &raster.rgba).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_by_their_value_and_folders_stay_together() {
        let mut names = [
            "b/1.png", "a10.jpg", "a2.jpg", "b.png", "a/3.png", "B1.png", "a02.jpg",
        ]
        .map(PathBuf::from);
        names.sort_by(|a, b| natural(a, b));
        let names: Vec<_> = names.iter().map(|name| name.to_str().unwrap()).collect();
        let place = |name: &str| names.iter().position(|other| *other == name).unwrap();
        assert!(place("a2.jpg") < place("a10.jpg"), "{names:?}");
        assert!(place("a02.jpg") < place("a10.jpg"), "{names:?}");
        assert!(place("a/3.png") < place("b/1.png"), "{names:?}");
    }

    #[test]
    fn a_name_is_read_without_its_ending_and_underscores() {
        assert_eq!(name_of(Path::new("x/At_the_sea.JPG")), "At the sea");
        assert_eq!(name_of(Path::new(".jpg")), ".jpg");
    }
}
