//! The frame of a plot: where it stands, its axes, ticks and names.

use super::axis::Scale;
use super::panel::{Kind, Panel};
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
    /// Most steps of the value axis.
    pub steps: usize,
    /// Part of the value axis that labels above bars take.
    pub head: f64,
    /// Whether labels tell values.
    pub values: bool,
}

impl Style {
    /// A panel that has the page to itself.
    pub const SOLO: Style = Style {
        title: 40.0,
        tick: 34.0,
        name: 32.0,
        label: 38.0,
        stroke: 6,
        marker: 12,
        dot: 6,
        steps: 6,
        head: 0.08,
        values: true,
    };

    /// One of four panels.
    pub const QUARTER: Style = Style {
        title: 36.0,
        tick: 27.0,
        name: 27.0,
        label: 29.0,
        stroke: 5,
        marker: 9,
        dot: 4,
        steps: 4,
        head: 0.2,
        values: false,
    };

    /// The same with marks small enough for points that are `step` pixels apart.
    #[must_use]
    pub fn dense(mut self, step: f64) -> Style {
        let room = (step * 0.11).max(4.0) as i32;
        self.marker = self.marker.min(room);
        self.dot = self.dot.min((room / 2).max(3));
        if room < 8 {
            self.stroke = self.stroke.min(4);
        }
        self
    }
}

/// Where values are on the page.
#[derive(Debug, Clone)]
pub struct Geometry {
    /// The plot without ticks and labels.
    pub plot: Area,
    /// Values at the left and right edge.
    pub x: (f64, f64),
    /// Value at the top edge; 0 is at the bottom.
    pub top: f64,
    /// Pixels between the two nearest worker counts.
    pub step: f64,
    /// The worker counts that stand at equal distances, whatever their values:
    /// all of a panel of bars, none of a panel of lines.
    pub groups: Vec<usize>,
    /// The worker count that lines are drawn up to; all of them where it is infinite.
    pub reach: f64,
}

impl Geometry {
    /// Column of `workers` in pixels.
    pub fn column(&self, workers: f64) -> f64 {
        let (left, right) = self.x;
        let group = self
            .groups
            .iter()
            .position(|count| *count as f64 == workers);
        let x = group.map_or(workers, |group| group as f64);
        self.plot.x + (x - left) / (right - left) * self.plot.w
    }

    /// How much of the mark at `workers` is there, 0 to 1: it grows while its line comes
    /// near, and is whole once that is there.
    pub fn there(&self, workers: usize) -> f64 {
        /// From so far away, in parts of the axis.
        const NEAR: f64 = 0.12;
        let near = NEAR * (self.x.1 - self.x.0);
        (1.0 + (self.reach - workers as f64) / near).clamp(0.0, 1.0)
    }

    /// Width of a pixel in workers.
    pub fn pixel(&self) -> f64 {
        (self.x.1 - self.x.0) / self.plot.w
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
    let scale = panel.scale(style.steps, style.head);
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
    let geometry = geometry(panel, plot, scale.top);
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
    let row = geometry.plot.bottom() + style.tick * 1.25;
    for count in labelled(geometry, counts, face) {
        svg.text(
            &count.to_string(),
            (geometry.column(count as f64), row),
            ink,
        );
    }
}

/// The worker counts that get a label: all, or every second, third … where they
/// stand too close; of uneven counts those for which there is room.
fn labelled(geometry: &Geometry, counts: &[usize], face: Face) -> Vec<usize> {
    let even = counts
        .windows(3)
        .all(|three| three[1] - three[0] == three[2] - three[1]);
    if even || !geometry.groups.is_empty() {
        let every = |skip: usize| counts.iter().copied().step_by(skip).collect::<Vec<_>>();
        let fits = |some: &Vec<usize>| with_room(geometry, some, face).len() == some.len();
        return (1..=counts.len()).map(every).find(fits).unwrap_or_default();
    }
    with_room(geometry, counts, face)
}

fn with_room(geometry: &Geometry, counts: &[usize], face: Face) -> Vec<usize> {
    let mut free = f64::NEG_INFINITY;
    let mut kept = Vec::new();
    for count in counts {
        let column = geometry.column(*count as f64);
        let half = face.width(&count.to_string()) / 2.0;
        if column - half >= free {
            kept.push(*count);
            free = column + half + face.size * 0.6;
        }
    }
    kept
}

/// The least difference of two of `counts`, which rise.
fn nearest(counts: &[usize]) -> Option<f64> {
    let steps = counts.windows(2).map(|pair| pair[1] - pair[0]);
    steps.min().map(|step| step as f64)
}

/// The worker axis with room on both sides for markers or a group of bars.
fn geometry(panel: &Panel, plot: Area, top: f64) -> Geometry {
    let counts = panel.counts();
    let first = counts.first().copied().unwrap_or(1) as f64;
    let last = counts.last().copied().unwrap_or(1) as f64;
    let pad = ((last - first) * 0.06).max(0.02);
    let (x, nearest) = match panel.kind {
        Kind::Bars => ((-0.5, counts.len() as f64 - 0.5), 1.0),
        Kind::Lines => ((first - pad, last + pad), nearest(&counts).unwrap_or(1.0)),
    };
    Geometry {
        plot,
        x,
        top,
        step: nearest / (x.1 - x.0) * plot.w,
        groups: if panel.kind == Kind::Bars {
            counts
        } else {
            Vec::new()
        },
        reach: f64::INFINITY,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_grows_while_its_line_comes_near_and_is_whole_once_that_is_there() {
        let there = |reach: f64| {
            let plot = Area {
                x: 0.0,
                y: 0.0,
                w: 900.0,
                h: 400.0,
            };
            let geometry = Geometry {
                plot,
                x: (1.0, 4.0),
                top: 1.0,
                step: 300.0,
                groups: Vec::new(),
                reach,
            };
            [1, 2, 4].map(|workers| geometry.there(workers))
        };
        assert_eq!(there(1.0), [1.0, 0.0, 0.0]);
        assert_eq!(there(2.0), [1.0, 1.0, 0.0]);
        assert_eq!(there(f64::INFINITY), [1.0; 3]);
        let growth = (0..30).map(|frame| there(1.0 + f64::from(frame) / 10.0)[2]);
        let growth: Vec<f64> = growth.chain([there(4.0)[2]]).collect();
        assert!(growth.is_sorted() && growth.ends_with(&[1.0]), "{growth:?}");
        let steps = growth.windows(2).map(|two| two[1] - two[0]);
        assert!(steps.fold(0.0, f64::max) < 0.5, "no mark is there at once");
    }
}
