//! Where everything on a contact sheet is: whole pixels, so that edges are sharp.

use serde::{Deserialize, Serialize};

use crate::draw::text::CAP_HEIGHT;
use crate::error::{Error, Result};
use crate::recipe::Size;

/// Pixels of a side that a sheet may have: what viewers and formats take.
const MOST_SIDE: u64 = 16_384;

/// Pixels that a sheet may have: 256 MB in memory.
const MOST_PIXELS: u64 = 64_000_000;

/// Width of a sheet for which no size was asked.
const USUAL_WIDTH: u64 = 1600;

/// Width of a picture below which a sheet for which no size was asked gets wider instead.
const USUAL_CELL: u64 = 112;

/// Sides of a picture that is too small to show anything.
const LEAST_CELL: u64 = 16;

/// How a contact sheet is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetPlan {
    /// Pictures in a row; 0 is taken for 1.
    pub columns: u32,
    /// Rows; 0 is taken for 1.
    pub rows: u32,
    /// Box that the whole sheet must fit; without it, a sheet of pictures wider
    /// than high is about 1600 pixels wide, or wider where there are many columns.
    pub fit: Option<Size>,
}

/// The box into which each picture must fit, in pixels.
///
/// Where all do, whatever their aspect, the sheet is within the plan's box, or
/// within the limits of a sheet where the plan has none. A plan without a box
/// has a square one here, so that upright pictures are as large as wide ones.
///
/// # Errors
/// Where there would be no room to see anything in the pictures.
pub fn cell_box(plan: &SheetPlan) -> Result<Size> {
    let style = Style::of(plan);
    let (width, height) = plan.outer();
    let room = |outer: u64, taken: u64, count: u64| {
        let gutters = style.gutter.saturating_mul(count - 1);
        outer.saturating_sub(taken).saturating_sub(gutters) / count
    };
    let wide = room(width, 2 * style.margin, plan.columns());
    let high = room(height, 2 * style.margin + style.heading(1), plan.rows());
    let high = plan.fit.map_or(high.min(wide), |_| high);
    if wide < LEAST_CELL || high < LEAST_CELL {
        return Err(Error::usage(format!(
            "a contact sheet of {}x{} pictures leaves {wide}×{high} pixels for each",
            plan.columns, plan.rows,
        ))
        .cure("give fewer pictures by --sheet, or a larger box by --size"));
    }
    Ok(size(wide, high))
}

impl SheetPlan {
    pub(super) fn columns(&self) -> u64 {
        u64::from(self.columns.max(1))
    }

    pub(super) fn rows(&self) -> u64 {
        u64::from(self.rows.max(1))
    }

    /// The box of the whole sheet.
    fn outer(&self) -> (u64, u64) {
        if let Some(fit) = self.fit {
            return (u64::from(fit.width), u64::from(fit.height));
        }
        let width = (self.columns() * USUAL_CELL).clamp(USUAL_WIDTH, MOST_SIDE);
        (width, MOST_SIDE.min(MOST_PIXELS / width))
    }

    /// About the size that the sheet will have, for what is drawn in proportion to it.
    fn about(&self) -> (f64, f64) {
        let (width, height) = self.outer();
        let (width, height) = (width as f64, height as f64);
        let pictures = width / self.columns() as f64 * 9.0 / 16.0 * self.rows() as f64;
        match self.fit {
            Some(_) => (width, height),
            None => (width, height.min(pictures)),
        }
    }
}

/// Sizes of what is around the pictures, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    /// Free on every side.
    pub margin: u64,
    /// Between two pictures.
    pub gutter: u64,
    /// Font size of the name.
    pub title: u64,
    /// Font size of the details.
    pub details: u64,
}

impl Style {
    pub(super) fn of(plan: &SheetPlan) -> Self {
        let (width, height) = plan.about();
        // As large as the sheet's area asks for, but for bands, where the shorter side tells.
        let scale = (width / 1600.0 * height / 900.0)
            .sqrt()
            .min(width / 800.0)
            .min(height / 450.0)
            .clamp(0.5, 10.0);
        let pixels = |length: f64| (length * scale).round() as u64;
        let cell = (width / plan.columns() as f64).min(height / plan.rows() as f64);
        Self {
            margin: pixels(36.0),
            gutter: pixels(10.0).min((cell * 0.05).round() as u64),
            title: pixels(30.0),
            details: pixels(19.0).max(11),
        }
    }

    /// Height of the heading from its top to the first row of pictures, with so
    /// many lines of details.
    pub(super) fn heading(self, lines: u64) -> u64 {
        self.details_line(lines) + self.details * 3 / 2
    }

    /// The base line of the name, from the heading's top.
    pub(super) fn title_line(self) -> u64 {
        (self.title as f64 * CAP_HEIGHT).round() as u64
    }

