//! The system calls that can fail, by class, and the ways in which each class fails.

use libc::c_long;

/// System calls that fail in the same ways.
pub struct Class {
    pub name: &'static str,
    /// Each call's name and number.
    pub calls: &'static [(&'static str, c_long)],
    pub faults: &'static [Fault],
}

/// What happens instead of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It returns this error, and does nothing.
    Error(&'static str, i32),
    /// It is asked for half of the bytes.
    Short,
    /// This number of calls of the class fail with EIO, one after the other.
    Burst(&'static str, u64),
    /// All processes of the tree are killed before it.
    Kill,
    /// An allocation returns no memory. No system call: see `alloc.c`.
    NoMemory,
}

impl Fault {
    pub fn name(self) -> &'static str {
        match self {
            Self::Error(name, _) | Self::Burst(name, _) => name,
            Self::Short => "short",
            Self::Kill => "kill",
            Self::NoMemory => "null",
        }
    }

    /// How many calls in a row are concerned.
    pub fn length(self) -> u64 {
        match self {
            Self::Burst(_, length) => length,
            _ => 1,
        }
    }
}

macro_rules! calls {
    ($($name:ident)*) => {
        &[$((stringify!($name), libc::$name)),*]
    };
}

const EIO: Fault = Fault::Error("EIO", libc::EIO);
const ENOSPC: Fault = Fault::Error("ENOSPC", libc::ENOSPC);
const EINTR: Fault = Fault::Error("EINTR", libc::EINTR);
const EMFILE: Fault = Fault::Error("EMFILE", libc::EMFILE);
const ENOMEM: Fault = Fault::Error("ENOMEM", libc::ENOMEM);
const EACCES: Fault = Fault::Error("EACCES", libc::EACCES);
const EAGAIN: Fault = Fault::Error("EAGAIN", libc::EAGAIN);
const BURST_3: Fault = Fault::Burst("EIO*3", 3);
const BURST_12: Fault = Fault::Burst("EIO*12", 12);

/// The class of allocations.
pub const MEMORY_OF_LIBAV: &str = "alloc";

/// All classes; each call is in one.
pub const CLASSES: &[Class] = &[
    Class {
        name: "open",
        calls: calls!(SYS_open SYS_openat SYS_openat2 SYS_creat),
        faults: &[EIO, EMFILE, ENOMEM, EACCES, ENOSPC, EINTR],
    },
    Class {
        name: "read",
        calls: calls!(SYS_read SYS_pread64 SYS_readv SYS_preadv),
        faults: &[EIO, EINTR, EAGAIN, ENOMEM, Fault::Short, BURST_3, BURST_12],
    },
    Class {
        name: "write",
        calls: calls!(SYS_write SYS_pwrite64 SYS_writev SYS_pwritev),
        faults: &[EIO, ENOSPC, EINTR, EAGAIN, Fault::Short, Fault::Kill],
    },
    Class {
        name: "sync",
        calls: calls!(SYS_fsync SYS_fdatasync SYS_syncfs),
        faults: &[EIO, ENOSPC, EINTR, Fault::Kill],
    },
    Class {
        name: "rename",
        calls: calls!(SYS_rename SYS_renameat SYS_renameat2 SYS_link SYS_linkat SYS_symlink SYS_symlinkat),
        faults: &[EIO, ENOSPC, EACCES, ENOMEM, EINTR, Fault::Kill],
    },
    Class {
        name: "unlink",
        calls: calls!(SYS_unlink SYS_unlinkat SYS_rmdir),
        faults: &[EIO, EACCES, EINTR, Fault::Kill],
    },
    Class {
        name: "mkdir",
        calls: calls!(SYS_mkdir SYS_mkdirat),
        faults: &[EIO, ENOSPC, EACCES, EINTR, Fault::Kill],
    },
    Class {
        name: "stat",
        calls: calls!(SYS_stat SYS_lstat SYS_fstat SYS_newfstatat SYS_statx SYS_statfs SYS_fstatfs SYS_access SYS_faccessat SYS_faccessat2 SYS_readlink SYS_readlinkat),
        faults: &[EIO, ENOMEM, EACCES, EINTR],
    },
    Class {
        name: "list",
        calls: calls!(SYS_getdents64),
        faults: &[EIO, ENOMEM, EINTR],
    },
    Class {
        name: "memory",
        calls: calls!(SYS_mmap SYS_brk SYS_mremap SYS_mprotect),
        faults: &[ENOMEM, EAGAIN],
    },
    Class {
        name: "clone",
        calls: calls!(SYS_clone SYS_clone3 SYS_fork SYS_vfork),
        faults: &[EAGAIN, ENOMEM],
    },
    Class {
        name: "exec",
        calls: calls!(SYS_execve),
        faults: &[EIO, ENOMEM, EACCES, EMFILE],
    },
    Class {
        name: "close",
        calls: calls!(SYS_close),
        faults: &[EIO, EINTR, ENOSPC],
    },
    Class {
        name: "size",
        calls: calls!(SYS_ftruncate SYS_fallocate),
        faults: &[EIO, ENOSPC, EINTR],
    },
    Class {
        name: "attributes",
        calls: calls!(SYS_chmod SYS_fchmod SYS_fchmodat SYS_chown SYS_fchown SYS_fchownat SYS_utimensat SYS_setxattr SYS_fsetxattr),
        faults: &[EIO, EACCES, ENOSPC, EINTR, Fault::Kill],
    },
    Class {
        name: "descriptor",
        calls: calls!(SYS_fcntl SYS_dup SYS_dup2 SYS_dup3 SYS_pipe2 SYS_socketpair SYS_eventfd2 SYS_memfd_create SYS_pidfd_open),
        faults: &[EMFILE, ENOMEM, EINTR, EAGAIN],
    },
    Class {
        name: "lock",
        calls: calls!(SYS_flock),
        faults: &[EIO, EINTR, EAGAIN, ENOMEM, Fault::Kill],
    },
    Class {
        name: "seek",
        calls: calls!(SYS_lseek),
        faults: &[EIO],
    },
    Class {
        // No EAGAIN: a socket that waits does not return it. No ENOMEM: no memory is allocated
        // to receive from a socket of this machine.
        name: "message",
        calls: calls!(SYS_sendmsg SYS_sendto SYS_recvmsg SYS_recvfrom),
        faults: &[EINTR, Fault::Kill],
    },
    Class {
        name: "wait",
        calls: calls!(SYS_poll SYS_ppoll SYS_wait4 SYS_waitid),
        faults: &[EINTR, ENOMEM],
    },
    Class {
        name: "copy",
        calls: calls!(SYS_copy_file_range SYS_sendfile SYS_splice SYS_ioctl),
        faults: &[EIO, ENOSPC, EINTR],
    },
    Class {
        name: MEMORY_OF_LIBAV,
        calls: &[],
        faults: &[Fault::NoMemory],
    },
];

/// The class named `name`.
pub fn class(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name == name)
}

/// The class and the name of call `number`.
pub fn known(number: c_long) -> Option<(&'static Class, &'static str)> {
    CLASSES.iter().find_map(|class| {
        let call = class.calls.iter().find(|(_, known)| *known == number);
        call.map(|(name, _)| (class, *name))
    })
}
