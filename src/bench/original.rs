//! The data file of the original exercise, with the header row it lacked.
//!
//! Its plot script takes the first row for the titles of the lines. Without a
//! header that was the row of one worker, which is so lost from the picture.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::results::{Dispatch, Results, Sample, Work};
use crate::{Error, Result};

/// The file's name in a result folder.
pub const FILE_NAME: &str = "thread_cpu_bound.dat";

/// What the columns after the worker count hold: seconds of wall time.
const COLUMNS: [(&str, Work, Dispatch); 4] = [
    ("CpuThread", Work::Cpu, Dispatch::Threads),
    ("CpuProcess", Work::Cpu, Dispatch::Processes),
    ("IoThread", Work::Io, Dispatch::Threads),
    ("IoProcess", Work::Io, Dispatch::Processes),
];

const WORKERS_COLUMN: &str = "nthreads";

/// The medians of the reference loads in seconds, one row a worker count,
/// `NaN` (which gnuplot leaves out) where a cell was not measured.
pub fn write_original(results: &Results) -> String {
    let mut text = header();
    let cells = results.cells.iter();
    let workers: BTreeSet<usize> = cells
        .filter(|cell| cell.work.one_job_a_worker())
        .map(|cell| cell.workers)
        .collect();
    for workers in workers {
        let _ = write!(text, "{workers}");
        for (_, work, dispatch) in COLUMNS {
            let cell = results
                .cells
                .iter()
                .find(|cell| (cell.work, cell.dispatch, cell.workers) == (work, dispatch, workers));
            let median_s = cell.map_or(f64::NAN, |cell| cell.median_s);
            let _ = write!(text, " {median_s:.6}");
        }
        text.push('\n');
    }
    text
}

fn header() -> String {
    columns() + "\n"
}

/// The names of the columns, as a header has them.
pub fn columns() -> String {
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
    format!("{WORKERS_COLUMN} {}", names.join(" "))
}

/// Reads such a file, with or without its header, as samples of one codec thread.
///
/// A worker count that comes again is a further round. What the file does not
/// hold (CPU time, memory) is 0.
pub fn read_original(text: &str) -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    let mut rounds: BTreeMap<usize, usize> = BTreeMap::new();
    let rows = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim();
        !(line.is_empty() || line.starts_with('#') || line == header().trim())
    });
    for (index, line) in rows {
        let (workers, times) = row(line).ok_or_else(|| not_a_row(index + 1, line))?;
        let round = rounds.entry(workers).or_default();
        *round += 1;
        samples.extend(
            COLUMNS
                .iter()
                .zip(times)
                .filter(|(_, wall_s)| !wall_s.is_nan())
                .map(|(&(_, work, dispatch), wall_s)| {
                    Sample::timed((work, dispatch, workers), *round, wall_s)
                }),
        );
    }
    Ok(samples)
}

fn not_a_row(number: usize, line: &str) -> Error {
    let start: String = line.chars().take(60).collect();
    Error::usage(format!(
        "line {number} is no row of a {FILE_NAME}: '{}'",
        start.escape_debug()
    ))
    .cure(format!("rows are: {}", header().trim()))
}

/// The worker count and the four times; `None` where the line holds anything else.
fn row(line: &str) -> Option<(usize, [f64; 4])> {
    let mut fields = line.split_whitespace();
    let workers = fields.next()?.parse().ok().filter(|workers| *workers > 0)?;
    let mut times = [0.0; 4];
    for time in &mut times {
        let seconds: f64 = fields.next()?.parse().ok()?;
        if seconds < 0.0 || seconds.is_infinite() {
            return None;
        }
        *time = seconds;
    }
    fields.next().is_none().then_some((workers, times))
}

