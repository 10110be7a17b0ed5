//! The race: every job on its lane, threads above processes, one time axis.

use super::axis::{Scale, Unit};
use super::caption;
use super::data::{self, Measure, View};
use super::page::{Body, Draft};
use crate::bench::results::{Dispatch, Lane, Sample, Work};
use crate::draw::Theme;
use crate::draw::svg::{Anchor, Area, Ink, Svg, printable};
use crate::draw::text::Face;
use crate::draw::theme::Look;

const NAME: f64 = 36.0;
const TICK: f64 = 32.0;
/// Job names are written where bars leave room for this size.
const JOB: f64 = 26.0;
/// Height of the axis below the lanes.
const FOOT: f64 = TICK * 3.0;
/// A lane is never higher than this.
const TALLEST: f64 = 240.0;
/// Height of a dispatch's heading.
const HEAD: f64 = NAME * 1.7;

/// One round of every dispatch that has lanes.
pub struct Race {
    teams: Vec<Team>,
    /// What all rounds say, in the verdicts' own words.
    pub verdict: Option<String>,
}

/// One dispatch's jobs in one round.
struct Team {
    dispatch: Dispatch,
    round: usize,
    slots: usize,
    lanes: Vec<Lane>,
    end_s: f64,
}

/// The race of `work` at as many workers as cores; `None` where no lanes were kept.
pub fn draft(view: &View, work: Work) -> Option<Draft> {
    let counts = data::counts(&view.series(work, Measure::Time));
    let count = view.focus(&counts)?;
    let team = |dispatch| team(view, work, dispatch, count);
    let teams: Vec<Team> = Dispatch::ALL.into_iter().filter_map(team).collect();
    if teams.is_empty() {
        return None;
    }
    let verdict = caption::verdict(view, work, count);
    let verdict = verdict.map(|text| format!("Over all rounds: {}", caption::sentence(&text)));
    Some(Draft {
        name: "race".to_owned(),
        title: format!(
            "{} jobs side by side, {}",
            super::scaling::load(work),
            caption::workers(count)
        ),
        subtitle: "Each bar is one job on the lane of its worker, in the round of median time"
            .to_owned(),
        caption: words(&teams, verdict.as_deref()),
        body: Body::Race(Race { teams, verdict }),
    })
}

fn words(teams: &[Team], verdict: Option<&str>) -> String {
    let most = teams.iter().map(|team| team.end_s).fold(0.0, f64::max);
    let unit = Unit::of(Measure::Time, most);
    let ends = teams.iter().map(|team| {
        let (name, end) = (team.dispatch.name(), unit.text(team.end_s));
        format!("{name} {end} (round {})", team.round)
    });
    let ends: Vec<String> = ends.collect();
    let ends = caption::sentence(&format!("Last job done: {}", ends.join(", ")));
    match verdict {
        Some(verdict) => format!("{ends} {verdict}"),
        None => ends,
    }
}

