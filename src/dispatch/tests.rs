//! The dispatcher against the fake engine: exact and instant.

use super::*;
use crate::engine::fake::{Fake, Script};
use crate::job::{Load, MediaJob, Ratio, Work};
use crate::media::verify::Depth;
use crate::recipe::{Choose, EncoderSpec, Pipeline, Product, Sink, Track, VideoWay, Way};

pub(super) fn job(id: usize, cost: f64) -> Job {
    Job {
        id,
        name: format!("job-{id}"),
        work: Work::Load(Load::Io { milliseconds: 0 }),
        cost,
        kind: String::new(),
    }
}

/// A film of so many seconds that is encoded; with an option, such as a bit rate.
pub(super) fn film(seconds: f64, option: Option<&str>) -> Job {
    let option = option.map(|name| (name.to_owned(), "1000000".to_owned()));
    let spec = |name: &str| EncoderSpec {
        name: name.into(),
        options: option.into_iter().collect(),
        qscale: None,
        width: None,
    };
    let way = VideoWay {
        orient: String::new(),
        decoder: None,
        choose: Choose::All,
        filter: "format=yuv420p".into(),
        encoder: spec("libx264"),
        time_base: Ratio::new(1, 25),
        frame_s: 0.04,
        rate: None,
        colours: Default::default(),
    };
    let product = Product {
        tracks: vec![Track::new(0, Way::Video(way))],
        sink: Sink::File {
            muxer: "mp4".into(),
            options: vec![],
        },
        dropped: vec![],
        kept: None,
        notes: vec![],
    };
    let media = MediaJob {
        source: "film.mp4".into(),
        targets: vec!["made.mp4".into()],
        pipeline: Pipeline {
            input_format: "mov".into(),
            starts_late: false,
            generate_pts: false,
            untimed: vec![],
            key_frames_only: false,
            tags: vec![],
            tags_stream: None,
            chapters: 0,
            products: vec![product],
            codec_threads: 1,
        },
        duration_s: Some(seconds),
        claimed_s: None,
        verify: Depth::default(),
        source_bytes: 0,
        overwrite: vec![],
        replace: false,
    };
    job(0, 1.0).with(media)
}

fn run(scripts: Vec<Script>, slots: usize, cancel: &Cancel) -> (Vec<Outcome>, Vec<Event>) {
    run_on(scripts, &Terms::on(slots), cancel)
}

fn run_on(scripts: Vec<Script>, terms: &Terms, cancel: &Cancel) -> (Vec<Outcome>, Vec<Event>) {
    let jobs: Vec<_> = scripts
        .iter()
        .enumerate()
        .map(|(id, script)| job(id, script.milliseconds as f64))
        .collect();
    let (sender, receiver) = crossbeam_channel::unbounded();
    let outcomes = dispatch_all(
        &jobs,
        &Fake::new(scripts),
        terms,
        cancel,
        &sender,
        &|outcome| outcome,
    )
    .unwrap();
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
    assert_eq!(started(&events), [2, 3, 0, 1]);
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

/// The jobs that got a slot, in the order in which they did.
fn started(events: &[Event]) -> Vec<usize> {
    let started = events.iter().filter_map(|event| match event {
        Event::JobStarted { job, .. } => Some(*job),
        _ => None,
    });
    started.collect()
}

#[test]
fn after_a_failure_nothing_new_starts_where_that_was_asked_for_and_each_job_is_told_of() {
    let mut scripts = [2, 1, 0, 0, 0].map(Script::done).to_vec();
    scripts[1] = Script::failing("disk full");
    scripts[1].milliseconds = 1;
    let terms = Terms {
        on_error: OnError::Stop,
        ..Terms::on(1)
    };
    let cancel = Cancel::new();
    let (outcomes, events) = run_on(scripts, &terms, &cancel);
    assert_eq!(started(&events), [0, 1]);
    assert!(matches!(outcomes[1].verdict, Verdict::Failed(_)));
    assert_eq!(outcomes.len(), 5);
    let mut not_started = outcomes.iter().skip(2).map(|outcome| &outcome.verdict);
    assert!(not_started.all(|verdict| *verdict == Verdict::Cancelled));
    assert!(!cancel.is_set(), "a failure is no interrupt");
}

#[test]
fn a_job_that_runs_while_another_fails_is_finished() {
    let scripts = vec![
        Script::done(300),
        Script::failing("disk full"),
        Script::done(0),
    ];
    let terms = Terms {
        on_error: OnError::Stop,
        ..Terms::on(2)
    };
    let (outcomes, _) = run_on(scripts, &terms, &Cancel::new());
    assert!(outcomes[0].done().is_some(), "{outcomes:?}");
    assert_eq!(outcomes[2].verdict, Verdict::Cancelled);
}

#[test]
fn a_job_that_comes_later_runs_on_an_idle_slot_while_another_runs() {
    let engine = Fake::new(vec![Script::done(600_000), Script::done(0)]);
    let (events, told) = crossbeam_channel::unbounded();
    let (cancel, queue) = (Cancel::new(), Queue::open());
    assert!(queue.push(job(0, 1.0), &events));
    let ended = Mutex::new(Vec::new());
    let keep = |outcome: Outcome| {
        let ended_so = (outcome.job, outcome.verdict.clone());
        ended.lock().unwrap().push(ended_so);
        outcome
    };
    std::thread::scope(|scope| {
        scope.spawn(|| dispatch(&queue, &engine, &Terms::on(2), &cancel, &events, &keep).unwrap());
        let mut seen = Vec::new();
        while started(&seen).is_empty() {
            seen.push(told.recv().unwrap());
        }
        assert!(queue.push(job(1, 1.0), &events));
        loop {
            match told.recv().unwrap() {
                Event::JobFinished { outcome, .. } => {
                    assert_eq!(outcome.job, 1, "the long one is still running");
                    break;
                }
                event => seen.push(event),
            }
        }
        assert!(
            matches!(
                seen[0],
                Event::BatchStarted {
                    jobs: 1,
                    slots: 2,
                    ..
                }
            ),
            "{seen:?}"
        );
        let added = |event: &Event| matches!(event, Event::JobAdded { job: 1, .. });
        assert!(seen.iter().any(added), "{seen:?}");
        cancel.set();
    });
    let ended = ended.into_inner().unwrap();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[1], (0, Verdict::Cancelled));
}
