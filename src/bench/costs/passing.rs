//! What it takes to pass a decoded frame to another worker: within a process
//! its address goes, to another process all of its bytes.

use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::time::Instant;

use crate::bench::cell::{self, Spec};
use crate::bench::results::Dispatch;
use crate::bench::stats::median;
use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// 1280×720 with 8 bits of luma, and of chroma for every fourth pixel.
const FRAME: usize = 1280 * 720 * 3 / 2;

const TRIALS: usize = 60;

/// Median microseconds from handing a frame over until its arrival is known.
pub(super) fn frame_us(dispatch: Dispatch, cancel: &Cancel) -> Result<f64> {
    if cancel.is_set() {
        return Err(Error::interrupted());
    }
    let trials = match dispatch {
        Dispatch::Threads => between_threads(),
        Dispatch::Processes => between_processes(false),
        Dispatch::Workers => between_processes(true),
    };
    median(&trials?).ok_or_else(|| lost("none arrived"))
}

fn lost(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::failed("cannot pass a frame").because(error)
}

fn between_threads() -> Result<Vec<f64>> {
    let (give, take) = crossbeam_channel::bounded::<Vec<u8>>(1);
    let (answer, answers) = crossbeam_channel::bounded(1);
    let other = std::thread::Builder::new().name("taker".into());
    let other = other
        .spawn(move || {
            for frame in take {
                if answer.send(frame).is_err() {
                    return;
                }
            }
        })
        .map_err(lost)?;
    let mut frame = vec![1; FRAME];
    let mut trials = Vec::with_capacity(TRIALS);
    for _ in 0..TRIALS {
        let began = Instant::now();
        give.send(frame).map_err(lost)?;
        frame = answers.recv().map_err(lost)?;
        trials.push(microseconds(began));
    }
    drop(give);
    let _ = other.join();
    Ok(trials)
}

/// Through a pipe, as to an `ffmpeg`, or through a socket, as to a worker.
fn between_processes(by_socket: bool) -> Result<Vec<f64>> {
    let mut spec = Spec::of(Dispatch::Threads, 1, vec![]);
    spec.take_frames_of = Some(FRAME);
    let mut command = cell::command(&spec)?;
    command.stdout(Stdio::piped());
    let (mut child, mut give): (Child, Box<dyn Write>) = if by_socket {
        let (own, other) = UnixStream::pair().map_err(lost)?;
        command.stdin(OwnedFd::from(other));
        (command.spawn().map_err(lost)?, Box::new(own))
    } else {
        command.stdin(Stdio::piped());
        let mut child = command.spawn().map_err(lost)?;
        let stdin = child.stdin.take().ok_or_else(|| lost("no pipe"))?;
        (child, Box::new(stdin))
    };
    // The command holds the other end of the socket, and must not keep it open.
    drop(command);
    let trials = pass(give.as_mut(), &mut child, &cell::line(&spec)?);
    drop(give);
    let _ = child.wait();
    trials
}

fn pass(give: &mut dyn Write, child: &mut Child, line: &[u8]) -> Result<Vec<f64>> {
    let mut answers = child.stdout.take().ok_or_else(|| lost("no pipe"))?;
    give.write_all(line).map_err(lost)?;
    let frame = vec![1; FRAME];
    let mut trials = Vec::with_capacity(TRIALS);
    for _ in 0..TRIALS {
        let began = Instant::now();
        give.write_all(&frame).map_err(lost)?;
        answers.read_exact(&mut [0]).map_err(lost)?;
        trials.push(microseconds(began));
    }
    // The first one waited for the process to come up.
    trials.remove(0);
    Ok(trials)
}

fn microseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e6
}
