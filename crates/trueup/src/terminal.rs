//! What goes to the terminal besides data: errors with their hints, colours, control characters.

use std::fmt;

use anstyle::{AnsiColor, Style};

/// Headings, names.
pub const BOLD: Style = Style::new().bold();
/// What comes: `+`.
pub const ADDED: Style = AnsiColor::Green.on_default();
/// What changes: `~`.
pub const CHANGED: Style = AnsiColor::Yellow.on_default();
/// What goes: `-`, and what is wrong.
pub const REMOVED: Style = AnsiColor::Red.on_default();
/// What waits: `!`.
pub const HELD: Style = AnsiColor::Magenta.on_default();
/// What is said in passing.
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
    anstream::eprintln!("{REMOVED}error{REMOVED:#}: {}", clean(&error.to_string()));
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  caused by: {}", clean(&cause.to_string()));
    }
    if let Some(hinted) = error.chain().find_map(|cause| cause.downcast_ref::<Hinted>()) {
        anstream::eprintln!("  hint: {}", clean(&hinted.hint));
    }
}

/// Replaces control characters, so that a foreign text cannot steer the terminal.
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
