//! The film of a benchmark: title, every chart with what the data says, verdicts.

use super::format::{Encoding, Format};
use super::transition::{Easing, Kind, Transition};
use super::{Film, Shot, Slide};
use crate::bench::results::Results;
use crate::chart::{Chart, PICTURE};
use crate::draw::Theme;
use crate::draw::raster::render;
use crate::draw::slide::{ClosingCard, TitleCard, chart_slide, closing_card, title_card};
use crate::job::Ratio;
use crate::media::still;
use crate::report::answer;

const FADE: Transition = Transition {
    kind: Kind::Fade,
    seconds: 0.5,
    easing: Easing::Smooth,
};

const TITLE: &str = "How video work scales on this machine";

/// The film of `results` and their `charts`.
pub fn film<'a>(results: &Results, charts: &'a [Chart], theme: &'a Theme) -> Film<'a> {
    let slide = |title: &str, svg: Box<dyn Fn() -> String + Send + Sync + 'a>| Slide {
        title: title.to_owned(),
        seconds: 3.0,
        transition: FADE,
        draw: Box::new(move || {
            let raster = render(&svg(), PICTURE.0, PICTURE.1)?;
            still(raster.width, raster.height, &raster.rgba).map(Shot::Still)
        }),
    };
    let title = title_of(results);
    let closing = ClosingCard {
        title: "What the numbers say".into(),
        sentences: answer::sentences(results),
    };
    let mut slides = vec![slide(
        &title.title.clone(),
        Box::new(move || title_card(&title, theme)),
    )];
    slides.extend(
        charts
            .iter()
            .map(|chart| slide(&chart.title, Box::new(move || chart_slide(chart, theme)))),
    );
    slides.push(slide(
        "What the numbers say",
        Box::new(move || closing_card(&closing, theme)),
    ));
    Film {
        title: TITLE.into(),
        slides,
        rate: Ratio::new(30, 1),
        encoding: Encoding {
            quality: 18.0,
            ..Encoding::usual(Format::Mp4)
        },
        music: None,
    }
}

fn title_of(results: &Results) -> TitleCard {
    let machine = &results.machine;
    let date = results.started.split('T').next().unwrap_or_default();
    TitleCard {
        title: TITLE.into(),
        lines: vec![
            format!("{}, {} cores, {date}", machine.cpu, machine.cores),
            format!(
                "FFmpeg {}; {}",
                results.ffmpeg.linked, results.design.recipe
            ),
        ],
    }
}
