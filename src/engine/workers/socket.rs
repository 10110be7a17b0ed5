//! Bytes, and files among them: how the program hands an open file to a worker.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// Sends the beginning of `line` with `file`; returns how many bytes.
///
/// # Errors
/// If the other side is gone, or does not read for as long as the socket waits.
pub(super) fn send(socket: &UnixStream, line: &[u8], file: &File) -> io::Result<usize> {
    let files = [file.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&files));
    let sent = sendmsg(
        socket,
        &[IoSlice::new(line)],
        &mut control,
        SendFlags::empty(),
    )?;
    Ok(sent)
}

/// The end at which files arrive.
pub(super) struct Socket {
    socket: OwnedFd,
    files: VecDeque<OwnedFd>,
}

impl From<OwnedFd> for Socket {
    fn from(socket: OwnedFd) -> Self {
        Self {
            socket,
            files: VecDeque::new(),
        }
    }
}

impl Socket {
    /// Whether something can be read without waiting for it; `buffered` tells
    /// whether some was read already.
    pub(super) fn has_more(&self, buffered: bool) -> bool {
        let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
        let now = Timespec::default();
        buffered || poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
    }

    /// The file that came with what was read last.
    pub(super) fn next_file(&mut self) -> Option<File> {
        self.files.pop_front().map(File::from)
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(buffer)],
            &mut control,
            flags(),
        );
        let received = match received {
            Ok(received) => received,
            // Whoever has but a pipe can send lines, and no files.
            Err(rustix::io::Errno::NOTSOCK) => return Ok(rustix::io::read(&self.socket, buffer)?),
            Err(error) => return Err(error.into()),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = message {
                self.files.extend(files);
            }
        }
        Ok(received.bytes)
    }
}

/// Files that arrive are not for programs that are started later.
fn flags() -> RecvFlags {
    #[cfg(target_os = "linux")]
    return RecvFlags::CMSG_CLOEXEC;
    #[cfg(not(target_os = "linux"))]
    RecvFlags::empty()
}
