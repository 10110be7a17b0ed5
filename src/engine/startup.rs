//! What it costs to start a job that does nothing.

use std::path::Path;
use std::time::Instant;

use super::{Engine, Linked, Program, Watch};
use crate::bench::results::Dispatch;
use crate::dispatch::Cancel;
use crate::error::Result;
use crate::job::{Job, Load, Work};

/// Repetitions; the median counts.
const TRIALS: usize = 9;

/// Milliseconds that starting one job costs in `dispatch`: a reference load
/// that does nothing, or (`load` false) `ffmpeg` told to do nothing but tell
/// its version.
///
/// # Errors
/// Where a program is missing, or `cancel` was set.
pub fn start_up_ms(dispatch: Dispatch, load: bool, cancel: &Cancel) -> Result<f64> {
    let mut trials = Vec::with_capacity(TRIALS);
    for _ in 0..TRIALS {
        let began = Instant::now();
        start(dispatch, load, cancel)?;
        trials.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    trials.sort_by(f64::total_cmp);
    Ok(trials[TRIALS / 2])
}

fn start(dispatch: Dispatch, load: bool, cancel: &Cancel) -> Result<()> {
    let mut report = |_| {};
    let mut watch = Watch::new(cancel, &mut report);
    let nothing = Job {
        id: 0,
        name: String::new(),
        work: Work::Load(Load::Io { milliseconds: 0 }),
        cost: 0.0,
    };
    let done = match dispatch {
        Dispatch::Threads => Linked.run(&nothing, Path::new(""), &mut watch).map(drop),
        Dispatch::Processes if load => Program::find()?
            .run(&nothing, Path::new(""), &mut watch)
            .map(drop),
        Dispatch::Processes => Program::find()?.start_only(&mut watch),
    };
    done.map_err(|failure| failure.error)
}
