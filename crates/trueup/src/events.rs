//! Events on their way out: to stdout for the daemon, to stderr for the commands.

use std::io::{Write as _, stdout};
use std::sync::atomic::{AtomicBool, Ordering};

use trueup_core::report::{Event, What, json_line, printable, text};
use trueup_engine::Sink;

use crate::args::Format;
use crate::{render, terminal};

/// Prints every event to stdout, one JSON object a line or text.
pub struct Printer {
    format: Format,
    /// Stdout cannot be written to: logged once, then the daemon continues without.
    closed: AtomicBool,
}

impl Printer {
    /// Prints in that format.
    pub fn new(format: Format) -> Self {
        Self { format, closed: AtomicBool::new(false) }
    }
}

impl Sink for Printer {
    fn emit(&self, event: &Event) {
        let line = match self.format {
            Format::Json => json_line(event),
            Format::Text => text(event),
        };
        // A report that cannot be delivered never stops reconciling.
        let mut out = stdout().lock();
        if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() && !self.closed.swap(true, Ordering::Relaxed) {
            tracing::warn!("Events cannot be written to stdout and are lost from now on.");
        }
    }
}

/// For commands that print their own findings: only why a revision is rejected or unverified goes to stderr.
pub struct Rejections;

impl Sink for Rejections {
    fn emit(&self, event: &Event) {
        if matches!(event.what, What::RevisionRejected { .. } | What::RevisionUnverified { .. }) {
            terminal::tell(&told(event));
        }
    }
}

/// An event for an operator at a terminal; a rejected revision with the source lines underlined.
pub fn told(event: &Event) -> String {
    if let What::RevisionRejected { message, problems } = &event.what
        && !problems.is_empty()
    {
        return format!("{}\n\n{}", render::problems::problems("".as_ref(), problems), printable(message));
    }
    text(event)
}
