//! A panel of lines: plotters draws mesh, lines, intervals and points; labels
//! stand at the ends of the lines.

use super::axis::{Scale, short};
use super::data::Point;
use super::frame::{self, Geometry, Style};
use super::label;
use super::panel::{Line, Panel, Reference};
use crate::draw::Theme;
use crate::draw::svg::{self, Area, Ink, Svg};
use crate::draw::text::Face;
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

/// Draws a panel of lines into `area`.
///
/// # Errors
/// When plotters cannot draw.
pub fn draw(svg: &mut Svg, area: Area, panel: &Panel, look: (&Theme, &Style)) -> Result<()> {
    let labels = labels(panel, look.0);
    let right = labels
        .iter()
        .map(|label| label.width(look.1))
        .fold(0.0, f64::max);
    let geometry = frame::draw(svg, area, panel, look, right + lead(look.1));
    frame::cores(svg, &geometry, panel, look);
    let plot = plot(panel, &geometry, look)
        .map_err(|cause| Error::failed("cannot draw a chart").because(cause))?;
    let bleed = f64::from(BLEED);
    svg.place(&plot, (geometry.plot.x - bleed, geometry.plot.y - bleed));
    if panel.reference == Some(Reference::Ideal) {
        name_clipped_ideal(svg, panel, &geometry, look);
    }
    draw_labels(svg, &labels, &geometry, look);
    Ok(())
}

// ---- the plot ----------------------------------------------------------

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
    let scale: Scale = panel.scale();
    let counts = panel.counts().into_iter().map(|count| count as f64);
    let x = Axis::new(geometry.x.0..geometry.x.1, counts.collect());
    let y = Axis::new(0.0..scale.top, scale.ticks);
    let mut plot = ChartBuilder::on(root)
        .margin(BLEED)
        .build_cartesian_2d(x, y)?;
    mesh(&mut plot, look.0)?;
    reference(&mut plot, panel, geometry, look)?;
    let middle = (panel.lines.len() as f64 - 1.0) / 2.0;
    let step = dodge(panel, geometry, look.1);
    let shifts: Vec<f64> = (0..panel.lines.len())
        .map(|i| (i as f64 - middle) * step)
        .collect();
    // All spreads lie under all lines, and all lines under all points.
    for (line, shift) in panel.lines.iter().zip(&shifts) {
        spreads(&mut plot, line, *shift, look)?;
    }
    for (line, shift) in panel.lines.iter().zip(&shifts) {
        path(&mut plot, line, *shift, look.1)?;
    }
    for (line, shift) in panel.lines.iter().zip(&shifts) {
        points(&mut plot, line, *shift, look)?;
    }
    Ok(())
}

/// How far two dispatches stand apart at one worker count, in workers: enough
/// to see both where they coincide, and little against the step of the axis.
fn dodge(panel: &Panel, geometry: &Geometry, style: &Style) -> f64 {
    let counts = panel.counts();
    let steps = counts.windows(2).map(|pair| (pair[1] - pair[0]) as f64);
    let step = steps.fold(f64::INFINITY, f64::min);
    let pixel = (geometry.x.1 - geometry.x.0) / geometry.plot.w;
    (f64::from(style.marker) * 1.7 * pixel).min(step * 0.25)
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
            let end = ideal_end(panel, geometry);
            [(1.0, 1.0), (end, end)]
        }
        None => return Ok(()),
    };
    let stroke = rgb(look.0.muted).stroke_width(look.1.stroke / 2);
    plot.draw_series(DashedLineSeries::new(ends, 6, 9, stroke))?;
    Ok(())
}

/// Where the line of the ideal ends: at the last worker count or at the top.
fn ideal_end(panel: &Panel, geometry: &Geometry) -> f64 {
    let last = panel.counts().last().copied().unwrap_or(1) as f64;
    last.min(geometry.top)
}

