//! What code in a worker could try: a system call of each group that reaches something outside
//! its job.

use std::ffi::{CStr, CString};
use std::path::Path;

use libc::c_long;

/// What is there to be reached.
pub struct Scene {
    /// A file of the user that is none of the job's.
    pub secret: CString,
    pub folder: CString,
    /// A name that is free.
    pub free: CString,
    /// The source, open to be read.
    pub source: i32,
    /// Another process of the user.
    pub victim: i32,
}

/// A system call: its group, what it does, and its name and arguments.
pub struct Attempt {
    pub group: &'static str,
    pub what: &'static str,
    pub call: fn(&Scene) -> Call,
}

/// The number of a system call and its arguments.
pub type Call = (c_long, [u64; 6]);

fn call<const N: usize>(number: c_long, arguments: [u64; N]) -> Call {
    let mut all = [0; 6];
    all[..N].copy_from_slice(&arguments);
    (number, all)
}

impl Scene {
    pub fn of(place: &Path, source: i32, victim: i32) -> Option<Self> {
        let text = |path: &Path| CString::new(path.to_str()?).ok();
        Some(Self {
            secret: text(&place.join("secret"))?,
            folder: text(place)?,
            free: text(&place.join("free"))?,
            source,
            victim,
        })
    }

    fn secret(&self) -> u64 {
        at(&self.secret)
    }

    fn source(&self) -> u64 {
        self.source as u64
    }

    fn victim(&self) -> u64 {
        self.victim as u64
    }
}

fn at(text: &CStr) -> u64 {
    text.as_ptr() as u64
}

/// Room that calls may write to, or read zeros from.
fn room() -> u64 {
    static ROOM: [u64; 64] = [0; 64];
    ROOM.as_ptr() as u64
}

const HERE: u64 = libc::AT_FDCWD as u64;
const EMPTY: &CStr = c"";
const USER: &CStr = c"user.rushes";

macro_rules! attempts {
    ($($group:literal: { $($what:literal => |$scene:ident| $number:ident $arguments:tt,)* })*) => {
        pub const ATTEMPTS: &[Attempt] = &[$($(Attempt {
            group: $group,
            what: $what,
            call: |$scene| call(libc::$number, $arguments),
        },)*)*];
    };
}

