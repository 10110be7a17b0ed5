//! Messages of a worker, read by the thread that waits for them: handing them on
//! from another one would cost a change of threads each.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::protocol::{self, Answer};

/// The end at which a worker's messages arrive.
pub(super) struct Inbox {
    from: BufReader<UnixStream>,
    // What has arrived of a message.
    line: Vec<u8>,
}

/// What came within the time that was waited.
pub(super) enum Arrived {
    Answer(Answer),
    Nothing,
    /// There will be no more.
    End,
}

impl Inbox {
    /// Messages of `socket`; each is waited for so long.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn of(socket: UnixStream, wait: Duration) -> io::Result<Self> {
        socket.set_read_timeout(Some(wait))?;
        Ok(Self {
            from: BufReader::new(socket),
            line: vec![],
        })
    }

    /// Whether something has arrived, whole or not.
    pub(super) fn has_more(&self) -> bool {
        let mut fds = [PollFd::new(self.from.get_ref(), PollFlags::IN)];
        let now = Timespec::default();
        let mut has_arrived = || poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0);
        !self.line.is_empty() || !self.from.buffer().is_empty() || has_arrived()
    }

    /// The next message.
    ///
    /// # Errors
    /// Where a line is too long, torn, or no message.
    pub(super) fn next(&mut self) -> io::Result<Arrived> {
        let room = (protocol::LONGEST + 1).saturating_sub(self.line.len() as u64);
        match self
            .from
            .by_ref()
            .take(room)
            .read_until(b'\n', &mut self.line)
        {
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(Arrived::Nothing);
            }
            Err(error) => return Err(error),
        }
        let line = std::mem::take(&mut self.line);
        match protocol::read(&mut line.as_slice())? {
            Some(answer) => Ok(Arrived::Answer(answer)),
            None => Ok(Arrived::End),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_message_that_comes_in_pieces_is_one_and_a_torn_one_is_none() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut inbox = Inbox::of(ours, Duration::from_millis(1)).unwrap();
        assert!(matches!(inbox.next().unwrap(), Arrived::Nothing));
        let line = protocol::line(&Answer::Alive).unwrap();
        let (begin, end) = line.split_at(3);
        theirs.write_all(begin).unwrap();
        assert!(matches!(inbox.next().unwrap(), Arrived::Nothing));
        theirs.write_all(end).unwrap();
        theirs.write_all(begin).unwrap();
        let arrived = inbox.next().unwrap();
        assert!(matches!(arrived, Arrived::Answer(Answer::Alive)));
        drop(theirs);
        assert!(inbox.next().is_err());
    }

    #[test]
    fn the_end_is_told() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let mut inbox = Inbox::of(ours, Duration::from_secs(5)).unwrap();
        drop(theirs);
        assert!(matches!(inbox.next().unwrap(), Arrived::End));
    }
}
