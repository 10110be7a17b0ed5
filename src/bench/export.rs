//! The files that a run leaves: each under its name only once it is whole.

use std::path::{Path, PathBuf};

use super::export_csv::export_csv;
use super::original::{FILE_NAME, write_original};
use super::results::Results;
use crate::chart::{Chart, PICTURE};
use crate::delivery::place_bytes;
use crate::document;
use crate::draw::raster::render;
use crate::error::Result;
use crate::report::page;

/// What [`write_data`] writes, by name.
const DATA_FILES: [&str; 3] = ["results.json", "results.csv", FILE_NAME];

/// Writes `results.json`, `results.csv` and `thread_cpu_bound.dat` to `folder`.
///
/// # Errors
/// Where a file cannot be written.
pub fn write_data(results: &Results, folder: &Path) -> Result<Vec<PathBuf>> {
    let contents = [
        document::json(results, DATA_FILES[0])?,
        export_csv(results)?,
        write_original(results).into_bytes(),
    ];
    DATA_FILES
        .into_iter()
        .zip(contents)
        .map(|(name, bytes)| {
            let path = folder.join(name);
            place_bytes(&path, &bytes).map(|()| path)
        })
        .collect()
}

/// Writes the report to `folder`, beside the files of the other writers here.
///
/// # Errors
/// Where it cannot be drawn or written.
pub fn write_report(results: &Results, film: Option<&str>, folder: &Path) -> Result<PathBuf> {
    let path = folder.join(page::FILE_NAME);
    let page = page::page(results, film, &DATA_FILES)?;
    place_bytes(&path, page.as_bytes()).map(|()| path)
}

/// Writes every chart as SVG and PNG to `folder/charts`.
///
/// # Errors
/// Where a chart cannot be drawn or written.
pub fn write_charts(charts: &[Chart], folder: &Path) -> Result<()> {
    for chart in charts {
        let path = folder.join("charts").join(&chart.name);
        place_bytes(&path.with_extension("svg"), chart.svg.as_bytes())?;
        place_bytes(
            &path.with_extension("png"),
            &render(&chart.svg, PICTURE.0, PICTURE.1)?.png()?,
        )?;
    }
    Ok(())
}
