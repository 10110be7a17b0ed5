//! From a job to results in place: temporary name → run → verify → fsync → rename.
//!
//! Nothing stands under a final name before it is whole, and what a stopped or
//! failed job began is removed.

mod attributes;
mod before;
mod hidden;
mod leftovers;
mod name;
mod opened;
mod part;
mod pictures;
mod replace;
mod scratch;

use std::path::{Path, PathBuf};

pub use before::is_stepped_aside;
pub use leftovers::{Links, Swept, sweep, sweep_with};
use part::{Part, unwritable};
pub use part::{place, place_bytes};
pub use replace::{Replaced, Replacement, Trash, to_trash};
pub use scratch::Scratch;

use crate::engine::{Engine, JobError, Ran, Watch};
use crate::error::{Error, Kind, Result};
use crate::job::{Done, Job, Made, MediaJob, Work};
use crate::journal::{FileClaim, Stamp};
use crate::media::survey::Survey;
use crate::media::verify::{Checked, Evidence};
use crate::recipe::{Medium, Product};

/// Claims the file `target` for this run, before the work on it begins.
///
/// # Errors
/// If another run writes it.
pub fn claim(target: &Path) -> Result<Option<FileClaim>> {
    if let Some(folder) = target.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(target, error))?;
    }
    FileClaim::take(&hidden::hidden_name(target, hidden::LOCK), target)
}

/// Runs `job` on `engine` and puts its results in place.
///
/// # Errors
/// Whatever fails first; then nothing is left behind.
pub fn perform(engine: &dyn Engine, job: &Job, watch: &mut Watch) -> Result<Done, JobError> {
    match &job.work {
        Work::Load(_) => engine.run(job, &[], watch).map(|_| Done::default()),
        Work::Media(media) => deliver(engine, job, media, watch),
    }
}

fn deliver(
    engine: &dyn Engine,
    job: &Job,
    media: &MediaJob,
    watch: &mut Watch,
) -> Result<Done, JobError> {
    let failure = match attempt(engine, job, media, watch) {
        Err(failure) if !failure.error.is_no_damage() => failure,
        ended => return ended,
    };
    if watch.is_over() {
        return Err(failure);
    }
    // A stream without one picture in it must not keep the others from arriving.
    match engine.dead_streams(media, watch) {
        Ok(dead) if !dead.is_empty() => match media.pipeline.without(&dead) {
            Some(pipeline) => {
                let media = MediaJob {
                    pipeline,
                    ..media.clone()
                };
                attempt(engine, &job.with(media.clone()), &media, watch)
            }
            None => Err(JobError {
                error: Error::failed("no picture in it could be decoded"),
                log: failure.log,
            }),
        },
        _ => Err(failure),
    }
}

fn attempt(
    engine: &dyn Engine,
    job: &Job,
    media: &MediaJob,
    watch: &mut Watch,
) -> Result<Done, JobError> {
    if let Some(decided) = pictures::decided(engine, media, watch)? {
        return attempt(engine, &job.with(decided.clone()), &decided, watch);
    }
    let before = state_of(&media.source)?;
    let ended = Attempt::run(engine, job, media, watch).and_then(|attempt| {
        let checked = attempt.verify(engine, watch)?;
        Ok((attempt, checked))
    });
    match ended {
        Err(failure) if failure.error.kind() == Kind::Interrupted => Err(failure),
        // Whatever came of it: it was made of two sources.
        _ if state_of(&media.source)? != before => {
            let shown = media.source.display();
            Err(
                Error::failed(format!("'{shown}' was changed while it was read"))
                    .cure("run the same command again once nothing writes to it")
                    .into(),
            )
        }
        Err(failure) => Err(failure),
        Ok((attempt, checked)) => Ok(attempt.finish(checked, watch)?),
    }
}

/// What shows that a source is still the same.
fn state_of(source: &Path) -> Result<Stamp> {
    Stamp::of(source).map_err(|error| {
        Error::failed(format!("cannot read '{}'", source.display())).because(error)
    })
}

/// A job's results while they stand under temporary names.
struct Attempt<'a> {
    media: &'a MediaJob,
    parts: Vec<Part>,
    // What each part was made by: the pipeline's product, or the one kept instead.
    products: Vec<&'a Product>,
    ran: Ran,
    // What else the user should know.
    notes: Vec<String>,
    // What was found in those parts that were verified when they were made.
    found: Vec<Option<Checked>>,
}

