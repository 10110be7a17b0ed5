//! Text that others wrote, such as names of files, as a terminal may show it.

use std::io::IsTerminal;
use std::path::Path;

/// Whether stderr is a terminal that can redraw lines.
pub fn can_redraw() -> bool {
    // Progress bars print nothing on a dumb terminal, such as an editor's.
    let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    std::io::stderr().is_terminal() && !is_dumb
}

/// `text` on one line, with nothing in it that a terminal obeys: control
/// characters, and those that turn the direction of what follows, are spelled out.
pub fn shown(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || turns(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

/// As [`shown`], with its lines as they are.
pub fn shown_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(shown).collect();
    lines.join("\n")
}

/// A path as [`shown`].
pub fn shown_path(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

/// Whether a character sets the direction of text (Unicode Standard Annex 9, 2.1 to 2.5).
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(shown("a\u{1b}[2Jb\nc\u{7}"), "a\\u{1b}[2Jb\\nc\\u{7}");
        assert_eq!(shown("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(shown("長い名前 😀 é.mp4"), "長い名前 😀 é.mp4");
        assert_eq!(shown_lines("one\n  → \u{1b}two"), "one\n  → \\u{1b}two");
    }
}
