//! Which calls fail.
//!
//! Where a class has more calls than are to fail, each place in the program gets its turn
//! before any place gets a second one: thousands of calls only load shared libraries.

use std::collections::BTreeMap;

use crate::calls::{CLASSES, Class, MEMORY_OF_LIBAV};
use crate::site::Site;
use crate::tree::Injection;

/// Pseudo-random numbers that are the same for the same seed.
pub struct Random(pub fastrand::Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }
}

/// At most `most` injections for each class and fault of a run with these calls.
pub fn injections(
    calls: &[(&'static Class, Site)],
    allocations: u64,
    most: usize,
    random: &mut Random,
) -> Vec<Injection> {
    let mut all = vec![];
    for class in CLASSES {
        let places = match class.name {
            MEMORY_OF_LIBAV => vec![(1..=allocations).collect()],
            _ => places(calls, class),
        };
        for fault in class.faults {
            let chosen = choose(places.clone(), most, random);
            all.extend(chosen.into_iter().map(|nth| Injection {
                class,
                fault: *fault,
                nth,
            }));
        }
    }
    all
}

/// The numbers of the calls of `class`, by place.
fn places(calls: &[(&'static Class, Site)], class: &Class) -> Vec<Vec<u64>> {
    let mut places = BTreeMap::<String, Vec<u64>>::new();
    let sites = calls.iter().filter(|(known, _)| known.name == class.name);
    for ((_, site), nth) in sites.zip(1..) {
        places.entry(site.key()).or_default().push(nth);
    }
    places.into_values().collect()
}

/// Takes a random call of each place in turn, until `most` are taken.
fn choose(mut places: Vec<Vec<u64>>, most: usize, random: &mut Random) -> Vec<u64> {
    let mut chosen = vec![];
    random.0.shuffle(&mut places);
    while chosen.len() < most && !places.is_empty() {
        for place in &mut places {
            if chosen.len() < most {
                chosen.push(place.swap_remove(random.0.usize(..place.len())));
            }
        }
        places.retain(|place| !place.is_empty());
    }
    chosen.sort_unstable();
    chosen
}
