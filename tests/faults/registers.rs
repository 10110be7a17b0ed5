//! A stopped system call in the registers of x86_64.
//!
//! aarch64 needs another version of this file: the number is in `x8`, arguments and result
//! are in `x0` to `x5`, and a call is skipped by the register set NT_ARM_SYSTEM_CALL, for
//! which `nix` has no name. The list of calls then loses those that only x86_64 has.

use libc::c_long;
use nix::sys::ptrace;
use nix::unistd::Pid;

/// A call before it is done.
pub struct Call(libc::user_regs_struct);

impl Call {
    pub fn of(pid: Pid) -> nix::Result<Self> {
        ptrace::getregs(pid).map(Self)
    }

    pub fn number(&self) -> c_long {
        self.0.orig_rax as c_long
    }

    pub fn argument(&self, index: usize) -> u64 {
        let regs = &self.0;
        [regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9][index]
    }

    /// Has the system skip the call and return `result`.
    pub fn skip(mut self, pid: Pid, result: i64) -> nix::Result<()> {
        self.0.orig_rax = u64::MAX;
        self.0.rax = result as u64;
        ptrace::setregs(pid, self.0)
    }

    /// Halves the third argument, which is the number of bytes or buffers of all calls that
    /// read and write.
    pub fn halve(mut self, pid: Pid) -> nix::Result<()> {
        self.0.rdx = self.0.rdx.div_ceil(2);
        ptrace::setregs(pid, self.0)
    }

    /// Replaces the result of a call that is done.
    pub fn end_with(mut self, pid: Pid, result: i64) -> nix::Result<()> {
        self.0.rax = result as u64;
        ptrace::setregs(pid, self.0)
    }
}
