//! Memory of a process and all its descendants.
//!
//! The proportional set size counts a page that k processes share as 1/k in
//! each, so that the sum over a family counts every page once (Linux,
//! `Documentation/filesystems/proc.rst`, `smaps_rollup`).

use std::time::{Duration, Instant};

/// What looking may take of the time that passes. A proportional size takes a
/// millisecond or two, as the kernel walks all of a process's pages for it.
const LOOKING: f64 = 0.004;

/// How much more must be resident, or how many more processes there must be,
/// until proportional sizes are read again.
const GROWN: f64 = 1.2;

/// Process and descendants, whose peak is looked for.
///
/// Each look sums up resident sizes, which the kernel keeps at hand; proportional
/// ones are read only once those have grown. What comes in between is taken to
/// be of each process alone, as memory that is worked with is.
pub struct Peak {
    root: u32,
    began: Instant,
    spent: Duration,
    /// What the last reading was of.
    base: Sizes,
    proportional: u64,
    /// The most that was resident since, in as many processes.
    resident: u64,
    peak: u64,
}

/// What is seen at one look.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sizes {
    processes: usize,
    resident: u64,
}

impl Peak {
    /// Of process `root`, which was just started.
    pub fn of(root: u32) -> Self {
        Self {
            root,
            began: Instant::now(),
            spent: Duration::ZERO,
            base: Sizes::default(),
            proportional: 0,
            resident: 0,
            peak: 0,
        }
    }

    /// Looks once.
    pub fn look(&mut self) {
        let began = Instant::now();
        self.look_at_sizes();
        self.spent += began.elapsed();
    }

    /// Time until another look costs no more than it may.
    pub fn rest(&self) -> Duration {
        let due = self.spent.div_f64(LOOKING);
        due.saturating_sub(self.began.elapsed())
    }

    fn look_at_sizes(&mut self) {
        let seen = sizes(self.root);
        if seen.processes == self.base.processes {
            self.resident = self.resident.max(seen.resident);
        }
        let grown = seen.processes > self.base.processes
            || seen.resident as f64 > GROWN * self.base.resident as f64;
        if grown && self.rest().is_zero() {
            self.read(seen);
        }
    }

    fn read(&mut self, seen: Sizes) {
        let proportional = family_bytes(self.root);
        // It may have ended in between.
        if proportional > 0 {
            (self.base, self.resident) = (seen, seen.resident);
            self.proportional = proportional;
            self.peak = self.peak.max(proportional);
        }
    }

    /// The highest size so far in bytes; 0 where none could be read.
    pub fn bytes(&self) -> u64 {
        let since = self.resident.saturating_sub(self.base.resident);
        self.peak.max(self.proportional + since)
    }
}

/// All processes of the family of `root`.
fn family(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    while let Some(process) = found.get(next) {
        let more = children(*process);
        found.extend(more);
        next += 1;
    }
    found
}

fn sizes(root: u32) -> Sizes {
    let page = rustix::param::page_size() as u64;
    let family = family(root).into_iter();
    family
        .filter_map(resident_pages)
        .fold(Sizes::default(), |sum, pages| Sizes {
            processes: sum.processes + 1,
            resident: sum.resident + pages * page,
        })
}

/// The second number of `statm`.
fn resident_pages(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    text.split_whitespace().nth(1)?.parse().ok()
}

/// Proportional set size in bytes of process `root` and its descendants; 0 where it cannot be read.
#[cfg(target_os = "linux")]
fn family_bytes(root: u32) -> u64 {
    let family = family(root).into_iter();
    family.filter_map(proportional_bytes).sum()
}

#[cfg(target_os = "linux")]
fn proportional_bytes(process: u32) -> Option<u64> {
    use procfs_core::FromRead;
    let rollup =
        procfs_core::process::SmapsRollup::from_file(format!("/proc/{process}/smaps_rollup"))
            .ok()?;
    rollup
        .memory_map_rollup
        .iter()
        .find_map(|map| map.extension.map.get("Pss").copied())
}

/// The child of `process` that has used most CPU time; `None` where it has none,
/// or the system does not tell.
pub fn busiest_child(process: u32) -> Option<u32> {
    children(process)
        .into_iter()
        .max_by_key(|child| ticks(*child).unwrap_or(0))
}

/// CPU time in ticks: fields 14 and 15, after a name in brackets that may hold anything.
fn ticks(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    let mut times = rest.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (times.next()?.parse().ok()?, times.next()?.parse().ok()?);
    Some(user + system)
}

fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return vec![];
    };
    threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|id| id.parse().ok())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Not known on this system.
#[cfg(not(target_os = "linux"))]
fn family_bytes(_root: u32) -> u64 {
    0
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn memory_of_this_process_is_seen_and_grows_with_what_it_touches() {
        let before = family_bytes(std::process::id());
        let touched = std::hint::black_box(vec![1_u8; 64 << 20]);
        let after = family_bytes(std::process::id());
        assert!(before > 1 << 20, "{before}");
        assert!(after >= before + (32 << 20), "{before} → {after}");
        drop(touched);
    }

    #[test]
    fn the_peak_of_a_process_holds_what_came_and_went_between_readings() {
        let mut peak = Peak::of(std::process::id());
        peak.look();
        let before = peak.bytes();
        assert!(before > 1 << 20, "{before}");
        // It has spent its time on the first reading, and will not read again at once.
        peak.spent = Duration::from_secs(1000);
        let touched = std::hint::black_box(vec![1_u8; 64 << 20]);
        peak.look();
        drop(touched);
        peak.look();
        let after = peak.bytes();
        assert!(after >= before + (32 << 20), "{before} → {after}");
    }
}
