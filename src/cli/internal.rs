//! Commands that the program starts itself with: not for people.

use clap::ValueEnum;

use super::Ending;
use crate::bench::cell;
use crate::dispatch::Cancel;
use crate::engine::{Watch, run_load};
use crate::error::Result;
use crate::job::Load;

/// Run one reference load.
#[derive(Debug, clap::Args)]
pub struct LoadArgs {
    kind: LoadKind,
    /// Iterations, or milliseconds.
    amount: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LoadKind {
    Cpu,
    Io,
}

impl LoadArgs {
    pub(super) fn run(self, cancel: &Cancel) -> Result<Ending> {
        let load = match self.kind {
            LoadKind::Cpu => Load::Cpu {
                iterations: self.amount,
            },
            LoadKind::Io => Load::Io {
                milliseconds: self.amount,
            },
        };
        run_load(load, &mut Watch::new(cancel, &mut |_| {}))?;
        Ok(Ending::Done)
    }
}

pub(super) fn run_cell(cancel: &Cancel) -> Result<Ending> {
    cell::serve(cancel)?;
    Ok(Ending::Done)
}
