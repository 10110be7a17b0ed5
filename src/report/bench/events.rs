//! The events of `bench --json`; docs/events.md tells what they hold.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::bench::ahead::Ahead;
use crate::bench::results::Results;
use crate::bench::run::Step;
use crate::bench::turn::Turn;

/// What a dry run would measure.
pub fn planned(ahead: &Ahead) -> Value {
    with(&json!({"event": "bench_planned"}), &json!(ahead))
}

/// A step of the measuring.
pub(super) fn step(step: &Step) -> Value {
    match step {
        Step::WarmUp(cell) => cell_started(&Turn::Cell(*cell), &json!({"round": null})),
        Step::Compare(work) => json!({"event": "comparison_started", "work": work}),
        Step::Measure { round, cell, used } => {
            cell_started(cell, &json!({"round": round, "budget_used": used}))
        }
        Step::Costs => json!({"event": "costs_started"}),
    }
}

/// All that follows from the samples, in words of `results.json`, and where it is.
pub fn finished(results: &Results, files: &[PathBuf]) -> Value {
    let files: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    json!({
        "event": "bench_finished",
        "rounds": results.design.rounds,
        "cells": results.cells,
        "comparisons": results.comparisons,
        "fits": results.fits,
        "capacity": results.capacity,
        "notes": results.notes,
        "files": files,
    })
}

/// Where `convert` and `frames` find what is best here.
pub fn profile_saved(file: &Path) -> Value {
    json!({"event": "profile_saved", "file": file.display().to_string()})
}

fn cell_started(turn: &Turn, more: &Value) -> Value {
    let (work, _, workers) = turn.seat();
    let (dispatch, codec_threads, python) = match turn {
        Turn::Cell(key) => (key.dispatch.name(), Some(key.load.codec_threads), false),
        Turn::Python(key) => (key.how.name(), None, true),
    };
    let cell = json!({
        "event": "cell_started", "work": work, "dispatch": dispatch,
        "workers": workers, "codec_threads": codec_threads, "python": python,
    });
    with(&cell, more)
}

/// The fields of both.
fn with(a: &Value, b: &Value) -> Value {
    let fields = [a, b].into_iter().filter_map(Value::as_object);
    let fields = fields
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()));
    Value::Object(fields.collect())
}
