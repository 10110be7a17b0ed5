//! The time of a picture, in a corner of it.

use crate::draw::raster::Part;
use crate::draw::svg::{Anchor, Area, Ink, Svg};
use crate::draw::text::Face;
use crate::draw::theme::Colour;
use crate::draw::{Raster, raster};
use crate::error::Result;
use crate::recipe::Size;
use crate::report::words;

const WHITE: Colour = Colour(255, 255, 255);
const CHIP: Colour = Colour(8, 11, 15);

/// What the chip leaves of the picture behind it: little enough to read white
/// letters on a white picture.
const OPACITY: f64 = 0.7;

/// Font size below which nobody reads a label.
const LEAST: f64 = 7.0;

/// All that is in labels.
const LETTERS: &str = "0123456789:.";

/// Decimals that tell apart the frames of any video.
const MOST_DECIMALS: u8 = 3;

/// A label for each of `times_s`, in seconds: with as many decimals as tell them
/// apart, and at least one where some are less than a second apart.
pub(super) fn labels(times_s: &[f64]) -> Vec<String> {
    let mut different = times_s.to_vec();
    different.sort_by(f64::total_cmp);
    different.dedup();
    // A step of one second may be a little less, by the time base.
    let close = different.windows(2).any(|pair| pair[1] - pair[0] < 0.95);
    let apart = |decimals: &u8| {
        let label = |time: &f64| words::clock_to(*time, *decimals);
        let mut labels: Vec<String> = different.iter().map(label).collect();
        labels.dedup();
        labels.len() == different.len()
    };
    let decimals = (u8::from(close)..MOST_DECIMALS).find(apart);
    let decimals = decimals.unwrap_or(MOST_DECIMALS);
    let label = |time: &f64| words::clock_to(*time, decimals);
    times_s.iter().map(label).collect()
}

/// How labels are drawn on pictures of one size.
///
/// Each letter is drawn once, since setting a text costs milliseconds, and put
/// into whole columns of pixels: digits stand below each other.
pub(super) struct Chips {
    face: Face,
    cell: Size,
    /// The [`LETTERS`], side by side in slots of one width, in the middle of each.
    letters: Raster,
}

impl Chips {
    /// Chips for pictures of `cell` that hold the longest of `labels`; none
    /// where the pictures are too small for letters that can be read.
    pub(super) fn of(cell: Size, labels: &[String]) -> Result<Option<Self>> {
        let longest = labels.iter().max_by_key(|label| label.len());
        let Some(face) = longest.and_then(|label| fitting(cell, label)) else {
            return Ok(None);
        };
        let letters = letters(face)?;
        Ok(Some(Self {
            face,
            cell,
            letters,
        }))
    }

    /// Lays the chip for `label` over the picture in a `sheet` whose top left corner is `at`.
    pub(super) fn lay(&self, sheet: &mut Raster, label: &str, at: (u32, u32)) -> Result<()> {
        let (right, down) = place(self.face, label, self.cell);
        let (mut x, y) = (at.0 + right, at.1 + down);
        let chip = chip(self.face, label)?;
        sheet.lay(&chip, chip.whole(), (x, y));
        x += padding(self.face);
        let slot = slot(self.face);
        for c in label.chars() {
            let number = LETTERS.find(c).unwrap_or(0) as u32;
            let part = Part {
                x: number * slot,
                y: 0,
                width: slot,
                height: self.letters.height,
            };
            let room = advance(self.face, c);
            let edge = slot.saturating_sub(room) / 2;
            sheet.lay(&self.letters, part, (x.saturating_sub(edge), y));
            x += room;
        }
        Ok(())
    }
}

/// The largest face in which the chip for `label` is inside a picture of `cell`.
fn fitting(cell: Size, label: &str) -> Option<Face> {
    // Small pictures need larger letters in proportion.
    let usual = 15.0 * (cell.pixels().sqrt() / 226.0).powf(0.45);
    let usual = usual.clamp(9.5, 90.0);
    // By half pixels from the usual size down to the smallest that can be read.
    let steps = ((usual - LEAST) * 2.0) as u32;
    let sizes = (0..=steps).map(|step| usual - f64::from(step) / 2.0);
    let fits = |face: &Face| {
        let around = 2 * inset(*face);
        width(*face, label) + around <= cell.width && height(*face) + around <= cell.height
    };
    sizes.map(Face::bold).find(fits)
}

/// Where the top left corner of the chip for `label` is in a picture of `cell`.
fn place(face: Face, label: &str, cell: Size) -> (u32, u32) {
    let at = |side: u32, length: u32| side.saturating_sub(length + inset(face));
    (
        at(cell.width, width(face, label)),
        at(cell.height, height(face)),
    )
}

