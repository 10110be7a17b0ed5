//! A panel of grouped bars: a group a worker count, a bar a dispatch.

use super::axis::{counted, short};
use super::frame::{self, Geometry, Style};
use super::panel::{Line, Panel, Reference};
use crate::draw::Theme;
use crate::draw::svg::{Anchor, Area, Ink, Svg};
use crate::draw::text::Face;

/// Part of a worker step that a group of bars takes.
const GROUP: f64 = 0.72;

/// A bar is never wider than this, in pixels.
const WIDEST: f64 = 190.0;

/// Draws a panel of bars into `area`, as far as they are `grown`: all grow at one speed,
/// so that the shortest arrives first.
pub fn draw(svg: &mut Svg, area: Area, panel: &Panel, look: (&Theme, &Style), grown: f64) {
    let points = panel.lines.iter().flat_map(|line| &line.points);
    let level = match grown < 1.0 {
        true => points.map(peak).fold(0.0, f64::max) * grown,
        false => f64::INFINITY,
    };
    let geometry = frame::draw(svg, area, panel, look, 0.0);
    let plot = geometry.plot;
    for tick in panel.scale(look.1.steps, look.1.head).ticks {
        let row = geometry.row(tick);
        svg.line([(plot.x, row), (plot.right(), row)], 2.0, look.0.grid, None);
    }
    legend(svg, area, panel, look, &geometry);
    let wide = bar_width(&geometry, panel.lines.len());
    let labelled = labels_fit(panel, look.1, wide);
    let middle = (panel.lines.len() as f64 - 1.0) / 2.0;
    for (index, line) in panel.lines.iter().enumerate() {
        let shift = (index as f64 - middle) * wide;
        bars(svg, line, (shift, wide), (&geometry, level), look);
        if labelled {
            values(svg, line, shift, (&geometry, level), look);
        }
    }
    if let Some(Reference::Level(level, name)) = panel.reference {
        level_line(svg, (level, name), &geometry, look);
    }
    hints(svg, panel, wide, &geometry);
    let base = [(plot.x, plot.bottom()), (plot.right(), plot.bottom())];
    svg.line(base, 3.0, look.0.axis, None);
}

/// The values of every bar, for a pointer that rests on it.
fn hints(svg: &mut Svg, panel: &Panel, wide: f64, geometry: &Geometry) {
    let middle = (panel.lines.len() as f64 - 1.0) / 2.0;
    for (index, line) in panel.lines.iter().enumerate() {
        for point in &line.points {
            let column = geometry.column(point.workers as f64) + (index as f64 - middle) * wide;
            let row = geometry.row(point.mid);
            let bar = Area {
                x: column - wide / 2.0,
                y: row,
                w: wide,
                h: geometry.plot.bottom() - row,
            };
            svg.hint(bar, &panel.told(line, point));
        }
    }
}

fn bar_width(geometry: &Geometry, bars: usize) -> f64 {
    (geometry.step * GROUP / bars.max(1) as f64).min(WIDEST)
}

fn bars(
    svg: &mut Svg,
    line: &Line,
    place: (f64, f64),
    (geometry, level): (&Geometry, f64),
    look: (&Theme, &Style),
) {
    let (theme, style) = look;
    let (shift, wide) = place;
    let gap = (wide * 0.06).min(6.0);
    for point in &line.points {
        let middle = geometry.column(point.workers as f64) + shift;
        let row = geometry.row(point.mid.min(level));
        let bar = Area {
            x: middle - wide / 2.0 + gap,
            y: row,
            w: wide - 2.0 * gap,
            h: geometry.plot.bottom() - row,
        };
        svg.rect(bar, 0.0, line.look.colour);
        let radius = f64::from(style.marker).min(bar.w * 0.3);
        // The marker tells the bars apart without their colours.
        if bar.h > radius * 4.0 && bar.w > 24.0 {
            let foot = (middle, geometry.plot.bottom() - radius * 2.0);
            let paint = (theme.background, theme.background);
            svg.marker(line.look.marker, foot, radius * 0.7, paint);
        }
        raw(
            svg,
            line,
            (middle, bar.w),
            (point.mid, &point.raw, level),
            (geometry, look),
        );
    }
}

/// Every raw sample as a tick across its bar: dark on the bar, light above it.
fn raw(
    svg: &mut Svg,
    line: &Line,
    place: (f64, f64),
    values: (f64, &[f64], f64),
    look: (&Geometry, (&Theme, &Style)),
) {
    let (geometry, (theme, _)) = look;
    let (middle, wide) = place;
    for value in values.1.iter().filter(|value| **value <= values.2) {
        let towards = if *value <= values.0 {
            theme.background
        } else {
            theme.text
        };
        let colour = line.look.colour.mix(towards, 0.45);
        let row = geometry.row(*value);
        let half = wide * 0.18;
        svg.line(
            [(middle - half, row), (middle + half, row)],
            2.0,
            colour,
            None,
        );
    }
}

/// The highest thing of a point: a label stands above it.
fn peak(point: &super::data::Point) -> f64 {
    point.raw.iter().copied().fold(point.mid, f64::max)
}

fn values(
    svg: &mut Svg,
    line: &Line,
    shift: f64,
    (geometry, level): (&Geometry, f64),
    look: (&Theme, &Style),
) {
    let (theme, style) = look;
    let ink = Ink::new(Face::bold(style.label), theme.text).anchored(Anchor::Middle);
    for point in &line.points {
        let middle = geometry.column(point.workers as f64) + shift;
        let row = geometry.row(peak(point).min(level)) - style.label * 0.35;
        let value = counted(point.mid.min(level), point.mid);
        svg.text_haloed(&value, (middle, row), ink, theme.background);
    }
}

fn labels_fit(panel: &Panel, style: &Style, wide: f64) -> bool {
    let face = Face::bold(style.label);
    let points = panel.lines.iter().flat_map(|line| &line.points);
    let widths = points.map(|point| face.width(&short(point.mid)));
    widths.fold(0.0, f64::max) + style.label * 0.3 <= wide
}

/// A level that the bars are compared with, named above its left end.
fn level_line(svg: &mut Svg, level: (f64, &str), geometry: &Geometry, look: (&Theme, &Style)) {
    let (theme, style) = look;
    let plot = geometry.plot;
    let row = geometry.row(level.0);
    svg.line(
        [(plot.x, row), (plot.right(), row)],
        3.0,
        theme.muted,
        Some((6, 9)),
    );
    let ink = Ink::new(Face::bold(style.label), theme.muted);
    svg.text(
        level.1,
        (plot.x + style.label * 0.4, row - style.label * 0.35),
        ink,
    );
}

/// Names the bars above the plot, at the right.
fn legend(svg: &mut Svg, area: Area, panel: &Panel, look: (&Theme, &Style), geometry: &Geometry) {
    let (theme, style) = look;
    let face = Face::bold(style.label);
    let radius = f64::from(style.marker);
    // Beside a panel's title, or else beside the name of its axis.
    let row = match panel.title.is_empty() {
        true => geometry.plot.y - style.name * 1.2,
        false => area.y + style.title * 0.5,
    };
    let mut right = area.right();
    for line in panel.lines.iter().rev() {
        let ink = Ink::new(face, line.look.colour).anchored(Anchor::End);
        svg.text_centred(&line.name, (right, row), ink);
        right -= face.width(&line.name) + style.label * 0.35 + radius;
        let paint = (line.look.colour, theme.background);
        svg.marker(line.look.marker, (right, row), radius, paint);
        right -= radius + style.label;
    }
}
