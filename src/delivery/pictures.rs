//! From a folder of pictures to the result that was asked for.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;

use image::{DynamicImage, ImageReader};
use serde::Serialize;

use super::part::{Part, unwritable};
use crate::document;
use crate::draw::sheet::{self, Cell, Heading, SheetPlan, cell_box};
use crate::draw::{Raster, Theme};
use crate::engine::{Engine, JobError, Ran, Watch};
use crate::error::{Error, Result};
use crate::job::MediaJob;
use crate::media;
use crate::media::verify::Checked;
use crate::recipe::{
    Choose, Gathered, PictureFormat, Product, Sheet, Sink, Size, Times, VideoWay, Way,
};

/// The file beside pictures that tells what they are of.
const LIST: &str = "frames.json";

/// The version of that file.
const VERSION: u32 = 1;

/// What `frames.json` holds.
#[derive(Serialize)]
struct List<'a> {
    version: u32,
    source: String,
    pictures: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    file: &'a str,
    time_s: f64,
}

/// A name in `folder` that no folder of pictures has, which is therefore somebody's.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn stranger_in(folder: &Path) -> io::Result<Option<String>> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !is_own(Path::new(&name)) {
            return Ok(Some(name.display().to_string()));
        }
    }
    Ok(None)
}

fn is_own(name: &Path) -> bool {
    let text = |part: Option<&OsStr>| part.and_then(OsStr::to_str).unwrap_or_default().to_owned();
    let (stem, extension) = (text(name.file_stem()), text(name.extension()));
    let formats = PictureFormat::ALL.iter();
    let is_picture = |number| {
        formats
            .map(|format| format.extension())
            .any(|one| one == extension && Path::new(&Sink::picture_name(number, one)) == name)
    };
    name == Path::new(LIST) || stem.parse().is_ok_and(is_picture)
}

/// The job with the times of its pictures, where these have to be found in its source first.
///
/// # Errors
/// Where none can be found.
pub(super) fn decided(
    engine: &dyn Engine,
    media: &MediaJob,
    watch: &mut Watch,
) -> Result<Option<MediaJob>, JobError> {
    let times = match way_of(media).map(|way| &way.choose) {
        Some(Choose::Best) => Times::at_ms(vec![engine.best_ms(media, watch)?]),
        Some(Choose::Spread(number)) => Times::spread(*number, length_s(engine, media, watch)?),
        _ => return Ok(None),
    };
    let mut media = media.clone();
    let products = media.pipeline.products.iter_mut();
    for track in products.flat_map(|product| &mut product.tracks) {
        if let Way::Video(way) = &mut track.way {
            way.time_base = times.unit;
            way.choose = Choose::Times(times.clone());
        }
    }
    Ok(Some(media))
}

/// The length of a job's video by its packets, in seconds. Where these have no times, there are
/// as many as frames.
fn length_s(engine: &dyn Engine, media: &MediaJob, watch: &mut Watch) -> Result<f64, JobError> {
    let survey = engine.survey(media, watch)?;
    let track = &media.pipeline.products[0].tracks[0];
    let length_s = survey.span(track.stream).map_or(0.0, |span| {
        let counted_s = way_of(media).map_or(0.0, |way| span.packets as f64 * way.frame_s);
        span.end_s().unwrap_or(counted_s)
    });
    match length_s > 0.0 {
        true => Ok(length_s),
        false => Err(Error::failed("no picture in it could be read").into()),
    }
}

/// Whether it is pictures at times that the user, or the length, gave.
pub(super) fn are_at_given_times(media: &MediaJob) -> bool {
    way_of(media).is_some_and(|way| way.choose.number().is_some())
}

fn way_of(media: &MediaJob) -> Option<&VideoWay> {
    media.pipeline.products.first()?.pictures()
}

/// Removes pictures beyond those that were made: where a source could not be sought
/// in to its end, more may have been taken than there are from the beginning on.
pub(super) fn tidy(folder: &Path, product: &Product, ran: &Ran) {
    if let Sink::Pictures { extension, .. } = &product.sink {
        let beyond = ran.pictures.len() as u64 + 1..;
        let beyond = beyond.map(|number| folder.join(Sink::picture_name(number, extension)));
        let removed = beyond.take_while(|path| fs::remove_file(path).is_ok());
        removed.for_each(drop);
    }
}

/// Tells of times at which there is no picture in `folder`.
///
/// # Errors
/// Where there is none at all, or another number than was told.
pub(super) fn count(
    folder: &Path,
    product: &Product,
    ran: &Ran,
    checked: &mut Checked,
) -> Result<()> {
    let Some(way) = product.pictures() else {
        return Ok(());
    };
    let made = ran.pictures.len() as u64;
    let wanted = way.choose.number().unwrap_or(made);
    if made == 0 {
        return Err(
            Error::failed("it ends before the first time that was asked for")
                .cure("ask for earlier times, or use --count"),
        );
    }
    let found = fs::read_dir(folder).map_or(0, Iterator::count) as u64;
    if found != made {
        return Err(Error::failed(format!(
            "the result is not as planned: {found} pictures are there instead of {made}"
        )));
    }
    if made < wanted {
        checked.warnings.push(format!(
            "{made} of {wanted} pictures: it ends before the others' times"
        ));
    }
    Ok(())
}

