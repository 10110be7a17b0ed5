//! The pictures of a film: title card, chart slides and closing card, each a
//! document of 1920×1080 pixels that keeps to the title-safe area.

use super::svg::{Area, Ink, Svg};
use super::text::{Block, Face, fit};
use super::theme::{Colour, Marker, Theme};
use crate::chart::{Chart, PICTURE, PLATE};

/// What no screen cuts off: 5 % from every edge is left free.
const SAFE: Area = Area {
    x: 96.0,
    y: 54.0,
    w: 1728.0,
    h: 972.0,
};

/// The first picture of a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TitleCard {
    /// What the film is about.
    pub title: String,
    /// Lines under it, e.g. machine and date.
    pub lines: Vec<String>,
}

/// The last picture of a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingCard {
    /// Above the list.
    pub title: String,
    /// What was found, a sentence each.
    pub sentences: Vec<String>,
}

/// Draws a title card: the title is made smaller until it fits on three lines.
pub fn title_card(card: &TitleCard, theme: &Theme) -> String {
    let mut svg = page(theme);
    let mut title = fit(
        &card.title,
        Face::bold(112.0),
        56.0,
        (SAFE.w - 60.0, 410.0),
        1.15,
    );
    title.lines = title.face.balance(&title.lines);
    let lines: Vec<_> = card
        .lines
        .iter()
        .map(|line| fit(line, Face::regular(44.0), 30.0, (SAFE.w - 60.0, 130.0), 1.3))
        .collect();
    let step = title.face.size * 1.15;
    let below: f64 = lines
        .iter()
        .map(|block| block.lines.len() as f64 * 62.0)
        .sum();
    let high = title.lines.len() as f64 * step + 40.0 + below.min(440.0);
    let top = SAFE.y + (SAFE.h - high).max(0.0) / 2.0;
    stripe(&mut svg, top, high, theme);
    let left = SAFE.x + 60.0;
    let mut row = top + title.face.size * 0.85;
    for line in &title.lines {
        svg.text(line, (left, row), Ink::new(title.face, theme.text));
        row += step;
    }
    row += 40.0 - title.face.size * 0.2;
    for block in &lines {
        for line in &block.lines {
            if row > SAFE.bottom() {
                break;
            }
            svg.text(line, (left, row), Ink::new(block.face, theme.muted));
            row += 62.0;
        }
    }
    svg.finish()
}

/// Draws a chart above its caption.
pub fn chart_slide(chart: &Chart, theme: &Theme) -> String {
    plate_slide(&chart.plate, (&chart.caption, 1.0), theme)
}

/// Draws a plate above its caption, which is so far `there`: 0 not at all, 1 quite.
pub fn plate_slide(plate: &str, (words, there): (&str, f64), theme: &Theme) -> String {
    let mut svg = page(theme);
    let left = (f64::from(PICTURE.0) - f64::from(PLATE.0)) / 2.0;
    svg.place(plate, (left, SAFE.y));
    let top = SAFE.y + f64::from(PLATE.1) + 14.0;
    let strip = Area {
        x: left,
        y: top,
        w: f64::from(PLATE.0),
        h: SAFE.bottom() - top,
    };
    let text = caption(words, (strip.w - 76.0, strip.h - 12.0));
    // An empty strip would look as if its words were missing.
    if text.lines.is_empty() || there <= 0.0 {
        return svg.finish();
    }
    let seen = |colour: Colour| theme.background.mix(colour, there);
    svg.rect(strip, 10.0, seen(theme.surface));
    svg.rect(Area { w: 8.0, ..strip }, 0.0, seen(theme.accent));
    let step = text.face.size * 1.25;
    let middle = strip.y + strip.h / 2.0;
    let first = middle - step * (text.lines.len() - 1) as f64 / 2.0;
    for (index, line) in text.lines.iter().enumerate() {
        let at = (strip.x + 40.0, first + step * index as f64);
        svg.text_centred(line, at, Ink::new(text.face, seen(theme.text)));
    }
    svg.finish()
}

