//! Made-up but realistic results for tests.

use super::results::*;

const MIB: f64 = 1024.0 * 1024.0;

/// A machine and what was run on it.
pub struct Setup {
    /// Cores of the machine.
    pub cores: usize,
    /// Worker counts.
    pub workers: Vec<usize>,
    /// Rounds.
    pub rounds: usize,
    /// Loads.
    pub works: Vec<Work>,
    /// Time of processes divided by time of threads.
    pub gap: f64,
}

/// Two cores, 1 to 3 workers, 8 rounds, all loads.
pub fn two_cores() -> Results {
    results(&Setup {
        cores: 2,
        workers: vec![1, 2, 3],
        rounds: 8,
        works: WORKS.to_vec(),
        gap: 1.12,
    })
}

/// Eight cores, 1 to 15 workers, 8 rounds, all loads.
pub fn eight_cores() -> Results {
    results(&Setup {
        cores: 8,
        workers: (1..=15).collect(),
        rounds: 8,
        works: WORKS.to_vec(),
        gap: 1.12,
    })
}

/// Results of a run that never was: the same ones for the same setup.
pub fn results(setup: &Setup) -> Results {
    let mut noise = fastrand::Rng::with_seed(7);
    let mut samples = Vec::new();
    for round in 1..=setup.rounds {
        for work in &setup.works {
            for workers in &setup.workers {
                for dispatch in Dispatch::ALL {
                    let cell = (*work, dispatch, *workers, round);
                    samples.push(sample(setup, cell, &mut noise));
                }
            }
        }
    }
    let cells = cells(setup, &samples);
    Results {
        version: VERSION,
        rushes: "0.1.0".to_owned(),
        started: "2025-11-22T20:00:00+01:00".to_owned(),
        machine: machine(setup),
        ffmpeg: Ffmpeg {
            linked: "5.1.9".to_owned(),
            program: Some("ffmpeg version 5.1.9".to_owned()),
            same_version: true,
            configuration: String::new(),
            encoders: vec![Encoder {
                name: "libx264".to_owned(),
                linked: Some("core 164 r3095 baee400".to_owned()),
                program: Some("core 164 r3095 baee400".to_owned()),
            }],
        },
        design: design(setup),
        comparisons: comparisons(setup, &cells),
        samples,
        cells,
        fits: Vec::new(),
        capacity: None,
        outputs: Vec::new(),
        costs: Dispatch::ALL.map(cost).to_vec(),
        python: None,
        noise: Noise::default(),
        notes: Vec::new(),
    }
}

fn machine(setup: &Setup) -> Machine {
    Machine {
        host: "studio".to_owned(),
        os: "Linux 6.1".to_owned(),
        cpu: "Xeon E5-2673 v4".to_owned(),
        cores: setup.cores,
        memory_bytes: 8 << 30,
        governor: None,
    }
}

fn design(setup: &Setup) -> Design {
    Design {
        works: setup.works.clone(),
        dispatches: Dispatch::ALL.to_vec(),
        workers: setup.workers.clone(),
        codec_threads: 1,
        rounds: setup.rounds,
        clips: (1..=jobs(setup))
            .map(|i| format!("clip-{i:02}.mp4"))
            .collect(),
        clips_s: 62.5,
        recipe: "H.264 CRF 23 medium + AAC 128k".to_owned(),
        ..Design::default()
    }
}

fn jobs(setup: &Setup) -> usize {
    setup.cores * 3
}

/// The loads of a run that asks for none.
pub const WORKS: [Work; 4] = [Work::Transcode, Work::Frames, Work::Cpu, Work::Io];

fn seconds(setup: &Setup, cell: (Work, Dispatch, usize)) -> f64 {
    let (work, dispatch, workers) = cell;
    let (n, cores) = (workers as f64, setup.cores as f64);
    let parallel = n.min(cores) / (1.0 + 0.03 * (n - 1.0));
    let over = 1.0 + 0.01 * (n - cores).max(0.0);
    let gap = if dispatch == Dispatch::Processes {
        setup.gap
    } else {
        1.0
    };
    match work {
        Work::Transcode => 22.4 / parallel * over * gap,
        Work::Frames | Work::Remux => 6.1 / parallel * over * (1.0 + (gap - 1.0) * 2.0),
        Work::Cpu => 0.5 * (n / cores).max(1.0) * over + 0.02 * (gap - 1.0) * n,
        Work::Io => 1.0 + 0.001 * n + 0.03 * (gap - 1.0),
    }
}

fn sample(
    setup: &Setup,
    cell: (Work, Dispatch, usize, usize),
    noise: &mut fastrand::Rng,
) -> Sample {
    let (work, dispatch, workers, round) = cell;
    let wobble = 1.0 + (noise.f64() + noise.f64() + noise.f64() - 1.5) * 0.05;
    let wall_s = seconds(setup, (work, dispatch, workers)) * wobble;
    let each = if dispatch == Dispatch::Processes {
        74.0
    } else {
        58.0
    };
    let base = if dispatch == Dispatch::Processes {
        8.0
    } else {
        22.0
    };
    let video = !work.one_job_a_worker();
    let memory = base + each * workers as f64 * if video { 1.0 } else { 0.05 } * wobble;
    Sample {
        user_s: wall_s * workers.min(setup.cores) as f64 * 0.95,
        sys_s: wall_s * 0.03,
        peak_memory_bytes: (memory * MIB) as u64,
        jobs: if video { jobs(setup) } else { workers },
        frames: if video { 1500 } else { 0 },
        output_bytes: if video { 9_000_000 } else { 0 },
        lanes: lanes(if video { jobs(setup) } else { workers }, workers, wall_s),
        ..Sample::timed((work, dispatch, workers), round, wall_s)
    }
}

