//! Two runs beside each other: two machines, two versions, two settings.

mod differs;
mod rows;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::differs::Difference;
use self::differs::differs;
pub use self::rows::Row;
use self::rows::rows;
use super::results::{Output, Results, Verdict, Work};
use crate::error::{Error, Result};

/// What two runs say of each other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Versus {
    /// Format version of this document.
    pub version: u32,
    /// The first run.
    pub a: Side,
    /// The second run.
    pub b: Side,
    /// What was not the same: machine, versions, settings.
    pub differs: Vec<Difference>,
    /// Every load, dispatch and worker count that both have.
    pub rows: Vec<Row>,
    /// What a reader must know besides.
    pub notes: Vec<String>,
}

/// One of the two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// Where it was read from.
    pub file: String,
    /// When it was started.
    pub started: String,
    /// Rounds that it has.
    pub rounds: usize,
}

/// The names of the two in sentences.
const NAMES: [&str; 2] = ["A", "B"];

impl Versus {
    /// Sets `a` and `b`, read from the files of these names, beside each other.
    ///
    /// # Errors
    /// Where they have no cell in common.
    pub fn of([a, b]: [&Results; 2], files: [&str; 2]) -> Result<Self> {
        let rows = rows([a, b]);
        if rows.is_empty() {
            return Err(Error::usage(format!(
                "'{}' and '{}' have no load, dispatch and worker count in common",
                files[0], files[1]
            ))
            .cure("run both with the same --work, --dispatch and --workers"));
        }
        let side = |results: &Results, file: &str| Side {
            file: file.to_owned(),
            started: results.started.clone(),
            rounds: results.design.rounds,
        };
        Ok(Self {
            version: 1,
            a: side(a, files[0]),
            b: side(b, files[1]),
            differs: differs([a, b]),
            notes: notes([a, b], &rows),
            rows,
        })
    }

    /// What is found of each load at each dispatch, at the worker count to
    /// speak about in the first run.
    pub fn telling(&self, focus: impl Fn(&[usize]) -> Option<usize>) -> Vec<&Row> {
        let places: BTreeSet<_> = self.rows.iter().map(|r| (r.work, r.dispatch)).collect();
        let of = |(work, dispatch)| {
            let rows = || {
                self.rows
                    .iter()
                    .filter(move |r| (r.work, r.dispatch) == (work, dispatch))
            };
            let counts: Vec<usize> = rows().map(|row| row.workers).collect();
            let count = focus(&counts)?;
            rows().find(|row| row.workers == count)
        };
        places.into_iter().filter_map(of).collect()
    }
}

fn notes(runs: [&Results; 2], rows: &[Row]) -> Vec<String> {
    let mut notes = vec![
        "the runs were not interleaved: what the load of others or heat did to one of them \
         is in the ratios"
            .to_owned(),
    ];
    for (name, results) in NAMES.iter().zip(runs) {
        let noise = results.noise.told(results.samples.len());
        notes.extend(noise.iter().map(|note| format!("in {name}, {note}")));
    }
    let works: BTreeSet<Work> = rows
        .iter()
        .filter(|row| row.equal_output == Some(false) && row.verdict != Verdict::Void)
        .map(|row| row.work)
        .collect();
    notes.extend(works.into_iter().map(|work| other_output(runs, work)));
    notes
}