/// The round whose time is the median of those that kept lanes.
fn team(view: &View, work: Work, dispatch: Dispatch, count: usize) -> Option<Team> {
    let samples = view.samples(work, dispatch, count);
    let mut rounds: Vec<&Sample> = samples
        .filter(|sample| data::usable(sample.wall_s) && sample.lanes.iter().any(drawable))
        .collect();
    rounds.sort_by(|a, b| a.wall_s.total_cmp(&b.wall_s));
    let median = rounds.get(rounds.len().saturating_sub(1) / 2)?;
    let mut lanes: Vec<Lane> = median
        .lanes
        .iter()
        .filter(|lane| drawable(lane))
        .cloned()
        .collect();
    lanes.sort_by(|a, b| {
        (a.slot, a.start_s)
            .partial_cmp(&(b.slot, b.start_s))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut slots: Vec<usize> = lanes.iter().map(|lane| lane.slot).collect();
    slots.dedup();
    // Slots are renumbered, so that one that was never used takes no room.
    for lane in &mut lanes {
        lane.slot = slots
            .iter()
            .position(|slot| *slot == lane.slot)
            .unwrap_or(0);
    }
    Some(Team {
        dispatch,
        round: median.round,
        slots: slots.len(),
        end_s: lanes.iter().map(|lane| lane.end_s).fold(0.0, f64::max),
        lanes,
    })
}

fn drawable(lane: &Lane) -> bool {
    data::usable(lane.start_s) && data::usable(lane.end_s) && lane.start_s < lane.end_s
}

/// How long a race may take in a film, in seconds.
const SHORTEST_S: f64 = 4.0;

/// Multiples of real time are these, times a power of ten.
const MULTIPLES: [f64; 3] = [1.0, 2.0, 5.0];

impl Race {
    /// When the last job of all was done, in seconds.
    pub fn end_s(&self) -> f64 {
        self.teams.iter().map(|team| team.end_s).fold(0.0, f64::max)
    }

    /// The multiple of real time at which a film shows it: the fastest round one that
    /// leaves time to see it.
    pub fn multiple(&self) -> f64 {
        let most = self.end_s() / SHORTEST_S;
        let power = 10_f64.powf(most.log10().floor());
        let fitting = MULTIPLES.into_iter().rev().map(|digit| digit * power);
        let mut fitting = fitting.filter(|multiple| *multiple <= most * 1.000_001);
        fitting.next().unwrap_or(power)
    }
}

/// Where the lanes are and how time becomes pixels.
struct Track {
    /// The time that is shown, in seconds; none where all of it is.
    now_s: Option<f64>,
    /// Left edge and width of the lanes.
    plot: Area,
    /// Height of a lane.
    lane: f64,
    /// Pixels a second.
    pixels: f64,
    /// What times are told in.
    unit: Unit,
    /// Times of the grid, in `unit`.
    ticks: Scale,
}

impl Track {
    fn new(area: Area, race: &Race, grown: f64) -> Track {
        let longest = race.end_s();
        let unit = Unit::of(Measure::Time, longest);
        let slots: usize = race.teams.iter().map(|team| team.slots).sum();
        let lanes = area.h - FOOT - HEAD * race.teams.len() as f64;
        Track {
            now_s: (grown < 1.0).then_some(longest * grown),
            plot: area,
            lane: (lanes / slots.max(1) as f64).min(TALLEST),
            pixels: area.w / (longest * 1.005),
            unit,
            ticks: Scale::up_to(longest / unit.size, 6),
        }
    }

    fn column(&self, seconds: f64) -> f64 {
        self.plot.x + seconds * self.pixels
    }

    /// As much of a time as has gone by.
    fn so_far(&self, seconds: f64) -> f64 {
        self.now_s.map_or(seconds, |now| seconds.min(now))
    }

    /// Whether a time has come.
    fn has_come(&self, seconds: f64) -> bool {
        self.so_far(seconds) == seconds
    }

    /// Columns of the grid with their ticks: those that the race reaches.
    fn grid(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let places = self.ticks.ticks.iter();
        let places = places.map(|tick| (self.column(tick * self.unit.size), *tick));
        places.filter(|(column, _)| *column <= self.plot.right())
    }
}

/// Draws the race into `area`, as far as it is `grown`: its start is 0, its end 1.
pub fn draw(svg: &mut Svg, area: Area, race: &Race, (theme, grown): (&Theme, f64)) {
    let track = Track::new(area, race, grown);
    let mut top = area.y;
    for team in &race.teams {
        let lanes = Area {
            y: top + HEAD,
            h: track.lane * team.slots as f64,
            ..area
        };
        draw_head(svg, (area.x, top + HEAD * 0.5), team, (&track, theme));
        draw_lanes(svg, lanes, team, (&track, theme));
        top = lanes.bottom();
    }
    if let Some(now) = track.now_s {
        let ink = Ink::new(Face::bold(NAME), theme.text).anchored(Anchor::End);
        let clock = track.unit.counted(now, race.end_s());
        svg.text_centred(&clock, (area.right(), area.y + HEAD * 0.5), ink);
    }
    axis(svg, top, &track, theme);
}

fn axis(svg: &mut Svg, top: f64, track: &Track, theme: &Theme) {
    let face = Face::regular(TICK);
    let ink = Ink::new(face, theme.muted).anchored(Anchor::Middle);
    for (column, tick) in track.grid() {
        let label = track.ticks.label(tick);
        let half = face.width(&label) / 2.0;
        let middle = column.clamp(track.plot.x + half, track.plot.right() - half);
        svg.text(&label, (middle, top + TICK * 1.4), ink);
    }
    let name = track
        .unit
        .axis
        .replacen("time", "time since the first start", 1);
    let middle = track.plot.x + track.plot.w / 2.0;
    svg.text(&name, (middle, top + TICK * 2.7), ink);
}

fn draw_head(svg: &mut Svg, at: (f64, f64), team: &Team, look: (&Track, &Theme)) {
    let (track, theme) = look;
    let (left, row) = at;
    let colours = theme.dispatch(team.dispatch);
    let paint = (colours.colour, theme.background);
    svg.marker(colours.marker, (left + 14.0, row), 13.0, paint);
    let face = Face::bold(NAME);
    let name = team.dispatch.name();
    svg.text_centred(name, (left + 42.0, row), Ink::new(face, colours.colour));
    let after = left + 42.0 + face.width(name) + NAME * 0.35;
    let done = if track.has_come(team.end_s) {
        format!("last job done at {}", track.unit.text(team.end_s))
    } else {
        let done = team.lanes.iter().filter(|lane| track.has_come(lane.end_s));
        format!("{} of {} jobs done", done.count(), team.lanes.len())
    };
    let ink = Ink::new(Face::regular(NAME), theme.text);
    svg.text_centred(&done, (after, row), ink);
}

fn draw_lanes(svg: &mut Svg, lanes: Area, team: &Team, look: (&Track, &Theme)) {
    let (track, theme) = look;
    for (column, _) in track.grid() {
        svg.line(
            [(column, lanes.y), (column, lanes.bottom())],
            2.0,
            theme.grid,
            None,
        );
    }
    let colours = theme.dispatch(team.dispatch);
    let gap = (track.lane * 0.08).min(5.0);
    let begun = |lane: &&(usize, &Lane)| track.has_come(lane.1.start_s);
    for (index, lane) in team.lanes.iter().enumerate().filter(|lane| begun(&lane)) {
        let bar = Area {
            x: track.column(lane.start_s),
            y: lanes.y + lane.slot as f64 * track.lane + gap,
            w: ((track.so_far(lane.end_s) - lane.start_s) * track.pixels - 3.0).max(1.0),
            h: track.lane - 2.0 * gap,
        };
        job(svg, bar, lane, (colours, index), look);
    }
    if let Some(now) = track.now_s.filter(|_| !track.has_come(team.end_s)) {
        let column = track.column(now);
        let ends = [(column, lanes.y), (column, lanes.bottom())];
        svg.line(ends, 3.0, theme.text, None);
        return;
    }
    // A line where the last job was done.
    let end = track.column(team.end_s);
    svg.line(
        [(end, lanes.y), (end, lanes.bottom())],
        5.0,
        colours.colour,
        None,
    );
}

fn job(svg: &mut Svg, bar: Area, lane: &Lane, paint: (Look, usize), on: (&Track, &Theme)) {
    let (track, theme) = on;
    let (look, index) = paint;
    // Neighbours differ a little, so that a job's end is seen.
    let shade = if index.is_multiple_of(2) { 0.0 } else { 0.22 };
    let fill = look.colour.mix(theme.text, shade);
    svg.rect(bar, (bar.h * 0.12).min(8.0), fill);
    let [start, end] = [lane.start_s, lane.end_s].map(|at| track.unit.text(at));
    svg.hint(bar, &format!("{}: {start} to {end}", lane.job));
    let face = Face::regular(JOB.max((bar.h * 0.3).min(32.0)));
    // Its name is cut for the whole bar, and written once there is room for that.
    let margin = 2.0 * JOB * 0.6;
    let room = (lane.end_s - lane.start_s) * track.pixels - 3.0 - margin;
    if bar.h < JOB * 1.35 || room < face.width("wwww…") {
        return;
    }
    let name = face.cut(&printable(&lane.job), room);
    if face.width(&name) > bar.w - margin && !track.has_come(lane.end_s) {
        return;
    }
    let at = (bar.x + JOB * 0.6, bar.y + bar.h / 2.0);
    svg.text_centred(&name, at, Ink::new(face, theme.background));
}
