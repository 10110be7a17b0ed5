//! A benchmark leaves numbers, charts and a film that hold what they promise.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use crate::common::{
    ffprobe, fresh_folder, have, leftovers, names, run, rushes, stderr, stdout, tiny, wait_for,
};
use rushes::bench::results::{Dispatch, Results, VERSION, Verdict, Work};
use rustix::process::{Pid, Signal, kill_process};

/// Flags that make every load as small as can be.
const SMALL: [&str; 9] = [
    "--workers",
    "1-2",
    "--cpu",
    "20ms",
    "--io",
    "20ms",
    "--speed",
    "ultrafast",
    "-q",
];

/// A finished benchmark.
struct Bench {
    root: PathBuf,
    stdout: String,
}

impl Bench {
    fn out(&self) -> PathBuf {
        self.root.join("out")
    }

    fn results(&self) -> Results {
        serde_json::from_slice(&self.bytes("results.json")).unwrap()
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        fs::read(self.out().join(name)).unwrap()
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.bytes(name)).unwrap()
    }
}

/// A folder below the build's own one, emptied, with two clips in `clips`.
fn folder_with_clips(name: &str) -> PathBuf {
    let root = fresh_folder(name);
    fs::create_dir_all(root.join("clips")).unwrap();
    for clip in ["a.mp4", "b.mp4"] {
        fs::copy(tiny(), root.join("clips").join(clip)).unwrap();
    }
    root
}

fn bench(name: &str, flags: &[&str]) -> Bench {
    let root = folder_with_clips(name);
    let mut arguments = args!["bench", root.join("clips"), "-o", root.join("out")].to_vec();
    arguments.extend(SMALL.iter().chain(flags).map(Into::into));
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    Bench {
        root,
        stdout: stdout(&output),
    }
}

/// All loads, without film.
fn numbers() -> &'static Bench {
    static ONCE: OnceLock<Bench> = OnceLock::new();
    ONCE.get_or_init(|| bench("bench-numbers", &["--budget", "12s", "--no-film"]))
}

/// The reference loads alone, with film.
fn film() -> &'static Bench {
    static ONCE: OnceLock<Bench> = OnceLock::new();
    ONCE.get_or_init(|| bench("bench-film", &["--budget", "1s", "--work", "cpu,io"]))
}

#[test]
fn the_encoders_that_made_the_results_are_told_with_their_versions() {
    let encoders = numbers().results().ffmpeg.encoders;
    let names: Vec<&str> = encoders.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["libx264", "aac", "mjpeg"]);
    for one in &encoders {
        // Both write it into what they make.
        let versions = [one.linked.as_deref(), one.program.as_deref()].map(Option::unwrap);
        for version in versions {
            let begins = ["core ", "libavcodec "].map(|word| version.starts_with(word));
            assert!(begins.contains(&true), "{one:?}");
        }
        assert!(
            numbers().text("report.html").contains(&one.told()),
            "{one:?}"
        );
    }
}

#[test]
fn results_hold_every_field_that_is_promised() {
    let json: serde_json::Value = serde_json::from_slice(&numbers().bytes("results.json")).unwrap();
    let has = |value: &serde_json::Value, fields: &[&str]| {
        for field in fields {
            assert!(value.get(field).is_some(), "no '{field}' in {value}");
        }
    };
    has(
        &json,
        &[
            "version",
            "rushes",
            "started",
            "machine",
            "ffmpeg",
            "design",
            "samples",
            "cells",
            "comparisons",
            "fits",
            "capacity",
            "notes",
        ],
    );
    has(
        &json["samples"][0],
        &[
            "work",
            "dispatch",
            "workers",
            "codec_threads",
            "round",
            "wall_s",
            "user_s",
            "sys_s",
            "peak_memory_bytes",
            "jobs",
            "frames",
        ],
    );
    has(
        &json["cells"][0],
        &[
            "work",
            "dispatch",
            "workers",
            "codec_threads",
            "n",
            "median_s",
            "ci95_s",
            "throughput_fps",
            "speedup",
            "efficiency",
        ],
    );
    has(
        &json["comparisons"][0],
        &["work", "workers", "a", "b", "ratio", "ci95", "verdict"],
    );
    for fit in json["fits"].as_array().unwrap() {
        has(fit, &["work", "dispatch", "amdahl", "usl", "best_workers"]);
    }
}

