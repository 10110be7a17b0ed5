//! One JSON object a line on stdout.

use super::Reporter;
use crate::dispatch::Event;
use crate::out;

pub(super) struct Json;

impl Reporter for Json {
    fn event(&mut self, event: &Event) {
        if let Ok(line) = serde_json::to_string(event) {
            out!("{line}");
        }
    }
}
