//! One subprocess a job: the `ffmpeg` program for media, a small child for the
//! reference loads.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::argv::{AT, Cover, arguments};
use super::complaints::{damaged, read_error, tally, unfinished};
use super::ffmpeg::Ffmpeg;
use super::sandbox::{PROGRAMS, Sandbox};
use super::{Engine, JobError, Probed, Ran, Watch, Workers, child, refusals};
use crate::error::{Error, Result};
use crate::job::{Job, Limits, Load, MediaJob, Progress, SandboxMode, Work};
use crate::media::survey::Survey;
use crate::media::verify::{Checked, Evidence};
use crate::recipe::{Choose, Medium, Pipeline, Product, Sink, Way};

/// Linux starts no program with a longer argument (`MAX_ARG_STRLEN`, its end included).
const LONGEST_ARGUMENT: usize = 128 * 1024 - 1;

/// The engine, with the programs that it starts. What is to be looked into is
/// given to workers: the program tells little, and this process opens no media.
#[derive(Debug)]
pub struct Program {
    ffmpeg: Ffmpeg,
    child: PathBuf,
    limits: Limits,
    workers: Workers,
}

impl Program {
    /// Finds `ffmpeg` on the PATH, and those beside this one, for jobs that may
    /// cost so much.
    ///
    /// # Errors
    /// Where one of them is missing.
    pub fn find(limits: Limits) -> Result<Self> {
        Ok(Self {
            ffmpeg: Ffmpeg::find()?,
            child: child::program()?,
            limits,
            workers: Workers::find(limits)?,
        })
    }

    /// `ffmpeg` with nothing within reach but itself and the files of a job.
    fn ffmpeg_for(&self, read: Vec<PathBuf>, write: &[PathBuf]) -> Command {
        let mut sandbox = Sandbox {
            kind: self.ffmpeg.kind(),
            read,
            start: PROGRAMS.iter().map(PathBuf::from).collect(),
            write: write.to_vec(),
        };
        sandbox.start.push(self.ffmpeg.path().to_owned());
        // One that was put elsewhere has its libraries beside it.
        let place = self.ffmpeg.path().canonicalize().unwrap_or_default();
        if let Some(root) = place.parent().and_then(Path::parent) {
            sandbox.start.push(root.join("lib"));
        }
        let libraries = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
        sandbox.read.extend(std::env::split_paths(&libraries));
        if self.limits.trust {
            sandbox.read.push("/".into());
        }
        let sandbox = (self.limits.sandbox != SandboxMode::Off).then_some(&sandbox);
        let mut command = child::sandboxed(&self.child, self.limits.memory, sandbox);
        command.arg(self.ffmpeg.path());
        command
    }

    fn transcode(
        &self,
        job: &MediaJob,
        targets: &[PathBuf],
        watch: &mut Watch,
    ) -> Result<Ran, JobError> {
        refusals::check_times(&job.pipeline)?;
        refusals::check_sound(job, &self.ffmpeg, || self.workers.survey(job, watch))?;
        let survey = self.look_for_jumps(job, watch)?;
        let job = &*self.with_length(job, watch)?;
        let (_folder, covers) = self.covers(job, watch)?;
        let mut read: Vec<PathBuf> = covers.iter().map(|cover| cover.path.clone()).collect();
        read.push(job.source.clone());
        let mut command = self.ffmpeg_for(read, targets);
        let ends_text = self.ffmpeg.drains_subtitle_filters();
        let arguments = arguments(job, targets, &covers, ends_text);
        if arguments
            .iter()
            .any(|argument| argument.len() > LONGEST_ARGUMENT)
        {
            return Err(
                Error::failed("there are more times than a command of ffmpeg can hold")
                    .cure("use --dispatch workers, or fewer times at once")
                    .into(),
            );
        }
        command.args(arguments);
        let mut report = ProgressReport::default();
        let said = child::run("ffmpeg", command, watch, |line| report.line(line), tally)?;
        let survey = match read_error(&said) {
            Some(cause) => Some(
                self.explain(job, cause, watch)
                    .map_err(|failure| JobError {
                        log: said.tail.clone().into(),
                        ..failure
                    })?,
            ),
            None => survey,
        };
        let pictures = pictures(job, targets)?;
        let frames = frames(&job.pipeline, report.progress.frames, pictures.len());
        if let Some(cause) = said.tail.iter().find_map(|line| unfinished(line)) {
            return Err(JobError {
                error: Error::failed("ffmpeg could not finish the result")
                    .because(cause.to_owned()),
                log: said.tail.into(),
            });
        }
        let product = &job.pipeline.products[0];
        let encodes = product.tracks[0].way.medium() == Medium::Video;
        // Where pictures are chosen, there may be others than those.
        let chosen = product
            .pictures()
            .is_some_and(|way| way.choose != Choose::All);
        if encodes && !chosen && frames[0] == Some(0) {
            return Err(JobError {
                error: Error::failed("no picture in it could be decoded"),
                log: said.tail.into(),
            });
        }
        Ok(Ran {
            frames,
            media_s: report.progress.position_s,
            damaged: damaged(&said),
            survey,
            log: said.tail.into(),
            pictures,
        })
    }

