//! What people and programs are told: results on standard output by [`out!`],
//! progress and messages on standard error by [`say!`].
//!
//! Each line is written whole. A reader that went away (`rushes … | head`) is no
//! error: the rest is not told, and the work goes on.
//!
//! [`out!`]: crate::out
//! [`say!`]: crate::say!

use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

use crate::error::{Error, Result};

/// What kept a line from standard output, where its reader is there.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints a line on standard output, as `println!` does.
#[macro_export]
macro_rules! out {
    () => { $crate::say::line_out(::core::format_args!("")) };
    ($($told:tt)+) => { $crate::say::line_out(::core::format_args!($($told)+)) };
}

/// Prints a line on standard error, as `eprintln!` does.
#[macro_export]
macro_rules! say {
    ($($told:tt)+) => { $crate::say::line_err(::core::format_args!($($told)+)) };
}

/// Writes a line to standard output; what goes wrong is told by [`all_told`].
pub fn line_out(told: fmt::Arguments) {
    if let Err(error) = write(&mut io::stdout().lock(), told)
        && error.kind() != ErrorKind::BrokenPipe
    {
        let _ = LOST.set(error);
    }
}

/// Writes a line to standard error. Where that fails there is nowhere to say so.
pub fn line_err(told: fmt::Arguments) {
    let _ = write(&mut io::stderr().lock(), told);
}

/// Whether all of standard output was taken, as far as its reader wanted it.
///
/// # Errors
/// Where a line could not be written, such as to a disk that is full.
pub fn all_told() -> Result<()> {
    match LOST.get() {
        None => Ok(()),
        Some(error) => Err(Error::failed("cannot write to standard output")
            .because(error)
            .cure("make room, or send the output elsewhere")),
    }
}

fn write(to: &mut impl Write, told: fmt::Arguments) -> io::Result<()> {
    to.write_all(format!("{told}\n").as_bytes())?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts how often it is written to.
    #[derive(Default)]
    struct Writes(Vec<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_is_written_at_once_and_not_in_pieces() {
        let mut to = Writes::default();
        write(&mut to, format_args!("{} of {}", 1, "two")).unwrap();
        assert_eq!(to.0, [b"1 of two\n"]);
    }
}