/// The time of the only picture, where the result is that.
pub(super) fn only_time(product: &Product, times: &[f64]) -> Option<f64> {
    match product.gathered()? {
        Gathered::Picture => times.first().copied(),
        Gathered::Folder | Gathered::Sheet(_) => None,
    }
}

/// Makes the result of `part`, where that is a folder of pictures; adds to `warnings` what the user
/// should know.
pub(super) fn gather(
    part: Part,
    media: &MediaJob,
    product: &Product,
    times: &[f64],
    warnings: &mut Vec<String>,
) -> Result<Part> {
    let Sink::Pictures {
        extension,
        gathered,
    } = &product.sink
    else {
        return Ok(part);
    };
    let names = (1..).take(times.len());
    let names: Vec<String> = names
        .map(|number| Sink::picture_name(number, extension))
        .collect();
    let Some(target) = media.targets.first() else {
        return Ok(part);
    };
    match gathered {
        Gathered::Folder => {
            let list = list(&media.source, &names, times)?;
            fs::write(part.path.join(LIST), list).map_err(|error| unwritable(target, error))?;
            Ok(part)
        }
        Gathered::Picture => {
            let name = names.first().map_or("", String::as_str);
            Part::take(&part.path.join(name), target)
        }
        Gathered::Sheet(sheet) => {
            let heading = Heading::of(&media.source, media.source_bytes, &sheet.details);
            let missing = heading.missing();
            if !missing.is_empty() {
                let missing: String = missing.into_iter().collect();
                warnings.push(format!(
                    "the contact sheet has boxes for {missing}: no font is embedded for them"
                ));
            }
            let cells = cells(&part.path, &names, times, &sheet.plan)?;
            let bytes = draw(sheet, &heading, &cells)?;
            let file = Part::begin(target, false)?;
            file.write(&bytes)
                .map_err(|error| unwritable(target, error))?;
            Ok(file)
        }
    }
}

fn list(source: &Path, names: &[String], times: &[f64]) -> Result<Vec<u8>> {
    let pictures = names.iter().zip(times).map(|(file, time_s)| Entry {
        file,
        // Both engines tell the same, whatever ticks they count.
        time_s: (time_s * 1e6).round() / 1e6,
    });
    let list = List {
        version: VERSION,
        source: source.display().to_string(),
        pictures: pictures.collect(),
    };
    document::json(&list, "the list of pictures")
}

/// The pictures of that names in `folder`. A worker made them: none is larger than it was to be,
/// and there are no more than the sheet has room for.
fn cells(folder: &Path, names: &[String], times: &[f64], plan: &SheetPlan) -> Result<Vec<Cell>> {
    let most = cell_box(plan)?;
    let room = u64::from(plan.columns.max(1)) * u64::from(plan.rows.max(1));
    if names.len() as u64 > room {
        return Err(Error::failed(format!(
            "the result is not as planned: {} pictures for a contact sheet of {room}",
            names.len()
        )));
    }
    let cell = |(name, time_s): (&String, &f64)| -> Result<Cell> {
        let picture = read_picture(&folder.join(name), most).map_err(|error| {
            Error::failed("cannot read a picture of the contact sheet").because(error)
        })?;
        let picture = picture.into_rgba8();
        Ok(Cell {
            picture: Raster {
                width: picture.width(),
                height: picture.height(),
                rgba: picture.into_raw(),
            },
            time_s: *time_s,
        })
    };
    names.iter().zip(times).map(cell).collect()
}

/// The picture at `path`, if it is within `most`.
fn read_picture(path: &Path, most: Size) -> image::ImageResult<DynamicImage> {
    let mut reader = ImageReader::open(path)?;
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(most.width);
    limits.max_image_height = Some(most.height);
    // Four samples of up to 16 bits, and as much again to decode them.
    limits.max_alloc = Some(u64::from(most.width) * u64::from(most.height) * 16 + (1 << 20));
    reader.limits(limits);
    reader.decode()
}

/// The bytes of a contact sheet.
fn draw(sheet: &Sheet, heading: &Heading, cells: &[Cell]) -> Result<Vec<u8>> {
    let drawn = sheet::draw(&sheet.plan, heading, cells, &Theme::DARK)?;
    let size = (drawn.width, drawn.height);
    media::pictures::encode_rgba(size, &drawn.rgba, &sheet.filter, &sheet.encoder)
}
