//! What the tables of the report hold, in words.

use crate::bench::results::{Cell, Comparison, Dispatch, Fit, Output, Residual, Results};
use crate::report::{answer, words};

/// A cell in words.
pub(super) struct CellRow {
    pub(super) work: String,
    pub(super) workers: usize,
    pub(super) dispatch: Dispatch,
    pub(super) n: usize,
    pub(super) time: String,
    pub(super) interval: String,
    pub(super) fps: String,
    pub(super) speedup: String,
    pub(super) cpu: String,
    pub(super) memory: String,
}

impl CellRow {
    pub(super) fn of(results: &Results, cell: &Cell) -> Self {
        let or_none = |value: Option<f64>, decimals: usize| {
            value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"))
        };
        let [lo, hi] = cell.ci95_s;
        Self {
            work: answer::load_title(results, cell.load()),
            workers: cell.workers,
            dispatch: cell.dispatch,
            n: cell.n,
            time: format!("{:.3}", cell.median_s),
            interval: format!("{lo:.3}–{hi:.3}"),
            fps: or_none(cell.throughput_fps, 0),
            speedup: answer::speedup(cell).unwrap_or_else(|| "–".into()),
            cpu: format!("{:.3}", cell.cpu_s),
            memory: words::bytes(cell.peak_memory_bytes),
        }
    }
}

/// A comparison in words.
pub(super) struct ComparisonRow<'a> {
    pub(super) work: String,
    pub(super) workers: usize,
    pub(super) pair: String,
    pub(super) ratio: String,
    pub(super) interval: String,
    pub(super) sentence: &'a str,
    pub(super) output: &'static str,
}

impl<'a> ComparisonRow<'a> {
    pub(super) fn of(results: &Results, found: &'a Comparison) -> Self {
        let [lo, hi] = found.ci95;
        Self {
            work: answer::load_title(results, found.load()),
            workers: found.workers,
            pair: format!("{} ∕ {}", found.a.name(), found.b.name()),
            ratio: format!("{:.3}", found.ratio),
            interval: format!("{lo:.3}–{hi:.3}"),
            sentence: &found.sentence,
            output: match found.equal_output {
                Some(true) => "equal",
                Some(false) => "differs",
                None => "–",
            },
        }
    }
}

/// The models of one load and dispatch in words.
pub(super) struct FitRow {
    pub(super) work: String,
    pub(super) dispatch: Dispatch,
    pub(super) best: usize,
    pub(super) amdahl: String,
    pub(super) usl: String,
}

impl FitRow {
    pub(super) fn of(results: &Results, fit: &Fit) -> Self {
        let none = || "not claimed".to_owned();
        Self {
            work: answer::load_title(results, fit.load()),
            dispatch: fit.dispatch,
            best: fit.best_workers,
            amdahl: fit.amdahl.as_ref().map_or_else(none, |law| {
                format!(
                    "{:.1} % serial, R² {:.3}; off by {}",
                    100.0 * law.serial,
                    law.r2,
                    residuals(&law.residuals)
                )
            }),
            usl: fit.usl.as_ref().map_or_else(none, |law| {
                format!(
                    "σ {:.3}, κ {:.4}, R² {:.3}; off by {}",
                    law.sigma,
                    law.kappa,
                    law.r2,
                    residuals(&law.residuals)
                )
            }),
        }
    }
}

/// `0.0, +1.2, −0.4 %`: by rising worker count.
fn residuals(all: &[Residual]) -> String {
    let mut all = all.to_vec();
    all.sort_by_key(|residual| residual.workers);
    let shown = |residual: &Residual| {
        let percent = 100.0 * residual.share;
        match format!("{:.1}", percent.abs()).as_str() {
            "0.0" => "0.0".to_owned(),
            number if percent < 0.0 => format!("−{number}"),
            number => format!("+{number}"),
        }
    };
    let all: Vec<String> = all.iter().map(shown).collect();
    format!("{} %", all.join(", "))
}

/// What a dispatch made of the clips, in words.
pub(super) struct OutputRow {
    pub(super) work: String,
    pub(super) dispatch: Dispatch,
    pub(super) size: String,
    pub(super) ssim: String,
    pub(super) hash: String,
}

impl OutputRow {
    pub(super) fn of(results: &Results, output: &Output) -> Self {
        let ssim = output.ssim.map(|ssim| format!("{ssim:.4}"));
        Self {
            work: answer::load_title(results, output.load()),
            dispatch: output.dispatch,
            size: words::bytes(output.bytes),
            ssim: ssim.unwrap_or_else(|| "–".into()),
            hash: output.hash.clone(),
        }
    }
}
