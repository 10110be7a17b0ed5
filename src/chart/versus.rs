//! Two runs beside each other: a row a cell with its ratio and interval, and a
//! line where both are equally fast.

use super::axis::short;
use super::caption;
use crate::bench::results::{Verdict, Work};
use crate::bench::versus::{Row, Versus};
use crate::draw::Theme;
use crate::draw::svg::{Anchor, Area, Ink, Svg};
use crate::draw::text::Face;

const WIDTH: f64 = 1280.0;
const ROW: f64 = 36.0;
/// Room between the rows of two worker counts.
const GAP: f64 = 14.0;
/// Room for the name of a load.
const HEAD: f64 = 58.0;
const TEXT: f64 = 22.0;
const MARK: f64 = 8.0;
/// What names take at the left, and ratios at the right.
const SIDES: (f64, f64) = (270.0, 280.0);
const MARGIN: f64 = 24.0;

/// The picture of `versus`: a document as high as there are cells, and its height.
pub fn versus(versus: &Versus, theme: &Theme) -> (String, u32) {
    let rows: Vec<&Row> = ordered(versus);
    let scale = Scale::of(&rows);
    let top = TEXT * 4.2;
    let height = top + inside(&rows) + TEXT * 3.6;
    let mut svg = Svg::new(WIDTH, height, theme.background);
    let plot = Area {
        x: SIDES.0,
        y: top,
        w: WIDTH - SIDES.0 - SIDES.1,
        h: inside(&rows),
    };
    let column = |ratio: f64| plot.x + scale.share(ratio) * plot.w;
    axis(&mut svg, plot, &scale, theme);
    let mut middle = plot.y - ROW / 2.0;
    let mut before: Option<&Row> = None;
    for row in rows {
        let new_load = before.is_none_or(|before| before.work != row.work);
        let new_count = new_load || before.is_none_or(|before| before.workers != row.workers);
        if new_load {
            middle += HEAD;
            let ink = Ink::new(Face::bold(TEXT * 1.1), theme.text);
            let name = super::scaling::load(row.work);
            svg.text_centred(name, (MARGIN, middle - ROW * 0.15), ink);
        } else if new_count {
            middle += GAP;
        }
        middle += ROW;
        draw(&mut svg, middle, (row, new_count), (&column, theme));
        before = Some(row);
    }
    (svg.finish(), height.ceil() as u32)
}

/// The width of the picture in pixels.
pub const VERSUS_WIDTH: u32 = WIDTH as u32;

fn ordered(versus: &Versus) -> Vec<&Row> {
    let drawn = |row: &&Row| {
        let [lo, hi] = row.ci95;
        row.verdict != Verdict::Void
            && [lo, row.ratio, hi]
                .iter()
                .all(|r| r.is_normal() && *r > 0.0)
    };
    let mut rows: Vec<&Row> = versus.rows.iter().filter(drawn).collect();
    rows.sort_by_key(|row| (row.work, row.workers, row.dispatch));
    rows
}

fn inside(rows: &[&Row]) -> f64 {
    let place = |row: &Row| (row.work, row.workers);
    let steps = rows.windows(2).filter(|two| place(two[0]) != place(two[1]));
    let loads: std::collections::BTreeSet<Work> = rows.iter().map(|row| row.work).collect();
    let gaps = steps.count() as f64 - (loads.len() as f64 - 1.0).max(0.0);
    rows.len() as f64 * ROW + gaps.max(0.0) * GAP + loads.len() as f64 * HEAD
}

/// A logarithmic axis: half and twice the time are equally far from 1.
struct Scale {
    ends: [f64; 2],
    ticks: Vec<f64>,
}

impl Scale {
    fn of(rows: &[&Row]) -> Self {
        let values = || rows.iter().flat_map(|row| row.ci95).map(f64::ln);
        // Never so near that noise looks like a difference.
        let lo = values().fold(-0.05, f64::min);
        let hi = values().fold(0.05, f64::max);
        let room = (hi - lo) * 0.06;
        let ends = [lo - room, hi + room];
        Self {
            ends,
            ticks: ticks(ends.map(f64::exp)),
        }
    }

