//! Flags that say what a batch works on, how it runs, and how it is told.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use globset::Glob;

use super::limits::Limits;
use super::profile;

use crate::bench::results::Work;
use crate::dispatch::{CpuLimit, OnError, Split, Terms};
use crate::draw::svg::printable;
use crate::engine::{Dispatch, Engine, sandbox};
use crate::error::{Error, Result};
use crate::journal::Known;
use crate::media::verify::Depth;
use crate::plan::{Existing, Found, Rules, Wanted, scan};
use crate::report::Style;
use crate::say;
use crate::values;

/// What a batch works on, how it runs, and how it is told.
#[derive(Debug, Args)]
pub struct Running {
    /// Videos, or folders of videos.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Take what this pattern matches, such as '*.mov' or 'day1/**', instead of all videos; may be
    /// repeated.
    #[arg(help_heading = "Which files", long, value_name = "GLOB", value_parser = values::glob)]
    pub include: Vec<Glob>,

    /// Leave out what this pattern matches: files, or folders with all in them; may be repeated.
    #[arg(help_heading = "Which files", long, value_name = "GLOB", value_parser = values::glob)]
    pub exclude: Vec<Glob>,

    /// Where results go; folders are mirrored.
    #[arg(
        help_heading = "Results",
        short,
        long,
        value_name = "DIR",
        default_value = "output"
    )]
    pub output: PathBuf,

    /// Jobs at once [default: what was measured with bench --save-profile, or the number of cores].
    #[arg(help_heading = "How jobs are run", short, long, value_name = "N", value_parser = values::jobs)]
    pub jobs: Option<usize>,

    /// Threads that each codec of a job may use.
    #[arg(help_heading = "How jobs are run", long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub codec_threads: u16,

    /// How jobs are run [default: what was measured with bench --save-profile, or workers].
    #[arg(
        help_heading = "How jobs are run",
        long,
        value_name = "HOW",
        value_enum
    )]
    pub dispatch: Option<Dispatch>,

    /// What a failed job means for those that wait.
    #[arg(
        help_heading = "How jobs are run",
        long,
        value_name = "WHAT",
        value_enum,
        default_value = "continue"
    )]
    pub on_error: OnError,

    /// Run at this low a priority, from 0 (normal) to 19 (only where nobody else wants to run).
    #[arg(help_heading = "How jobs are run", long, value_name = "N", value_parser = clap::value_parser!(u8).range(..=19))]
    pub nice: Option<u8>,

    /// Use this share of all cores, such as 50%.
    #[arg(help_heading = "How jobs are run", long, value_name = "PERCENT", value_parser = values::percent)]
    pub limit_cpu: Option<u8>,

    /// What to do where a file of a result's name exists that is not ours, or has changed since.
    #[arg(
        help_heading = "Results",
        long,
        value_name = "WHAT",
        value_enum,
        default_value = "skip"
    )]
    pub exists: Existing,

    /// How much of a result is looked at before it takes its place.
    #[arg(
        help_heading = "Results",
        long,
        value_name = "HOW",
        value_enum,
        default_value = "quick"
    )]
    pub verify: Depth,

    /// Which films are encoded in parts; a flag of `convert` alone.
    #[arg(skip)]
    pub split: Split,

    /// Whether results take their sources' places; a flag of `convert` alone.
    #[arg(skip)]
    pub replace: bool,

    /// Go on watching the folders, and work on what arrives once it has not changed for so long
    /// [default: 5 s].
    #[arg(
        help_heading = "How jobs are run",
        long,
        value_name = "SECONDS",
        value_parser = values::settle,
        num_args = 0..=1,
        default_missing_value = "5",
        conflicts_with = "dry_run"
    )]
    pub watch: Option<Duration>,

    /// Print events on stdout, one JSON object a line.
    #[arg(long)]
    pub json: bool,

    /// Tell of failures alone.
    #[arg(short, long, conflicts_with = "json")]
    pub quiet: bool,

    /// Tell first what becomes of each stream of each source, as --dry-run does.
    #[arg(short, long, conflicts_with_all = ["quiet", "json", "watch", "dry_run"])]
    pub verbose: bool,

    /// Print what would be done, and do nothing.
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub limits: Limits,
}

