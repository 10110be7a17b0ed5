//! The embedded fonts: how wide text is, and where it breaks.

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};
use std::sync::OnceLock;

/// The font family as SVG asks for it.
pub const FAMILY: &str = "Inter, sans-serif";

/// Height of a capital letter in parts of the font size.
pub const CAP_HEIGHT: f64 = 0.727;

/// What stands where a text was cut.
const ELLIPSIS: &str = "…";

/// The two weights that are embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// For what is read.
    Regular,
    /// For titles and names.
    SemiBold,
}

impl Weight {
    /// The value of `font-weight`.
    pub fn css(self) -> &'static str {
        match self {
            Weight::Regular => "400",
            Weight::SemiBold => "600",
        }
    }

    /// The font file.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Weight::Regular => include_bytes!("fonts/Inter-Regular.otf"),
            Weight::SemiBold => include_bytes!("fonts/Inter-SemiBold.otf"),
        }
    }

    pub(super) fn font(self) -> Option<&'static FontRef<'static>> {
        static FONTS: OnceLock<[Option<FontRef<'static>>; 2]> = OnceLock::new();
        let fonts = FONTS.get_or_init(|| {
            [Weight::Regular, Weight::SemiBold].map(|w| FontRef::try_from_slice(w.bytes()).ok())
        });
        fonts[self as usize].as_ref()
    }
}

/// A font size in pixels and a weight.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// Size of the em square in pixels, as SVG's `font-size`.
    pub size: f64,
    /// Weight.
    pub weight: Weight,
}

impl Face {
    /// Regular text of `size` pixels.
    pub const fn regular(size: f64) -> Self {
        Self {
            size,
            weight: Weight::Regular,
        }
    }

    /// Semi-bold text of `size` pixels.
    pub const fn bold(size: f64) -> Self {
        Self {
            size,
            weight: Weight::SemiBold,
        }
    }

    /// Width of `text` on one line, in pixels.
    pub fn width(self, text: &str) -> f64 {
        let Some(font) = self.weight.font() else {
            return self.size * 0.6 * text.chars().count() as f64;
        };
        // ab_glyph scales by ascent minus descent, SVG by the em square.
        let units = font.units_per_em().unwrap_or(1000.0);
        let scale = self.size as f32 * font.height_unscaled() / units;
        let font = font.as_scaled(PxScale::from(scale));
        let advance = |c| f64::from(font.h_advance(font.glyph_id(c)));
        text.chars().map(advance).sum()
    }

    /// The largest size up to this one at which `text` is at most `width` wide.
    #[must_use]
    pub fn shrunk_to(self, text: &str, width: f64) -> Face {
        let wide = self.width(text);
        if wide <= width || wide <= 0.0 {
            return self;
        }
        Face {
            size: self.size * (width / wide).max(0.0),
            ..self
        }
    }

    /// `text`, or its beginning and an ellipsis where it is wider than `width`.
    pub fn cut(self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let room = width - self.width(ELLIPSIS);
        let mut kept = String::new();
        for c in text.chars() {
            kept.push(c);
            if self.width(&kept) > room {
                kept.pop();
                break;
            }
        }
        kept.truncate(kept.trim_end().len());
        kept.push_str(ELLIPSIS);
        kept
    }

    /// `text`, or its beginning and its ending around an ellipsis where it is
    /// wider than `width`: beginnings and endings tell names apart.
    pub fn cut_middle(self, text: &str, width: f64) -> String {
        if self.width(text) <= width {
            return text.to_owned();
        }
        let room = (width - self.width(ELLIPSIS)).max(0.0);
        let letters: Vec<(char, f64)> = text.chars().map(|c| (c, self.advance(c))).collect();
        let front = within(letters.iter(), room / 2.0);
        let back = within(letters[front..].iter().rev(), room / 2.0);
        let back = letters[letters.len() - back..].iter();
        // A mark that lost its letter would be set on the ellipsis.
        let back = back.skip_while(|(_, advance)| *advance <= 0.0);
        let front: String = letters[..front].iter().map(|(c, _)| c).collect();
        let back: String = back.map(|(c, _)| c).collect();
        format!("{}{ELLIPSIS}{}", front.trim_end(), back.trim_start())
    }