fn lanes(jobs: usize, workers: usize, wall_s: f64) -> Vec<Lane> {
    let mut free = vec![0.0; workers];
    let mut lanes = Vec::new();
    for job in 0..jobs {
        let next = (0..workers).min_by(|a, b| f64::total_cmp(&free[*a], &free[*b]));
        let slot = next.unwrap_or(0);
        let start_s = free[slot];
        // Longest first, as the dispatcher orders them.
        free[slot] += 1.0 + (jobs - job) as f64 * 0.25;
        let job = format!("clip-{:02}.mp4", job + 1);
        lanes.push(Lane {
            job,
            slot,
            start_s,
            end_s: free[slot],
        });
    }
    let scale = wall_s / free.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    for lane in &mut lanes {
        lane.start_s *= scale;
        lane.end_s = lane.end_s * scale - 0.004 * wall_s;
    }
    lanes
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn cells(setup: &Setup, samples: &[Sample]) -> Vec<Cell> {
    let mut cells: Vec<Cell> = Vec::new();
    for work in &setup.works {
        for dispatch in Dispatch::ALL {
            for workers in &setup.workers {
                let of =
                    |s: &&Sample| (s.work, s.dispatch, s.workers) == (*work, dispatch, *workers);
                let own: Vec<&Sample> = samples.iter().filter(of).collect();
                cells.push(cell(&own, &cells));
            }
        }
    }
    cells
}

fn cell(samples: &[&Sample], before: &[Cell]) -> Cell {
    let first = samples[0];
    let median_s = median(samples.iter().map(|s| s.wall_s).collect());
    let one = before
        .iter()
        .find(|c| (c.work, c.dispatch, c.workers) == (first.work, first.dispatch, 1));
    let one = one.map_or(median_s, |cell| cell.median_s);
    let jobs = if first.work.one_job_a_worker() {
        first.workers as f64
    } else {
        1.0
    };
    let speedup = jobs * one / median_s;
    Cell {
        work: first.work,
        dispatch: first.dispatch,
        workers: first.workers,
        codec_threads: 1,
        n: samples.len(),
        median_s,
        ci95_s: [median_s * 0.985, median_s * 1.018],
        throughput_fps: (first.frames > 0).then(|| first.frames as f64 / median_s),
        speedup: Some(speedup),
        speedup_ci95: (first.workers > 1).then_some([speedup * 0.98, speedup * 1.02]),
        efficiency: Some(speedup / first.workers as f64),
        peak_memory_bytes: median(samples.iter().map(|s| s.peak_memory_bytes as f64).collect())
            as u64,
        cpu_s: median(samples.iter().map(|s| s.user_s + s.sys_s).collect()),
    }
}

fn comparisons(setup: &Setup, cells: &[Cell]) -> Vec<Comparison> {
    let find = |work, dispatch, workers| {
        let of = |c: &&Cell| (c.work, c.dispatch, c.workers) == (work, dispatch, workers);
        cells.iter().find(of).expect("every cell was made")
    };
    let mut comparisons = Vec::new();
    for work in &setup.works {
        for workers in &setup.workers {
            let a = find(*work, Dispatch::Threads, *workers).median_s;
            for b in [Dispatch::Processes, Dispatch::Workers] {
                let ratio = a / find(*work, b, *workers).median_s;
                comparisons.push(comparison(*work, *workers, (b, ratio)));
            }
        }
    }
    comparisons
}

fn comparison(work: Work, workers: usize, (b, ratio): (Dispatch, f64)) -> Comparison {
    let ci95 = [ratio * 0.982, ratio * 1.019];
    let (verdict, sentence) = if ci95[1] < 1.0 {
        let faster = [ratio, ci95[1], ci95[0]].map(|r| (1.0 / r - 1.0) * 100.0);
        let [mid, low, high] = faster;
        (
            Verdict::AFaster,
            format!("threads faster by {mid:.1} % ({low:.1}–{high:.1})"),
        )
    } else {
        let [low, high] = ci95;
        (
            Verdict::NoDifferenceShown,
            format!("no difference shown (ratio {ratio:.3}, {low:.3}–{high:.3})"),
        )
    };
    Comparison {
        work,
        workers,
        codec_threads: 1,
        a: Dispatch::Threads,
        b,
        ratio,
        ci95,
        verdict,
        sentence,
        equal_output: (!work.one_job_a_worker()).then_some(true),
    }
}

fn cost(dispatch: Dispatch) -> Cost {
    let (start_ms, lost, delay_s, frame_us) = match dispatch {
        Dispatch::Threads => (0.000_13, 4, None, 8.4),
        Dispatch::Processes => (140.0, 1, Some(-0.2), 271.6),
        Dispatch::Workers => (0.0228, 0, Some(0.31), 133.8),
    };
    Cost {
        dispatch,
        work: Work::Transcode,
        memory_per_worker_bytes: Some(42.0 * MIB),
        memory_per_worker_ci95: Some([41.0 * MIB, 43.0 * MIB]),
        start_ms: Some(start_ms),
        cancel_ms: Some(29.9),
        crash: Some(Crash {
            jobs: 4,
            lost,
            delay_s,
        }),
        frame_us: Some(frame_us),
        beyond: Some(Beyond {
            from: 2,
            to: 3,
            cpu_ratio: Some(1.02),
            cpu_ci95: Some([1.01, 1.03]),
            time_ratio: 0.995,
            time_ci95: Some([0.981, 1.009]),
        }),
    }
}

/// Says that a test does not run for lack of `program`, which is an error where `CI` is set.
pub fn skipped(program: &str) {
    let all = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
    assert!(!all, "there is no '{program}'");
    eprintln!("skipped: there is no '{program}'");
}
