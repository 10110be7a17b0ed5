//! The system calls that work on media takes; all others are refused (seccomp).
//!
//! The lists were found by tracing all presets, pictures and verification, and hold besides
//! what other versions of the C library use for the same. A call is added when work fails
//! without it, and only with those arguments that reach nothing outside the process.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use super::Kind;

/// Leaves this thread, and all that it starts, the calls of `kind`; whether the system did so.
pub(super) fn keep_to(kind: Kind) -> bool {
    let filters = filters(kind);
    filters.is_some_and(|filters| {
        let mut filters = filters.iter();
        filters.all(|filter| seccompiler::apply_filter(filter).is_ok())
    })
}

/// Memory of its own.
const MEMORY: &[c_long] = &[
    libc::SYS_brk,
    libc::SYS_get_mempolicy,
    libc::SYS_membarrier,
    libc::SYS_mlock,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munlock,
    libc::SYS_munmap,
    libc::SYS_set_mempolicy,
];

/// Its threads, their signals and clocks, and what the machine is.
const THREADS: &[c_long] = &[
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_futex,
    libc::SYS_getcpu,
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getresgid,
    libc::SYS_getresuid,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_getuid,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_get_priority_max,
    libc::SYS_sched_get_priority_min,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_sigaltstack,
    libc::SYS_sysinfo,
    libc::SYS_times,
    libc::SYS_uname,
];

/// Files that it has, and how it hears of more.
const FILES: &[c_long] = &[
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_eventfd2,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getdents64,
    libc::SYS_lseek,
    libc::SYS_pipe2,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvmsg,
    libc::SYS_write,
    libc::SYS_writev,
];

/// The same, as older interfaces have it.
#[cfg(target_arch = "x86_64")]
const OLDER: &[c_long] = &[libc::SYS_getrlimit, libc::SYS_poll, libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c_long] = &[];

/// What a program needs besides: it becomes one, finds its libraries, and opens files by name.
const PROGRAM: &[c_long] = &[
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_execve,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_getcwd,
    libc::SYS_getppid,
    libc::SYS_mincore,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_pselect6,
    libc::SYS_readlinkat,
    libc::SYS_set_tid_address,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_unlinkat,
];

#[cfg(target_arch = "x86_64")]
const OLDER_PROGRAM: &[c_long] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_epoll_wait,
    libc::SYS_lstat,
    libc::SYS_open,
    libc::SYS_pipe,
    libc::SYS_readlink,
    libc::SYS_select,
    libc::SYS_stat,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_PROGRAM: &[c_long] = &[];

/// What a script needs besides: it starts other programs. None of them can leave the process
/// group, with which all of them end.
const SCRIPT: &[c_long] = &[
    libc::SYS_chdir,
    libc::SYS_dup3,
    libc::SYS_getgroups,
    libc::SYS_getpgid,
    libc::SYS_rt_sigsuspend,
    libc::SYS_umask,
    libc::SYS_wait4,
    libc::SYS_waitid,
];

