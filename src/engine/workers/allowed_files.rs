//! Which files a worker gets for a task: those of the task, and no other.

use std::cell::OnceCell;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::protocol::Task;
use crate::job::Work;
use crate::media::files::Access;

/// The files of a task.
#[derive(Debug, Default)]
pub(super) struct AllowedFiles {
    read: Vec<PathBuf>,
    // To be written, and read again.
    written: Vec<PathBuf>,
    // Folders whose files are to be written or read.
    filled: Vec<PathBuf>,
    looked_into: Vec<PathBuf>,
    // The result beside which finished parts are kept for the next worker, and the file for that.
    parted: Option<PathBuf>,
    checkpoint: OnceCell<File>,
}

impl AllowedFiles {
    pub(super) fn of(task: &Task) -> Self {
        let mut allowed = Self::default();
        match task {
            Task::Start => {}
            Task::Probe { source } => allowed.read.push(source.clone()),
            Task::Survey(job) | Task::DeadStreams(job) | Task::Best(job) => {
                allowed.read.push(job.source.clone());
            }
            Task::Cover { job, target, .. } => {
                allowed.read.push(job.source.clone());
                allowed.written.push(target.clone());
            }
            Task::Digest { path } | Task::Decode { path } => allowed.read.push(path.clone()),
            Task::Likeness { path, job } => allowed.read.extend([path.clone(), job.source.clone()]),
            Task::Compare { a, b } => allowed.read.extend([a.clone(), b.clone()]),
            Task::Verify(known) => {
                allowed.read.push(known.job.source.clone());
                let place = match known.product.is_pictures() {
                    true => &mut allowed.looked_into,
                    false => &mut allowed.read,
                };
                place.push(known.path.clone());
            }
            Task::Run {
                job,
                targets,
                parts,
                ..
            } => {
                if parts.is_some() {
                    allowed.parted = targets.first().cloned();
                }
                if let Work::Media(media) = &job.work {
                    allowed.read.push(media.source.clone());
                    for (product, target) in media.pipeline.products.iter().zip(targets) {
                        let place = match product.is_pictures() {
                            true => &mut allowed.filled,
                            false => &mut allowed.written,
                        };
                        place.push(target.clone());
                    }
                }
            }
        }
        allowed
    }

    /// Opens `path`, where the task is about it.
    ///
    /// # Errors
    /// The system's; as for a file without permission where it is another.
    pub(super) fn open(&self, path: &Path, access: Access) -> io::Result<File> {
        match access {
            _ if !self.holds(path, access) => Err(io::Error::from_raw_os_error(libc::EACCES)),
            Access::Checkpoint => self.checkpoint(path),
            Access::Read | Access::Write => access.open(path),
        }
    }

    /// The one file for what is finished of `result`, on the same disk.
    fn checkpoint(&self, result: &Path) -> io::Result<File> {
        let file = match self.checkpoint.get() {
            Some(file) => file,
            None => {
                let folder = result.parent().filter(|it| !it.as_os_str().is_empty());
                let file = tempfile::tempfile_in(folder.unwrap_or(Path::new(".")))?;
                self.checkpoint.get_or_init(|| file)
            }
        };
        file.try_clone()
    }

    fn holds(&self, path: &Path, access: Access) -> bool {
        let is = |paths: &[PathBuf]| paths.iter().any(|one| one == path);
        let lies_in = |folders: &[PathBuf]| folders.iter().any(|folder| is_entry(folder, path));
        let may_write = is(&self.written) || lies_in(&self.filled);
        match access {
            Access::Write => may_write,
            Access::Checkpoint => self.parted.as_deref() == Some(path),
            Access::Read => may_write || is(&self.read) || lies_in(&self.looked_into),
        }
    }
}

/// How often the size of what is written is measured.
const MEASURED_EVERY: Duration = Duration::from_millis(200);

/// The size of what is written for a task, in bytes: measured, since a worker may say anything.
pub(super) struct Size<'a> {
    files: &'a AllowedFiles,
    bytes: u64,
    measured: Option<Instant>,
}

impl<'a> Size<'a> {
    pub(super) fn of(files: &'a AllowedFiles) -> Self {
        Self {
            files,
            bytes: 0,
            measured: None,
        }
    }

    /// As measured not long ago.
    pub(super) fn lately(&mut self) -> u64 {
        let is_due = |measured: Instant| measured.elapsed() >= MEASURED_EVERY;
        match self.measured.is_none_or(is_due) {
            true => self.now(),
            false => self.bytes,
        }
    }

    /// As it is at this moment.
    pub(super) fn now(&mut self) -> u64 {
        let size = |path: &Path| path.symlink_metadata().map_or(0, |data| data.len());
        let entries = |folder: &PathBuf| {
            let entries = folder.read_dir().into_iter().flatten().flatten();
            entries.map(|entry| size(&entry.path())).sum::<u64>()
        };
        let written = self.files.written.iter().map(|path| size(path));
        let written = written.sum::<u64>() + self.files.filled.iter().map(entries).sum::<u64>();
        // Parts are kept there until the result holds them.
        let kept = self
            .files
            .checkpoint
            .get()
            .and_then(|file| file.metadata().ok());
        self.bytes = written.max(kept.map_or(0, |data| data.len()));
        self.measured = Some(Instant::now());
        self.bytes
    }
}

/// Whether `path` is a plain name in `folder`, byte by byte.
fn is_entry(folder: &Path, path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| folder.join(name).as_os_str() == path.as_os_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_measured_whatever_is_said_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("pictures")).unwrap();
        for (name, size) in [("a", 10), ("pictures/1.jpg", 100), ("pictures/2.jpg", 1000)] {
            std::fs::write(path(name), vec![0; size]).unwrap();
        }
        let files = AllowedFiles {
            written: vec![path("a"), path("not there")],
            filled: vec![path("pictures")],
            ..AllowedFiles::default()
        };
        let mut size = Size::of(&files);
        assert_eq!(size.lately(), 1110);
        std::fs::write(path("a"), "").unwrap();
        assert_eq!(size.now(), 1100);
    }

    #[test]
    fn nothing_but_the_files_of_a_task_is_opened() {
        let allowed = AllowedFiles {
            read: vec!["in/a.mp4".into()],
            written: vec!["out/.a.part".into()],
            filled: vec!["out/pictures".into()],
            looked_into: vec!["out/old".into()],
            ..AllowedFiles::default()
        };
        let holds = |path: &str, access| allowed.holds(Path::new(path), access);
        for (path, read, write) in [
            ("in/a.mp4", true, false),
            ("out/.a.part", true, true),
            ("out/pictures/000001.jpg", true, true),
            ("out/old/000001.jpg", true, false),
            ("out/pictures", false, false),
            ("out/pictures/..", false, false),
            ("out/pictures/../.a.part", false, false),
            ("out/pictures/below/000001.jpg", false, false),
            ("in/b.mp4", false, false),
            ("/etc/passwd", false, false),
        ] {
            assert_eq!(holds(path, Access::Read), read, "{path}");
            assert_eq!(holds(path, Access::Write), write, "{path}");
        }
        let denied = allowed.open(Path::new("/etc/passwd"), Access::Read);
        assert_eq!(denied.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
