//! One fault, and all checks after it.

use std::fs;
use std::io;
use std::path::Path;

use crate::calls::Fault;
use crate::scene::{Ran, Scene};
use crate::site::Site;
use crate::snapshot::Snapshot;
use crate::subject::Subject;
use crate::tree::{End, Injection, Task};
use crate::verdict::{self, Fallen, Reference};

/// What came of one fault.
pub struct Outcome {
    /// The run has the call.
    pub hit: bool,
    pub site: Option<Site>,
    pub end: End,
    /// What is wrong; empty if nothing is.
    pub wrong: Vec<String>,
    /// The end of what the disturbed run printed.
    pub printed: String,
}

impl Outcome {
    pub fn seems_to_hang(&self) -> bool {
        let mut wrong = self.wrong.iter();
        wrong.any(|reason| reason.contains("hangs: ") || reason.contains("processes run on: "))
    }
}

/// Runs the command undisturbed.
pub fn reference(scene: &Scene, subject: &Subject) -> io::Result<Reference> {
    scene.reset()?;
    let before = Snapshot::of(&scene.folder())?;
    for time in ["first", "second"] {
        let ran = scene.run_freely(|_| ())?;
        if ran.traced.end != End::Code(0) {
            let printed = format!("{}: the {time} run fails: {}", subject.name, ran.stderr);
            return Err(io::Error::other(printed));
        }
    }
    Ok(Reference::new(before, Snapshot::of(&scene.folder())?))
}

/// Counts the allocations of an undisturbed run.
pub fn allocations(scene: &Scene, library: &Path) -> io::Result<u64> {
    scene.reset()?;
    run_out_of_memory(scene, library, 0).map(|(_, count, _)| count)
}

/// Runs the command with one fault, and again without.
pub fn run(
    scene: &Scene,
    subject: &Subject,
    reference: &Reference,
    injection: Injection,
    library: &Path,
) -> io::Result<Outcome> {
    scene.reset()?;
    let (ran, hit) = if injection.fault == Fault::NoMemory {
        let (ran, _, failed) = run_out_of_memory(scene, library, injection.nth)?;
        (ran, failed > 0)
    } else {
        let ran = scene.run(Task::Inject(injection))?;
        let hit = ran.traced.hit.is_some();
        (ran, hit)
    };
    let fallen = Fallen {
        class: injection.class,
        fault: injection.fault,
    };
    let seen = Snapshot::of(&scene.folder())?;
    let mut wrong = verdict::after_fault(reference, subject, &fallen, &ran, &seen)?;
    let is_settled =
        verdict::is_settled(reference, &ran, &seen) && !injection.nth.is_multiple_of(4);
    if verdict::leaves_out(&fallen, &ran) || is_settled && wrong.is_empty() {
        return Ok(outcome(ran, hit, wrong));
    }
    let second = scene.run_freely(|_| ())?;
    let seen = Snapshot::of(&scene.folder())?;
    let again = verdict::after_second(reference, &second, &seen)?;
    wrong.extend(
        again
            .into_iter()
            .map(|reason| format!("the next run: {reason}")),
    );
    Ok(outcome(ran, hit, wrong))
}

fn outcome(ran: Ran, hit: bool, wrong: Vec<String>) -> Outcome {
    Outcome {
        hit,
        site: ran.traced.hit,
        end: ran.traced.end,
        wrong,
        printed: verdict::last_lines(&ran.stderr),
    }
}

/// Has the `nth` allocation fail; with the run, all allocations and those that failed.
fn run_out_of_memory(scene: &Scene, library: &Path, nth: u64) -> io::Result<(Ran, u64, u64)> {
    let counter = scene.beside("counter");
    fs::write(&counter, [0; 16])?;
    let ran = scene.run_freely(|command| {
        command
            .env("LD_PRELOAD", library)
            .env("FAULTS_COUNTER", &counter)
            .env("FAULTS_NTH", nth.to_string());
    })?;
    let bytes = fs::read(&counter)?;
    let number = |at: usize| {
        let bytes = bytes
            .get(at..at + 8)
            .and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_le_bytes)
    };
    Ok((ran, number(0), number(8)))
}
