//! What went wrong, with which file or flag, and the cure.

use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::terminal::shown_lines;

/// Who has to act on an error; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The command line or its inputs are wrong: nothing was started (exit 2).
    Usage,
    /// Work was started and failed (exit 1).
    Failed,
    /// The system could not read a file, whatever the file holds (exit 1).
    Unreadable,
    /// The user or the system asked to stop (exit 130 or 143).
    Interrupted,
}

/// One error: a sentence, its cure where there is one, and the chain of causes.
///
/// Messages are lower-case fragments that name the file or the flag.
#[derive(Debug)]
pub struct Error {
    kind: Kind,
    message: String,
    cure: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of everything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The command line or what it names is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// Work failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Work was stopped on request.
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "stopped on request")
    }

    /// The system could not read the file at `path`: a disk, the network or memory failed.
    pub fn unreadable(path: &Path, cause: &io::Error) -> Self {
        if cause.kind() == io::ErrorKind::OutOfMemory {
            return Self::out_of_memory(&format!("read '{}'", path.display()));
        }
        let message = format!("cannot read '{}': {}", path.display(), in_words(cause));
        Self::new(Kind::Unreadable, message).cure(
            "run the same command again; if it fails again, check the disk or the network, \
             and copy the file with a program such as ddrescue",
        )
    }

    /// There is no memory to do `what`: the source may be whole, and is read again.
    pub fn out_of_memory(what: &str) -> Self {
        let message = format!("failed to {what}: Cannot allocate memory");
        Self::new(Kind::Unreadable, message)
            .cure("run the same command again with fewer --jobs, or with a higher limit of memory")
    }

    fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            cure: None,
            source: None,
        }
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// Who has to act.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether the error says nothing about what a file holds, and so must not be taken for
    /// damage of the file.
    pub fn is_no_damage(&self) -> bool {
        matches!(self.kind, Kind::Unreadable | Kind::Interrupted)
    }

    /// The message, its causes and the cure as the lines a terminal shows.
    pub fn report(&self) -> String {
        let mut text = self.chain();
        if let Some(cure) = &self.cure {
            text.push_str("\n  → ");
            text.push_str(cure);
        }
        shown_lines(&text)
    }

    /// The message, its causes and the cure on one line, for lists of failures.
    pub fn line(&self) -> String {
        match &self.cure {
            Some(cure) => format!("{} → {cure}", self.chain()),
            None => self.chain(),
        }
    }

    /// The message and its causes on one line.
    pub fn chain(&self) -> String {
        let mut text = self.message.clone();
        let mut next = std::error::Error::source(self);
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text.push_str(": ");
                text.push_str(&cause_text);
            }
            next = cause.source();
        }
        text
    }
}

/// Whether an error of the system may be gone the next time: that of a disk, a network, or a
/// limit. A file that is missing or must not be read stays so.
pub fn may_pass(error: &io::Error) -> bool {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
    let stays = [NotFound, PermissionDenied, IsADirectory, NotADirectory];
    let is_loop = error.raw_os_error() == Some(libc::ELOOP);
    error.raw_os_error().is_some() && !stays.contains(&error.kind()) && !is_loop
}

/// The system's words for an error, without its number.
fn in_words(error: &io::Error) -> String {
    let words = error.to_string();
    match words.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => words,
    }
}

/// An error as data, for another process: its causes are part of its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Who has to act.
    pub kind: Kind,
    /// The message and its causes.
    pub message: String,
    /// What the reader can do about it.
    pub cure: Option<String>,
}

impl From<&Error> for Told {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind,
            message: error.chain(),
            cure: error.cure.clone(),
        }
    }
}

impl Told {
    /// As the error of a job: a worker cannot tell that the command is wrong, or was stopped.
    pub(crate) fn of_a_worker(mut self) -> Error {
        if self.kind != Kind::Unreadable {
            self.kind = Kind::Failed;
        }
        self.into()
    }
}

impl From<Told> for Error {
    fn from(told: Told) -> Self {
        Self {
            cure: told.cure,
            ..Self::new(told.kind, told.message)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|cause| cause as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_message_causes_and_cure_once_each() {
        let error = Error::failed("cannot read 'a.mp4'")
            .because(std::io::Error::other("disk on fire"))
            .cure("call the fire brigade");
        assert_eq!(
            error.report(),
            "cannot read 'a.mp4': disk on fire\n  → call the fire brigade"
        );
        assert_eq!(error.kind(), Kind::Failed);
    }

    #[test]
    fn an_error_that_comes_from_another_process_reads_the_same() {
        let error = Error::usage("cannot read 'a.mp4'")
            .because(std::io::Error::other("disk on fire"))
            .cure("call the fire brigade");
        let arrived = Error::from(Told::from(&error));
        assert_eq!(arrived.report(), error.report());
        assert_eq!(arrived.line(), error.line());
        assert_eq!(arrived.kind(), error.kind());
    }
}
