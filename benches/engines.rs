//! What a job costs besides its work: a clip so short that little but opening,
//! setting up and closing is left, through each engine.
//!
//! `cargo bench` compares with the run before; `cargo bench -- probe` runs one.

#![allow(missing_docs, reason = "criterion's macros make public functions")]
#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be set up shall stop"
)]

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, criterion_group, criterion_main};
use rushes::dispatch::Cancel;
use rushes::engine::{Engine, Linked, Program, Watch, Workers};
use rushes::job::{Job, Limits, Load, Ratio, Work};
use rushes::media::{SyntheticClip, probe, synthesise};
use rushes::plan::{Existing, Rules, Wanted, plan, scan};
use rushes::recipe::{Frames, Pick, Recipe, Transcode, Video};

/// A second of 176×144 with sound, and a place for results.
struct Bench {
    folder: tempfile::TempDir,
    clip: PathBuf,
    cancel: Cancel,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clip = folder.path().join("clip.mp4");
        let cancel = Cancel::new();
        let recipe = SyntheticClip {
            name: "clip.mp4".into(),
            video: "testsrc2=size=176x144:rate=25:duration=1,format=yuv420p".into(),
            vcodec: "libx264".into(),
            voptions: [("preset".into(), "ultrafast".into())].into(),
            audio: "sine=sample_rate=48000:duration=1,aformat=sample_fmts=fltp".into(),
            acodec: "aac".into(),
            aoptions: [].into(),
            muxer: "mp4".into(),
        };
        synthesise(&recipe, &clip, &cancel).unwrap();
        Self {
            folder,
            clip,
            cancel,
        }
    }

    fn job(&self, recipe: &Recipe) -> Job {
        let output = self.folder.path().join("out");
        let sources = scan(std::slice::from_ref(&self.clip), &Wanted::default(), None).unwrap();
        let plan = plan(
            &sources.files,
            std::slice::from_ref(recipe),
            &output,
            &Rules::new(Existing::Overwrite, &Linked),
            &self.cancel,
        );
        plan.unwrap().jobs.pop().unwrap()
    }

    fn run(&self, engine: &dyn Engine, job: &Job, targets: &[PathBuf]) {
        let mut report = |_| {};
        let mut watch = Watch::new(&self.cancel, &mut report);
        let done = engine.run(job, targets, &mut watch);
        black_box(done.map_err(|failure| failure.error).unwrap());
    }
}

fn transcode() -> Recipe {
    Recipe::Transcode(Transcode {
        video: Some(Video {
            speed: Some("ultrafast".into()),
            ..Video::default()
        }),
        ..Transcode::default()
    })
}

fn frames() -> Recipe {
    Recipe::Frames(Frames {
        pick: Pick::Every(Ratio::new(1, 5)),
        ..Frames::default()
    })
}

fn engines(criterion: &mut Criterion) {
    let bench = Bench::new();
    let (transcode, frames) = (bench.job(&transcode()), bench.job(&frames()));
    let nothing = Job {
        id: 0,
        name: "nothing".into(),
        work: Work::Load(Load::Io { milliseconds: 0 }),
        cost: 0.0,
        kind: String::new(),
    };
    let file = [bench.folder.path().join("result.mp4")];
    let pictures = [bench.folder.path().join("pictures")];
    std::fs::create_dir(&pictures[0]).unwrap();

    criterion.bench_function("probe", |bencher| {
        bencher.iter(|| probe(black_box(&bench.clip), &bench.cancel).unwrap());
    });
    let program = Program::find(Limits::default()).ok();
    if program.is_none() {
        eprintln!("no ffmpeg program on the PATH: threads alone are measured");
    }
    let workers = Workers::find(Limits::default()).unwrap();
    let engines = [
        Some(&Linked as &dyn Engine),
        program.as_ref().map(|p| p as _),
        Some(&workers as _),
    ];
    for engine in engines.into_iter().flatten() {
        let mut group = criterion.benchmark_group(engine.name());
        // A process takes a tenth of a second: a hundred of them would take too long.
        group.sample_size(20);
        group.bench_function("transcode", |bencher| {
            bencher.iter(|| bench.run(engine, &transcode, &file));
        });
        group.bench_function("frames", |bencher| {
            bencher.iter(|| bench.run(engine, &frames, &pictures));
        });
        group.finish();
    }
    criterion.bench_function("threads/nothing", |bencher| {
        bencher.iter(|| bench.run(&Linked, &nothing, &[]));
    });
}

criterion_group!(benches, engines);
criterion_main!(benches);
