//! `fstat` for a worker whose sandbox refuses `newfstatat`.
//!
//! The C library asks for the size of an open file by `newfstatat` with an empty name; with
//! another name, the same call describes any file of the system. The sandbox answers it by
//! SIGSYS, and the handler here by `fstat`, which knows open files alone.

/// Answers `newfstatat` of all threads from now on, where the sandbox refuses it.
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
pub(crate) fn answer() {
    // SAFETY: all zeros is a `sigaction` without flags and with an empty mask; what is set is a
    // function of the signature that SA_SIGINFO calls, and lives as long as the process.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let handler: Handler = linux::handle;
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_NODEFER | libc::SA_ONSTACK;
        libc::sigaction(libc::SIGSYS, &raw const action, std::ptr::null_mut());
        // The parent of this process may have had it blocked: then the system ends the process.
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGSYS);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
    }
}

/// Elsewhere, no sandbox refuses it.
#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
pub(crate) fn answer() {}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
type Handler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod linux {
    use libc::{c_char, c_int, c_void, siginfo_t, ucontext_t};

    /// What the registers of the refused call say.
    struct Call {
        number: u64,
        file: c_int,
        name: *const c_char,
        place: *mut libc::stat,
        flags: c_int,
    }

    /// `SYS_SECCOMP` of `asm-generic/siginfo.h`: the signal stands for a call that was refused.
    const REFUSED: c_int = 1;

    /// Answers the call that was refused; what is no `fstat` gets EPERM.
    ///
    /// Takes no lock and allocates nothing: the thread may hold any lock at this moment.
    pub(super) extern "C" fn handle(_: c_int, info: *mut siginfo_t, context: *mut c_void) {
        let context = context.cast::<ucontext_t>();
        // SAFETY: the kernel calls this with the signal's data, and with the registers of the
        // thread that made the call; nobody else refers to them until this returns.
        unsafe {
            if (*info).si_code != REFUSED {
                // Sent by somebody: no call is to be answered.
                return;
            }
            let call = registers::read(context);
            let is_fstat = call.number == libc::SYS_newfstatat.unsigned_abs()
                && call.flags & libc::AT_EMPTY_PATH != 0
                && is_empty(call.name);
            let answer = match is_fstat {
                true => fstat(&call),
                false => -i64::from(libc::EPERM),
            };
            registers::answer(context, answer);
        }
    }

    fn is_empty(name: *const c_char) -> bool {
        // SAFETY: the caller gave a name that the kernel was to read.
        name.is_null() || unsafe { name.read() } == 0
    }

    fn fstat(call: &Call) -> i64 {
        // SAFETY: the caller gave a place that the kernel was to write to; the kernel
        // checks it. errno is that of the thread, and put back.
        unsafe {
            let errno = libc::__errno_location();
            let before = *errno;
            let answer = match libc::syscall(libc::SYS_fstat, call.file, call.place) {
                0 => 0,
                _ => -i64::from(*errno),
            };
            *errno = before;
            answer
        }
    }

    /// Where the kernel keeps a call's number, arguments and answer (`arch/x86/entry/entry_64.S`).
    #[cfg(target_arch = "x86_64")]
    mod registers {
        use super::Call;

        /// # Safety
        /// The context is one that the kernel gave a handler that has not returned.
        pub(super) unsafe fn read(context: *const libc::ucontext_t) -> Call {
            // SAFETY: as the caller states; no more of it is read than the kernel wrote.
            let register =
                |name: libc::c_int| unsafe { (*context).uc_mcontext.gregs[name as usize] };
            Call {
                number: register(libc::REG_RAX).cast_unsigned(),
                file: register(libc::REG_RDI) as libc::c_int,
                name: register(libc::REG_RSI) as *const libc::c_char,
                place: register(libc::REG_RDX) as *mut libc::stat,
                flags: register(libc::REG_R10) as libc::c_int,
            }
        }

        /// # Safety
        /// As [`read`].
        pub(super) unsafe fn answer(context: *mut libc::ucontext_t, answer: i64) {
            // SAFETY: as the caller states.
            unsafe { (*context).uc_mcontext.gregs[libc::REG_RAX as usize] = answer };
        }
    }

    /// As above (`arch/arm64/kernel/syscall.c`).
    #[cfg(target_arch = "aarch64")]
    mod registers {
        use super::Call;

        /// # Safety
        /// The context is one that the kernel gave a handler that has not returned.
        pub(super) unsafe fn read(context: *const libc::ucontext_t) -> Call {
            // SAFETY: as the caller states.
            let registers = unsafe { (*context).uc_mcontext.regs };
            Call {
                number: registers[8],
                file: registers[0] as libc::c_int,
                name: registers[1] as *const libc::c_char,
                place: registers[2] as *mut libc::stat,
                flags: registers[3] as libc::c_int,
            }
        }

        /// # Safety
        /// As [`read`].
        pub(super) unsafe fn answer(context: *mut libc::ucontext_t, answer: i64) {
            // SAFETY: as the caller states.
            unsafe { (*context).uc_mcontext.regs[0] = answer.cast_unsigned() };
        }
    }
}