#[cfg(target_arch = "x86_64")]
const OLDER_SCRIPT: &[c_long] = &[
    libc::SYS_dup2,
    libc::SYS_fork,
    libc::SYS_getpgrp,
    libc::SYS_vfork,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_SCRIPT: &[c_long] = &[];

/// Answered as by a system that does not have them: the C library then takes an older call,
/// whose arguments can be looked at, or does without.
const NOT_THERE: &[c_long] = &[libc::SYS_clone3, libc::SYS_close_range, SYS_MSEAL];

/// As [`NOT_THERE`], of a worker: `newfstatat` without a name is `fstat`, and with one
/// tells of any file. No filter can distinguish a name from none.
const NOT_THERE_BY_NAME: &[c_long] = &[libc::SYS_statx];

/// Whether a worker's `newfstatat` gets its answer from `media::fstat`; elsewhere, it tells of
/// any file.
const IS_ANSWERED: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// Linux 6.10 (`include/uapi/asm-generic/unistd.h`).
const SYS_MSEAL: c_long = 462;

/// `PR_SET_VMA` of `linux/prctl.h`: gives memory a name.
const PR_SET_VMA: u64 = 0x5356_4d41;

/// The last clock of the system: what is beyond, or below 0, is a clock of a process or of a
/// device (`linux/time.h`, `linux/posix-timers.h`).
const LAST_CLOCK: u64 = 15;

/// `MPOL_MF_MOVE_ALL` of `linux/mempolicy.h`: memory that other processes use, too.
const MOVE_ALL: u64 = 4;

/// `TCGETS2` of `asm-generic/ioctls.h`, by which newer C libraries ask for a terminal.
const TCGETS2: u64 = 0x802c_542a;

/// Flags of `clone` that put what is started into namespaces of its own (`linux/sched.h`).
const NAMESPACES: u64 = (libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET) as u64;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// The filters, in the order in which they are put up: the last one refuses that another is.
fn filters(kind: Kind) -> Option<Vec<BpfProgram>> {
    let mut not_there: Vec<c_long> = NOT_THERE.to_vec();
    let mut filters = vec![];
    if kind == Kind::Worker && IS_ANSWERED {
        not_there.extend(NOT_THERE_BY_NAME);
        filters.push(filter(
            any([libc::SYS_newfstatat]),
            SeccompAction::Allow,
            SeccompAction::Trap,
        )?);
    }
    filters.push(filter(
        any(not_there.iter().copied()),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS.unsigned_abs()),
    )?);
    let mut allowed = allowed(kind)?;
    allowed.extend(any(not_there));
    filters.push(filter(
        allowed,
        SeccompAction::Errno(libc::EPERM.unsigned_abs()),
        SeccompAction::Allow,
    )?);
    Some(filters)
}

fn filter(rules: Rules, otherwise: SeccompAction, matched: SeccompAction) -> Option<BpfProgram> {
    let arch = std::env::consts::ARCH.try_into().ok()?;
    let filter = SeccompFilter::new(rules, otherwise, matched, arch).ok()?;
    filter.try_into().ok()
}

/// These calls, with any arguments.
fn any(calls: impl IntoIterator<Item = c_long>) -> Rules {
    calls.into_iter().map(|call| (call, vec![])).collect()
}

fn allowed(kind: Kind) -> Option<Rules> {
    let mut lists = vec![MEMORY, THREADS, FILES, OLDER];
    if kind != Kind::Worker {
        lists.extend([PROGRAM, OLDER_PROGRAM]);
    }
    if kind == Kind::Script {
        lists.extend([SCRIPT, OLDER_SCRIPT]);
    }
    let mut rules = any(lists.into_iter().flatten().copied());
    rules.extend(any([libc::SYS_newfstatat]));
    if !IS_ANSWERED {
        rules.extend(any(NOT_THERE_BY_NAME.iter().copied()));
    }
    rules.extend(with_arguments(kind)?);
    Some(rules)
}

