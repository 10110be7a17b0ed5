//! What a run with `--json` told.

use std::fmt;

use serde_json::Value;

/// What a run told.
pub struct Told {
    pub code: Option<i32>,
    pub events: Vec<Value>,
    pub stderr: String,
}

impl Told {
    /// Why the job `name` failed; `None` where it did not.
    pub fn reason(&self, name: &str) -> Option<&str> {
        let mut ends = self.events.iter();
        let end = ends
            .find(|event| event["event"] == "job_finished" && event["name"] == name)
            .unwrap_or_else(|| panic!("'{name}' did not end: {self:?}"));
        end["verdict"]["failed"]["reason"].as_str()
    }

    /// The job `name` failed, and `why` is in the reason.
    pub fn assert_failed(&self, name: &str, why: &str) {
        let reason = self.reason(name);
        assert!(
            reason.is_some_and(|reason| reason.contains(why)),
            "{name}: {reason:?} {self:?}"
        );
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let events = self.events.iter();
        let ends: Vec<_> = events
            .filter(|event| event["event"] != "job_progress")
            .collect();
        write!(f, "exit code {:?}, {ends:#?}, {}", self.code, self.stderr)
    }
}
