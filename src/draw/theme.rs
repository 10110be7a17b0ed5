//! Palettes and marks as plain data.
//!
//! The colours of the dispatches are Okabe and Ito's, which colour-blind people
//! tell apart. Each also has a marker and a dash of its own: colour is never
//! the only cue.

use crate::bench::results::Dispatch;
use std::fmt;

/// An opaque sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Colour {
    /// This colour moved towards `other`: 0 stays, 1 is `other`.
    pub fn mix(self, other: Colour, amount: f64) -> Colour {
        let amount = amount.clamp(0.0, 1.0);
        let blend = |a: u8, b: u8| {
            let value = f64::from(a) + (f64::from(b) - f64::from(a)) * amount;
            value.round().clamp(0.0, 255.0) as u8
        };
        Colour(
            blend(self.0, other.0),
            blend(self.1, other.1),
            blend(self.2, other.2),
        )
    }

    /// As a pixel: red, green, blue, alpha.
    pub fn opaque(self) -> [u8; 4] {
        [self.0, self.1, self.2, 255]
    }

    /// WCAG relative luminance, 0 to 1.
    pub fn luminance(self) -> f64 {
        let linear = |value: u8| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// WCAG contrast ratio, 1 to 21.
    pub fn contrast(self, other: Colour) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The shape of a data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Circle,
    /// A square on its side.
    Square,
    /// A triangle, point up.
    Triangle,
    /// A square on its corner.
    Diamond,
}

/// How one dispatch is drawn, everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Colour of lines, markers, bars and the name.
    pub colour: Colour,
    /// Shape of its points.
    pub marker: Marker,
    /// Dash and gap of its lines in pixels; `None` is a solid line.
    pub dash: Option<(u32, u32)>,
}

/// A palette and the looks of the dispatches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// `dark` or `light`.
    pub name: &'static str,
    /// Behind everything.
    pub background: Colour,
    /// Behind captions and cards.
    pub surface: Colour,
    /// Titles and what must be read.
    pub text: Colour,
    /// Subtitles, axis names and tick labels.
    pub muted: Colour,
    /// Grid lines.
    pub grid: Colour,
    /// Axis lines.
    pub axis: Colour,
    /// Small marks that belong to no dispatch.
    pub accent: Colour,
    /// `threads`.
    pub threads: Look,
    /// `processes`.
    pub processes: Look,
    /// `workers`.
    pub workers: Look,
    /// `slurm`.
    pub slurm: Look,
    /// Threads of Python.
    pub python_threads: Look,
    /// Processes of Python.
    pub python_processes: Look,
}

impl Theme {
    /// For films and dark rooms.
    pub const DARK: Theme = Theme {
        name: "dark",
        background: Colour(0x10, 0x16, 0x1d),
        surface: Colour(0x1a, 0x23, 0x2d),
        text: Colour(0xf3, 0xf6, 0xf9),
        muted: Colour(0xa9, 0xb5, 0xc2),
        grid: Colour(0x27, 0x32, 0x3e),
        axis: Colour(0x56, 0x65, 0x75),
        accent: Colour(0xf0, 0xe4, 0x42),
        threads: look(Colour(0x56, 0xb4, 0xe9), Marker::Circle, None),
        processes: look(Colour(0xe6, 0x9f, 0x00), Marker::Square, Some((22, 10))),
        workers: look(Colour(0x1f, 0xbf, 0x92), Marker::Triangle, Some((8, 8))),
        slurm: look(Colour(0xd5, 0x8d, 0xb5), Marker::Diamond, Some((36, 10))),
        python_threads: look(Colour(0xd5, 0x8d, 0xb5), Marker::Diamond, Some((4, 6))),
        python_processes: look(Colour(0xb9, 0xa3, 0xf5), Marker::Square, Some((14, 6))),
    };

    /// For paper and reports.
    pub const LIGHT: Theme = Theme {
        name: "light",
        background: Colour(0xff, 0xff, 0xff),
        surface: Colour(0xf1, 0xf4, 0xf7),
        text: Colour(0x14, 0x1b, 0x23),
        muted: Colour(0x51, 0x5e, 0x6c),
        grid: Colour(0xe3, 0xe8, 0xed),
        axis: Colour(0x8b, 0x98, 0xa6),
        accent: Colour(0x8a, 0x6d, 0x00),
        threads: look(Colour(0x00, 0x72, 0xb2), Marker::Circle, None),
        processes: look(Colour(0xb5, 0x4f, 0x00), Marker::Square, Some((22, 10))),
        workers: look(Colour(0x00, 0x7a, 0x59), Marker::Triangle, Some((8, 8))),
        slurm: look(Colour(0xa3, 0x4a, 0x7d), Marker::Diamond, Some((36, 10))),
        python_threads: look(Colour(0xa3, 0x4a, 0x7d), Marker::Diamond, Some((4, 6))),
        python_processes: look(Colour(0x6a, 0x4f, 0xc4), Marker::Square, Some((14, 6))),
    };

    /// How `dispatch` is drawn.
    pub fn dispatch(&self, dispatch: Dispatch) -> Look {
        match dispatch {
            Dispatch::Threads => self.threads,
            Dispatch::Processes => self.processes,
            Dispatch::Workers => self.workers,
        }
    }
}

const fn look(colour: Colour, marker: Marker, dash: Option<(u32, u32)>) -> Look {
    Look {
        colour,
        marker,
        dash,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks(theme: &Theme) -> [Look; 4] {
        [theme.threads, theme.processes, theme.workers, theme.slurm]
    }

    fn all_looks(theme: &Theme) -> Vec<Look> {
        let python = [theme.python_threads, theme.python_processes];
        looks(theme).into_iter().chain(python).collect()
    }

    #[test]
    fn no_two_dispatches_share_a_colour_a_marker_or_a_dash() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let looks = looks(&theme);
            for (i, a) in looks.iter().enumerate() {
                for b in &looks[i + 1..] {
                    assert_ne!(a.colour, b.colour);
                    assert_ne!(a.marker, b.marker);
                    assert_ne!(a.dash, b.dash);
                }
            }
        }
    }

    #[test]
    fn words_have_a_contrast_of_4_5_at_least_in_both_themes() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            let name = theme.name;
            for ground in [theme.background, theme.surface] {
                assert!(theme.text.contrast(ground) >= 7.0, "{name}");
                assert!(theme.muted.contrast(ground) >= 4.5, "{name}");
                // Names of dispatches stand in their colours.
                for look in all_looks(&theme) {
                    assert!(look.colour.contrast(ground) >= 4.5, "{name} {look:?}");
                }
            }
            // Names of jobs stand on bars of both shades.
            for look in looks(&theme) {
                for bar in [look.colour, look.colour.mix(theme.text, 0.22)] {
                    assert!(theme.background.contrast(bar) >= 4.5, "{name} {look:?}");
                }
            }
        }
    }

    #[test]
    fn marks_stand_out_from_the_background() {
        for theme in [Theme::DARK, Theme::LIGHT] {
            for ground in [theme.background, theme.surface] {
                assert!(theme.accent.contrast(ground) >= 3.0, "{}", theme.name);
            }
        }
    }

    #[test]
    fn mixing_goes_from_one_colour_to_the_other() {
        let (a, b) = (Colour(0, 0, 0), Colour(255, 128, 1));
        assert_eq!(a.mix(b, 0.0), a);
        assert_eq!(a.mix(b, 1.0), b);
        assert_eq!(a.mix(b, f64::NAN.clamp(0.0, 1.0)).to_string().len(), 7);
    }
}
