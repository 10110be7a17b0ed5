//! A panel of lines: plotters draws mesh, lines, intervals and points.

use super::data::Point;
use super::ends;
use super::frame::{self, Geometry, Style};
use super::panel::{Line, Panel, Reference};
use crate::draw::Theme;
use crate::draw::svg::{self, Area, Svg};
use crate::draw::theme::{Colour, Marker};
use crate::{Error, Result};
use plotters::coord::Shift;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

/// Room around the plot in which markers may stand out, in pixels.
const BLEED: u32 = 24;

type Plot<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<Axis, Axis>>;

/// A linear axis with exactly the given ticks.
struct Axis {
    line: RangedCoordf64,
    ticks: Vec<f64>,
}

impl Axis {
    fn new(range: std::ops::Range<f64>, ticks: Vec<f64>) -> Self {
        Self {
            line: range.into(),
            ticks,
        }
    }
}

impl Ranged for Axis {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        self.line.map(value, limit)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.clone(),
        }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.line.range()
    }
}

/// Draws a panel of lines into `area`, as far as they are `grown`: from the fewest
/// workers to the most.
///
/// # Errors
/// When plotters cannot draw.
pub fn draw(
    svg: &mut Svg,
    area: Area,
    panel: &Panel,
    look: (&Theme, &Style),
    grown: f64,
) -> Result<()> {
    let (theme, style) = look;
    let labels = ends::labels(panel, look);
    let right = ends::room(&labels, style);
    let geometry = Geometry {
        reach: panel.reach(grown),
        ..frame::draw(svg, area, panel, look, right)
    };
    frame::cores(svg, &geometry, panel, look);
    let dense = style.dense(geometry.step);
    let plot = plot(panel, &geometry, (theme, &dense))
        .map_err(|cause| Error::failed("cannot draw a chart").because(cause))?;
    let bleed = f64::from(BLEED);
    let corner = (geometry.plot.x - bleed, geometry.plot.y - bleed);
    svg.place(&plot, corner);
    if panel.reference == Some(Reference::Ideal) {
        ends::name_clipped_ideal(svg, panel, &geometry, look);
    }
    ends::draw(svg, &labels, &geometry, look);
    hints(svg, panel, &geometry, style);
    Ok(())
}

/// The values of every point, for a pointer that rests on it.
fn hints(svg: &mut Svg, panel: &Panel, geometry: &Geometry, style: &Style) {
    let dense = style.dense(geometry.step);
    let reach = f64::from(dense.marker) + 4.0;
    for (line, shift) in panel.lines.iter().zip(shifts(panel, geometry, &dense)) {
        for point in &line.points {
            let column = geometry.column(point.workers as f64) + shift / geometry.pixel();
            let spot = Area {
                x: column - reach,
                y: geometry.row(point.mid) - reach,
                w: 2.0 * reach,
                h: 2.0 * reach,
            };
            svg.hint(spot, &panel.told(line, point));
        }
    }
}

/// How far each line stands aside of its worker counts, in workers.
fn shifts(panel: &Panel, geometry: &Geometry, style: &Style) -> Vec<f64> {
    let middle = (panel.lines.len() as f64 - 1.0) / 2.0;
    let first = panel.counts().first().map_or(1.0, |count| *count as f64);
    // The outermost of many lines still lies within the plot.
    let room = (first - geometry.x.0).max(0.0) / middle.max(1.0);
    let step = dodge(geometry, style).min(room);
    (0..panel.lines.len())
        .map(|i| (i as f64 - middle) * step)
        .collect()
}

/// The plot with its bleed as a document of its own.
///
/// The error is text: plotters' own is not `Sync`.
fn plot(panel: &Panel, geometry: &Geometry, look: (&Theme, &Style)) -> Result<String, String> {
    let size = (
        geometry.plot.w.round() as u32 + 2 * BLEED,
        geometry.plot.h.round() as u32 + 2 * BLEED,
    );
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        draw_plot(&root, panel, geometry, look).map_err(|cause| cause.to_string())?;
        root.present().map_err(|cause| cause.to_string())?;
    }
    Ok(text)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw_plot(
    root: &DrawingArea<SVGBackend, Shift>,
    panel: &Panel,
    geometry: &Geometry,
    look: (&Theme, &Style),
) -> Drawn {
    let scale = panel.scale(look.1.steps, look.1.head);
    let counts = panel.counts().into_iter().map(|count| count as f64);
    let x = Axis::new(geometry.x.0..geometry.x.1, counts.collect());
    let y = Axis::new(0.0..scale.top, scale.ticks);
    let mut plot = ChartBuilder::on(root)
        .margin(BLEED)
        .build_cartesian_2d(x, y)?;
    mesh(&mut plot, look.0)?;
    reference(&mut plot, panel, geometry, look)?;
    let shifts = shifts(panel, geometry, look.1);
    // All spreads lie under all lines, and all lines under all points.
    for (line, shift) in panel.lines.iter().zip(&shifts) {
        spreads(&mut plot, line, *shift, (geometry, look.0, look.1))?;
    }
    for (line, shift) in panel.lines.iter().zip(&shifts) {
        path(&mut plot, line, *shift, (geometry, look.1))?;
    }
    for (line, shift) in panel.lines.iter().zip(&shifts) {
        points(&mut plot, line, *shift, (geometry, look.0, look.1))?;
    }
    Ok(())
}

