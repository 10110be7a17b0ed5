//! `rushes bench compare`.

use std::path::{Path, PathBuf};

use crate::bench::load::load;
use crate::bench::versus::Versus;
use crate::chart::{self, VERSUS_WIDTH};
use crate::cli::Ending;
use crate::delivery::place_bytes;
use crate::document;
use crate::draw::Theme;
use crate::draw::raster::render;
use crate::error::Result;
use crate::out;
use crate::plan::prepare_output;
use crate::report::{versus as report, words};
use crate::terminal::shown;

/// Set two runs beside each other: two machines, two versions, two settings.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The results.json of the first run.
    #[arg(value_name = "A")]
    a: PathBuf,

    /// The results.json of the second run.
    #[arg(value_name = "B")]
    b: PathBuf,

    /// Where the page, its data and its chart go.
    #[arg(short, long, value_name = "DIR", default_value = "output/compare")]
    output: PathBuf,
}

impl Args {
    pub(super) fn run(&self) -> Result<Ending> {
        let (a, b) = (load(&self.a)?, load(&self.b)?);
        let names = [&self.a, &self.b].map(|file| file.display().to_string());
        let versus = Versus::of([&a, &b], [&names[0], &names[1]])?;
        let telling = versus.telling(|counts| a.focus(counts));
        let verdicts = report::verdicts(&telling);
        prepare_output(&self.output)?;
        let written = write(&versus, verdicts.clone(), &self.output)?;
        print(&versus, &verdicts);
        out!();
        for path in written {
            out!("{}", path.display());
        }
        Ok(Ending::Done)
    }
}

fn print(versus: &Versus, verdicts: &[String]) {
    for (name, side) in [("A", &versus.a), ("B", &versus.b)] {
        out!(
            "{name}: {}, {}, {}",
            shown(&side.file),
            shown(&side.started),
            words::count(side.rounds, "round")
        );
    }
    for differs in &versus.differs {
        let line = format!("differs: {}: {} | {}", differs.what, differs.a, differs.b);
        out!("{}", shown(&line));
    }
    out!("\n{}\n", report::table(versus));
    for verdict in verdicts {
        out!("{}", shown(verdict));
    }
    out!("{}.", report::answer(versus));
    for note in &versus.notes {
        out!("note: {}", shown(note));
    }
}

fn write(versus: &Versus, verdicts: Vec<String>, folder: &Path) -> Result<Vec<PathBuf>> {
    let json = document::json(versus, "compare.json")?;
    let page = report::page(versus, verdicts)?;
    let (svg, height) = chart::versus(versus, &Theme::DARK);
    let png = render(&svg, VERSUS_WIDTH, height)?.png()?;
    let files = [
        ("compare.json", json),
        ("compare.svg", svg.into_bytes()),
        ("compare.png", png),
        (report::FILE_NAME, page.into_bytes()),
    ];
    files
        .into_iter()
        .map(|(name, bytes)| {
            let path = folder.join(name);
            place_bytes(&path, &bytes).map(|()| path)
        })
        .collect()
}
