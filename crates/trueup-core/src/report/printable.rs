//! Foreign text, escaped for printing on a terminal.

use std::borrow::Cow;

/// Replaces the characters that could control a terminal or reorder text (AWS's messages and commit subjects are foreign):
/// control characters that are white space become spaces, others and marks that reorder text become `�`. The result is one
/// line, with as many characters as before.
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

/// Whether a character controls a terminal instead of being shown: a control character (C0, DEL, C1), a line or
/// paragraph separator, or a mark that reverses the direction of writing, which can disguise a text as another.
///
/// This is the only list: names with one of these characters are refused, and texts are shown without them. All of the
/// characters are in Unicode's basic plane.
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
            // trueup's own further lines are indented; the foreign text adds none.
            assert!(text.lines().skip(1).all(|line| line.starts_with("    ")), "{text:?}");
            assert!(!text.contains(|c| steers(c) && c != '\n') && !json.contains(steers), "{text:?}\n{json:?}");
            serde_json::from_str::<serde_json::Value>(&json).expect("it is JSON");
        }
    }
}
