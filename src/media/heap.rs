//! The memory that this process has from the system.

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
    // SAFETY: numbers for glibc, which allocates by them from now on.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(
            libc::M_TRIM_THRESHOLD,
            i32::try_from(most).unwrap_or(i32::MAX),
        );
        // The most that it takes.
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = most;
}

/// Has the system get pieces of `least` bytes or more as soon as they are given back: where
/// a few threads have many large ones, each thread would keep those that it had.
pub fn give_back_from(least: u64) {
    // SAFETY: as above.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::mallopt(
            libc::M_MMAP_THRESHOLD,
            i32::try_from(least).unwrap_or(i32::MAX),
        );
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = least;
}
