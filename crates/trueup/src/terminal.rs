//! What goes to the terminal besides data: errors with their hints, colours, control characters.

use std::fmt;
use std::io::{ErrorKind, Write as _, stderr, stdout};

use anstyle::{AnsiColor, Style};
use trueup_core::report::printable;

/// Headings, names.
pub const BOLD: Style = Style::new().bold();
/// Additions: `+`.
pub const ADDED: Style = AnsiColor::Green.on_default();
/// What changes: `~`.
pub const CHANGED: Style = AnsiColor::Yellow.on_default();
/// What goes: `-`, and what is wrong.
pub const REMOVED: Style = AnsiColor::Red.on_default();
/// What waits: `!`.
pub const HELD: Style = AnsiColor::Magenta.on_default();
/// Secondary text.
pub const DIM: Style = Style::new().dimmed();

/// An error with the next thing to try.
#[derive(Debug)]
pub struct Hinted {
    message: String,
    hint: String,
}

impl Hinted {
    /// An error that says what to do about it.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

/// Prints an error, its causes and its hint to stderr.
pub fn error(error: &anyhow::Error) {
    let mut lines = vec![format!("{REMOVED}error{REMOVED:#}: {}", clean(&error.to_string()))];
    lines.extend(error.chain().skip(1).map(|cause| format!("  caused by: {}", clean(&cause.to_string()))));
    if let Some(hinted) = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>()) {
        lines.push(format!("  hint: {}", clean(&hinted.hint)));
    }
    tell(&lines.join("\n"));
}

/// Prints text that is not data to stderr. An error is ignored, because there is no other place to report it.
pub fn tell(text: &str) {
    let mut out = anstream::AutoStream::auto(stderr().lock());
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints data to stdout, with colours where it is a terminal that has them.
///
/// A reader that went away (`trueup check | head`) has what it wanted: that is no error.
///
/// # Errors
/// When stdout cannot take it: a full disk.
pub fn print(data: &str) -> std::io::Result<()> {
    let mut out = anstream::AutoStream::auto(stdout().lock());
    match out.write_all(data.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Prints one line to stdout, as [`print()`] does.
///
/// # Errors
/// When stdout cannot take it.
pub fn print_line(line: impl fmt::Display) -> std::io::Result<()> {
    print(&format!("{line}\n"))
}

/// Makes a multi-line text harmless that may contain foreign text: nothing steers the terminal, and only its first
/// line begins at the margin of our own lines. Single lines go through `printable`.
fn clean(text: &str) -> String {
    let lines = text.split('\n').map(printable).enumerate();
    let indented = lines.map(|(at, line)| if at == 0 || line.is_empty() { line } else { format!("    {line}").into() });
    indented.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_foreign_text_cannot_steer_the_terminal() {
        let table = [
            ("plain äöü 😀", "plain äöü 😀"),
            ("two\n\nerror: three", "two\n\n    error: three"),
            ("\u{1b}[31mred", "\u{fffd}[31mred"),
            ("\u{9b}31mred\u{7f}", "\u{fffd}31mred\u{fffd}"),
            ("a\u{202e}b\u{2066}c\u{2028}d", "a\u{fffd}b\u{fffd}c\u{fffd}d"),
        ];
        for (text, cleaned) in table {
            assert_eq!(clean(text), cleaned);
        }
    }
}
