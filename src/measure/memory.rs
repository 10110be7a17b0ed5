//! Memory of a process and all its descendants.
//!
//! The proportional set size counts a page that k processes share as 1/k in
//! each, so that the sum over a family counts every page once (Linux,
//! `Documentation/filesystems/proc.rst`, `smaps_rollup`).

#[cfg(target_os = "linux")]
use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// What looking may take of the time that passes. A proportional size takes a
/// millisecond or two, as the kernel walks all of a process's pages for it.
const LOOKING: f64 = 0.0025;

/// Until then a family is only starting: what its processes share is not yet
/// what they will share, and to read it would be in vain.
const STARTING: Duration = Duration::from_millis(50);

/// How much more must be in memory of files until proportional sizes are read again.
const GROWN: f64 = 1.2;

/// Process and descendants, whose peak is looked for.
///
/// The kernel keeps at hand what a process has of memory that is of no file: each look sums
/// that up. What of it several share, as copies of one process do, and the family's share of
/// pages of files, which are the programs and libraries, change little and must be read.
pub struct Peak {
    root: u32,
    began: Instant,
    spent: Duration,
    /// The most that is of no file at one look, what is shared counted in each.
    own: u64,
    /// What was read last of what is shared, and what was seen then.
    read: Option<(Shares, Sizes)>,
    /// The most pages of files that one process had.
    files: u64,
}

/// What is seen at one look, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sizes {
    processes: usize,
    /// What all have that is of no file.
    own: u64,
    /// Pages of files of the process that has most of them.
    files: u64,
}

/// What is shared, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Shares {
    /// What is of no file and counted too often, where each process counts all that it has.
    twice: u64,
    /// Proportional size of pages of files.
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
            read: None,
            files: 0,
        }
    }

    /// Looks once.
    pub fn look(&mut self) {
        let began = Instant::now();
        let seen = sizes(self.root);
        self.own = self.own.max(seen.own);
        self.files = self.files.max(seen.files);
        let may_read = began - self.began >= STARTING && self.rest().is_zero();
        if seen.processes > 0 && may_read && self.is_new(seen) {
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
        let has_grown = |now: u64, then: u64| now as f64 > GROWN * then as f64;
        self.read.is_none_or(|(_, then)| {
            seen.processes > then.processes
                || has_grown(seen.files, then.files)
                || has_grown(seen.own, then.own)
        })
    }

    fn read(&mut self, seen: Sizes) {
        let shares = family_shares(self.root);
        // It may have ended in between.
        if shares.files > 0 {
            self.read = Some((shares, seen));
        }
    }

    /// The highest size so far in bytes; 0 where none could be read.
    pub fn bytes(&self) -> u64 {
        match self.read {
            // Pages of files that came since then are taken to be shared as those before.
            Some((shares, then)) if then.files > 0 => {
                let files = shares.files as f64 * (self.files as f64 / then.files as f64);
                self.own.saturating_sub(shares.twice) + files as u64
            }
            _ => self.own + self.files,
        }
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

/// What process `root` and its descendants share; 0 where it cannot be read. Those of one
/// name do the same with the same libraries: one of them is read for all, since the
/// kernel walks all pages of each that is.
#[cfg(target_os = "linux")]
fn family_shares(root: u32) -> Shares {
    let mut alike: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for process in family(root) {
        // It may have ended in between.
        if let Ok(name) = std::fs::read_to_string(format!("/proc/{process}/comm")) {
            alike.entry(name).or_default().push(process);
        }
    }
    let of_all = |processes: &Vec<u32>| {
        let one = processes.iter().copied().find_map(shares)?;
        let count = processes.len() as u64;
        Some(Shares {
            twice: count * one.twice,
            files: count * one.files,
        })
    };
    let shares = alike.values().filter_map(of_all);
    shares.fold(Shares::default(), |sum, some| Shares {
        twice: sum.twice + some.twice,
        files: sum.files + some.files,
    })
}

#[cfg(target_os = "linux")]
fn shares(process: u32) -> Option<Shares> {
    let sizes = rollup(process)?;
    let size = |name: &str| sizes.get(name).copied();
    let own = size("Anonymous")?;
    // Before Linux 5.4 it is not told apart, and taken to be each one's own.
    let proportional = size("Pss_Anon").unwrap_or(own);
    Some(Shares {
        twice: own.saturating_sub(proportional),
        files: size("Pss")?.saturating_sub(proportional),
    })
}

/// What the kernel sums up of all mappings of a process, in bytes by name.
#[cfg(target_os = "linux")]
fn rollup(process: u32) -> Option<HashMap<String, u64>> {
    use procfs_core::FromRead;
    let rollup =
        procfs_core::process::SmapsRollup::from_file(format!("/proc/{process}/smaps_rollup"))
            .ok()?;
    Some(rollup.memory_map_rollup.0.first()?.extension.map.clone())
}

/// Not known on this system.
#[cfg(not(target_os = "linux"))]
fn family_shares(_root: u32) -> Shares {
    Shares::default()
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// What the kernel counts, of each process by itself.
    fn family_bytes(root: u32) -> u64 {
        let sizes = family(root).into_iter().filter_map(rollup);
        sizes.filter_map(|sizes| sizes.get("Pss").copied()).sum()
    }

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
    fn what_copies_of_a_process_share_counts_once() {
        use std::process::{Command, Stdio};
        // A shell with sixteen megabytes and two copies of it.
        let script = "x=$(head -c 16777216 /dev/zero | tr '\\0' x); exec 3<&0; \
                      (read a <&3; echo \"${#x}\") & (read a <&3; echo \"${#x}\") & wait";
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        let is_seen = || {
            let seen = sizes(child.id());
            seen.processes == 3 && seen.own > 48 << 20
        };
        while !is_seen() && began.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(is_seen());
        let mut peak = Peak::of(child.id());
        std::thread::sleep(STARTING);
        peak.look();
        let counted = family_bytes(child.id());
        drop(child.stdin.take());
        let _ = child.wait();
        assert!(peak.bytes() < 48 << 20, "{}", peak.bytes());
        assert!(peak.bytes().abs_diff(counted) * 4 <= counted);
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
        std::thread::sleep(STARTING);
        peak.look();
        let (found, counted) = (peak.bytes(), family_bytes(child.id()));
        drop(child.stdin.take());
        let _ = child.wait();
        assert!(counted > 0);
        assert!(found.abs_diff(counted) * 4 <= counted, "{found}, {counted}");
    }
}
