//! Memory of a process and all its descendants.
//!
//! The proportional set size counts a page that k processes share as 1/k in
//! each, so that the sum over a family counts every page once (Linux,
//! `Documentation/filesystems/proc.rst`, `smaps_rollup`).

/// Proportional set size in bytes of process `root` and its descendants; 0 where it cannot be read.
#[cfg(target_os = "linux")]
pub fn family_bytes(root: u32) -> u64 {
    let mut family = vec![root];
    let mut bytes = 0;
    while let Some(process) = family.pop() {
        bytes += proportional_bytes(process).unwrap_or(0);
        family.extend(children(process));
    }
    bytes
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
pub fn family_bytes(_root: u32) -> u64 {
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
}
