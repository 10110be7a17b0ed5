//! Which worker had to do with a file last, so that another one checks it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::protocol::Task;
use crate::job::Work;

/// Numbers of workers by file.
#[derive(Debug, Default)]
pub(super) struct Experience(Mutex<HashMap<PathBuf, u64>>);

impl Experience {
    /// The worker that had to do with `file` last.
    pub(super) fn of(&self, file: &Path) -> Option<u64> {
        self.files().get(file).copied()
    }

    pub(super) fn note(&self, files: Vec<PathBuf>, worker: u64) {
        let files = files.into_iter().map(|file| (file, worker));
        self.files().extend(files);
    }

    pub(super) fn forget(&self, file: &Path) {
        self.files().remove(file);
    }

    fn files(&self) -> MutexGuard<'_, HashMap<PathBuf, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Task {
    /// The file about which it asks what another worker may have said or made.
    pub(super) fn checks(&self) -> Option<&Path> {
        match self {
            Self::Probe { source } => Some(source),
            Self::Survey(job) => Some(&job.source),
            Self::Verify(known) => Some(&known.path),
            _ => None,
        }
    }

    /// The files of which its worker knows more than others.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let (source, results): (Option<&Path>, &[PathBuf]) = match self {
            Self::Probe { source } => (Some(source), &[]),
            Self::Survey(job) => (Some(&job.source), &[]),
            Self::Run { job, targets, .. } => match &job.work {
                Work::Media(media) => (Some(&media.source), targets),
                Work::Load(_) => (None, &[]),
            },
            _ => (None, &[]),
        };
        let results = results.iter().map(PathBuf::as_path);
        source.into_iter().chain(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_looked_into_a_file_is_not_the_one_that_checks_it() {
        let experience = Experience::default();
        let probe = || Task::Probe {
            source: "in/a.mp4".into(),
        };
        let before = |task: &Task| task.checks().and_then(|file| experience.of(file));
        assert_eq!(before(&probe()), None);
        let files = probe().files().map(Path::to_owned).collect();
        experience.note(files, 7);
        assert_eq!(before(&probe()), Some(7));
        assert_eq!(before(&Task::Start), None);
        experience.forget(Path::new("in/a.mp4"));
        assert_eq!(before(&probe()), None);
        let other = Task::Probe {
            source: "in/b.mp4".into(),
        };
        assert_eq!(before(&other), None);
    }
}
