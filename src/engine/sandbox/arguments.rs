//! A sandbox as arguments of `rushes-child`, written and read in one place:
//! `KIND STRENGTH N READ… N START… N WRITE…`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::{Kind, Sandbox, Strength};

impl Sandbox {
    /// As arguments, with the strength that it must have.
    #[allow(dead_code, reason = "the small child reads them")]
    pub fn arguments(&self, least: Strength) -> Vec<OsString> {
        let mut arguments = vec![kind_name(self.kind).into(), strength_name(least).into()];
        for paths in [&self.read, &self.start, &self.write] {
            arguments.push(paths.len().to_string().into());
            arguments.extend(paths.iter().map(OsString::from));
        }
        arguments
    }

    /// As [`Sandbox::arguments`] gives them, and what comes after them.
    #[allow(dead_code, reason = "the program writes them")]
    pub fn of_arguments(arguments: &[OsString]) -> Option<(Self, Strength, &[OsString])> {
        let [kind, strength, rest @ ..] = arguments else {
            return None;
        };
        let all = [Kind::Worker, Kind::Program, Kind::Script];
        let kind = all.into_iter().find(|one| kind_name(*one) == kind)?;
        let least = strengths().find(|one| strength_name(*one) == strength)?;
        let (read, rest) = list(rest)?;
        let (start, rest) = list(rest)?;
        let (write, rest) = list(rest)?;
        let sandbox = Self {
            kind,
            read,
            start,
            write,
        };
        Some((sandbox, least, rest))
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Worker => "worker",
        Kind::Program => "program",
        Kind::Script => "script",
    }
}

fn strength_name(strength: Strength) -> &'static str {
    match (strength.files, strength.calls) {
        (true, true) => "files+calls",
        (true, false) => "files",
        (false, true) => "calls",
        (false, false) => "any",
    }
}

fn strengths() -> impl Iterator<Item = Strength> {
    let both = [true, false];
    let all = both.map(|files| both.map(|calls| Strength { files, calls }));
    all.into_iter().flatten()
}

fn list(arguments: &[OsString]) -> Option<(Vec<PathBuf>, &[OsString])> {
    let (count, rest) = arguments.split_first()?;
    let count = number(count)?;
    let (paths, rest) = rest.split_at_checked(count)?;
    Some((paths.iter().map(PathBuf::from).collect(), rest))
}

fn number(text: &OsStr) -> Option<usize> {
    text.to_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_arrives_as_it_was_sent() {
        let sandbox = Sandbox {
            kind: Kind::Script,
            read: vec!["a b".into(), "c".into()],
            start: vec![],
            write: vec!["-d".into()],
        };
        for least in strengths() {
            let mut arguments = sandbox.arguments(least);
            arguments.push("ffmpeg".into());
            let (read, strength, rest) = Sandbox::of_arguments(&arguments).unwrap();
            assert_eq!((read, strength), (sandbox.clone(), least));
            assert_eq!(rest, ["ffmpeg"]);
        }
    }

    #[test]
    fn arguments_that_are_cut_off_are_none() {
        let least = Strength {
            files: true,
            calls: true,
        };
        let arguments = Sandbox::default().arguments(least);
        for length in 0..arguments.len() {
            assert!(Sandbox::of_arguments(&arguments[..length]).is_none());
        }
        let many = ["program", "any", "18446744073709551615", "a"].map(OsString::from);
        assert!(Sandbox::of_arguments(&many).is_none());
    }
}
