//! What runs here runs no sooner than what else runs on the machine.

/// Gives up the right to, for this process and all that it starts. Run as root, SVT-AV1
/// puts itself and the thread that opens it before everything else (`SCHED_FIFO`, 99),
/// whose threads and processes inherit that: two of them that wait for a third one
/// hold a machine of two cores for ever.
///
/// Where it is not allowed to give it up, it has no such right, either.
#[cfg(target_os = "linux")]
pub fn stay_usual() {
    use caps::{CapSet, Capability};

    for set in [CapSet::Bounding, CapSet::Effective, CapSet::Permitted] {
        let _ = caps::drop(None, set, Capability::CAP_SYS_NICE);
    }
}

/// Elsewhere nothing is known to do so.
#[cfg(not(target_os = "linux"))]
pub fn stay_usual() {}