    fn advance(self, c: char) -> f64 {
        self.width(c.encode_utf8(&mut [0; 4]))
    }

    /// `text` on lines of at most `width` pixels.
    ///
    /// It breaks at white space, but not after a number, as far as that and what it
    /// counts fit on a line; a word wider than a line is cut.
    pub fn wrap(self, text: &str, width: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in self.unbroken(text, width) {
            let word = self.cut(&word, width);
            if let Some(line) = lines.last_mut() {
                let longer = format!("{line} {word}");
                if self.width(&longer) <= width {
                    *line = longer;
                    continue;
                }
            }
            lines.push(word);
        }
        lines
    }

    /// The words of `text`, each number with the word after it, if both fit into `width`.
    fn unbroken(self, text: &str, width: f64) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            if let Some(last) = words.last_mut()
                && is_number(last)
            {
                let both = format!("{last} {word}");
                if self.width(&both) <= width {
                    *last = both;
                    continue;
                }
            }
            words.push(word.to_owned());
        }
        words
    }

    /// The words of `lines` on as many lines of lengths as even as can be.
    pub fn balance(self, lines: &[String]) -> Vec<String> {
        let widest = lines
            .iter()
            .map(|line| self.width(line))
            .fold(0.0, f64::max);
        let text = lines.join(" ");
        let narrower = (0..20).map(|step| widest * (0.5 + 0.025 * f64::from(step)));
        let mut wrapped = narrower.map(|width| self.wrap(&text, width));
        let complete = |some: &Vec<String>| some.len() == lines.len() && some.join(" ") == text;
        wrapped.find(complete).unwrap_or_else(|| lines.to_vec())
    }
}

/// Whether `word` is a number, behind a bracket or not, that no mark ends.
fn is_number(word: &str) -> bool {
    let word = word.trim_start_matches(['(', '+', '−', '-']);
    word.ends_with(|last: char| last.is_ascii_digit())
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || ".,–".contains(c))
}

/// How many of `letters` fit into `room` one after the other.
fn within<'a>(letters: impl Iterator<Item = &'a (char, f64)>, room: f64) -> usize {
    letters
        .scan(0.0, |used, (_, advance)| {
            *used += advance;
            Some(*used)
        })
        .take_while(|used| *used <= room)
        .count()
}

/// A block of lines: the text and the face that make it fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The lines from top to bottom.
    pub lines: Vec<String>,
    /// The face that they are measured in.
    pub face: Face,
}

/// Wraps `text` into `width` × `height` pixels at the largest size from `face`
/// down to `least`; what does not fit at `least` is cut with an ellipsis.
///
/// `leading` is the distance of two base lines in parts of the size.
pub fn fit(text: &str, face: Face, least: f64, area: (f64, f64), leading: f64) -> Block {
    let (width, height) = area;
    let mut face = face;
    loop {
        let lines = face.wrap(text, width);
        let room = ((height / (face.size * leading)).floor() as usize).max(1);
        if lines.len() <= room {
            return Block { lines, face };
        }
        if face.size - 1.0 < least {
            return Block {
                lines: cut_lines(lines, room, face, width),
                face,
            };
        }
        face.size -= 1.0;
    }
}