#[test]
fn results_are_the_measured_matrix() {
    let results = numbers().results();
    assert_eq!(results.version, VERSION);
    assert_eq!(
        results.design.works,
        [Work::Transcode, Work::Frames, Work::Cpu, Work::Io]
    );
    assert_eq!(results.design.dispatches, Dispatch::ALL);
    assert_eq!(results.design.workers, [1, 2]);
    assert_eq!(results.design.clips, ["a.mp4", "b.mp4"]);
    assert!(results.design.rounds >= 1);
    assert_eq!(results.samples.len(), 24 * results.design.rounds);
    assert_eq!(results.cells.len(), 24);
    // Processes and workers, each against threads.
    assert_eq!(results.comparisons.len(), 16);
    for cell in &results.cells {
        assert_eq!(cell.n, results.design.rounds, "{cell:?}");
        assert!(
            cell.ci95_s[0] <= cell.median_s && cell.median_s <= cell.ci95_s[1],
            "{cell:?}"
        );
    }
    for sample in &results.samples {
        assert!(sample.wall_s > 0.0, "{sample:?}");
        assert!(sample.peak_memory_bytes > 1 << 20, "{sample:?}");
        assert_eq!(sample.lanes.len(), sample.jobs, "{sample:?}");
        let jobs = if sample.work.one_job_a_worker() {
            sample.workers
        } else {
            2
        };
        assert_eq!(sample.jobs, jobs, "{sample:?}");
        let frames = match sample.work {
            Work::Transcode | Work::Remux => 50,
            Work::Frames => 4,
            Work::Cpu | Work::Io => 0,
        };
        assert_eq!(sample.frames, frames, "{sample:?}");
    }
    // A wait cannot be shorter than it is.
    let waits = results
        .samples
        .iter()
        .filter(|sample| sample.work == Work::Io);
    assert!(waits.clone().count() > 0);
    assert!(waits.into_iter().all(|sample| sample.wall_s >= 0.020));
}

#[test]
fn a_computation_as_short_as_its_start_is_too_small_whatever_starting_the_cell_costs() {
    let root = folder_with_clips("bench-too-small");
    let flags = "--work cpu --dispatch threads,processes --cpu 1ms --workers 1 --rounds 6 \
                 --no-film -q";
    let arguments = args!["bench", root.join("clips"), "-o", root.join("out")].to_vec();
    let output = run(arguments
        .into_iter()
        .chain(flags.split_whitespace().map(Into::into)));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let json = fs::read(root.join("out/results.json")).unwrap();
    let results: Results = serde_json::from_slice(&json).unwrap();
    let found = &results.comparisons[0];
    assert_eq!(found.verdict, Verdict::TooSmallToMeasure, "{found:?}");
    assert!(found.sentence.contains("1.0 ms of work"), "{found:?}");
}

#[test]
fn outputs_were_equal_before_times_were_compared() {
    for comparison in numbers().results().comparisons {
        let expected = (!comparison.work.one_job_a_worker()).then_some(true);
        assert_eq!(comparison.equal_output, expected, "{comparison:?}");
    }
}