fn spreads(plot: &mut Plot, line: &Line, shift: f64, look: (&Theme, &Style)) -> Drawn {
    let (theme, style) = look;
    let dot = rgb(line.look.colour.mix(theme.background, 0.55)).filled();
    for point in &line.points {
        let x = point.workers as f64 + shift;
        let dots = point
            .raw
            .iter()
            .map(|raw| Circle::new((x, *raw), style.dot, dot));
        plot.draw_series(dots)?;
        interval(plot, x, point, (line.look.colour, style))?;
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

fn path(plot: &mut Plot, line: &Line, shift: f64, style: &Style) -> Drawn {
    let stroke = rgb(line.look.colour).stroke_width(style.stroke);
    let at = |point: &Point| (point.workers as f64 + shift, point.mid);
    let ends: Vec<(f64, f64)> = line.points.iter().map(at).collect();
    match line.look.dash {
        Some((on, off)) => plot.draw_series(DashedLineSeries::new(ends, on, off, stroke))?,
        None => plot.draw_series(LineSeries::new(ends, stroke))?,
    };
    Ok(())
}

fn points(plot: &mut Plot, line: &Line, shift: f64, look: (&Theme, &Style)) -> Drawn {
    let (theme, style) = look;
    let rim = rgb(theme.background).filled();
    let fill = rgb(line.look.colour).filled();
    for point in &line.points {
        let at = (point.workers as f64 + shift, point.mid);
        for (radius, paint) in [(style.marker + 3, rim), (style.marker, fill)] {
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

// ---- the labels --------------------------------------------------------

/// The label at the end of a line.
struct Label {
    workers: f64,
    y: f64,
    marker: Option<Marker>,
    colour: Colour,
    name: String,
    value: String,
}

impl Label {
    fn faces(style: &Style) -> (Face, Face) {
        (Face::bold(style.label), Face::regular(style.label))
    }

    fn indent(&self, style: &Style) -> f64 {
        match self.marker {
            Some(_) => f64::from(style.marker) * 2.0 + style.label * 0.35,
            None => 0.0,
        }
    }

    fn width(&self, style: &Style) -> f64 {
        let (bold, regular) = Self::faces(style);
        let value = match self.value.is_empty() {
            true => 0.0,
            false => regular.width(&self.value) + style.label * 0.3,
        };
        self.indent(style) + bold.width(&self.name) + value
    }
}

/// Width of the lines that lead from the ends of lines to labels.
fn lead(style: &Style) -> f64 {
    style.label * 1.3
}

fn labels(panel: &Panel, theme: &Theme) -> Vec<Label> {
    let ends = panel.lines.iter().filter_map(|line| {
        let end = line.points.last()?;
        Some(Label {
            workers: end.workers as f64,
            y: end.mid,
            marker: Some(line.look.marker),
            colour: line.look.colour,
            name: line.name.clone(),
            value: format!("{}{}", short(end.mid), panel.suffix),
        })
    });
    ends.chain(reference_label(panel, theme)).collect()
}

fn reference_label(panel: &Panel, theme: &Theme) -> Option<Label> {
    let last = panel.counts().last().copied()? as f64;
    let (y, name) = match panel.reference? {
        Reference::Level(level, name) => (level, name),
        Reference::Ideal if last <= panel.scale().top => (last, "ideal"),
        Reference::Ideal => return None,
    };
    Some(Label {
        workers: last,
        y,
        marker: None,
        colour: theme.muted,
        name: name.to_owned(),
        value: String::new(),
    })
}

fn draw_labels(svg: &mut Svg, labels: &[Label], geometry: &Geometry, look: (&Theme, &Style)) {
    let (theme, style) = look;
    let plot = geometry.plot;
    let wanted: Vec<f64> = labels.iter().map(|label| geometry.row(label.y)).collect();
    let half = style.label * 0.6;
    let rows = label::spread(
        &wanted,
        style.label * 1.3,
        (plot.y + half, plot.bottom() - half),
    );
    let (bold, regular) = Label::faces(style);
    let column = plot.right() + lead(style);
    for ((label, row), end) in labels.iter().zip(rows).zip(wanted) {
        let from = geometry.column(label.workers) + f64::from(style.marker) * 2.4;
        let knee = plot.right() + lead(style) * 0.1;
        let thin = label.colour.mix(theme.background, 0.45);
        // A line that ends early leads to its label along its own height.
        let ends = [
            (from.min(knee), end),
            (knee, end),
            (column - style.label * 0.3, row),
        ];
        svg.line([ends[0], ends[1]], 2.0, thin, None);
        svg.line([ends[1], ends[2]], 2.0, thin, None);
        if let Some(marker) = label.marker {
            let radius = f64::from(style.marker);
            svg.marker(
                marker,
                (column + radius, row),
                radius,
                (label.colour, theme.background),
            );
        }
        let name = column + label.indent(style);
        svg.text_centred(&label.name, (name, row), Ink::new(bold, label.colour));
        let value = name + bold.width(&label.name) + style.label * 0.3;
        svg.text_centred(&label.value, (value, row), Ink::new(regular, theme.text));
    }
}

/// Names the ideal inside the plot where its line leaves at the top.
fn name_clipped_ideal(svg: &mut Svg, panel: &Panel, geometry: &Geometry, look: (&Theme, &Style)) {
    let end = ideal_end(panel, geometry);
    let last = panel.counts().last().copied().unwrap_or(1) as f64;
    if end >= last {
        return;
    }
    let (theme, style) = look;
    let at = (
        geometry.column(end) - style.label * 0.9,
        geometry.plot.y + style.label * 0.7,
    );
    let ink = Ink::new(Face::bold(style.label), theme.muted).anchored(svg::Anchor::End);
    svg.text_centred("ideal", at, ink);
}