/// A caption on one line where that makes it only a little smaller, and on as
/// many even lines as fit where not.
fn caption(text: &str, area: (f64, f64)) -> Block {
    let face = Face::regular(38.0);
    let one = face.shrunk_to(text, area.0 * 0.995);
    if one.size >= 33.0 {
        return fit(text, one, one.size, area, 1.25);
    }
    let mut block = fit(text, face, 28.0, area, 1.25);
    block.lines = block.face.balance(&block.lines);
    block
}

/// Draws a closing card: sentences are made smaller until all fit, and what
/// does not fit even then is left out from the end.
pub fn closing_card(card: &ClosingCard, theme: &Theme) -> String {
    let mut svg = page(theme);
    let title = Face::bold(84.0).shrunk_to(&card.title, SAFE.w);
    svg.text(
        &card.title,
        (SAFE.x, SAFE.y + 110.0),
        Ink::new(title, theme.text),
    );
    let list = Area {
        x: SAFE.x,
        y: SAFE.y + 190.0,
        w: SAFE.w,
        h: SAFE.h - 190.0,
    };
    let sizes = (0..17).map(|step| 64.0 - 2.0 * f64::from(step));
    let tall = |size: &f64| height(&card.sentences, *size, list.w) <= list.h;
    // A size at which every sentence is on one line reads best.
    let single = |size: &f64| *size >= 48.0 && on_one_line(&card.sentences, *size, list.w);
    let one_line = sizes.clone().filter(tall).find(single);
    let size = one_line.or(sizes.clone().find(tall));
    let size = size.unwrap_or(32.0);
    sentences(&mut svg, list, &card.sentences, size, theme);
    svg.finish()
}

fn sentences(svg: &mut Svg, list: Area, sentences: &[String], size: f64, theme: &Theme) {
    let face = Face::regular(size);
    // Room that is left goes between the sentences, up to a line each.
    let free = list.h - height(sentences, size, list.w);
    let gap = size * 0.6 + (free / sentences.len().max(1) as f64).clamp(0.0, size * 1.2);
    let mut row = list.y + size;
    for sentence in sentences {
        // Some of them are told with a full stop elsewhere; in a list, none are.
        let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
        let lines = face.balance(&face.wrap(sentence, list.w - size * 1.2));
        let end = row + size * 1.3 * lines.len().saturating_sub(1) as f64;
        if end > list.bottom() {
            return;
        }
        let mark = (list.x + size * 0.35, row - size * 0.36);
        svg.marker(
            Marker::Diamond,
            mark,
            size * 0.2,
            (theme.accent, theme.accent),
        );
        for line in lines {
            svg.text(
                &line,
                (list.x + size * 1.1, row),
                Ink::new(face, theme.text),
            );
            row += size * 1.3;
        }
        row += gap;
    }
}

/// Whether every sentence is on one line.
fn on_one_line(sentences: &[String], size: f64, width: f64) -> bool {
    let face = Face::regular(size);
    sentences
        .iter()
        .all(|text| face.wrap(text, width - size * 1.2).len() <= 1)
}

fn height(sentences: &[String], size: f64, width: f64) -> f64 {
    let face = Face::regular(size);
    let one = |text: &String| face.wrap(text, width - size * 1.2).len() as f64 * size * 1.3;
    sentences.iter().map(|text| one(text) + size * 0.6).sum()
}

fn page(theme: &Theme) -> Svg {
    Svg::new(f64::from(PICTURE.0), f64::from(PICTURE.1), theme.background)
}