/// Calls whose arguments decide whether something outside the process is reached.
fn with_arguments(kind: Kind) -> Option<Rules> {
    let own = u64::from(std::process::id());
    let mut rules = Rules::new();
    let mut allow = |call: c_long, conditions: Option<Vec<SeccompCondition>>| {
        let rule = SeccompRule::new(conditions?).ok()?;
        rules.entry(call).or_default().push(rule);
        Some(())
    };
    // Threads, and processes of a script alone.
    let thread = libc::CLONE_THREAD as u64;
    allow(libc::SYS_clone, all([has(0, thread | NAMESPACES, thread)]))?;
    with_memory(&mut allow)?;
    // Of the clocks, not those of other processes.
    for call in [
        libc::SYS_clock_getres,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
    ] {
        allow(call, all([at_most(0, LAST_CLOCK)]))?;
    }
    if kind == Kind::Script {
        allow(libc::SYS_clone, all([has(0, NAMESPACES, 0)]))?;
    }
    // Files by name are the system's own (Landlock), and are read. `O_PATH`, which it does not
    // see, would describe others.
    if kind == Kind::Worker {
        let flags = (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC | libc::O_PATH) as u64;
        allow(libc::SYS_openat, all([has(2, flags, 0)]))?;
        #[cfg(target_arch = "x86_64")]
        allow(libc::SYS_open, all([has(1, flags, 0)]))?;
    }
    // Signals to its own threads, as where it aborts.
    allow(libc::SYS_tgkill, all([is(0, own)]))?;
    // Limits are read; priority and cores are its own.
    allow(libc::SYS_prlimit64, all([is(0, 0), is_all(2, 0)]))?;
    allow(libc::SYS_getpriority, all([is(0, 0), is(1, 0)]))?;
    // As a number without a sign: a lower one is a higher priority than before.
    allow(
        libc::SYS_setpriority,
        all([is(0, 0), is(1, 0), at_most(2, 19)]),
    )?;
    allow(libc::SYS_sched_setaffinity, all([is(0, 0)]))?;
    for option in [
        libc::PR_SET_NAME as u64,
        libc::PR_GET_NAME as u64,
        libc::PR_CAPBSET_READ as u64,
        PR_SET_VMA,
    ] {
        allow(libc::SYS_prctl, all([is(0, option)]))?;
    }
    // Neither leases nor owners of signals.
    for command in [
        libc::F_DUPFD,
        libc::F_DUPFD_CLOEXEC,
        libc::F_GETFD,
        libc::F_SETFD,
        libc::F_GETFL,
    ] {
        allow(libc::SYS_fcntl, all([is(1, command as u64)]))?;
    }
    // Neither attributes of files nor what terminals are typed.
    #[allow(clippy::unnecessary_cast, reason = "its width is the C library's")]
    for request in [
        libc::TCGETS as u64,
        TCGETS2,
        libc::TIOCGWINSZ as u64,
        libc::FIONREAD as u64,
        libc::FIOCLEX as u64,
    ] {
        allow(libc::SYS_ioctl, all([is(1, request)]))?;
    }
    Some(rules)
}

/// Memory that `RLIMIT_DATA` counts, or that is a file's; and advice on it that reaches neither
/// other processes nor the machine.
fn with_memory(
    allow: &mut impl FnMut(c_long, Option<Vec<SeccompCondition>>) -> Option<()>,
) -> Option<()> {
    let shared = (libc::MAP_SHARED | libc::MAP_GROWSDOWN) as u64;
    let of_no_file = (libc::MAP_ANONYMOUS | libc::MAP_GROWSDOWN) as u64;
    allow(libc::SYS_mmap, all([has(3, shared, 0)]))?;
    allow(libc::SYS_mmap, all([has(3, of_no_file, 0)]))?;
    allow(
        libc::SYS_madvise,
        all([
            is_not(2, libc::MADV_HWPOISON),
            is_not(2, libc::MADV_SOFT_OFFLINE),
            is_not(2, libc::MADV_MERGEABLE),
            is_not(2, libc::MADV_PAGEOUT),
        ]),
    )?;
    allow(libc::SYS_mbind, all([has(5, MOVE_ALL, 0)]))
}

fn all<const N: usize>(conditions: [Option<SeccompCondition>; N]) -> Option<Vec<SeccompCondition>> {
    conditions.into_iter().collect()
}

/// The lower half of argument `number` is `value`: the kernel looks at no more where it is an `int`.
fn is(number: u8, value: u64) -> Option<SeccompCondition> {
    let low = value & u64::from(u32::MAX);
    SeccompCondition::new(number, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, low).ok()
}

fn is_not(number: u8, value: libc::c_int) -> Option<SeccompCondition> {
    let value = u64::from(value.cast_unsigned());
    SeccompCondition::new(number, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value).ok()
}

/// The lower half of argument `number`, taken without a sign, is `most` at most.
fn at_most(number: u8, most: u64) -> Option<SeccompCondition> {
    SeccompCondition::new(number, SeccompCmpArgLen::Dword, SeccompCmpOp::Le, most).ok()
}

/// As [`is`], of a pointer.
fn is_all(number: u8, value: u64) -> Option<SeccompCondition> {
    SeccompCondition::new(number, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, value).ok()
}

/// The bits of argument `number` that are in `mask` are `value`.
fn has(number: u8, mask: u64, value: u64) -> Option<SeccompCondition> {
    let operator = SeccompCmpOp::MaskedEq(mask);
    SeccompCondition::new(number, SeccompCmpArgLen::Qword, operator, value).ok()
}