    /// The base line of details number `line`, counted from 1; 0 is that of the name.
    pub(super) fn details_line(self, line: u64) -> u64 {
        if line == 0 {
            return self.title_line();
        }
        let first = self.title_line() + (self.title as f64 * 0.5 + self.details as f64) as u64;
        first + (line - 1) * self.details * 3 / 2
    }
}

/// The grid of a sheet whose pictures have one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    style: Style,
    columns: u64,
    rows: u64,
    cell: Size,
    fit: Option<Size>,
}

impl Grid {
    /// As many columns and rows as `count` pictures need, each of `cell`.
    pub(super) fn of(plan: &SheetPlan, count: usize, cell: Size) -> Self {
        let count = (count as u64).max(1);
        let columns = plan.columns().min(count);
        Self {
            style: Style::of(plan),
            columns,
            rows: count.div_ceil(columns),
            cell,
            fit: plan.fit,
        }
    }

    /// Width of the sheet. Below that of a short name it does not fall, where
    /// the plan's box allows.
    fn width(&self) -> u64 {
        let pictures = self.across(self.columns, self.cell.width);
        let least = self.style.title * 14;
        let least = self
            .fit
            .map_or(least, |fit| least.min(u64::from(fit.width)));
        pictures.max(least)
    }

    /// Width and height in pixels that a heading may take, margins left out.
    pub(super) fn heading_room(&self) -> (u64, u64) {
        let pictures = self.across(self.rows, self.cell.height);
        let height = self.fit.map_or(MOST_SIDE, |fit| u64::from(fit.height));
        (
            self.width().saturating_sub(2 * self.style.margin),
            height.saturating_sub(pictures),
        )
    }

    /// Size of the whole sheet with a heading so high.
    ///
    /// # Errors
    /// Where it is above the limits.
    pub(super) fn sheet(&self, heading: u64) -> Result<Size> {
        let width = self.width();
        let height = self
            .across(self.rows, self.cell.height)
            .saturating_add(heading);
        let most = width.max(height);
        if most > MOST_SIDE || width.saturating_mul(height) > MOST_PIXELS {
            return Err(Error::failed(format!(
                "a contact sheet of {width}×{height} pixels is too large: at most {MOST_SIDE} \
                 a side and {} megapixels can be drawn",
                MOST_PIXELS / 1_000_000
            ))
            .cure("give a smaller box by --size, or fewer pictures by --sheet"));
        }
        Ok(size(width, height))
    }

    /// The top left corner of picture `index` in a sheet within the limits.
    pub(super) fn place(&self, index: usize, heading: u64) -> (u32, u32) {
        let (column, row) = (index as u64 % self.columns, index as u64 / self.columns);
        let step = |length: u32, count: u64| count * (u64::from(length) + self.style.gutter);
        let left = self.style.margin + step(self.cell.width, column);
        let top = self.style.margin + heading + step(self.cell.height, row);
        let Size { width, height } = size(left, top);
        (width, height)
    }

    /// Length of `count` pictures with gutters and margins.
    fn across(&self, count: u64, length: u32) -> u64 {
        let step = u64::from(length) + self.style.gutter;
        count
            .saturating_mul(step)
            .saturating_sub(self.style.gutter)
            .saturating_add(2 * self.style.margin)
    }
}