    /// What a read error was that the program reported: it stops reading there, and is content.
    /// Demuxers have the same words for files that are cut off; then our own reading of the source
    /// ends with them, too.
    ///
    /// # Errors
    /// Where the system could not read the source.
    fn explain(&self, job: &MediaJob, cause: &str, watch: &mut Watch) -> Result<Survey, JobError> {
        let survey = self.workers.survey(job, watch)?;
        match &survey.ended_early {
            Some(error) if error.ends_with(cause) => Ok(survey),
            _ => {
                Err(Error::unreadable(&job.source, &std::io::Error::other(cause.to_owned())).into())
            }
        }
    }

    /// Where the program would repeat frames, reads the source first: it fills
    /// any gap, and nothing but its memory stops it.
    fn look_for_jumps(
        &self,
        job: &MediaJob,
        watch: &mut Watch,
    ) -> Result<Option<Survey>, JobError> {
        let tracks = job.pipeline.products.iter().flat_map(|one| &one.tracks);
        let repeated: Vec<(usize, f64)> = tracks
            .filter_map(|track| match &track.way {
                Way::Video(way) => Some((track.stream, way.repeats()?)),
                _ => None,
            })
            .collect();
        if repeated.is_empty() {
            return Ok(None);
        }
        let survey = self.workers.survey(job, watch)?;
        for (stream, rate) in repeated {
            if let Some(span) = survey.span(stream) {
                let (from_s, length_s) = (
                    span.longest_at_us as f64 / 1e6,
                    span.longest_us as f64 / 1e6,
                );
                let limits = &self.limits;
                limits.check_repeats(from_s, from_s + length_s, rate)?;
            }
        }
        Ok(Some(survey))
    }

    /// The job with its length, where the last subtitle may end with the film.
    fn with_length<'a>(
        &self,
        job: &'a MediaJob,
        watch: &mut Watch,
    ) -> Result<Cow<'a, MediaJob>, JobError> {
        let has_events = |product: &Product| {
            product.sink.ends_events() && product.tracks_of(Medium::Subtitle).next().is_some()
        };
        if job.duration_s.is_some() || !job.pipeline.products.iter().any(has_events) {
            return Ok(Cow::Borrowed(job));
        }
        let length_s = self.workers.survey(job, watch)?.end_s();
        let mut job = job.clone();
        job.duration_s = Some(length_s);
        Ok(Cow::Owned(job))
    }

    /// The pictures that are to be attached, each in a file of its own: the program
    /// takes them from nowhere else.
    fn covers(
        &self,
        job: &MediaJob,
        watch: &mut Watch,
    ) -> Result<(Option<TempDir>, Vec<Cover>), JobError> {
        let wanted: Vec<(usize, usize, usize)> = job
            .pipeline
            .products
            .iter()
            .enumerate()
            .flat_map(|(product, plan)| {
                let tracks = plan.tracks.iter().enumerate();
                tracks.filter_map(move |(track, plan)| {
                    matches!(plan.way, Way::Attach { .. }).then_some((product, track, plan.stream))
                })
            })
            .collect();
        if wanted.is_empty() {
            return Ok((None, vec![]));
        }
        let folder = tempfile::tempdir()
            .map_err(|error| Error::failed("cannot make a temporary folder").because(error))?;
        let mut covers = Vec::with_capacity(wanted.len());
        for (product, track, stream) in wanted {
            let path = folder.path().join(format!("{product}-{track}"));
            self.workers.cover(job, stream, &path, watch)?;
            covers.push(Cover {
                product,
                track,
                path,
            });
        }
        Ok((Some(folder), covers))
    }

    fn load(&self, load: Load, watch: &mut Watch) -> Result<Ran, JobError> {
        let (kind, amount) = match load {
            Load::Cpu { iterations } => ("cpu", iterations),
            Load::Io { milliseconds } => ("io", milliseconds),
        };
        watch.may_stand_still();
        let mut command = child::command(&self.child, kind);
        command.arg(amount.to_string());
        child::run("the load", command, watch, |_| None, |_| None)?;
        Ok(Ran::default())
    }
}