    fn share(&self, ratio: f64) -> f64 {
        let [lo, hi] = self.ends;
        ((ratio.ln() - lo) / (hi - lo)).clamp(0.0, 1.0)
    }
}

/// Round ratios between the ends, the reciprocals among them.
fn ticks([lo, hi]: [f64; 2]) -> Vec<f64> {
    const STEPS: [&[f64]; 5] = [
        &[1.02, 1.04, 1.06, 1.08],
        &[1.05, 1.1, 1.15],
        &[1.1, 1.2, 1.3],
        &[1.25, 1.5, 2.0],
        &[2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0],
    ];
    let within = |steps: &&&[f64]| {
        let most = hi.max(1.0 / lo);
        steps.last().is_some_and(|last| *last >= most.powf(0.7))
    };
    let steps = STEPS.iter().find(within).copied().unwrap_or(STEPS[4]);
    let mut ticks: Vec<f64> = steps.iter().flat_map(|step| [*step, 1.0 / step]).collect();
    ticks.push(1.0);
    ticks.retain(|tick| (lo..=hi).contains(tick));
    ticks.sort_by(f64::total_cmp);
    ticks
}

fn axis(svg: &mut Svg, plot: Area, scale: &Scale, theme: &Theme) {
    let face = Face::regular(TEXT);
    let ink = Ink::new(face, theme.muted).anchored(Anchor::Middle);
    for tick in &scale.ticks {
        let column = plot.x + scale.share(*tick) * plot.w;
        let is_one = *tick == 1.0;
        let (wide, colour) = if is_one {
            (3.0, theme.muted)
        } else {
            (2.0, theme.grid)
        };
        let ends = [(column, plot.y), (column, plot.bottom())];
        svg.line(ends, wide, colour, None);
        svg.text(&short(*tick), (column, plot.bottom() + TEXT * 1.4), ink);
    }
    let middle = plot.x + plot.w / 2.0;
    svg.text(
        "time of A / time of B, with its 95 % interval",
        (middle, plot.bottom() + TEXT * 2.9),
        ink,
    );
    let one = plot.x + scale.share(1.0) * plot.w;
    let row = plot.y - TEXT * 0.9;
    let bold = Ink::new(Face::bold(TEXT), theme.text);
    svg.text("← A faster", (one - 14.0, row), bold.anchored(Anchor::End));
    svg.text("B faster →", (one + 14.0, row), bold);
}

fn draw(svg: &mut Svg, middle: f64, row: (&Row, bool), look: (&dyn Fn(f64) -> f64, &Theme)) {
    let ((row, new_count), (column, theme)) = (row, look);
    let looks = theme.dispatch(row.dispatch);
    if new_count {
        let ink = Ink::new(Face::regular(TEXT), theme.muted);
        svg.text_centred(&caption::workers(row.workers), (MARGIN, middle), ink);
    }
    let name = Ink::new(Face::bold(TEXT), looks.colour).anchored(Anchor::End);
    svg.text_centred(row.dispatch.name(), (SIDES.0 - 18.0, middle), name);
    let [lo, hi] = row.ci95.map(column);
    svg.line([(lo, middle), (hi, middle)], 4.0, looks.colour, None);
    for end in [lo, hi] {
        let cap = [(end, middle - MARK), (end, middle + MARK)];
        svg.line(cap, 3.0, looks.colour, None);
    }
    let at = (column(row.ratio), middle);
    svg.marker(looks.marker, at, MARK, (looks.colour, theme.background));
    let [lo, hi] = row.ci95;
    // As many decimals as it takes to tell the ends of most intervals apart.
    let decimals = if row.ratio < 0.1 { 4 } else { 3 };
    let told = format!("{:.decimals$} ({lo:.decimals$}–{hi:.decimals$})", row.ratio);
    let ink = Ink::new(Face::regular(TEXT), theme.text).anchored(Anchor::End);
    svg.text_centred(&told, (WIDTH - MARGIN, middle), ink);
    let spot = Area {
        x: SIDES.0,
        y: middle - ROW / 2.0,
        w: WIDTH - SIDES.0,
        h: ROW,
    };
    svg.hint(spot, &format!("{}: {}", row.dispatch.name(), row.sentence));
}
