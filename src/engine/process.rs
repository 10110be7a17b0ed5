//! A child process of this one: a program that was started, or a copy.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

use rustix::process::{Pid, WaitOptions, waitpid};

/// One that is waited for by this process alone.
#[derive(Debug)]
pub(super) enum Process {
    /// A program.
    Program(Child),
    /// A copy of this process.
    Copy(Copied),
}

/// See [`crate::media::fork`].
#[derive(Debug)]
pub(super) struct Copied {
    id: Pid,
    // Once it was waited for: the number may be another's since then.
    ended: Option<ExitStatus>,
}

impl Process {
    /// The copy with that id.
    pub(super) fn copy(id: Pid) -> Self {
        Self::Copy(Copied { id, ended: None })
    }

    pub(super) fn id(&self) -> u32 {
        match self {
            Self::Program(child) => child.id(),
            Self::Copy(copy) => copy.id.as_raw_nonzero().get().unsigned_abs(),
        }
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        match self {
            Self::Program(child) => child.try_wait(),
            Self::Copy(copy) => copy.wait(WaitOptions::NOHANG),
        }
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        match self {
            Self::Program(child) => child.wait(),
            Self::Copy(copy) => copy.wait(WaitOptions::empty())?.ok_or_else(|| {
                io::Error::other("a process has not ended, though it was waited for")
            }),
        }
    }
}

impl Copied {
    fn wait(&mut self, how: WaitOptions) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            let ended = rustix::io::retry_on_intr(|| waitpid(Some(self.id), how))?;
            self.ended = ended.map(|(_, status)| ExitStatus::from_raw(status.as_raw()));
        }
        Ok(self.ended)
    }
}
