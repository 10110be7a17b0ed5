//! `measuring_cost RUSHES OUT CLIP ROUNDS`: what it costs a cell of `rushes bench`
//! to be measured. Cells run with and without it, round by round, by turns.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use rushes::bench::cell::{self, Report, Spec};
use rushes::bench::results::Dispatch;
use rushes::bench::stats::{median, paired_ratio};
use rushes::dispatch::Cancel;
use rushes::engine::Linked;
use rushes::job::Job;
use rushes::measure::run_measured;
use rushes::plan::{Existing, Rules, Wanted, plan, scan};
use rushes::recipe::{Recipe, Transcode, Video};
use rushes::{Error, Result};

/// Copies of the clip that a cell transcodes.
const JOBS: usize = 4;

/// Cells without a job, whose time is that of their start.
const STARTS: usize = 60;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [program, out, clip, rounds] = arguments.as_slice() else {
        eprintln!("usage: measuring_cost RUSHES OUT CLIP ROUNDS");
        return ExitCode::from(2);
    };
    let cells = Cells {
        program: program.into(),
        cancel: Cancel::new(),
    };
    let rounds = rounds.parse().unwrap_or(10);
    match cells.tell(Path::new(out), Path::new(clip), rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("measuring_cost: {}", error.report());
            ExitCode::from(1)
        }
    }
}

struct Cells {
    program: PathBuf,
    cancel: Cancel,
}

/// One cell: its own wall time, that of all around it, and the CPU time of whoever measured.
struct Ran {
    own_s: f64,
    all_s: f64,
    parent_s: f64,
}

impl Cells {
    fn tell(&self, out: &Path, clip: &Path, rounds: usize) -> Result<()> {
        let jobs = self.jobs(out, clip)?;
        for dispatch in Dispatch::ALL {
            for workers in [1, 2] {
                let spec = Spec::of(dispatch, workers, jobs.clone());
                let told = self.compared(&spec, rounds)?;
                println!(
                    "transcode on {}, {workers} at once: {told}",
                    dispatch.name()
                );
            }
        }
        let starts = self.pairs(&Spec::of(Dispatch::Threads, 1, vec![]), STARTS)?;
        let more: Vec<f64> = starts
            .iter()
            .map(|[with, without]| 1000.0 * (with.all_s - without.all_s))
            .collect();
        let ms = median(&more).unwrap_or(f64::NAN);
        println!("start-up of a cell: {ms:+.2} ms when measured (median of {STARTS})");
        Ok(())
    }

    fn jobs(&self, out: &Path, clip: &Path) -> Result<Vec<Job>> {
        let recipe = Recipe::Transcode(Transcode {
            video: Some(Video {
                speed: Some("veryfast".into()),
                ..Video::default()
            }),
            ..Transcode::default()
        });
        let mut jobs = vec![];
        for copy in 0..JOBS {
            let found = scan(&[clip.to_owned()], &Wanted::default(), None)?;
            let out = out.join(copy.to_string());
            let rules = Rules::new(Existing::Overwrite, &Linked);
            let planned = plan(
                &found.files,
                std::slice::from_ref(&recipe),
                &out,
                &rules,
                &self.cancel,
            )?;
            jobs.extend(planned.jobs.into_iter().map(|job| Job { id: copy, ..job }));
        }
        Ok(jobs)
    }

    fn compared(&self, spec: &Spec, rounds: usize) -> Result<String> {
        let pairs = self.pairs(spec, rounds)?;
        let times: Vec<(f64, f64)> = pairs.iter().map(|[a, b]| (a.own_s, b.own_s)).collect();
        let shares: Vec<f64> = pairs
            .iter()
            .map(|[a, b]| (a.parent_s - b.parent_s) / a.own_s)
            .collect();
        let ratio = paired_ratio(&times).ok_or_else(|| Error::failed("no cell took any time"))?;
        let percent = |ratio: f64| 100.0 * (ratio - 1.0);
        Ok(format!(
            "{:.2} % of its time goes to looking at it; it takes {:+.2} % ({:+.2} to {:+.2}) longer",
            100.0 * median(&shares).unwrap_or(f64::NAN),
            percent(ratio.ratio),
            percent(ratio.interval.lo),
            percent(ratio.interval.hi),
        ))
    }

    /// So many pairs of a cell that is measured and one that is not; which comes first alternates.
    fn pairs(&self, spec: &Spec, rounds: usize) -> Result<Vec<[Ran; 2]>> {
        // Caches are filled before any time counts.
        self.run(spec, false)?;
        (0..rounds)
            .map(|round| match round % 2 {
                0 => Ok([self.run(spec, true)?, self.run(spec, false)?]),
                _ => {
                    let without = self.run(spec, false)?;
                    Ok([self.run(spec, true)?, without])
                }
            })
            .collect()
    }

    fn run(&self, spec: &Spec, measured: bool) -> Result<Ran> {
        let mut command = Command::new(&self.program);
        command.args(cell::arguments(spec));
        let (before, began) = (own_time(), Instant::now());
        let output = match measured {
            true => run_measured(command, &cell::line(spec)?, &self.cancel)?.0,
            false => bare(command, &cell::line(spec)?)?,
        };
        let (all, parent) = (began.elapsed(), own_time().saturating_sub(before));
        let report: Report = serde_json::from_slice(&output)
            .map_err(|error| Error::failed("a cell ended without a report").because(error))?;
        Ok(Ran {
            own_s: report.wall_s,
            all_s: all.as_secs_f64(),
            parent_s: parent.as_secs_f64(),
        })
    }
}

/// The same process, run and waited for, and nothing else.
fn bare(mut command: Command, input: &[u8]) -> Result<Vec<u8>> {
    let broken = |error| Error::failed("cannot run a cell").because(error);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(broken)?;
    // It stays open to the end: its closing would stop the cell.
    let mut stdin = child.stdin.take();
    if let Some(stdin) = &mut stdin {
        stdin.write_all(input).map_err(broken)?;
    }
    let mut output = vec![];
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_end(&mut output).map_err(broken)?;
    }
    child.wait().map_err(broken)?;
    Ok(output)
}

/// CPU time of this process itself.
fn own_time() -> Duration {
    let Ok(used) = getrusage(UsageWho::RUSAGE_SELF) else {
        return Duration::ZERO;
    };
    let time = used.user_time() + used.system_time();
    Duration::from_micros((time.tv_sec() * 1_000_000 + time.tv_usec()).unsigned_abs())
}
