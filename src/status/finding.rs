//! What was found of one result, and of all.

use serde::{Deserialize, Serialize};

/// How a result is, compared with what was put in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it was put in place.
    Same,
    /// Something changed it; where it was verified, all of it still decodes.
    Changed,
    /// It does not decode, or not all of it does.
    Damaged,
    /// Nothing has its name.
    Missing,
    /// The system cannot read it.
    Unreadable,
}

impl State {
    /// All, in the order in which they are reported.
    pub const ALL: [Self; 5] = [
        Self::Same,
        Self::Changed,
        Self::Damaged,
        Self::Missing,
        Self::Unreadable,
    ];

    /// The state in a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Damaged => "damaged",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }
}

/// What was found of one result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its place below the output folder.
    pub result: String,
    /// Where its source was.
    pub source: String,
    /// How it is.
    pub state: State,
    /// What shows that, in words.
    pub reason: Option<String>,
    /// Whether its source did not give all that it was to hold, when it was made.
    pub salvaged: bool,
}

/// What is printed as JSON: an object with `event` naming it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A result was compared with what was put in place.
    ResultChecked(Finding),
    /// All were.
    ResultsChecked(Totals),
}

/// How many results are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Those that are as they were put in place.
    pub same: usize,
    /// Those that something changed.
    pub changed: usize,
    /// Those that do not decode whole.
    pub damaged: usize,
    /// Those that are gone.
    pub missing: usize,
    /// Those that cannot be read.
    pub unreadable: usize,
    /// Those of all whose sources did not give all that they were to hold.
    pub salvaged: usize,
}

impl Totals {
    /// Counts `findings`.
    ///
    /// ```
    /// use rushes::status::{State, Totals};
    ///
    /// let totals = Totals::of(&[]);
    /// assert_eq!(totals.count(State::Same), 0);
    /// assert!(totals.are_fine());
    /// ```
    pub fn of(findings: &[Finding]) -> Self {
        let mut totals = Self::default();
        for finding in findings {
            *totals.of_state(finding.state) += 1;
            totals.salvaged += usize::from(finding.salvaged);
        }
        totals
    }

    /// How many are in `state`.
    pub fn count(mut self, state: State) -> usize {
        *self.of_state(state)
    }

    /// Whether all are as they were put in place.
    pub fn are_fine(self) -> bool {
        State::ALL[1..].iter().all(|state| self.count(*state) == 0)
    }

    fn of_state(&mut self, state: State) -> &mut usize {
        match state {
            State::Same => &mut self.same,
            State::Changed => &mut self.changed,
            State::Damaged => &mut self.damaged,
            State::Missing => &mut self.missing,
            State::Unreadable => &mut self.unreadable,
        }
    }
}