#[test]
fn codec_threads_and_remuxing_are_measured_beside_the_rest_and_never_mixed() {
    let flags = [
        "--work",
        "transcode,remux",
        "--codec-threads",
        "1,2",
        "--rounds",
        "1",
        "--no-film",
    ];
    let ran = bench("bench-codec-threads", &flags);
    let results = ran.results();
    // No codec runs where streams are copied: that is measured once.
    let loads = [(Work::Transcode, 1), (Work::Transcode, 2), (Work::Remux, 1)];
    let of = |load: rushes::bench::results::Load| (load.work, load.codec_threads);
    assert_eq!(
        results
            .design
            .loads()
            .into_iter()
            .map(of)
            .collect::<Vec<_>>(),
        loads
    );
    for (what, found) in [
        (
            "cells",
            results
                .cells
                .iter()
                .map(|c| of(c.load()))
                .collect::<Vec<_>>(),
        ),
        (
            "comparisons",
            results.comparisons.iter().map(|c| of(c.load())).collect(),
        ),
        (
            "outputs",
            results.outputs.iter().map(|o| of(o.load())).collect(),
        ),
    ] {
        let mut distinct = found.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct, loads, "{what}");
    }
    let equal = |found: &rushes::bench::results::Comparison| found.equal_output == Some(true);
    assert!(results.comparisons.iter().all(equal), "{:?}", results.notes);
    for told in [
        "transcode with 1 codec thread ",
        "transcode with 2 codec threads ",
        " remux ",
    ] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    // What goes on with it must have been asked for the same.
    let mut again = args!["bench", ran.root.join("clips"), "-o", ran.out()].to_vec();
    again.extend(SMALL.iter().chain(&flags).map(Into::into));
    let position = again.iter().position(|flag| flag == "1,2").unwrap();
    again[position] = "1".into();
    again.push("--resume".into());
    let refused = run(again);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        stderr(&refused).contains("--codec-threads"),
        "{}",
        stderr(&refused)
    );
}

#[test]
fn every_sample_is_a_row_of_the_csv() {
    let (results, csv) = (numbers().results(), numbers().text("results.csv"));
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers().unwrap().clone();
    assert!(columns.iter().any(|column| column == "wall_s"));
    let rows: Vec<std::collections::HashMap<String, String>> =
        reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), results.samples.len());
    for (row, sample) in rows.iter().zip(&results.samples) {
        assert_eq!(row["work"], sample.work.name());
        assert_eq!(row["dispatch"], sample.dispatch.name());
        assert_eq!(row["workers"], sample.workers.to_string());
        assert_eq!(row["wall_s"].parse::<f64>().unwrap(), sample.wall_s);
    }
}

#[test]
fn the_data_file_has_a_header_and_a_row_for_every_worker_count() {
    let (text, results) = (numbers().text("thread_cpu_bound.dat"), numbers().results());
    let rows: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        rows[0],
        [
            "nthreads",
            "CpuThread",
            "CpuProcess",
            "IoThread",
            "IoProcess"
        ]
    );
    assert_eq!(rows.len(), 3, "{text}");
    for (row, workers) in rows[1..].iter().zip([1, 2]) {
        assert_eq!(row[0], workers.to_string());
        let cpu_threads = results
            .cells
            .iter()
            .find(|cell| {
                (cell.work, cell.dispatch, cell.workers) == (Work::Cpu, Dispatch::Threads, workers)
            })
            .unwrap();
        let written: f64 = row[1].parse().unwrap();
        assert!((written - cpu_threads.median_s).abs() < 1e-5);
    }
}

#[test]
fn gnuplot_reads_every_row_of_the_data_file_the_first_one_too() {
    if !have("gnuplot") {
        return;
    }
    let table = numbers().root.join("table");
    let script = format!(
        "set key autotitle columnhead; set table '{}'; \
         plot for [i=2:5] '{}' using 1:i with lines",
        table.display(),
        numbers().out().join("thread_cpu_bound.dat").display()
    );
    let output = Command::new("gnuplot")
        .args(["-e", &script])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let text = fs::read_to_string(table).unwrap();
    let xs: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(xs, ["1", "2"].repeat(4), "{text}");
    for title in ["CpuThread", "CpuProcess", "IoThread", "IoProcess"] {
        assert!(text.contains(title), "{title} is no line's title: {text}");
    }
}

