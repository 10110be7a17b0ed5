//! Two runs beside each other: two machines, two versions, two settings.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::results::{Dispatch, Encoder, Output, Results, Sample, Verdict, Work};
use super::sentence::{sentence, void};
use super::stats::{median, unpaired_ratio};
use super::verdict::{Decision, judge};
use crate::error::{Error, Result};
use crate::report::words;

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

/// Something that was not the same in both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// What it is.
    pub what: String,
    /// In the first run.
    pub a: String,
    /// In the second run.
    pub b: String,
}

/// One cell in both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub dispatch: Dispatch,
    /// Jobs at once.
    pub workers: usize,
    /// Median wall time of the first run.
    pub a_s: f64,
    /// Median wall time of the second run.
    pub b_s: f64,
    /// Time of the first ∕ time of the second; of `cpu`, time a step.
    pub ratio: f64,
    /// Its 95 % interval.
    pub ci95: [f64; 2],
    /// What may be concluded.
    pub verdict: Verdict,
    /// The same in words.
    pub sentence: String,
    /// Whether both runs' outputs decode to the same; `None` where there are none.
    pub equal_output: Option<bool>,
}

/// The names of the two in sentences.
const NAMES: [&str; 2] = ["A", "B"];

impl Versus {
    /// Sets `a` and `b`, read from the files of these names, beside each other.
    ///
    /// # Errors
    /// Where they have no cell in common.
    pub fn of([a, b]: [&Results; 2], files: [&str; 2]) -> Result<Self> {
        let pair = Pair { a, b };
        let rows = pair.rows();
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
            differs: pair.differs(),
            notes: pair.notes(&rows),
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

struct Pair<'a> {
    a: &'a Results,
    b: &'a Results,
}

/// Something that two runs may have in common, and how it is told.
type Fact = (&'static str, fn(&Results) -> String);

/// Load, dispatch, workers.
type Place = (Work, Dispatch, usize);

impl Pair<'_> {
    fn both<T>(&self, of: impl Fn(&Results) -> T) -> [T; 2] {
        [of(self.a), of(self.b)]
    }

    fn rows(&self) -> Vec<Row> {
        let [a, b] = self.both(times);
        a.iter()
            .filter_map(|(place, a)| self.row(*place, a, b.get(place)?))
            .collect()
    }

    fn row(&self, place: Place, a: &[f64], b: &[f64]) -> Option<Row> {
        let (work, dispatch, workers) = place;
        // What takes 300 ms here is another number of steps than there.
        let step = |results: &Results| match (work, results.design.cpu_iterations) {
            (Work::Cpu, steps) if steps > 0 => steps as f64,
            _ => 1.0,
        };
        let [of_a, of_b] = self.both(step);
        let each = |times: &[f64], of: f64| -> Vec<f64> { times.iter().map(|t| t / of).collect() };
        let measured = unpaired_ratio(&each(a, of_a), &each(b, of_b))?;
        let why = self.void(work);
        let decision = judge(measured, None, why.as_ref().map(|_| false));
        Some(Row {
            work,
            dispatch,
            workers,
            a_s: median(a)?,
            b_s: median(b)?,
            ratio: measured.ratio,
            ci95: [measured.interval.lo, measured.interval.hi],
            verdict: decision.verdict,
            sentence: told(&decision, why.as_deref()),
            equal_output: self.equal_output(work, dispatch),
        })
    }

    /// Why the two did not do the same work, where they did not.
    fn void(&self, work: Work) -> Option<String> {
        match work {
            Work::Transcode | Work::Frames => {
                let [a, b] = self.both(clips);
                (a != b).then(|| "the clips differ".into())
            }
            Work::Cpu => {
                let [a, b] = self.both(|results| results.design.cpu_iterations > 0);
                (a != b).then(|| "the length of one computation is not known".into())
            }
            Work::Io => {
                let [a, b] = self.both(|results| results.design.io_ms);
                (a != b).then(|| format!("the waits differ, {a} ms and {b} ms"))
            }
        }
    }

    fn output<'a>(&self, results: &'a Results, place: (Work, Dispatch)) -> Option<&'a Output> {
        let mut outputs = results.outputs.iter();
        outputs.find(|output| (output.work, output.dispatch) == place)
    }

    fn equal_output(&self, work: Work, dispatch: Dispatch) -> Option<bool> {
        let place = (work, dispatch);
        let (a, b) = (self.output(self.a, place)?, self.output(self.b, place)?);
        Some(a.hash == b.hash)
    }

    fn differs(&self) -> Vec<Difference> {
        let facts: [Fact; 15] = [
            ("host", |r| r.machine.host.clone()),
            ("system", |r| r.machine.os.clone()),
            ("processor", |r| r.machine.cpu.clone()),
            ("cores", |r| r.machine.cores.to_string()),
            ("memory", |r| words::bytes(r.machine.memory_bytes)),
            ("governor", |r| {
                r.machine.governor.clone().unwrap_or_default()
            }),
            ("rushes", |r| r.rushes.clone()),
            ("linked FFmpeg", |r| r.ffmpeg.linked.clone()),
            ("ffmpeg program", |r| {
                r.ffmpeg.program.clone().unwrap_or_default()
            }),
            ("FFmpeg's configuration", |r| r.ffmpeg.configuration.clone()),
            ("clips", |r| clips(r).join(", ")),
            ("transcode", |r| r.design.transcode_settings()),
            ("frames", |r| r.design.frames_settings()),
            ("codec threads a job", |r| {
                r.design.codec_threads.to_string()
            }),
            ("a wait", |r| format!("{} ms", r.design.io_ms)),
        ];
        let differing = |(what, of): &Fact| {
            let [a, b] = self.both(of);
            (a != b).then(|| Difference {
                what: (*what).to_owned(),
                a: or_unknown(a),
                b: or_unknown(b),
            })
        };
        let mut differs: Vec<Difference> = facts.iter().filter_map(differing).collect();
        differs.extend(self.encoders());
        differs
    }

    /// Encoders that both used, in another version; one that only one of them
    /// used shows in the settings.
    fn encoders(&self) -> Vec<Difference> {
        let [of_a, of_b] = self.both(|results| results.ffmpeg.encoders.clone());
        let differing = |a: &Encoder| {
            let b = of_b.iter().find(|b| b.name == a.name)?;
            (a.told() != b.told()).then(|| Difference {
                what: format!("encoder {}", a.name),
                a: a.told(),
                b: b.told(),
            })
        };
        of_a.iter().filter_map(differing).collect()
    }

    fn notes(&self, rows: &[Row]) -> Vec<String> {
        let mut notes = vec![
            "the runs were not interleaved: what the load of others or heat did to one of them is in the ratios"
                .to_owned(),
        ];
        for (name, results) in NAMES.iter().zip([self.a, self.b]) {
            let noise = results.noise.told(results.samples.len());
            notes.extend(noise.iter().map(|note| format!("in {name}, {note}")));
        }
        let works: BTreeSet<Work> = rows
            .iter()
            .filter(|row| row.equal_output == Some(false) && row.verdict != Verdict::Void)
            .map(|row| row.work)
            .collect();
        notes.extend(works.into_iter().map(|work| self.other_output(work)));
        notes
    }

    /// Speed alone does not tell which of two encoders is better.
    fn other_output(&self, work: Work) -> String {
        let told = self.both(|results| {
            let output = results.outputs.iter().find(|output| output.work == work);
            output.map_or_else(String::new, |output| {
                let ssim = output.ssim.map(|ssim| format!(", SSIM {ssim:.4}"));
                format!("{}{}", words::bytes(output.bytes), ssim.unwrap_or_default())
            })
        });
        format!(
            "{}: the outputs are not the same (A: {}; B: {}), so speed alone does not say which is better",
            work.name(),
            told[0],
            told[1]
        )
    }
}

