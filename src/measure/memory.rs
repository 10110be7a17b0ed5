//! Memory of a process and all its descendants.
//!
//! The proportional set size counts a page that k processes share as 1/k in
//! each, so that the sum over a family counts every page once (Linux,
//! `Documentation/filesystems/proc.rst`, `smaps_rollup`).

use std::time::{Duration, Instant};

/// What looking may take of the time that passes. A proportional size takes a
/// millisecond or two, as the kernel walks all of a process's pages for it.
const LOOKING: f64 = 0.004;

/// How much more must be in memory of files until proportional sizes are read again.
const GROWN: f64 = 1.2;

/// Process and descendants, whose peak is looked for.
///
/// What a process has for itself is all its own, and the kernel keeps the number
/// at hand: each look sums it up. Only of pages of files, which are the programs
/// and libraries and change little, the family's share must be read.
pub struct Peak {
    root: u32,
    began: Instant,
    spent: Duration,
    /// The most that the processes had for themselves at one look.
    own: u64,
    /// The share of pages of files when it was read last, and what was seen then.
    share: Option<(u64, Sizes)>,
    /// The most pages of files that one process had.
    files: u64,
}

/// What is seen at one look, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sizes {
    processes: usize,
    /// What all have for themselves.
    own: u64,
    /// Pages of files of the process that has most of them.
    files: u64,
}

impl Peak {
    /// Of process `root`, which was just started.
    pub fn of(root: u32) -> Self {
        Self {
            root,
            began: Instant::now(),
            spent: Duration::ZERO,
            own: 0,
            share: None,
            files: 0,
        }
    }

    /// Looks once.
    pub fn look(&mut self) {
        let began = Instant::now();
        let seen = sizes(self.root);
        self.own = self.own.max(seen.own);
        self.files = self.files.max(seen.files);
        if seen.processes > 0 && self.is_new(seen) && self.rest().is_zero() {
            self.read(seen);
        }
        self.spent += began.elapsed();
    }

    /// Time until another look costs no more than it may.
    pub fn rest(&self) -> Duration {
        let due = self.spent.div_f64(LOOKING);
        due.saturating_sub(self.began.elapsed())
    }

    fn is_new(&self, seen: Sizes) -> bool {
        self.share.is_none_or(|(_, then)| {
            seen.processes > then.processes || seen.files as f64 > GROWN * then.files as f64
        })
    }

    fn read(&mut self, seen: Sizes) {
        let proportional = family_bytes(self.root);
        // It may have ended in between.
        if proportional > seen.own {
            self.share = Some((proportional - seen.own, seen));
        }
    }

    /// The highest size so far in bytes; 0 where none could be read.
    pub fn bytes(&self) -> u64 {
        let share = match self.share {
            // Pages that came since then are taken to be shared as those before.
            Some((share, then)) if then.files > 0 => {
                (share as f64 * (self.files as f64 / then.files as f64)) as u64
            }
            _ => self.files,
        };
        self.own + share
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
    let pages = family.filter_map(resident_pages);
    pages.fold(Sizes::default(), |sum, [resident, files]| Sizes {
        processes: sum.processes + 1,
        own: sum.own + resident.saturating_sub(files) * page,
        files: sum.files.max(files * page),
    })
}

/// The second and third number of `statm`: pages in memory, and those of them that are of files.
fn resident_pages(process: u32) -> Option<[u64; 2]> {
    let text = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    let mut numbers = text.split_whitespace().skip(1);
    let mut number = || numbers.next()?.parse().ok();
    Some([number()?, number()?])
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
        // Other tests of this process may give back as much in between.
        let grows = || {
            let before = family_bytes(std::process::id());
            let touched = std::hint::black_box(vec![1_u8; 64 << 20]);
            let after = family_bytes(std::process::id());
            drop(touched);
            assert!(before > 1 << 20, "{before}");
            after >= before + (32 << 20)
        };
        assert!((0..20).any(|_| grows()));
    }

    #[test]
    fn the_peak_holds_what_came_and_went() {
        use std::process::{Command, Stdio};
        // `tail` keeps all of it, and gives it back at its end.
        let mut child = Command::new("sh")
            .args([
                "-c",
                "head -c 67108864 /dev/zero | tail -c 67108864 | cksum",
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let mut peak = Peak::of(child.id());
        while child.try_wait().unwrap().is_none() {
            peak.look();
            std::thread::sleep(Duration::from_millis(1));
        }
        peak.look();
        assert!(peak.bytes() >= 48 << 20, "{}", peak.bytes());
    }

    #[test]
    fn what_is_summed_up_is_what_the_kernel_counts_of_a_family() {
        use std::process::{Command, Stdio};
        // A shell that waits for two others: three processes with the same pages of files.
        let mut child = Command::new("sh")
            .args([
                "-c",
                "exec 3<&0; sh -c 'read a' <&3 & sh -c 'read a' <&3 & wait",
            ])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while family(child.id()).len() < 3 && began.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let mut peak = Peak::of(child.id());
        peak.look();
        let (found, counted) = (peak.bytes(), family_bytes(child.id()));
        drop(child.stdin.take());
        let _ = child.wait();
        assert!(counted > 0);
        assert!(found.abs_diff(counted) * 4 <= counted, "{found}, {counted}");
    }
}
