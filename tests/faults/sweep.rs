//! Many faults, on several lanes side by side.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::options::Options;
use crate::plan::{self, Random};
use crate::scene::{Scene, Stock};
use crate::subject::{SUBJECTS, Subject};
use crate::table::Table;
use crate::tree::{Injection, Task};
use crate::trial::{self, Outcome};
use crate::verdict::Reference;

/// A command with its faults.
struct Round {
    subject: &'static Subject,
    injections: Vec<Injection>,
}

/// Runs all faults that `options` ask for.
pub fn run(stock: &Stock, options: &Options) -> io::Result<Table> {
    let mut table = Table::default();
    let mut random = Random::new(options.seed);
    let began = Instant::now();
    let rounds = rounds(stock, options, &mut random)?;
    for (round, number) in rounds.iter().zip(1_u32..) {
        let limit = options.seconds.map(|seconds| {
            let share = f64::from(number) / rounds.len() as f64;
            began + Duration::from_secs(seconds).mul_f64(share)
        });
        let count = round.injections.len();
        eprintln!("{}: {count} faults", round.subject.name);
        if let Err(error) = sweep(stock, options, (round, limit), &mut table) {
            // What was found so far counts.
            table.print();
            return Err(error);
        }
    }
    Ok(table)
}

fn rounds(stock: &Stock, options: &Options, random: &mut Random) -> io::Result<Vec<Round>> {
    if let Some((subject, injection)) = options.only {
        let injections = vec![injection; options.times];
        return Ok(vec![Round {
            subject,
            injections,
        }]);
    }
    let mut rounds = vec![];
    for subject in SUBJECTS
        .iter()
        .filter(|subject| options.takes(subject.name))
    {
        let scene = Scene::new(stock, subject, 0)?;
        let calls = scene.run(Task::Record)?.traced.calls;
        let allocations = trial::allocations(&scene, &stock.alloc)?;
        if options.list {
            list(subject, &calls, allocations);
            continue;
        }
        let mut injections = plan::injections(&calls, allocations, options.most, random);
        injections.retain(|injection| options.takes_class(injection.class.name));
        random.0.shuffle(&mut injections);
        injections.truncate(options.sample.unwrap_or(usize::MAX));
        rounds.push(Round {
            subject,
            injections,
        });
    }
    Ok(rounds)
}

/// Prints the calls of an undisturbed run.
fn list(
    subject: &Subject,
    calls: &[(&'static crate::calls::Class, crate::site::Site)],
    allocations: u64,
) {
    let mut counts = std::collections::BTreeMap::<&str, u64>::new();
    for (class, site) in calls {
        let nth = counts.entry(class.name).or_default();
        *nth += 1;
        println!("{}/{}/…/{nth}: {site}", subject.name, class.name);
    }
    println!(
        "{}: {counts:?}, {allocations} allocations of libav",
        subject.name
    );
}

fn sweep(
    stock: &Stock,
    options: &Options,
    (round, limit): (&Round, Option<Instant>),
    table: &mut Table,
) -> io::Result<()> {
    let work = Mutex::new(round.injections.iter());
    let table = Mutex::new(table);
    std::thread::scope(|scope| {
        let lanes = (0..options.lanes).map(|lane| {
            let (work, table) = (&work, &table);
            scope.spawn(move || {
                let scene = Scene::new(stock, round.subject, lane)?;
                let reference = trial::reference(&scene, round.subject)?;
                loop {
                    if limit.is_some_and(|limit| Instant::now() > limit) {
                        return Ok(());
                    }
                    let next = work.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(injection) = next else {
                        return Ok(());
                    };
                    let outcome = confirmed(stock, &scene, round, &reference, *injection)?;
                    let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
                    report(round.subject, *injection, &outcome, options.verbose);
                    let fault = format!("{} {}", injection.class.name, injection.fault.name());
                    table.add(round.subject.name, &fault, &outcome);
                }
            })
        });
        let lanes: Vec<_> = lanes.collect();
        lanes.into_iter().try_for_each(|lane| {
            lane.join()
                .unwrap_or_else(|_| Err(io::Error::other("a lane panicked")))
        })
    })
}

/// Runs a trial again if it seems to hang: a machine that does other work may stand still, too.
fn confirmed(
    stock: &Stock,
    scene: &Scene,
    round: &Round,
    reference: &Reference,
    injection: Injection,
) -> io::Result<Outcome> {
    let attempt = || trial::run(scene, round.subject, reference, injection, &stock.alloc);
    let mut outcome = attempt()?;
    for _ in 0..2 {
        if !outcome.seems_to_hang() {
            break;
        }
        outcome = attempt()?;
    }
    Ok(outcome)
}

fn report(subject: &Subject, injection: Injection, outcome: &Outcome, verbose: bool) {
    let place = outcome
        .site
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    if verbose {
        println!(
            "{}/{injection} {place}: {:?}: {}",
            subject.name, outcome.end, outcome.printed
        );
    }
    if outcome.wrong.is_empty() {
        return;
    }
    println!("VIOLATION of rushes {}", subject.arguments);
    println!("  fault:   {injection}, {place}");
    for reason in &outcome.wrong {
        println!("  wrong:   {reason}");
    }
    println!("  ended:   {:?}: {}", outcome.end, outcome.printed);
    println!(
        "  repeat:  scripts/faults --only {}/{injection}",
        subject.name
    );
}
