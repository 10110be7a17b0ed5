//! What a benchmark found, as a table and in sentences: the same in the
//! terminal, in the film and in the report.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::words;
use crate::bench::best::{Winner, winner};
use crate::bench::results::{Cell, Comparison, Dispatch, Load, Output, Results, Work};
use crate::bench::stats::CONFIDENCE;

/// The conclusions: what the terminal prints last.
pub fn sentences(results: &Results) -> Vec<String> {
    let mut sentences = verdicts(results);
    sentences.extend(best(results));
    sentences.extend(capacity(results));
    sentences.extend(quality(results));
    sentences.extend(reading(results));
    sentences
}

/// The same in the order in which they may be left out from the end on, for
/// where there is room for a few.
pub fn shortest(results: &Results) -> Vec<String> {
    let first = [best(results), capacity(results), reading(results)];
    let mut sentences: Vec<String> = first.into_iter().flatten().collect();
    sentences.extend(verdicts(results));
    sentences.extend(quality(results));
    sentences
}

/// How sure the verdicts are, all together.
pub fn reading(results: &Results) -> Option<String> {
    let python = results.python.iter().map(|python| python.comparisons.len());
    let count = results.comparisons.len() + python.sum::<usize>();
    // At 95 %, of twenty one is wrong by chance.
    let wrong = count as f64 * (1.0 - CONFIDENCE);
    match count {
        0 => None,
        1 => Some("The comparison is judged at 95 %.".into()),
        _ => Some(format!(
            "{count} comparisons, each judged by itself at 95 %: on average up to {wrong:.1} of them are wrong by chance."
        )),
    }
}

/// The verdicts that answer the question for each load.
pub fn verdicts(results: &Results) -> Vec<String> {
    results
        .design
        .loads()
        .into_iter()
        .flat_map(|load| telling(results, load))
        .map(|comparison| {
            format!(
                "{} at {}: {}",
                load_title(results, comparison.load()),
                workers(comparison.workers),
                results.said(comparison)
            )
        })
        .chain(python(results))
        .collect()
}

/// What Python's threads and processes show, at the worker count to speak about.
fn python(results: &Results) -> Vec<String> {
    let found = || results.python.iter().flat_map(|python| &python.comparisons);
    let counts: Vec<usize> = found().map(|comparison| comparison.workers).collect();
    let count = results.focus(&counts);
    let told = found().filter(|comparison| Some(comparison.workers) == count);
    told.map(|comparison| {
        format!(
            "{} in Python at {}: {}",
            title(comparison.work),
            workers(comparison.workers),
            comparison.sentence
        )
    })
    .collect()
}

/// How large and how good what was transcoded is: nobody wins by encoding worse.
pub fn quality(results: &Results) -> Option<String> {
    let outputs = results.outputs.iter();
    let outputs: Vec<&Output> = outputs.filter(|o| o.work == Work::Transcode).collect();
    let first = *outputs.first()?;
    if outputs.iter().all(|output| output.hash == first.hash) {
        let whose = if outputs.len() > 1 {
            "of all, the same"
        } else {
            "transcoded"
        };
        return Some(format!("Output {whose}: {}.", first.told()));
    }
    let each = outputs.iter().map(|output| {
        let threads = results.design.with_threads(output.load());
        format!("{}{threads} {}", output.dispatch.name(), output.told())
    });
    let each: Vec<String> = each.collect();
    Some(format!("Outputs differ: {}.", each.join("; ")))
}

/// How many such jobs keep up in real time.
pub fn capacity(results: &Results) -> Option<String> {
    results.capacity.as_ref().map(|capacity| {
        let [lo, hi] = capacity.ci95;
        let interval = (lo > 0.0 && hi > lo).then(|| format!(" ({lo:.1}–{hi:.1})"));
        format!(
            "Capacity: {} such {} at once in real time: {:.1} × real time{}, {} on {}{}.",
            capacity.jobs_in_real_time,
            if capacity.jobs_in_real_time == 1 {
                "transcode"
            } else {
                "transcodes"
            },
            capacity.realtime_factor,
            interval.unwrap_or_default(),
            workers(capacity.workers),
            capacity.dispatch.name(),
            results.design.with_threads(Load {
                work: Work::Transcode,
                codec_threads: capacity.codec_threads,
            }),
        )
    })
}

