//! Units, ticks and numbers of an axis.

use super::data::Measure;

/// A value axis from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Where the axis ends; positive and a tick.
    pub top: f64,
    /// Ticks from 0 to `top`.
    pub ticks: Vec<f64>,
    decimals: usize,
}

impl Scale {
    /// The shortest axis with `max` on it and with three to `most` round steps.
    pub fn up_to(max: f64, most: usize) -> Scale {
        Scale::with_ticks(max, most, |_| true)
    }

    /// The same where `level` is a tick, so that a line there lies on the grid.
    pub fn through(level: f64, max: f64, most: usize) -> Scale {
        let on_grid = |step: f64| (level / step - (level / step).round()).abs() < 1e-9;
        Scale::with_ticks(max, most, on_grid)
    }

    fn with_ticks(max: f64, most: usize, wanted: impl Fn(f64) -> bool) -> Scale {
        let max = if max.is_finite() && max > 1e-12 {
            max
        } else {
            1.0
        };
        let decade = 10f64.powf(max.log10().floor());
        let steps = [0.2, 0.25, 0.3, 0.4, 0.5, 1.0, 2.0, 2.5, 3.0, 4.0].map(|part| part * decade);
        let fits = |step: &f64| (3..=most.max(4)).contains(&count(max, *step));
        let top = |step: &f64| count(max, *step) as f64 * step;
        let least_room = |a: &f64, b: &f64| top(a).total_cmp(&top(b));
        let fitting = || steps.into_iter().filter(fits);
        let step = fitting().filter(|step| wanted(*step)).min_by(least_room);
        let step = step.or(fitting().min_by(least_room)).unwrap_or(decade);
        let count = count(max, step);
        Scale {
            top: count as f64 * step,
            ticks: (0..=count).map(|i| i as f64 * step).collect(),
            decimals: decimals(step),
        }
    }

    /// A tick's label.
    pub fn label(&self, tick: f64) -> String {
        grouped(tick, self.decimals)
    }
}

/// Steps up to the first tick at or above `max`.
fn count(max: f64, step: f64) -> usize {
    // A maximum that is a tick must not need one more for a rounding error.
    (max / step - 1e-9).ceil() as usize
}

fn decimals(step: f64) -> usize {
    let exact = |places: &usize| {
        let shifted = step * 10f64.powi(*places as i32);
        (shifted - shifted.round()).abs() < 1e-6 * shifted.max(1.0) && shifted.round() >= 1.0
    };
    (0..12).find(exact).unwrap_or(12)
}

/// `value` with `decimals` places and thin spaces between thousands.
pub fn grouped(value: f64, decimals: usize) -> String {
    if value.abs() >= 1e9 {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.decimals$}");
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text.as_str(), None),
    };
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        // Four digits read well together: 1080, not 1 080.
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(c);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// `value` with three significant digits, e.g. `0.123`, `1.23`, `12.3`, `1230`.
pub fn short(value: f64) -> String {
    grouped(value, places(value))
}

/// A number on its way to `value`, with as many decimals as that has.
pub fn counted(now: f64, value: f64) -> String {
    grouped(now, places(value))
}

fn places(value: f64) -> usize {
    match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 => 2,
        _ => 3,
    }
}

/// What the values of an axis are counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    /// What the measure's own unit is divided by.
    pub size: f64,
    /// Behind a number, e.g. ` s`.
    pub suffix: &'static str,
    /// The axis' name with the unit, e.g. `time (s)`.
    pub axis: &'static str,
}

