//! Real files with random changes, through probe, decoder, filter, encoder, copy and muxer in this
//! process: `scripts/mutations` starts this under valgrind, which sees each read and write.
#![allow(missing_docs, reason = "a test program")]

mod change;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fastrand::Rng;
use rushes::delivery::perform;
use rushes::dispatch::Cancel;
use rushes::engine::{Linked, Watch};
use rushes::error::Error;
use rushes::job::{Limits, Ratio};
use rushes::media;
use rushes::plan::{Existing, Rules, Wanted, plan, scan};
use rushes::recipe::{Frames, Pick, PictureFormat, Presets, Recipe, Size, Transcode};

const HELP: &str = "\
usage: scripts/mutations [OPTIONS]

  --seconds N   begin no case after that time (default: 600)
  --seed N      other changes (default: 1)
  --only N      one case, as the last line on stdout names it";

/// Larger files take too long under valgrind.
const LARGEST: u64 = 64 << 10;

struct Options {
    seconds: u64,
    seed: u64,
    only: Option<u64>,
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("{HELP}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Option<Options> {
    let mut options = Options {
        seconds: 600,
        seed: 1,
        only: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next()?.parse().ok()?;
        match word.as_str() {
            "--seconds" => options.seconds = number,
            "--seed" => options.seed = number,
            "--only" => options.only = Some(number),
            _ => return None,
        }
    }
    Some(options)
}

fn run(options: &Options) -> io::Result<()> {
    let sources = sources()?;
    let recipes = recipes().map_err(|error| io::Error::other(error.report()))?;
    media::init();
    let (began, mut cases, mut made) = (Instant::now(), 0, 0);
    let numbers = match options.only {
        Some(number) => number..number + 1,
        None => 0..u64::MAX,
    };
    for number in numbers {
        if options.only.is_none() && began.elapsed() >= Duration::from_secs(options.seconds) {
            break;
        }
        let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(number);
        let mut random = Rng::with_seed(seed);
        let source = &sources[random.usize(0..sources.len())];
        let recipe = &recipes[random.usize(0..recipes.len())];
        // The last line names the case that ended this process.
        println!("case {number}: {}", source.display());
        match case(source, recipe, &mut random)? {
            Ok(()) => made += 1,
            Err(why) => println!("    {why}"),
        }
        cases += 1;
    }
    println!(
        "{cases} cases in {} s, of which {made} gave a result",
        began.elapsed().as_secs()
    );
    Ok(())
}

/// The small ones of the shared real files.
fn sources() -> io::Result<Vec<PathBuf>> {
    let shared = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/media");
    let shared = std::env::var_os("RUSHES_MEDIA").unwrap_or(shared.into());
    let mut sources = vec![];
    for folder in ["good", "phone", "broken"] {
        for entry in fs::read_dir(Path::new(&shared).join(folder))? {
            let entry = entry?;
            let data = entry.metadata()?;
            if data.is_file() && (1..=LARGEST).contains(&data.len()) {
                sources.push(entry.path());
            }
        }
    }
    sources.sort();
    match sources.is_empty() {
        true => Err(io::Error::other("there are no real files")),
        false => Ok(sources),
    }
}

/// A film, a copy of all streams, and pictures.
fn recipes() -> rushes::error::Result<Vec<Recipe>> {
    let presets = Presets::own()?;
    let size = Size {
        width: 64,
        height: 64,
    };
    let mut web: Transcode = presets.get("web")?.recipe("web");
    if let Some(video) = &mut web.video {
        video.fit = Some(size);
        video.speed = Some("ultrafast".into());
    }
    let frames = Frames {
        pick: Pick::Every(Ratio::new(3, 10)),
        format: PictureFormat::Jpeg,
        fit: Some(size),
        ..Frames::default()
    };
    Ok(vec![
        Recipe::Transcode(web),
        Recipe::Transcode(presets.get("remux")?.recipe("remux")),
        Recipe::Frames(frames),
    ])
}

/// Changes `source` and makes of it what `recipe` says; else why there is no result: any error
/// will do.
fn case(source: &Path, recipe: &Recipe, random: &mut Rng) -> io::Result<Result<(), String>> {
    let folder = tempfile::tempdir()?;
    let name = source.file_name().unwrap_or_default();
    let changed = folder.path().join(name);
    fs::write(&changed, change::change(fs::read(source)?, random))?;
    let cancel = Cancel::new();
    let limits = Limits {
        time: Duration::from_secs(120),
        output: 64 << 20,
        repeats: 1000,
        ..Limits::default()
    };
    let output = folder.path().join("out");
    let made = || -> rushes::error::Result<()> {
        let found = scan(&[changed], &Wanted::default(), None)?;
        let rules = Rules::new(Existing::Overwrite, &Linked);
        let recipes = std::slice::from_ref(recipe);
        let planned = plan(&found.files, recipes, &output, &rules, &cancel)?;
        if let Some(refused) = planned.refused.first() {
            return Err(Error::failed(refused.reason.clone()));
        }
        for job in &planned.jobs {
            let mut untold = |_| {};
            let mut watch = Watch::new(&cancel, &mut untold).within(limits);
            perform(&Linked, job, &mut watch).map_err(|failure| failure.error)?;
        }
        Ok(())
    };
    Ok(made().map_err(|error| error.line()))
}
