//! How a video load scales: time, throughput, speed-up and memory over workers.

use super::caption;
use super::data::{self, Measure, View};
use super::page::{Body, Draft};
use super::panel::{Kind, Panel, Reference};
use crate::bench::results::Work;
use crate::draw::Theme;

/// The quantities in the order of their slides.
const MEASURES: [Measure; 4] = [
    Measure::Time,
    Measure::Throughput,
    Measure::Speedup,
    Measure::Memory,
];

/// One page a quantity.
pub fn slides(view: &View, work: Work, theme: &Theme) -> Vec<Draft> {
    let slide = |measure| slide(view, work, measure, theme);
    MEASURES.into_iter().filter_map(slide).collect()
}

/// All quantities on one page; `None` where there is none.
pub fn overview(view: &View, work: Work, theme: &Theme) -> Option<Draft> {
    let panels = MEASURES.into_iter().filter_map(|measure| {
        let panel = panel(view, work, measure, theme)?;
        Some(panel.titled(short_title(measure)))
    });
    let panels: Vec<Panel> = panels.collect();
    if panels.is_empty() {
        return None;
    }
    Some(Draft {
        name: format!("{}-overview", work.name()),
        title: format!("{} {}", load(work), span(&panels[0])),
        subtitle: subject(view, work) + reading(&panels),
        caption: caption::time(view, work),
        body: Body::Panels(panels),
    })
}

fn slide(view: &View, work: Work, measure: Measure, theme: &Theme) -> Option<Draft> {
    let panel = panel(view, work, measure, theme)?;
    let series = view.series(work, measure);
    let (stem, what, direction) = match measure {
        Measure::Time | Measure::TimePerWorker => ("time", "time", "Lower is better"),
        Measure::Throughput => ("throughput", "throughput", "Higher is better"),
        Measure::Speedup => ("speedup", "speed-up", "Higher is better"),
        Measure::Memory => ("memory", "memory", "Lower is better"),
    };
    let caption = match measure {
        Measure::Time | Measure::TimePerWorker => caption::time(view, work),
        Measure::Throughput => caption::highest(&series, measure),
        Measure::Speedup => caption::measured(view, work, measure),
        Measure::Memory => caption::memory(view, work),
    };
    let reading = match measure {
        Measure::Memory => " · bar: median peak of all processes together · thin marks: every run",
        _ => reading(std::slice::from_ref(&panel)),
    };
    Some(Draft {
        name: format!("{}-{stem}", work.name()),
        title: format!("{} {what} {}", load(work), span(&panel)),
        subtitle: format!("{direction}{reading}"),
        caption,
        body: Body::Panels(vec![panel]),
    })
}

fn panel(view: &View, work: Work, measure: Measure, theme: &Theme) -> Option<Panel> {
    let series = view.series(work, measure);
    let few = data::counts(&series).len() < 2;
    let panel = Panel::of(series, measure, theme)?;
    match measure {
        // One worker count has nothing to be faster than.
        Measure::Speedup if few => None,
        Measure::Speedup => Some(panel.with_cores(view.cores()).against(Reference::Ideal)),
        Measure::Memory => Some(panel),
        _ => Some(panel.with_cores(view.cores())),
    }
}

/// The worker counts that `panel` shows, as the end of a title.
fn span(panel: &Panel) -> String {
    match panel.counts()[..] {
        [only] => format!("at {}", caption::workers(only)),
        _ => "by number of workers".to_owned(),
    }
}

fn short_title(measure: Measure) -> &'static str {
    match measure {
        Measure::Time | Measure::TimePerWorker => "Time",
        Measure::Throughput => "Throughput",
        Measure::Speedup => "Speed-up",
        Measure::Memory => "Memory",
    }
}

/// The load as the first words of a title.
pub fn load(work: Work) -> &'static str {
    match work {
        Work::Transcode => "Transcode",
        Work::Frames => "Frame extraction",
        Work::Remux => "Remux",
        Work::Cpu => "CPU-bound load",
        Work::Io => "I/O-bound load",
    }
}

/// What was worked on, where it is known.
fn subject(view: &View, work: Work) -> String {
    let design = &view.results().design;
    let clips = match design.clips.len() {
        0 => return load(work).to_owned(),
        1 => "1 clip".to_owned(),
        n => format!("{n} clips"),
    };
    match data::usable(design.clips_s) && design.clips_s > 0.0 {
        true => format!("{clips}, {} s of video", super::axis::short(design.clips_s)),
        false => clips,
    }
}

/// How to read medians and what there is of their spread in `panels`.
pub fn reading(panels: &[Panel]) -> &'static str {
    let lines = panels.iter().any(|panel| panel.kind == Kind::Lines);
    let points = || {
        panels
            .iter()
            .flat_map(|panel| &panel.lines)
            .flat_map(|line| &line.points)
    };
    let raws = points().any(|point| !point.raw.is_empty());
    let intervals = points().any(|point| point.interval.is_some());
    match (lines, intervals, raws) {
        (false, _, true) => " · bar: median · thin marks: every run",
        (false, _, false) => " · bar: median",
        (true, true, true) => {
            " · line: median · bar: 95 % interval if larger than the mark · dots: every run"
        }
        (true, true, false) => " · line: median · bar: 95 % interval if larger than the mark",
        (true, false, true) => " · line: median · dots: every run",
        (true, false, false) => " · line: median",
    }
}
