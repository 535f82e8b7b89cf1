//! Foreign text made safe for a terminal.

use std::borrow::Cow;

/// Replaces what could steer a terminal or turn text around (AWS's messages and commit subjects are foreign): control
/// characters become spaces when they are white space and `�` otherwise, as do the marks that reorder text.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let replace = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_unprintable(c) => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    Cow::Owned(text.chars().map(replace).collect())
}

/// Control characters (C0, DEL, C1), line and paragraph separators, and the marks that reorder text.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn nothing_that_steers_a_terminal_comes_through() {
        let table = [
            ("plain text, ünïcode", "plain text, ünïcode"),
            ("two\nlines\tand a tab", "two lines and a tab"),
            ("\u{1b}[31mred", "\u{fffd}[31mred"),
            ("\u{9b}31mred\u{7f}", "\u{fffd}31mred\u{fffd}"),
            ("a\u{202e}b", "a\u{fffd}b"),
        ];
        for (foreign, shown) in table {
            assert_eq!(printable(foreign), shown, "{foreign:?}");
        }
    }
}
