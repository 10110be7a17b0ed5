//! Python's series beside those of the dispatches.

use super::data::{self, Measure, Point, View};
use super::panel::Line;
use crate::bench::python::How;
use crate::bench::results::{Python, Work};
use crate::draw::Theme;
use crate::draw::theme::Look;

/// Its threads and its processes at `work`, where they were measured.
pub fn lines(view: &View, what: (Work, Measure), theme: &Theme) -> Vec<Line> {
    let Some(python) = &view.results().python else {
        return vec![];
    };
    let line = |how| Line {
        name: how_name(how).to_owned(),
        look: look(how, theme),
        points: points(python, how, what),
    };
    let lines = How::ALL.into_iter().map(line);
    lines.filter(|line| !line.points.is_empty()).collect()
}

/// Time of its threads divided by that of its processes.
pub fn ratio(view: &View, theme: &Theme) -> Option<Line> {
    let found = view
        .results()
        .python
        .iter()
        .flat_map(|python| &python.comparisons);
    let found = found.filter(|found| found.work == Work::Cpu && data::usable(found.ratio));
    let points: Vec<Point> = found
        .map(|found| Point {
            workers: found.workers,
            mid: found.ratio,
            interval: (found.ci95[0] < found.ci95[1]).then_some(found.ci95),
            raw: Vec::new(),
        })
        .collect();
    (!points.is_empty()).then(|| Line {
        name: "Python".to_owned(),
        look: look(How::Threads, theme),
        points,
    })
}

fn how_name(how: How) -> &'static str {
    match how {
        How::Threads => "Py threads",
        How::Processes => "Py processes",
    }
}

fn look(how: How, theme: &Theme) -> Look {
    match how {
        How::Threads => theme.python_threads,
        How::Processes => theme.python_processes,
    }
}

fn points(python: &Python, how: How, (work, measure): (Work, Measure)) -> Vec<Point> {
    let cells = python.cells.iter();
    let cells = cells.filter(|cell| (cell.work, cell.how) == (work, how) && cell.workers > 0);
    let points = cells.filter_map(|cell| {
        let each = match measure {
            Measure::Time => 1.0,
            Measure::TimePerWorker => cell.workers as f64,
            Measure::Throughput | Measure::Speedup | Measure::Memory => return None,
        };
        let of = |s: &&crate::bench::python::PythonSample| {
            (s.work, s.how, s.workers) == (work, how, cell.workers)
        };
        let samples = python.samples.iter().filter(of);
        let [lo, hi] = cell.ci95_s;
        Some(Point {
            workers: cell.workers,
            mid: cell.median_s / each,
            interval: (lo < hi).then_some([lo / each, hi / each]),
            raw: samples.map(|sample| sample.wall_s / each).collect(),
        })
    });
    points
        .filter(|point| point.values().all(data::usable))
        .collect()
}
