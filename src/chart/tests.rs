//! Every picture of every kind of data is drawn; with `RUSHES_LOOK=DIR` set,
//! the pictures are left in that folder to be looked at.

use super::*;
use crate::bench::fixture::{self, Setup};
use crate::bench::python::{How, PythonSample};
use crate::bench::results::{Dispatch, Python};
use crate::bench::versus::Versus;
use crate::draw::{look, raster, slide};

fn names(results: &Results) -> Vec<String> {
    let charts = charts(results, &Theme::DARK).expect("charts are drawn");
    charts.into_iter().map(|chart| chart.name).collect()
}

/// Draws every picture and slide of `results` in both themes.
fn draw(stem: &str, results: &Results) {
    for theme in [Theme::DARK, Theme::LIGHT] {
        for chart in charts(results, &theme).expect("charts are drawn") {
            look(&format!("{stem}-{}-{}", theme.name, chart.name), &chart.svg);
            let slide = slide::chart_slide(&chart, &theme);
            look(
                &format!("{stem}-{}-slide-{}", theme.name, chart.name),
                &slide,
            );
        }
    }
}

#[test]
fn a_full_run_gives_all_pictures_in_the_order_of_the_film() {
    let results = fixture::two_cores();
    assert_eq!(
        names(&results),
        [
            "original-panels",
            "transcode-time",
            "transcode-throughput",
            "transcode-speedup",
            "transcode-memory",
            "race",
            "frames-overview",
        ]
    );
    draw("two", &results);
}

/// The reference loads in Python, whose threads take turns.
fn python(results: &Results) -> Python {
    let mut samples = Vec::new();
    for sample in &results.samples {
        if !sample.work.one_job_a_worker() {
            continue;
        }
        let (how, times) = match (sample.dispatch, sample.work) {
            (Dispatch::Threads, Work::Cpu) => (How::Threads, sample.workers as f64),
            (Dispatch::Threads, _) => (How::Threads, 1.0),
            (Dispatch::Processes, _) => (How::Processes, 1.02),
            (Dispatch::Workers, _) => continue,
        };
        samples.push(PythonSample {
            work: sample.work,
            how,
            workers: sample.workers,
            round: sample.round,
            wall_s: sample.wall_s * times,
            user_s: 0.0,
            sys_s: 0.0,
            peak_memory_bytes: 0,
        });
    }
    let python = Python {
        version: "Python 3.11.2".into(),
        samples,
        ..Python::default()
    };
    python.summarised(|_| 300)
}

#[test]
fn pythons_series_are_drawn_beside_ours_in_the_four_panels() {
    for (stem, mut results) in [
        ("py-two", fixture::two_cores()),
        ("py-eight", fixture::eight_cores()),
    ] {
        results.python = Some(python(&results));
        let charts = charts(&results, &Theme::DARK).expect("charts are drawn");
        for name in ["Py threads", "Py processes", ">Python<"] {
            assert!(charts[0].svg.contains(name), "{name}");
        }
        draw(stem, &results);
    }
}

#[test]
fn two_runs_are_drawn_beside_each_other() {
    let (a, eight) = (fixture::two_cores(), fixture::eight_cores());
    let slower = |times: f64| {
        let mut b = a.clone();
        b.samples
            .iter_mut()
            .for_each(|sample| sample.wall_s *= times);
        b
    };
    for (stem, a, b) in [
        ("same", &a, &a),
        ("faster", &a, &slower(0.7)),
        ("far", &a, &slower(40.0)),
        ("eight", &a, &eight),
    ] {
        let mut found =
            Versus::of([a, b], ["a.json", "b.json"]).expect("they have cells in common");
        found
            .rows
            .retain(|row| stem != "eight" || row.work == Work::Cpu);
        for theme in [Theme::DARK, Theme::LIGHT] {
            let (svg, height) = versus(&found, &theme);
            assert!(raster::render(&svg, VERSUS_WIDTH, height).is_ok());
            look_at(&format!("versus-{stem}-{}", theme.name), &svg, height);
        }
    }
}

/// Leaves a picture of that height to be looked at.
fn look_at(name: &str, svg: &str, height: u32) {
    if let Some(folder) = std::env::var_os("RUSHES_LOOK") {
        let png = raster::render(svg, VERSUS_WIDTH, height).and_then(|raster| raster.png());
        let path = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, png.expect("it can be drawn")).expect("it can be written");
    }
}

#[test]
fn fifteen_workers_on_eight_cores_are_drawn() {
    draw("eight", &fixture::eight_cores());
}

#[test]
fn uneven_counts_up_to_many_workers_are_drawn() {
    let setup = Setup {
        cores: 32,
        workers: vec![1, 2, 4, 8, 16, 32, 64],
        rounds: 5,
        works: fixture::WORKS.to_vec(),
        gap: 1.1,
    };
    draw("many", &fixture::results(&setup));
}

#[test]
fn nothing_is_cut_at_the_edges_of_a_picture() {
    for results in [fixture::two_cores(), fixture::eight_cores()] {
        for chart in charts(&results, &Theme::LIGHT).expect("charts are drawn") {
            let raster = raster::render(&chart.svg, 1920, 1080).expect("it can be drawn");
            let white = |x: u32, y: u32| raster.pixel(x, y) == [255; 4];
            let rows = (0..1080).all(|y| (0..40).all(|d| white(d, y) && white(1919 - d, y)));
            let columns = (0..1920).all(|x| (0..40).all(|d| white(x, d) && white(x, 1079 - d)));
            assert!(rows && columns, "{}", chart.name);
        }
    }
}