impl<'a> Attempt<'a> {
    fn run(
        engine: &dyn Engine,
        job: &Job,
        media: &'a MediaJob,
        watch: &mut Watch,
    ) -> Result<Self, JobError> {
        let products: Vec<&Product> = media.pipeline.products.iter().collect();
        let parts = media
            .targets
            .iter()
            .zip(&products)
            .enumerate()
            .map(|(index, (target, product))| {
                // One that is to take its source's place waits beside that.
                if !media.replace {
                    name::check(target, product.is_folder(), media.may_overwrite(index))?;
                }
                let part = Part::begin(target, product.is_pictures())?;
                restrict(media, &part, target)?;
                Ok(part)
            })
            .collect::<Result<Vec<_>>>()?;
        let paths: Vec<PathBuf> = parts.iter().map(|part| part.path.clone()).collect();
        let mut ran = run_on(engine, job, &parts, watch)?;
        for (path, product) in paths.iter().zip(&products) {
            pictures::tidy(path, product, &ran);
        }
        if ran.survey.is_none() {
            ran.survey = Some(if pictures::are_at_given_times(media) {
                // What lies beyond them is nobody's concern.
                Survey::default()
            } else {
                engine.survey(media, watch)?
            });
        }
        let mut attempt = Self {
            media,
            parts,
            products,
            ran,
            notes: vec![],
            found: vec![None; media.targets.len()],
        };
        for index in 0..media.targets.len() {
            attempt.keep_smaller(index, engine, job, watch)?;
        }
        Ok(attempt)
    }

    /// Where result `index` is not smaller than its source and that is asked
    /// for, takes the source's streams instead, if they make it smaller.
    fn keep_smaller(
        &mut self,
        index: usize,
        engine: &dyn Engine,
        job: &Job,
        watch: &mut Watch,
    ) -> Result<(), JobError> {
        let Some(kept) = self.products[index].kept.as_deref() else {
            return Ok(());
        };
        let target = &self.media.targets[index];
        let failed = |error| unwritable(target, error);
        let made = self.parts[index].size().map_err(failed)?;
        let source = std::fs::metadata(&self.media.source).map_err(failed)?;
        if made < source.len() {
            return Ok(());
        }
        let media = MediaJob {
            targets: vec![target.clone()],
            pipeline: self.media.pipeline.only(kept.clone()),
            ..self.media.clone()
        };
        let copy = job.with(media);
        let part = Part::begin(target, false)?;
        restrict(self.media, &part, target)?;
        match self.copied(kept, (engine, &copy), &part, watch) {
            Ok((frames, found)) if part.size().map_err(failed)? <= made => {
                self.found[index] = found;
                self.parts[index] = part;
                self.products[index] = kept;
                if let Some(of_result) = self.ran.frames.get_mut(index) {
                    *of_result = frames;
                }
            }
            Ok(_) => {}
            Err(failure) if failure.error.is_no_damage() => return Err(failure),
            // The result is whole, though larger.
            Err(failure) => {
                let cause = failure.error.chain();
                self.notes
                    .push(format!("the source's own streams are not kept: {cause}"));
            }
        }
        Ok(())
    }

    /// Copies the source's streams to `part` and verifies it there; the number of its frames, and
    /// what was found.
    fn copied(
        &self,
        kept: &Product,
        (engine, copy): (&dyn Engine, &Job),
        part: &Part,
        watch: &mut Watch,
    ) -> Result<(Option<u64>, Option<Checked>), JobError> {
        let ran = run_on(engine, copy, std::slice::from_ref(part), watch)?;
        let frames = ran.frames.first().copied().flatten();
        let Some(survey) = &self.ran.survey else {
            return Ok((frames, None));
        };
        let evidence = Evidence {
            job: self.media,
            product: kept,
            frames,
            survey,
            damaged: &self.ran.damaged,
        };
        let found = engine.verify(&part.path, &evidence, watch)?;
        Ok((frames, Some(found)))
    }

    /// # Errors
    /// With what was said about the result when it was made and looked at.
    fn verify(&self, engine: &dyn Engine, watch: &mut Watch) -> Result<Vec<Checked>, JobError> {
        self.check(engine, watch).map_err(|failure| JobError {
            log: [self.ran.log.clone(), failure.log].concat(),
            ..failure
        })
    }

    fn check(&self, engine: &dyn Engine, watch: &mut Watch) -> Result<Vec<Checked>, JobError> {
        let survey = self.ran.survey.as_ref();
        let mut checked = Vec::with_capacity(self.parts.len());
        for (index, part) in self.parts.iter().enumerate() {
            let evidence = Evidence {
                job: self.media,
                product: self.products[index],
                frames: self.ran.frames.get(index).copied().flatten(),
                survey: survey.ok_or_else(|| Error::failed("nothing was read"))?,
                damaged: &self.ran.damaged,
            };
            let mut found = match &self.found[index] {
                Some(found) => found.clone(),
                None => engine.verify(&part.path, &evidence, watch)?,
            };
            pictures::count(&part.path, evidence.product, &self.ran, &mut found)?;
            checked.push(found);
        }
        Ok(checked)
    }

