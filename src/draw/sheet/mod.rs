//! Contact sheets: pictures of a video in rows, each with its time, under a heading.

mod heading;
mod label;
mod layout;
#[cfg(test)]
mod tests;

pub use heading::{Heading, details};
pub use layout::{SheetPlan, cell_box};

use super::raster::Part;
use super::svg::{Area, Svg};
use super::theme::Colour;
use super::{Raster, Theme, raster};
use crate::error::{Error, Result};
use crate::recipe::Size;
use heading::Block;
use label::Chips;
use layout::{Grid, Style};

/// Opacity of the fine line around pictures.
const HAIRLINE: f64 = 0.22;

/// One picture of a sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The picture, which should fit [`cell_box`].
    pub picture: Raster,
    /// When it is seen, in seconds from the beginning.
    pub time_s: f64,
}

/// Draws a sheet of `cells`, row by row.
///
/// All cells have the size of the first that has pixels; smaller and larger
/// pictures are centred in theirs. Where there are fewer cells than the plan
/// has room for, the sheet is smaller.
///
/// # Errors
/// Where no cell has pixels, a picture is not what it says, there are more than the plan has room
/// for, or the sheet would be too large.
pub fn draw(plan: &SheetPlan, heading: &Heading, cells: &[Cell], theme: &Theme) -> Result<Raster> {
    if cells.len() as u64 > plan.columns().saturating_mul(plan.rows()) {
        return Err(Error::failed(format!(
            "{} pictures do not fit a contact sheet of {}x{}",
            cells.len(),
            plan.columns,
            plan.rows
        )));
    }
    let cell = cell_size(cells)?;
    let grid = Grid::of(plan, cells.len(), cell);
    let block = Block::of(heading, Style::of(plan), grid.heading_room());
    let sheet = grid.sheet(block.height())?;
    let mut sheet = Raster::filled(sheet.width, sheet.height, theme.background);
    let strip = block.draw(sheet.width, theme)?;
    sheet.lay(&strip, strip.whole(), (0, 0));

    let times: Vec<f64> = cells.iter().map(|cell| cell.time_s).collect();
    let labels = label::labels(&times);
    let chips = Chips::of(cell, &labels)?;
    let frame = frame(cell, theme)?;
    for (index, (one, label)) in cells.iter().zip(&labels).enumerate() {
        let at = grid.place(index, block.height());
        one.picture.check()?;
        lay_centred(&mut sheet, &one.picture, at, (cell, theme.surface));
        sheet.lay(&frame, frame.whole(), at);
        if let Some(chips) = &chips {
            chips.lay(&mut sheet, label, at)?;
        }
    }
    Ok(sheet)
}

/// The size of all cells.
fn cell_size(cells: &[Cell]) -> Result<Size> {
    cells
        .iter()
        .map(|cell| Size {
            width: cell.picture.width,
            height: cell.picture.height,
        })
        .find(|size| size.width > 0 && size.height > 0)
        .ok_or_else(|| Error::failed("there are no pictures for a contact sheet"))
}

/// Puts `picture`, or its middle where it is larger, into the middle of the
/// cell at `at`, whose own colour is seen where the picture leaves it free.
fn lay_centred(sheet: &mut Raster, picture: &Raster, at: (u32, u32), cell: (Size, Colour)) {
    let (cell, colour) = cell;
    let place = Part {
        x: at.0,
        y: at.1,
        width: cell.width,
        height: cell.height,
    };
    sheet.fill(place, colour);
    let half_over = |long: u32, short: u32| long.saturating_sub(short) / 2;
    let middle = Part {
        x: half_over(picture.width, cell.width),
        y: half_over(picture.height, cell.height),
        width: cell.width.min(picture.width),
        height: cell.height.min(picture.height),
    };
    let right = half_over(cell.width, picture.width);
    let down = half_over(cell.height, picture.height);
    sheet.lay(picture, middle, (at.0 + right, at.1 + down));
}

/// Rounded corners in the colour of the ground, and a fine line that keeps
/// pictures apart from a ground as dark, or as light, as they are.
fn frame(cell: Size, theme: &Theme) -> Result<Raster> {
    let (w, h) = (f64::from(cell.width), f64::from(cell.height));
    let radius = (cell.pixels().sqrt() * 0.027)
        .clamp(2.0, 14.0)
        .min(w.min(h) / 4.0);
    let grown = |by: f64| Area {
        x: -by,
        y: -by,
        w: w + 2.0 * by,
        h: h + 2.0 * by,
    };
    let mut svg = Svg::transparent(w, h);
    let hide = (theme.background, 1.0);
    svg.outline(grown(radius), 2.0 * radius, 2.0 * radius, hide);
    svg.outline(grown(-0.5), radius - 0.5, 1.0, (theme.text, HAIRLINE));
    raster::render(&svg.finish(), cell.width, cell.height)
}