/// Speed alone does not tell which of two encoders is better.
fn other_output(runs: [&Results; 2], work: Work) -> String {
    let told = runs.map(|results| {
        let output = results.outputs.iter().find(|output| output.work == work);
        output.map_or_else(String::new, Output::told)
    });
    format!(
        "{}: the outputs are not the same (A: {}; B: {}), so speed alone does not say which is better",
        work.name(),
        told[0],
        told[1]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;
    use crate::bench::results::Dispatch;

    fn versus(a: &Results, b: &Results) -> Versus {
        Versus::of([a, b], ["a.json", "b.json"]).unwrap()
    }

    /// The same run, so many times as slow.
    fn slower(results: &Results, times: f64) -> Results {
        let mut other = results.clone();
        other.samples.iter_mut().for_each(|s| s.wall_s *= times);
        other
    }

    #[test]
    fn a_run_against_itself_shows_no_difference() {
        let run = fixture::two_cores();
        let found = versus(&run, &run);
        assert_eq!(found.rows.len(), run.cells.len());
        assert_eq!(found.differs, []);
        for row in &found.rows {
            assert_eq!(row.verdict, Verdict::NoDifferenceShown, "{row:?}");
            assert!((row.ratio - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn a_slower_run_is_told_with_its_interval_whoever_comes_first() {
        let run = fixture::two_cores();
        let other = slower(&run, 1.5);
        let found = versus(&run, &other);
        assert!(found.rows.iter().all(|row| row.verdict == Verdict::AFaster));
        assert!(
            found.rows[0].sentence.starts_with("A faster by "),
            "{:?}",
            found.rows[0]
        );
        let back = versus(&other, &run);
        assert!(back.rows.iter().all(|row| row.verdict == Verdict::BFaster));
    }

    #[test]
    fn computations_are_compared_a_step_since_each_machine_has_its_own_number() {
        let mut run = fixture::two_cores();
        run.design.cpu_iterations = 1000;
        // Twice as many steps in as much time: twice as fast.
        let mut other = run.clone();
        other.design.cpu_iterations = 2000;
        let found = versus(&run, &other);
        let cpu = found.rows.iter().filter(|row| row.work == Work::Cpu);
        assert!(cpu.clone().count() > 0);
        for row in cpu {
            assert!((row.ratio - 2.0).abs() < 0.05, "{row:?}");
            assert_eq!(row.verdict, Verdict::BFaster);
        }
    }

    #[test]
    fn other_clips_or_waits_void_and_other_settings_are_told() {
        let run = fixture::two_cores();
        let mut other = slower(&run, 1.5);
        other.design.clips.pop();
        other.design.io_ms = 900;
        // Words do not tell all of a recipe: its size is not in them.
        other.design.settings = ["1".into(), String::new()];
        other.machine.cpu = "another".into();
        let found = versus(&run, &other);
        for row in &found.rows {
            let is_void = row.verdict == Verdict::Void;
            assert_eq!(is_void, row.work != Work::Cpu, "{row:?}");
        }
        let said = |work| &found.rows.iter().find(|r| r.work == work).unwrap().sentence;
        assert_eq!(said(Work::Transcode), "void: the clips differ");
        assert_eq!(said(Work::Io), "void: the waits differ, 0 ms and 900 ms");
        let differs: Vec<&str> = found.differs.iter().map(|d| d.what.as_str()).collect();
        assert_eq!(differs, ["processor", "clips", "transcode", "a wait"]);
    }

    #[test]
    fn outputs_that_differ_are_told_with_size_and_quality() {
        let mut run = fixture::two_cores();
        run.outputs = vec![Output {
            work: Work::Transcode,
            codec_threads: 1,
            dispatch: Dispatch::Threads,
            bytes: 1 << 20,
            hash: "1".into(),
            ssim: Some(0.98),
        }];
        let mut other = run.clone();
        other.outputs[0].hash = "2".into();
        other.outputs[0].ssim = Some(0.95);
        let found = versus(&run, &other);
        let row = found.rows.iter().find(|row| row.work == Work::Transcode);
        assert_eq!(row.unwrap().equal_output, Some(false));
        let notes = found.notes.join("\n");
        assert!(
            notes.contains("SSIM 0.9800") && notes.contains("SSIM 0.9500"),
            "{notes}"
        );
    }

    #[test]
    fn runs_without_a_cell_in_common_are_refused_by_name() {
        let run = fixture::two_cores();
        let mut other = run.clone();
        other.samples.retain(|sample| sample.workers > 3);
        let error = Versus::of([&run, &other], ["a.json", "b.json"]).unwrap_err();
        assert!(error.report().contains("'b.json'"), "{}", error.report());
    }
}
