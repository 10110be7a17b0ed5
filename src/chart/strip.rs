//! Every raw time of a load as a dot: a row a cell, one time axis.

use super::axis::{Scale, Unit};
use super::caption;
use super::data::{self, Measure, View};
use crate::bench::results::{Dispatch, Results, Work};
use crate::draw::Theme;
use crate::draw::svg::{Anchor, Area, Ink, Svg};
use crate::draw::text::Face;

const WIDTH: f64 = 1280.0;
const ROW: f64 = 34.0;
/// Room between the rows of two worker counts.
const GAP: f64 = 18.0;
const TEXT: f64 = 22.0;
const DOT: f64 = 6.0;
/// What names take at the left.
const LEFT: f64 = 250.0;

/// All times of one load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strip {
    /// What was done.
    pub title: String,
    /// A document as high as there are cells.
    pub svg: String,
}

/// One cell's times by round.
struct Row {
    dispatch: Dispatch,
    workers: usize,
    median: f64,
    times: Vec<(usize, f64)>,
}

/// A strip of every load whose samples were kept.
pub fn strips(results: &Results, theme: &Theme) -> Vec<Strip> {
    let view = View::new(results);
    let strip = |work| strip(&view, work, theme);
    Work::ALL.into_iter().filter_map(strip).collect()
}

fn strip(view: &View, work: Work, theme: &Theme) -> Option<Strip> {
    let rows = rows(view, work);
    let times = || rows.iter().flat_map(|row| &row.times).map(|time| time.1);
    let most = times().reduce(f64::max)?;
    let unit = Unit::of(Measure::Time, most);
    let scale = Scale::up_to(most / unit.size, 8);
    let groups = rows
        .windows(2)
        .filter(|two| two[0].workers != two[1].workers);
    let inside = rows.len() as f64 * ROW + groups.count() as f64 * GAP;
    let plot = Area {
        x: LEFT,
        y: 16.0,
        w: WIDTH - LEFT - 40.0,
        h: inside,
    };
    let mut svg = Svg::new(WIDTH, plot.bottom() + TEXT * 3.4, theme.background);
    axis(&mut svg, plot, &scale, (unit.axis, theme));
    let column = |seconds: f64| plot.x + seconds / unit.size / scale.top * plot.w;
    let mut top = plot.y;
    let mut before = None;
    for row in &rows {
        let first = before != Some(row.workers);
        top += if first && before.is_some() { GAP } else { 0.0 };
        before = Some(row.workers);
        let middle = top + ROW / 2.0;
        name(&mut svg, middle, (row, first), theme);
        draw(&mut svg, middle, row, (&column, unit, theme));
        top += ROW;
    }
    Some(Strip {
        title: super::scaling::load(work).to_owned(),
        svg: svg.finish(),
    })
}

fn rows(view: &View, work: Work) -> Vec<Row> {
    let mut rows = Vec::new();
    for series in view.series(work, Measure::Time) {
        for point in series.points {
            let samples = view.samples(work, series.dispatch, point.workers);
            let times = samples.map(|sample| (sample.round, sample.wall_s));
            rows.push(Row {
                dispatch: series.dispatch,
                workers: point.workers,
                median: point.mid,
                times: times.filter(|time| data::usable(time.1)).collect(),
            });
        }
    }
    rows.retain(|row| !row.times.is_empty());
    rows.sort_by_key(|row| (row.workers, row.dispatch));
    rows
}

fn axis(svg: &mut Svg, plot: Area, scale: &Scale, look: (&str, &Theme)) {
    let (name, theme) = look;
    let ink = Ink::new(Face::regular(TEXT), theme.muted).anchored(Anchor::Middle);
    for tick in &scale.ticks {
        let column = plot.x + tick / scale.top * plot.w;
        let ends = [(column, plot.y), (column, plot.bottom())];
        svg.line(ends, 2.0, theme.grid, None);
        svg.text(
            &scale.label(*tick),
            (column, plot.bottom() + TEXT * 1.4),
            ink,
        );
    }
    let middle = plot.x + plot.w / 2.0;
    svg.text(name, (middle, plot.bottom() + TEXT * 2.8), ink);
}

fn name(svg: &mut Svg, middle: f64, row: (&Row, bool), theme: &Theme) {
    let (row, first) = row;
    if first {
        let ink = Ink::new(Face::regular(TEXT), theme.muted);
        svg.text_centred(&caption::workers(row.workers), (8.0, middle), ink);
    }
    let ink = Ink::new(Face::bold(TEXT), theme.dispatch(row.dispatch).colour);
    let ink = ink.anchored(Anchor::End);
    svg.text_centred(row.dispatch.name(), (LEFT - 18.0, middle), ink);
}

/// The dots of a cell over a line at its median.
fn draw(svg: &mut Svg, middle: f64, row: &Row, look: (&dyn Fn(f64) -> f64, Unit, &Theme)) {
    let (column, unit, theme) = look;
    let looks = theme.dispatch(row.dispatch);
    let median = column(row.median);
    let ends = [(median, middle - ROW * 0.42), (median, middle + ROW * 0.42)];
    svg.line(ends, 3.0, theme.text, None);
    for (round, seconds) in &row.times {
        let at = (column(*seconds), middle);
        svg.dot(at, DOT, (looks.colour, theme.background));
        let spot = Area {
            x: at.0 - DOT,
            y: at.1 - DOT,
            w: 2.0 * DOT,
            h: 2.0 * DOT,
        };
        let who = row.dispatch.name();
        let time = unit.text(*seconds);
        svg.hint(spot, &format!("{who}, round {round}: {time}"));
    }
}
