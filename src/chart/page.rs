//! A page: title, how to read it, and its panels on a grid.

use super::frame::Style;
use super::panel::{Kind, Panel};
use super::race::Race;
use super::{Chart, PICTURE, PLATE, bars, lines, race};
use crate::Result;
use crate::draw::Theme;
use crate::draw::svg::{Area, Ink, Svg};
use crate::draw::text::Face;

const TITLE: f64 = 58.0;
const SUBTITLE: f64 = 33.0;

/// A picture that is not drawn yet.
pub struct Draft {
    /// File stem.
    pub name: String,
    /// What is shown.
    pub title: String,
    /// Units and how to read it.
    pub subtitle: String,
    /// What was found.
    pub caption: String,
    /// What is drawn.
    pub body: Body,
}

/// What a page holds under its title.
pub enum Body {
    /// One panel, or up to four on a grid.
    Panels(Vec<Panel>),
    /// The lanes of jobs.
    Race(Race),
}

impl Draft {
    /// Draws the picture and the plate.
    ///
    /// # Errors
    /// When a panel cannot be drawn.
    pub fn draw(&self, theme: &Theme) -> Result<Chart> {
        Ok(Chart {
            name: self.name.clone(),
            title: self.title.clone(),
            caption: self.caption.clone(),
            svg: self.page(theme, PICTURE, (72.0, 56.0), 1.0)?,
            plate: self.plate(theme, 1.0)?,
        })
    }

    /// Draws the plate, as far as it is `grown`: 0 is nothing but its axes, 1 all of it.
    ///
    /// # Errors
    /// When a panel cannot be drawn.
    pub fn plate(&self, theme: &Theme, grown: f64) -> Result<String> {
        self.page(theme, PLATE, (0.0, 0.0), grown)
    }

    fn page(
        &self,
        theme: &Theme,
        size: (u32, u32),
        margin: (f64, f64),
        grown: f64,
    ) -> Result<String> {
        let (width, height) = (f64::from(size.0), f64::from(size.1));
        let mut svg = Svg::new(width, height, theme.background);
        let inside = Area {
            x: margin.0,
            y: margin.1,
            w: width - 2.0 * margin.0,
            h: height - 2.0 * margin.1,
        };
        let body = self.head(&mut svg, inside, theme);
        match &self.body {
            Body::Panels(panels) => grid(&mut svg, body, panels, (theme, grown))?,
            Body::Race(race) => race::draw(&mut svg, body, race, (theme, grown)),
        }
        Ok(svg.finish())
    }

    /// Writes title and subtitle; what is left of `area` is the body's.
    fn head(&self, svg: &mut Svg, area: Area, theme: &Theme) -> Area {
        let face = Face::bold(TITLE).shrunk_to(&self.title, area.w);
        let row = area.y + TITLE * 0.8;
        svg.text(&self.title, (area.x, row), Ink::new(face, theme.text));
        let face = Face::regular(SUBTITLE).shrunk_to(&self.subtitle, area.w);
        let row = row + SUBTITLE * 1.6;
        svg.text(&self.subtitle, (area.x, row), Ink::new(face, theme.muted));
        let top = row + SUBTITLE * 1.15;
        Area {
            y: top,
            h: area.bottom() - top,
            ..area
        }
    }
}

fn grid(svg: &mut Svg, area: Area, panels: &[Panel], how: (&Theme, f64)) -> Result<()> {
    let (theme, grown) = how;
    let (columns, rows) = match panels.len() {
        0 | 1 => (1, 1),
        2 => (2, 1),
        _ => (2, 2),
    };
    let style = if columns * rows == 1 {
        Style::SOLO
    } else {
        Style::QUARTER
    };
    let gap = (64.0, 26.0);
    let wide = (area.w - gap.0 * f64::from(columns - 1)) / f64::from(columns);
    let high = (area.h - gap.1 * f64::from(rows - 1)) / f64::from(rows);
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    for (index, (panel, (column, row))) in panels.iter().zip(places).enumerate() {
        // The last of three has its row to itself.
        let alone = index + 1 == panels.len() && column + 1 < columns;
        let place = Area {
            x: area.x + f64::from(column) * (wide + gap.0),
            y: area.y + f64::from(row) * (high + gap.1),
            w: if alone { area.w } else { wide },
            h: high,
        };
        match panel.kind {
            Kind::Lines => lines::draw(svg, place, panel, (theme, &style), grown)?,
            Kind::Bars => bars::draw(svg, place, panel, (theme, &style), grown),
        }
    }
    Ok(())
}
