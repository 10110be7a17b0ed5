//! From a storyboard to a film: slides are drawn, faded into each other, and
//! encoded by the same encoder and muxer as transcodes.

pub mod bench;
mod timeline;

use std::path::Path;
use std::rc::Rc;

use crate::delivery;
use crate::dispatch::Cancel;
use crate::draw::Raster;
use crate::error::{Error, Result};
use crate::job::Ratio;
use crate::media::{Chapter, Encoder, Frame, Muxer, Picture, Setup, VideoTiming, still};
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
    let mut muxer = open_muxer(storyboard, timeline, part, cancel)?;
    let mut reel = Reel {
        storyboard,
        drawn: Vec::new(),
    };
    let rate = Ratio::new(storyboard.fps as i32, 1);
    let timing = VideoTiming {
        time_base: Ratio::new(rate.den, rate.num).into(),
        frame_rate: rate.into(),
    };
    let setup = Setup {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        global_header: muxer.wants_global_header(),
        bit_exact: false,
    };
    let first = reel.frame(Shot::Still(0), 0)?;
    let mut encoder = Encoder::video(&encoder_spec(timeline), &first, timing, setup)?;
    muxer.encoded(0, &encoder, None, None)?;
    for number in 0..timeline.frames() {
        if cancel.is_set() {
            return Err(Error::interrupted());
        }
        let mut frame = reel.frame(timeline.shot(number), number as i64)?;
        encoder.encode(Some(&mut frame), |packet| muxer.write(0, packet))?;
        progress(number + 1, timeline.frames());
    }
    encoder.encode(None, |packet| muxer.write(0, packet))?;
    muxer.finish()
}

/// The slides that are seen now: drawn once, and let go when their time is over.
struct Reel<'a> {
    storyboard: &'a Storyboard<'a>,
    drawn: Vec<(usize, Rc<Picture>)>,
}

impl Reel<'_> {
    fn frame(&mut self, shot: Shot, pts: i64) -> Result<Frame> {
        self.drawn.retain(|(slide, _)| *slide >= shot.slide());
        match shot {
            Shot::Still(slide) => self.slide(slide)?.at(pts),
            Shot::Fade { from, weight } => {
                let (a, b) = (self.slide(from)?, self.slide(from + 1)?);
                Picture::blend(&a, &b, weight)?.at(pts)
            }
        }
    }

    fn slide(&mut self, wanted: usize) -> Result<Rc<Picture>> {
        if let Some((_, picture)) = self.drawn.iter().find(|(slide, _)| *slide == wanted) {
            return Ok(Rc::clone(picture));
        }
        let raster = (self.storyboard.slides[wanted].draw)()?;
        let picture = Rc::new(still(raster.width, raster.height, &raster.rgba)?);
        self.drawn.push((wanted, Rc::clone(&picture)));
        Ok(picture)
    }
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
