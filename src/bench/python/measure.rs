//! A run of the reference loads in a fresh interpreter.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Python, PythonKey, PythonSample};
use crate::bench::results::Work;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};
use crate::measure::{Usage, run_measured};

/// What runs the loads there.
const SCRIPT: &str = include_str!("../python_loads.py");

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
}

#[cfg(test)]
mod tests {
    use super::super::How;
    use super::*;
    use crate::bench::fixture::skipped;

    #[test]
    fn two_threads_of_python_take_turns_and_two_processes_do_not() {
        let Ok(program) = find() else {
            return skipped("python3");
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
}