#[test]
fn charts_are_full_hd_pictures_with_something_on_them() {
    for bench in [numbers(), film()] {
        let folder = bench.out().join("charts");
        let files = names(&folder);
        let pictures: Vec<_> = files.iter().filter(|name| name.ends_with(".png")).collect();
        assert!(!pictures.is_empty());
        assert_eq!(files.len(), 2 * pictures.len(), "{files:?}");
        for name in pictures {
            let picture = image::open(folder.join(name)).unwrap().to_rgb8();
            assert_eq!(picture.dimensions(), (1920, 1080), "{name}");
            let ground = picture.get_pixel(2, 2);
            let drawn = picture.pixels().filter(|pixel| *pixel != ground).count();
            let share = drawn as f64 / (1920.0 * 1080.0);
            assert!((0.005..0.9).contains(&share), "{name}: {share} is drawn on");
            let svg = fs::read_to_string(folder.join(name).with_extension("svg")).unwrap();
            assert!(svg.trim_start().starts_with("<svg"), "{name}");
            assert!(svg.trim_end().ends_with("</svg>"), "{name}");
        }
    }
    let all = names(&numbers().out().join("charts"));
    for expected in [
        "original-panels.png",
        "transcode-time.png",
        "transcode-speedup.png",
    ] {
        assert!(all.iter().any(|name| name == expected), "{all:?}");
    }
}

#[test]
fn the_film_plays_everywhere() {
    let path = film().out().join("summary.mp4");
    let facts = ffprobe(
        &[
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=codec_name,width,height,pix_fmt,r_frame_rate,color_range,color_space,color_transfer,color_primaries",
            "-of",
            "default=nw=1",
        ],
        &path,
    );
    let mut facts: Vec<&str> = facts.lines().collect();
    facts.sort_unstable();
    assert_eq!(
        facts,
        [
            "codec_name=h264",
            "color_primaries=bt709",
            "color_range=tv",
            "color_space=bt709",
            "color_transfer=bt709",
            "height=1080",
            "pix_fmt=yuv420p",
            "r_frame_rate=30/1",
            "width=1920",
        ]
    );
    assert_eq!(boxes(&film().bytes("summary.mp4"))[..2], ["ftyp", "moov"]);
}

/// Names of an mp4 file's top-level boxes.
fn boxes(bytes: &[u8]) -> Vec<String> {
    let (mut names, mut at) = (Vec::new(), 0);
    while at + 16 <= bytes.len() {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        names.push(String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned());
        at += match size {
            0 => break,
            1 => u64::from_be_bytes(bytes[at + 8..at + 16].try_into().unwrap()) as usize,
            size => size,
        };
    }
    names
}

/// Start, end and title of every chapter, and the number of frames.
fn film_parts(path: &Path) -> (Vec<(f64, f64, String)>, u64) {
    let chapters = ffprobe(&["-show_chapters", "-of", "json"], path);
    let chapters: serde_json::Value = serde_json::from_str(&chapters).unwrap();
    let time = |chapter: &serde_json::Value, field: &str| -> f64 {
        chapter[field].as_str().unwrap().parse().unwrap()
    };
    let chapters = chapters["chapters"].as_array().unwrap().iter();
    let parts = chapters.map(|chapter| {
        let title = chapter["tags"]["title"].as_str().unwrap().to_owned();
        (
            time(chapter, "start_time"),
            time(chapter, "end_time"),
            title,
        )
    });
    let frames = ffprobe(
        &[
            "-select_streams",
            "v:0",
            "-count_packets",
            "-show_entries",
            "stream=nb_read_packets",
            "-of",
            "csv=p=0",
        ],
        path,
    );
    (parts.collect(), frames.parse().unwrap())
}

