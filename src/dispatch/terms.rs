//! On which terms a batch is run.

use clap::ValueEnum;

use crate::job::Limits;

/// How many jobs run at once, what a failure means, and how much of the machine they get.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// Jobs at once.
    pub slots: usize,
    /// What a failed job means for the others.
    pub on_error: OnError,
    /// How much of the machine all jobs together get; all of it where there is no limit.
    pub cpu: Option<CpuLimit>,
    /// What each job may cost.
    pub limits: Limits,
    /// Which films are encoded in parts.
    pub split: Split,
}

/// Which films are encoded in parts, side by side.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Split {
    /// Those that would keep one slot at work after all others are through.
    #[default]
    Auto,
    /// None.
    Never,
    /// All, in parts of at least so many seconds.
    Seconds(f64),
}

/// What a failed job means for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum OnError {
    /// Nothing: go on with them.
    #[default]
    Continue,
    /// Finish those that run, and start no other.
    Stop,
}

/// How much of the machine all jobs together get.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuLimit {
    /// In cores; a fraction is one.
    pub cores: f64,
    /// Threads that work in one job.
    pub threads_per_job: usize,
}

impl Terms {
    /// On `slots` slots, without any limits.
    pub fn on(slots: usize) -> Self {
        Self {
            slots,
            on_error: OnError::default(),
            cpu: None,
            limits: Limits::default(),
            split: Split::default(),
        }
    }

    /// The share of its time that each of `slots` jobs may run, from above 0 to 1.
    pub(super) fn duty(&self, slots: usize) -> f64 {
        let Some(limit) = self.cpu else { return 1.0 };
        let wanted = (slots * limit.threads_per_job).max(1) as f64;
        (limit.cores / wanted).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_shared_by_all_threads_that_may_work() {
        let terms = |cores, threads_per_job| Terms {
            cpu: Some(CpuLimit {
                cores,
                threads_per_job,
            }),
            ..Terms::on(8)
        };
        // Half of 8 cores: 8 jobs of one thread run half of their time, 4 all of it.
        assert_eq!(terms(4.0, 1).duty(8), 0.5);
        assert_eq!(terms(4.0, 1).duty(4), 1.0);
        assert_eq!(terms(4.0, 2).duty(4), 0.5);
        assert_eq!(terms(4.0, 1).duty(2), 1.0);
        assert_eq!(Terms::on(8).duty(8), 1.0);
    }
}