/// How far two dispatches stand apart at one worker count, in workers: enough
/// to see both where they coincide, and little against the step of the axis.
fn dodge(geometry: &Geometry, style: &Style) -> f64 {
    (f64::from(style.marker) * 2.2).min(geometry.step * 0.3) * geometry.pixel()
}

fn mesh(plot: &mut Plot, theme: &Theme) -> Drawn {
    plot.configure_mesh()
        .disable_x_mesh()
        .disable_axes()
        .bold_line_style(rgb(theme.grid).stroke_width(2))
        .light_line_style(TRANSPARENT)
        .draw()?;
    let (left, right) = (plot.x_range().start, plot.x_range().end);
    let base = PathElement::new([(left, 0.0), (right, 0.0)], rgb(theme.axis).stroke_width(3));
    plot.draw_series([base])?;
    Ok(())
}

fn reference(plot: &mut Plot, panel: &Panel, geometry: &Geometry, look: (&Theme, &Style)) -> Drawn {
    let ends = match panel.reference {
        Some(Reference::Level(level, _)) => [(geometry.x.0, level), (geometry.x.1, level)],
        Some(Reference::Ideal) => {
            let end = ends::ideal(panel, geometry.top);
            [(1.0, 1.0), (end, end)]
        }
        None => return Ok(()),
    };
    let stroke = rgb(look.0.muted).stroke_width(look.1.stroke / 2);
    plot.draw_series(DashedLineSeries::new(ends, 6, 9, stroke))?;
    Ok(())
}

/// The interval around each median and every raw sample beside it.
fn spreads(plot: &mut Plot, line: &Line, shift: f64, look: (&Geometry, &Theme, &Style)) -> Drawn {
    let (geometry, theme, style) = look;
    let faint = line.look.colour.mix(theme.background, 0.4);
    // Three columns keep equal samples apart where there is room for them.
    let column = if geometry.step < 120.0 {
        0
    } else {
        style.dot * 3 / 2
    };
    let aside = style.marker + style.dot + 3 + column;
    let aside = f64::from(aside).copysign(shift);
    for (point, there) in coming(line, geometry) {
        let x = point.workers as f64 + shift;
        let seen = |colour: Colour| theme.background.mix(colour, there);
        let dot = rgb(seen(faint)).filled();
        interval(plot, x, point, (seen(line.look.colour), style))?;
        let samples = (0..3).cycle().zip(&point.raw);
        let dots = samples.map(|(place, raw)| {
            let beside = aside + f64::from((place - 1) * column);
            Circle::new((x + beside * geometry.pixel(), *raw), style.dot, dot)
        });
        plot.draw_series(dots)?;
    }
    Ok(())
}

fn interval(plot: &mut Plot, x: f64, point: &Point, ink: (Colour, &Style)) -> Drawn {
    let Some([low, high]) = point.interval else {
        return Ok(());
    };
    let stroke = rgb(ink.0).stroke_width(ink.1.stroke.div_ceil(2));
    let half = ink.1.marker;
    plot.draw_series([PathElement::new([(x, low), (x, high)], stroke)])?;
    let cap = |y| EmptyElement::at((x, y)) + PathElement::new([(-half, 0), (half, 0)], stroke);
    plot.draw_series([cap(low), cap(high)])?;
    Ok(())
}

fn path(plot: &mut Plot, line: &Line, shift: f64, look: (&Geometry, &Style)) -> Drawn {
    let (geometry, style) = look;
    let stroke = rgb(line.look.colour).stroke_width(style.stroke);
    let at = |point: &Point| (point.workers as f64 + shift, point.mid);
    let mut ends: Vec<(f64, f64)> = line.up_to(geometry.reach).map(at).collect();
    // A line that is still on its way ends between two points.
    let way = line.way(geometry.reach);
    ends.extend(way.map(|(workers, value)| (workers + shift, value)));
    match line.look.dash {
        Some((on, off)) => plot.draw_series(DashedLineSeries::new(ends, on, off, stroke))?,
        None => plot.draw_series(LineSeries::new(ends, stroke))?,
    };
    Ok(())
}

/// The points that the line has reached or comes near to, and how much of each is there.
fn coming<'a>(line: &'a Line, geometry: &'a Geometry) -> impl Iterator<Item = (&'a Point, f64)> {
    let points = line.points.iter();
    let points = points.map(|point| (point, geometry.there(point.workers)));
    points.take_while(|(_, there)| *there > 0.0)
}

fn points(plot: &mut Plot, line: &Line, shift: f64, look: (&Geometry, &Theme, &Style)) -> Drawn {
    let (geometry, theme, style) = look;
    let rim = rgb(theme.background).filled();
    let fill = rgb(line.look.colour).filled();
    for (point, there) in coming(line, geometry) {
        let at = (point.workers as f64 + shift, point.mid);
        for (radius, paint) in [(style.marker + 3, rim), (style.marker, fill)] {
            let radius = (f64::from(radius) * there).round() as i32;
            if line.look.marker == Marker::Circle {
                plot.draw_series([Circle::new(at, radius, paint)])?;
            } else {
                let corners = svg::corners(line.look.marker, f64::from(radius));
                let corners: Vec<(i32, i32)> = corners
                    .iter()
                    .map(|(x, y)| (x.round() as i32, y.round() as i32))
                    .collect();
                plot.draw_series([EmptyElement::at(at) + Polygon::new(corners, paint)])?;
            }
        }
    }
    Ok(())
}

fn rgb(colour: Colour) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}
