//! `results.csv`: one row a sample, for whoever wants to reckon for themselves.

use serde::Serialize;

use super::results::{Dispatch, Results, Sample, Work};
use crate::{Error, Result};

/// The file's name in a result folder.
pub const FILE_NAME: &str = "results.csv";

/// The fields of a [`Sample`] that fit a cell of a table, named and with
/// units as in `results.json`; the lanes of its jobs do not.
#[derive(Serialize)]
struct Row {
    work: Work,
    dispatch: Dispatch,
    workers: usize,
    codec_threads: usize,
    round: usize,
    wall_s: f64,
    process_s: Option<f64>,
    user_s: f64,
    sys_s: f64,
    peak_memory_bytes: u64,
    jobs: usize,
    frames: u64,
    output_bytes: u64,
    voluntary_switches: u64,
    involuntary_switches: u64,
    minor_faults: u64,
    major_faults: u64,
    read_bytes: u64,
    written_bytes: u64,
    others_s: Option<f64>,
    clock_mhz: Option<f64>,
}

const COLUMNS: [&str; 21] = [
    "work",
    "dispatch",
    "workers",
    "codec_threads",
    "round",
    "wall_s",
    "process_s",
    "user_s",
    "sys_s",
    "peak_memory_bytes",
    "jobs",
    "frames",
    "output_bytes",
    "voluntary_switches",
    "involuntary_switches",
    "minor_faults",
    "major_faults",
    "read_bytes",
    "written_bytes",
    "others_s",
    "clock_mhz",
];

impl From<&Sample> for Row {
    fn from(sample: &Sample) -> Self {
        Self {
            work: sample.work,
            dispatch: sample.dispatch,
            workers: sample.workers,
            codec_threads: sample.codec_threads,
            round: sample.round,
            wall_s: sample.wall_s,
            process_s: sample.process_s,
            user_s: sample.user_s,
            sys_s: sample.sys_s,
            peak_memory_bytes: sample.peak_memory_bytes,
            jobs: sample.jobs,
            frames: sample.frames,
            output_bytes: sample.output_bytes,
            voluntary_switches: sample.kernel.voluntary_switches,
            involuntary_switches: sample.kernel.involuntary_switches,
            minor_faults: sample.kernel.minor_faults,
            major_faults: sample.kernel.major_faults,
            read_bytes: sample.kernel.read_bytes,
            written_bytes: sample.kernel.written_bytes,
            others_s: sample.others_s,
            clock_mhz: sample.clock_mhz,
        }
    }
}

/// The samples as CSV with a header, in the order in which they were taken.
pub fn export_csv(results: &Results) -> Result<Vec<u8>> {
    let failed = |cause| Error::failed(format!("cannot write '{FILE_NAME}'")).because(cause);
    // The header is written here, so that a run without samples has one, too.
    let mut writer = csv::WriterBuilder::new()
        .has_headers(false)
        .from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(failed)?;
    for sample in &results.samples {
        writer.serialize(Row::from(sample)).map_err(failed)?;
    }
    writer
        .into_inner()
        .map_err(|cause| Error::failed(format!("cannot write '{FILE_NAME}'")).because(cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::original::testing::results;
    use crate::bench::results::Lane;
    use crate::bench::summary::testing::sample;

    fn with_lane() -> Sample {
        Sample {
            user_s: 1.25,
            output_bytes: 42,
            others_s: Some(0.5),
            lanes: vec![Lane {
                job: "a.mp4".into(),
                slot: 0,
                start_s: 0.0,
                end_s: 1.0,
            }],
            ..sample(Work::Transcode, Dispatch::Processes, 2, 3, 1.5)
        }
    }

    #[test]
    fn a_sample_is_a_row_without_its_lanes() {
        let text = String::from_utf8(export_csv(&results(vec![with_lane()])).unwrap()).unwrap();
        assert_eq!(
            text,
            "work,dispatch,workers,codec_threads,round,wall_s,process_s,user_s,sys_s,\
             peak_memory_bytes,jobs,frames,output_bytes,voluntary_switches,\
             involuntary_switches,minor_faults,major_faults,read_bytes,written_bytes,\
             others_s,clock_mhz\n\
             transcode,processes,2,1,3,1.5,,1.25,0.0,0,2,0,42,0,0,0,0,0,0,0.5,\n"
        );
    }

    #[test]
    fn the_columns_are_the_fields_of_results_json_but_for_the_lanes() {
        let json = serde_json::to_value(with_lane()).unwrap();
        // What the kernel counted is an object of its own there.
        let keys = |json: &serde_json::Value| -> Vec<String> {
            json.as_object().unwrap().keys().cloned().collect()
        };
        let mut fields = [keys(&json), keys(&json["kernel"])].concat();
        fields.retain(|field| field != "lanes" && field != "kernel");
        let mut columns = COLUMNS.to_vec();
        fields.sort_unstable();
        columns.sort_unstable();
        assert_eq!(columns, fields);
    }

    #[test]
    fn a_run_without_samples_still_has_its_header() {
        let text = String::from_utf8(export_csv(&results(vec![])).unwrap()).unwrap();
        assert_eq!(text.lines().count(), 1);
    }
}