#[test]
fn coinciding_lines_are_drawn() {
    let setup = Setup {
        cores: 2,
        workers: vec![1, 2, 3],
        rounds: 8,
        works: vec![Work::Transcode, Work::Cpu, Work::Io],
        gap: 1.0,
    };
    draw("same", &fixture::results(&setup));
}

#[test]
fn one_worker_count_is_drawn_as_bars_without_a_speed_up() {
    let setup = Setup {
        cores: 2,
        workers: vec![2],
        rounds: 5,
        works: fixture::WORKS.to_vec(),
        gap: 1.1,
    };
    let results = fixture::results(&setup);
    assert!(!names(&results).iter().any(|name| name.contains("speedup")));
    draw("one", &results);
}

#[test]
fn one_dispatch_alone_is_drawn() {
    let mut results = fixture::two_cores();
    results
        .cells
        .retain(|cell| cell.dispatch == Dispatch::Processes);
    results
        .samples
        .retain(|sample| sample.dispatch == Dispatch::Processes);
    results.comparisons.clear();
    draw("alone", &results);
}

#[test]
fn an_import_of_times_alone_gives_the_original_panels() {
    let mut results = fixture::eight_cores();
    results.cells.retain(|cell| cell.work.one_job_a_worker());
    for cell in &mut results.cells {
        cell.peak_memory_bytes = 0;
        cell.ci95_s = [cell.median_s; 2];
    }
    results.samples.clear();
    results.comparisons.clear();
    results.machine = Default::default();
    results.design = Default::default();
    assert_eq!(names(&results), ["original-panels"]);
    draw("import", &results);
}

#[test]
fn a_wait_alone_is_drawn_on_a_page_of_its_own() {
    let mut results = fixture::two_cores();
    results.cells.retain(|cell| cell.work == Work::Io);
    assert_eq!(names(&results), ["original-panels"]);
    draw("wait", &results);
}

#[test]
fn frames_alone_get_the_slides() {
    let mut results = fixture::two_cores();
    results.cells.retain(|cell| cell.work == Work::Frames);
    assert_eq!(names(&results)[0], "frames-time");
    assert!(!names(&results).iter().any(|name| name.contains("overview")));
}

#[test]
fn memory_that_was_not_measured_leaves_its_picture_out() {
    let mut results = fixture::two_cores();
    results
        .cells
        .iter_mut()
        .for_each(|cell| cell.peak_memory_bytes = 0);
    results
        .samples
        .iter_mut()
        .for_each(|sample| sample.peak_memory_bytes = 0);
    assert!(!names(&results).iter().any(|name| name.contains("memory")));
}

#[test]
fn no_cells_give_no_pictures() {
    let mut results = fixture::two_cores();
    results.cells.clear();
    assert!(names(&results).is_empty());
}

#[test]
fn numbers_that_are_none_or_huge_are_survived() {
    for value in [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e-300, 1e300, f64::MAX] {
        let mut results = fixture::two_cores();
        for cell in results.cells.iter_mut().step_by(2) {
            cell.median_s = value;
            cell.ci95_s = [value, value];
            cell.throughput_fps = Some(value);
            cell.speedup = Some(value);
        }
        for sample in results.samples.iter_mut().step_by(3) {
            sample.wall_s = value;
            sample.peak_memory_bytes = u64::MAX;
            sample.lanes.iter_mut().for_each(|lane| lane.end_s = value);
        }
        for comparison in &mut results.comparisons {
            comparison.ratio = value;
        }
        let charts = charts(&results, &Theme::DARK).expect("charts are drawn");
        for chart in charts {
            assert!(
                !chart.svg.contains("NaN") && !chart.svg.contains("inf"),
                "{}",
                chart.name
            );
            look(&format!("odd-{value:e}-{}", chart.name), &chart.svg);
        }
    }
}

#[test]
fn captions_use_the_verdicts_own_words() {
    let mut results = fixture::two_cores();
    for comparison in &mut results.comparisons {
        comparison.sentence = "no difference shown, whatever the medians say".to_owned();
    }
    let charts = charts(&results, &Theme::DARK).expect("charts are drawn");
    for name in [
        "original-panels",
        "transcode-time",
        "race",
        "frames-overview",
    ] {
        let chart = charts
            .iter()
            .find(|chart| chart.name == name)
            .expect("it is drawn");
        assert!(
            chart.caption.contains("whatever the medians say"),
            "{}",
            chart.caption
        );
    }
    for chart in &charts {
        assert!(!chart.caption.contains("faster"), "{}", chart.caption);
    }
}

#[test]
fn hostile_names_of_jobs_stay_text() {
    let mut results = fixture::two_cores();
    for lane in results
        .samples
        .iter_mut()
        .flat_map(|sample| &mut sample.lanes)
    {
        lane.job = "</svg><image href='/etc/passwd'/>&\n\u{1b}[31m".to_owned();
    }
    for chart in charts(&results, &Theme::DARK).expect("charts are drawn") {
        assert!(!chart.svg.contains("<image"));
        look(&format!("hostile-{}", chart.name), &chart.svg);
    }
}