impl Engine for Program {
    fn name(&self) -> &'static str {
        "processes"
    }

    fn check(&self, jobs: &[Job]) -> Result<()> {
        self.ffmpeg.check(jobs)
    }

    fn has_filter(&self, name: &str) -> bool {
        self.ffmpeg.has_filter(name)
    }

    fn run(&self, job: &Job, targets: &[PathBuf], watch: &mut Watch) -> Result<Ran, JobError> {
        match &job.work {
            Work::Media(media) => {
                let ended = self.transcode(media, targets, watch);
                ended.map_err(|JobError { error, log }| JobError {
                    error: self.limits.explain(error, &log),
                    log,
                })
            }
            Work::Load(load) => self.load(*load, watch),
        }
    }

    fn prepare(&self, jobs: &[Job], slots: usize, watch: &mut Watch) -> Result<(), JobError> {
        // Nobody looks into a load.
        let media = jobs.iter().any(|job| job.source().is_some());
        if media {
            self.workers.prepare(jobs, slots, watch)?;
        }
        Ok(())
    }

    fn probe(&self, source: &Path, watch: &mut Watch) -> Result<Probed, JobError> {
        self.workers.probe(source, watch)
    }

    fn survey(&self, job: &MediaJob, watch: &mut Watch) -> Result<Survey, JobError> {
        self.workers.survey(job, watch)
    }

    fn dead_streams(&self, job: &MediaJob, watch: &mut Watch) -> Result<Vec<usize>, JobError> {
        self.workers.dead_streams(job, watch)
    }

    fn best_ms(&self, job: &MediaJob, watch: &mut Watch) -> Result<u64, JobError> {
        self.workers.best_ms(job, watch)
    }

    fn verify(
        &self,
        path: &Path,
        evidence: &Evidence,
        watch: &mut Watch,
    ) -> Result<Checked, JobError> {
        self.workers.verify(path, evidence, watch)
    }

    /// Starts `ffmpeg` for nothing but to tell its version.
    fn start_only(&self, watch: &mut Watch) -> Result<(), JobError> {
        let mut command = self.ffmpeg_for(vec![], &[]);
        command.args(["-hide_banner", "-loglevel", "error", "-version"]);
        child::run("ffmpeg", command, watch, |_| None, |_| None).map(drop)
    }
}

/// Frames of each product's first track, as far as the program tells: `frames`
/// are those of the first stream of pictures; a folder knows its own.
fn frames(pipeline: &Pipeline, frames: u64, pictures: usize) -> Vec<Option<u64>> {
    let of = |(position, product): (usize, &Product)| match product.sink {
        Sink::Pictures { .. } => Some(pictures as u64),
        Sink::File { .. } => {
            let is_video = product.tracks[0].way.medium() == Medium::Video;
            (position == 0 && is_video).then_some(frames)
        }
    };
    pipeline.products.iter().enumerate().map(of).collect()
}

/// The times of the pictures in seconds, which the program has named by their
/// pts; gives them their numbers.
fn pictures(job: &MediaJob, targets: &[PathBuf]) -> Result<Vec<f64>> {
    let (Some(product), Some(folder)) = (job.pipeline.products.first(), targets.first()) else {
        return Ok(vec![]);
    };
    let (Some(way), Sink::Pictures { extension, .. }) = (product.pictures(), &product.sink) else {
        return Ok(vec![]);
    };
    let number = || -> std::io::Result<Vec<i64>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let stem = path.file_stem().and_then(OsStr::to_str);
            let pts = stem.and_then(|stem| stem.strip_prefix(AT)?.parse::<i64>().ok());
            all.extend(pts);
        }
        all.sort_unstable();
        for (number, pts) in (1..).zip(&all) {
            let named = folder.join(format!("{AT}{pts}.{extension}"));
            std::fs::rename(named, folder.join(Sink::picture_name(number, extension)))?;
        }
        Ok(all)
    };
    let times = number().map_err(|error| {
        Error::failed(format!(
            "cannot number the pictures in '{}'",
            folder.display()
        ))
        .because(error)
    })?;
    let tick_s = way.time_base.as_f64();
    Ok(times.into_iter().map(|pts| pts as f64 * tick_s).collect())
}

/// What `-progress` has told so far: `key=value` lines, a block ending in `progress=…`.
#[derive(Debug, Default)]
struct ProgressReport {
    progress: Progress,
}

impl ProgressReport {
    fn line(&mut self, line: &str) -> Option<Progress> {
        let (key, value) = line.split_once('=')?;
        let number = value.trim().parse::<i64>().unwrap_or(0).max(0);
        match key {
            "frame" => self.progress.frames = number as u64,
            "out_time_us" => self.progress.position_s = number as f64 / 1e6,
            "total_size" => self.progress.bytes = number as u64,
            "progress" => return Some(self.progress),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_progress_block_counts_once_it_is_whole() {
        let mut report = ProgressReport::default();
        assert_eq!(report.line("frame=48"), None);
        assert_eq!(report.line("out_time_us=2000000"), None);
        assert_eq!(report.line("total_size=N/A"), None);
        let progress = report.line("progress=continue").unwrap();
        assert_eq!(
            progress,
            Progress {
                frames: 48,
                position_s: 2.0,
                bytes: 0
            }
        );
    }
}
