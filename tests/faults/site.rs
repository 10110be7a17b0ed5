//! Where a call is made: by which thread, and on which file.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};

use nix::unistd::Pid;

use crate::registers::Call;

/// One call in words, which also tells places in the program apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    /// The name of the thread.
    pub thread: String,
    pub call: &'static str,
    /// The path or descriptor; empty if the call has none.
    pub place: String,
}

impl Site {
    pub fn of(pid: Pid, call: &Call, name: &'static str) -> Self {
        let thread = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        Self {
            thread: thread.trim_end().to_owned(),
            call: name.trim_start_matches("SYS_"),
            place: place(pid, call, name).unwrap_or_default(),
        }
    }

    /// The same for all calls of the same place: numbers and shared libraries count as equal.
    pub fn key(&self) -> String {
        let library = self.place.contains(".so") || self.place.starts_with("/usr/lib");
        let place = if library { "library" } else { &self.place };
        let hidden = place.split('.').map(|word| match word.len() == 8 {
            true if word.bytes().all(|byte| byte.is_ascii_hexdigit()) => "#",
            _ => word,
        });
        let text = format!(
            "{} {} {}",
            self.thread,
            self.call,
            hidden.collect::<Vec<_>>().join(".")
        );
        let mut key = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '0'..='9' if key.ends_with('#') => {}
                '0'..='9' => key.push('#'),
                _ => key.push(letter),
            }
        }
        key
    }
}

impl std::fmt::Display for Site {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} by '{}'", self.call, self.place, self.thread)
    }
}

fn place(pid: Pid, call: &Call, name: &str) -> Option<String> {
    let path = |index: usize| text_at(pid, call.argument(index));
    let descriptor = |index: usize| {
        let number = call.argument(index) as i32;
        let link = fs::read_link(format!("/proc/{pid}/fd/{number}")).ok();
        link.map(|link| link.display().to_string())
    };
    match name.trim_start_matches("SYS_") {
        "open" | "creat" | "rename" | "link" | "symlink" | "unlink" | "rmdir" | "mkdir"
        | "stat" | "lstat" | "statfs" | "access" | "readlink" | "chmod" | "chown" | "execve"
        | "setxattr" => path(0),
        "openat" | "openat2" | "renameat" | "renameat2" | "linkat" | "unlinkat" | "mkdirat"
        | "newfstatat" | "statx" | "faccessat" | "faccessat2" | "readlinkat" | "fchmodat"
        | "fchownat" | "utimensat" => path(1).filter(|path| !path.is_empty()).or(descriptor(0)),
        "mmap" => descriptor(4),
        "brk" | "mremap" | "mprotect" | "clone" | "clone3" | "fork" | "vfork" | "wait4"
        | "waitid" | "poll" | "ppoll" | "pipe2" | "socketpair" | "eventfd2" | "memfd_create" => {
            None
        }
        _ => descriptor(0),
    }
}

/// The text at `address` in the memory of `pid`, up to its zero.
fn text_at(pid: Pid, address: u64) -> Option<String> {
    let mut memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    memory.seek(SeekFrom::Start(address)).ok()?;
    let mut bytes = Vec::new();
    let mut piece = [0; 64];
    while bytes.len() < 4096 && !bytes.contains(&0) {
        let count = memory.read(&mut piece).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    }
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}
