//! The original exercise's four panels on one page.

use super::caption;
use super::data::{self, Measure, Point, Series, View};
use super::page::{Body, Draft};
use super::panel::{Kind, Line, Panel, Reference};
use super::python;
use crate::bench::results::{Dispatch, Work};
use crate::draw::Theme;
use crate::draw::theme::{Look, Marker};

/// The page; `None` where neither reference load was measured.
pub fn panels(view: &View, theme: &Theme) -> Option<Draft> {
    let of = |work, measure| {
        let series = view.series(work, measure).into_iter();
        let own = series.map(|series| Line {
            name: series.dispatch.name().to_owned(),
            look: theme.dispatch(series.dispatch),
            points: series.points,
        });
        let lines = own.chain(python::lines(view, (work, measure), theme));
        Panel::of_lines(lines.collect(), measure)
    };
    let panels = [
        of(Work::Cpu, Measure::Time).map(|panel| panel.titled("CPU bound")),
        of(Work::Cpu, Measure::TimePerWorker).map(|panel| panel.titled("CPU bound / threads")),
        ratio(view, theme),
        of(Work::Io, Measure::Time).map(|panel| panel.titled("I/O bound")),
    ];
    let panels: Vec<Panel> = panels.into_iter().flatten().collect();
    if panels.is_empty() {
        return None;
    }
    let with_cores = |panel: Panel| panel.with_cores(view.cores());
    Some(Draft {
        name: "original-panels".to_owned(),
        title: title(view).to_owned(),
        subtitle: format!("Times: lower is better{}", super::scaling::reading(&panels)),
        caption: captions(view),
        body: Body::Panels(panels.into_iter().map(with_cores).collect()),
    })
}

fn title(view: &View) -> &'static str {
    match (view.has(Work::Cpu), view.has(Work::Io)) {
        (true, true) => "CPU-bound and I/O-bound loads, one job a worker",
        (true, false) => "CPU-bound load, one job a worker",
        (false, _) => "I/O-bound load, one job a worker",
    }
}

fn captions(view: &View) -> String {
    let parts = [(Work::Cpu, "CPU bound"), (Work::Io, "I/O bound")].map(|(work, name)| {
        // Both loads against every dispatch would not fit under a slide.
        let text = caption::time_of_two(view, work);
        let lower = text.replacen("At ", "at ", 1);
        (!text.is_empty()).then(|| format!("{name} {lower}"))
    });
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(" ")
}

/// Time of threads divided by time of processes, with a line where they are equal.
fn ratio(view: &View, theme: &Theme) -> Option<Panel> {
    let series = view.series(Work::Cpu, Measure::Time);
    let points: Vec<Point> = data::counts(&series)
        .into_iter()
        .filter_map(|count| compared(view, count).or_else(|| divided(&series, count)))
        .collect();
    if points.is_empty() {
        return None;
    }
    let python = python::ratio(view, theme);
    let line = Line {
        name: if python.is_some() { "rushes" } else { "ratio" }.to_owned(),
        look: Look {
            colour: theme.text,
            marker: Marker::Diamond,
            dash: None,
        },
        points,
    };
    let mut panel = Panel {
        title: "Thread / process ratio".to_owned(),
        y_name: "ratio of times".to_owned(),
        suffix: "",
        kind: Kind::Lines,
        lines: [line].into_iter().chain(python).collect(),
        cores: None,
        reference: None,
    };
    if panel.counts().len() == 1 {
        panel.kind = Kind::Bars;
    }
    Some(panel.against(Reference::Level(1.0, "equal")))
}

/// The ratio that was derived from paired rounds, with its interval.
fn compared(view: &View, count: usize) -> Option<Point> {
    let comparison = view.comparison(Work::Cpu, count)?;
    let [low, high] = comparison.ci95;
    let wide = data::usable(low) && data::usable(high) && low < high;
    data::usable(comparison.ratio).then(|| Point {
        workers: count,
        mid: comparison.ratio,
        interval: wide.then_some([low, high]),
        raw: Vec::new(),
    })
}

/// The ratio of medians, for data that hold no comparisons.
fn divided(series: &[Series], count: usize) -> Option<Point> {
    let mid = |dispatch: Dispatch| {
        let series = series.iter().find(|series| series.dispatch == dispatch)?;
        let point = series.points.iter().find(|point| point.workers == count)?;
        Some(point.mid)
    };
    let ratio = mid(Dispatch::Threads)? / mid(Dispatch::Processes)?;
    data::usable(ratio).then(|| Point {
        workers: count,
        mid: ratio,
        interval: None,
        raw: Vec::new(),
    })
}