/// Results for tests.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Results that follow from samples, of a run nothing else is known about.
    pub(crate) fn results(samples: Vec<Sample>) -> Results {
        Results::of_times(samples)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::results;
    use super::*;
    use crate::bench::fixture::skipped;
    use crate::bench::results::Verdict;
    use proptest::prelude::*;
    use std::process::Command;

    /// As the original wrote it: no header, one row a worker count.
    const WITHOUT_HEADER: &str = "1 0.00027 0.0578 1.0012 1.0523\n2 0.00051 0.0612 1.0015 1.0601\n";

    #[test]
    fn the_file_has_the_originals_header_and_a_row_a_worker_count() {
        let mut samples = read_original(WITHOUT_HEADER).unwrap();
        samples.pop();
        assert_eq!(
            write_original(&results(samples)),
            "nthreads CpuThread CpuProcess IoThread IoProcess\n\
             1 0.000270 0.057800 1.001200 1.052300\n\
             2 0.000510 0.061200 1.001500 NaN\n"
        );
    }

    #[test]
    fn a_file_is_read_with_and_without_its_header() {
        let bare = read_original(WITHOUT_HEADER).unwrap();
        let headed = format!("{}# a remark\n\n{WITHOUT_HEADER}", header());
        assert_eq!(bare, read_original(&headed).unwrap());
        assert_eq!(bare.len(), 8);
        assert_eq!((bare[4].workers, bare[4].round), (2, 1));
    }

    #[test]
    fn a_worker_count_that_comes_again_is_a_further_round() {
        let samples = read_original(&WITHOUT_HEADER.repeat(2)).unwrap();
        assert_eq!((samples[8].workers, samples[8].round), (1, 2));
    }

    #[test]
    fn what_is_no_row_is_refused_with_its_line() {
        for bad in [
            "1 2 3 4",
            "1 2 3 4 5 6",
            "0 1 1 1 1",
            "1 1 1 -1 1",
            "1 1 inf 1 1",
            "x",
        ] {
            let error = read_original(&format!("{WITHOUT_HEADER}{bad}\n")).unwrap_err();
            assert!(error.report().contains("line 3"), "{}", error.report());
        }
    }

    #[test]
    fn of_the_originals_cpu_columns_nothing_is_concluded() {
        let results = results(read_original(WITHOUT_HEADER).unwrap());
        let cpu = results.comparisons.iter().filter(|c| c.work == Work::Cpu);
        assert!(cpu.clone().all(|c| c.verdict == Verdict::TooSmallToMeasure));
        assert_eq!(cpu.count(), 2);
        let io = results.comparisons.iter().find(|c| c.work == Work::Io);
        assert_eq!(io.unwrap().verdict, Verdict::NoDifferenceShown);
    }

    /// The points that gnuplot draws, with titles taken from the file's first row.
    fn drawn(file: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), file).unwrap();
        let script = format!(
            "set key autotitle columnhead; set table 'points'; \
             plot '{FILE_NAME}' using 1:2, '' using 1:5"
        );
        let status = Command::new("gnuplot")
            .args(["-e", &script])
            .current_dir(folder.path())
            .status()
            .unwrap();
        assert!(status.success());
        std::fs::read_to_string(folder.path().join("points")).unwrap()
    }

    #[test]
    fn gnuplot_with_the_originals_settings_draws_every_row_and_names_the_lines() {
        if which::which("gnuplot").is_err() {
            return skipped("gnuplot");
        }
        let rows = |points: &str| points.lines().filter(|line| line.contains(" i")).count();
        let ours = drawn(&write_original(&results(
            read_original(WITHOUT_HEADER).unwrap(),
        )));
        assert!(
            ours.contains("CpuThread") && ours.contains("IoProcess"),
            "{ours}"
        );
        assert_eq!(rows(&ours), 4, "{ours}");
        assert!(ours.lines().any(|line| line.trim_start().starts_with("1 ")));
        // The same data without a header loses the row of one worker, as the original did.
        assert_eq!(rows(&drawn(WITHOUT_HEADER)), 2);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*|([0-9. NaN#e-]*\n)*") {
            let _ = read_original(&text);
        }

        #[test]
        fn what_was_written_is_read_back(times in prop::collection::vec(0.001..100.0f64, 12)) {
            let rows: String = times
                .chunks(4)
                .enumerate()
                .map(|(i, t)| format!("{} {:.6} {:.6} {:.6} {:.6}\n", i + 1, t[0], t[1], t[2], t[3]))
                .collect();
            let written = write_original(&results(read_original(&rows).unwrap()));
            prop_assert_eq!(written, header() + &rows);
        }
    }
}
