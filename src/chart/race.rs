//! The race: every job on its lane, threads above processes, one time axis.

use super::axis::{Scale, Unit};
use super::caption;
use super::data::{self, Measure, View};
use super::page::{Body, Draft};
use crate::bench::results::{Dispatch, Lane, Sample, Work};
use crate::draw::Theme;
use crate::draw::svg::{Anchor, Area, Ink, Svg};
use crate::draw::text::Face;
use crate::draw::theme::Look;

const NAME: f64 = 36.0;
const TICK: f64 = 32.0;
/// Job names are written where bars leave room for this size.
const JOB: f64 = 26.0;
/// Height of a dispatch's heading.
const HEAD: f64 = NAME * 1.7;

/// One round of every dispatch that has lanes.
pub struct Race {
    teams: Vec<Team>,
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
    Some(Draft {
        name: "race".to_owned(),
        title: format!(
            "{} jobs side by side, {}",
            super::scaling::load(work),
            caption::workers(count)
        ),
        subtitle: "Each bar is one job on the lane of its worker, in the round of median time"
            .to_owned(),
        caption: words(view, work, count, &teams),
        body: Body::Race(Race { teams }),
    })
}

fn words(view: &View, work: Work, count: usize, teams: &[Team]) -> String {
    let most = teams.iter().map(|team| team.end_s).fold(0.0, f64::max);
    let unit = Unit::of(Measure::Time, most);
    let ends = teams.iter().map(|team| {
        let (name, end) = (team.dispatch.name(), unit.text(team.end_s));
        format!("{name} {end} (round {})", team.round)
    });
    let ends: Vec<String> = ends.collect();
    let ends = caption::sentence(&format!("Last job done: {}", ends.join(", ")));
    match caption::verdict(view, work, count) {
        Some(verdict) => format!("{ends} Over all rounds: {}", caption::sentence(&verdict)),
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

/// Draws the race into `area`.
pub fn draw(svg: &mut Svg, area: Area, race: &Race, theme: &Theme) {
    let longest = race.teams.iter().map(|team| team.end_s).fold(0.0, f64::max);
    let unit = Unit::of(Measure::Time, longest);
    let scale = Scale::up_to(longest / unit.size);
    let foot = TICK * 2.9;
    let inset = Face::regular(TICK).width(&scale.label(scale.top)) / 2.0;
    let plot = Area {
        w: area.w - inset,
        h: area.h - foot,
        ..area
    };
    let slots: usize = race.teams.iter().map(|team| team.slots).sum();
    let heads = HEAD * race.teams.len() as f64;
    let lane = ((plot.h - heads) / slots.max(1) as f64).min(140.0);
    let pixels = plot.w / scale.top;
    let high = heads + lane * slots as f64;
    let plot = Area { h: high, ..plot };
    axis(svg, plot, &scale, unit, theme);
    let mut top = plot.y;
    for team in &race.teams {
        let place = Area {
            y: top,
            h: HEAD + lane * team.slots as f64,
            ..plot
        };
        draw_team(svg, place, team, (lane, pixels, unit), theme);
        top = place.bottom();
    }
}

fn axis(svg: &mut Svg, plot: Area, scale: &Scale, unit: Unit, theme: &Theme) {
    let ink = Ink::new(Face::regular(TICK), theme.muted).anchored(Anchor::Middle);
    for (index, tick) in scale.ticks.iter().enumerate() {
        let column = plot.x + tick / scale.top * plot.w;
        svg.line(
            [(column, plot.y), (column, plot.bottom())],
            2.0,
            theme.grid,
            None,
        );
        let ink = if index == 0 {
            ink.anchored(Anchor::Start)
        } else {
            ink
        };
        svg.text(
            &scale.label(*tick),
            (column, plot.bottom() + TICK * 1.3),
            ink,
        );
    }
    let name = unit.axis.replacen("time", "time since the first start", 1);
    svg.text(
        &name,
        (plot.x + plot.w / 2.0, plot.bottom() + TICK * 2.6),
        ink,
    );
}

fn draw_team(svg: &mut Svg, area: Area, team: &Team, sizes: (f64, f64, Unit), theme: &Theme) {
    let (high, pixels, unit) = sizes;
    let look = theme.dispatch(team.dispatch);
    let row = area.y + HEAD * 0.55;
    svg.marker(
        look.marker,
        (area.x + 14.0, row),
        13.0,
        (look.colour, theme.background),
    );
    let face = Face::bold(NAME);
    let name = team.dispatch.name();
    svg.text_centred(name, (area.x + 42.0, row), Ink::new(face, look.colour));
    let after = area.x + 42.0 + face.width(name) + NAME * 0.35;
    let done = format!("last job done at {}", unit.text(team.end_s));
    svg.text_centred(
        &done,
        (after, row),
        Ink::new(Face::regular(NAME), theme.text),
    );
    let top = area.y + HEAD;
    for (index, lane) in team.lanes.iter().enumerate() {
        let gap = (high * 0.08).min(5.0);
        let start = lane.start_s / unit.size * pixels;
        let end = lane.end_s / unit.size * pixels;
        let bar = Area {
            x: area.x + start,
            y: top + lane.slot as f64 * high + gap,
            w: (end - start - 3.0).max(1.0),
            h: high - 2.0 * gap,
        };
        job(svg, bar, lane, (look, index), theme);
    }
    finish(svg, area, team.end_s / unit.size * pixels, look);
}

fn job(svg: &mut Svg, bar: Area, lane: &Lane, paint: (Look, usize), theme: &Theme) {
    let (look, index) = paint;
    // Neighbours differ a little, so that a job's end is seen.
    let shade = if index.is_multiple_of(2) { 0.0 } else { 0.22 };
    let fill = look.colour.mix(theme.background, shade);
    svg.rect(bar, (bar.h * 0.12).min(8.0), fill);
    let face = Face::regular(JOB.max((bar.h * 0.3).min(32.0)));
    let room = bar.w - 2.0 * JOB * 0.6;
    if bar.h < JOB * 1.35 || room < face.width("wwww…") {
        return;
    }
    let at = (bar.x + JOB * 0.6, bar.y + bar.h / 2.0);
    let ink = Ink::new(face, theme.background);
    svg.text_centred(&face.cut(&lane.job, room), at, ink);
}

/// A line where the last job was done.
fn finish(svg: &mut Svg, area: Area, offset: f64, look: Look) {
    let column = area.x + offset;
    let ends = [(column, area.y + HEAD), (column, area.bottom())];
    svg.line(ends, 5.0, look.colour, None);
}
