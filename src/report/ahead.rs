//! What a run of `bench` would measure, for people.

use super::words;
use crate::bench::ahead::Ahead;
use crate::bench::results::Work;

/// The matrix, a load a line, and how long a run may take.
pub fn lines(ahead: &Ahead) -> Vec<String> {
    let dispatches: Vec<&str> = ahead.dispatches.iter().map(|how| how.name()).collect();
    let workers: Vec<String> = ahead.workers.iter().map(usize::to_string).collect();
    let (dispatches, workers) = (dispatches.join(", "), workers.join(", "));
    let load = |work: &Work| {
        let jobs = jobs(ahead, *work);
        format!(
            "{}: {dispatches} × {workers} at once; {jobs} a cell",
            work.name()
        )
    };
    let mut lines: Vec<String> = ahead.works.iter().map(load).collect();
    if let [_, .., last] = ahead.codec_threads.as_slice() {
        let rest = &ahead.codec_threads[..ahead.codec_threads.len() - 1];
        let rest: Vec<String> = rest.iter().map(usize::to_string).collect();
        lines.push(format!(
            "transcode and frames with {} and {last} codec threads each",
            rest.join(", ")
        ));
    }
    lines.push(format!(
        "{} a round, {}, in {} at most",
        words::count(ahead.cells, "cell"),
        rounds(ahead.rounds),
        words::duration(ahead.budget_s)
    ));
    lines.push(match ahead.round_s {
        Some(seconds) => format!(
            "a round was {} of work in the run whose results are there",
            words::duration(seconds)
        ),
        None => "how long a round takes is not known before the first one".into(),
    });
    lines
}

fn jobs(ahead: &Ahead, work: Work) -> String {
    match (work.one_job_a_worker(), ahead.clips) {
        (true, _) => "a job a worker".into(),
        (false, 0) => "the samples, which are made first,".into(),
        (false, clips) => format!(
            "{} ({})",
            words::count(clips, "clip"),
            words::duration(ahead.clips_s)
        ),
    }
}

fn rounds([least, most]: [usize; 2]) -> String {
    match least == most {
        true => words::count(least, "round"),
        false => format!("{least} to {most} rounds"),
    }
}