fn size(width: u64, height: u64) -> Size {
    let side = |length: u64| u32::try_from(length).unwrap_or(u32::MAX);
    Size {
        width: side(width),
        height: side(height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(columns: u32, rows: u32, fit: Option<(u32, u32)>) -> SheetPlan {
        let fit = fit.map(|(width, height)| Size { width, height });
        SheetPlan { columns, rows, fit }
    }

    /// The sheet of pictures of aspect `wide` that fill the plan's box.
    fn sheet_of(plan: &SheetPlan, wide: f64, count: usize) -> (Grid, Size) {
        let cell = cell_box(plan).unwrap();
        let width = f64::from(cell.width).min(f64::from(cell.height) * wide);
        let cell = size((width as u64).max(1), ((width / wide) as u64).max(1));
        let grid = Grid::of(plan, count, cell);
        (grid, grid.sheet(grid.style.heading(1)).unwrap())
    }

    #[test]
    fn a_sheet_without_a_size_is_about_1600_wide() {
        for columns in [1, 3, 5, 8, 12] {
            let plan = plan(columns, 4, None);
            let (_, sheet) = sheet_of(&plan, 16.0 / 9.0, columns as usize * 4);
            assert!((1400..=1600).contains(&sheet.width), "{columns}: {sheet:?}");
        }
    }

    #[test]
    fn many_pictures_leave_more_room_for_themselves_than_for_what_is_between() {
        for plan in [plan(100, 100, None), plan(40, 30, Some((1920, 1080)))] {
            let cell = cell_box(&plan).unwrap();
            let gutter = Style::of(&plan).gutter as u32;
            assert!(
                cell.width > 10 * gutter && cell.height > 8 * gutter,
                "{cell:?}"
            );
        }
    }

    #[test]
    fn upright_pictures_are_as_large_as_wide_ones() {
        let plan = plan(5, 4, None);
        let (wide, _) = sheet_of(&plan, 16.0 / 9.0, 20);
        let (upright, _) = sheet_of(&plan, 9.0 / 16.0, 20);
        assert_eq!(wide.cell.width, upright.cell.height);
    }

    #[test]
    fn without_room_for_pictures_the_cure_is_named() {
        for plan in [
            plan(20, 20, Some((100, 100))),
            plan(100_000, 100_000, None),
            plan(u32::MAX, u32::MAX, Some((u32::MAX, 0))),
        ] {
            let told = cell_box(&plan).unwrap_err().report();
            assert!(
                told.contains("--sheet") && told.contains("--size"),
                "{told}"
            );
        }
    }

    #[test]
    fn a_sheet_above_the_limits_is_refused_and_the_cure_named() {
        let plan = plan(5, 4, Some((20_000, 20_000)));
        for (width, height) in [(4000, 100), (100, 5000), (3000, 3000), (u32::MAX, u32::MAX)] {
            let grid = Grid::of(&plan, 20, Size { width, height });
            let told = grid.sheet(0).unwrap_err().report();
            assert!(
                told.contains("--sheet") && told.contains("--size"),
                "{told}"
            );
        }
    }

    #[test]
    fn fewer_pictures_make_a_smaller_sheet() {
        let cell = Size {
            width: 300,
            height: 200,
        };
        let grid = Grid::of(&plan(5, 4, None), 3, cell);
        assert_eq!((grid.columns, grid.rows), (3, 1));
        let grid = Grid::of(&plan(5, 4, None), 7, cell);
        assert_eq!((grid.columns, grid.rows), (5, 2));
    }

    proptest! {
        #[test]
        fn pictures_that_fit_their_box_make_a_sheet_that_fits_its_own(
            columns in 1_u32..40, rows in 1_u32..40, wide in 0.2..5.0,
            fit in proptest::option::of((200_u32..9000, 200_u32..7000)),
        ) {
            let plan = plan(columns, rows, fit);
            prop_assume!(cell_box(&plan).is_ok());
            let (_, sheet) = sheet_of(&plan, wide, (columns * rows) as usize);
            if let Some((width, height)) = fit {
                prop_assert!(sheet.width <= width && sheet.height <= height, "{sheet:?}");
            }
        }

        #[test]
        fn pictures_are_inside_the_sheet_with_even_margins_and_do_not_overlap(
            columns in 1_u32..20, rows in 1_u32..20, missing in 0_usize..30,
            width in 1_u32..300, height in 1_u32..300,
        ) {
            let plan = plan(columns, rows, None);
            let count = ((columns * rows) as usize).saturating_sub(missing).max(1);
            let grid = Grid::of(&plan, count, Size { width, height });
            let heading = grid.style.heading(1);
            let sheet = grid.sheet(heading).unwrap();
            let (wide, high) = (i64::from(width), i64::from(height));
            let (margin, gutter) = (grid.style.margin as i64, grid.style.gutter as i64);
            let place = |index| grid.place(index, heading);
            let places: Vec<(i64, i64)> = (0..count).map(place).map(|(x, y)| (x.into(), y.into())).collect();
            for (index, (x, y)) in places.iter().enumerate() {
                prop_assert!(*x >= margin && *y >= margin + heading as i64);
                prop_assert!(x + wide + margin <= i64::from(sheet.width));
                prop_assert!(y + high + margin <= i64::from(sheet.height));
                for (other_x, other_y) in &places[..index] {
                    let apart = |a: i64, b: i64, length: i64| (a - b).abs() >= length + gutter;
                    prop_assert!(apart(*x, *other_x, wide) || apart(*y, *other_y, high));
                }
            }
            let last = places[places.len() - 1].1 + high + margin;
            prop_assert_eq!(last, i64::from(sheet.height));
        }

        #[test]
        fn no_plan_is_too_strange(
            columns: u32, rows: u32, fit in proptest::option::of((any::<u32>(), any::<u32>())),
            count: usize, width: u32, height: u32,
        ) {
            let plan = plan(columns, rows, fit);
            let _ = cell_box(&plan);
            let grid = Grid::of(&plan, count, Size { width, height });
            let _ = (grid.heading_room(), grid.sheet(u64::MAX), grid.sheet(0));
        }
    }
}
