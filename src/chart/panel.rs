//! What one panel shows, as plain data in the units of its axes.

use super::axis::{Scale, Unit, short};
use super::caption;
use super::data::{Measure, Point, Series};
use crate::draw::Theme;
use crate::draw::theme::Look;

/// One plot of a page.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Above the plot where a page has several.
    pub title: String,
    /// Name and unit of the value axis.
    pub y_name: String,
    /// Behind a value, e.g. ` s`.
    pub suffix: &'static str,
    /// Lines or bars.
    pub kind: Kind,
    /// What is plotted; never empty, and each has a point.
    pub lines: Vec<Line>,
    /// Where to mark the number of cores.
    pub cores: Option<usize>,
    /// What to compare with.
    pub reference: Option<Reference>,
}

/// How a panel draws its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A line a dispatch over worker counts.
    Lines,
    /// A group of bars a worker count.
    Bars,
}

/// A named series with its look.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its label.
    pub name: String,
    /// How it is drawn.
    pub look: Look,
    /// At least one, by rising worker count.
    pub points: Vec<Point>,
}

impl Line {
    /// The points up to a worker count.
    pub fn up_to(&self, reach: f64) -> impl Iterator<Item = &Point> {
        let points = self.points.iter();
        points.take_while(move |point| point.workers as f64 <= reach)
    }

    /// Where the line is on its way from one point to the next, as workers and value.
    pub fn way(&self, reach: f64) -> Option<(f64, f64)> {
        let mut pairs = self.points.windows(2);
        let pair = pairs.find(|pair| pair[1].workers as f64 > reach)?;
        let (from, to) = (pair[0].workers as f64, pair[1].workers as f64);
        let share = ((reach - from) / (to - from)).clamp(0.0, 1.0);
        Some((reach, pair[0].mid + (pair[1].mid - pair[0].mid) * share))
    }
}

/// A line that is not data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reference {
    /// A level with its name.
    Level(f64, &'static str),
    /// As many times as fast as workers.
    Ideal,
}

impl Panel {
    /// The panel of one quantity; `None` where no dispatch has it.
    ///
    /// A single worker count makes no line: it is drawn as bars.
    pub fn of(series: Vec<Series>, measure: Measure, theme: &Theme) -> Option<Panel> {
        let lines = series.into_iter().map(|series| Line {
            name: series.dispatch.name().to_owned(),
            look: theme.dispatch(series.dispatch),
            points: series.points,
        });
        Panel::of_lines(lines.collect(), measure)
    }

    /// The same of any lines, with their points in the measure's own unit.
    pub fn of_lines(lines: Vec<Line>, measure: Measure) -> Option<Panel> {
        let unit = Unit::of(measure, largest(lines.iter().flat_map(|line| &line.points)));
        let lines = lines.into_iter().map(|line| Line {
            points: divided(line.points, unit.size),
            ..line
        });
        let mut panel = Panel {
            title: String::new(),
            y_name: unit.axis.to_owned(),
            suffix: unit.suffix,
            kind: Kind::Lines,
            lines: lines.collect(),
            cores: None,
            reference: None,
        };
        panel.kind = match (panel.counts().len(), measure) {
            (0, _) => return None,
            (1, _) | (_, Measure::Memory) => Kind::Bars,
            _ => Kind::Lines,
        };
        Some(panel)
    }

    /// The same panel with a title.
    #[must_use]
    pub fn titled(mut self, title: &str) -> Panel {
        self.title = title.to_owned();
        self
    }

    /// The same panel with the machine's cores marked.
    #[must_use]
    pub fn with_cores(mut self, cores: Option<usize>) -> Panel {
        self.cores = cores;
        self
    }

    /// The same panel with something to compare with.
    #[must_use]
    pub fn against(mut self, reference: Reference) -> Panel {
        self.reference = Some(reference);
        self
    }

    /// One point in words: who, where, its value and its interval.
    pub fn told(&self, line: &Line, point: &Point) -> String {
        let suffix = self.suffix;
        let at = caption::workers(point.workers);
        let value = format!("{} at {at}: {}{suffix}", line.name, short(point.mid));
        match point.interval {
            Some([low, high]) => format!("{value} ({}–{}{suffix})", short(low), short(high)),
            None => value,
        }
    }

    /// All worker counts, rising.
    pub fn counts(&self) -> Vec<usize> {
        let points = self.lines.iter().flat_map(|line| &line.points);
        let mut counts: Vec<usize> = points.map(|point| point.workers).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// The worker count that lines reach which are grown so far, 0 to 1.
    pub fn reach(&self, grown: f64) -> f64 {
        let counts = self.counts();
        let (first, last) = match counts[..] {
            [first, .., last] if grown < 1.0 => (first as f64, last as f64),
            _ => return f64::INFINITY,
        };
        first + (last - first) * grown
    }

    /// The value axis: from 0 to just above everything that is drawn.
    ///
    /// It has at most `steps` steps; `head` is the part of it to leave free for labels.
    pub fn scale(&self, steps: usize, head: f64) -> Scale {
        let data = largest(self.lines.iter().flat_map(|line| &line.points)) * 1.02;
        let most = self.counts().last().copied().unwrap_or(1) as f64;
        let top = match (self.kind, self.reference) {
            (Kind::Bars, Some(Reference::Level(level, _))) => (data * (1.0 + head)).max(level),
            (Kind::Bars, _) => data * (1.0 + head),
            (_, Some(Reference::Level(level, _))) => data.max(level * 1.1),
            // Room to see the ideal, but not so much that the data become flat.
            (_, Some(Reference::Ideal)) => data.max(most.min(data * 1.3)),
            (_, None) => data,
        };
        match self.reference {
            Some(Reference::Level(level, _)) => Scale::through(level, top, steps),
            _ => Scale::up_to(top, steps),
        }
    }
}

fn divided(points: Vec<Point>, size: f64) -> Vec<Point> {
    points
        .into_iter()
        .map(|point| point.divided(size))
        .collect()
}

fn largest<'a>(points: impl Iterator<Item = &'a Point>) -> f64 {
    points.flat_map(Point::values).fold(0.0, f64::max)
}
