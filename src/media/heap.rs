//! The memory that this process has from the system.

use glibc::{map_from, trim_beyond};

/// Gives back what nothing here uses, also between pieces that are used.
pub fn give_back() {
    // SAFETY: glibc looks through its own lists, under its own locks.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Has memory that was given back kept for what is allocated next, up to `most` bytes, also
/// where pieces are large: else each gets its pages anew.
pub fn keep(most: u64) {
    trim_beyond(most);
    // The most that glibc takes.
    map_from(32 << 20);
}

/// Has the system get pieces of `least` bytes or more as soon as they are given back: where
/// a few threads have many large ones, each thread would keep those that it had.
pub fn give_back_from(least: u64) {
    map_from(least);
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod glibc {
    fn set(option: libc::c_int, bytes: u64) {
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
        // SAFETY: a number for glibc, by which it allocates from now on.
        unsafe { libc::mallopt(option, bytes) };
    }

    pub(super) fn trim_beyond(bytes: u64) {
        set(libc::M_TRIM_THRESHOLD, bytes);
    }

    pub(super) fn map_from(bytes: u64) {
        set(libc::M_MMAP_THRESHOLD, bytes);
    }
}

/// Others decide by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod glibc {
    pub(super) fn trim_beyond(_bytes: u64) {}

    pub(super) fn map_from(_bytes: u64) {}
}
