//! The dispatcher against the fake engine: exact and instant.

use super::*;
use crate::engine::fake::{Fake, Script};
use crate::job::{Load, Work};

fn job(id: usize, cost: f64) -> Job {
    Job {
        id,
        name: format!("job-{id}"),
        work: Work::Load(Load::Io { milliseconds: 0 }),
        cost,
    }
}

fn run(scripts: Vec<Script>, slots: usize, cancel: &Cancel) -> (Vec<Outcome>, Vec<Event>) {
    let jobs: Vec<_> = scripts
        .iter()
        .enumerate()
        .map(|(id, script)| job(id, script.milliseconds as f64))
        .collect();
    let (sender, receiver) = crossbeam_channel::unbounded();
    let outcomes = dispatch(&jobs, &Fake::new(scripts), slots, cancel, &sender).unwrap();
    drop(sender);
    (outcomes, receiver.into_iter().collect())
}

#[test]
fn every_job_has_one_outcome_in_plan_order() {
    let (outcomes, _) = run(vec![Script::done(1); 20], 3, &Cancel::new());
    assert_eq!(
        outcomes
            .iter()
            .map(|outcome| outcome.job)
            .collect::<Vec<_>>(),
        (0..20).collect::<Vec<_>>()
    );
    assert!(outcomes.iter().all(|outcome| outcome.done().is_some()));
}

#[test]
fn the_costliest_job_starts_first() {
    let scripts = [2, 1, 9, 4].map(Script::done).to_vec();
    let (_, events) = run(scripts, 1, &Cancel::new());
    let started: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::JobStarted { job, .. } => Some(*job),
            _ => None,
        })
        .collect();
    assert_eq!(started, [2, 3, 0, 1]);
}

#[test]
fn no_more_jobs_run_at_once_than_there_are_slots() {
    let (outcomes, _) = run(vec![Script::done(5); 12], 3, &Cancel::new());
    let most = outcomes
        .iter()
        .map(|a| {
            outcomes
                .iter()
                .filter(|b| b.start_s <= a.start_s && a.start_s < b.end_s)
                .count()
        })
        .max();
    assert!(most <= Some(3), "{most:?}");
    assert!(outcomes.iter().all(|outcome| outcome.slot < 3));
}

#[test]
fn a_failed_job_fails_alone() {
    let mut scripts = vec![Script::done(1); 5];
    scripts[2] = Script::failing("disk full");
    let (outcomes, _) = run(scripts, 2, &Cancel::new());
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| outcome.done().is_some())
            .count(),
        4
    );
    let Verdict::Failed(failure) = &outcomes[2].verdict else {
        panic!("job 2 should have failed")
    };
    assert_eq!(failure.reason, "disk full");
}

#[test]
fn a_panicking_job_fails_alone() {
    let mut scripts = vec![Script::done(1); 4];
    scripts[1] = Script::panicking();
    let (outcomes, _) = run(scripts, 2, &Cancel::new());
    assert!(matches!(outcomes[1].verdict, Verdict::Failed(_)));
    assert_eq!(
        outcomes
            .iter()
            .filter(|outcome| outcome.done().is_some())
            .count(),
        3
    );
}

#[test]
fn cancelling_stops_running_jobs_and_starts_no_waiting_ones() {
    let cancel = Cancel::new();
    let trigger = cancel.clone();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        trigger.set();
    });
    let began = Instant::now();
    let (outcomes, events) = run(vec![Script::done(60_000); 6], 2, &cancel);
    stopper.join().unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "running jobs were not stopped"
    );
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.verdict == Verdict::Cancelled)
    );
    assert_eq!(
        events
            .iter()
            .filter(|event| matches!(event, Event::JobStarted { .. }))
            .count(),
        2
    );
}
