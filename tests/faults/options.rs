//! The command line.

use std::time::Duration;

use crate::subject::{SUBJECTS, Subject};
use crate::tree::Injection;

const HELP: &str = "\
usage: scripts/faults [COMMAND…] [OPTIONS]

Makes system calls of rushes fail, one in each run, and checks what is left.

COMMAND is convert, split, replace, frames or slideshow, or one with its dispatch, such as
convert/workers. Without one, all are tested.

  --most N     faults for each command, class of calls and error (default: 40)
  --sample N   take only N faults of each command with its dispatch, in random order
  --seconds N  start no fault after that time, of which each command gets its share
  --class C    only faults of this class, such as read; may be repeated
  --without C  no faults of this class; may be repeated
  --seed N     choose other calls (default: 1)
  --only X     one fault, as a violation names it: COMMAND/DISPATCH/CLASS/ERROR/NUMBER
  --times N    repeat that N times (default: 1)
  --lanes N    runs side by side (default: the number of cores)
  --late S     a run hangs after this number of seconds (default: 20)
  --list       print the calls of an undisturbed run
  --verbose    print every fault";

pub struct Options {
    commands: Vec<String>,
    classes: Vec<String>,
    without: Vec<String>,
    pub most: usize,
    pub sample: Option<usize>,
    pub seconds: Option<u64>,
    pub seed: u64,
    pub only: Option<(&'static Subject, Injection)>,
    pub times: usize,
    pub lanes: usize,
    pub late: Duration,
    pub list: bool,
    pub verbose: bool,
}

impl Options {
    /// # Errors
    /// Returns what to print if there is nothing to run.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut options = Self {
            commands: vec![],
            classes: vec![],
            without: vec![],
            most: 40,
            sample: None,
            seconds: None,
            seed: 1,
            only: None,
            times: 1,
            lanes: cores,
            late: Duration::from_secs(20),
            list: false,
            verbose: false,
        };
        while let Some(word) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{word} needs a value"));
            match word.as_str() {
                "--most" => options.most = number(&value()?)?,
                "--sample" => options.sample = Some(number(&value()?)?),
                "--seconds" => options.seconds = Some(number(&value()?)?),
                "--seed" => options.seed = number(&value()?)?,
                "--times" => options.times = number(&value()?)?,
                "--lanes" => options.lanes = number::<usize>(&value()?)?.max(1),
                "--late" => options.late = Duration::from_secs(number(&value()?)?),
                "--class" => options.classes.push(value()?),
                "--without" => options.without.push(value()?),
                "--only" => options.only = Some(only(&value()?)?),
                "--list" => options.list = true,
                "--verbose" => options.verbose = true,
                flag if flag.starts_with('-') => return Err(HELP.into()),
                _ => options.commands.push(word),
            }
        }
        let known = |word: &String| SUBJECTS.iter().any(|subject| covers(word, subject.name));
        match options.commands.iter().find(|word| !known(word)) {
            Some(word) => Err(format!("'{word}' is no command to test\n\n{HELP}")),
            None => Ok(options),
        }
    }

    /// Whether the command `name` is to be tested.
    pub fn takes(&self, name: &str) -> bool {
        self.commands.is_empty() || self.commands.iter().any(|word| covers(word, name))
    }

    pub fn takes_class(&self, name: &str) -> bool {
        let is_in = |classes: &[String]| classes.iter().any(|class| class == name);
        !is_in(&self.without) && (self.classes.is_empty() || is_in(&self.classes))
    }
}

/// Whether `word` means the command `name`: all of it, or what is before its dispatch.
fn covers(word: &str, name: &str) -> bool {
    name == word || name.split('/').next() == Some(word)
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse()
        .map_err(|_| format!("'{word}' is not a number"))
}

fn only(word: &str) -> Result<(&'static Subject, Injection), String> {
    let words: Vec<&str> = word.split('/').collect();
    let subject = words.len().checked_sub(3).and_then(|at| {
        let name = words[..at].join("/");
        let subject = SUBJECTS.iter().find(|subject| subject.name == name)?;
        Some((subject, Injection::parse(&words[at..])?))
    });
    subject.ok_or_else(|| format!("--only {word}: not COMMAND/DISPATCH/CLASS/ERROR/NUMBER"))
}
