//! The frame of a plot: where it stands, its axes, ticks and names.

use super::axis::Scale;
use super::panel::Panel;
use crate::draw::Theme;
use crate::draw::svg::{Anchor, Area, Ink, Svg};
use crate::draw::text::Face;

/// Sizes of text and marks in a panel, in pixels.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Panel titles.
    pub title: f64,
    /// Tick labels.
    pub tick: f64,
    /// Axis names.
    pub name: f64,
    /// Labels of lines and bars.
    pub label: f64,
    /// Width of lines.
    pub stroke: u32,
    /// Radius of markers.
    pub marker: i32,
    /// Radius of the dots of raw samples.
    pub dot: i32,
}

impl Style {
    /// A panel that has the page to itself.
    pub const SOLO: Style = Style {
        title: 40.0,
        tick: 34.0,
        name: 32.0,
        label: 38.0,
        stroke: 6,
        marker: 14,
        dot: 6,
    };

    /// One of four panels.
    pub const QUARTER: Style = Style {
        title: 36.0,
        tick: 27.0,
        name: 27.0,
        label: 29.0,
        stroke: 5,
        marker: 11,
        dot: 5,
    };
}

/// Where values are on the page.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    /// The plot without ticks and labels.
    pub plot: Area,
    /// Values at the left and right edge.
    pub x: (f64, f64),
    /// Value at the top edge; 0 is at the bottom.
    pub top: f64,
}

impl Geometry {
    /// Column of `x` in pixels.
    pub fn column(&self, x: f64) -> f64 {
        let (left, right) = self.x;
        self.plot.x + (x - left) / (right - left) * self.plot.w
    }

    /// Row of `y` in pixels.
    pub fn row(&self, y: f64) -> f64 {
        self.plot.bottom() - y / self.top * self.plot.h
    }
}

/// Draws a panel's title, axes and names into `area`, leaves `right` pixels for
/// labels beside the plot, and tells where the plot is.
pub fn draw(
    svg: &mut Svg,
    area: Area,
    panel: &Panel,
    look: (&Theme, &Style),
    right: f64,
) -> Geometry {
    let (theme, style) = look;
    let scale = panel.scale();
    let ticks = Face::regular(style.tick);
    let widths = scale
        .ticks
        .iter()
        .map(|tick| ticks.width(&scale.label(*tick)));
    let left = widths.fold(0.0, f64::max) + style.tick * 0.6;
    let head = title(svg, area, panel, look) + style.name * 1.75;
    let foot = style.tick * 1.45 + style.name * 1.4;
    let plot = Area {
        x: area.x + left,
        y: area.y + head,
        w: (area.w - left - right).max(1.0),
        h: (area.h - head - foot).max(1.0),
    };
    let geometry = Geometry {
        plot,
        x: x_range(panel),
        top: scale.top,
    };
    y_axis(svg, &geometry, &scale, look);
    let name = Ink::new(Face::regular(style.name), theme.muted);
    svg.text(&panel.y_name, (area.x, plot.y - style.name * 0.85), name);
    let under = (plot.x + plot.w / 2.0, area.bottom() - style.name * 0.3);
    svg.text("workers", under, name.anchored(Anchor::Middle));
    x_ticks(svg, &geometry, &panel.counts(), look);
    geometry
}

fn title(svg: &mut Svg, area: Area, panel: &Panel, look: (&Theme, &Style)) -> f64 {
    let (theme, style) = look;
    if panel.title.is_empty() {
        return 0.0;
    }
    let face = Face::bold(style.title).shrunk_to(&panel.title, area.w);
    let at = (area.x, area.y + style.title * 0.85);
    svg.text(&panel.title, at, Ink::new(face, theme.text));
    style.title * 1.2
}

fn y_axis(svg: &mut Svg, geometry: &Geometry, scale: &Scale, look: (&Theme, &Style)) {
    let (theme, style) = look;
    let plot = geometry.plot;
    let ink = Ink::new(Face::regular(style.tick), theme.muted).anchored(Anchor::End);
    for tick in &scale.ticks {
        let at = (plot.x - style.tick * 0.5, geometry.row(*tick));
        svg.text_centred(&scale.label(*tick), at, ink);
    }
}

fn x_ticks(svg: &mut Svg, geometry: &Geometry, counts: &[usize], look: (&Theme, &Style)) {
    let (theme, style) = look;
    let face = Face::regular(style.tick);
    let ink = Ink::new(face, theme.muted).anchored(Anchor::Middle);
    let mut free = f64::NEG_INFINITY;
    for count in counts {
        let label = count.to_string();
        let column = geometry.column(*count as f64);
        let half = face.width(&label) / 2.0;
        // Where counts stand too close, some stay without a label.
        if column - half >= free {
            svg.text(
                &label,
                (column, geometry.plot.bottom() + style.tick * 1.25),
                ink,
            );
            free = column + half + style.tick * 0.5;
        }
    }
}

/// The worker axis with room on both sides for markers or a group of bars.
fn x_range(panel: &Panel) -> (f64, f64) {
    let counts = panel.counts();
    let first = counts.first().copied().unwrap_or(1) as f64;
    let last = counts.last().copied().unwrap_or(1) as f64;
    let pad = match panel.kind {
        super::panel::Kind::Bars => 0.5,
        super::panel::Kind::Lines => ((last - first) * 0.045).max(0.02),
    };
    (first - pad, last + pad)
}

/// Marks the number of cores with a vertical line, where it is on the axis.
pub fn cores(svg: &mut Svg, geometry: &Geometry, panel: &Panel, look: (&Theme, &Style)) {
    let (theme, style) = look;
    let Some(cores) = panel.cores else { return };
    let (left, right) = geometry.x;
    if !(left..=right).contains(&(cores as f64)) {
        return;
    }
    let plot = geometry.plot;
    let column = geometry.column(cores as f64);
    svg.line(
        [
            (column, plot.y - style.name * 0.35),
            (column, plot.bottom()),
        ],
        3.0,
        theme.axis,
        Some((3, 9)),
    );
    let face = Face::bold(style.name);
    let label = format!("{cores} {}", if cores == 1 { "core" } else { "cores" });
    // Beside the axis' name where the line is near it, and inside the plot.
    let half = face.width(&label) / 2.0;
    let name = Face::regular(style.name).width(&panel.y_name);
    let least = plot.x - style.tick * 0.5 + name + half;
    let middle = column.min(plot.right() - half).max(least);
    let ink = Ink::new(face, theme.muted).anchored(Anchor::Middle);
    svg.text(&label, (middle, plot.y - style.name * 0.85), ink);
}
