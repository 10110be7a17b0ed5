//! From a storyboard to a film: slides are drawn, faded into each other, and
//! encoded by the same encoder and muxer as transcodes.

pub mod bench;
mod timeline;

use std::path::Path;

use crate::delivery;
use crate::dispatch::Cancel;
use crate::draw::Raster;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::media::{Chapter, Encoder, Muxer, Picture, Setup, VideoTiming, still};
use crate::recipe::EncoderSpec;
use timeline::{Shot, Timeline};

/// A slide: drawn when its turn comes, so that a long film holds two at a time.
pub struct Slide<'a> {
    /// The chapter's title.
    pub title: String,
    /// Draws the picture in the film's size.
    pub draw: Box<dyn Fn() -> Result<Raster> + 'a>,
}

/// What a film shows, and how.
pub struct Storyboard<'a> {
    /// Title of the whole film, for players.
    pub title: String,
    /// The slides in order.
    pub slides: Vec<Slide<'a>>,
    /// Seconds a slide, fade into the next included.
    pub seconds: f64,
    /// Seconds of the fade from one slide to the next.
    pub fade: f64,
    /// Frames a second.
    pub fps: u32,
}

/// Renders `storyboard` to `target`: H.264 yuv420p in mp4, bt709, faststart, a
/// chapter a slide. `progress` is told frames done and frames in all.
///
/// # Errors
/// Where a slide cannot be drawn, the film cannot be encoded or written, or
/// `cancel` was set; then nothing is left behind.
pub fn render(
    storyboard: &Storyboard,
    target: &Path,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<()> {
    if storyboard.slides.is_empty() {
        return Err(Error::usage("a film needs at least one picture"));
    }
    let timeline = Timeline::new(storyboard);
    delivery::place(target, |part| {
        film(storyboard, &timeline, part, cancel, progress)
    })
}

fn film(
    storyboard: &Storyboard,
    timeline: &Timeline,
    part: &Path,
    cancel: &Cancel,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<()> {
    let fps = Ratio::new(storyboard.fps as i32, 1);
    let mut muxer = open_muxer(storyboard, timeline, part, cancel)?;
    let mut current = draw(storyboard, 0)?;
    let timing = VideoTiming {
        time_base: Ratio::new(1, storyboard.fps as i32).into(),
        frame_rate: fps.into(),
    };
    let setup = Setup {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        global_header: muxer.wants_global_header(),
        bit_exact: false,
    };
    let mut encoder = Encoder::video(&encoder_spec(timeline), &current.at(0)?, timing, setup)?;
    muxer.stream_ready(0, &encoder, None)?;
    let mut next: Option<(usize, Picture)> = None;
    let mut shown = 0;
    for frame in 0..timeline.frames() {
        if cancel.is_set() {
            return Err(Error::interrupted());
        }
        let shot = timeline.shot(frame);
        if shot.slide() != shown {
            shown = shot.slide();
            current = match next.take() {
                Some((slide, picture)) if slide == shown => picture,
                _ => draw(storyboard, shown)?,
            };
        }
        let mut picture = match shot {
            Shot::Still(_) => current.at(frame as i64)?,
            Shot::Fade { from, weight } => {
                if next.as_ref().is_none_or(|(slide, _)| *slide != from + 1) {
                    next = Some((from + 1, draw(storyboard, from + 1)?));
                }
                match &next {
                    Some((_, to)) => Picture::blend(&current, to, weight)?.at(frame as i64)?,
                    None => current.at(frame as i64)?,
                }
            }
        };
        encoder.encode(Some(&mut picture), |packet| muxer.write(0, packet))?;
        progress(frame + 1, timeline.frames());
    }
    encoder.encode(None, |packet| muxer.write(0, packet))?;
    muxer.finish()
}

fn open_muxer(
    storyboard: &Storyboard,
    timeline: &Timeline,
    part: &Path,
    cancel: &Cancel,
) -> Result<Muxer> {
    let options = [("movflags".to_owned(), "+faststart".to_owned())];
    let mut muxer = Muxer::create(part, "mp4", &options, 1, cancel)?;
    muxer.set_tag("title", &storyboard.title);
    for (index, slide) in storyboard.slides.iter().enumerate() {
        let (start_ms, end_ms) = timeline.chapter_ms(index);
        muxer.add_chapter(&Chapter {
            start_ms,
            end_ms,
            title: slide.title.clone(),
        })?;
    }
    Ok(muxer)
}

fn draw(storyboard: &Storyboard, slide: usize) -> Result<Picture> {
    let raster = (storyboard.slides[slide].draw)()?;
    still(raster.width, raster.height, &raster.rgba)
}

/// Slides begin with key frames, so that players find chapters at once; GOPs are closed.
fn encoder_spec(timeline: &Timeline) -> EncoderSpec {
    let options = [
        ("preset", "medium".to_owned()),
        ("crf", "18".to_owned()),
        ("g", timeline.slide_frames().to_string()),
        ("sc_threshold", "0".to_owned()),
    ];
    EncoderSpec {
        name: "libx264".into(),
        options: options.map(|(key, value)| (key.to_owned(), value)).to_vec(),
        qscale: None,
    }
}
