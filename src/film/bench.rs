//! The film of a benchmark: title, every chart with what the data says, verdicts.

use super::{Slide, Storyboard};
use crate::bench::results::Results;
use crate::chart::{Chart, PICTURE};
use crate::draw::Theme;
use crate::draw::raster::render;
use crate::draw::slide::{ClosingCard, TitleCard, chart_slide, closing_card, title_card};
use crate::report::answer;

const TITLE: &str = "How video work scales on this machine";

/// The storyboard of `results` and their `charts`.
pub fn storyboard<'a>(results: &Results, charts: &'a [Chart], theme: &'a Theme) -> Storyboard<'a> {
    let slide = |title: &str, svg: Box<dyn Fn() -> String + 'a>| Slide {
        title: title.to_owned(),
        draw: Box::new(move || render(&svg(), PICTURE.0, PICTURE.1)),
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
    Storyboard {
        title: TITLE.into(),
        slides,
        seconds: 3.0,
        fade: 0.5,
        fps: 30,
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
