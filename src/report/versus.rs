//! Two runs beside each other: a table and sentences for the terminal, and a page.

use askama::Template;
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::page::{Figure, visible};
use super::{answer, words};
use crate::bench::results::Verdict;
use crate::bench::versus::{Row, Versus};
use crate::chart;
use crate::draw::Theme;
use crate::error::{Error, Result};

/// The file's name in a result folder.
pub const FILE_NAME: &str = "compare.html";

/// The answer in one sentence.
pub fn answer(versus: &Versus) -> String {
    let count = |verdict| {
        let found = versus.rows.iter().filter(|row| row.verdict == verdict);
        found.count()
    };
    let shown = |count: usize| match count {
        0 => "none".to_owned(),
        count => count.to_string(),
    };
    let (a, b) = (count(Verdict::AFaster), count(Verdict::BFaster));
    let compared = versus
        .rows
        .iter()
        .filter(|row| row.verdict != Verdict::Void);
    match compared.count() {
        0 => "Nothing can be compared: the work differs".to_owned(),
        all if a + b == 0 => {
            format!(
                "No difference shown in any of {}",
                words::count(all, "cell")
            )
        }
        all => format!(
            "A is faster in {} of {}, B in {}",
            shown(a),
            words::count(all, "cell"),
            shown(b)
        ),
    }
}

/// What `rows` say, one sentence each.
pub fn verdicts(rows: &[&Row]) -> Vec<String> {
    let said = |row: &&Row| {
        format!(
            "{} on {} at {}: {}",
            answer::title(row.work),
            row.dispatch.name(),
            words::count(row.workers, "worker"),
            row.sentence
        )
    };
    rows.iter().map(said).collect()
}

/// All cells of both.
pub fn table(versus: &Versus) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["load", "dispatch", "workers", "A (s)", "B (s)", "verdict"]);
    let mut before = None;
    for row in &versus.rows {
        let name = if before == Some(row.work) {
            ""
        } else {
            row.work.name()
        };
        before = Some(row.work);
        table.add_row([
            name.to_owned(),
            row.dispatch.name().to_owned(),
            row.workers.to_string(),
            format!("{:.3}", row.a_s),
            format!("{:.3}", row.b_s),
            row.sentence.clone(),
        ]);
    }
    for column in 2..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

#[derive(Template)]
#[template(path = "compare.html")]
struct Page<'a> {
    versus: &'a Versus,
    answer: String,
    verdicts: Vec<String>,
    figure: Figure,
    rows: Vec<Shown<'a>>,
}

/// A cell of both in words.
struct Shown<'a> {
    work: &'static str,
    dispatch: &'static str,
    workers: usize,
    a: String,
    b: String,
    ratio: String,
    interval: String,
    sentence: &'a str,
    output: &'static str,
}

impl<'a> Shown<'a> {
    fn of(row: &'a Row) -> Self {
        let [lo, hi] = row.ci95;
        Self {
            work: answer::title(row.work),
            dispatch: row.dispatch.name(),
            workers: row.workers,
            a: format!("{:.3}", row.a_s),
            b: format!("{:.3}", row.b_s),
            ratio: format!("{:.3}", row.ratio),
            interval: format!("{lo:.3}–{hi:.3}"),
            sentence: &row.sentence,
            output: match row.equal_output {
                Some(true) => "equal",
                Some(false) => "differs",
                None => "–",
            },
        }
    }
}

/// The page of `versus`, with the sentences of [`verdicts`].
///
/// # Errors
/// Where it cannot be written.
pub fn page(versus: &Versus, verdicts: Vec<String>) -> Result<String> {
    let page = Page {
        versus,
        answer: answer(versus),
        verdicts,
        figure: Figure {
            title: String::new(),
            caption: String::new(),
            light: chart::versus(versus, &Theme::LIGHT).0,
            dark: chart::versus(versus, &Theme::DARK).0,
        },
        rows: versus.rows.iter().map(Shown::of).collect(),
    };
    let text = page
        .render()
        .map_err(|error| Error::failed(format!("cannot write {FILE_NAME}")).because(error))?;
    Ok(visible(&text))
}