/// The comparisons that answer the question for `load`, at [`Results::focus`].
fn telling(results: &Results, load: Load) -> Vec<&Comparison> {
    let of_load = || {
        let all = results.comparisons.iter();
        all.filter(move |comparison| comparison.load() == load)
    };
    let counts: Vec<usize> = of_load().map(|comparison| comparison.workers).collect();
    let count = results.focus(&counts);
    of_load()
        .filter(|comparison| Some(comparison.workers) == count)
        .collect()
}

/// The fastest way to transcode; called the best where it is shown to be faster than the others.
pub fn best(results: &Results) -> Option<String> {
    let Winner { cell, not_shown } = winner(results, Work::Transcode)?;
    let times = speedup(cell).map(|times| format!(", {times} × one worker"));
    let times = times.unwrap_or_default();
    let name = |cell: &Cell| {
        let threads = results.design.with_threads(cell.load());
        format!("{}{threads}", cell.dispatch.name())
    };
    let names: Vec<String> = not_shown.into_iter().map(name).collect();
    let (title, open) = match names.as_slice() {
        [] => ("Best here", String::new()),
        names => (
            "Fastest median here",
            format!("; not shown to be faster than {}", names.join(" and ")),
        ),
    };
    Some(format!(
        "{title}: {} on {}, {:.0} frames/s{times}, peak memory {}{open}.",
        workers(cell.workers),
        name(cell),
        cell.throughput_fps.unwrap_or(0.0),
        words::bytes(cell.peak_memory_bytes),
    ))
}

/// `1.95 (1.90–2.00)`.
pub fn speedup(cell: &Cell) -> Option<String> {
    let interval = cell
        .speedup_ci95
        .filter(|[lo, hi]| hi > lo)
        .map(|[lo, hi]| format!(" ({lo:.2}–{hi:.2})"));
    let interval = interval.unwrap_or_default();
    cell.speedup.map(|times| format!("{times:.2}{interval}"))
}

/// Medians of all cells beside each other, with what each comparison says.
pub fn table(results: &Results) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    let dispatches = &results.design.dispatches;
    let mut header = vec!["load".to_owned(), "workers".to_owned()];
    header.extend(
        dispatches
            .iter()
            .map(|dispatch| format!("{} (s)", dispatch.name())),
    );
    header.push("verdict".to_owned());
    table.set_header(header);
    for load in results.design.loads() {
        for (index, count) in results.design.workers.iter().enumerate() {
            // A load is named once, above its worker counts.
            let name = match index {
                0 => format!("{}{}", load.work.name(), results.design.with_threads(load)),
                _ => String::new(),
            };
            let mut row = vec![name, count.to_string()];
            row.extend(
                dispatches
                    .iter()
                    .map(|dispatch| time(results, load, *dispatch, *count)),
            );
            row.push(verdict(results, load, *count));
            table.add_row(row);
        }
    }
    for column in 1..=1 + dispatches.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn time(results: &Results, load: Load, dispatch: Dispatch, workers: usize) -> String {
    results
        .cell(load, dispatch, workers)
        .map_or_else(|| "–".into(), |cell| format!("{:.3}", cell.median_s))
}

fn verdict(results: &Results, load: Load, workers: usize) -> String {
    let found = results
        .comparisons
        .iter()
        .filter(|found| found.load() == load && found.workers == workers);
    let lines: Vec<String> = found.map(|found| results.said(found)).collect();
    lines.join("\n")
}

/// A load as the first words of a sentence, with its codec threads where others have others.
pub fn load_title(results: &Results, load: Load) -> String {
    format!("{}{}", title(load.work), results.design.with_threads(load))
}

/// What is done, as the first words of a sentence.
pub fn title(work: Work) -> &'static str {
    match work {
        Work::Transcode => "Transcode",
        Work::Frames => "Frames",
        Work::Remux => "Remux",
        Work::Cpu => "CPU bound",
        Work::Io => "I/O bound",
    }
}

fn workers(count: usize) -> String {
    words::count(count, "worker")
}