#[test]
fn the_film_has_a_chapter_a_slide_that_leaves_time_to_read() {
    let (chapters, frames) = film_parts(&film().out().join("summary.mp4"));
    // The title, every chart, the conclusions.
    let charts = names(&film().out().join("charts")).len() / 2;
    assert_eq!(chapters.len(), charts + 2);
    let mut end = 0.0;
    for chapter in &chapters {
        assert!((chapter.0 - end).abs() < 0.001, "{chapters:?}");
        end = chapter.1;
        assert!(
            end - chapter.0 > 2.9 && !chapter.2.is_empty(),
            "{chapter:?}"
        );
    }
    assert_eq!(frames, (end * 30.0).round() as u64);
}

#[test]
fn results_become_the_same_film_again_in_another_size_and_format() {
    let results = film().out().join("results.json");
    let folder = tempfile::tempdir().unwrap();
    let again = folder.path().join("again.webm");
    let flags = [
        "--size", "320x180", "--fps", "5", "--speed", "8", "--theme", "light", "-q",
    ];
    let paths = args!["slideshow", &results, "-o", &again];
    let output = run(paths.into_iter().chain(flags.map(Into::into)));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let titles = |path: &Path| -> Vec<String> {
        let (chapters, _) = film_parts(path);
        chapters.into_iter().map(|chapter| chapter.2).collect()
    };
    assert_eq!(titles(&again), titles(&film().out().join("summary.mp4")));
    // What cannot be meant is told.
    let broken = folder.path().join("broken.json");
    fs::write(&broken, "{\"version\": 1}").unwrap();
    let never = folder.path().join("never.mp4");
    for (path, flags) in [
        (&broken, vec![]),
        (&results, vec!["--size", "500x500"]),
        (&results, vec!["--captions", "names"]),
        (&results, vec!["--dry-run"]),
    ] {
        let paths = args!["slideshow", path, "-o", &never];
        let output = run(paths.into_iter().chain(flags.into_iter().map(Into::into)));
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(!never.exists());
    }
}

#[test]
fn a_benchmark_leaves_its_results_and_nothing_else() {
    let top = |bench: &Bench| -> Vec<String> {
        let all = names(&bench.out());
        all.into_iter().filter(|name| !name.contains('/')).collect()
    };
    assert_eq!(
        top(numbers()),
        [
            "charts",
            "report.html",
            "results.csv",
            "results.json",
            "thread_cpu_bound.dat"
        ]
    );
    assert_eq!(
        top(film()),
        [
            "charts",
            "report.html",
            "results.csv",
            "results.json",
            "summary.mp4",
            "thread_cpu_bound.dat"
        ]
    );
    for bench in [numbers(), film()] {
        assert_eq!(leftovers(&bench.root), Vec::<PathBuf>::new());
        for name in top(bench) {
            let path = bench.out().join(name);
            let shown = path.display().to_string();
            assert!(bench.stdout.contains(&shown), "{shown} is not told of");
        }
    }
}

