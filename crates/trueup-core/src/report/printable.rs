//! Foreign text made safe for a terminal.

use std::borrow::Cow;

/// Replaces what could steer a terminal or turn text around (AWS's messages and commit subjects are foreign): control
/// characters become spaces when they are white space and `�` otherwise, as do the marks that reorder text. What comes out is
/// one line, with as many characters as before.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let replace = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if steers(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    Cow::Owned(text.chars().map(replace).collect())
}

/// Whether a character steers a terminal instead of being seen: a control character (C0, DEL, C1), a line or paragraph
/// separator, or a mark that turns the direction of writing, which makes a text look like another.
///
/// The one list there is: names that have such a character are refused, and texts are shown without. All of them are in
/// Unicode's basic plane.
///
/// Source: Unicode Standard Annex 9, explicit directional formatting characters.
pub fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::{printable, steers};
    use crate::report::{json_line, samples, text};

    #[test]
    fn nothing_that_steers_a_terminal_comes_through() {
        let table = [
            ("plain text, ünïcode 😀", "plain text, ünïcode 😀"),
            ("two\nlines\tand a tab", "two lines and a tab"),
            ("\u{1b}[31mred", "\u{fffd}[31mred"),
            ("\u{9b}31mred\u{7f}", "\u{fffd}31mred\u{fffd}"),
            (
                "a\u{202e}b\u{2066}c\u{2028}d\u{61c}e\u{200f}f\0",
                "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}e\u{fffd}f\u{fffd}",
            ),
        ];
        for (foreign, shown) in table {
            assert_eq!(printable(foreign), shown, "{foreign:?}");
        }
    }

    #[test]
    fn no_event_steers_a_terminal_whatever_it_says() {
        let nasty = "a\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\u{61c}\0\r\nb";
        for event in samples::events_saying(nasty) {
            let (text, json) = (text(&event), json_line(&event));
            // Lines of ours are indented; the text's own line ends are none.
            assert!(text.lines().skip(1).all(|line| line.starts_with("    ")), "{text:?}");
            assert!(!text.contains(|c| steers(c) && c != '\n') && !json.contains(steers), "{text:?}\n{json:?}");
            serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON");
        }
    }
}
