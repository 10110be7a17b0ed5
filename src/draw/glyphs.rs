//! What the embedded fonts can show of a text that anyone may have written.

use super::text::Weight;
use ab_glyph::Font;

/// What is drawn for a character that the fonts do not have.
const BOX: char = '□';

/// `text` as it can be drawn: a box for each character that the fonts do not
/// have and for control characters; nothing for what only steers others.
///
/// Marks that turn the direction of writing are among those: a name reads in
/// the order in which it is stored.
pub fn drawable(text: &str) -> String {
    text.chars()
        .filter(|c| !steers(*c))
        .map(|c| match c {
            c if c.is_control() => BOX,
            c if c.is_whitespace() => ' ',
            c if has(c) => c,
            _ => BOX,
        })
        .collect()
}

/// The characters of `text` that are drawn as boxes, each once, in order.
pub fn missing(text: &str) -> Vec<char> {
    let mut missing = Vec::new();
    for c in text.chars() {
        let shown = steers(c) || has(c) || (c.is_whitespace() && !c.is_control());
        if !shown && !missing.contains(&c) {
            missing.push(c);
        }
    }
    missing
}

fn has(c: char) -> bool {
    let weights = [Weight::Regular, Weight::SemiBold];
    weights
        .iter()
        .all(|weight| weight.font().is_some_and(|font| font.glyph_id(c).0 != 0))
}

/// Whether `c` has no shape of its own (Unicode's `Default_Ignorable_Code_Point`):
/// joiners, direction marks, variation selectors, tags, fillers.
fn steers(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_is_in_the_fonts() {
        assert!(has(BOX));
    }

    #[test]
    fn what_the_fonts_lack_is_a_box_and_told_once() {
        let name = "Ünï-映画映画 👩\u{200d}👧 שלום.mp4";
        assert_eq!(drawable(name), "Ünï-□□□□ □□ □□□□.mp4");
        let told: String = missing(name).into_iter().collect();
        assert_eq!(told, "映画👩👧שלום");
        assert!(missing("Ünï Ж α — “x”.mp4").is_empty());
    }

    #[test]
    fn no_character_turns_or_hides_a_name() {
        assert_eq!(drawable("clip\u{202e}4pm.exe"), "clip4pm.exe");
        assert_eq!(drawable("a\n\u{1b}[31mb\tc\u{3000}d"), "a□□[31mb□c d");
        assert_eq!(missing("a\nb"), ['\n']);
    }
}
