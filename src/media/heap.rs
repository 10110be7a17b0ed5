//! The memory that this process has from the system.

/// Gives back what nothing here uses, also between pieces that are used.
pub fn give_back() {
    // SAFETY: glibc looks through its own lists, under its own locks.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
}
