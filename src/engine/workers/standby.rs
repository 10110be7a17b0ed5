//! Workers that stand by from the program's first moment on: copies of it, made before
//! it has a second thread. Starting the program anew for each would take a twentieth of a
//! second, which is libav's libraries being linked, and megabytes that so are shared.
//!
//! Others are started when these are taken, or where the system makes no copies.

use std::io::{self, PipeReader};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, getpid, getppid, setpgid};

use super::worker::{Ends, Theirs, ends};
use crate::engine::process::Process;
use crate::media::fork::{Side, fork};

/// So many stand by at most: where there are more cores, starting the others takes
/// each of these no longer than one.
const MOST: usize = 16;

/// Those that nobody has taken yet.
static STANDING: Mutex<Vec<Standing>> = Mutex::new(vec![]);

/// A worker to which nothing was said yet.
pub(super) struct Standing {
    pub(super) process: Process,
    pub(super) ends: Ends,
    pub(super) stderr: PipeReader,
}

/// What this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The program, as before.
    Program,
    /// A worker of it, which is to serve.
    Worker,
}

/// Has up to `count` workers stand by for whoever needs some. Each of them comes back
/// from here, too.
pub fn stand_by(count: usize) -> Role {
    for _ in 0..count.min(MOST) {
        match copy() {
            Ok(Some(Made::Standing(worker))) => standing().push(worker),
            Ok(Some(Made::Worker)) => return Role::Worker,
            // Where some are needed, starting them tells why there can be none.
            Ok(None) | Err(_) => break,
        }
    }
    Role::Program
}

/// One that stands by, if there is one left.
pub(super) fn take() -> Option<Standing> {
    standing().pop()
}

fn standing() -> MutexGuard<'static, Vec<Standing>> {
    STANDING.lock().unwrap_or_else(PoisonError::into_inner)
}

enum Made {
    Standing(Standing),
    Worker,
}

fn copy() -> io::Result<Option<Made>> {
    let (ours, theirs) = ends()?;
    let (stderr, written) = io::pipe()?;
    let program = getpid();
    match fork()? {
        None => Ok(None),
        Some(Side::Original(id)) => {
            // Both do this: whoever signals the group next finds it.
            let _ = setpgid(Some(id), Some(id));
            Ok(Some(Made::Standing(Standing {
                process: Process::copy(id),
                ends: ours,
                stderr,
            })))
        }
        Some(Side::Copy) => {
            become_worker(program, theirs, written).unwrap_or_else(|_| std::process::exit(1));
            Ok(Some(Made::Worker))
        }
    }
}

/// What starting a program as a worker would give it.
fn become_worker(program: Pid, theirs: Theirs, stderr: io::PipeWriter) -> io::Result<()> {
    // Its brothers are none of its children.
    std::mem::forget(std::mem::take(&mut *standing()));
    setpgid(None, None)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    if getppid() != Some(program) {
        return Err(io::Error::other("the program has ended"));
    }
    rustix::stdio::dup2_stdin(theirs.stdin)?;
    rustix::stdio::dup2_stdout(theirs.stdout)?;
    rustix::stdio::dup2_stderr(stderr)?;
    Ok(())
}
