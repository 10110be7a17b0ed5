//! The reference loads on Python's threads and processes, where one lock lets
//! only one thread at a time run Python: what that costs shows beside ours.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::compare::pairs;
use super::results::{Verdict, Work};
use super::sentence::sentence;
use super::stats::{median, median_interval};
use super::verdict::{Contest, JobSize, decide};
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::measure::{Usage, run_measured};

/// What runs the loads there.
const SCRIPT: &str = include_str!("python_loads.py");

/// What Python was measured to do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Python {
    /// `Python 3.11.2`.
    pub version: String,
    /// Steps of its computation that take `cpu_ms` on one idle core.
    pub cpu_steps: u64,
    /// Every measurement.
    pub samples: Vec<PythonSample>,
    /// One summary a cell.
    pub cells: Vec<PythonCell>,
    /// Its threads against its processes.
    pub comparisons: Vec<PythonComparison>,
}

/// How Python runs jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    /// On threads of one interpreter.
    Threads,
    /// In one forked interpreter a job.
    Processes,
}

impl How {
    /// Both.
    pub const ALL: [How; 2] = [How::Threads, How::Processes];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            How::Threads => "threads",
            How::Processes => "processes",
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            How::Threads => "Python threads",
            How::Processes => "Python processes",
        }
    }
}

/// What one run of Python is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PythonKey {
    /// `cpu` or `io`.
    pub work: Work,
    /// How it runs the jobs.
    pub how: How,
    /// Jobs at once, one a worker.
    pub workers: usize,
}

impl fmt::Display for PythonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (work, how) = (self.work.name(), self.how.title());
        write!(f, "{work} on {how}, {} at once", self.workers)
    }
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PythonSample {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub how: How,
    /// Jobs at once.
    pub workers: usize,
    /// Round, from 1.
    pub round: usize,
    /// From before the first worker is started until the last one has ended.
    pub wall_s: f64,
    /// User CPU time of all its processes.
    pub user_s: f64,
    /// System CPU time of all its processes.
    pub sys_s: f64,
    /// Peak of the proportional set size summed over its processes.
    pub peak_memory_bytes: u64,
}

/// The summary of one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PythonCell {
    /// What was done.
    pub work: Work,
    /// How it was run.
    pub how: How,
    /// Jobs at once.
    pub workers: usize,
    /// Number of samples.
    pub n: usize,
    /// Median wall time.
    pub median_s: f64,
    /// 95 % interval of the median.
    pub ci95_s: [f64; 2],
}

/// Python's threads against its processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PythonComparison {
    /// What was done.
    pub work: Work,
    /// Jobs at once.
    pub workers: usize,
    /// Time of threads divided by time of processes.
    pub ratio: f64,
    /// 95 % interval of the ratio.
    pub ci95: [f64; 2],
    /// What may be concluded, of a for threads and b for processes.
    pub verdict: Verdict,
    /// The same in words.
    pub sentence: String,
}

/// The Python on the PATH.
///
/// # Errors
/// Where there is none.
pub fn find() -> Result<PathBuf> {
    which::which("python3").map_err(|error| {
        Error::usage("--python: there is no python3 on the PATH")
            .because(error)
            .cure("install Python 3, or leave --python out")
    })
}

/// An interpreter that takes nothing from its environment, with the script.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-I", "-S", "-c", SCRIPT]);
    command
}

fn number<T: std::str::FromStr>(output: &[u8]) -> Result<T> {
    let text = String::from_utf8_lossy(output);
    let number = text.trim().parse();
    number.map_err(|_| Error::failed(format!("Python said '{}'", text.trim().escape_debug())))
}

fn failed(program: &Path, error: Error) -> Error {
    Error::failed(format!("--python: '{}' failed", program.display()))
        .because(error)
        .cure("it must be Python 3.7 or newer; or leave --python out")
}

impl Python {
    /// Asks `program` for its version, and how long its computation takes.
    ///
    /// # Errors
    /// Where it cannot be run.
    pub fn meet(program: &Path, cpu_ms: u64, cancel: &Cancel) -> Result<Self> {
        let version = Command::new(program).arg("--version").output();
        let version = version.map_err(|error| {
            failed(
                program,
                Error::failed("it cannot be started").because(error),
            )
        })?;
        let mut calibrate = command(program);
        calibrate.args(["calibrate", &cpu_ms.to_string()]);
        let (output, _) = run_measured(calibrate, &[], cancel)?;
        Ok(Self {
            version: String::from_utf8_lossy(&version.stdout).trim().to_owned(),
            cpu_steps: number(&output).map_err(|error| failed(program, error))?,
            ..Self::default()
        })
    }