    /// Gives every result its final name.
    fn finish(self, checked: Vec<Checked>, watch: &Watch) -> Result<Done> {
        let mut done = Done {
            media_s: self.ran.media_s,
            warnings: self.notes,
            ..Done::default()
        };
        let parts = self.parts.into_iter().zip(&self.products).zip(checked);
        for ((index, ((part, product), checked)), target) in
            parts.enumerate().zip(&self.media.targets)
        {
            let mut warnings = checked.warnings;
            let part =
                pictures::gather(part, self.media, product, &self.ran.pictures, &mut warnings)?;
            let bytes = part.size().map_err(|error| unwritable(target, error))?;
            let content = part.content(watch)?;
            let mut lost = checked.lost;
            let refused = keep_attributes(self.media, product, &part)
                .map_err(|error| unwritable(target, error))?;
            let waits_at = if self.media.replace {
                lost.extend_from_slice(&refused);
                Some(part.wait_for(target)?)
            } else {
                part.finish(target, self.media.may_overwrite(index))?;
                None
            };
            warnings.extend(refused);
            let is_video = product.tracks[0].way.medium() == Medium::Video;
            let frames = checked.frames.filter(|_| is_video);
            done.frames += frames.unwrap_or(0);
            done.bytes += bytes;
            done.salvaged |= checked.salvaged;
            for warning in warnings {
                if !done.warnings.contains(&warning) {
                    done.warnings.push(warning);
                }
            }
            let kept = !std::ptr::eq(*product, &raw const self.media.pipeline.products[index]);
            let mut made = made(target, product, bytes, frames, kept, checked.ssim, &lost);
            made.time_s = pictures::only_time(product, &self.ran.pictures);
            made.waits_at = waits_at;
            made.content = Some(content.0);
            done.results.push(made);
        }
        Ok(done)
    }
}

/// Has `engine` write `parts`, and makes sure that it wrote those and nothing else.
fn run_on(
    engine: &dyn Engine,
    job: &Job,
    parts: &[Part],
    watch: &mut Watch,
) -> Result<Ran, JobError> {
    let paths: Vec<PathBuf> = parts.iter().map(|part| part.path.clone()).collect();
    let ran = match engine.run(job, &paths, watch) {
        Err(failure) if failure.error.kind() == Kind::Interrupted => return Err(failure),
        ran => ran,
    };
    let meddled = parts.iter().find_map(|part| part.check().err());
    match (ran, meddled) {
        (ran, None) => ran,
        (Ok(ran), Some(error)) => Err(JobError {
            error,
            log: ran.log,
        }),
        (Err(failure), Some(error)) => Err(JobError { error, ..failure }),
    }
}

/// Keeps users from reading a result, while it is being written, who may not read its source.
/// [`keep_attributes`] warns about file systems that store no permissions.
fn restrict(media: &MediaJob, part: &Part, target: &Path) -> Result<()> {
    attributes::restrict(&media.source, part.file())
        .map(drop)
        .map_err(|error| unwritable(target, error))
}

/// Gives a whole result the permissions, the date and, if it replaces its source, the owner of
/// that. Returns a warning for each that cannot be set.
fn keep_attributes(
    media: &MediaJob,
    product: &Product,
    part: &Part,
) -> std::io::Result<Vec<String>> {
    let (source, part) = (&media.source, part.file());
    if !product.is_pictures() {
        attributes::keep_times(source, part)?;
    }
    match media.replace {
        true => attributes::take_over(source, part),
        false => attributes::restrict(source, part).map(Vec::from_iter),
    }
}

fn made(
    target: &Path,
    product: &Product,
    bytes: u64,
    frames: Option<u64>,
    kept_source: bool,
    ssim: Option<f64>,
    lost: &[String],
) -> Made {
    let copied = product.tracks.iter().filter(|track| track.way.is_copy());
    Made {
        target: target.display().to_string(),
        bytes,
        frames,
        copied: copied.map(|track| track.stream).collect(),
        dropped: product.dropped.clone(),
        lost: product.notes.iter().chain(lost).cloned().collect(),
        kept_source,
        ssim,
        time_s: None,
        content: None,
        waits_at: None,
    }
}