impl Running {
    /// What there is to work on.
    ///
    /// # Errors
    /// As [`scan`].
    pub fn sources(&self) -> Result<Found> {
        scan(&self.paths, &self.wanted()?, Some(&self.output))
    }

    /// Which files are worked on.
    ///
    /// # Errors
    /// As [`Wanted::new`].
    pub fn wanted(&self) -> Result<Wanted> {
        Wanted::new(&self.include, &self.exclude)
    }

    /// How jobs are run.
    pub fn dispatch(&self) -> Dispatch {
        self.dispatch.unwrap_or(Dispatch::Workers)
    }

    /// Takes from what was measured on this machine what was not given, and says so.
    pub fn choose(&mut self, work: Work) {
        if self.dispatch.is_some() && self.jobs.is_some() {
            return;
        }
        let say = |line: String| {
            if !self.quiet {
                say!("{line}");
            }
        };
        let Some((profile, place)) = profile::load(&say) else {
            return;
        };
        let fits = profile.codec_threads == usize::from(self.codec_threads);
        let Some(choice) = profile.choice(work).filter(|_| fits) else {
            return;
        };
        let dispatch = self.dispatch.unwrap_or(choice.dispatch);
        // A number of jobs was measured with its dispatch, and with all of the machine.
        let measured = dispatch == choice.dispatch && self.limit_cpu.is_none();
        let jobs = self.jobs.or(measured.then_some(choice.workers));
        if (Some(dispatch), jobs) == (self.dispatch, self.jobs) {
            return;
        }
        let day = profile.measured.split('T').next().unwrap_or_default();
        let at_once = jobs.map_or_else(String::new, |jobs| format!(", {jobs} at once"));
        say(format!(
            "jobs run on {}{at_once}, as measured here on {} ('{}')",
            dispatch.name(),
            printable(day),
            place.display()
        ));
        (self.dispatch, self.jobs) = (Some(dispatch), jobs);
    }

    /// Jobs at once.
    pub fn slots(&self) -> usize {
        self.jobs.unwrap_or_else(values::cores)
    }

    /// On which terms the jobs are run.
    pub fn terms(&self) -> Terms {
        let cores = values::cores();
        Terms {
            slots: self.slots(),
            on_error: self.on_error,
            cpu: self.limit_cpu.map(|percent| CpuLimit {
                cores: f64::from(percent) / 100.0 * cores as f64,
                threads_per_job: usize::from(self.codec_threads),
            }),
            limits: self.limits.resolve(),
            split: self.split,
        }
    }

    /// Gives this process the priority that was asked for.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn lower_priority(&self) -> Result<()> {
        let Some(nice) = self.nice else { return Ok(()) };
        rustix::process::setpriority_process(None, i32::from(nice)).map_err(|error| {
            Error::usage(format!("--nice {nice}: the system refuses this priority"))
                .because(error)
                .cure("a running program's priority can only be lowered: give a higher number, or leave --nice out")
        })
    }

    /// What a plan goes by, where `known` is known of results and `engine` looks into sources.
    pub fn rules<'a>(&self, known: &'a Known, engine: &'a dyn Engine) -> Rules<'a> {
        Rules {
            existing: self.exists,
            known,
            replace: self.replace,
            verify: self.verify,
            engine,
            limits: self.limits.resolve(),
        }
    }

    /// Says so where the system cannot keep what opens media from all else, as
    /// it is to be in a process of its own.
    pub fn report_missing_sandbox(&self) {
        if self.dispatch() == Dispatch::Threads || self.quiet {
            return;
        }
        if let Some(missing) = sandbox::strength().missing() {
            say!("{missing}");
        }
    }

    /// How the batch is told.
    pub fn style(&self) -> Style {
        Style::of(self.json, self.quiet)
    }
}