    /// Measures one cell in a fresh interpreter; also what it cost as a whole.
    ///
    /// # Errors
    /// Where it fails, or `cancel` was set.
    pub fn measure(
        &self,
        program: &Path,
        key: PythonKey,
        (io_ms, round): (u64, usize),
        cancel: &Cancel,
    ) -> Result<(PythonSample, Usage)> {
        let amount = match key.work {
            Work::Io => io_ms,
            _ => self.cpu_steps,
        };
        let mut command = command(program);
        command.args([key.work.name(), key.how.name()]);
        command.args([key.workers.to_string(), amount.to_string()]);
        let (output, usage) = run_measured(command, &[], cancel)?;
        let sample = PythonSample {
            work: key.work,
            how: key.how,
            workers: key.workers,
            round,
            wall_s: number(&output).map_err(|error| failed(program, error))?,
            user_s: usage.user.as_secs_f64(),
            sys_s: usage.system.as_secs_f64(),
            peak_memory_bytes: usage.peak_memory_bytes,
        };
        Ok((sample, usage))
    }

    /// The same with what follows from its samples.
    #[must_use]
    pub fn summarised(mut self, sizes_ms: impl Fn(Work) -> u64) -> Self {
        let mut keys: Vec<_> = self.samples.iter().map(|s| (s.work, s.workers)).collect();
        keys.sort_unstable();
        keys.dedup();
        let cells = keys
            .iter()
            .flat_map(|(work, workers)| How::ALL.map(|how| self.cell(*work, how, *workers)));
        self.cells = cells.flatten().collect();
        let compared = |(work, workers): &(Work, usize)| {
            self.compared((*work, *workers), sizes_ms(*work) as f64)
        };
        self.comparisons = keys.iter().filter_map(compared).collect();
        self
    }

    fn times(&self, work: Work, how: How, workers: usize) -> Vec<(usize, f64)> {
        let of = |s: &&PythonSample| (s.work, s.how, s.workers) == (work, how, workers);
        let samples = self.samples.iter().filter(of);
        samples
            .map(|sample| (sample.round, sample.wall_s))
            .collect()
    }

    fn cell(&self, work: Work, how: How, workers: usize) -> Option<PythonCell> {
        let times = self.times(work, how, workers);
        let walls: Vec<f64> = times.iter().map(|time| time.1).collect();
        let interval = median_interval(&walls)?;
        Some(PythonCell {
            work,
            how,
            workers,
            n: walls.len(),
            median_s: median(&walls)?,
            ci95_s: [interval.lo, interval.hi],
        })
    }

    fn compared(&self, (work, workers): (Work, usize), work_ms: f64) -> Option<PythonComparison> {
        let alone = How::ALL.map(|how| self.cell(work, how, 1).map(|cell| cell.median_s));
        let size = match alone {
            [Some(threads), Some(processes)] => Some(JobSize {
                work_ms,
                start_ms: 1000.0 * (processes - threads).abs(),
                chosen: true,
            }),
            _ => None,
        };
        let [threads, processes] = How::ALL.map(|how| self.times(work, how, workers));
        let decision = decide(&Contest {
            rounds: &pairs(threads, processes),
            size,
            equal_output: None,
        })?;
        let interval = decision.measured.interval;
        Some(PythonComparison {
            work,
            workers,
            ratio: decision.measured.ratio,
            ci95: [interval.lo, interval.hi],
            verdict: decision.verdict,
            sentence: sentence(&decision, How::Threads.title(), How::Processes.title()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_of_python_take_turns_and_two_processes_do_not() {
        let Ok(program) = find() else {
            eprintln!("skipped: there is no python3");
            return;
        };
        let cancel = Cancel::new();
        let python = Python::meet(&program, 40, &cancel).unwrap();
        assert!(python.version.starts_with("Python 3"), "{}", python.version);
        assert!(python.cpu_steps > 1000);
        let key = |work, how| PythonKey {
            work,
            how,
            workers: 2,
        };
        for how in How::ALL {
            let (sample, _) = python
                .measure(&program, key(Work::Io, how), (30, 1), &cancel)
                .unwrap();
            assert!(sample.wall_s >= 0.030, "{sample:?}");
            let (sample, usage) = python
                .measure(&program, key(Work::Cpu, how), (30, 1), &cancel)
                .unwrap();
            // On any machine: two jobs of one core's time are that much CPU time.
            assert!(usage.user.as_secs_f64() > 0.04, "{sample:?}");
        }
    }

    #[test]
    fn rounds_in_which_one_lock_makes_threads_wait_are_told_as_such() {
        let sample = |how, workers, round, wall_s| PythonSample {
            work: Work::Cpu,
            how,
            workers,
            round,
            wall_s,
            user_s: 0.0,
            sys_s: 0.0,
            peak_memory_bytes: 0,
        };
        let samples = (1..=8).flat_map(|round| {
            [
                sample(How::Threads, 1, round, 0.300),
                sample(How::Processes, 1, round, 0.304),
                sample(How::Threads, 2, round, 0.600),
                sample(How::Processes, 2, round, 0.304),
            ]
        });
        let python = Python {
            samples: samples.collect(),
            ..Python::default()
        };
        let python = python.summarised(|_| 300);
        assert_eq!(python.cells.len(), 4);
        let found = &python.comparisons[1];
        assert_eq!((found.workers, found.verdict), (2, Verdict::BFaster));
        assert!(
            found
                .sentence
                .starts_with("Python processes faster by 97.4 %")
        );
    }
}
