//! What is written in a slideshow: cards of text, and captions over pictures.
//! Both keep to the title-safe area of a film of any size and shape.

use super::glyphs::drawable;
use super::svg::{Anchor, Area, Ink, Svg};
use super::text::{CAP_HEIGHT, Face, fit};
use super::theme::Theme;
use crate::recipe::Size;

/// Lengths below are of a film of 1080 lines.
const LINES: f64 = 1080.0;

/// How much of a picture a caption's plate hides: text has a contrast of 7 at least
/// on any picture.
const PLATE: f64 = 0.82;

/// What no screen cuts off: 5 % from every edge is left free.
fn safe(size: Size) -> Area {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    Area {
        x: w * 0.05,
        y: h * 0.05,
        w: w * 0.9,
        h: h * 0.9,
    }
}

/// A pixel of a film of 1080 lines.
fn unit(size: Size) -> f64 {
    f64::from(size.width.min(size.height)) / LINES
}

/// `text` as it can be drawn, broken where lines are full and nowhere else.
fn words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    drawable(&words.join(" "))
}

/// A card with `text` in its middle and a short line under it.
pub fn card(text: &str, size: Size, theme: &Theme) -> String {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let mut svg = Svg::new(w, h, theme.background);
    let (safe, unit) = (safe(size), unit(size));
    let face = Face::bold(112.0 * unit);
    let mut block = fit(
        &words(text),
        face,
        (44.0 * unit).max(1.0),
        (safe.w * 0.92, safe.h * 0.7),
        1.2,
    );
    block.lines = block.face.balance(&block.lines);
    let step = block.face.size * 1.2;
    let rows = block.lines.len() as f64;
    let (gap, bar) = (60.0 * unit, 8.0 * unit);
    let high = block.face.size * CAP_HEIGHT + step * (rows - 1.0).max(0.0) + gap + bar;
    let mut row = (h - high) / 2.0 + block.face.size * CAP_HEIGHT;
    for line in &block.lines {
        let ink = Ink::new(block.face, theme.text).anchored(Anchor::Middle);
        svg.text(line, (w / 2.0, row), ink);
        row += step;
    }
    let wide = 160.0 * unit;
    let line = Area {
        x: (w - wide) / 2.0,
        y: (h + high) / 2.0 - bar,
        w: wide,
        h: bar,
    };
    svg.rect(line, bar / 2.0, theme.accent);
    svg.finish()
}

/// A caption at the bottom, on a plate through which little of the picture is seen;
/// nothing where there is no text.
pub fn caption(text: &str, size: Size, theme: &Theme) -> Option<String> {
    let (safe, unit) = (safe(size), unit(size));
    let (pad_x, pad_y) = (30.0 * unit, 20.0 * unit);
    let room = (safe.w - 2.0 * pad_x, safe.h * 0.3);
    let face = Face::regular(44.0 * unit);
    let mut block = fit(&words(text), face, (30.0 * unit).max(1.0), room, 1.3);
    if block.lines.is_empty() {
        return None;
    }
    block.lines = block.face.balance(&block.lines);
    let step = block.face.size * 1.3;
    let widths = block.lines.iter().map(|line| block.face.width(line));
    let wide = widths.fold(0.0, f64::max).min(room.0);
    let plate = Area {
        x: safe.x,
        y: safe.bottom() - step * block.lines.len() as f64 - 2.0 * pad_y,
        w: wide + 2.0 * pad_x,
        h: step * block.lines.len() as f64 + 2.0 * pad_y,
    };
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let mut svg = Svg::transparent(w, h);
    // Not of the background's colour: beside a picture that does not fill the film, a plate
    // that cannot be told from it seems to be cut in two.
    svg.veil(plate, 14.0 * unit, theme.surface, PLATE);
    for (index, line) in block.lines.iter().enumerate() {
        let middle = plate.y + pad_y + step * (index as f64 + 0.5);
        let at = (plate.x + pad_x, middle);
        svg.text_centred(line, at, Ink::new(block.face, theme.text));
    }
    Some(svg.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::raster::{Raster, render};
    use crate::draw::theme::Colour;

    const SIZES: [Size; 4] = [
        Size {
            width: 1920,
            height: 1080,
        },
        Size {
            width: 1080,
            height: 1920,
        },
        Size {
            width: 320,
            height: 240,
        },
        Size {
            width: 64,
            height: 64,
        },
    ];

    /// Whether a pixel outside of the safe area differs from `ground`.
    fn spills(raster: &Raster, ground: [u8; 4]) -> bool {
        let (w, h) = (raster.width, raster.height);
        // But for the pixel that the edge goes through.
        let inside = |at: u32, side: u32| (at + 1) * 21 > side && (side - at) * 21 > side;
        (0..h).any(|y| {
            (0..w).any(|x| !(inside(x, w) && inside(y, h)) && raster.pixel(x, y) != ground)
        })
    }

    #[test]
    fn words_stay_in_the_safe_area_of_any_film_however_long_they_are() {
        let long = "words that go on and on, and Longwordswithoutanyspaces too ".repeat(20);
        for size in SIZES {
            for text in [long.as_str(), "Sea\nside", &"W".repeat(400)] {
                let card = card(text, size, &Theme::DARK);
                let raster = render(&card, size.width, size.height).unwrap();
                assert!(
                    !spills(&raster, Theme::DARK.background.opaque()),
                    "{size:?}"
                );
                let caption = caption(text, size, &Theme::DARK).unwrap();
                let raster = render(&caption, size.width, size.height).unwrap();
                assert!(!spills(&raster, [0; 4]), "{size:?}");
            }
        }
    }

    #[test]
    fn a_caption_is_legible_on_any_picture() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            for level in [0, 128, 255] {
                let below = Colour(level, level, level);
                let plate = below.mix(theme.surface, PLATE);
                assert!(theme.text.contrast(plate) >= 7.0, "{} {level}", theme.name);
            }
        }
    }

    #[test]
    fn without_words_there_is_no_caption() {
        for text in ["", " \n\t", "\u{200b}"] {
            assert_eq!(caption(text, SIZES[0], &Theme::DARK), None, "{text:?}");
        }
        assert!(render(&card("", SIZES[0], &Theme::LIGHT), 96, 54).is_ok());
    }
}