/// Columns that a letter takes; all digits as many as the widest.
fn advance(face: Face, c: char) -> u32 {
    let own = |c: char| face.width(c.encode_utf8(&mut [0; 4]));
    let wide = match c.is_ascii_digit() {
        true => ('0'..='9').map(own).fold(0.0, f64::max),
        false => own(c),
    };
    (wide.round() as u32).max(1)
}

/// Columns of a letter in the picture of all, with room for soft edges.
fn slot(face: Face) -> u32 {
    advance(face, '0') + 4
}

fn letters(face: Face) -> Result<Raster> {
    let (slot, h) = (slot(face), height(face));
    let w = slot * LETTERS.len() as u32;
    let mut svg = Svg::transparent(f64::from(w), f64::from(h));
    let ink = Ink::new(face, WHITE).anchored(Anchor::Middle);
    for (number, c) in (0..).zip(LETTERS.chars()) {
        let middle = f64::from(slot) * (f64::from(number) + 0.5);
        let at = (middle, f64::from(h) / 2.0);
        svg.text_centred(c.encode_utf8(&mut [0; 4]), at, ink);
    }
    raster::render(&svg.finish(), w, h)
}

/// The chip for `label`, empty.
fn chip(face: Face, label: &str) -> Result<Raster> {
    let (width, height) = (width(face, label), height(face));
    let area = Area {
        x: 0.0,
        y: 0.0,
        w: f64::from(width),
        h: f64::from(height),
    };
    let mut svg = Svg::transparent(area.w, area.h);
    svg.veil(area, face.size * 0.3, CHIP, OPACITY);
    raster::render(&svg.finish(), width, height)
}

fn width(face: Face, label: &str) -> u32 {
    let letters: u32 = label.chars().map(|c| advance(face, c)).sum();
    letters + 2 * padding(face)
}

fn height(face: Face) -> u32 {
    (face.size * 1.5).round() as u32
}

/// Free before and after the letters of a chip.
fn padding(face: Face) -> u32 {
    (face.size * 0.42).round() as u32
}

/// Distance of a chip from the picture's edges.
fn inset(face: Face) -> u32 {
    (face.size * 0.42).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_have_as_many_decimals_as_tell_them_apart() {
        assert_eq!(labels(&[4.2, 724.0]), ["0:04", "12:04"]);
        assert_eq!(labels(&[0.0, 3753.0]), ["0:00", "1:02:33"]);
        assert_eq!(labels(&[0.0, 0.5, 1.0]), ["0:00.0", "0:00.5", "0:01.0"]);
        assert_eq!(labels(&[0.0, 0.9, 1.8]), ["0:00.0", "0:00.9", "0:01.8"]);
        assert_eq!(labels(&[0.0, 1.001, 2.0]), ["0:00", "0:01", "0:02"]);
        assert_eq!(labels(&[0.5, 1.46]), ["0:00.5", "0:01.5"]);
        assert_eq!(labels(&[0.0, 0.04]), ["0:00.00", "0:00.04"]);
        assert_eq!(labels(&[7.0, 7.0]), ["0:07", "0:07"]);
        assert!(labels(&[]).is_empty());
    }

    #[test]
    fn letters_are_read_on_any_picture() {
        for ground in [Colour(0, 0, 0), WHITE, Colour(255, 255, 0)] {
            let chip = ground.mix(CHIP, OPACITY);
            assert!(
                WHITE.contrast(chip) >= 4.5,
                "{ground}: {}",
                WHITE.contrast(chip)
            );
        }
    }

    #[test]
    fn pictures_too_small_for_letters_have_no_label() {
        let chips = |width, height| fitting(Size { width, height }, "1:02:33");
        assert!(chips(300, 170).is_some());
        assert!(chips(60, 34).is_some());
        assert!(chips(20, 170).is_none());
        assert!(chips(170, 8).is_none());
        assert!(chips(1, 1).is_none());
    }

    proptest! {
        #[test]
        fn chips_are_inside_their_pictures(
            width in 1_u32..900, height in 1_u32..900, time in 0.0..1e6, decimals in 0_u8..4,
        ) {
            let label = words::clock_to(time, decimals);
            let cell = Size { width, height };
            if let Some(face) = fitting(cell, &label) {
                let (x, y) = place(face, &label, cell);
                prop_assert_eq!(x + super::width(face, &label) + inset(face), width);
                prop_assert_eq!(y + super::height(face) + inset(face), height);
            }
        }

        #[test]
        fn no_time_is_too_strange(times in proptest::collection::vec(any::<f64>(), 0..20)) {
            prop_assert_eq!(labels(&times).len(), times.len());
        }
    }
}
