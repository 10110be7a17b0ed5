//! What a process that opens hostile media may reach, once it has put itself
//! behind this: a few files, and nothing else of the machine. The program and
//! its small child `rushes-child` both compile this file.
//!
//! Landlock keeps it from files, seccomp from the network and from other
//! processes. Where the system has neither, all works as before, unfenced.

use std::path::PathBuf;

/// The files that are within reach.
#[derive(Debug, Clone, Default)]
pub struct Fence {
    /// Files to be read, or folders with all in them.
    pub read: Vec<PathBuf>,
    /// Programs to be started, or folders of them.
    pub start: Vec<PathBuf>,
    /// Files to be read and written, or folders in which files are made.
    pub write: Vec<PathBuf>,
}

/// What holds a fence up here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strength {
    /// Whether other files are out of reach (Landlock).
    pub files: bool,
    /// Whether the network and other processes are (seccomp).
    pub network: bool,
}

impl Strength {
    /// What cannot be kept out of reach here, in words; nothing where all can.
    #[allow(dead_code, reason = "the small child does not tell")]
    pub fn missing(self) -> Option<&'static str> {
        match (self.files, self.network) {
            (true, true) => None,
            (false, true) => Some(
                "this system has no Landlock, or an old one: a hostile video might reach other files",
            ),
            (true, false) => {
                Some("this system has no seccomp: a hostile video might reach the network")
            }
            (false, false) => Some(
                "this system has neither Landlock (or an old one) nor seccomp: a hostile video might reach other files and the network",
            ),
        }
    }
}

/// Where libraries lie, and what they look for as they run: tables of
/// characters, the number of cores, chance. All of it is the system's, none
/// the user's.
const SYSTEM: [&str; 14] = [
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/alternatives",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/dev/urandom",
    "/dev/random",
];

/// Where a program finds what it starts with: loader, libraries, or, where it
/// is a script that calls another, that one. What is started stays behind the fence.
#[allow(dead_code, reason = "the small child is told")]
pub const PROGRAMS: [&str; 9] = [
    "/bin",
    "/gnu/store",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/opt",
    "/snap",
    "/usr",
];

impl Fence {
    /// Around a process that is handed its files: none is within reach, but
    /// those that a source may name where it is trusted.
    #[allow(dead_code, reason = "the small child is told its files")]
    pub fn of_a_worker(trust: bool) -> Self {
        Self {
            read: trust.then(|| PathBuf::from("/")).into_iter().collect(),
            ..Self::default()
        }
    }

    /// Puts this thread, and all that it starts from now on, behind the fence;
    /// there is no way back. Tells what holds it up.
    pub fn close(&self) -> Strength {
        Strength {
            files: linux::keep_from_files(self),
            network: linux::keep_from_network(),
        }
    }
}

