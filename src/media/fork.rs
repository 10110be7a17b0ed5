//! One piece of work in a process of its own: a copy of this one.
//!
//! It begins with libav loaded and set up, ends with its work, and whatever it
//! breaks ends with it.

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

/// The exit code of work that panicked, as Rust's own.
const PANICKED: i32 = 101;

/// A process that does one piece of work.
pub struct Forked {
    pid: Pid,
    /// What it writes; ends when it does.
    pub output: PipeReader,
}

/// Starts `work` in a copy of this process. It has no open files but the first
/// three and the pipe that it is given, and ends with the code that it returns.
///
/// # Errors
/// Where the system refuses, or this process has other threads: those would be
/// missing in the copy, with whatever locks they hold.
pub fn fork(work: impl FnOnce(PipeWriter) -> i32) -> io::Result<Forked> {
    if !is_alone() {
        return Err(io::Error::other("there are other threads"));
    }
    let (output, input) = io::pipe()?;
    // SAFETY: there is no other thread, so that the copy finds no lock held and
    // nothing half-changed.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            close_all_but(input.as_raw_fd());
            // Nothing of the copied stack may be unwound into.
            let ended = catch_unwind(AssertUnwindSafe(|| work(input)));
            // SAFETY: ends this process at once; files of the original, which
            // are closed here, are owned by nobody who could still use them.
            unsafe { libc::_exit(ended.unwrap_or(PANICKED)) }
        }
        pid => Pid::from_raw(pid)
            .map(|pid| Forked { pid, output })
            .ok_or_else(|| io::Error::other("no process id")),
    }
}

impl Forked {
    /// Waits for its end.
    ///
    /// # Errors
    /// Where there is no such process any more.
    pub fn wait(self) -> io::Result<WaitStatus> {
        loop {
            match waitpid(Some(self.pid), WaitOptions::empty()) {
                Ok(Some((_, status))) => return Ok(status),
                Ok(None) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Closes what this process inherited besides its first three files; to be
/// called before it opens any.
pub fn close_inherited() {
    close_range(3, libc::c_uint::MAX);
}

fn close_all_but(kept: i32) {
    let kept = kept.unsigned_abs();
    if kept > 3 {
        close_range(3, kept - 1);
    }
    close_range(kept.max(2) + 1, libc::c_uint::MAX);
}

#[cfg(target_os = "linux")]
fn close_range(first: libc::c_uint, last: libc::c_uint) {
    // SAFETY: a system call on numbers. The files are nobody's: they were
    // inherited, or belong to the process of which this one is a copy.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
}

#[cfg(not(target_os = "linux"))]
fn close_range(first: libc::c_uint, last: libc::c_uint) {
    /// More than a program opens that has just been started.
    const MOST: libc::c_uint = 1024;
    for file in first..=last.min(MOST) {
        // SAFETY: as above.
        unsafe { libc::close(file.cast_signed()) };
    }
}

/// Whether this process has but one thread, as far as the system tells.
fn is_alone() -> bool {
    std::fs::read_dir("/proc/self/task").map_or(cfg!(not(target_os = "linux")), |threads| {
        threads.count() == 1
    })
}
