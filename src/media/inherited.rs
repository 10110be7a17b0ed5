//! Files that a process was given when it was started.

/// Closes all but the first three; to be called before any is opened.
pub fn close() {
    // SAFETY: a system call on numbers; what it closes was inherited and is nobody's here.
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