/// What would hold a fence up here, found out by a thread that ends behind one.
#[allow(dead_code, reason = "the small child does not ask")]
pub fn strength() -> Strength {
    let thread = std::thread::Builder::new().spawn(|| Fence::default().close());
    let tried = thread.ok().and_then(|thread| thread.join().ok());
    tried.unwrap_or(Strength {
        files: false,
        network: false,
    })
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::BTreeMap;
    use std::io;
    use std::path::Path;

    use landlock::{
        ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd,
        Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus,
        Scope,
    };
    use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, openat};
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
        SeccompRule,
    };

    use super::{Fence, SYSTEM};

    /// The newest version whose rights are all asked for; an older system
    /// gives what it has.
    const NEWEST: ABI = ABI::V6;

    /// The first one that keeps files from being emptied. With less, nothing is
    /// claimed to be out of reach.
    const LEAST: ABI = ABI::V3;

    pub(super) fn keep_from_files(fence: &Fence) -> bool {
        matches!(restrict(fence), Ok(true))
    }

    fn restrict(fence: &Fence) -> Result<bool, RulesetError> {
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(LEAST))?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .no_new_privs(true);
        let read = AccessFs::from_read(NEWEST) & !AccessFs::Execute;
        for path in SYSTEM {
            rules = allow(rules, Path::new(path), read)?;
        }
        for path in &fence.read {
            rules = allow(rules, path, read)?;
        }
        for path in &fence.start {
            rules = allow(rules, path, read | AccessFs::Execute)?;
        }
        let write = AccessFs::ReadFile
            | AccessFs::ReadDir
            | AccessFs::WriteFile
            | AccessFs::Truncate
            | AccessFs::MakeReg
            | AccessFs::RemoveFile;
        let null = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate;
        rules = allow(rules, Path::new("/dev/null"), null)?;
        for path in &fence.write {
            rules = allow_itself(rules, path, write)?;
        }
        let status = rules.restrict_self()?;
        Ok(status.ruleset != RulesetStatus::NotEnforced)
    }

    /// A file that is not there is told of by whoever then opens it.
    fn allow(
        rules: RulesetCreated,
        path: &Path,
        access: BitFlags<AccessFs>,
    ) -> Result<RulesetCreated, RulesetError> {
        let Ok(file) = PathFd::new(path) else {
            return Ok(rules);
        };
        // What is a right on folders alone is refused for a file.
        let access = match path.is_dir() {
            true => access,
            false => access & AccessFs::from_file(NEWEST),
        };
        rules.add_rule(PathBeneath::new(file, access))
    }

    /// As [`allow`]; a link, which leads to another file than the result, is not followed.
    fn allow_itself(
        rules: RulesetCreated,
        path: &Path,
        access: BitFlags<AccessFs>,
    ) -> Result<RulesetCreated, RulesetError> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(file) = openat(CWD, path, flags, Mode::empty()) else {
            return Ok(rules);
        };
        let kind = fstat(&file).map(|data| FileType::from_raw_mode(data.st_mode));
        let access = match kind {
            Ok(FileType::Directory) => access,
            Ok(FileType::RegularFile) => access & AccessFs::from_file(NEWEST),
            _ => return Ok(rules),
        };
        rules.add_rule(PathBeneath::new(file, access))
    }

    pub(super) fn keep_from_network() -> bool {
        filter().is_some_and(|filter| seccompiler::apply_filter(&filter).is_ok())
    }

    /// Calls that no work on media takes: sockets of any kind, and ways around
    /// them; looking into other processes, changing what they may, and ending them
    /// (which older versions of Landlock do not see to).
    const REFUSED: [libc::c_long; 19] = [
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_io_uring_setup,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_getfd,
        libc::SYS_bpf,
        libc::SYS_userfaultfd,
        libc::SYS_perf_event_open,
        libc::SYS_mount,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_kill,
        libc::SYS_tkill,
        libc::SYS_pidfd_send_signal,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
    ];

    /// Added to a call's number, it is the same call of another kind of programs (x32),
    /// which kernels may take from any program.
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
    const OTHERWISE: Option<i64> = Some(0x4000_0000);
    #[cfg(not(all(target_arch = "x86_64", target_pointer_width = "64")))]
    const OTHERWISE: Option<i64> = None;

    /// Those of [`REFUSED`] that have other numbers there: `ptrace`, `rt_sigqueueinfo`,
    /// `rt_tgsigqueueinfo`, `process_vm_readv`, `process_vm_writev` (Linux's `syscall_64.tbl`).
    const NUMBERED_OTHERWISE: [i64; 5] = [521, 524, 536, 539, 540];

    /// A signal to a thread of another process: to its own, a process sends them where it aborts.
    fn signal_to_others() -> Option<Vec<SeccompRule>> {
        let own = u64::from(std::process::id());
        let other =
            SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, own).ok()?;
        Some(vec![SeccompRule::new(vec![other]).ok()?])
    }

    fn filter() -> Option<BpfProgram> {
        let refused = REFUSED.iter().map(|call| (*call, vec![]));
        let mut refused: BTreeMap<i64, Vec<SeccompRule>> = refused.collect();
        refused.insert(libc::SYS_tgkill, signal_to_others()?);
        if let Some(otherwise) = OTHERWISE {
            let calls = REFUSED.iter().chain(&NUMBERED_OTHERWISE);
            let calls = calls.chain(&[libc::SYS_tgkill]);
            refused.extend(calls.map(|call| (otherwise | call, vec![])));
        }
        let error = io::Error::from_raw_os_error(libc::EACCES).raw_os_error()?;
        let filter = SeccompFilter::new(
            refused,
            SeccompAction::Allow,
            SeccompAction::Errno(error.unsigned_abs()),
            std::env::consts::ARCH.try_into().ok()?,
        );
        filter.ok()?.try_into().ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod linux {
    use super::Fence;

    pub(super) fn keep_from_files(_: &Fence) -> bool {
        false
    }

    pub(super) fn keep_from_network() -> bool {
        false
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::path::Path;

    use super::*;

    /// Runs `look` on a thread behind the fence; `None` where there is none here.
    fn behind<T: Send + 'static>(
        fence: Fence,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let looked = std::thread::spawn(move || {
            let strength = fence.close();
            (strength.files && strength.network).then(look)
        });
        let looked = looked.join().unwrap();
        if looked.is_none() {
            eprintln!("skipped: this system has no fences");
        }
        looked
    }

    fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn files_within_are_reached_and_others_are_not() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for name in ["mine", "result", "secret"] {
            fs::write(path(name), name).unwrap();
        }
        std::os::unix::fs::symlink(path("secret"), path("planted")).unwrap();
        fs::create_dir(path("pictures")).unwrap();
        let fence = Fence {
            read: vec![path("mine"), path("missing")],
            write: vec![path("result"), path("pictures"), path("planted")],
            ..Fence::default()
        };
        let inside = root.path().to_owned();
        let denied = Some(ErrorKind::PermissionDenied);
        behind(fence, move || {
            let path = |name: &str| inside.join(name);
            assert_eq!(fs::read_to_string(path("mine")).unwrap(), "mine");
            assert_eq!(kind(fs::read(path("missing"))), Some(ErrorKind::NotFound));
            fs::write(path("result"), "done").unwrap();
            fs::write(path("pictures/1.jpg"), "done").unwrap();
            fs::remove_file(path("pictures/1.jpg")).unwrap();
            fs::write("/dev/null", "gone").unwrap();
            assert_eq!(kind(fs::read(path("secret"))), denied);
            assert_eq!(kind(fs::write(path("planted"), "")), denied);
            assert_eq!(kind(fs::write(path("mine"), "")), denied);
            assert_eq!(kind(fs::write(path("new"), "")), denied);
            assert_eq!(kind(fs::read("/etc/passwd")), denied);
            assert_eq!(kind(fs::read_dir(&inside)), denied);
            let started = std::process::Command::new("/bin/true").status();
            assert_eq!(kind(started), denied);
        });
        assert_eq!(fs::read_to_string(path("mine")).unwrap(), "mine");
        // Whoever did not close one is behind none.
        assert!(fs::read_dir(root.path()).is_ok());
    }

    #[test]
    fn other_processes_get_no_signals_and_its_own_threads_do() {
        use rustix::process::{Pid, Signal, getpid, kill_process};
        let mut other = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let id = Pid::from_child(&other);
        behind(Fence::default(), move || {
            let denied = Some(ErrorKind::PermissionDenied);
            let killed = |id| kind(kill_process(id, Signal::KILL).map_err(Into::into));
            assert_eq!(killed(id), denied);
            assert_eq!(
                kind(kill_process(getpid(), Signal::CONT).map_err(Into::into)),
                denied
            );
            // As `abort` does.
            signal_hook::low_level::raise(signal_hook::consts::SIGCONT).unwrap();
        });
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn there_is_no_network_of_any_kind() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = server.local_addr().unwrap();
        behind(Fence::default(), move || {
            let denied = Some(ErrorKind::PermissionDenied);
            assert_eq!(kind(std::net::TcpStream::connect(address)), denied);
            assert_eq!(kind(std::net::UdpSocket::bind("127.0.0.1:0")), denied);
            let socket = Path::new("/run/some.socket");
            assert_eq!(
                kind(std::os::unix::net::UnixStream::connect(socket)),
                denied
            );
        });
    }
}