attempts! {
    "other files": {
        "read" => |scene| SYS_openat [HERE, scene.secret(), libc::O_RDONLY as u64],
        "write" => |scene| SYS_openat [HERE, scene.secret(), libc::O_WRONLY as u64],
        "make" => |scene| SYS_openat [HERE, at(&scene.free), (libc::O_CREAT | libc::O_WRONLY) as u64, 0o600],
        "refer to (`O_PATH`)" => |scene| SYS_openat [HERE, scene.secret(), libc::O_PATH as u64],
        "refer to (`openat2`)" => |scene| SYS_openat2 [HERE, scene.secret(), room(), 24],
        "list" => |scene| SYS_openat [HERE, at(&scene.folder), libc::O_DIRECTORY as u64],
        "size and dates (`stat`)" => |scene| SYS_stat [scene.secret(), room()],
        "size and dates (`newfstatat`)" => |scene| SYS_newfstatat [HERE, scene.secret(), room(), 0],
        "size and dates (`statx`)" => |scene| SYS_statx [HERE, scene.secret(), 0, 0xfff, room()],
        "see whether it may be read" => |scene| SYS_faccessat [HERE, scene.secret(), 4],
        "extended attributes" => |scene| SYS_getxattr [scene.secret(), at(USER), room(), 8],
        "disk" => |scene| SYS_statfs [scene.secret(), room()],
        "handle" => |scene| SYS_name_to_handle_at [HERE, scene.secret(), room(), room(), 0],
        "watch (`inotify`)" => |_scene| SYS_inotify_init1 [0],
        "watch (`fanotify`)" => |_scene| SYS_fanotify_init [0, 0],
        "change the mode" => |scene| SYS_chmod [scene.secret(), 0o666],
        "change the mode (`fchmodat`)" => |scene| SYS_fchmodat [HERE, scene.secret(), 0o666],
        "change the owner" => |scene| SYS_chown [scene.secret(), 65_534, 65_534],
        "change the dates" => |scene| SYS_utimensat [HERE, scene.secret(), room(), 0],
        "set an extended attribute" => |scene| SYS_setxattr [scene.secret(), at(USER), room(), 1, 0],
        "empty" => |scene| SYS_truncate [scene.secret(), 0],
        "remove" => |scene| SYS_unlink [scene.secret()],
        "rename" => |scene| SYS_rename [scene.secret(), at(&scene.free)],
        "link" => |scene| SYS_link [scene.secret(), at(&scene.free)],
        "make a link to" => |scene| SYS_symlink [scene.secret(), at(&scene.free)],
        "make a folder" => |scene| SYS_mkdir [at(&scene.free), 0o700],
        "make a pipe" => |scene| SYS_mknod [at(&scene.free), u64::from(libc::S_IFIFO | 0o600), 0],
        "start a program" => |_scene| SYS_execve [at(c"/bin/true"), room(), room()],
    }
    "its source, which it may read": {
        "change the mode" => |scene| SYS_fchmod [scene.source(), 0o666],
        "change the owner" => |scene| SYS_fchown [scene.source(), 65_534, 65_534],
        "change the dates" => |scene| SYS_utimensat [scene.source(), 0, room(), 0],
        "set an extended attribute" => |scene| SYS_fsetxattr [scene.source(), at(USER), room(), 1, 0],
        "lock" => |scene| SYS_flock [scene.source(), libc::LOCK_EX as u64],
        "take a lease" => |scene| SYS_fcntl [scene.source(), libc::F_SETLEASE as u64, libc::F_RDLCK as u64],
        "send its signals to another process" => |scene| SYS_fcntl [scene.source(), libc::F_SETOWN as u64, scene.victim()],
        "change its flags" => |scene| SYS_ioctl [scene.source(), 0x4008_6602, room()],
        "write" => |scene| SYS_pwrite64 [scene.source(), room(), 8, 0],
        "empty" => |scene| SYS_ftruncate [scene.source(), 0],
    }
    "other processes": {
        "end" => |scene| SYS_kill [scene.victim(), 9],
        "end (`tkill`)" => |scene| SYS_tkill [scene.victim(), 9],
        "end (`tgkill`)" => |scene| SYS_tgkill [scene.victim(), scene.victim(), 9],
        "end (`rt_sigqueueinfo`)" => |scene| SYS_rt_sigqueueinfo [scene.victim(), 9, room()],
        "refer to (`pidfd_open`)" => |scene| SYS_pidfd_open [scene.victim(), 0],
        "trace" => |scene| SYS_ptrace [libc::PTRACE_SEIZE as u64, scene.victim(), 0, 0],
        "read memory" => |scene| SYS_process_vm_readv [scene.victim(), room(), 1, room(), 1, 0],
        "compare" => |scene| SYS_kcmp [scene.victim(), scene.victim(), 0, 0, 0],
        "set limits" => |scene| SYS_prlimit64 [scene.victim(), u64::from(libc::RLIMIT_CPU), room(), 0],
        "read limits" => |scene| SYS_prlimit64 [scene.victim(), u64::from(libc::RLIMIT_CPU), 0, room()],
        "slow down (`setpriority`)" => |scene| SYS_setpriority [0, scene.victim(), 19],
        "slow down all of the user's" => |_scene| SYS_setpriority [2, 0, 19],
        "choose cores" => |scene| SYS_sched_setaffinity [scene.victim(), 8, room()],
        "choose a scheduler" => |scene| SYS_sched_setscheduler [scene.victim(), libc::SCHED_IDLE as u64, room()],
        "move memory" => |scene| SYS_migrate_pages [scene.victim(), 8, room(), room()],
        "how long it has computed" => |scene| SYS_clock_gettime [(!scene.victim() << 3) | 2, room()],
        "read robust locks" => |scene| SYS_get_robust_list [scene.victim(), room(), room()],
    }
    "processes of its own": {
        "fork" => |_scene| SYS_fork [],
        "`clone` without a thread" => |_scene| SYS_clone [libc::SIGCHLD as u64, 0, 0, 0, 0],
        "`clone` into a user namespace" => |_scene| SYS_clone [(libc::CLONE_NEWUSER | libc::SIGCHLD) as u64, 0, 0, 0, 0],
        "`clone3`" => |_scene| SYS_clone3 [room(), 88],
        "leave its session" => |_scene| SYS_setsid [],
        "leave its process group" => |_scene| SYS_setpgid [0, 0],
        "outlive its parent" => |_scene| SYS_prctl [libc::PR_SET_PDEATHSIG as u64, 0],
        "raise its own priority" => |_scene| SYS_setpriority [0, 0, (-20_i64).cast_unsigned()],
        "memory that no limit counts" => |_scene| SYS_mmap [0, 4096, 3, (libc::MAP_SHARED | libc::MAP_ANONYMOUS) as u64, u64::MAX, 0],
        "raise its own limits" => |_scene| SYS_prlimit64 [0, u64::from(libc::RLIMIT_DATA), room(), 0],
        "raise its own limits (`setrlimit`)" => |_scene| SYS_setrlimit [u64::from(libc::RLIMIT_DATA), room()],
    }
    "network and messages": {
        "socket" => |_scene| SYS_socket [libc::AF_INET as u64, libc::SOCK_STREAM as u64, 0],
        "local socket" => |_scene| SYS_socket [libc::AF_UNIX as u64, libc::SOCK_STREAM as u64, 0],
        "pair of sockets" => |_scene| SYS_socketpair [libc::AF_UNIX as u64, libc::SOCK_STREAM as u64, 0, room()],
        "connect" => |scene| SYS_connect [scene.source(), room(), 16],
        "`io_uring`" => |_scene| SYS_io_uring_setup [1, room()],
        "shared memory (System V)" => |_scene| SYS_shmget [0, 4096, 0o1600],
        "messages (System V)" => |_scene| SYS_msgget [0, 0o1600],
        "semaphores (System V)" => |_scene| SYS_semget [0, 1, 0o1600],
        "messages (POSIX)" => |_scene| SYS_mq_open [at(c"rushes"), libc::O_CREAT as u64, 0o600, 0],
        "the user's keys" => |_scene| SYS_keyctl [0, (-4_i64).cast_unsigned(), 0],
        "a key more" => |_scene| SYS_add_key [at(c"user"), at(c"rushes"), room(), 1, (-4_i64).cast_unsigned()],
    }
    "the system": {
        "namespaces" => |_scene| SYS_unshare [libc::CLONE_NEWUSER as u64],
        "another's namespace" => |scene| SYS_setns [scene.source(), 0],
        "mount" => |scene| SYS_mount [0, at(&scene.folder), 0, 0, 0],
        "mount (`fsopen`)" => |_scene| SYS_fsopen [at(c"tmpfs"), 0],
        "mount (`open_tree`)" => |scene| SYS_open_tree [HERE, at(&scene.folder), 1],
        "another root" => |scene| SYS_chroot [at(&scene.folder)],
        "another folder" => |scene| SYS_chdir [at(&scene.folder)],
        "`bpf`" => |_scene| SYS_bpf [0, room(), 0],
        "`perf_event_open`" => |_scene| SYS_perf_event_open [room(), 0, 0, u64::MAX, 0],
        "`userfaultfd`" => |_scene| SYS_userfaultfd [1],
        "another filter of calls" => |_scene| SYS_seccomp [libc::SECCOMP_SET_MODE_FILTER as u64, 0, room()],
        "another personality" => |_scene| SYS_personality [0x0040_0000],
        "clock" => |_scene| SYS_clock_settime [0, room()],
        "host name" => |_scene| SYS_sethostname [room(), 1],
        "kernel's log" => |_scene| SYS_syslog [10, 0, 0],
        "restart" => |_scene| SYS_reboot [0, 0, 0, 0],
        "module" => |scene| SYS_finit_module [scene.source(), at(EMPTY), 0],
        "break memory (`MADV_HWPOISON`)" => |_scene| SYS_madvise [room() & !4095, 4096, libc::MADV_HWPOISON as u64],
        "files in memory" => |_scene| SYS_memfd_create [at(c"rushes"), 0],
        "calls of another kind of programs (x32)" => |scene| SYS_kill [scene.victim(), 9],
    }
}
