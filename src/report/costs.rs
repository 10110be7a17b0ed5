//! The pros and cons of the dispatches, one column each: the same in the
//! terminal and in the report.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::words;
use crate::bench::costs::{CANCEL, CRASH, PASSING};
use crate::bench::results::{Cost, Results};
use crate::bench::stats::MIN_ROUNDS;

/// What stands before a value that too few rounds gave no interval.
const UNSURE: &str = "≈";

/// One line of the table: what it is, and each dispatch's value.
pub struct Line {
    /// What was measured.
    pub what: String,
    /// In the order of [`Results::costs`].
    pub values: Vec<String>,
}

/// All lines of which any dispatch has a value.
pub fn lines(results: &Results) -> Vec<Line> {
    let line = |what: String, of: &dyn Fn(&Cost) -> Option<String>| {
        let values: Vec<Option<String>> = results.costs.iter().map(of).collect();
        values.iter().any(Option::is_some).then(|| Line {
            what,
            values: values
                .into_iter()
                .map(|v| v.unwrap_or("–".into()))
                .collect(),
        })
    };
    let lines = [
        line("memory of a further worker".into(), &|cost| {
            let bytes = cost.memory_per_worker_bytes?;
            Some(shown(memory(bytes), cost.memory_per_worker_ci95, 0.0))
        }),
        line("start of a job".into(), &|cost| {
            cost.start_ms.map(milliseconds)
        }),
        line(CANCEL.into(), &|cost| cost.cancel_ms.map(milliseconds)),
        line(CRASH.into(), &crash),
        line(PASSING.into(), &|cost| {
            cost.frame_us.map(|us| milliseconds(us / 1000.0))
        }),
        line(beyond(results, "CPU"), &|cost| {
            let beyond = cost.beyond.as_ref()?;
            Some(shown(change(beyond.cpu_ratio?), beyond.cpu_ci95, 1.0))
        }),
        line(beyond(results, "time"), &|cost| {
            let beyond = cost.beyond.as_ref()?;
            Some(shown(change(beyond.time_ratio), beyond.time_ci95, 1.0))
        }),
    ];
    lines.into_iter().flatten().collect()
}

/// How to read them.
pub fn reading(results: &Results) -> Option<String> {
    let work = results.costs.first()?.work.name();
    let jobs = results.costs.iter().find_map(|cost| cost.crash.as_ref());
    let kill = jobs.map_or_else(String::new, |crash| {
        format!(
            " The crash is one kill from outside of what runs a job, in a batch of {}; what it delays is as noisy as one run.",
            words::count(crash.jobs, "job")
        )
    });
    let marked = |line: &Line| line.values.iter().any(|value| value.starts_with(UNSURE));
    let unsure = match lines(results).iter().any(marked) {
        true => format!(" {UNSURE}: too few rounds for an interval; use at least {MIN_ROUNDS}."),
        false => String::new(),
    };
    Some(format!(
        "Memory, cancel and crash are those of {work}.{kill}{unsure}"
    ))
}

/// The lines as a table for the terminal; `None` where nothing was measured.
pub fn table(results: &Results) -> Option<Table> {
    let lines = lines(results);
    if lines.is_empty() {
        return None;
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    let names = results
        .costs
        .iter()
        .map(|cost| cost.dispatch.name().to_owned());
    table.set_header([String::new()].into_iter().chain(names));
    for line in lines {
        table.add_row([line.what].into_iter().chain(line.values));
    }
    for column in 1..=results.costs.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Some(table)
}

/// A value whose interval leaves out the one that means nothing; where too few
/// rounds gave it none, it is marked.
fn shown(value: String, interval: Option<[f64; 2]>, nothing: f64) -> String {
    match interval {
        Some([lo, hi]) if lo <= nothing && nothing <= hi => "none shown".into(),
        Some(_) => value,
        None => format!("{UNSURE} {value}"),
    }
}

fn memory(bytes: f64) -> String {
    let sign = if bytes < 0.0 { "−" } else { "" };
    format!("{sign}{}", words::bytes(bytes.abs() as u64))
}

fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 0.009_95 => format!("{:.1} µs", ms * 1000.0),
        ms if ms < 0.9995 => format!("{:.0} µs", ms * 1000.0),
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 9_950.0 => format!("{ms:.0} ms"),
        ms => words::duration(ms / 1000.0),
    }
}

fn crash(cost: &Cost) -> Option<String> {
    let crash = cost.crash.as_ref()?;
    let Some(delay_s) = crash.delay_s else {
        return Some(format!("all left: {} of {} jobs", crash.lost, crash.jobs));
    };
    Some(match crash.lost {
        0 => format!("no job, +{:.1} s", delay_s.max(0.0)),
        lost => format!("{lost} of {} jobs", crash.jobs),
    })
}

fn beyond(results: &Results, what: &str) -> String {
    let beyond = results.costs.iter().find_map(|cost| cost.beyond.as_ref());
    beyond.map_or_else(String::new, |beyond| {
        format!("{what}, {} workers ∕ {}", beyond.to, beyond.from)
    })
}

/// `+1.2 %`, `−3.4 %`.
fn change(ratio: f64) -> String {
    let percent = 100.0 * (ratio - 1.0);
    let sign = if percent < -0.05 { "−" } else { "+" };
    format!("{sign}{:.1} %", percent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;

    #[test]
    fn each_dispatch_is_a_column_and_what_was_not_measured_is_a_dash() {
        let mut results = fixture::two_cores();
        assert_eq!(results.costs.len(), 3);
        results.costs[1].cancel_ms = None;
        let lines = lines(&results);
        assert_eq!(lines.len(), 7);
        let of = |what: &str| {
            &lines
                .iter()
                .find(|line| line.what.contains(what))
                .unwrap()
                .values
        };
        assert_eq!(
            of("crash"),
            &["all left: 4 of 4 jobs", "1 of 4 jobs", "no job, +0.3 s"]
        );
        assert_eq!(of("start"), &["0.1 µs", "140 ms", "23 µs"]);
        assert_eq!(of("cancel")[1], "–");
        assert_eq!(of("CPU, 3 workers ∕ 2")[0], "+2.0 %");
        // What may as well be nothing is not given as a number.
        assert_eq!(of("time, 3 workers ∕ 2")[0], "none shown");
        assert!(!reading(&results).unwrap().contains(UNSURE));
        results.costs[2].memory_per_worker_ci95 = None;
        let marked = self::lines(&results);
        assert!(
            marked[0].values[2].starts_with("≈ "),
            "{:?}",
            marked[0].values
        );
        assert!(reading(&results).unwrap().ends_with("use at least 6."));
        let text = table(&results).unwrap().to_string();
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        results.costs.clear();
        assert!(table(&results).is_none() && reading(&results).is_none());
    }
}
