//! Which of the decoded frames go on.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::job::Ratio;

/// Which of the decoded frames go on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum Choose {
    /// All.
    #[default]
    All,
    /// Those that this filter lets pass.
    Filter(String),
    /// Those that are shown at these times.
    Times(Times),
    /// One that stands for all; has become a time before an engine sees it.
    Best,
    /// This many, spread evenly over a length that the container does not store; they have become
    /// times before an engine sees them.
    Spread(u32),
}

/// Times at which a player is looked at: it shows the last frame with pts ≤ t,
/// before the first frame that one, and nothing from the end of the last one on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Times {
    /// What marks count, in seconds.
    pub unit: Ratio,
    /// The times in that unit, ascending, each once; where `None`, all whole numbers from 0 on.
    pub marks: Option<Vec<u64>>,
}

impl Times {
    /// Given times in milliseconds.
    pub fn at_ms(marks: Vec<u64>) -> Self {
        Self {
            unit: Ratio::new(1, 1000),
            marks: Some(marks),
        }
    }

    /// All multiples of `unit` seconds.
    pub fn multiples(unit: Ratio) -> Self {
        Self { unit, marks: None }
    }

    /// The middles of `number` equal parts; fewer where that is less than a millisecond apart.
    pub fn spread(number: u32, length_s: f64) -> Self {
        let part_ms = length_s * 1e3 / f64::from(number);
        let mut marks: Vec<u64> = (0..number)
            .map(|part| ((f64::from(part) + 0.5) * part_ms) as u64)
            .collect();
        marks.dedup();
        Self::at_ms(marks)
    }

    /// A mark's time in seconds.
    pub fn seconds(&self, mark: u64) -> f64 {
        mark as f64 * self.unit.as_f64()
    }

    /// The times as a filter: frames are repeated so that there is one a unit,
    /// numbered from 0, of which the marked ones pass.
    fn filter(&self) -> String {
        let Ratio { num, den } = self.unit;
        // Rounding up makes frame n the last one with pts ≤ n·unit.
        let mut filter = format!("fps=fps={den}/{num}:round=up:start_time=0");
        if let Some(marks) = &self.marks {
            filter.push_str(",select=");
            select(marks, &mut filter);
        }
        filter
    }
}

/// An expression that holds for frame numbers in `marks`: a search tree, since it
/// is evaluated for every frame.
fn select(marks: &[u64], expression: &mut String) {
    let (left, right) = marks.split_at(marks.len() / 2);
    let _ = match (left, right) {
        (_, []) => write!(expression, "0"),
        ([], [mark, ..]) => write!(expression, "eq(n\\,{mark})"),
        (_, [middle, ..]) => {
            let _ = write!(expression, "if(lt(n\\,{middle})\\,");
            select(left, expression);
            expression.push_str("\\,");
            select(right, expression);
            write!(expression, ")")
        }
    };
}

impl Choose {
    /// The filter that goes before all others in the `ffmpeg` program.
    pub fn filter(&self) -> Option<String> {
        match self {
            Self::All | Self::Best | Self::Spread(_) => None,
            Self::Filter(filter) => Some(filter.clone()),
            Self::Times(times) => Some(times.filter()),
        }
    }

    /// How many pictures come of it, where that is known beforehand.
    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Times(times) => times.marks.as_ref().map(|marks| marks.len() as u64),
            Self::Best => Some(1),
            Self::Spread(number) => Some(u64::from(*number)),
            Self::All | Self::Filter(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_times_are_searched_for_by_halves() {
        let filter = |marks: &[u64]| Times::at_ms(marks.to_vec()).filter();
        assert_eq!(
            filter(&[40]),
            "fps=fps=1000/1:round=up:start_time=0,select=eq(n\\,40)"
        );
        assert_eq!(
            filter(&[1, 5, 9]),
            "fps=fps=1000/1:round=up:start_time=0,select=\
             if(lt(n\\,5)\\,eq(n\\,1)\\,if(lt(n\\,9)\\,eq(n\\,5)\\,eq(n\\,9)))"
        );
        assert!(filter(&[]).ends_with("select=0"));
    }

    #[test]
    fn a_number_of_frames_is_taken_from_the_middles_of_equal_parts() {
        let times = Times::spread(4, 10.0);
        assert_eq!(times.marks.as_deref(), Some(&[1250, 3750, 6250, 8750][..]));
        let few = Times::spread(1000, 0.01);
        assert_eq!(few.marks.map(|marks| marks.len()), Some(10));
    }

    #[test]
    fn multiples_need_no_search() {
        let times = Times::multiples(Ratio::new(3, 2));
        assert_eq!(times.filter(), "fps=fps=2/3:round=up:start_time=0");
        assert_eq!(times.seconds(4), 6.0);
    }
}
