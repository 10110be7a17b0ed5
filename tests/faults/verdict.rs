//! What must hold after a fault, and after the run that follows it.

use std::io;
use std::path::{Path, PathBuf};

use crate::calls::{Class, Fault, MEMORY_OF_LIBAV};
use crate::frames::decoded;
use crate::scene::{Ran, Scene};
use crate::snapshot::{Snapshot, is_hidden};
use crate::subject::Subject;
use crate::tree::End;

/// The undisturbed run.
pub struct Reference {
    pub before: Snapshot,
    pub after: Snapshot,
    /// What it makes under final names.
    finals: Vec<PathBuf>,
    sources: Vec<PathBuf>,
}

impl Reference {
    pub fn new(before: Snapshot, after: Snapshot) -> Self {
        let changed = |path: &&PathBuf| before.bytes(path) != after.bytes(path);
        let outside = |path: &&PathBuf| !is_hidden(path) && !path.starts_with("home");
        let finals = after.files.keys().filter(changed).filter(outside).cloned();
        Self {
            finals: finals.collect(),
            sources: Scene::sources().map(Path::to_owned).collect(),
            before,
            after,
        }
    }

    /// What a report holds differs from run to run.
    fn is_report(path: &Path) -> bool {
        path.ends_with("report.json")
    }

    fn results(&self) -> impl Iterator<Item = &PathBuf> {
        self.finals.iter().filter(|path| !Self::is_report(path))
    }

    /// Whether `path` has in `seen` what the undisturbed run put there.
    fn is_right(&self, path: &Path, seen: &Snapshot) -> io::Result<bool> {
        let (Some(seen), Some(wanted)) = (seen.bytes(path), self.after.bytes(path)) else {
            return Ok(false);
        };
        let is_json = |bytes| serde_json::from_slice::<serde_json::Value>(bytes).is_ok();
        Ok(match path.extension().and_then(|ending| ending.to_str()) {
            _ if seen == wanted => true,
            _ if Self::is_report(path) => is_json(seen),
            Some("mp4") => decoded(seen)? == decoded(wanted)?,
            _ => false,
        })
    }
}

/// A fault, for what is allowed after it.
pub struct Fallen {
    pub class: &'static Class,
    pub fault: Fault,
}

impl Fallen {
    /// Rust ends a program by a signal where no memory is left, and so may a C library.
    fn may_abort(&self) -> bool {
        matches!(self.class.name, "memory" | MEMORY_OF_LIBAV)
    }

    fn is_kill(&self) -> bool {
        self.fault == Fault::Kill
    }
}

/// Collects what is wrong after the disturbed run.
pub fn after_fault(
    reference: &Reference,
    subject: &Subject,
    fallen: &Fallen,
    ran: &Ran,
    seen: &Snapshot,
) -> io::Result<Vec<String>> {
    let mut wrong = after_any(ran);
    if leaves_out(fallen, ran) {
        return Ok(wrong);
    }
    let mut missing = 0;
    for path in &reference.finals {
        let is_old = reference.before.bytes(path) == seen.bytes(path);
        if reference.is_right(path, seen)? {
            continue;
        }
        missing += usize::from(!Reference::is_report(path));
        if !is_old {
            wrong.push(format!("'{}' is not whole", path.display()));
        }
    }
    for path in seen.names() {
        let known =
            reference.after.names().contains(path) || reference.before.names().contains(path);
        if !(known || is_hidden(path) || subject.replaces && is_source_beside(path)) {
            wrong.push(format!("'{}' has a final name", path.display()));
        }
    }
    for path in &reference.sources {
        if let Some(reason) = lost(reference, subject, (fallen, ran), path, seen)? {
            wrong.push(format!("the source '{}' {reason}", path.display()));
        }
    }
    let none = reference
        .results()
        .all(|path| seen.bytes(path) == reference.before.bytes(path));
    match ran.traced.end {
        End::Code(0) if missing > 0 => {
            wrong.push(format!("exit code 0, and {missing} results are missing"))
        }
        End::Code(2) if !none => wrong.push("exit code 2, and there are results".into()),
        End::Code(code) if code != 0 && ran.stderr.trim().is_empty() => {
            wrong.push(format!("exit code {code} without a message"));
        }
        End::Signal(signal) if !fallen.is_kill() && !fallen.may_abort() && !aborts(&ran.stderr) => {
            wrong.push(format!("ended by {signal}"));
        }
        _ => {}
    }
    Ok(wrong)
}

/// Whether a film lacks a picture that must not be read: a lasting property of the picture.
pub fn leaves_out(fallen: &Fallen, ran: &Ran) -> bool {
    fallen.fault.name() == "EACCES"
        && ran.traced.end == End::Code(1)
        && ran.stderr.contains("left out: cannot read the picture")
}

