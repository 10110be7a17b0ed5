//! Labels at the ends of lines, in the place of a legend.

use super::axis::short;
use super::data::Point;
use super::frame::{Geometry, Style};
use super::label;
use super::panel::{Panel, Reference};
use crate::draw::Theme;
use crate::draw::svg::{Ink, Svg};
use crate::draw::text::{CAP_HEIGHT, Face};
use crate::draw::theme::{Colour, Marker};

/// The label at the end of a line.
pub struct Label {
    workers: f64,
    y: f64,
    marker: Option<Marker>,
    colour: Colour,
    name: String,
    // The values on the way to the end, each from its worker count on.
    values: Vec<(f64, String)>,
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
        let widths = self.values.iter().map(|(_, value)| regular.width(value));
        let value = widths
            .map(|width| width + style.label * 0.3)
            .fold(0.0, f64::max);
        self.indent(style) + bold.width(&self.name) + value
    }

    /// The value of the last point that the line has reached.
    fn value(&self, reach: f64) -> &str {
        let mut reached = self.values.iter().rev();
        let found = reached.find(|(workers, _)| *workers <= reach);
        found.map_or("", |(_, value)| value)
    }
}

/// Width of the lines that lead from the ends of lines to labels.
fn lead(style: &Style) -> f64 {
    style.label * 1.2
}

/// How much room `labels` take beside a plot.
pub fn room(labels: &[Label], style: &Style) -> f64 {
    let widths = labels.iter().map(|label| label.width(style));
    widths.fold(0.0, f64::max) + lead(style)
}

/// The labels of a panel's lines and of what they are compared with.
pub fn labels(panel: &Panel, look: (&Theme, &Style)) -> Vec<Label> {
    let style = look.1;
    let ends = panel.lines.iter().filter_map(|line| {
        let end = line.points.last()?;
        let value = |point: &Point| {
            let value = format!("{}{}", short(point.mid), panel.suffix);
            (point.workers as f64, value)
        };
        Some(Label {
            workers: end.workers as f64,
            y: end.mid,
            marker: Some(line.look.marker),
            colour: line.look.colour,
            name: line.name.clone(),
            values: match style.values {
                true => line.points.iter().map(value).collect(),
                false => Vec::new(),
            },
        })
    });
    ends.chain(reference(panel, look)).collect()
}

fn reference(panel: &Panel, look: (&Theme, &Style)) -> Option<Label> {
    let (theme, style) = look;
    let last = panel.counts().last().copied()? as f64;
    let top = panel.scale(style.steps, style.head).top;
    let (y, name) = match panel.reference? {
        Reference::Level(level, name) => (level, name),
        Reference::Ideal if last <= top => (last, "ideal"),
        Reference::Ideal => return None,
    };
    Some(Label {
        workers: last,
        y,
        marker: None,
        colour: theme.muted,
        name: name.to_owned(),
        values: Vec::new(),
    })
}

/// Draws `labels` beside the plot, apart from each other, each led to from its line.
pub fn draw(svg: &mut Svg, labels: &[Label], geometry: &Geometry, look: (&Theme, &Style)) {
    let (_, style) = look;
    let plot = geometry.plot;
    let wanted: Vec<f64> = labels.iter().map(|label| geometry.row(label.y)).collect();
    let half = style.label * 0.6;
    let range = (plot.y + half, plot.bottom() - half);
    let rows = label::spread(&wanted, style.label * 1.25, range);
    let column = plot.right() + lead(style);
    for ((label, row), end) in labels.iter().zip(rows).zip(wanted) {
        let from = geometry.column(label.workers) + f64::from(style.marker) * 4.6;
        let knee = plot.right() + lead(style) * 0.15;
        let thin = label.colour.mix(look.0.background, 0.4);
        // A line that ends early leads to its label along its own height, once it has ended.
        if label.workers <= geometry.reach {
            svg.line([(from.min(knee), end), (knee, end)], 2.0, thin, None);
            let to = (column - style.label * 0.3, row);
            svg.line([(knee, end), to], 2.0, thin, None);
        }
        write(svg, label, (column, row), (look, geometry.reach));
    }
}

fn write(svg: &mut Svg, label: &Label, at: (f64, f64), how: ((&Theme, &Style), f64)) {
    let ((theme, style), reach) = how;
    let (column, row) = at;
    if let Some(marker) = label.marker {
        let radius = f64::from(style.marker);
        let paint = (label.colour, theme.background);
        svg.marker(marker, (column + radius, row), radius, paint);
    }
    let (bold, regular) = Label::faces(style);
    let name = column + label.indent(style);
    svg.text_centred(&label.name, (name, row), Ink::new(bold, label.colour));
    let value = name + bold.width(&label.name) + style.label * 0.3;
    let text = label.value(reach);
    svg.text_centred(text, (value, row), Ink::new(regular, theme.text));
}

/// Where the line of the ideal ends: at the last worker count or at the `top`.
pub fn ideal(panel: &Panel, top: f64) -> f64 {
    let last = panel.counts().last().copied().unwrap_or(1) as f64;
    last.min(top)
}

/// Names the ideal inside the plot where its line leaves at the top.
pub fn name_clipped_ideal(
    svg: &mut Svg,
    panel: &Panel,
    geometry: &Geometry,
    look: (&Theme, &Style),
) {
    let last = panel.counts().last().copied().unwrap_or(1) as f64;
    if geometry.top >= last {
        return;
    }
    let (theme, style) = look;
    let row = geometry.plot.y + style.label * 0.75;
    // The text begins beside the line where the line is at the text's head.
    let under = (row - style.label * 0.4 - geometry.plot.y) / geometry.plot.h * geometry.top;
    let column = geometry.column(geometry.top - under) + style.label * 0.7;
    let ink = Ink::new(Face::bold(style.label), theme.muted);
    let base = row + style.label * CAP_HEIGHT / 2.0;
    svg.text_haloed("ideal", (column, base), ink, theme.background);
}