/// Starts a benchmark, interrupts it at the first line with `moment`, and gives its exit code.
fn interrupted_at(root: &Path, moment: &str, flags: &[&str]) -> Option<i32> {
    let mut arguments = args!["bench", root.join("clips"), "-o", root.join("out")].to_vec();
    arguments.extend(
        SMALL
            .iter()
            .filter(|flag| **flag != "-q")
            .chain(flags)
            .map(Into::into),
    );
    let mut child = rushes()
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = lines.any(|line| line.unwrap().contains(moment));
    std::thread::spawn(move || lines.for_each(drop));
    kill_process(Pid::from_raw(child.id() as i32).unwrap(), Signal::INT).unwrap();
    let ended = wait_for(Duration::from_secs(15), || {
        child.try_wait().unwrap().is_some()
    });
    if !ended {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    assert!(reached, "there was no '{moment}'");
    assert!(ended, "it cannot be stopped at '{moment}'");
    status.code()
}

#[test]
fn a_benchmark_interrupted_while_it_measures_leaves_nothing() {
    let root = folder_with_clips("bench-interrupted");
    let code = interrupted_at(&root, "round 1", &["--budget", "60s", "--no-film"]);
    assert_eq!(code, Some(130));
    assert_eq!(names(&root.join("out")), Vec::<String>::new());
}

#[test]
fn a_stopped_benchmark_keeps_its_whole_rounds_and_goes_on_to_the_same_end() {
    let root = folder_with_clips("bench-resumed");
    let flags = ["--no-film", "--work", "io", "--rounds", "5"];
    assert_eq!(interrupted_at(&root, "round 3", &flags), Some(130));
    let read = || -> Results {
        serde_json::from_slice(&fs::read(root.join("out/results.json")).unwrap()).unwrap()
    };
    let kept = read();
    assert_eq!(kept.design.rounds, 2);
    assert_eq!(kept.samples.len(), 2 * 6);
    assert!(root.join("out/report.html").is_file());
    assert_eq!(leftovers(&root), Vec::<PathBuf>::new());

    let resume = |more: &[&str]| {
        let mut arguments = args!["bench", root.join("clips"), "-o", root.join("out")].to_vec();
        let flags = SMALL.iter().chain(&flags).chain(more);
        arguments.extend(flags.map(Into::into));
        run(arguments)
    };
    let other = resume(&["--resume", "--every", "3s"]);
    assert_eq!(other.status.code(), Some(2));
    let told = stderr(&other);
    assert!(
        told.contains("--every: then") && told.contains("--resume"),
        "{told}"
    );
    assert_eq!(read(), kept, "what is refused changes nothing");

    let output = resume(&["--resume"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let whole = read();
    assert_eq!(whole.design.rounds, 5);
    assert_eq!(whole.samples[..12], kept.samples);
    assert_eq!(
        (whole.design.seed, &whole.started),
        (kept.design.seed, &kept.started)
    );
    let rounds: Vec<usize> = whole.samples.iter().map(|sample| sample.round).collect();
    assert_eq!(rounds, [1, 2, 3, 4, 5].map(|round| [round; 6]).concat());
}

#[test]
fn the_warm_up_goes_on_at_the_most_workers_until_two_runs_agree() {
    let root = folder_with_clips("bench-warm-up");
    let flags = "--work io --io 200ms --dispatch threads --workers 1-2 --rounds 1 --no-film";
    let arguments = args!["bench", root.join("clips"), "-o", root.join("out")].to_vec();
    let flags = flags.split_whitespace().map(Into::into);
    let output = run(arguments.into_iter().chain(flags));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let told = stderr(&output);
    let runs = |cell: &str| {
        told.matches(&format!("warm-up: io on threads, {cell}\n"))
            .count()
    };
    assert_eq!(runs("1 worker"), 1, "{told}");
    assert!((2..=3).contains(&runs("2 workers")), "{told}");
}

#[test]
fn one_dispatch_under_two_names_is_measured_twice_a_round_and_told_as_such() {
    let root = folder_with_clips("bench-a-against-a");
    let flags = "--work cpu --cpu 20ms --dispatch threads,processes --all-on threads --workers 1 \
                 --rounds 2 --no-film -q";
    let arguments = args!["bench", root.join("clips"), "-o", root.join("out")].to_vec();
    let flags = flags.split_whitespace().map(Into::into);
    let output = run(arguments.into_iter().chain(flags));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let json = fs::read(root.join("out/results.json")).unwrap();
    let results: Results = serde_json::from_slice(&json).unwrap();
    assert_eq!((results.samples.len(), results.comparisons.len()), (4, 1));
    assert!(stdout(&output).contains("all dispatches ran on threads"));
}

#[test]
fn nothing_to_go_on_with_is_told_and_nothing_is_made() {
    let root = folder_with_clips("bench-no-resume");
    let output = run(args![
        "bench",
        root.join("clips"),
        "-o",
        root.join("out"),
        "--resume"
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("no run to go on with"),
        "{}",
        stderr(&output)
    );
    assert!(!root.join("out").exists());
}

#[test]
fn what_each_dispatch_costs_besides_the_work_is_measured() {
    let results = numbers().results();
    let dispatches: Vec<Dispatch> = results.costs.iter().map(|cost| cost.dispatch).collect();
    assert_eq!(dispatches, Dispatch::ALL);
    let costs = |dispatch| {
        results
            .costs
            .iter()
            .find(|c| c.dispatch == dispatch)
            .unwrap()
    };
    for cost in &results.costs {
        assert_eq!(cost.work, Work::Transcode);
        assert!(cost.start_ms.is_some() && cost.memory_per_worker_bytes.is_some());
        assert!(cost.frame_us.unwrap() > 0.0);
    }
    // A process that is started for each job costs more than a call.
    assert!(costs(Dispatch::Processes).start_ms > costs(Dispatch::Threads).start_ms);
    // A thread cannot be killed alone; a worker that is killed costs no job.
    if let Some(crash) = &costs(Dispatch::Threads).crash {
        assert!(crash.lost > 0 && crash.delay_s.is_none(), "{crash:?}");
    }
    if let Some(crash) = &costs(Dispatch::Processes).crash {
        assert_eq!(crash.lost, 1, "{crash:?}");
    }
    if let Some(crash) = &costs(Dispatch::Workers).crash {
        assert_eq!(crash.lost, 0, "{crash:?}");
    }
    for what in [
        "memory of a further worker",
        "start of a job",
        "passing a 720p frame on",
    ] {
        assert!(numbers().stdout.contains(what), "{what}");
        assert!(numbers().text("report.html").contains(what), "{what}");
    }
}

#[test]
fn speed_size_and_quality_stand_together() {
    let results = numbers().results();
    let outputs = results
        .outputs
        .iter()
        .filter(|output| output.work == Work::Transcode);
    let outputs: Vec<_> = outputs.collect();
    assert_eq!(outputs.len(), 3);
    for output in outputs {
        assert!((0.5..=1.0).contains(&output.ssim.unwrap()), "{output:?}");
        assert!(output.bytes > 1000 && output.hash.len() == 16, "{output:?}");
    }
    assert!(numbers().stdout.contains("Output of all, the same: "));
    assert_eq!(results.design.clip_facts.len(), 2);
    for sample in &results.samples {
        assert!(sample.kernel.minor_faults > 100, "{sample:?}");
    }
}

#[test]
fn python_runs_beside_in_the_same_rounds() {
    if !have("python3") {
        return;
    }
    let bench = bench(
        "bench-python",
        &["--work", "cpu", "--python", "--rounds", "2", "--no-film"],
    );
    let python = bench.results().python.unwrap();
    assert!(python.version.starts_with("Python 3"));
    // Threads and processes at 1 and 2 workers, twice.
    assert_eq!(python.samples.len(), 8);
    assert!(python.samples.iter().all(|sample| sample.wall_s > 0.0));
    assert_eq!((python.cells.len(), python.comparisons.len()), (4, 2));
    assert!(
        bench.stdout.contains("CPU bound in Python at 2 workers: "),
        "{}",
        bench.stdout
    );
    let panels = bench.text("charts/original-panels.svg");
    assert!(panels.contains("Py threads") && panels.contains("Py processes"));
}

#[test]
fn a_benchmark_interrupted_while_it_renders_leaves_no_film() {
    let root = folder_with_clips("bench-without-film");
    let code = interrupted_at(
        &root,
        "rendering the film",
        &["--budget", "1s", "--work", "io"],
    );
    assert_eq!(code, Some(130));
    assert!(!root.join("out/summary.mp4").exists());
    assert_eq!(leftovers(&root.join("out")), Vec::<PathBuf>::new());
    let json = fs::read(root.join("out/results.json")).unwrap();
    let results: Results = serde_json::from_slice(&json).unwrap();
    assert_eq!(results.design.works, [Work::Io]);
}
