//! The film of a benchmark: title, every chart as it grows with what the data say of
//! it, the race of the jobs, verdicts.

use super::format::{Encoding, Format};
use super::transition::{Easing, Kind, Transition};
use super::{Film, Moving, Shot, Slide};
use crate::bench::results::Results;
use crate::chart::{Act, PICTURE, acts};
use crate::draw::Theme;
use crate::draw::raster::render;
use crate::draw::slide::{ClosingCard, TitleCard, closing_card, plate_slide, title_card};
use crate::error::Result;
use crate::job::Ratio;
use crate::media::{Picture, still};
use crate::recipe::Size;
use crate::report::answer;

const FADE: Transition = Transition {
    kind: Kind::Fade,
    seconds: 0.5,
    easing: Easing::Smooth,
};

const TITLE: &str = "How video work scales on this machine";

const VERDICTS: &str = "What the numbers say";

/// Seconds that a title is seen, and that a chart is once all of it is there.
const TITLE_S: f64 = 3.0;
const CHART_S: f64 = 3.5;

/// Seconds that each verdict takes to be read, and all of them at least.
const VERDICT_S: f64 = 1.5;
const VERDICTS_S: f64 = 4.0;

/// Seconds in which a caption comes in.
const CAPTION_S: f64 = 0.3;

/// How a film of a benchmark looks.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Its size, which is 16:9.
    pub size: Size,
    /// Frames a second.
    pub rate: Ratio,
    /// Its colours.
    pub theme: Theme,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            size: Size {
                width: PICTURE.0,
                height: PICTURE.1,
            },
            rate: Ratio::new(30, 1),
            theme: Theme::DARK,
        }
    }
}

/// Quality where nothing else is asked for: thin lines take more than photos do.
pub fn encoding(format: Format) -> Encoding {
    let mut encoding = Encoding::usual(format);
    encoding.quality -= 2.0;
    encoding
}

/// The film of `results`; without slides but for its cards where these hold nothing to draw.
pub fn film<'a>(results: &Results, look: Look, encoding: Encoding) -> Film<'a> {
    let title = title_of(results);
    let sentences = answer::shortest(results);
    let verdicts_s = (VERDICT_S * sentences.len() as f64).max(VERDICTS_S);
    let closing = ClosingCard {
        title: VERDICTS.into(),
        sentences,
    };
    let card = move |name: &str, seconds: f64, svg: String| Slide {
        title: name.to_owned(),
        seconds,
        transition: FADE,
        moves: None,
        draw: Box::new(move || look.picture(&svg).map(Shot::Still)),
    };
    let first = card(TITLE, TITLE_S, title_card(&title, &look.theme));
    let last = card(VERDICTS, verdicts_s, closing_card(&closing, &look.theme));
    let charts = acts(results, &look.theme).into_iter();
    let charts = charts.map(|act| chart(act, look));
    Film {
        title: TITLE.into(),
        slides: std::iter::once(first).chain(charts).chain([last]).collect(),
        size: look.size,
        rate: look.rate,
        encoding,
        music: None,
    }
}

/// A chart that grows once it stands alone, after which its caption comes in.
fn chart<'a>(act: Act, look: Look) -> Slide<'a> {
    let act = std::sync::Arc::new(act);
    let moves = 0.0..=act.grows_s() + CAPTION_S;
    Slide {
        title: act.title().to_owned(),
        seconds: act.grows_s() + CHART_S,
        transition: FADE,
        moves: Some(moves.clone()),
        draw: Box::new(move || {
            let act = act.clone();
            Ok(Shot::Moving(Moving::new(moves.clone(), move |seconds| {
                let there = (seconds - act.grows_s()) / CAPTION_S;
                let words = (act.caption(), there.clamp(0.0, 1.0));
                look.picture(&plate_slide(&act.plate(seconds)?, words, &look.theme))
            })))
        }),
    }
}

impl Look {
    fn picture(&self, svg: &str) -> Result<Picture> {
        let raster = render(svg, self.size.width, self.size.height)?;
        still(raster.width, raster.height, &raster.rgba)
    }
}

fn title_of(results: &Results) -> TitleCard {
    let machine = &results.machine;
    let date = results.started.split('T').next().unwrap_or_default();
    // Of times that were read from a file, none of this is known.
    let lines = match results.started.is_empty() {
        true => vec!["from times that were read from a file".into()],
        false => vec![
            format!("{}, {} cores, {date}", machine.cpu, machine.cores),
            format!(
                "FFmpeg {}; {}",
                results.ffmpeg.linked, results.design.recipe
            ),
        ],
    };
    TitleCard {
        title: TITLE.into(),
        lines,
    }
}