fn told(decision: &Decision, void_for: Option<&str>) -> String {
    match void_for {
        Some(why) => void(why),
        None => sentence(decision, NAMES[0], NAMES[1]),
    }
}

fn or_unknown(text: String) -> String {
    match text.is_empty() {
        true => "not known".into(),
        false => text,
    }
}

/// The clips by what they hold, or by name where that is not known.
fn clips(results: &Results) -> Vec<String> {
    let design = &results.design;
    match design.clip_facts.is_empty() {
        true => design.clips.clone(),
        false => {
            let facts = design.clip_facts.iter();
            facts
                .map(|clip| format!("{} ({})", clip.name, clip.hash))
                .collect()
        }
    }
}

/// The wall times of each cell at the codec threads that were asked for.
fn times(results: &Results) -> BTreeMap<Place, Vec<f64>> {
    let mut times: BTreeMap<Place, Vec<f64>> = BTreeMap::new();
    let asked = |sample: &&Sample| sample.codec_threads == results.design.codec_threads;
    for sample in results.samples.iter().filter(asked) {
        let place = (sample.work, sample.dispatch, sample.workers);
        times.entry(place).or_default().push(sample.wall_s);
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;

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
    fn an_encoder_of_another_version_is_told_and_one_not_known_is_no_guess() {
        let run = fixture::two_cores();
        let mut other = run.clone();
        other.ffmpeg.encoders[0].linked = Some("core 155 r2917 0a84d98".into());
        other.ffmpeg.encoders[0].program = other.ffmpeg.encoders[0].linked.clone();
        let found = versus(&run, &other).differs;
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].what, "encoder libx264");
        assert_eq!(
            (found[0].a.as_str(), found[0].b.as_str()),
            ("core 164 r3095 baee400", "core 155 r2917 0a84d98")
        );
        // Results of before versions were looked for name no encoders.
        other.ffmpeg.encoders.clear();
        assert_eq!(versus(&run, &other).differs, []);
    }

    #[test]
    fn outputs_that_differ_are_told_with_size_and_quality() {
        let mut run = fixture::two_cores();
        run.outputs = vec![Output {
            work: Work::Transcode,
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
