//! What a benchmark found, as one page that needs no other file and no network.

mod facts;
mod rows;

use askama::Template;

use self::facts::{Facts, kicker, machine, method};
use self::rows::{CellRow, ComparisonRow, FitRow, OutputRow};
use super::{answer, costs};
use crate::bench::results::Results;
use crate::chart::{Chart, Strip, charts, strips};
use crate::draw::Theme;
use crate::error::{Error, Result};

/// The file's name in a result folder.
pub const FILE_NAME: &str = "report.html";

/// A picture in both themes.
pub(super) struct Figure {
    pub(super) title: String,
    pub(super) caption: String,
    pub(super) light: String,
    pub(super) dark: String,
}

/// What the template shows. All text is escaped there, but for the pictures,
/// which are documents of our own.
#[derive(Template)]
#[template(path = "bench.html")]
struct Page<'a> {
    results: &'a Results,
    kicker: String,
    answer: Option<String>,
    verdicts: Vec<String>,
    capacity: Option<String>,
    quality: Option<String>,
    reading: Option<String>,
    figures: Vec<Figure>,
    strips: Vec<Figure>,
    machine: Facts,
    method: Facts,
    notes: Vec<String>,
    files: Vec<String>,
    film: Option<&'a str>,
}

/// The report of `results`: `film` is its file's name beside the page, and
/// `files` are the names of the others that are linked.
///
/// # Errors
/// Where a picture cannot be drawn.
pub fn page(results: &Results, film: Option<&str>, files: &[&str]) -> Result<String> {
    let [light, dark] = [Theme::LIGHT, Theme::DARK].map(|theme| charts(results, &theme));
    let figures = light?.into_iter().zip(dark?).map(of_charts).collect();
    let [light, dark] = [Theme::LIGHT, Theme::DARK].map(|theme| strips(results, &theme));
    let strips = light.into_iter().zip(dark).map(of_strips).collect();
    filled(results, (figures, strips), film, files)
}

fn of_charts((light, dark): (Chart, Chart)) -> Figure {
    Figure {
        title: light.title,
        caption: light.caption,
        light: light.svg,
        dark: dark.svg,
    }
}

fn of_strips((light, dark): (Strip, Strip)) -> Figure {
    Figure {
        title: light.title,
        caption: String::new(),
        light: light.svg,
        dark: dark.svg,
    }
}

fn filled(
    results: &Results,
    (figures, strips): (Vec<Figure>, Vec<Figure>),
    film: Option<&str>,
    files: &[&str],
) -> Result<String> {
    let page = Page {
        results,
        kicker: kicker(results),
        answer: answer::best(results),
        verdicts: answer::verdicts(results),
        capacity: answer::capacity(results),
        quality: answer::quality(results),
        reading: answer::reading(results),
        figures,
        strips,
        machine: machine(results),
        method: method(results),
        notes: results.notes.clone(),
        files: files.iter().map(|name| (*name).to_owned()).collect(),
        film,
    };
    let text = page
        .render()
        .map_err(|error| Error::failed(format!("cannot write {FILE_NAME}")).because(error))?;
    Ok(visible(&text))
}

/// `text` with a visible replacement for control characters, which names may hold.
pub(super) fn visible(text: &str) -> String {
    let hidden = |c: char| c.is_control() && c != '\n';
    text.chars()
        .map(|c| if hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

// What the template asks for.
impl Page<'_> {
    fn cells(&self) -> impl Iterator<Item = CellRow> {
        self.results
            .cells
            .iter()
            .map(|row| CellRow::of(self.results, row))
    }

    fn comparisons(&self) -> impl Iterator<Item = ComparisonRow<'_>> {
        self.results
            .comparisons
            .iter()
            .map(|row| ComparisonRow::of(self.results, row))
    }

    fn fits(&self) -> impl Iterator<Item = FitRow> {
        self.results
            .fits
            .iter()
            .map(|row| FitRow::of(self.results, row))
    }

    fn outputs(&self) -> impl Iterator<Item = OutputRow> {
        self.results
            .outputs
            .iter()
            .map(|row| OutputRow::of(self.results, row))
    }

    fn costs(&self) -> Vec<costs::Line> {
        costs::lines(self.results)
    }

    fn costs_reading(&self) -> String {
        costs::reading(self.results).unwrap_or_default()
    }

    fn dispatches(&self) -> String {
        let names: Vec<&str> = self
            .results
            .design
            .dispatches
            .iter()
            .map(|d| d.name())
            .collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} and {last}", others.join(", ")),
            None => "results".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;
    use crate::bench::results::Work;

    const FILES: [&str; 2] = ["results.json", "results.csv"];

    fn stub() -> Figure {
        Figure {
            title: "a figure".into(),
            caption: "what it shows".into(),
            light: "<svg>light</svg>".into(),
            dark: "<svg>dark</svg>".into(),
        }
    }

    #[test]
    fn the_page_of_given_results_is_the_same_word_for_word() {
        let setup = fixture::Setup {
            cores: 2,
            workers: vec![1, 2],
            rounds: 6,
            works: vec![Work::Transcode, Work::Io],
            gap: 1.12,
        };
        let mut results = fixture::results(&setup);
        results.notes.push("left out 'a.mp4': it is empty".into());
        let figures = (vec![stub()], vec![stub()]);
        let page = filled(&results, figures, Some("summary.mp4"), &FILES).unwrap();
        insta::assert_snapshot!(page);
    }

    /// With `RUSHES_LOOK=DIR` set, the page is left in that folder to be looked at.
    #[test]
    fn the_page_says_what_the_terminal_says() {
        let results = fixture::two_cores();
        let page = page(&results, None, &FILES).unwrap();
        if let Some(folder) = std::env::var_os("RUSHES_LOOK") {
            std::fs::write(std::path::Path::new(&folder).join(FILE_NAME), &page).unwrap();
        }
        for sentence in answer::sentences(&results) {
            assert!(page.contains(&sentence), "{sentence}");
        }
    }

    #[test]
    fn nothing_in_the_page_refers_to_the_network() {
        let page = page(&fixture::eight_cores(), Some("summary.mp4"), &FILES).unwrap();
        // The name of a kind of document, which nothing is loaded from.
        let page = page.replace("http://www.w3.org/2000/svg", "");
        for reference in [
            "http:",
            "https:",
            "\"//",
            "'//",
            "url(",
            "@import",
            "<script",
            "<link rel=\"style",
        ] {
            assert!(!page.contains(reference), "{reference}");
        }
    }

    #[test]
    fn hostile_names_stay_text() {
        let evil = "</title></svg><script>alert(1)</script>\u{1b}\"'&<img src=x onerror=y>";
        let mut results = fixture::two_cores();
        results.machine.host = evil.into();
        results.machine.cpu = evil.into();
        results.ffmpeg.program = Some(evil.into());
        results.design.clips = vec![evil.into()];
        results.design.recipe = evil.into();
        results.notes = vec![evil.into()];
        results.comparisons[0].sentence = evil.into();
        let lanes = results
            .samples
            .iter_mut()
            .flat_map(|sample| &mut sample.lanes);
        lanes.for_each(|lane| lane.job = evil.into());
        let page = page(&results, None, &FILES).unwrap();
        assert!(!page.contains("<script") && !page.contains("<img") && !page.contains('\u{1b}'));
    }
}
