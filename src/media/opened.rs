//! An open file. Errors of the system while it is read are no damage of the file: they are
//! tried again, and then remembered, since libav takes most of them for the file's end.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom, Write};
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::time::Duration;

use super::files::{self, Access};
use super::structure::{Fault, Structure};

/// Pauses before a failed read is tried again: a network drive may be back after a second.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(750),
];

/// A file in the hands of libav.
pub(super) struct Opened<F = File> {
    file: F,
    /// The position of the next read.
    at: u64,
    structure: Structure,
    /// The error that ended the reading.
    failure: Option<io::Error>,
}

/// Opens a file; where that is to read it, errors that may pass are tried again.
pub(super) fn open(path: &Path, access: Access) -> io::Result<File> {
    match access {
        Access::Read => try_again(|| files::open(path, access), may_pass),
        _ => files::open(path, access),
    }
}

/// Whether an error is one of the system's state, and not about the name that was opened.
fn may_pass(error: &io::Error) -> bool {
    let passing = [
        libc::EIO,
        libc::ESTALE,
        libc::ETIMEDOUT,
        libc::ENOMEM,
        libc::EMFILE,
        libc::ENFILE,
        libc::EAGAIN,
    ];
    error
        .raw_os_error()
        .is_some_and(|code| passing.contains(&code))
}

/// Calls `work` until it succeeds, or has failed too often with errors that `may_pass`.
fn try_again<T>(
    mut work: impl FnMut() -> io::Result<T>,
    may_pass: impl Fn(&io::Error) -> bool,
) -> io::Result<T> {
    let mut pauses = PAUSES.iter();
    loop {
        match work() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if may_pass(&error) => match pauses.next() {
                Some(pause) => std::thread::sleep(*pause),
                None => return Err(error),
            },
            ended => return ended,
        }
    }
}

impl<F> Opened<F> {
    pub(super) fn new(file: F) -> Self {
        Self {
            file,
            at: 0,
            structure: Structure::default(),
            failure: None,
        }
    }

    /// The error because of which the file could not be read on.
    pub(super) fn failure(&self) -> Option<&io::Error> {
        self.failure.as_ref()
    }

    /// Places that were read so far where the file's structure is broken.
    pub(super) fn faults(&self) -> &[Fault] {
        self.structure.faults()
    }

    fn keep(&mut self, error: io::Error) -> io::Error {
        let known = error.raw_os_error();
        let copy = known.map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
        self.failure.get_or_insert(copy);
        error
    }
}

impl Opened<File> {
    /// The file's length in bytes.
    pub(super) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// What is missing at the end of a file that was read to its end: bytes, and a fault where
    /// its last part is incomplete.
    pub(super) fn ending(&self) -> (u64, Option<Fault>) {
        let length = self.length();
        length.map_or((0, None), |length| self.structure.end(length))
    }
}

/// Something to read from into memory that need not have been written to.
pub(super) trait Source {
    /// Reads into the beginning of `buffer`, passes what is there now to `see`, and returns its
    /// length.
    ///
    /// # Errors
    /// The system's.
    fn read_into(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        see: &mut dyn FnMut(&[u8]),
    ) -> io::Result<usize>;
}

impl Source for File {
    fn read_into(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        see: &mut dyn FnMut(&[u8]),
    ) -> io::Result<usize> {
        let place = buffer.as_mut_ptr().cast::<u8>();
        // SAFETY: the buffer has room for as many bytes, and is this function's alone.
        let count = unsafe { libc::read(self.as_raw_fd(), place.cast(), buffer.len()) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        // SAFETY: the system wrote as many bytes to its beginning.
        see(unsafe { std::slice::from_raw_parts(place, count) });
        Ok(count)
    }
}

impl<F: Source> Opened<F> {
    /// Reads into the beginning of `buffer`, and returns how many bytes.
    ///
    /// # Errors
    /// The system's, once it was tried again.
    pub(super) fn read(&mut self, buffer: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        let (file, structure, at) = (&mut self.file, &mut self.structure, self.at);
        // Once is enough: libav may read on, place by place.
        let is_first = self.failure.is_none();
        let mut see = |bytes: &[u8]| structure.see(at, bytes);
        match try_again(|| file.read_into(buffer, &mut see), |_| is_first) {
            Ok(count) => {
                self.at += count as u64;
                Ok(count)
            }
            Err(error) => Err(self.keep(error)),
        }
    }
}

impl<F: Seek> Seek for Opened<F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match self.file.seek(to) {
            Ok(at) => {
                self.at = at;
                Ok(at)
            }
            // A place before the file's beginning is libav's mistake.
            Err(error) if error.kind() == ErrorKind::InvalidInput => Err(error),
            Err(error) => Err(self.keep(error)),
        }
    }
}

impl<F: Write> Write for Opened<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails a number of reads.
    struct Failing(usize);

    impl Source for Failing {
        fn read_into(
            &mut self,
            _: &mut [MaybeUninit<u8>],
            _: &mut dyn FnMut(&[u8]),
        ) -> io::Result<usize> {
            match self.0.checked_sub(1) {
                Some(left) => {
                    self.0 = left;
                    Err(io::Error::from_raw_os_error(libc::EIO))
                }
                None => Ok(1),
            }
        }
    }

    #[test]
    fn a_read_that_fails_and_then_succeeds_is_no_failure() {
        let mut file = Opened::new(Failing(PAUSES.len()));
        assert_eq!(file.read(&mut [MaybeUninit::uninit()]).unwrap(), 1);
        assert!(file.failure().is_none());
    }

    #[test]
    fn a_read_that_fails_for_long_is_remembered() {
        let mut file = Opened::new(Failing(PAUSES.len() + 1));
        assert!(file.read(&mut [MaybeUninit::uninit()]).is_err());
        assert_eq!(file.read(&mut [MaybeUninit::uninit()]).unwrap(), 1);
        let failure = file.failure().unwrap();
        assert_eq!(failure.raw_os_error(), Some(libc::EIO));
    }
}
