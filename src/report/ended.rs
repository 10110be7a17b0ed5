//! What became of a batch, for people: the table at its end, and what went wrong.

use comfy_table::{CellAlignment, Table, presets};

use super::summary::{Report, Status};
use super::words;
use crate::terminal::shown;

impl Report {
    /// The totals as a table for people.
    pub fn table(&self) -> Table {
        let totals = &self.totals;
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        let mut add = |name: &str, value: String| {
            table.add_row([name.to_owned(), value]);
        };
        add("done", totals.done.to_string());
        for (name, count) in [
            ("salvaged", totals.salvaged),
            ("… source not removed", totals.unfinished),
            ("failed", totals.failed + totals.refused),
            ("skipped", totals.skipped),
            ("… salvaged before", totals.salvaged_before),
            ("not done", totals.cancelled),
        ] {
            // What is always there is a row; what is not, only where it is.
            if count > 0 || matches!(name, "failed" | "skipped") {
                add(name, count.to_string());
            }
        }
        // Where nothing was made, there is nothing to tell of it.
        if totals.done + totals.salvaged > 0 {
            add("frames", totals.frames.to_string());
            add("size", self.size());
            add("time", words::duration(totals.wall_s));
            let speed = words::times_real_time(totals.media_s, totals.wall_s);
            add("speed", speed.unwrap_or_else(|| "–".into()));
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    fn size(&self) -> String {
        let (before, after) = (self.totals.bytes_in, self.totals.bytes_out);
        if before == 0 {
            return words::bytes(after);
        }
        format!(
            "{} ({})",
            words::shrunk(before, after),
            words::change(after as f64 / before as f64)
        )
    }

    /// The sources that failed or were refused, a line each with the reason; none where there are
    /// none.
    pub fn failures(&self) -> Vec<String> {
        let bad = self.sources.iter().filter(|source| {
            let now = matches!(
                source.status,
                Status::Failed | Status::Refused | Status::Salvaged
            );
            now || source.unfinished || source.salvaged_before
        });
        bad.map(|source| {
            let what = match source.status {
                Status::Salvaged | Status::Skipped => "salvaged",
                Status::Done => "done",
                _ => "failed",
            };
            let why = source
                .reason
                .clone()
                .unwrap_or_else(|| source.warnings.join("; "));
            shown(&format!("{what} {}: {why}", source.source))
        })
        .collect()
    }
}
