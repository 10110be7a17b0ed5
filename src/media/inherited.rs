//! Files that a process was given when it was started.

/// Closes all but the first three.
///
/// # Safety
/// No value of this process owns one of them, or any other file beyond the first three, and is
/// used or dropped later: its number may be that of another file then.
pub(crate) unsafe fn close() {
    // SAFETY: a system call on numbers; the caller vouches for what they stand for.
    #[cfg(target_os = "linux")]
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0);
    }
    #[cfg(not(target_os = "linux"))]
    {
        /// More than whoever starts a program has open, as a rule.
        const MOST: i32 = 1024;
        for file in 3..MOST {
            // SAFETY: as above.
            unsafe { libc::close(file) };
        }
    }
}