fn cut_lines(mut lines: Vec<String>, room: usize, face: Face, width: f64) -> Vec<String> {
    let rest = lines.split_off(room.saturating_sub(1)).join(" ");
    lines.push(face.cut(&rest, width));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_weights_are_readable_fonts() {
        assert!(Weight::Regular.font().is_some());
        assert!(Weight::SemiBold.font().is_some());
    }

    #[test]
    fn width_grows_in_proportion_to_the_size() {
        let (small, large) = (Face::regular(10.0), Face::regular(40.0));
        let ratio = large.width("threads 12.3 s") / small.width("threads 12.3 s");
        assert!((ratio - 4.0).abs() < 0.01, "{ratio}");
    }

    #[test]
    fn wrapped_lines_fit_and_keep_every_word() {
        let text = "threads faster by 12.3 % (10.1–14.6) at two workers on this machine";
        let face = Face::regular(30.0);
        let lines = face.wrap(text, 300.0);
        assert!(lines.len() > 2);
        assert!(lines.iter().all(|line| face.width(line) <= 300.0));
        assert_eq!(lines.join(" "), text);
    }

    #[test]
    fn no_line_ends_with_a_number_that_is_parted_from_its_unit() {
        let text = "too small to measure: 300 ms of work against 64.5 ms (within 172.8 %)";
        let face = Face::regular(30.0);
        for width in (120..900).step_by(10) {
            for line in face.wrap(text, f64::from(width)) {
                assert!(!line.ends_with(|c: char| c.is_ascii_digit()), "{line}");
            }
        }
        assert_eq!(face.wrap(text, 2000.0), [text]);
        // A line too narrow for both parts them, rather than cutting the unit.
        let narrow = face.width("12345 ") + 1.0;
        assert_eq!(face.wrap("12345 seconds", narrow)[0], "12345");
    }

    #[test]
    fn a_word_wider_than_the_line_is_cut() {
        let face = Face::regular(30.0);
        let lines = face.wrap(&"x".repeat(200), 300.0);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].ends_with(ELLIPSIS));
        assert!(face.width(&lines[0]) <= 300.0);
    }

    #[test]
    fn a_name_cut_in_the_middle_keeps_its_beginning_and_its_ending() {
        let face = Face::bold(20.0);
        let name = format!("day1{}take7.mov", "-x".repeat(100_000));
        let cut = face.cut_middle(&name, 300.0);
        assert!(
            cut.starts_with("day1") && cut.ends_with("take7.mov"),
            "{cut}"
        );
        assert!(cut.contains(ELLIPSIS) && face.width(&cut) <= 300.0);
        assert_eq!(face.cut_middle("a.mov", 300.0), "a.mov");
        assert_eq!(face.cut_middle("a.mov", -1.0), ELLIPSIS);
        let accents = face.cut_middle(&"e\u{301}".repeat(60), 300.0);
        assert!(!accents.contains("…\u{301}"), "{accents}");
    }

    #[test]
    fn a_long_text_is_made_smaller_before_it_is_cut() {
        let face = Face::regular(40.0);
        let text = "a few words that do not fit on two lines at forty pixels of size";
        let block = fit(text, face, 20.0, (500.0, 110.0), 1.3);
        assert!(block.face.size < 40.0);
        assert_eq!(block.lines.join(" "), text);
        let block = fit(&text.repeat(9), face, 20.0, (500.0, 110.0), 1.3);
        assert!(block.lines.last().is_some_and(|l| l.ends_with(ELLIPSIS)));
        assert!(block.lines.len() as f64 * block.face.size * 1.3 <= 110.0);
    }

    #[test]
    fn balanced_lines_keep_their_number_and_words() {
        let face = Face::bold(100.0);
        let lines = [
            "Threads or processes? Six clips on two".to_owned(),
            "cores".to_owned(),
        ];
        let balanced = face.balance(&lines);
        assert_eq!(balanced.join(" "), lines.join(" "));
        assert_eq!(balanced.len(), 2);
        assert!(face.width(&balanced[0]) < face.width(&balanced[1]) * 1.6);
    }

    #[test]
    fn empty_text_has_no_lines() {
        assert!(Face::regular(30.0).wrap("  ", 100.0).is_empty());
        assert_eq!(Face::bold(30.0).width(""), 0.0);
    }
}
