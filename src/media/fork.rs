//! A second process by a copy of this one: it need not find and link the libraries
//! again, and shares what linking them wrote.

use std::io;

use rustix::process::Pid;

/// Which of the two a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one that was there before, and the copy's id.
    Original(Pid),
    /// The copy.
    Copy,
}

/// Whether this process is known to have no other thread.
pub(super) fn has_one_thread() -> bool {
    // Where the system does not tell, there is no such folder.
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count) == 1
}

/// Copies this process; `None` where it is not known to have a single thread: what
/// another one holds or has half written at this moment, the copy could wait for without end,
/// or find broken. That is all that makes a copy unsafe, so this function is safe.
///
/// # Errors
/// Where there are too many processes, or too little memory.
pub(crate) fn fork() -> io::Result<Option<Side>> {
    if !has_one_thread() {
        return Ok(None);
    }
    // SAFETY: this thread is the only one, and so nobody can start another meanwhile: nothing
    // is held or half written that the copy uses.
    match unsafe { libc::fork() } {
        0 => Ok(Some(Side::Copy)),
        id => match Pid::from_raw(id).filter(|_| id > 0) {
            Some(id) => Ok(Some(Side::Original(id))),
            None => Err(io::Error::last_os_error()),
        },
    }
}