impl Unit {
    /// The unit in which values of `measure` up to `max` read best.
    pub fn of(measure: Measure, max: f64) -> Unit {
        match measure {
            Measure::Time => match max {
                m if m < 0.1 => unit(1e-3, " ms", "time (ms)"),
                m if m < 600.0 => unit(1.0, " s", "time (s)"),
                m if m < 4.0 * 3600.0 => unit(60.0, " min", "time (min)"),
                _ => unit(3600.0, " h", "time (h)"),
            },
            Measure::TimePerWorker => match max {
                m if m < 0.1 => unit(1e-3, " ms", "time / workers (ms)"),
                m if m < 600.0 => unit(1.0, " s", "time / workers (s)"),
                m if m < 4.0 * 3600.0 => unit(60.0, " min", "time / workers (min)"),
                _ => unit(3600.0, " h", "time / workers (h)"),
            },
            Measure::Throughput => unit(1.0, " fps", "frames per second"),
            Measure::Speedup => unit(1.0, "×", "× median of one worker"),
            Measure::Memory => match max / MIB {
                m if m < 4096.0 => unit(MIB, " MiB", "peak memory (MiB)"),
                _ => unit(MIB * 1024.0, " GiB", "peak memory (GiB)"),
            },
        }
    }

    /// `value`, which is in the measure's own unit, as text with this unit.
    pub fn text(&self, value: f64) -> String {
        format!("{}{}", short(value / self.size), self.suffix)
    }

    /// The same for a number on its way to `value`.
    pub fn counted(&self, now: f64, value: f64) -> String {
        let (now, value) = (now / self.size, value / self.size);
        format!("{}{}", counted(now, value), self.suffix)
    }
}

const MIB: f64 = 1024.0 * 1024.0;

const fn unit(size: f64, suffix: &'static str, axis: &'static str) -> Unit {
    Unit { size, suffix, axis }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_holds_its_maximum_and_wastes_little() {
        for max in [
            1e-9, 0.003, 0.99, 1.0, 1.05, 3.7, 9.99, 12.6, 47.0, 301.0, 8e8, 1e300,
        ] {
            for most in [4, 6] {
                let scale = Scale::up_to(max, most);
                assert!(scale.top >= max * 0.999_999, "{max} {scale:?}");
                assert!(scale.top <= max * 1.34, "{max} {scale:?}");
                assert!(
                    (4..=most + 1).contains(&scale.ticks.len()),
                    "{max} {scale:?}"
                );
            }
        }
    }

    #[test]
    fn a_level_is_a_tick_where_that_can_be() {
        for max in [1.02, 1.1, 1.7, 2.4] {
            let scale = Scale::through(1.0, max, 4);
            assert!(scale.top >= max);
            assert!(scale.ticks.contains(&1.0), "{max} {scale:?}");
        }
        assert!(Scale::through(1.0, 700.0, 4).top >= 700.0);
    }

    #[test]
    fn nonsense_gives_a_scale_all_the_same() {
        for max in [0.0, -3.0, f64::NAN, f64::INFINITY] {
            let scale = Scale::up_to(max, 6);
            assert!(scale.top >= 1.0 && scale.ticks.len() >= 4);
        }
    }

    #[test]
    fn tick_labels_are_all_different() {
        for max in [0.0031, 0.26, 1.05, 2.6, 13.0, 240.0, 51_000.0, 3.1e12] {
            let scale = Scale::up_to(max, 4);
            let labels: Vec<String> = scale.ticks.iter().map(|t| scale.label(*t)).collect();
            let mut unique = labels.clone();
            unique.dedup();
            assert_eq!(labels, unique);
        }
    }

    #[test]
    fn numbers_keep_three_digits() {
        let texts = [0.1234, 1.0, 9.996, 12.34, 99.96, 1234.0, 56_789.0].map(short);
        assert_eq!(
            texts,
            [
                "0.123",
                "1.00",
                "10.0",
                "12.3",
                "100",
                "1234",
                "56\u{2009}789"
            ]
        );
    }

    #[test]
    fn the_unit_follows_the_largest_value() {
        assert_eq!(Unit::of(Measure::Time, 0.02).text(0.0123), "12.3 ms");
        assert_eq!(Unit::of(Measure::Time, 90.0).text(12.34), "12.3 s");
        assert_eq!(Unit::of(Measure::Time, 1200.0).text(600.0), "10.0 min");
        assert_eq!(
            Unit::of(Measure::Memory, 300.0 * MIB).text(150.0 * MIB),
            "150 MiB"
        );
    }
}
