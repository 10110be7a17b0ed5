//! Measurements → pictures: [`charts`] draws every picture that a run's data
//! can carry, and leaves out those that they cannot.

mod act;
mod axis;
mod bars;
mod caption;
mod data;
mod ends;
mod frame;
mod label;
mod lines;
mod original;
mod page;
mod panel;
mod python;
mod race;
mod scaling;
mod strip;
mod versus;

pub use act::{Act, acts};
pub use strip::{Strip, strips};
pub use versus::{VERSUS_WIDTH, versus};

use crate::Result;
use crate::bench::results::{Results, Work};
use crate::draw::Theme;

/// One picture and the words that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chart {
    /// File stem, e.g. `original-panels`.
    pub name: String,
    /// What is shown.
    pub title: String,
    /// What was found: verdicts as they were derived, or measured numbers.
    pub caption: String,
    /// The picture on its own: a document of 1920×1080 pixels.
    pub svg: String,
    /// The same picture laid out for the space above a film slide's caption:
    /// a document of [`PLATE`] pixels with text of the same size.
    pub plate: String,
}

/// Width and height of [`Chart::svg`] in pixels.
pub const PICTURE: (u32, u32) = (1920, 1080);

/// Width and height of [`Chart::plate`] in pixels.
pub const PLATE: (u32, u32) = (1728, 850);

/// Draws all pictures that `results` can carry, in the order of the film.
///
/// A load, dispatch or quantity that was not measured leaves its picture out;
/// a run without a single usable cell gives no picture at all.
///
/// # Errors
/// When a picture cannot be drawn, which no data should bring about.
pub fn charts(results: &Results, theme: &Theme) -> Result<Vec<Chart>> {
    drafts(results, theme)
        .iter()
        .map(|draft| draft.draw(theme))
        .collect()
}

fn drafts(results: &Results, theme: &Theme) -> Vec<page::Draft> {
    let view = data::View::new(results);
    let mut drafts = Vec::new();
    drafts.extend(original::panels(&view, theme));
    // The first load that has data gets a slide a point, the other one an overview.
    let mut videos = [Work::Transcode, Work::Frames, Work::Remux]
        .into_iter()
        .filter(|work| view.has(*work));
    if let Some(lead) = videos.next() {
        drafts.extend(scaling::slides(&view, lead, theme));
        drafts.extend(race::draft(&view, lead));
    }
    drafts.extend(videos.filter_map(|work| scaling::overview(&view, work, theme)));
    drafts
}

#[cfg(test)]
mod tests;