/// Whether the disturbed run did all of the work and left what an undisturbed one leaves, down
/// to the lines of its journal: then another run has nothing to do, and is left out most times.
pub fn is_settled(reference: &Reference, ran: &Ran, seen: &Snapshot) -> bool {
    let lines = |snapshot: &Snapshot| {
        let journals = snapshot
            .files
            .iter()
            .filter(|(path, _)| path.ends_with(".rushes/journal"));
        let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        journals
            .map(|(_, entry)| count(&entry.bytes))
            .collect::<Vec<_>>()
    };
    ran.traced.end == End::Code(0)
        && seen.names() == reference.after.names()
        && lines(seen) == lines(&reference.after)
}

/// Why a source counts as lost.
fn lost(
    reference: &Reference,
    subject: &Subject,
    (fallen, ran): (&Fallen, &Ran),
    path: &Path,
    seen: &Snapshot,
) -> io::Result<Option<&'static str>> {
    let Some(bytes) = reference.before.bytes(path) else {
        return Ok(None);
    };
    if seen.bytes(path) == Some(bytes) {
        return Ok(None);
    }
    if !subject.replaces || !path.starts_with("in") {
        return Ok(Some("is changed or gone"));
    }
    let mut aside = seen.files.iter().filter(|(path, _)| is_hidden(path));
    if aside.any(|(_, entry)| entry.bytes == bytes) {
        let is_named = ran.stderr.contains(".rushes-source'");
        return Ok((!fallen.is_kill() && !is_named).then_some("has a hidden name"));
    }
    let mut beside = seen.files.iter();
    let is_beside = beside.any(|(path, entry)| is_source_beside(path) && entry.bytes == bytes);
    if !seen.trashed(bytes) && !is_beside {
        return Ok(Some("is lost"));
    }
    let result = path.with_extension("mp4");
    let in_place = reference.is_right(&result, seen)?;
    Ok((!in_place).then_some("is moved, and its result is not in place"))
}

/// Collects what is wrong after the same command ran again, undisturbed.
pub fn after_second(reference: &Reference, ran: &Ran, seen: &Snapshot) -> io::Result<Vec<String>> {
    let mut wrong = after_any(ran);
    if ran.traced.end != End::Code(0) {
        wrong.push(format!("{:?}: {}", ran.traced.end, last_lines(&ran.stderr)));
    }
    for path in &reference.finals {
        if !reference.is_right(path, seen)? {
            wrong.push(format!("'{}' is missing or not whole", path.display()));
        } else if let (Some(seen), Some(wanted)) =
            (seen.files.get(path), reference.after.files.get(path))
            && !Reference::is_report(path)
            && (seen.mode != wanted.mode
                || is_kept(wanted.modified) && seen.modified != wanted.modified)
        {
            wrong.push(format!(
                "'{}' has other permissions or another date",
                path.display()
            ));
        }
    }
    for path in seen.names().difference(&reference.after.names()) {
        wrong.push(format!("'{}' is left over", path.display()));
    }
    for path in reference.after.names().difference(&seen.names()) {
        wrong.push(format!("'{}' is missing", path.display()));
    }
    for path in &reference.sources {
        let Some(bytes) = reference.before.bytes(path) else {
            continue;
        };
        let is_there = seen.bytes(path) == Some(bytes);
        if reference.after.bytes(path) == Some(bytes) && !is_there {
            wrong.push(format!("the source '{}' is gone", path.display()));
        }
        if reference.after.trashed(bytes) && !seen.trashed(bytes) {
            wrong.push(format!(
                "the source '{}' is not in the trash",
                path.display()
            ));
        }
    }
    Ok(wrong)
}

/// The name of a source between its place, which its result has, and the trash.
fn is_source_beside(path: &Path) -> bool {
    path.to_string_lossy().contains(" (before rushes)")
}

/// Dates of sources are long ago; others are those of the run.
fn is_kept(modified: i64) -> bool {
    modified < 1_600_000_000
}

fn after_any(ran: &Ran) -> Vec<String> {
    let mut wrong = vec![];
    if let Some(seen) = &ran.traced.hung {
        wrong.push(format!("hangs: {seen}"));
    }
    if let Some(seen) = &ran.traced.outlived {
        wrong.push(format!("processes run on: {seen}"));
    }
    if ran.traced.end == End::Code(101) || panics(&ran.stderr) {
        wrong.push(format!("panics: {}", last_lines(&ran.stderr)));
    }
    wrong
}

/// Whether code of ours panics. Rust's library does so before a thread runs any code, if there
/// is no memory for its second stack; then it ends the program.
fn panics(stderr: &str) -> bool {
    const NO_STACK: [&str; 2] = [
        "failed to allocate an alternative stack",
        "failed to set up alternative stack guard page",
    ];
    let no_stack = NO_STACK.map(|words| stderr.matches(words).count());
    stderr.matches("panicked at").count() > no_stack.iter().sum()
}

/// Whether a library that libav needs ends the process while it is loaded.
fn aborts(stderr: &str) -> bool {
    stderr.starts_with("FATAL: ") && stderr.contains(" in libgcrypt: ")
}

/// The end of what was printed.
pub fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(4)..].join(" | ")
}
