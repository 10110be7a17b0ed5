//! Captions: verdicts in their own words, and measured numbers. Nothing here
//! concludes anything.

use super::axis::Unit;
use super::data::{self, Measure, Point, Series, View};
use crate::bench::results::{Dispatch, Work};

/// `1 worker`, `2 workers`.
pub fn workers(count: usize) -> String {
    let noun = if count == 1 { "worker" } else { "workers" };
    format!("{count} {noun}")
}

/// The verdict on times at the focus, or the times where there is none.
pub fn time(view: &View, work: Work) -> String {
    let series = view.series(work, Measure::Time);
    let Some(count) = view.focus(&data::counts(&series)) else {
        return String::new();
    };
    let verdict = verdict(view, work, count);
    let text = verdict.unwrap_or_else(|| numbers(&series, Measure::Time, count));
    sentence(&format!("At {}: {text}", workers(count)))
}

/// The same of threads against processes alone, where those were compared.
pub fn time_of_two(view: &View, work: Work) -> String {
    let count = view.focus(&data::counts(&view.series(work, Measure::Time)));
    let found = count.and_then(|count| view.comparison(work, count));
    match found.filter(|found| !found.sentence.trim().is_empty()) {
        Some(found) => {
            let said = view.results().said(found);
            sentence(&format!("At {}: {said}", workers(found.workers)))
        }
        None => time(view, work),
    }
}

/// The verdicts' own sentences at `count` workers, where there are any.
pub fn verdict(view: &View, work: Work, count: usize) -> Option<String> {
    let told = view
        .comparisons(work, count)
        .filter(|comparison| !comparison.sentence.trim().is_empty());
    let sentences: Vec<String> = told.map(|found| view.results().said(found)).collect();
    (!sentences.is_empty()).then(|| sentences.join("; "))
}

/// The numbers of one quantity at the focus.
pub fn measured(view: &View, work: Work, measure: Measure) -> String {
    let series = view.series(work, measure);
    let Some(count) = view.focus(&data::counts(&series)) else {
        return String::new();
    };
    let numbers = numbers(&series, measure, count);
    let base = match measure {
        Measure::Speedup => ", against one",
        _ => "",
    };
    sentence(&format!("At {}{base}: {numbers}", workers(count)))
}

/// Where each dispatch's median is highest.
pub fn highest(series: &[Series], measure: Measure) -> String {
    let unit = unit(series, measure);
    let parts = series.iter().filter_map(|series| {
        let best = series
            .points
            .iter()
            .max_by(|a, b| a.mid.total_cmp(&b.mid))?;
        let (name, value) = (series.dispatch.name(), unit.text(best.mid));
        Some(format!("{name} {value} at {}", workers(best.workers)))
    });
    let parts: Vec<String> = parts.collect();
    sentence(&format!("Highest median: {}", parts.join(", ")))
}

/// Peak memory at the focus, in total and a worker.
pub fn memory(view: &View, work: Work) -> String {
    let series = view.series(work, Measure::Memory);
    let Some(count) = view.focus(&data::counts(&series)) else {
        return String::new();
    };
    let unit = unit(&series, Measure::Memory);
    let parts = at(&series, count).map(|(dispatch, point)| {
        let each = unit.text(point.mid / count as f64);
        format!(
            "{} {} ({each} a worker)",
            dispatch.name(),
            unit.text(point.mid)
        )
    });
    let parts: Vec<String> = parts.collect();
    sentence(&format!("Peak at {}: {}", workers(count), parts.join(", ")))
}

fn numbers(series: &[Series], measure: Measure, count: usize) -> String {
    let unit = unit(series, measure);
    let parts = at(series, count)
        .map(|(dispatch, point)| format!("{} {}", dispatch.name(), unit.text(point.mid)));
    let parts: Vec<String> = parts.collect();
    parts.join(", ")
}

fn unit(series: &[Series], measure: Measure) -> Unit {
    let values = series
        .iter()
        .flat_map(|series| &series.points)
        .map(|point| point.mid);
    Unit::of(measure, values.fold(0.0, f64::max))
}

fn at(series: &[Series], count: usize) -> impl Iterator<Item = (Dispatch, &Point)> {
    series.iter().filter_map(move |series| {
        let point = series.points.iter().find(|point| point.workers == count)?;
        Some((series.dispatch, point))
    })
}

/// `text` with a full stop where it has no end.
pub fn sentence(text: &str) -> String {
    match text.ends_with(['.', '!', '?', '…']) {
        true => text.to_owned(),
        false => format!("{text}."),
    }
}
