//! One JSON object a line on stdout.

use std::io::Write;

use super::Reporter;
use crate::dispatch::Event;

pub(super) struct Json;

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        if let Ok(line) = serde_json::to_string(event) {
            // A reader that went away does not stop the work.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}
