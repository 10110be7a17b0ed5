//! Ctrl-C and SIGTERM: the first asks running work to stop, the second ends the program.

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::dispatch::Cancel;
use crate::error::{Error, Result};

/// Sets `cancel` on the first signal and leaves the program on the second.
///
/// # Errors
/// Where the system refuses the handlers.
pub fn watch(cancel: &Cancel) -> Result<()> {
    let broken = |error: std::io::Error| Error::failed("cannot watch for Ctrl-C").because(error);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(broken)?;
    let cancel = cancel.clone();
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for signal in signals.forever() {
                if cancel.is_set() {
                    std::process::exit(128 + signal);
                }
                cancel.set_by_signal(signal);
            }
        })
        .map(drop)
        .map_err(broken)
}