/// The stripe beside a title, in the colours of the dispatches.
fn stripe(svg: &mut Svg, top: f64, high: f64, theme: &Theme) {
    let colours = [
        theme.threads.colour,
        theme.processes.colour,
        theme.workers.colour,
    ];
    // On whole pixels, the background does not shine through between two colours.
    let (top, part) = (top.round(), (high / colours.len() as f64).round());
    for (index, colour) in colours.into_iter().enumerate() {
        let y = top + part * index as f64;
        svg.rect(
            Area {
                x: SAFE.x,
                y,
                w: 14.0,
                h: part,
            },
            0.0,
            colour,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{look, raster};

    fn chart(caption: &str) -> Chart {
        let plate = Svg::new(1728.0, 850.0, Theme::DARK.surface).finish();
        Chart {
            name: "x".to_owned(),
            title: "X".to_owned(),
            caption: caption.to_owned(),
            svg: plate.clone(),
            plate,
        }
    }

    /// Whether anything but the background is outside the title-safe area.
    fn spills(svg: &str, theme: &Theme) -> bool {
        let raster = raster::render(svg, 1920, 1080).unwrap();
        let ground = theme.background;
        let ground = [ground.0, ground.1, ground.2, 255];
        let outside = |x: u32, y: u32| !(80..1840).contains(&x) || !(50..1040).contains(&y);
        (0..1080).any(|y| (0..1920).any(|x| outside(x, y) && raster.pixel(x, y) != ground))
    }

    #[test]
    fn nothing_leaves_the_title_safe_area_however_long_the_words() {
        let theme = Theme::DARK;
        let long = "a sentence that goes on and on about threads and processes ".repeat(12);
        let card = TitleCard {
            title: long.clone(),
            lines: vec![long.clone(); 6],
        };
        assert!(!spills(&title_card(&card, &theme), &theme));
        let slide = chart_slide(&chart(&long), &theme);
        assert!(!spills(&slide, &theme));
        look("card-long-caption", &slide);
        let card = ClosingCard {
            title: long.clone(),
            sentences: vec![long.clone(); 7],
        };
        assert!(!spills(&closing_card(&card, &theme), &theme));
    }

    #[test]
    fn a_caption_comes_in_with_its_strip() {
        let theme = Theme::DARK;
        let at = |there: f64| {
            let slide = plate_slide(&chart("").plate, ("A word", there), &theme);
            let raster = raster::render(&slide, 1920, 1080).unwrap();
            // In the strip's stripe.
            raster.pixel(100, 960)
        };
        assert_eq!(at(0.0), theme.background.opaque());
        assert_eq!(at(0.5), theme.background.mix(theme.accent, 0.5).opaque());
        assert_eq!(at(1.0), theme.accent.opaque());
    }

    #[test]
    fn empty_words_make_pictures_all_the_same() {
        let card = TitleCard {
            title: String::new(),
            lines: Vec::new(),
        };
        assert!(raster::render(&title_card(&card, &Theme::LIGHT), 1920, 1080).is_ok());
        let card = ClosingCard {
            title: String::new(),
            sentences: Vec::new(),
        };
        assert!(raster::render(&closing_card(&card, &Theme::LIGHT), 1920, 1080).is_ok());
        assert!(raster::render(&chart_slide(&chart(""), &Theme::LIGHT), 1920, 1080).is_ok());
    }

    #[test]
    fn cards_are_drawn() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let title = TitleCard {
                title: "Threads or processes? Six clips on two cores".to_owned(),
                lines: vec![
                    "Xeon E5-2673 v4 · 2 cores · 4 GiB".to_owned(),
                    "FFmpeg 5.1.9 · Linux 6.1".to_owned(),
                    "22 November 2025".to_owned(),
                ],
            };
            look(
                &format!("card-title-{}", theme.name),
                &title_card(&title, &theme),
            );
            let closing = ClosingCard {
                title: "What was found".to_owned(),
                sentences: vec![
                    "Transcode at 2 workers: threads faster by 12.3 % (10.1–14.6).".to_owned(),
                    "Frames at 2 workers: no difference shown (ratio 0.99, 0.95–1.03).".to_owned(),
                    "CPU bound at 2 workers: too small to measure.".to_owned(),
                    "This machine transcodes 4 such clips at once in real time.".to_owned(),
                ],
            };
            look(
                &format!("card-closing-{}", theme.name),
                &closing_card(&closing, &theme),
            );
        }
    }
}
