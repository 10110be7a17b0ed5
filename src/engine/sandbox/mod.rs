//! What a process that opens hostile media may reach, once it has entered
//! this: a few files, and nothing else of the machine. The program and
//! its small child `rushes-child` both compile this folder.
//!
//! Landlock keeps it from files; seccomp leaves it the system calls that its work takes.
//! [`Strength`] says what of that the system has.

mod arguments;
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod calls;
#[cfg(target_os = "linux")]
mod files;

use std::path::PathBuf;
#[allow(unused_imports, reason = "the small child does not ask")]
use std::sync::OnceLock;

/// What is in a sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(dead_code, reason = "the small child becomes no worker")]
pub enum Kind {
    /// A process that is handed its files, and starts nothing.
    #[default]
    Worker,
    /// One that becomes a program, which opens its files by name.
    Program,
    /// One that becomes a script, which starts programs.
    Script,
}

/// What is within reach of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// What the process does.
    pub kind: Kind,
    /// Files to be read, or folders with all in them.
    pub read: Vec<PathBuf>,
    /// Programs to be started, or folders of them.
    pub start: Vec<PathBuf>,
    /// Files to be read and written, or folders in which files are made.
    pub write: Vec<PathBuf>,
}

/// What of a sandbox the system has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Strength {
    /// Whether other files are out of reach (Landlock).
    pub files: bool,
    /// Whether the network, other processes and the rest of the system are (seccomp).
    pub calls: bool,
}

impl Strength {
    /// Whether it has all that `other` has.
    pub fn covers(self, other: Self) -> bool {
        (self.files || !other.files) && (self.calls || !other.calls)
    }

    /// What cannot be kept out of reach here, in words; nothing where all can.
    #[allow(dead_code, reason = "the small child does not report")]
    pub fn missing(self) -> Option<&'static str> {
        match (self.files, self.calls) {
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

/// Where a program finds what it starts with: loader, libraries, or, where it
/// is a script that calls another, that one. What is started stays in the sandbox.
#[allow(dead_code, reason = "the small child is given them")]
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

impl Sandbox {
    /// Of a process that is handed its files: none is within reach, but
    /// those that a source may name where it is trusted.
    #[allow(dead_code, reason = "the small child is given its files")]
    pub fn of_a_worker(trust: bool) -> Self {
        Self {
            read: trust.then(|| PathBuf::from("/")).into_iter().collect(),
            ..Self::default()
        }
    }

    /// Puts this thread, and all that it starts from now on, into the sandbox;
    /// there is no way back. Returns what the system had of it.
    pub fn enter(&self) -> Strength {
        #[cfg(target_os = "linux")]
        return Strength {
            files: files::keep_to(self),
            #[cfg(target_pointer_width = "64")]
            calls: calls::keep_to(self.kind),
            #[cfg(not(target_pointer_width = "64"))]
            calls: false,
        };
        #[cfg(not(target_os = "linux"))]
        Strength::default()
    }
}

/// What the system has of a sandbox, found out by a thread that ends in one.
#[allow(dead_code, reason = "the small child does not ask")]
pub fn strength() -> Strength {
    static STRENGTH: OnceLock<Strength> = OnceLock::new();
    *STRENGTH.get_or_init(|| {
        let thread = std::thread::Builder::new().spawn(|| Sandbox::default().enter());
        let tried = thread.ok().and_then(|thread| thread.join().ok());
        tried.unwrap_or_default()
    })
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::fs;
    use std::io::ErrorKind;
    use std::path::Path;

    use super::*;

    /// Runs `look` on a thread in the sandbox; `None` where there is none here.
    fn sandboxed<T: Send + 'static>(
        mut sandbox: Sandbox,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // The one of a worker refuses calls that these tests use.
        sandbox.kind = Kind::Program;
        let looked = std::thread::spawn(move || {
            let strength = sandbox.enter();
            (strength.files && strength.calls).then(look)
        });
        let looked = looked.join().unwrap();
        if looked.is_none() {
            eprintln!("skipped: this system has no sandboxes");
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
        let sandbox = Sandbox {
            read: vec![path("mine"), path("missing")],
            write: vec![path("result"), path("pictures"), path("planted")],
            ..Sandbox::default()
        };
        let inside = root.path().to_owned();
        let denied = Some(ErrorKind::PermissionDenied);
        sandboxed(sandbox, move || {
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
        // Other threads are in none.
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
        sandboxed(Sandbox::default(), move || {
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
        sandboxed(Sandbox::default(), move || {
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
